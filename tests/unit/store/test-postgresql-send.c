/* SPDX-License-Identifier: Apache-2.0 */
#include "server-fixture.h"

#define ROWS 20000

static void run_many(ServerFixture *f, const char *sql, int64_t n) {
        Statement *s;

        assert_good(&f->error, database_prepare(f->database, sql, &s, &f->error));
        for (int64_t i = 1; i <= n; i++) {
                statement_bind_integer(s, 1, i);
                assert_good(&f->error, statement_run(s, &f->error));
        }
}

/* More than fits into any buffer, of each way. */
static void test_many(void **state) {
        ServerFixture *f = *state;

        NEEDS_SERVER
        assert_good(&f->error, database_begin(f->database, &f->error));
        run_many(f, "insert into t (a) values (?)", ROWS);
        assert_int_equal(database_changes(f->database), 1);
        run_many(f, "update t set b = 'x' where a = ?", ROWS);
        assert_good(&f->error, database_commit(f->database, &f->error));
        assert_int_equal(one_integer(f, "select count(*) from t where b = 'x'"), ROWS);
}

/* Told at the next answer, and nothing of the transaction stays. */
static void test_a_failure_among_many(void **state) {
        static const char sql[] = "insert into t (a) values (?)";
        ServerFixture *f = *state;
        Statement *s;

        NEEDS_SERVER
        assert_good(&f->error, database_begin(f->database, &f->error));
        run_many(f, sql, 3);
        run_many(f, sql, 3);
        run_many(f, "update t set b = 'x' where a = ?", 10);
        assert_int_equal(database_changes(f->database), -1);
        assert_good(&f->error, database_prepare(f->database, sql, &s, &f->error));
        assert_int_equal(statement_run(s, &f->error), -EEXIST);
        error_done(&f->error);
        assert_int_equal(database_commit(f->database, &f->error), -EEXIST);
        database_rollback(f->database);
        assert_int_equal(one_integer(f, "select count(*) from t"), 0);
}

/* What was to be prepared behind a failure never was: the next transaction of the session prepares it. */
static void test_a_statement_first_sent_behind_a_failure(void **state) {
        static const char insert[] = "insert into t (a) values (?)", update[] = "update t set b = 'y' where a = ?";
        ServerFixture *f = *state;

        NEEDS_SERVER
        assert_good(&f->error, database_begin(f->database, &f->error));
        run_many(f, insert, 1);
        run_many(f, insert, 1);
        run_many(f, update, 1);
        assert_int_equal(database_commit(f->database, &f->error), -EEXIST);
        error_done(&f->error);
        database_rollback(f->database);
        assert_good(&f->error, database_begin(f->database, &f->error));
        run_many(f, insert, 3);
        run_many(f, update, 2);
        assert_good(&f->error, database_commit(f->database, &f->error));
        assert_int_equal(one_integer(f, "select count(*) from t where b = 'y'"), 2);
}

static void test_the_server_goes_away_meanwhile(void **state) {
        static const char sql[] = "insert into t (a) values (?)";
        ServerFixture *f = *state;
        Statement *s;
        int r = 0;

        NEEDS_SERVER
        assert_good(&f->error, database_begin(f->database, &f->error));
        run_many(f, sql, 100);
        end_sessions();
        assert_good(&f->error, database_prepare(f->database, sql, &s, &f->error));
        for (int64_t i = 1000; r == 0 && i < 1000 + ROWS; i++) {
                statement_bind_integer(s, 1, i);
                r = statement_run(s, &f->error);
        }
        assert_int_equal(r, error_errno(ERROR_SYSTEM_UNAVAILABLE));
        assert_int_equal(f->error.id, ERROR_SYSTEM_UNAVAILABLE);
        error_done(&f->error);
        assert_true(database_commit(f->database, &f->error) < 0);
        assert_int_equal(error_class(f->error.id), ERROR_CLASS_TRANSIENT);
        database_rollback(f->database);
        assert_true(database_is_lost(f->database));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_many),
                TEST(test_a_failure_among_many),
                TEST(test_a_statement_first_sent_behind_a_failure),
                TEST(test_the_server_goes_away_meanwhile),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
