/* SPDX-License-Identifier: Apache-2.0 */
/* That systemd takes what passes here is asked of systemd-analyze in tests/integration/test_generator.py. */
#include "../testing.h"

#include "config/calendar.h"

static void test_valid(void **state) {
        static const char *const texts[] = {
                "hourly", "Daily", "daily UTC", "*:0/15", "*:*:0/10", "Sun 02:00", "Mon..Fri 22:30", "Mon,Wed,sat *-*-* 06:00:00",
                "*-*-* 04:00", "2027-01-01 00:00 UTC", "*-*~01", "*-02~03 12:00", "*-*-1,15 03:00", "Saturday", "0/2:30",
                "*-1/3-01", "8..18:0/5:00",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (!calendar_is_valid(texts[i]))
                        fail_msg("\"%s\" is refused", texts[i]);
}

static void test_invalid(void **state) {
        static const char *const texts[] = {
                "", " ", "never", "every 15 minutes", "*/15 * * * *", "25:00", "12:60", "12", "Sun..Mon 02:00", "Mon.. 02:00", "Mon,, 02:00",
                "*-13-01", "*-*-32", "*-*-0", "*:0/0", "*:5..1", "2027-01-01 00:00 Mars/Base", "Sun 02:00 ../../etc/passwd", "02:00 Sun",
                "02:00:00:00", "UTC", "*:-5", "*: 0/15", "Fri 02:00 UTC more", "*:0/15\n[Install]", "12:00;", "1969-01-01",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (calendar_is_valid(texts[i]))
                        fail_msg("\"%s\" passes", texts[i]);
}

static void test_long(void **state) {
        char text[400];

        memset(text, '1', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_false(calendar_is_valid(text));
        memcpy(text, "*:", 2);
        assert_false(calendar_is_valid(text));
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_valid), cmocka_unit_test(test_invalid), cmocka_unit_test(test_long)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
