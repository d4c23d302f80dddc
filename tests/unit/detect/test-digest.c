/* SPDX-License-Identifier: Apache-2.0 */
#include "numbers.h"

static const ReadPlan plan = {.scope = READ_RANGES};

static Reader *reader_of(NumbersSource *source) {
        Reader *reader = NULL;

        assert_int_equal(reader_open(&source->base, &plan, &reader, NULL), 0);
        return reader;
}

/* The ranges of 40 records in tens, as a first run proves them. */
static void ranges_known(NumbersSource *source, DigestRanges *ret) {
        static const size_t size = 10;
        _cleanup_(reader_closep) Reader *reader = reader_of(source);
        _cleanup_key_ranges_ KeyRanges ranges = {};

        *ret = (DigestRanges){};
        assert_int_equal(ranges_plan(reader, &(KeyRange){}, size, &ranges, NULL), 0);
        assert_int_equal(ranges_sum(reader, ranges.ranges, ranges.n_ranges, NULL), 0);
        ret->ranges = calloc(ranges.n_ranges, sizeof(StoredRange));
        assert_non_null(ret->ranges);
        ret->n_ranges = ranges.n_ranges;
        for (size_t i = 0; i < ranges.n_ranges; i++) {
                ret->ranges[i].range = ranges.ranges[i];
                ranges.ranges[i].after = ranges.ranges[i].until = NULL;
        }
        source->n_summed = source->n_read = 0;
}

/* Everything that is read, as a text of identities; "|" between stretches. */
static char *read_all(DigestRanges *d, Reader *reader) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        Value values[2];

        assert_non_null(f);
        while (digest_read_on(d, reader, NULL) > 0) {
                while (reader_next(reader, values, NULL) > 0) {
                        size_t place = digest_place(d);
                        const KeyRange *range = &d->ranges[place].range;

                        /* Each record is in the range that it is said to be in. */
                        assert_true(values[0].integer > numbers_bound(range->after, INT64_MIN));
                        assert_true(values[0].integer <= numbers_bound(range->until, INT64_MAX));
                        (void) fprintf(f, "%ld ", (long) values[0].integer);
                }
                (void) fputs("| ", f);
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

static void reads(NumbersSource *source, const DigestRanges *known, bool all, const char *expected) {
        _cleanup_(reader_closep) Reader *reader = reader_of(source);
        _cleanup_(digest_ranges_done) DigestRanges d = {};
        _cleanup_free_ char *text = NULL;

        assert_int_equal(digest_compare(reader, known->ranges, known->n_ranges, all, 0, &d, NULL), 0);
        text = read_all(&d, reader);
        assert_string_equal(text, expected);
}

static void test_nothing_changed(void **state) {
        _cleanup_(digest_ranges_done) DigestRanges known = {};
        NumbersSource source;

        numbers_fill(&source, 40);
        ranges_known(&source, &known);
        assert_int_equal(known.n_ranges, 5);
        reads(&source, &known, false, "");
        assert_int_equal(source.n_read, 0);
        assert_int_equal(source.n_summed, 40);
}

static void test_only_ranges_that_differ(void **state) {
        _cleanup_(digest_ranges_done) DigestRanges known = {};
        NumbersSource source;

        numbers_fill(&source, 40);
        ranges_known(&source, &known);
        source.records[15].value = 999;
        source.records[39].id = 395; /* the last one is gone, another one behind the last bound */
        reads(&source, &known, false,
              "100 110 120 130 140 150 160 170 180 190 | 300 310 320 330 340 350 360 370 380 395 | ");
}

static void test_records_that_swap_a_value(void **state) {
        _cleanup_(digest_ranges_done) DigestRanges known = {};
        NumbersSource source;

        numbers_fill(&source, 40);
        ranges_known(&source, &known);
        source.records[3].value = 4;
        source.records[4].value = 3;
        reads(&source, &known, false, "0 10 20 30 40 50 60 70 80 90 | ");
}

static void test_what_is_not_known_is_read(void **state) {
        _cleanup_(digest_ranges_done) DigestRanges known = {};
        NumbersSource source;

        numbers_fill(&source, 40);
        ranges_known(&source, &known);
        known.ranges[1].range.n_records = KEY_RANGE_UNKNOWN;
        reads(&source, &known, false, "100 110 120 130 140 150 160 170 180 190 | ");
}

static void test_all(void **state) {
        _cleanup_(reader_closep) Reader *reader = NULL;
        _cleanup_(digest_ranges_done) DigestRanges d = {};
        _cleanup_free_ char *text = NULL;
        NumbersSource source;

        numbers_fill(&source, 3);
        reader = reader_of(&source);
        assert_int_equal(digest_compare(reader, NULL, 0, true, 3, &d, NULL), 0);
        assert_int_equal(d.n_ranges, 1);
        assert_int_equal(d.ranges[0].range.n_records, 3);
        text = read_all(&d, reader);
        assert_string_equal(text, "0 10 20 | ");
}

/* Small neighbours become one range, whose sums are those of both: it equals itself the next time. */
static void test_small_ranges_become_one(void **state) {
        _cleanup_(digest_ranges_done) DigestRanges known = {}, d = {}, again = {};
        _cleanup_(reader_closep) Reader *reader = NULL;
        NumbersSource source;

        numbers_fill(&source, 40);
        ranges_known(&source, &known);
        reader = reader_of(&source);
        assert_int_equal(digest_compare(reader, known.ranges, known.n_ranges, false, 0, &d, NULL), 0);
        assert_int_equal(d.n_ranges, 1); /* of 512 records each */
        assert_int_equal(d.ranges[0].range.n_records, 40);
        assert_null(d.ranges[0].range.after);
        assert_null(d.ranges[0].range.until);
        assert_int_equal(digest_compare(reader, d.ranges, d.n_ranges, false, 0, &again, NULL), 0);
        assert_false(again.ranges[0].opened);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_changed),
                cmocka_unit_test(test_only_ranges_that_differ),
                cmocka_unit_test(test_records_that_swap_a_value),
                cmocka_unit_test(test_what_is_not_known_is_read),
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_small_ranges_become_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
