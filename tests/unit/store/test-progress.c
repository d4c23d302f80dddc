/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include <sys/stat.h>

static void test_last_batch(void **state) {
        Fixture *f = *state;

        assert_int_equal(progress_last_batch(f->progress), 0);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, progress_set_last_batch(f->progress, 7, &f->error));
        assert_int_equal(progress_last_batch(f->progress), 7);
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, progress_set_last_batch(f->progress, 8, &f->error));
        progress_rollback(f->progress);
        assert_int_equal(progress_last_batch(f->progress), 7);
        progress_rollback(f->progress); /* harmless outside */
        fixture_reopen(f);
        assert_int_equal(progress_last_batch(f->progress), 7);
}

static void test_closing_undoes_what_is_not_committed(void **state) {
        Fixture *f = *state;

        assert_ok(f, progress_begin(f->progress, &f->error));
        (void) put(f, 1, 1);
        assert_ok(f, progress_set_last_batch(f->progress, 1, &f->error));
        fixture_reopen(f);
        assert_int_equal(progress_last_batch(f->progress), 0);
        assert_int_equal(baseline_count(f->entity), 0);
}

static void test_an_entity_is_one_object(void **state) {
        Fixture *f = *state;
        ProgressEntity *again, *other;

        assert_ok(f, progress_entity(f->progress, "parcel", &again, &f->error));
        assert_ptr_equal(again, f->entity);
        assert_ok(f, progress_entity(f->progress, "owner", &other, &f->error));
        assert_ptr_not_equal(other, f->entity);
}

/* An entity first met inside a transaction is there after its rollback too. */
static void test_an_entity_of_an_undone_transaction(void **state) {
        Fixture *f = *state;
        uint64_t number = 0;
        Digest digest = digest_of(1);
        ProgressEntity *other;

        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, progress_entity(f->progress, "owner", &other, &f->error));
        progress_rollback(f->progress);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, baseline_put(other, key_of(1), &number, 1, &digest, &digest, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
        fixture_reopen(f);
        assert_int_equal(baseline_count(f->entity), 0);
        assert_ok(f, progress_entity(f->progress, "owner", &other, &f->error));
        assert_int_equal(baseline_count(other), 1);
}

/* A commit that the disk refuses leaves memory and file where they were. */
static void test_a_commit_that_fails(void **state) {
        Fixture *f = *state;
        uint64_t number = 0, missing = 0;
        Digest digest = digest_of(1);
        int r = 0;

        if (store_server_is_used()) /* test-postgresql.c has a server that is gone */
                skip();
        put_range(f, 0, 1, 10, 1);
        assert_ok(f,
                  database_execute(progress_database(f->progress), "pragma max_page_count = 40", &f->error));
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, progress_set_last_batch(f->progress, 5, &f->error));
        assert_int_equal(seen_mark(f->entity, 3), 0);
        for (unsigned i = 100; r == 0 && i < 5000; i++) {
                number = 0;
                r = baseline_put(f->entity, key_of(i), &number, 5, &digest, &digest, &f->error);
        }
        if (r == 0) /* rows gather until then */
                r = progress_commit(f->progress, &f->error);
        assert_int_equal(r, -ENOSPC);
        assert_int_equal(f->error.id, ERROR_DISK_FULL);
        progress_rollback(f->progress);
        assert_int_equal(progress_last_batch(f->progress), 0);
        assert_int_equal(baseline_count(f->entity), 10);
        error_done(&f->error);
        assert_ok(f, seen_count_missing(f->entity, &missing, &f->error));
        assert_int_equal(missing, 10);
        put_range(f, 20, 1, 1, 2); /* and it goes on */
        assert_int_equal(baseline_count(f->entity), 11);
}

static void test_folders_are_not_for_others(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *path = NULL;
        struct stat st;

        assert_true(asprintf(&path, "%s/pairs", f->folder) > 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0027, 0);
}

/* The counts kept beside the rows say what plain SQL says. */
static void test_counts_agree_with_rows(void **state) {
        static const char sql[] =
                "select e.n_rows - (select sum(p.n_rows) from baseline_page p where p.entity = e.id),"
                " e.last_number from entity e";
        Fixture *f = *state;
        Statement *s;

        put_range(f, 0, 1, 100, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        for (unsigned i = 0; i < 30; i++)
                assert_ok(f, baseline_delete(f->entity, key_of(i), &f->error));
        (void) put(f, 7, 2);
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_ok(f, database_prepare(progress_database(f->progress), sql, &s, &f->error));
        assert_int_equal(statement_step(s, &f->error), 1);
        assert_int_equal(statement_integer(s, 0), 0);
        assert_int_equal(statement_integer(s, 1), 101);
        assert_int_equal(baseline_count(f->entity), 71);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_last_batch),
                TEST(test_closing_undoes_what_is_not_committed),
                TEST(test_an_entity_is_one_object),
                TEST(test_an_entity_of_an_undone_transaction),
                TEST(test_a_commit_that_fails),
                TEST(test_folders_are_not_for_others),
                TEST(test_counts_agree_with_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
