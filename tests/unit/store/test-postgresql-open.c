/* SPDX-License-Identifier: Apache-2.0 */
#include "server-fixture.h"
#include "store/postgresql-internal.h"
#include <sys/wait.h>

static const Migration two[] = {{"-", "create table t (a bigint primary key, b text)"},
                                {"-", "alter table t add column d bigint not null default 7"},
                                {}};
static const Migration broken[] = {
        {"-", "create table u (a bigint); create table u (a bigint)"},
        {},
};

static void test_identifiers(void **state) {
        _cleanup_free_ char *plain = pg_identifier("terrafusion_pair_a-b"),
                            *odd = pg_identifier("a\"; drop");

        assert_string_equal(plain, "\"terrafusion_pair_a-b\"");
        assert_string_equal(odd, "\"a\"\"; drop\"");
}

static void test_migrates_forward_only(void **state) {
        ServerFixture *f = *state;

        NEEDS_SERVER
        assert_good(&f->error, database_execute(f->database, "insert into t (a) values (1)", &f->error));
        f->database = database_close(f->database);
        assert_good(&f->error, database_open("terrafusion_t", two, &f->database, &f->error));
        assert_int_equal(one_integer(f, "select d from t"), 7);
        f->database = database_close(f->database);
        assert_int_equal(database_open("terrafusion_t", one_table, &f->database, &f->error), -EBADMSG);
        assert_int_equal(f->error.id, ERROR_FILE_FORMAT);
        assert_non_null(strstr(f->error.detail, "format 2"));
        assert_non_null(strstr(f->error.remedy, "newer"));
}

static void test_a_failing_migration_leaves_nothing(void **state) {
        ServerFixture *f = *state;
        Database *d = NULL;

        NEEDS_SERVER
        assert_true(database_open("terrafusion_broken", broken, &d, &f->error) < 0);
        assert_int_equal(
                one_integer(f, "select count(*) from pg_namespace where nspname = 'terrafusion_broken'"), 0);
}

/* syncd and workers open at the same time: each finds it made. */
static void test_a_race(void **state) {
        ServerFixture *f = *state;
        int status;

        NEEDS_SERVER
        for (unsigned i = 0; i < 8; i++)
                if (fork() == 0) {
                        Database *d = NULL;

                        _exit(database_open("terrafusion_race", two, &d, NULL) < 0);
                }
        for (unsigned i = 0; i < 8; i++) {
                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
        }
        assert_int_equal(one_integer(f, "select count(*) from terrafusion_race.format"), 2);
}

/* A schema that was made for us needs no right to make schemas. */
static void test_read_only(void **state) {
        ServerFixture *f = *state;
        _cleanup_(database_closep) Database *d = NULL;

        NEEDS_SERVER
        assert_int_equal(database_open_read_only("terrafusion_none", &d, &f->error), -ENOENT);
        assert_int_equal(f->error.id, ERROR_NONE);
        administrate("create schema terrafusion_none");
        assert_int_equal(database_open_read_only("terrafusion_none", &d, &f->error), -ENOENT);
        assert_good(&f->error, database_open_read_only("terrafusion_t", &d, &f->error));
        assert_true(database_execute(d, "insert into t (a) values (2)", &f->error) < 0);
}

static void test_holding(void **state) {
        ServerFixture *f = *state;
        _cleanup_(database_closep) Database *other = NULL;

        NEEDS_SERVER
        assert_good(&f->error, database_hold(f->database, "pair \"a\"", "Operation 1", 0, &f->error));
        assert_good(&f->error, database_open("terrafusion_t", one_table, &other, &f->error));
        assert_good(&f->error, database_hold(other, "pair \"b\"", "Operation 2", 0, &f->error));
        assert_int_equal(database_hold(other, "pair \"a\"", "Operation 2", 100, &f->error), -EEXIST);
        assert_int_equal(f->error.id, ERROR_ALREADY_RUNNING);
        assert_non_null(strstr(f->error.detail, "Operation 1 holds the pair \"a\""));
        error_done(&f->error);
        f->database = database_close(f->database);
        assert_good(&f->error, database_hold(other, "pair \"a\"", "Operation 2", 5000, &f->error));
}

static void test_settings(void **state) {
        ServerFixture *f = *state;

        NEEDS_SERVER
        administrate("do $$ begin execute format('alter database %I set synchronous_commit = off',"
                     " current_database()); end $$");
        f->database = database_close(f->database);
        assert_good(&f->error, database_open("terrafusion_t", one_table, &f->database, &f->error));
        assert_int_equal(one_integer(f, "select count(*) from pg_settings where"
                                        " name = 'synchronous_commit' and setting = 'on'"
                                        " or name = 'statement_timeout' and setting = '20000'"
                                        " or name = 'lock_timeout' and setting = '5000'"
                                        " or name = 'search_path' and setting = '\"terrafusion_t\"'"),
                         4);
        administrate("do $$ begin execute format('alter database %I reset synchronous_commit',"
                     " current_database()); end $$");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_identifiers),
                TEST(test_migrates_forward_only),
                TEST(test_a_failing_migration_leaves_nothing),
                TEST(test_a_race),
                TEST(test_read_only),
                TEST(test_holding),
                TEST(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
