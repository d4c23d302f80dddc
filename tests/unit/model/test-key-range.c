/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/key-range.h"

static void test_ranges(void **state) {
        _cleanup_key_ranges_ KeyRanges ranges = {};
        KeyRange *range;

        assert_int_equal(key_ranges_add(&ranges, NULL, "aa", &range), 0);
        assert_null(range->after);
        assert_string_equal(range->until, "aa");
        assert_int_equal(key_ranges_add(&ranges, "aa", NULL, NULL), 0);
        assert_int_equal(ranges.n_ranges, 2);
        assert_true(key_range_is_equal(&ranges.ranges[0], &ranges.ranges[1]));
        ranges.ranges[1].sums[1] = 1;
        assert_false(key_range_is_equal(&ranges.ranges[0], &ranges.ranges[1]));
        ranges.ranges[0].sums[1] = 1;
        ranges.ranges[0].n_records = 1;
        assert_false(key_range_is_equal(&ranges.ranges[0], &ranges.ranges[1]));
        key_ranges_done(&ranges);
        assert_int_equal(ranges.n_ranges, 0);
}

static void test_bounds(void **state) {
        const Value values[] = {value_integer(-5), value_text("a\0b", 3)};
        _cleanup_free_ char *bound = key_bound_format(values, 2), *half = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        Value back[3];

        assert_int_equal(arena_new(&arena), 0);
        assert_non_null(bound);
        assert_int_equal(key_bound_parse(bound, arena, back, 2), 0);
        assert_true(value_equal(values, back));
        assert_true(value_equal(values + 1, back + 1));
        /* An identity that changed meanwhile: fewer columns, or more. */
        assert_int_equal(key_bound_parse(bound, arena, back, 1), -EBADMSG);
        assert_int_equal(key_bound_parse(bound, arena, back, 3), -EBADMSG);
        half = strndup(bound, strlen(bound) - 2);
        assert_int_equal(key_bound_parse(half, arena, back, 2), -EBADMSG);
        assert_int_equal(key_bound_parse("zz", arena, back, 1), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges), cmocka_unit_test(test_bounds)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
