/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/json.h"
#include "http/message.h"
#include "http/router.h"

static void test_find(void **state) {
        _cleanup_(router_freep) Router *router = NULL;
        json_auto_t *captures = NULL, *literal = NULL, *none = NULL;
        _cleanup_free_ char *allow = NULL;
        _cleanup_error_ Error e = {}, missing = {}, broken = {};
        unsigned route;

        assert_int_equal(router_new(&router), 0);
        assert_int_equal(router_add(router, "GET", "/pairs/{name}", 1), 0);
        assert_int_equal(router_add(router, "GET", "/pairs/all", 2), 0);
        assert_int_equal(router_add(router, "GET", "/pairs/all", 3), -EEXIST);
        assert_int_equal(router_find(router, "HEAD", "/pairs/a%2Fb/", &route, &captures, &allow, &e), 0);
        assert_int_equal(route, 1);
        assert_string_equal(json_member_text(captures, "name"), "a/b");
        assert_int_equal(router_find(router, "GET", "/pairs/all", &route, &literal, &allow, &e), 0);
        assert_int_equal(route, 2);
        assert_true(router_find(router, "POST", "/pairs/x", &route, &none, &allow, &e) < 0);
        assert_int_equal(e.id, ERROR_METHOD_NOT_ALLOWED);
        assert_string_equal(allow, "GET, HEAD, OPTIONS");
        free(TAKE_PTR(allow));
        assert_true(router_find(router, "GET", "/pairs", &route, &none, &allow, &missing) < 0);
        assert_int_equal(missing.id, ERROR_NOT_FOUND);
        assert_true(router_find(router, "GET", "/pairs/%zz", &route, &none, &allow, &broken) < 0);
        assert_int_equal(broken.id, ERROR_BAD_REQUEST);
}

static void test_query_and_problem(void **state) {
        json_auto_t *query = NULL, *twice = NULL, *problem = NULL;
        _cleanup_error_ Error e = {};

        assert_int_equal(http_query_parse("a=x+y&b=%41&c", &query, &e), 0);
        assert_string_equal(json_member_text(query, "a"), "x y");
        assert_string_equal(json_member_text(query, "b"), "A");
        assert_string_equal(json_member_text(query, "c"), "");
        assert_true(http_query_parse("a=1&a=2", &twice, &e) < 0);
        assert_string_equal(e.field, "a");
        assert_int_equal(http_problem_new(&e, "/x", &problem), 0);
        assert_int_equal(json_member_integer(problem, "status", 0), 422);
        assert_string_equal(json_member_text(problem, "instance"), "/x");
        assert_string_equal(json_member_text(problem, "remedy"), "Give it once.");
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_find), cmocka_unit_test(test_query_and_problem) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
