/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/timestamp.h"
#include "../testing.h"

static void test_known_times(void **state) {
        static const struct {
                const char *text;
                int64_t usec;
        } cases[] = {
                { "1970-01-01T00:00:00+00:00", 0 },
                { "1969-12-31T23:59:59.999999+00:00", -1 },
                { "1997-06-01T12:00:00.250000+00:00", 865166400250000 },
                { "2000-02-29T00:00:00+00:00", 951782400000000 },
                { "1900-03-01T00:00:00+00:00", -2203891200000000 },
                { "2038-01-19T03:14:08+00:00", 2147483648000000 },
                { "0000-01-01T00:00:00+00:00", -62167219200000000 },
                { "9999-12-31T23:59:59.999999+00:00", 253402300799999999 },
        };
        char buffer[TIMESTAMP_TEXT_MAX];
        int64_t usec;
        bool has_zone;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(timestamp_parse(cases[i].text, strlen(cases[i].text), &usec, &has_zone), 0);
                assert_true(usec == cases[i].usec);
                assert_true(has_zone);
                assert_int_equal(timestamp_format(usec, buffer), strlen(cases[i].text));
                assert_string_equal(buffer, cases[i].text);
        }
        /* Beyond four digits of years there still is room. */
        assert_true(timestamp_format(INT64_MAX, buffer) < TIMESTAMP_TEXT_MAX);
        assert_true(timestamp_format(INT64_MIN, buffer) < TIMESTAMP_TEXT_MAX);
        assert_string_equal(buffer, "-290308-12-21T19:59:05.224192+00:00");
}

static void test_forms(void **state) {
        static const struct {
                const char *text;
                int64_t usec;
                bool has_zone;
        } cases[] = {
                { "1970-01-02 00:00", 86400000000, false },
                { "1970-01-01T01:00:00Z", 3600000000, true },
                { "1970-01-01t01:00:00z", 3600000000, true },
                { "1970-01-01T01:00:00+01:00", 0, true },
                { "1970-01-01T00:00:00-0530", 19800000000, true },
                { "1970-01-01 00:00:00+02", -7200000000, true },
                { "1970-01-01 00:00:00.5", 500000, false },
                { "1970-01-01 00:00:00.1234560", 123456, false },
                { "1970-01-01 00:00:00 +00:00", 0, true },
        };
        int64_t usec;
        bool has_zone;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(timestamp_parse(cases[i].text, strlen(cases[i].text), &usec, &has_zone), 0);
                assert_true(usec == cases[i].usec);
                assert_int_equal(has_zone, cases[i].has_zone);
        }
}

static void test_refused(void **state) {
        static const char *const wrong[] = {
                "",
                "1997-06-01",
                "1997-02-29 00:00:00",
                "1900-02-29 00:00:00",
                "1997-13-01 00:00:00",
                "1997-00-01 00:00:00",
                "1997-01-00 00:00:00",
                "1997-04-31 00:00:00",
                "1997-06-01 24:00:00",
                "1997-06-01 12:60:00",
                "1997-06-01 12:00:61",
                "1997-06-01 12:00:00.",
                "1997-06-01 12:00:00x",
                "1997-06-01 12:00:00+",
                "1997-06-01 12:00:00+24:00",
                "1997-06-01 12:00:00+01:60",
                "1997-06-01 12:00:00 ",
                "97-06-01 12:00:00",
                "1997-6-1 12:00:00",
                "1997-06-01  12:00:00",
                "10000-01-01 00:00:00",
                "1997-06-01 12:00:00.1234567x",
        };
        static const char *const out[] = { "1997-06-01 12:00:00.1234567", "1998-12-31T23:59:60Z",
                                           "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01" };
        int64_t usec = 42;

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_int_equal(timestamp_parse(wrong[i], strlen(wrong[i]), &usec, NULL), -EINVAL);
        for (size_t i = 0; i < ELEMENTSOF(out); i++)
                assert_int_equal(timestamp_parse(out[i], strlen(out[i]), &usec, NULL), -ERANGE);
        assert_int_equal(usec, 42);
}

/* Every day of ten thousand years: counting by hand and by formula agree, and back. */
static void test_calendar(void **state) {
        static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        int32_t expected = -719528, days;

        for (int year = 0; year <= 9999; year++)
                for (unsigned month = 1; month <= 12; month++) {
                        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
                        unsigned length = lengths[month - 1] + (month == 2 && leap);

                        for (unsigned day = 1; day <= length; day += day == 1 ? length - 1 : 1) {
                                int back_year;
                                unsigned back_month, back_day;

                                assert_int_equal(days_from_civil(year, month, day, &days), 0);
                                assert_int_equal(days, expected + (int32_t) day - 1);
                                civil_from_days(days, &back_year, &back_month, &back_day);
                                assert_true(back_year == year && back_month == month && back_day == day);
                        }
                        assert_int_equal(days_from_civil(year, month, length + 1, &days), -EINVAL);
                        expected += (int32_t) length;
                }
        assert_int_equal(expected, 2932897);
}

static void test_dates_and_times(void **state) {
        char buffer[TIMESTAMP_TEXT_MAX];
        int32_t days;
        int64_t usec;

        assert_int_equal(date_parse("1969-12-31", 10, &days), 0);
        assert_int_equal(days, -1);
        assert_int_equal(date_format(days, buffer), 10);
        assert_string_equal(buffer, "1969-12-31");
        assert_int_equal(date_parse("2000-02-29", 10, &days), 0);
        assert_int_equal(days, 11016);
        assert_int_equal(date_parse("2001-02-29", 10, &days), -EINVAL);
        assert_int_equal(date_parse("2000-02-29T", 11, &days), -EINVAL);
        assert_int_equal(time_parse("23:59:59.000001", 15, &usec), 0);
        assert_true(usec == 86399000001);
        assert_int_equal(time_format(usec, buffer), 15);
        assert_string_equal(buffer, "23:59:59.000001");
        assert_int_equal(time_parse("07:05", 5, &usec), 0);
        (void) time_format(usec, buffer);
        assert_string_equal(buffer, "07:05:00");
        assert_int_equal(time_parse("24:00", 5, &usec), -EINVAL);
        assert_int_equal(time_parse("7:05", 4, &usec), -EINVAL);
        assert_int_equal(time_parse("07:05:00.1234567", 16, &usec), -ERANGE);
}

static void test_formats(void **state) {
        static const struct {
                const char *format, *text, *expected; /* NULL: refused */
        } cases[] = {
                { "%m/%d/%Y", "6/1/1997", "1997-06-01T00:00:00+00:00" },
                { "%m/%d/%y", "06/01/97", "1997-06-01T00:00:00+00:00" },
                { "%d.%m.%y", "01.06.68", "2068-06-01T00:00:00+00:00" },
                { "%Y%m%d", "19970601", "1997-06-01T00:00:00+00:00" },
                { "%e %b %Y", " 1 jun 1997", "1997-06-01T00:00:00+00:00" },
                { "%B %d, %Y", "September 30, 1996", "1996-09-30T00:00:00+00:00" },
                { "%Y-%m-%d %I:%M:%S %p", "1997-06-01 12:30:00 AM", "1997-06-01T00:30:00+00:00" },
                { "%Y-%m-%d %I:%M %p", "1997-06-01 12:30 pm", "1997-06-01T12:30:00+00:00" },
                { "%Y.%j", "2000.366", "2000-12-31T00:00:00+00:00" },
                { "%Y.%j", "1999.366", NULL },
                { "%H:%M:%S.%f", "01:02:03.5", "1970-01-01T01:02:03.500000+00:00" },
                { "100%% %Y", "100% 1997", "1997-01-01T00:00:00+00:00" },
                { "%m/%d/%Y", "2/29/1997", NULL },          { "%m/%d/%Y", "2/28/1997 ", NULL },
                { "%m/%d/%Y", "13/1/1997", NULL },          { "%m/%d/%Y", "2/28/97", NULL },
                { "%I %p", "13 PM", NULL },                 { "%H:%M", "24:00", NULL },
                { "%b", "Juno", NULL },                     { "%Y", "", NULL },
        };
        static const char *const wrong[] = { "",      "plain",    "%",     "%Y-%q", "%Y%",  "%Y %y",
                                             "%d %e", "%H %I %p", "%I:%M", "%H %p", "%j %m" };
        char buffer[TIMESTAMP_TEXT_MAX];
        int64_t usec;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int r = timestamp_parse_format(cases[i].text, strlen(cases[i].text), cases[i].format, &usec);

                assert_true(timestamp_format_is_valid(cases[i].format));
                assert_int_equal(r, cases[i].expected ? 0 : -EINVAL);
                if (r < 0)
                        continue;
                (void) timestamp_format(usec, buffer);
                assert_string_equal(buffer, cases[i].expected);
        }
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_false(timestamp_format_is_valid(wrong[i]));
}

static void test_now(void **state) {
        int64_t now = timestamp_now();

        assert_true(now > 1577836800000000); /* after 2020 */
        assert_true(timestamp_now() >= now);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known_times), cmocka_unit_test(test_forms),
                cmocka_unit_test(test_refused),     cmocka_unit_test(test_calendar),
                cmocka_unit_test(test_dates_and_times), cmocka_unit_test(test_formats),
                cmocka_unit_test(test_now),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
