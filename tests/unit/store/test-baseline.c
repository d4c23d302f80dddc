/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static void assert_found(Fixture *f, unsigned key, uint64_t number, uint64_t batch) {
        Digest source = digest_of(key), target = digest_of(key + 1000000);
        BaselineRow row;

        assert_int_equal(baseline_find(f->entity, key_of(key), &row, &f->error), 1);
        assert_int_equal(row.number, number);
        assert_int_equal(row.batch, batch);
        assert_true(digest_equal(&row.source_digest, &source));
        assert_true(digest_equal(&row.target_digest, &target));
}

static void assert_absent(Fixture *f, unsigned key) {
        BaselineRow row = {.number = 99};

        assert_int_equal(baseline_find(f->entity, key_of(key), &row, &f->error), 0);
        assert_int_equal(row.number, 99);
}

static void test_rows_are_numbered(void **state) {
        Fixture *f = *state;

        assert_absent(f, 1);
        put_range(f, 10, 1, 3, 1);
        assert_int_equal(baseline_count(f->entity), 3);
        assert_found(f, 10, 1, 1);
        assert_found(f, 12, 3, 1);
        fixture_reopen(f);
        assert_int_equal(baseline_count(f->entity), 3);
        put_range(f, 5, 1, 1, 2);
        assert_found(f, 5, 4, 2);
        assert_int_equal(baseline_count(f->entity), 4);
}

/* Every other key of 10,000, asked for in order: present and absent ones, through many read-aheads. */
static void test_in_order(void **state) {
        Fixture *f = *state;

        put_range(f, 0, 2, 5000, 1);
        for (unsigned i = 0; i < 10001; i++)
                if (i % 2 == 0 && i < 10000)
                        assert_found(f, i, i / 2 + 1, 1);
                else
                        assert_absent(f, i);
        assert_found(f, 0, 1, 1); /* and back */
}

static void test_in_any_order(void **state) {
        Fixture *f = *state;
        unsigned seed = 12345;

        put_range(f, 0, 2, 3000, 1);
        for (unsigned i = 0; i < 5000; i++) {
                unsigned key;

                seed = seed * 1103515245 + 12345;
                key = (seed >> 8) % 6000;
                if (key % 2 == 0)
                        assert_found(f, key, key / 2 + 1, 1);
                else
                        assert_absent(f, key);
        }
}

static void test_what_was_read_ahead_follows_changes(void **state) {
        Fixture *f = *state;
        Digest source = digest_of(60), target = digest_of(1000060);
        uint64_t number = 31;

        put_range(f, 0, 2, 100, 1);
        for (unsigned i = 0; i < 50; i += 2) /* long enough for reading ahead to begin */
                assert_found(f, i, i / 2 + 1, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, baseline_put(f->entity, key_of(60), &number, 2, &source, &target, &f->error));
        assert_int_equal(number, 31);
        assert_found(f, 60, 31, 2);
        assert_ok(f, baseline_delete(f->entity, key_of(62), &f->error));
        assert_absent(f, 62);
        assert_int_equal(put(f, 65, 3), 101);
        assert_found(f, 65, 101, 3);
        assert_int_equal(put(f, 62, 3), 102); /* deleted and there again: a new number */
        assert_found(f, 62, 102, 3);
        assert_int_equal(put(f, 9999, 3), 103);
        assert_found(f, 9999, 103, 3);
        assert_int_equal(baseline_count(f->entity), 102);
        assert_ok(f, progress_commit(f->progress, &f->error));
        fixture_reopen(f);
        assert_int_equal(baseline_count(f->entity), 102);
        assert_found(f, 60, 31, 2);
        assert_found(f, 62, 102, 3);
}

static void test_a_row_that_is_there_keeps_its_number(void **state) {
        Fixture *f = *state;

        put_range(f, 1, 1, 2, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_int_equal(put(f, 1, 7), 1);
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_found(f, 1, 1, 7);
        assert_int_equal(baseline_count(f->entity), 2);
        assert_int_equal(f->error.id, ERROR_NONE);
}

static void test_deleting_what_is_not_there(void **state) {
        Fixture *f = *state;

        put_range(f, 1, 1, 1, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_int_equal(baseline_delete(f->entity, key_of(2), &f->error), 0);
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_int_equal(baseline_count(f->entity), 1);
}

static void test_updating_what_is_gone(void **state) {
        Fixture *f = *state;
        Digest digest = digest_of(1);
        uint64_t number = 5;
        int r;

        assert_ok(f, progress_begin(f->progress, &f->error));
        r = baseline_put(f->entity, key_of(1), &number, 1, &digest, &digest, &f->error);
        if (r == 0) /* told later where statements are sent on without waiting */
                r = progress_commit(f->progress, &f->error);
        assert_int_equal(r, -EIO);
        assert_int_equal(f->error.id, ERROR_INTERNAL);
        assert_non_null(strstr(f->error.detail, database_path(progress_database(f->progress))));
        progress_rollback(f->progress);
}

static void test_a_rollback_is_seen(void **state) {
        Fixture *f = *state;

        put_range(f, 0, 2, 10, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        (void) put(f, 3, 2);
        assert_ok(f, baseline_delete(f->entity, key_of(4), &f->error));
        assert_found(f, 3, 11, 2);
        progress_rollback(f->progress);
        assert_absent(f, 3);
        assert_found(f, 4, 3, 1);
        assert_int_equal(baseline_count(f->entity), 10);
        put_range(f, 5, 1, 1, 3);
        assert_found(f, 5, 11, 3); /* the number is free again */
}

static void test_entities_are_apart(void **state) {
        Fixture *f = *state;
        ProgressEntity *other;
        BaselineRow row;

        put_range(f, 1, 1, 5, 1);
        assert_ok(f, progress_entity(f->progress, "owner", &other, &f->error));
        assert_int_equal(baseline_count(other), 0);
        assert_int_equal(baseline_find(other, key_of(1), &row, &f->error), 0);
}

/* Byte order, whatever the bytes: a key that another begins with, 0x00 and 0xff. */
static void test_byte_order(void **state) {
        static const uint8_t bytes[] = {0, 0, 1, 0xff, 0xff};
        const Key keys[] = {{bytes, 1}, {bytes, 2}, {bytes + 1, 2}, {bytes + 3, 1}, {bytes + 3, 2}};
        Digest digest = digest_of(1);
        Fixture *f = *state;
        BaselineRow row;

        assert_ok(f, progress_begin(f->progress, &f->error));
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                uint64_t number = 0;

                assert_ok(f, baseline_put(f->entity, keys[i], &number, 1, &digest, &digest, &f->error));
        }
        assert_ok(f, progress_commit(f->progress, &f->error));
        for (unsigned round = 0; round < 3; round++)
                for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                        assert_int_equal(baseline_find(f->entity, keys[i], &row, &f->error), 1);
                        assert_int_equal(row.number, i + 1);
                }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_rows_are_numbered),
                TEST(test_in_order),
                TEST(test_in_any_order),
                TEST(test_what_was_read_ahead_follows_changes),
                TEST(test_a_row_that_is_there_keeps_its_number),
                TEST(test_deleting_what_is_not_there),
                TEST(test_updating_what_is_gone),
                TEST(test_a_rollback_is_seen),
                TEST(test_entities_are_apart),
                TEST(test_byte_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
