/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/limits.h"
#include "config/mistake.h"

static char *print(const Mistakes *m) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        mistakes_print(m, stream);
        assert_int_equal(fclose(stream), 0);
        return text;
}

static void test_sorted(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_free_ char *text = NULL;
        json_auto_t *json = NULL;

        mistake_add(&m, ERROR_MAPPING, "a", (Mark){9, 1}, NULL, "first file");
        mistake_add(&m, ERROR_MAPPING, "b", (Mark){2, 5}, "Do it.", "second %d", 2);
        mistake_add(&m, ERROR_NOT_YET, "b", (Mark){2, 1}, NULL, "third");
        mistakes_sort(&m, 1);
        text = print(&m);
        assert_string_equal(text, "a:9:1: first file (TF-2001).\nb:2:1: third (TF-2002).\nb:2:5: second 2 "
                                  "(TF-2001). Do it.\n");
        json = mistakes_to_json(&m);
        assert_int_equal(json_array_size(json), 3);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 2), "column")), 5);
}

static void test_limit(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_free_ char *text = NULL;

        for (unsigned i = 0; i < CONFIG_MISTAKES_MAX + 7; i++)
                mistake_add(&m, ERROR_MAPPING, "a", (Mark){i + 1, 1}, NULL, "no");
        assert_int_equal(m.n_errors, CONFIG_MISTAKES_MAX);
        assert_int_equal(mistakes_count(&m), CONFIG_MISTAKES_MAX + 7);
        text = print(&m);
        assert_non_null(strstr(text, "\n7 more mistakes are not listed.\n"));
}

static void test_to_error(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_error_ Error none = {}, one = {}, two = {};

        assert_int_equal(mistakes_to_error(&m, 0, &none), 0);
        mistake_add(&m, ERROR_MAPPING, "a", (Mark){9, 1}, "Do.", "wrong");
        assert_int_equal(mistakes_to_error(&m, 0, &one), -EINVAL);
        assert_string_equal(one.detail, "wrong");
        assert_int_equal(one.line, 9);
        mistake_add(&m, ERROR_MAPPING, "a", (Mark){10, 1}, NULL, "too");
        assert_int_equal(mistakes_to_error(&m, 0, &two), -EINVAL);
        assert_string_equal(two.detail, "wrong (and 1 more mistake)");
        assert_int_equal(mistakes_to_error(&m, 2, &none), 0);
        assert_int_equal(none.id, ERROR_NONE);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_sorted), cmocka_unit_test(test_limit),
                                           cmocka_unit_test(test_to_error)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
