/* SPDX-License-Identifier: Apache-2.0 */
#include "server-fixture.h"

/* A value is what was bound, of each type, in each place a parameter can have. */
static void test_values(void **state) {
        static const char insert[] = "insert into t (a, b) values (?, ?)",
                          query[] = "select a, b, a < 0, null from t where (?2 is null or b = ?2)"
                                    " and (?1 = 0 or a >= ?1) and b <> '?' order by a limit ?3";
        ServerFixture *f = *state;
        Statement *s;

        NEEDS_SERVER
        assert_good(&f->error, database_prepare(f->database, insert, &s, &f->error));
        for (int64_t i = -2; i < 3; i++) {
                statement_bind_integer(s, 1, i * (INT64_MAX / 2));
                statement_bind_text(s, 2, "Zoë");
                assert_good(&f->error, statement_run(s, &f->error));
                assert_int_equal(database_changes(f->database), 1);
        }
        assert_good(&f->error, database_prepare(f->database, query, &s, &f->error));
        statement_bind_integer(s, 1, 0);
        statement_bind_text(s, 2, NULL);
        statement_bind_integer(s, 3, 4);
        for (int64_t i = -2; i < 2; i++) {
                assert_int_equal(statement_step(s, &f->error), 1);
                assert_true(statement_integer(s, 0) == i * (INT64_MAX / 2));
                assert_string_equal(statement_text(s, 1), "Zoë");
                assert_int_equal(statement_integer(s, 2), i < 0);
                assert_true(statement_is_null(s, 3));
                assert_null(statement_text(s, 3));
                assert_int_equal(statement_integer(s, 3), 0);
        }
        assert_int_equal(statement_step(s, &f->error), 0);
        statement_bind_text(s, 2, "no");
        assert_int_equal(statement_step(s, &f->error), 0);
}

static void test_transactions(void **state) {
        ServerFixture *f = *state;

        NEEDS_SERVER
        assert_good(&f->error, database_begin(f->database, &f->error));
        assert_good(&f->error, database_execute(f->database, "insert into t (a) values (1)", &f->error));
        database_rollback(f->database);
        database_rollback(f->database); /* harmless outside */
        assert_int_equal(one_integer(f, "select count(*) from t"), 0);
        assert_good(&f->error, database_begin(f->database, &f->error));
        assert_good(&f->error, database_execute(f->database, "insert into t (a) values (1)", &f->error));
        assert_good(&f->error, database_commit(f->database, &f->error));
        assert_int_equal(one_integer(f, "select count(*) from t"), 1);
}

static void test_one_writer_at_a_time(void **state) {
        _cleanup_(database_closep) Database *other = NULL;
        ServerFixture *f = *state;

        NEEDS_SERVER
        assert_good(&f->error, database_open("terrafusion_t", one_table, &other, &f->error));
        assert_good(&f->error, database_execute(other, "set lock_timeout = 50", &f->error));
        assert_good(&f->error, database_begin(f->database, &f->error));
        assert_int_equal(database_begin(other, &f->error), -EBUSY);
        assert_int_equal(f->error.id, ERROR_SYSTEM_BUSY);
        database_rollback(f->database);
        error_done(&f->error);
        assert_good(&f->error, database_begin(other, &f->error));
        database_rollback(other);
}

/* A failure inside a transaction is told by whatever comes next, and the rollback ends it. */
static void test_a_failure_inside_a_transaction(void **state) {
        static const char insert[] = "insert into t (a) values (?)";
        ServerFixture *f = *state;
        Statement *s;
        int r;

        NEEDS_SERVER
        assert_good(&f->error, database_begin(f->database, &f->error));
        assert_good(&f->error, database_prepare(f->database, insert, &s, &f->error));
        for (int64_t i = 0; i < 2; i++) {
                statement_bind_integer(s, 1, 7);
                r = statement_run(s, &f->error);
                if (r < 0)
                        break;
        }
        if (r == 0)
                r = database_commit(f->database, &f->error);
        assert_int_equal(r, -EEXIST);
        assert_int_equal(f->error.id, ERROR_CONFLICT);
        error_done(&f->error);
        assert_int_equal(database_commit(f->database, &f->error), -EEXIST);
        database_rollback(f->database);
        assert_int_equal(one_integer(f, "select count(*) from t"), 0);
        assert_good(&f->error, statement_run(s, &f->error));
        assert_int_equal(one_integer(f, "select count(*) from t"), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_values),
                TEST(test_transactions),
                TEST(test_one_writer_at_a_time),
                TEST(test_a_failure_inside_a_transaction),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
