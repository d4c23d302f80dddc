/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "store/database.h"

static const char first[] = "create table t (a integer primary key, b text, c blob) strict;";
static const char second[] = "alter table t add column d integer not null default 7;";
static const Migration one[] = {{first, NULL}, {}};
static const Migration two[] = {{first, NULL}, {second, NULL}, {}};
static const Migration broken[] = {
        {first, NULL}, {"create table u (a integer) strict; create table t (a integer)", NULL}, {}};

typedef struct State {
        char *folder, *path;
        Error error;
} State;

static int set_up(void **state) {
        State *s = calloc(1, sizeof(*s));

        s->folder = test_folder_new();
        assert_true(asprintf(&s->path, "%s/a.db", s->folder) > 0);
        *state = s;
        return 0;
}

static int tear_down(void **state) {
        State *s = *state;

        test_folder_remove(s->folder);
        error_done(&s->error);
        free(s->path);
        free(s);
        return 0;
}

static int64_t one_integer(Database *d, const char *sql) {
        Statement *s;
        int64_t value;

        assert_int_equal(database_prepare(d, sql, &s, NULL), 0);
        assert_int_equal(statement_step(s, NULL), 1);
        value = statement_integer(s, 0);
        statement_reset(s);
        return value;
}

static void test_values_come_back(void **state) {
        static const char insert[] = "insert into t (a, b, c) values (?, ?, ?)";
        static const char query[] = "select a, b, c from t order by a";
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;
        Statement *s, *again;
        size_t size;

        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_string_equal(database_path(d), st->path);
        assert_int_equal(database_prepare(d, insert, &s, &st->error), 0);
        statement_bind_integer(s, 1, INT64_MIN);
        statement_bind_text(s, 2, "Zoë");
        statement_bind_bytes(s, 3, "a\0b", 3);
        assert_int_equal(statement_run(s, &st->error), 0);
        assert_int_equal(database_changes(d), 1);
        /* from the cache: the same statement, with nothing bound */
        assert_int_equal(database_prepare(d, insert, &again, &st->error), 0);
        assert_ptr_equal(again, s);
        statement_bind_integer(s, 1, 5);
        statement_bind_bytes(s, 3, NULL, 0);
        assert_int_equal(statement_run(s, &st->error), 0);

        assert_int_equal(database_prepare(d, query, &s, &st->error), 0);
        assert_int_equal(statement_step(s, &st->error), 1);
        assert_true(statement_integer(s, 0) == INT64_MIN);
        assert_string_equal(statement_text(s, 1), "Zoë");
        assert_memory_equal(statement_bytes(s, 2, &size), "a\0b", 3);
        assert_int_equal(size, 3);
        assert_int_equal(statement_step(s, &st->error), 1);
        assert_null(statement_text(s, 1));
        assert_true(statement_is_null(s, 1));
        assert_false(statement_is_null(s, 2)); /* empty, not null */
        assert_non_null(statement_bytes(s, 2, &size));
        assert_int_equal(size, 0);
        assert_int_equal(statement_step(s, &st->error), 0);
        assert_int_equal(statement_step(s, &st->error), 1); /* done is reset: it starts again */
        statement_reset(s);
}

static void test_settings(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;
        Statement *s;

        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_int_equal(one_integer(d, "pragma synchronous"), 2);
        assert_int_equal(one_integer(d, "pragma foreign_keys"), 1);
        assert_int_equal(one_integer(d, "pragma busy_timeout"), 5000);
        assert_int_equal(one_integer(d, "pragma user_version"), 1);
        assert_int_equal(database_prepare(d, "pragma journal_mode", &s, &st->error), 0);
        assert_int_equal(statement_step(s, &st->error), 1);
        assert_string_equal(statement_text(s, 0), "wal");
}

static void test_migrates_forward_only(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;

        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_int_equal(database_execute(d, "insert into t (a) values (1)", &st->error), 0);
        d = database_close(d);
        assert_int_equal(database_open(st->path, two, &d, &st->error), 0);
        assert_int_equal(one_integer(d, "select d from t"), 7);
        assert_int_equal(one_integer(d, "pragma user_version"), 2);
        d = database_close(d);
        assert_int_equal(database_open(st->path, one, &d, &st->error), -EBADMSG);
        assert_null(d);
        assert_int_equal(st->error.id, ERROR_FILE_FORMAT);
        assert_non_null(strstr(st->error.detail, st->path));
        assert_non_null(strstr(st->error.detail, "format 2"));
        assert_non_null(strstr(st->error.remedy, "newer"));
}

static void test_a_failing_migration_leaves_the_file_as_it_was(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;

        assert_true(database_open(st->path, broken, &d, &st->error) < 0);
        assert_int_equal(st->error.id, ERROR_INTERNAL);
        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_int_equal(one_integer(d, "select count(*) from sqlite_schema where name = 'u'"), 0);
}

static void test_read_only(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL, *reader = NULL;

        assert_int_equal(database_open_read_only(st->path, &reader, &st->error), -ENOENT);
        assert_int_equal(st->error.id, ERROR_NONE);
        assert_int_equal(access(st->path, F_OK), -1);
        free(test_file_write(st->folder, "a.db", ""));
        assert_int_equal(database_open_read_only(st->path, &reader, &st->error), -ENOENT);
        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_int_equal(database_execute(d, "insert into t (a) values (1)", &st->error), 0);
        assert_int_equal(database_open_read_only(st->path, &reader, &st->error), 0);
        assert_int_equal(one_integer(reader, "select count(*) from t"), 1);
        assert_int_equal(database_execute(reader, "insert into t (a) values (2)", &st->error), -EIO);
        assert_int_equal(st->error.id, ERROR_IO);
}

static void test_transactions(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;

        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_int_equal(database_begin(d, &st->error), 0);
        assert_int_equal(database_execute(d, "insert into t (a) values (1)", &st->error), 0);
        database_rollback(d);
        assert_int_equal(one_integer(d, "select count(*) from t"), 0);
        database_rollback(d); /* harmless outside */
        assert_int_equal(database_begin(d, &st->error), 0);
        assert_int_equal(database_execute(d, "insert into t (a) values (1)", &st->error), 0);
        assert_int_equal(database_commit(d, &st->error), 0);
        d = database_close(d);
        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_int_equal(one_integer(d, "select count(*) from t"), 1);
}

static void test_a_key_that_is_there(void **state) {
        static const char insert[] = "insert into t (a) values (1)";
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;
        Statement *s;

        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_int_equal(database_prepare(d, insert, &s, &st->error), 0);
        assert_int_equal(statement_run(s, &st->error), 0);
        assert_int_equal(statement_run(s, &st->error), -EEXIST);
        assert_int_equal(st->error.id, ERROR_CONFLICT);
}

static void test_no_database(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;

        free(test_file_write(st->folder, "a.db",
                             "This is no database, though it is long enough to be taken for one."
                             " A header has a hundred bytes and begins otherwise."));
        assert_int_equal(database_open(st->path, one, &d, &st->error), -EBADMSG);
        assert_int_equal(st->error.id, ERROR_FILE_FORMAT);
        assert_non_null(strstr(st->error.remedy, "backup"));
}

static void test_no_folder(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;

        assert_int_equal(database_open("/nonexistent/folder/a.db", one, &d, &st->error), -EIO);
        assert_int_equal(st->error.id, ERROR_IO);
        assert_non_null(strstr(st->error.detail, "/nonexistent/folder/a.db"));
        assert_non_null(st->error.remedy);
}

/* The file may not grow: what a full disk looks like to SQLite. */
static void test_disk_full(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *d = NULL;
        int r = 0;

        assert_int_equal(database_open(st->path, one, &d, &st->error), 0);
        assert_int_equal(database_execute(d, "pragma max_page_count = 8", &st->error), 0);
        for (unsigned i = 0; i < 100 && r == 0; i++)
                r = database_execute(d, "insert into t (c) values (zeroblob(4000))", &st->error);
        assert_int_equal(r, -ENOSPC);
        assert_int_equal(st->error.id, ERROR_DISK_FULL);
        assert_non_null(strstr(st->error.remedy, "room"));
        assert_true(one_integer(d, "select count(*) from t") > 0); /* what was committed stays */
}

static void test_busy(void **state) {
        State *st = *state;
        _cleanup_(database_closep) Database *a = NULL, *b = NULL;

        assert_int_equal(database_open(st->path, one, &a, &st->error), 0);
        assert_int_equal(database_open(st->path, one, &b, &st->error), 0);
        assert_int_equal(database_execute(b, "pragma busy_timeout = 1", &st->error), 0);
        assert_int_equal(database_begin(a, &st->error), 0);
        assert_int_equal(database_begin(b, &st->error), -EBUSY);
        assert_int_equal(st->error.id, ERROR_SYSTEM_BUSY);
        assert_non_null(st->error.remedy);
        database_rollback(a);
        assert_int_equal(database_begin(b, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_values_come_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_migrates_forward_only, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_failing_migration_leaves_the_file_as_it_was, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_transactions, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_key_that_is_there, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_no_database, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_no_folder, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_disk_full, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_busy, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
