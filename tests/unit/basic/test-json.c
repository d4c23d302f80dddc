/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/json.h"
#include "../testing.h"

static void refused(const char *text, size_t size, unsigned line, unsigned column) {
        _cleanup_error_ Error error = {};
        json_t *document = NULL;

        assert_int_equal(json_parse(text, size, &document, &error), -EINVAL);
        assert_null(document);
        assert_int_equal(error.id, ERROR_BAD_REQUEST);
        assert_non_null(error.remedy);
        assert_int_equal(error.line, line);
        if (column > 0)
                assert_int_equal(error.column, column);
}

static void test_parse(void **state) {
        static const char text[] = "{\"a\": 1, \"b\": \"x\", \"c\": true, \"d\": 9007199254740993}";
        json_auto_t *object = NULL, *number = NULL;

        assert_int_equal(json_parse(text, sizeof(text) - 1, &object, NULL), 0);
        assert_int_equal(json_member_integer(object, "a", -1), 1);
        assert_int_equal(json_member_integer(object, "b", -1), -1);
        assert_int_equal(json_member_integer(object, "none", 5), 5);
        assert_true(json_member_integer(object, "d", 0) == 9007199254740993);
        assert_string_equal(json_member_text(object, "b"), "x");
        assert_null(json_member_text(object, "a"));
        assert_true(json_member_true(object, "c"));
        assert_false(json_member_true(object, "a"));
        assert_null(json_member_text(NULL, "a"));
        assert_int_equal(json_parse("12", 2, &number, NULL), 0);
        assert_int_equal(json_integer_value(number), 12);
}

static void test_parse_refuses(void **state) {
        refused("", 0, 1, 0);
        refused("{\"a\": 1,\n \"a\": 2}", 17, 2, 0);
        refused("{\"a\":\n\n x}", 10, 3, 0);
        refused("{} {}", 5, 1, 0);
        refused("\"\\u0000\"", 8, 1, 0);
        refused("\"\xFF\"", 3, 1, 0);
}

static void test_depth(void **state) {
        char text[200];
        json_auto_t *document = NULL;

        memset(text, '[', 64);
        memset(text + 64, ']', 64);
        assert_int_equal(json_parse(text, 128, &document, NULL), 0);
        memset(text, '[', 65);
        memset(text + 65, ']', 65);
        refused(text, 130, 1, 65);
        /* Brackets in text are no levels. */
        text[0] = '"';
        memset(text + 1, '[', 150);
        memcpy(text + 5, "\\\"", 2);
        text[151] = '"';
        json_decref(document);
        document = NULL;
        assert_int_equal(json_parse(text, 152, &document, NULL), 0);
}

static void text_is(json_t *text, const char *expected) {
        assert_string_equal(json_string_value(text), expected);
        json_decref(text);
}

static void test_text(void **state) {
        json_t *nothing = json_text(NULL);

        assert_true(json_is_null(nothing));
        text_is(json_text("Müller"), "Müller");
        text_is(json_text_n("ab\xFF" "c", 4), "ab\xEF\xBF\xBD" "c");
        text_is(json_text_n("a\0b", 3), "a\xEF\xBF\xBD" "b");
        text_is(json_text_n("\xE2\x82", 2), "\xEF\xBF\xBD\xEF\xBF\xBD");
        text_is(json_text_n("\xC3\xBC\xFF", 3), "\xC3\xBC\xEF\xBF\xBD");
        text_is(json_text_n("", 0), "");
        text_is(json_timestamp(865166400000000), "1997-06-01T12:00:00+00:00");
        assert_true(json_is_null(json_timestamp(0)));
}

static void test_put(void **state) {
        json_auto_t *object = json_object();

        assert_int_equal(json_put(object, "a", json_integer(1)), 0);
        assert_int_equal(json_put(object, "b", NULL), -ENOMEM);
        assert_int_equal(json_put(NULL, "b", json_integer(2)), -ENOMEM); /* and frees the number */
        assert_int_equal(json_object_size(object), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse), cmocka_unit_test(test_parse_refuses),
                cmocka_unit_test(test_depth), cmocka_unit_test(test_text),
                cmocka_unit_test(test_put),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
