/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "config/order.h"

static char *const on_a[] = {(char *) "a", NULL}, *const on_b[] = {(char *) "b", NULL},
                   *const on_c[] = {(char *) "c", NULL};
static char *const on_unknown[] = {(char *) "x", NULL};

static void test_order(void **state) {
        const OrderNode nodes[] = {{"d", NULL}, {"b", on_c}, {"a", on_b}, {"c", on_unknown}};
        const size_t expected[] = {0, 3, 1, 2};
        _cleanup_free_ size_t *order = NULL;
        _cleanup_free_ char *cycle = NULL;

        assert_int_equal(order_sort(nodes, 4, &order, &cycle), 0);
        assert_memory_equal(order, expected, sizeof expected);
        assert_null(cycle);
}

static void check_cycle(const OrderNode *nodes, size_t n, const char *expected) {
        _cleanup_free_ size_t *order = NULL;
        _cleanup_free_ char *cycle = NULL;

        assert_int_equal(order_sort(nodes, n, &order, &cycle), -ELOOP);
        assert_string_equal(cycle, expected);
        assert_null(order);
}

static void test_cycles(void **state) {
        const OrderNode three[] = {{"x", on_a}, {"a", on_b}, {"b", on_c}, {"c", on_a}};
        const OrderNode self[] = {{"a", on_a}};

        check_cycle(three, 4, "a -> b -> c -> a");
        check_cycle(self, 1, "a -> a");
}

static void test_none(void **state) {
        _cleanup_free_ size_t *order = NULL;
        _cleanup_free_ char *cycle = NULL;

        assert_int_equal(order_sort(NULL, 0, &order, &cycle), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_cycles),
                                           cmocka_unit_test(test_none)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
