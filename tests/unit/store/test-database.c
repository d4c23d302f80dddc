/* SPDX-License-Identifier: Apache-2.0 */
/* What database.h promises whatever is behind it. */
#include "place.h"

static const Migration migrations[] = {
        {"create table t (a integer primary key, b text, c blob) strict",
         "create table t (a bigint primary key, b text, c bytea)"},
        {},
};

typedef struct State {
        char *folder, *path;
        Database *database;
        Error error;
} State;

static int set_up(void **state) {
        State *s = calloc(1, sizeof(*s));

        place_make();
        s->folder = test_folder_new();
        assert_true(asprintf(&s->path, store_server_is_used() ? "terrafusion_a-b" : "%s/a.db", s->folder) >
                    0);
        assert_int_equal(database_open(s->path, migrations, &s->database, &s->error), 0);
        *state = s;
        return 0;
}

static int tear_down(void **state) {
        State *s = *state;

        database_close(s->database);
        test_folder_remove(s->folder);
        error_done(&s->error);
        free(s->path);
        free(s);
        return 0;
}

static int64_t one_integer(State *st, const char *sql) {
        Statement *s;
        int64_t value;

        assert_int_equal(database_prepare(st->database, sql, &s, &st->error), 0);
        assert_int_equal(statement_step(s, &st->error), 1);
        value = statement_integer(s, 0);
        statement_reset(s);
        return value;
}

static void insert(State *st, int64_t first, int64_t n) {
        static const char sql[] = "insert into t (a, b, c) values (?, ?, ?)";
        Statement *s;

        assert_int_equal(database_prepare(st->database, sql, &s, &st->error), 0);
        for (int64_t i = first; i < first + n; i++) {
                statement_bind_integer(s, 1, i);
                statement_bind_text(s, 2, i % 2 == 0 ? "Zoë" : NULL);
                statement_bind_bytes(s, 3, "\0\xff", i % 3 == 0 ? 0 : 2);
                assert_int_equal(statement_run(s, &st->error), 0);
        }
}

static void test_many_rows(void **state) {
        State *st = *state;

        assert_int_equal(database_begin(st->database, &st->error), 0);
        insert(st, -5, 1000);
        assert_int_equal(one_integer(st, "select count(*) from t"), 1000);
        insert(st, 5000, 1000);
        insert(st, 10000, 3);
        assert_int_equal(database_commit(st->database, &st->error), 0);
        assert_int_equal(one_integer(st, "select count(*) from t"), 2003);
        assert_int_equal(one_integer(st, "select count(*) from t where b = 'Zoë'"), 1002);
        assert_int_equal(one_integer(st, "select count(*) from t where a = -5 and b is null"), 1);
        assert_int_equal(one_integer(st, "select cast(sum(length(c)) as bigint) from t"), 2 * 1336);
}

static void test_many_rows_are_rolled_back(void **state) {
        State *st = *state;

        assert_int_equal(database_begin(st->database, &st->error), 0);
        insert(st, 1, 10);
        database_rollback(st->database);
        assert_int_equal(one_integer(st, "select count(*) from t"), 0);
        assert_int_equal(database_begin(st->database, &st->error), 0);
        assert_int_equal(database_commit(st->database, &st->error), 0);
        assert_int_equal(one_integer(st, "select count(*) from t"), 0);
}

static void test_exactly_one(void **state) {
        static const char sql[] = "update t set b = ? where a = ?", any[] = "update t set b = 'x'";
        State *st = *state;
        Statement *s;
        int r;

        assert_int_equal(database_begin(st->database, &st->error), 0);
        insert(st, 1, 2);
        assert_int_equal(one_integer(st, "select count(*) from t"),
                         2); /* until then they may be kept back */
        assert_int_equal(database_prepare(st->database, sql, &s, &st->error), 0);
        statement_bind_text(s, 1, "one");
        statement_bind_integer(s, 2, 1);
        assert_int_equal(statement_run_one(s, &st->error), 0);
        assert_int_equal(database_changes(st->database), 1);
        assert_int_equal(database_prepare(st->database, any, &s, &st->error), 0);
        assert_int_equal(statement_run(s, &st->error), 0);
        assert_int_equal(database_changes(st->database), 2);
        assert_int_equal(database_commit(st->database, &st->error), 0);

        assert_int_equal(database_begin(st->database, &st->error), 0);
        assert_int_equal(database_prepare(st->database, sql, &s, &st->error), 0);
        statement_bind_text(s, 1, "three");
        statement_bind_integer(s, 2, 3);
        r = statement_run_one(s, &st->error);
        if (r == 0) /* sent on: the commit tells */
                r = database_commit(st->database, &st->error);
        assert_int_equal(r, -EIO);
        assert_int_equal(st->error.id, ERROR_INTERNAL);
        assert_non_null(strstr(st->error.detail, "0 times"));
        database_rollback(st->database);
        assert_int_equal(one_integer(st, "select count(*) from t where b = 'x'"), 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_many_rows, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_many_rows_are_rolled_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_exactly_one, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
