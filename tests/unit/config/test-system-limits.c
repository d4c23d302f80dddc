/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/text.h"
#include "config/system-limits.h"

static void read_of(const char *text, System *ret, Mistakes *mistakes) {
        _cleanup_yaml_document_ YamlDocument *document = NULL;

        assert_int_equal(yaml_parse(text, strlen(text), "terrafusion.yaml", &document, mistakes), 0);
        system_limits_read(document, yaml_root(document), ret, mistakes);
}

static void test_values_and_defaults(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        System s = {}, plain = {};

        read_of("hours: \"20:00-06:00\"\nlimits: {statement_timeout: 90s, connections: 2, throttle: 3}\n", &s, &m);
        assert_int_equal(s.statement_timeout_usec, 90000000);
        assert_int_equal(s.connections_max, 2);
        assert_int_equal(s.throttle, 3);
        assert_int_equal(s.hours.begin, 1200);
        assert_int_equal(s.hours.end, 360);
        read_of("kind: csv\n", &plain, &m);
        assert_int_equal(plain.statement_timeout_usec, STATEMENT_TIMEOUT_USEC);
        assert_int_equal(plain.connections_max, 0);
        assert_int_equal(plain.throttle, 0);
        assert_false(hours_are_set(&plain.hours));
        assert_int_equal(mistakes_count(&m), 0);
}

static void test_mistakes(void **state) {
        static const char *const expected[] = {
                "terrafusion.yaml:2:23: \"connections\" cannot be \"0\" (TF-2000). Write a number from 1 to 64",
                "terrafusion.yaml:2:36: \"throttle\" cannot be \"101\" (TF-2000). Write a number from 2 to 100",
                ("terrafusion.yaml:1:8: \"hours\" cannot be \"20-6\" (TF-2000). Write two different local times, hours "
                 "and minutes of two digits, such as \"20:00-06:00\"; for always leave it out"),
        };
        _cleanup_mistakes_ Mistakes m = {};
        System s = {};

        read_of("hours: \"20-6\"\nlimits: {connections: 0, throttle: 101}\n", &s, &m);
        assert_int_equal(m.n_errors, ELEMENTSOF(expected));
        for (size_t i = 0; i < m.n_errors; i++) {
                _cleanup_free_ char *text = error_to_text(&m.errors[i]);

                assert_string_equal(text, expected[i]);
        }
        assert_int_equal(s.connections_max, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_values_and_defaults),
                                           cmocka_unit_test(test_mistakes)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
