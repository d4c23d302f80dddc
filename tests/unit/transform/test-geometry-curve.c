/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <math.h>

#include "transform/geometry-curve.h"

static double points[ARC_POINTS_MAX * 4];

static void expect_on_circle(size_t n, unsigned n_dimensions, double x, double y, double radius) {
        for (size_t i = 0; i < n; i++)
                assert_true(fabs(hypot(points[i * n_dimensions] - x, points[i * n_dimensions + 1] - y) - radius) < 1e-9);
}

static void test_an_arc(void **state) {
        const double a[] = {1, 0}, b[] = {0, 1}, c[] = {-1, 0};
        size_t n = arc_points(a, b, c, 2, points);

        assert_in_range(n, 60, 66);
        expect_on_circle(n, 2, 0, 0, 1);
        assert_memory_equal(points + 2 * (n - 1), c, sizeof(c));
        for (size_t i = 0; i < n; i++) /* the upper half, not the lower */
                assert_true(points[2 * i + 1] > -1e-12);
}

static void test_the_other_way_round(void **state) {
        const double a[] = {100001, 100}, b[] = {100000, 99}, c[] = {99999, 100};
        size_t n = arc_points(a, b, c, 2, points);

        expect_on_circle(n, 2, 100000, 100, 1);
        for (size_t i = 0; i < n; i++)
                assert_true(points[2 * i + 1] < 100 + 1e-9);
}

static void test_a_whole_circle(void **state) {
        const double a[] = {0, 0}, b[] = {4, 0};
        size_t n = arc_points(a, b, a, 2, points);

        assert_in_range(n, 120, ARC_POINTS_MAX);
        expect_on_circle(n, 2, 2, 0, 2);
        assert_memory_equal(points + 2 * (n - 1), a, sizeof(a));
}

static void test_points_in_a_line(void **state) {
        const double a[] = {0, 0}, b[] = {1, 1}, c[] = {2, 2};

        assert_int_equal(arc_points(a, b, c, 2, points), 2);
        assert_memory_equal(points, b, sizeof(b));
        assert_memory_equal(points + 2, c, sizeof(c));
        assert_int_equal(arc_points(a, a, a, 2, points), 2);
}

static void test_z_goes_in_even_steps(void **state) {
        const double a[] = {1, 0, 10}, b[] = {0, 1, 20}, c[] = {-1, 0, 40};
        size_t n = arc_points(a, b, c, 3, points);

        for (size_t i = 1; i < n; i++)
                assert_true(points[3 * i + 2] > points[3 * (i - 1) + 2]);
        assert_memory_equal(points + 3 * (n - 1), c, sizeof(c));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_arc),           cmocka_unit_test(test_the_other_way_round),
                cmocka_unit_test(test_a_whole_circle),   cmocka_unit_test(test_points_in_a_line),
                cmocka_unit_test(test_z_goes_in_even_steps),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
