/* SPDX-License-Identifier: Apache-2.0 */
/* A pair's file as the first format left it: a row of table baseline per record. */
#include "fixture.h"

static void write_old_rows(Fixture *f, const char *digest) {
        _cleanup_free_ char *sql = NULL;
        Database *d = progress_database(f->progress);

        assert_true(
                asprintf(&sql,
                         "insert into baseline (entity, key, number, batch, source_digest, target_digest)"
                         " with recursive n (n) as (select 1 union all select n + 1 from n where n < 25000)"
                         " select (select id from entity where name = 'parcel'), cast(printf('key-%%08d', n "
                         "* 2) as blob), n,"
                         " n %% 7, %s, zeroblob(16) from n",
                         digest) > 0);
        assert_ok(f, database_execute(d, sql, &f->error));
        assert_ok(f,
                  database_execute(d, "update entity set n_rows = 25000, last_number = 25000", &f->error));
}

static int64_t count(Fixture *f, const char *sql) {
        Statement *s;
        int64_t n;

        assert_ok(f, database_prepare(progress_database(f->progress), sql, &s, &f->error));
        assert_int_equal(statement_step(s, &f->error), 1);
        n = statement_integer(s, 0);
        statement_reset(s);
        return n;
}

static void test_old_rows_become_pages(void **state) {
        static const char rows[] = "select count(*) from baseline",
                          paged[] = "select sum(n_rows) from baseline_page";
        Fixture *f = *state;
        BaselineRow row;

        write_old_rows(f, "zeroblob(16)");
        fixture_reopen(f);
        assert_int_equal(count(f, rows), 0);
        assert_int_equal(count(f, paged), 25000);
        assert_int_equal(baseline_count(f->entity), 25000);
        for (unsigned i = 1; i <= 25000; i += 7) {
                assert_int_equal(baseline_find(f->entity, key_of(i * 2), &row, &f->error), 1);
                assert_int_equal(row.number, i);
                assert_int_equal(row.batch, i % 7);
                assert_int_equal(baseline_find(f->entity, key_of(i * 2 + 1), &row, &f->error), 0);
        }
        put_range(f, 1, 1, 1, 9);
        assert_int_equal(baseline_find(f->entity, key_of(1), &row, &f->error), 1);
        assert_int_equal(row.number, 25001);
}

static void test_old_rows_that_are_damaged(void **state) {
        Fixture *f = *state;

        write_old_rows(f, "zeroblob(3)");
        f->progress = progress_close(f->progress);
        assert_ok(f, progress_open(f->folder, "pair", OPERATION_1, &f->progress, &f->error));
        assert_int_equal(progress_entity(f->progress, "parcel", &f->entity, &f->error), -EBADMSG);
        assert_int_equal(f->error.id, ERROR_FILE_FORMAT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_old_rows_become_pages),
                TEST(test_old_rows_that_are_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
