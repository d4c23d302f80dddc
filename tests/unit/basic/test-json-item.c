/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/json-item.h"
#include "../testing.h"

static Arena *arena;

static int setup(void **state) { return arena_new(&arena); }
static int teardown(void **state) {
        arena_free(arena);
        return 0;
}

static const JsonItem *parsed(const char *text) {
        const JsonItem *item = NULL;
        Error error = {};

        if (json_item_parse(text, strlen(text), 1 << 20, arena, &item, &error) < 0)
                fail_msg("%s: %s", text, error.detail);
        return item;
}

static void refused(const char *text, const char *why) {
        const JsonItem *item = NULL;
        Error error = {};

        assert_true(json_item_parse(text, strlen(text), 1 << 20, arena, &item, &error) < 0);
        assert_null(item);
        assert_int_equal(error.id, ERROR_FILE_FORMAT);
        if (!strstr(error.detail, why))
                fail_msg("%s: \"%s\" does not say \"%s\"", text, error.detail, why);
        error_done(&error);
}

static void text_is(const JsonItem *item, JsonKind kind, const char *text) {
        assert_non_null(item);
        assert_int_equal(item->kind, kind);
        assert_int_equal(item->size, strlen(text));
        assert_memory_equal(item->text, text, item->size);
}

static void test_numbers_keep_their_digits(void **state) {
        static const char *const numbers[] = {"0",    "-0",   "1.10",       "12345678901234567890123.4567",
                                              "1e5",  "-2.5E-3", "0.1",     "9007199254740993"};

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                text_is(parsed(numbers[i]), JSON_ITEM_NUMBER, numbers[i]);
}

static void test_texts(void **state) {
        const JsonItem *item;

        text_is(parsed("\"\""), JSON_ITEM_TEXT, "");
        text_is(parsed("\"a\\\"b\\\\c\\/d\\n\\t\""), JSON_ITEM_TEXT, "a\"b\\c/d\n\t");
        text_is(parsed("\"\\u00e9\\u20ac\\uD83D\\ude00 é\""), JSON_ITEM_TEXT, "é€😀 é");
        item = parsed("\"a\\u0000b\"");
        assert_true(item->has_nul);
        assert_int_equal(item->size, 3);
        assert_false(parsed("\"ab\"")->has_nul);
}

static void test_trees(void **state) {
        const JsonItem *item = parsed("\xEF\xBB\xBF {\"value\" : [ {\"id\": 1, \"a/b\": {\"c~\": null}}, true, false ], \"n\":[]} \n");

        assert_int_equal(item->n_children, 2);
        assert_int_equal(json_item_member(item, "value")->n_children, 3);
        text_is(json_item_at(item, "/value/0/id"), JSON_ITEM_NUMBER, "1");
        text_is(json_item_at(item, "value/0/id"), JSON_ITEM_NUMBER, "1");
        assert_true(json_item_is(json_item_at(item, "/value/0/a~1b/c~0"), JSON_ITEM_NULL));
        assert_true(json_item_is(json_item_at(item, "/value/1"), JSON_ITEM_TRUE));
        assert_true(json_item_is(json_item_at(item, "/value/2"), JSON_ITEM_FALSE));
        assert_ptr_equal(json_item_at(item, ""), item);
        text_is(json_item_at(item, "/value/0/a~1b"), JSON_ITEM_OBJECT, "{\"c~\": null}");
        text_is(json_item_at(item, "/n"), JSON_ITEM_ARRAY, "[]");
        assert_null(json_item_at(item, "/value/3"));
        assert_null(json_item_at(item, "/value/x"));
        assert_null(json_item_at(item, "/value/0/id/x"));
        assert_null(json_item_at(item, "/val"));
        assert_null(json_item_member(item, "nothing"));
        assert_null(json_item_member(NULL, "nothing"));
}

static void test_refusals(void **state) {
        static const char *const cut[] = {"",        "{",      "[1,",      "{\"a\"",   "{\"a\":", "\"abc",  "tru",
                                          "{\"a\":1", "\"a\\", "\"a\\u12", "[1, 2", "-", "1.", "1e"};

        for (size_t i = 0; i < ELEMENTSOF(cut); i++)
                refused(cut[i], "ends in the middle");
        refused("<html>", "no JSON value");
        refused("[1,]", "no JSON value");
        refused("{\"a\":1,}", "no name");
        refused("{a:1}", "no name");
        refused("{\"a\" 1}", "no colon");
        refused("[1 2]", "no comma");
        refused("01", "begins with 0");
        refused("-x", "no digit");
        refused("1.x", "behind a point");
        refused("1ex", "exponent");
        refused("1 2", "goes on behind its end");
        refused("{\"a\":1,\"a\":2}", "twice");
        refused("\"a\nb\"", "control character");
        refused("\"\\x\"", "unknown escape");
        refused("\"\\u12g4\"", "hexadecimal");
        refused("\"\\uD800\"", "half a character");
        refused("\"\\uD800\\u0041\"", "half a character");
        refused("\"\\uDC00\"", "half a character");
        refused("\"\xff\"", "not UTF-8");
        refused("{\"a\\u0000\":1}", "NUL");
        refused("NaN", "no JSON value");
}

static void test_limits(void **state) {
        char deep[300], *wide = malloc(200000), *p = wide;
        const JsonItem *item = NULL;
        Error error = {};

        (void) memset(deep, '[', 64);
        (void) memset(deep + 64, ']', 64);
        deep[128] = '\0';
        assert_non_null(parsed(deep));
        (void) memset(deep, '[', 66);
        (void) memset(deep + 66, ']', 66);
        deep[132] = '\0';
        refused(deep, "deeper than 64");

        *p++ = '{';
        for (unsigned i = 0; i <= 4096; i++)
                p += snprintf(p, 20, "%s\"m%u\":1", i > 0 ? "," : "", i);
        *p++ = '}';
        *p = '\0';
        refused(wide, "4096 members");

        p = wide;
        *p++ = '[';
        for (unsigned i = 0; i < 10000; i++)
                p = stpcpy(p, i > 0 ? ",0" : "0");
        p = stpcpy(p, "]");
        assert_true(json_item_parse(wide, (size_t) (p - wide), 100000, arena, &item, &error) < 0);
        assert_string_equal(error.detail, "The JSON document needs more than 97 KiB of memory");
        error_done(&error);
        free(wide);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_numbers_keep_their_digits, setup, teardown),
                cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_trees, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
