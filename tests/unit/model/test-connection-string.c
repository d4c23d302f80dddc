/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/connection-string.h"

static void shows(const char *text, const char *expected) {
        _cleanup_free_ char *shown = connection_string_shown(text);

        assert_string_equal(shown, expected);
}

static void test_shows_no_secret(void **state) {
        shows("Driver=FreeTDS;Server=pacs01;Database=pacs_oltp;UID=tf_reader;PWD=canary",
              "Driver=FreeTDS;Server=pacs01;Database=pacs_oltp;UID=tf_reader");
        shows("Driver={MariaDB Unicode};PWD={a;UID=canary}};x};UID=tf", "Driver={MariaDB Unicode};UID=tf");
        shows("password=canary; user = tf ;Option=2;sslkey=canary", "user=tf");
        shows(" dsn=roll ; pwd=canary;", "dsn=roll");
        shows("host=x;PWD={canary;uid=canary", "host=x"); /* what cannot be read is left out */
        shows("canary", "");
        shows("", "");
}

static void finds(const char *text, const char *keyword, const char *expected) {
        _cleanup_free_ char *found = connection_string_find(text, keyword);

        if (expected)
                assert_string_equal(found, expected);
        else
                assert_null(found);
}

static void test_find(void **state) {
        finds("Driver=A;DRIVER=B", "driver", "A");
        finds("Driver={MariaDB Unicode};Server=x", "Driver", "MariaDB Unicode");
        finds("PWD={a}}b;c}", "pwd", "a}b;c");
        finds("PWD=;UID=x", "pwd", "");
        finds("PWD={};UID=x", "pwd", "");
        finds("Driver=A", "pw", NULL);
        finds("Driver=A;PWDX=1", "PWD", NULL);
}

static void test_add(void **state) {
        _cleanup_free_ char *one = connection_string_add("Driver=A", "PWD", "a}b;c"),
                            *two = connection_string_add("", "PWD", "x"),
                            *three = connection_string_add("Driver=A;", "PWD", "");

        assert_string_equal(one, "Driver=A;PWD={a}}b;c}");
        assert_string_equal(two, "PWD={x}");
        assert_string_equal(three, "Driver=A;PWD={}");
        finds(one, "PWD", "a}b;c");
}

static void test_mistakes(void **state) {
        const char *text = "Driver=A;nothing";
        ConnectionPart part;

        assert_int_equal(connection_part_next(&text, &part), 1);
        assert_true(connection_part_is(&part, "DRIVER"));
        assert_int_equal(connection_part_next(&text, &part), -EBADMSG);
        text = "PWD={open;UID=x";
        assert_int_equal(connection_part_next(&text, &part), -EBADMSG);
        text = " ; ";
        assert_int_equal(connection_part_next(&text, &part), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shows_no_secret),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_add),
                cmocka_unit_test(test_mistakes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
