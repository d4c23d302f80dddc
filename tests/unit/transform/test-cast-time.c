/* SPDX-License-Identifier: Apache-2.0 */
#include "cast-testing.h"

#include "transform/cast-time.h"

static const CastShape to_date = { .type = VALUE_DATE }, to_time = { .type = VALUE_TIME };
static const CastShape to_timestamp = { .type = VALUE_TIMESTAMP };

static void test_date(void **state) {
        expect_cast(*state, text("2026-02-28"), to_date, "2026-02-28");
        expect_cast(*state, text("0000-01-01"), to_date, "0000-01-01");
        expect_cast(*state, text("9999-12-31"), to_date, "9999-12-31");
        expect_cast(*state, text("2026-02-28T00:00:00"), to_date, "2026-02-28");
        expect_cast(*state, text("2026-02-28 00:00:00.0000000"), to_date, "2026-02-28");
        expect_cast(*state, text("2026-02-28T00:00:00Z"), to_date, "2026-02-28");
        expect_cast(*state, text("2026-02-28T00:00:00+00:00"), to_date, "2026-02-28");
        expect_cast(*state, of_type(VALUE_DATE, 1), to_date, "1970-01-02");
        expect_cast(*state, of_type(VALUE_TIMESTAMP, -CAST_USEC_PER_DAY), to_date, "1969-12-31");
        const char *const wrong[] = { "",         "2026-02-29",  "2026-13-01", "28.02.2026",
                                      "20260228", "2026-02-28x", "02/28/2026" };
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                expect_fault(*state, text(wrong[i]), to_date, CAST_FORM);
        expect_fault(*state, value_integer(20260228), to_date, CAST_KIND);
        expect_fault(*state, of_type(VALUE_TIME, 0), to_date, CAST_KIND);
        expect_fault(*state, number("20260228"), to_date, CAST_KIND);
}

static void test_date_loses_no_hours(void **state) {
        const CastShape truncates = { .type = VALUE_DATE, .accept = ACCEPT_TRUNCATES };
        const CastShape rounds = { .type = VALUE_DATE, .accept = ACCEPT_ROUNDS };

        expect_fault(*state, text("2026-02-28T00:00:01"), to_date, CAST_TIME_OF_DAY);
        expect_fault(*state, text("2026-02-28T00:00:00.0000001"), to_date, CAST_TIME_OF_DAY);
        expect_fault(*state, of_type(VALUE_TIMESTAMP, 1), to_date, CAST_TIME_OF_DAY);
        expect_fault(*state, of_type(VALUE_TIMESTAMP, -1), to_date, CAST_TIME_OF_DAY);
        /* Neither the local nor the universal midnight alone makes a date of it. */
        expect_fault(*state, text("2026-02-28T02:00:00+02:00"), to_date, CAST_TIME_OF_DAY);
        expect_fault(*state, text("2026-02-28T00:00:00+02:00"), to_date, CAST_TIME_OF_DAY);
        expect_fault(*state, of_type(VALUE_TIMESTAMP, 1), rounds, CAST_TIME_OF_DAY);
        expect_cast(*state, of_type(VALUE_TIMESTAMP, -1), truncates, "1969-12-31");
        expect_cast(*state, text("2026-02-28T23:59:59.9999999"), truncates, "2026-02-28");
}

static void test_date_by_format(void **state) {
        const CastShape american = { .type = VALUE_DATE, .format = "%m/%d/%Y" },
                        digits = { .type = VALUE_DATE, .format = "%Y%m%d" };
        const CastShape with_time = { .type = VALUE_DATE, .format = "%m/%d/%Y %H:%M" };

        expect_cast(*state, text("02/28/2026"), american, "2026-02-28");
        expect_fault(*state, text("28/02/2026"), american, CAST_FORM);
        expect_fault(*state, text("2026-02-28"), american, CAST_FORM);
        expect_fault(*state, text("02/29/2026"), american, CAST_FORM);
        expect_cast(*state, value_integer(20260228), digits, "2026-02-28");
        expect_fault(*state, value_integer(0), digits, CAST_FORM);
        expect_cast(*state, text("02/28/2026 00:00"), with_time, "2026-02-28");
        expect_fault(*state, text("02/28/2026 00:01"), with_time, CAST_TIME_OF_DAY);
        expect_cast(*state, of_type(VALUE_DATE, 0), american, "1970-01-01");
}

static void test_timestamp(void **state) {
        expect_cast(*state, text("2026-02-28T12:00:00.25"), to_timestamp,
                    "2026-02-28T12:00:00.250000+00:00");
        expect_cast(*state, text("2026-02-28 12:00:00 +02:00"), to_timestamp, "2026-02-28T10:00:00+00:00");
        expect_cast(*state, text("2026-02-28"), to_timestamp, "2026-02-28T00:00:00+00:00");
        expect_cast(*state, of_type(VALUE_DATE, -1), to_timestamp, "1969-12-31T00:00:00+00:00");
        expect_cast(*state, of_type(VALUE_TIMESTAMP, 5), to_timestamp, "1970-01-01T00:00:00.000005+00:00");
        expect_fault(*state, of_type(VALUE_DATE, CAST_DAYS_MAX + 1), to_timestamp, CAST_MICROSECONDS);
        expect_fault(*state, of_type(VALUE_DATE, INT64_MIN), to_timestamp, CAST_MICROSECONDS);
        expect_fault(*state, text("2026-02-28T25:00:00"), to_timestamp, CAST_FORM);
        expect_fault(*state, text("yesterday"), to_timestamp, CAST_FORM);
        expect_fault(*state, text("2026-06-30T23:59:60Z"), to_timestamp, CAST_MICROSECONDS);
        expect_fault(*state, value_integer(0), to_timestamp, CAST_KIND);
        expect_fault(*state, of_type(VALUE_TIME, 0), to_timestamp, CAST_KIND);
}

static void test_timestamp_digits(void **state) {
        const CastShape truncates = { .type = VALUE_TIMESTAMP, .accept = ACCEPT_TRUNCATES };
        const CastShape rounds = { .type = VALUE_TIMESTAMP, .accept = ACCEPT_ROUNDS };
        const CastShape format = { .type = VALUE_TIMESTAMP,
                                   .accept = ACCEPT_ROUNDS,
                                   .format = "%d.%m.%Y %H:%M:%S.%f" };

        expect_cast(*state, text("2026-02-28T12:00:00.1234560"), to_timestamp,
                    "2026-02-28T12:00:00.123456+00:00");
        expect_fault(*state, text("2026-02-28T12:00:00.1234567"), to_timestamp, CAST_MICROSECONDS);
        expect_cast(*state, text("2026-02-28T12:00:00.1234567Z"), truncates,
                    "2026-02-28T12:00:00.123456+00:00");
        expect_cast(*state, text("2026-02-28T12:00:00.1234567+01:00"), rounds,
                    "2026-02-28T11:00:00.123457+00:00");
        expect_cast(*state, text("2026-02-28T12:00:00.1234565"), rounds, "2026-02-28T12:00:00.123456+00:00");
        expect_cast(*state, text("2026-02-28T12:00:00.1234575"), rounds, "2026-02-28T12:00:00.123458+00:00");
        expect_cast(*state, text("2026-02-28T12:00:00.12345650001"), rounds,
                    "2026-02-28T12:00:00.123457+00:00");
        expect_cast(*state, text("2026-12-31T23:59:59.9999999"), rounds, "2027-01-01T00:00:00+00:00");
        expect_fault(*state, text("9999-12-31T23:59:59.9999999"), rounds, CAST_MICROSECONDS);
        expect_fault(*state, text("2026-06-30T23:59:60Z"), truncates, CAST_MICROSECONDS);
        expect_cast(*state, text("28.02.2026 12:00:00.1234567"), format, "2026-02-28T12:00:00.123457+00:00");
}

static void test_time(void **state) {
        const CastShape rounds = { .type = VALUE_TIME, .accept = ACCEPT_ROUNDS };
        const CastShape half = { .type = VALUE_TIME, .format = "%I:%M %p" },
                        dated = { .type = VALUE_TIME, .format = "%Y %H" };

        expect_cast(*state, text("23:59"), to_time, "23:59:00");
        expect_cast(*state, text("23:59:59.999999"), to_time, "23:59:59.999999");
        expect_fault(*state, text("24:00"), to_time, CAST_FORM);
        expect_fault(*state, text("12:00:00.1234567"), to_time, CAST_MICROSECONDS);
        expect_cast(*state, text("12:00:00.1234567"), rounds, "12:00:00.123457");
        expect_fault(*state, text("23:59:59.9999999"), rounds, CAST_MICROSECONDS);
        expect_cast(*state, text("01:30 PM"), half, "13:30:00");
        expect_fault(*state, text("2026 12"), dated, CAST_MICROSECONDS);
        expect_fault(*state, of_type(VALUE_TIMESTAMP, 0), to_time, CAST_KIND);
        expect_fault(*state, of_type(VALUE_DATE, 0), to_time, CAST_KIND);
}

/* Numbers that count: exact or a finding, never through a float. */
static void test_counts(void **state) {
        const CastShape epoch = { .type = VALUE_TIMESTAMP, .format = "epoch" }, milli = { .type = VALUE_TIMESTAMP, .format = "epoch_ms" },
                        julian = { .type = VALUE_TIMESTAMP, .format = "julian" }, day = { .type = VALUE_DATE, .format = "julian" };
        const CastShape rounds = { .type = VALUE_TIMESTAMP, .format = "julian", .accept = ACCEPT_ROUNDS },
                        day_of = { .type = VALUE_DATE, .format = "epoch", .accept = ACCEPT_TRUNCATES };

        expect_cast(*state, value_integer(0), epoch, "1970-01-01T00:00:00+00:00");
        expect_cast(*state, value_integer(-1), epoch, "1969-12-31T23:59:59+00:00");
        expect_cast(*state, number("1784116800.000001"), epoch, "2026-07-15T12:00:00.000001+00:00");
        expect_cast(*state, text("1784116800"), epoch, "2026-07-15T12:00:00+00:00");
        expect_cast(*state, value_integer(1784116800123), milli, "2026-07-15T12:00:00.123000+00:00");
        expect_cast(*state, number("2440587.5"), julian, "1970-01-01T00:00:00+00:00");
        expect_cast(*state, number("2461237.25"), julian, "2026-07-15T18:00:00+00:00");
        expect_cast(*state, number("2461236.5"), day, "2026-07-15");
        expect_cast(*state, value_integer(253402300799), epoch, "9999-12-31T23:59:59+00:00");
        expect_cast(*state, number("2461237.1234567891"), rounds, "2026-07-15T14:57:46.666578+00:00");
        expect_cast(*state, value_integer(-1), day_of, "1969-12-31");
        expect_fault(*state, number("2461237.1234567891"), julian, CAST_MICROSECONDS);
        expect_fault(*state, number("0.0000001"), epoch, CAST_MICROSECONDS);
        expect_fault(*state, value_integer(253402300800), epoch, CAST_MICROSECONDS);
        expect_fault(*state, value_integer(INT64_MAX), epoch, CAST_MICROSECONDS);
        expect_fault(*state, number("2461237.25"), day, CAST_TIME_OF_DAY);
        expect_fault(*state, text("yesterday"), epoch, CAST_FORM);
        expect_fault(*state, of_type(VALUE_BOOLEAN, 1), epoch, CAST_KIND);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_counts, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_date, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_date_loses_no_hours, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_date_by_format, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_timestamp, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_timestamp_digits, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_time, arena_setup, arena_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
