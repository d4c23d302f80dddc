/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/json.h"
#include "http/message.h"

static void test_words(void **state) {
        assert_string_equal(http_status_text(404), "Not Found");
        assert_string_equal(http_status_text(299), "Unknown");
        assert_true(http_token_is_valid("X-Request_Id~1", 14));
        assert_false(http_token_is_valid("", 0));
        assert_false(http_token_is_valid("X A", 3));
        assert_false(http_token_is_valid("X:", 2));
        assert_false(http_token_is_valid("X\0A", 3));
        assert_false(http_token_is_valid("\xc3\xa4", 2));
        assert_true(http_method_is_known("PATCH"));
        assert_false(http_method_is_known("get"));
        assert_false(http_method_is_known("TRACE"));
        assert_true(http_method_is_idempotent("HEAD"));
        assert_false(http_method_is_idempotent("POST"));
        assert_false(http_method_is_idempotent("DELETE"));
}

static void test_problem(void **state) {
        _cleanup_error_ Error e = {};
        json_auto_t *problem = NULL, *bare = NULL;

        (void) error_set(&e, ERROR_ARGUMENT, "Give a number.", "\"%s\" is no number", "x");
        (void) error_at(&e, "file", 3, 7);
        (void) error_field(&e, "limit");
        assert_int_equal(http_problem_new(&e, "/api/x", &problem), 0);
        assert_string_equal(json_member_text(problem, "type"), "urn:terrafusion:error:TF-6001");
        assert_string_equal(json_member_text(problem, "code"), "TF-6001");
        assert_int_equal(json_integer_value(json_object_get(problem, "status")), 422);
        assert_string_equal(json_member_text(problem, "detail"), "\"x\" is no number");
        assert_string_equal(json_member_text(problem, "instance"), "/api/x");
        assert_string_equal(json_member_text(problem, "field"), "limit");
        assert_string_equal(json_member_text(problem, "remedy"), "Give a number.");
        assert_int_equal(json_integer_value(json_object_get(problem, "line")), 3);
        assert_int_equal(http_problem_new(&(Error) { .id = ERROR_NOT_FOUND }, NULL, &bare), 0);
        assert_null(json_object_get(bare, "instance"));
        assert_null(json_object_get(bare, "remedy"));
        assert_string_equal(json_member_text(bare, "detail"), error_title(ERROR_NOT_FOUND));
}

static void decodes(const char *text, bool plus, const char *expected) {
        _cleanup_free_ char *decoded = NULL;

        if (!expected)
                assert_int_equal(http_percent_decode(text, strlen(text), plus, &decoded), -EINVAL);
        else {
                assert_int_equal(http_percent_decode(text, strlen(text), plus, &decoded), 0);
                assert_string_equal(decoded, expected);
        }
}

static void test_percent(void **state) {
        decodes("a%20b+c", false, "a b+c");
        decodes("a%20b+c", true, "a b c");
        decodes("%C3%a4", false, "\xc3\xa4");
        decodes("%2", false, NULL);
        decodes("%", false, NULL);
        decodes("%zz", false, NULL);
        decodes("%00", false, NULL);
        decodes("%ff", false, NULL);            /* no UTF-8 */
}

static void test_query(void **state) {
        json_auto_t *query = NULL, *twice = NULL, *broken = NULL;
        _cleanup_error_ Error e = {};

        assert_int_equal(http_query_parse("a=1&b=x+y&&flag&c=%3D", &query, &e), 0);
        assert_int_equal(json_object_size(query), 4);
        assert_string_equal(json_member_text(query, "b"), "x y");
        assert_string_equal(json_member_text(query, "flag"), "");
        assert_string_equal(json_member_text(query, "c"), "=");
        assert_true(http_query_parse("a=1&a=2", &twice, &e) < 0);
        assert_int_equal(e.id, ERROR_ARGUMENT);
        assert_string_equal(e.field, "a");
        error_done(&e);
        assert_true(http_query_parse("a=%g1", &broken, &e) < 0);
        assert_int_equal(e.id, ERROR_BAD_REQUEST);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_problem), cmocka_unit_test(test_percent),
                                            cmocka_unit_test(test_query) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
