/* SPDX-License-Identifier: Apache-2.0 */
/* A pair's file as the first format left it: a row of table baseline per record. */
#include "fixture.h"

#define ROWS 25000

static void write_old_rows(Fixture *f, size_t digest_size) {
        static const char sql[] =
                "insert into baseline (entity, key, number, batch, source_digest, target_digest)"
                " select id, ?, ?, ?, ?, ? from entity where name = 'parcel'";
        Database *d = progress_database(f->progress);
        Digest none = {};
        Statement *s;

        assert_ok(f, database_begin(d, &f->error));
        assert_ok(f, database_prepare(d, sql, &s, &f->error));
        for (unsigned i = 1; i <= ROWS; i++) {
                Key key = key_of(i * 2);

                statement_bind_bytes(s, 1, key.bytes, key.size);
                statement_bind_integer(s, 2, i);
                statement_bind_integer(s, 3, i % 7);
                statement_bind_bytes(s, 4, none.bytes, digest_size);
                statement_bind_bytes(s, 5, none.bytes, DIGEST_SIZE);
                assert_ok(f, statement_run(s, &f->error));
        }
        assert_ok(f,
                  database_execute(d, "update entity set n_rows = 25000, last_number = 25000", &f->error));
        assert_ok(f, database_commit(d, &f->error));
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
                          paged[] = "select cast(sum(n_rows) as bigint) from baseline_page";
        Fixture *f = *state;
        BaselineRow row;

        write_old_rows(f, DIGEST_SIZE);
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

        write_old_rows(f, 3);
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
