/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/timestamp.h"
#include "detect/watermark.h"

#include <errno.h>

#define NOW_USEC (1700000000LL * USEC_PER_SEC) /* 2023-11-14T22:13:20Z */

static int setup(void **state) { return arena_new((Arena **) state); }

static int teardown(void **state) {
        (void) arena_free(*state);
        return 0;
}

static Value text(const char *bytes) { return value_text(bytes, strlen(bytes)); }

static void test_hex_round_trip(void **state) {
        const Value values[] = {text("2023-11-14 22:13:20.500"), value_integer(INT64_MIN),
                                value_integer(1700000000), text("")};
        Value back;

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_free_ char *hex = watermark_to_hex(values + i);

                assert_non_null(hex);
                assert_int_equal(strspn(hex, "0123456789abcdef"), strlen(hex));
                assert_int_equal(watermark_from_hex(hex, *state, &back), 0);
                assert_true(value_equal(values + i, &back));
                assert_int_equal(values[i].type, back.type);
        }
}

static void test_hex_of_nothing(void **state) {
        const Value null = value_null();
        _cleanup_free_ char *hex = watermark_to_hex(&null);
        Value back = value_integer(1);

        assert_int_equal(watermark_from_hex(NULL, *state, &back), 0);
        assert_int_equal(back.type, VALUE_NULL);
        back = value_integer(1);
        assert_int_equal(watermark_from_hex("", *state, &back), 0);
        assert_int_equal(back.type, VALUE_NULL);
        back = value_integer(1);
        assert_int_equal(watermark_from_hex(hex, *state, &back), 0);
        assert_int_equal(back.type, VALUE_NULL);
}

static void test_damaged_hex(void **state) {
        const Value stamp = text("2023-11-14");
        _cleanup_free_ char *hex = watermark_to_hex(&stamp);
        Value back;

        assert_int_equal(watermark_from_hex("zz", *state, &back), -EBADMSG);
        hex[strlen(hex) - 4] = '\0';
        assert_int_equal(watermark_from_hex(hex, *state, &back), -EBADMSG); /* cut off */
}

/* The new low keeps the old one's shape, or it would not compare with the stamps of the source. */
static void test_widen_text(void **state) {
        static const struct {
                const char *before, *after;
        } cases[] = {
                {"2023-11-14 22:00:00", "2023-11-14 20:13:20"},
                {"2023-11-14T22:00:00", "2023-11-14T20:13:20"},
                {"2023-11-14 22:00:00.123", "2023-11-14 20:13:20.000"},
                {"2023-11-14T22:00:00.123456Z", "2023-11-14T20:13:20.000000Z"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Value low = text(cases[i].before);

                assert_int_equal(watermark_widen(&low, 2, NOW_USEC, *state), 0);
                assert_int_equal(low.size, strlen(cases[i].after));
                assert_memory_equal(low.bytes, cases[i].after, low.size);
        }
}

static void test_widen_integers_by_their_size(void **state) {
        Value seconds = value_integer(1700000000), millis = value_integer(1700000000000),
              micros = value_integer(NOW_USEC);

        assert_int_equal(watermark_widen(&seconds, 1, NOW_USEC, *state), 0);
        assert_int_equal(seconds.integer, 1700000000 - 3600);
        assert_int_equal(watermark_widen(&millis, 1, NOW_USEC, *state), 0);
        assert_int_equal(millis.integer, 1700000000000 - 3600000);
        assert_int_equal(watermark_widen(&micros, 1, NOW_USEC, *state), 0);
        assert_int_equal(micros.integer, NOW_USEC - 3600LL * USEC_PER_SEC);
}

static void test_widen_never_narrows(void **state) {
        Value old = text("2023-11-01 00:00:00"), number = value_integer(1600000000), null = value_null(),
              odd = text("batch 0000000000012");

        assert_int_equal(watermark_widen(&old, 2, NOW_USEC, *state), 0);
        assert_memory_equal(old.bytes, "2023-11-01 00:00:00", 19);
        assert_int_equal(watermark_widen(&number, 2, NOW_USEC, *state), 0);
        assert_int_equal(number.integer, 1600000000);
        assert_int_equal(watermark_widen(&null, 2, NOW_USEC, *state), 0);
        assert_int_equal(null.type, VALUE_NULL);
        assert_int_equal(watermark_widen(&odd, 2, NOW_USEC, *state), 0);
        assert_memory_equal(odd.bytes, "batch 0000000000012", 19);
        number = value_integer(1700000000);
        assert_int_equal(watermark_widen(&number, 0, NOW_USEC, *state), 0);
        assert_int_equal(watermark_widen(&number, -5, NOW_USEC, *state), 0);
        assert_int_equal(number.integer, 1700000000);
}

/* A stamp written in another zone would move by the zone if its digits were replaced by UTC's, and west of it past itself. */
static void test_widen_in_a_zone(void **state) {
        Value east = text("2023-11-14T23:00:00+02:00"), west = text("2023-11-14T17:00:00.5-05:00");

        assert_int_equal(watermark_widen(&east, 2, NOW_USEC, *state), 0);
        assert_memory_equal(east.bytes, "2023-11-14T22:13:20+02:00", east.size);
        assert_int_equal(watermark_widen(&west, 2, NOW_USEC, *state), 0);
        assert_memory_equal(west.bytes, "2023-11-14T15:13:20.0-05:00", west.size);
}

static void test_widen_what_servers_give(void **state) {
        Value stamp = {.type = VALUE_TIMESTAMP, .integer = NOW_USEC}, early = {.type = VALUE_TIMESTAMP, .integer = 5},
              number = {.type = VALUE_DECIMAL, .decimal = decimal_from_integer(812)};

        assert_int_equal(watermark_widen(&stamp, 1, NOW_USEC, *state), 0);
        assert_int_equal(stamp.integer, NOW_USEC - 13LL * 3600 * USEC_PER_SEC);
        assert_int_equal(watermark_widen(&early, 1, NOW_USEC, *state), 0);
        assert_int_equal(early.integer, 5);
        assert_int_equal(watermark_widen(&number, 1, NOW_USEC, *state), 0);
        assert_int_equal(number.type, VALUE_NULL);
}

static void test_a_horizon_that_went_back(void **state) {
        const Value none = value_null(), early = {.type = VALUE_TIMESTAMP, .integer = 5}, late = {.type = VALUE_TIMESTAMP, .integer = 6},
                    one = {.type = VALUE_DECIMAL, .decimal = decimal_from_integer(9)},
                    two = {.type = VALUE_DECIMAL, .decimal = decimal_from_integer(10)}, morning = text("2026-07-15 08:00:00"),
                    noon = text("2026-07-15 12:00:00");

        assert_false(watermark_went_back(&none, &early));
        assert_false(watermark_went_back(&early, &late));
        assert_false(watermark_went_back(&late, &late));
        assert_true(watermark_went_back(&late, &early));
        assert_false(watermark_went_back(&one, &two));
        assert_true(watermark_went_back(&two, &one));
        assert_false(watermark_went_back(&morning, &noon));
        assert_true(watermark_went_back(&noon, &morning));
        assert_true(watermark_went_back(&early, &two)); /* the column's type changed */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_hex_round_trip, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hex_of_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged_hex, setup, teardown),
                cmocka_unit_test_setup_teardown(test_widen_text, setup, teardown),
                cmocka_unit_test_setup_teardown(test_widen_integers_by_their_size, setup, teardown),
                cmocka_unit_test_setup_teardown(test_widen_never_narrows, setup, teardown),
                cmocka_unit_test_setup_teardown(test_widen_in_a_zone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_widen_what_servers_give, setup, teardown),
                cmocka_unit_test(test_a_horizon_that_went_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
