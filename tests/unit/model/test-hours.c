/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/timestamp.h"
#include "model/hours.h"

static int64_t at(const char *text) {
        int64_t usec = 0;

        assert_int_equal(timestamp_parse(text, strlen(text), &usec, NULL), 0);
        return usec;
}

static Hours of(const char *text) {
        Hours h = {0};

        assert_int_equal(hours_parse(text, &h), 0);
        return h;
}

static void zone(const char *name) {
        assert_int_equal(setenv("TZ", name, 1), 0);
}

static void test_parse(void **state) {
        static const char *const bad[] = {"",           "20:00",       "20:00-20:00", "24:00-06:00", "20:60-06:00",
                                          "25:00-06:00", "20:00-24:01", "8:00-10:00",  "20:00–6:00", "20:00-06:00 ",
                                          "20.00-06.00", "-1:00-06:00"};
        Hours h = of("20:00-06:00");
        char text[HOURS_TEXT_MAX];

        assert_int_equal(h.begin, 1200);
        assert_int_equal(h.end, 360);
        hours_format(&h, text);
        assert_string_equal(text, "20:00-06:00");
        h = of("00:00-24:00");
        assert_true(hours_are_set(&h));
        hours_format(&h, text);
        assert_string_equal(text, "00:00-24:00");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(hours_parse(bad[i], &h), -EINVAL);
}

static void test_open(void **state) {
        Hours night = of("20:00-06:00"), noon = of("12:00-13:30"), day = of("00:00-24:00"), none = {0};

        zone("UTC");
        assert_true(hours_are_open(&night, at("2026-01-10T20:00:00Z")));
        assert_true(hours_are_open(&night, at("2026-01-10T05:59:59.999999Z")));
        assert_false(hours_are_open(&night, at("2026-01-10T06:00:00Z")));
        assert_false(hours_are_open(&night, at("2026-01-10T19:59:59Z")));
        assert_false(hours_are_open(&noon, at("2026-01-10T11:59:00Z")));
        assert_true(hours_are_open(&noon, at("2026-01-10T13:29:00Z")));
        assert_false(hours_are_open(&noon, at("2026-01-10T13:30:00Z")));
        assert_true(hours_are_open(&day, at("2026-01-10T13:30:00Z")));
        assert_true(hours_are_open(&none, at("2026-01-10T13:30:00Z")));
}

/* The clock on the wall decides, in winter and in summer. */
static void test_summer_time(void **state) {
        Hours night = of("20:00-06:00"), skipped = of("02:15-02:45"), none = {0};

        zone("America/Los_Angeles");
        assert_true(hours_are_open(&night, at("2026-01-10T04:00:00Z")));  /* 20:00 PST */
        assert_false(hours_are_open(&night, at("2026-07-10T02:59:00Z"))); /* 19:59 PDT */
        assert_true(hours_are_open(&night, at("2026-07-10T03:00:00Z")));  /* 20:00 PDT */
        /* On 2026-03-08 02:00 becomes 03:00: that night has no such window, the next one has. */
        assert_int_equal(hours_next_open(&skipped, &none, at("2026-03-08T09:50:00Z")), at("2026-03-09T09:15:00Z"));
        /* On 2026-11-01 02:00 becomes 01:00 again: the window from 01:00 to 02:00 lasts two hours. */
        skipped = of("01:00-02:00");
        assert_true(hours_are_open(&skipped, at("2026-11-01T08:30:00Z")));
        assert_true(hours_are_open(&skipped, at("2026-11-01T09:30:00Z")));
        assert_false(hours_are_open(&skipped, at("2026-11-01T10:00:00Z")));
}

static void test_next(void **state) {
        Hours night = of("20:00-06:00"), late = of("23:30-01:00"), noon = of("12:00-13:00"), none = {0};

        zone("UTC");
        assert_int_equal(hours_next_open(&night, &none, at("2026-01-10T12:00:30.5Z")), at("2026-01-10T20:00:00Z"));
        assert_int_equal(hours_next_open(&night, &late, at("2026-01-10T20:00:00Z")), at("2026-01-10T23:30:00Z"));
        assert_int_equal(hours_next_open(&night, &none, at("2026-01-10T21:00:00.25Z")), at("2026-01-10T21:00:00.25Z"));
        assert_int_equal(hours_next_open(&none, &none, at("2026-01-10T21:00:00Z")), at("2026-01-10T21:00:00Z"));
        zone("TST-00:00:37"); /* a minute begins where the local one does */
        assert_int_equal(hours_next_open(&night, &none, at("2026-01-10T19:58:00Z")), at("2026-01-10T19:59:23Z"));
        zone("UTC");
        assert_true(hours_overlap(&night, &late));
        assert_true(hours_overlap(&none, &noon));
        assert_false(hours_overlap(&night, &noon));
        assert_int_equal(hours_next_open(&night, &noon, at("2026-01-10T21:00:00Z")), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_open),
                cmocka_unit_test(test_summer_time),
                cmocka_unit_test(test_next),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
