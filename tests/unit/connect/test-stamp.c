/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/stamp.h"

static Value text(const char *t) { return value_text(t, strlen(t)); }

static StampShape shape_of(const char *t) {
        Value v = text(t);
        StampShape shape;
        int64_t usec;

        assert_int_equal(stamp_parse(&v, &shape, &usec), 0);
        return shape;
}

/* Parsed and written again it is the same text. */
static void there_and_back(void **state) {
        static const char *const stamps[] = {
                "2026-07-15 12:34:56",           "2026-07-15T12:34:56Z",
                "2026-07-15 12:34:56.7",         "2026-07-15T12:34:56.789123+00:00",
                "2026-07-15 12:34:56.789123000", "1969-12-31 23:59:59.250",
                "2026-07-15 12:34:56.05+00",
        };

        for (size_t i = 0; i < ELEMENTSOF(stamps); i++) {
                Value v = text(stamps[i]), again;
                char buffer[STAMP_TEXT_MAX];
                StampShape shape;
                int64_t usec;

                assert_int_equal(stamp_parse(&v, &shape, &usec), 0);
                stamp_format(&shape, usec, buffer, &again);
                assert_int_equal(again.size, strlen(stamps[i]));
                assert_memory_equal(again.bytes, stamps[i], again.size);
        }
}

static void integers(void **state) {
        static const int64_t ticks[] = {1, 1000, 1000000};
        char buffer[STAMP_TEXT_MAX];
        StampShape shape;
        int64_t usec;
        Value v;

        for (size_t i = 0; i < ELEMENTSOF(ticks); i++) {
                v = value_integer(1750000000 * ticks[i]);
                assert_int_equal(stamp_parse(&v, &shape, &usec), 0);
                assert_int_equal(shape.ticks_per_sec, ticks[i]);
                assert_int_equal(usec, 1750000000LL * 1000000);
                stamp_format(&shape, usec, buffer, &v);
                assert_int_equal(v.integer, 1750000000 * ticks[i]);
        }
}

static void not_stamps(void **state) {
        static const char *const texts[] = {
                "",
                "2026-07-15",
                "2026-07-15 12:34",
                "2026-07-15 12:34:56.",
                "2026-07-15 12:34:56.1234567890",
                "2026-07-15 12:34:56+02:00",
                "2026-07-15 12:34:56 ",
                "2026-13-15 12:34:56",
                "15.07.2026 12:34:56",
                "2026-07-15_12:34:56",
                "2026-07-15 12:34:56z",
        };
        static const int64_t numbers[] = {0, -1, 42, 99999999, 100000000000000000LL};
        StampShape shape;
        int64_t usec;
        Value v;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                v = text(texts[i]);
                assert_int_equal(stamp_parse(&v, &shape, &usec), -EINVAL);
        }
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                v = value_integer(numbers[i]);
                assert_int_equal(stamp_parse(&v, &shape, &usec), -EINVAL);
        }
        v = (Value){.type = VALUE_DECIMAL};
        assert_int_equal(stamp_parse(&v, &shape, &usec), -EINVAL);
}

static void uniting(void **state) {
        StampShape whole = shape_of("2026-07-15 12:34:56"), milli = shape_of("2026-07-15 12:34:56.123"),
                   t = shape_of("2026-07-15T12:34:56");
        StampShape zone = shape_of("2026-07-15T12:34:56Z"),
                   zone_milli = shape_of("2026-07-15T12:34:56.123Z"), united;

        assert_int_equal(stamp_unite(&milli, &whole, &united), 0);
        assert_int_equal(united.digits, 0);
        assert_int_equal(stamp_unite(&zone, &zone, &united), 0);
        assert_int_equal(stamp_unite(&whole, &t, &united), -EINVAL);
        assert_int_equal(stamp_unite(&t, &zone, &united), -EINVAL);
        assert_int_equal(stamp_unite(&zone, &zone_milli, &united), -EINVAL);
        assert_int_equal(stamp_unit_usec(&whole), 1000000);
        assert_int_equal(stamp_unit_usec(&milli), 1000);
        united = shape_of("2026-07-15 12:34:56.123456");
        assert_int_equal(stamp_unit_usec(&united), 1000);
        united = shape_of("2026-07-15 12:34:56.1");
        assert_int_equal(stamp_unit_usec(&united), 100000);
        united = (StampShape){.ticks_per_sec = 1};
        assert_int_equal(stamp_unit_usec(&united), 1000000);
        united = (StampShape){.ticks_per_sec = 1000000};
        assert_int_equal(stamp_unit_usec(&united), 1000);
}

/* The cut goes towards the past: later stamps are never below. */
static void cuts_to_the_resolution(void **state) {
        StampShape whole = shape_of("2026-07-15 12:34:56"), shape = STAMP_SHAPE_DEFAULT;
        char buffer[STAMP_TEXT_MAX];
        Value v;

        stamp_format(&whole, 1999999, buffer, &v);
        assert_string_equal(buffer, "1970-01-01 00:00:01");
        stamp_format(&whole, -1, buffer, &v);
        assert_string_equal(buffer, "1969-12-31 23:59:59");
        stamp_format(&shape, 1999999, buffer, &v);
        assert_string_equal(buffer, "1970-01-01 00:00:01.999");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back),
                cmocka_unit_test(integers),
                cmocka_unit_test(not_stamps),
                cmocka_unit_test(uniting),
                cmocka_unit_test(cuts_to_the_resolution),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
