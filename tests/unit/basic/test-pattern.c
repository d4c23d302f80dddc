/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/pattern.h"
#include "../testing.h"

static int match(const char *expression, const char *text, size_t size) {
        _cleanup_(pattern_freep) Pattern *p = NULL;

        assert_int_equal(pattern_new(expression, &p, NULL), 0);
        return pattern_match(p, text, size);
}

static void test_matches(void **state) {
        assert_int_equal(match("[0-9]{2}-[0-9]{3}", "12-345", 6), 1);
        assert_int_equal(match("[0-9]{2}-[0-9]{3}", "12-3456", 7), 0);
        assert_int_equal(match("[0-9]{2}-[0-9]{3}", "x12-345", 7), 0);
        assert_int_equal(match("a|ab", "ab", 2), 1);
        assert_int_equal(match("a", "a\n", 2), 0);
        assert_int_equal(match("", "", 0), 1);
        assert_int_equal(match("", NULL, 0), 1);
        assert_int_equal(match(".", "ü", 2), 1); /* a character, not a byte */
        assert_int_equal(match(".*", "\xFF", 1), 0);
}

static void test_mistake(void **state) {
        _cleanup_free_ char *message = NULL;
        Pattern *p = NULL;

        assert_int_equal(pattern_new("ab(c", &p, &message), -EINVAL);
        assert_null(p);
        assert_string_equal(message, "missing closing parenthesis at character 5");
        assert_int_equal(pattern_new("[", &p, NULL), -EINVAL);
}

static void test_gives_up(void **state) {
        assert_int_equal(
                match("(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", 61), 0);
        assert_int_equal(
                match("(a|a)+b?c", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!cd", 63),
                -E2BIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_matches),
                cmocka_unit_test(test_mistake),
                cmocka_unit_test(test_gives_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
