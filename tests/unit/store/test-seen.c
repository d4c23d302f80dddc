/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static uint64_t missing(Fixture *f) {
        uint64_t n = UINT64_MAX;

        assert_ok(f, seen_count_missing(f->entity, &n, &f->error));
        return n;
}

static void mark_range(Fixture *f, uint64_t first, uint64_t last) {
        for (uint64_t i = first; i <= last; i++)
                assert_int_equal(seen_mark(f->entity, i), 0);
}

static void test_marks_are_kept_by_a_commit(void **state) {
        Fixture *f = *state;

        put_range(f, 0, 1, 100, 1);
        assert_int_equal(missing(f), 100);
        assert_ok(f, progress_begin(f->progress, &f->error));
        mark_range(f, 1, 60);
        assert_ok(f, progress_commit(f->progress, &f->error));
        mark_range(f, 61, 70); /* not committed: gone with the process */
        assert_int_equal(missing(f), 30);
        fixture_reopen(f);
        assert_int_equal(missing(f), 40);
        assert_true(seen_test(f->entity, 60));
        assert_false(seen_test(f->entity, 61));
        assert_false(seen_test(f->entity, 0));
        assert_false(seen_test(f->entity, 1000000));
}

static void test_a_rollback_takes_marks_back(void **state) {
        Fixture *f = *state;

        put_range(f, 0, 1, 50, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        mark_range(f, 1, 10);
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_ok(f, progress_begin(f->progress, &f->error));
        mark_range(f, 11, 20);
        assert_ok(f, seen_reset(f->entity, &f->error));
        mark_range(f, 30, 31);
        assert_int_equal(missing(f), 48);
        progress_rollback(f->progress);
        assert_int_equal(missing(f), 40);
        assert_true(seen_test(f->entity, 10));
        assert_false(seen_test(f->entity, 11));
        assert_false(seen_test(f->entity, 30));
}

static void test_a_new_scan(void **state) {
        Fixture *f = *state;

        put_range(f, 0, 1, 50, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        mark_range(f, 1, 50);
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_int_equal(missing(f), 0);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, seen_reset(f->entity, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_int_equal(missing(f), 50);
        fixture_reopen(f);
        assert_int_equal(missing(f), 50);
}

/* More rows than one piece of 32768 bits has. */
static void test_many_pieces(void **state) {
        Fixture *f = *state;

        put_range(f, 0, 1, 70000, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        mark_range(f, 32767, 32769);
        mark_range(f, 65536, 65536);
        mark_range(f, 70000, 70000);
        assert_ok(f, progress_commit(f->progress, &f->error));
        fixture_reopen(f);
        assert_int_equal(missing(f), 70000 - 5);
        for (uint64_t i = 32766; i <= 32770; i++)
                assert_int_equal(seen_test(f->entity, i), i > 32766 && i < 32770);
        assert_true(seen_test(f->entity, 65536));
        assert_true(seen_test(f->entity, 70000));
}

static void test_a_deleted_row_is_not_missing(void **state) {
        Fixture *f = *state;

        put_range(f, 0, 1, 10, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        mark_range(f, 1, 5);
        assert_ok(f, baseline_delete(f->entity, key_of(0), &f->error)); /* marked */
        assert_ok(f, baseline_delete(f->entity, key_of(9), &f->error)); /* not marked */
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_int_equal(missing(f), 4);
        fixture_reopen(f);
        assert_int_equal(missing(f), 4);
}

static void test_missing_rows_in_pages(void **state) {
        Fixture *f = *state;
        _cleanup_arena_ Arena *arena = NULL;
        BaselineRow rows[4];
        SeenWindow window = {};
        Key keys[4];
        size_t n, total = 0;
        Digest digest;

        assert_int_equal(arena_new(&arena), 0);
        put_range(f, 0, 1, 20, 3);
        for (uint64_t i = 2; i <= 20; i += 2)
                assert_int_equal(seen_mark(f->entity, i), 0);
        do {
                assert_ok(f, seen_missing(f->entity, &window, arena, keys, rows, ELEMENTSOF(keys), &n,
                                          &f->error));
                for (size_t i = 0; i < n; i++, total++) {
                        assert_true(key_equal(keys[i], key_of((unsigned) total * 2)));
                        assert_int_equal(rows[i].number, total * 2 + 1);
                        assert_int_equal(rows[i].batch, 3);
                        digest = digest_of((unsigned) total * 2 + 1000000);
                        assert_true(digest_equal(&rows[i].target_digest, &digest));
                }
                if (n > 0)
                        window.after = keys[n - 1];
        } while (n > 0);
        assert_int_equal(total, 10);
}

/* The key to go on after grows while rows are visited. */
static void test_missing_rows_of_growing_keys(void **state) {
        Fixture *f = *state;
        _cleanup_arena_ Arena *arena = NULL;
        SeenWindow window = {};
        uint8_t bytes[200];
        BaselineRow rows[200];
        Key keys[200];
        size_t n;

        assert_int_equal(arena_new(&arena), 0);
        memset(bytes, 'k', sizeof(bytes));
        assert_ok(f, progress_begin(f->progress, &f->error));
        for (size_t i = 0; i < sizeof(bytes); i++) {
                const Digest digest = digest_of((unsigned) i);
                uint64_t number = 0;

                assert_ok(f, baseline_put(f->entity, (Key){bytes, i + 1}, &number, 1, &digest, &digest, &f->error));
        }
        assert_ok(f, progress_commit(f->progress, &f->error));
        window.after = (Key){bytes, 1};
        assert_ok(f, seen_missing(f->entity, &window, arena, keys, rows, ELEMENTSOF(keys), &n, &f->error));
        assert_int_equal(n, sizeof(bytes) - 1);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(keys[i].size, i + 2);
}

static void test_windows(void **state) {
        Fixture *f = *state;
        SeenWindow window = {};
        _cleanup_arena_ Arena *arena = NULL;
        BaselineRow rows[20];
        Key keys[20];
        size_t n;

        assert_int_equal(arena_new(&arena), 0);
        put_range(f, 0, 1, 20, 3);
        for (uint64_t i = 2; i <= 20; i += 2)
                assert_int_equal(seen_mark(f->entity, i), 0);
        window.after = key_of(4);
        window.until = key_of(10);
        /* Of keys 4 (not within), 6, 8, 10 (within). */
        assert_ok(f, seen_missing(f->entity, &window, arena, keys, rows, ELEMENTSOF(keys), &n, &f->error));
        assert_int_equal(n, 3);
        assert_true(key_equal(keys[0], key_of(6)));
        assert_true(key_equal(keys[2], key_of(10)));
        window.marked = true;
        assert_ok(f, seen_missing(f->entity, &window, arena, keys, rows, ELEMENTSOF(keys), &n, &f->error));
        assert_int_equal(n, 3);
        assert_true(key_equal(keys[0], key_of(5)));
        assert_true(key_equal(keys[2], key_of(9)));
        seen_unmark(f->entity, rows[0].number);
        assert_ok(f, seen_missing(f->entity, &window, arena, keys, rows, ELEMENTSOF(keys), &n, &f->error));
        assert_int_equal(n, 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_marks_are_kept_by_a_commit),
                TEST(test_a_rollback_takes_marks_back),
                TEST(test_a_new_scan),
                TEST(test_many_pieces),
                TEST(test_a_deleted_row_is_not_missing),
                TEST(test_missing_rows_in_pages),
                TEST(test_missing_rows_of_growing_keys),
                TEST(test_windows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
