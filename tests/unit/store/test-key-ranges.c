/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#define TEXT(literal) ((char[]){literal})

static void begin(Fixture *f) { assert_ok(f, progress_begin(f->progress, &f->error)); }
static void commit(Fixture *f) { assert_ok(f, progress_commit(f->progress, &f->error)); }

static size_t load(Fixture *f, bool pending, StoredRange **ret) {
        size_t n = 0;

        assert_ok(f, ranges_load(f->entity, pending, ret, &n, &f->error));
        return n;
}

static void save(Fixture *f) {
        StoredRange ranges[] = {
                {.range = {.until = TEXT("aa"), .n_records = 5, .sums = {1, KEY_RANGE_SUM_MASK}}, .opened = true},
                {.range = {.until = TEXT("bb"), .n_records = 6, .sums = {3, 4}}},
                {.range = {.n_records = KEY_RANGE_UNKNOWN}},
        };

        begin(f);
        assert_ok(f, ranges_save_pending(f->entity, ranges, 3, &f->error));
        commit(f);
}

static void test_pending_ranges_become_proved(void **state) {
        Fixture *f = *state;
        StoredRange *ranges = NULL;

        save(f);
        assert_int_equal(load(f, false, &ranges), 0);
        begin(f);
        assert_ok(f, ranges_prove(f->entity, &f->error));
        commit(f);
        fixture_reopen(f);
        assert_int_equal(load(f, true, &ranges), 0);
        assert_int_equal(load(f, false, &ranges), 3);
        assert_null(ranges[0].range.after);
        assert_string_equal(ranges[0].range.until, "aa");
        assert_int_equal(ranges[0].range.n_records, 5);
        assert_true(ranges[0].range.sums[1] == KEY_RANGE_SUM_MASK);
        assert_string_equal(ranges[1].range.after, "aa");
        assert_string_equal(ranges[2].range.after, "bb");
        assert_null(ranges[2].range.until);
        assert_true(ranges[2].range.n_records == KEY_RANGE_UNKNOWN);
        stored_ranges_free(ranges, 3);
}

/* A scan that opened nothing has no pending ranges: the proved ones stay. */
static void test_without_pending_ones_the_proved_stay(void **state) {
        Fixture *f = *state;
        StoredRange *ranges = NULL;

        save(f);
        begin(f);
        assert_ok(f, ranges_prove(f->entity, &f->error));
        commit(f);
        begin(f);
        assert_ok(f, ranges_save_pending(f->entity, NULL, 0, &f->error));
        assert_ok(f, ranges_prove(f->entity, &f->error));
        commit(f);
        assert_int_equal(load(f, false, &ranges), 3);
        stored_ranges_free(ranges, 3);
        begin(f);
        assert_ok(f, ranges_forget(f->entity, &f->error));
        commit(f);
        assert_int_equal(load(f, false, &ranges), 0);
}

static void test_doubted_ranges(void **state) {
        Fixture *f = *state;
        StoredRange *ranges = NULL;

        save(f);
        begin(f);
        assert_ok(f, ranges_doubt(f->entity, &f->error));
        assert_ok(f, ranges_prove(f->entity, &f->error));
        commit(f);
        assert_int_equal(load(f, false, &ranges), 3);
        assert_true(ranges[0].range.n_records == KEY_RANGE_UNKNOWN); /* it was opened */
        assert_int_equal(ranges[1].range.n_records, 6);
        stored_ranges_free(ranges, 3);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_pending_ranges_become_proved),
                TEST(test_without_pending_ones_the_proved_stay),
                TEST(test_doubted_ranges),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
