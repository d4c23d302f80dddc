/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <math.h>

#include "transform/project.h"

static void test_codes(void **state) {
        char text[SRID_TEXT_MAX];
        Error error = {0};

        srid_format(2927, text);
        assert_string_equal(text, "EPSG:2927");
        srid_format(102748, text);
        assert_string_equal(text, "ESRI:102748");
        assert_int_equal(projection_check(2927, &error), 0);
        assert_int_equal(projection_check(102748, &error), 0);
        assert_int_equal(projection_check(2, &error), error_errno(ERROR_CONFIGURATION));
        assert_string_equal(error.detail, "PROJ does not know the coordinate system EPSG:2");
        assert_non_null(error.remedy);
        error_done(&error);
}

/* Washington South in feet, there and back: to the grid's step. */
static void test_there_and_back(void **state) {
        const Projection *there, *back, *again;
        double x = -120.5, y = 46.25;

        assert_int_equal(projection_find(4326, 2927, &there, NULL), 0);
        assert_int_equal(projection_find(2927, 4326, &back, NULL), 0);
        assert_int_equal(projection_find(4326, 2927, &again, NULL), 0);
        assert_ptr_equal(there, again);
        assert_int_equal(projection_apply(there, &x, &y), 0);
        assert_true(x > 1600000 && x < 1700000 && y > 300000 && y < 400000);
        assert_true(fabs(x * 1e5 - round(x * 1e5)) < 1e-3);
        assert_int_equal(projection_apply(back, &x, &y), 0);
        assert_true(fabs(x + 120.5) < 2e-9 && fabs(y - 46.25) < 2e-9);
}

static void test_an_empty_point_stays(void **state) {
        const Projection *p;
        double x = (double) __builtin_nanf(""), y = x;

        assert_int_equal(projection_find(4326, 3857, &p, NULL), 0);
        assert_int_equal(projection_apply(p, &x, &y), 0);
        assert_true(isnan(x) && isnan(y));
}

static void test_a_pair_of_systems_without_a_way(void **state) {
        const Projection *p;
        Error error = {0};

        assert_int_equal(projection_find(999999, 4326, &p, &error), error_errno(ERROR_CONFIGURATION));
        assert_string_equal(error.detail, "PROJ does not know the coordinate system ESRI:999999");
        error_done(&error);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_codes),
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_an_empty_point_stays),
                cmocka_unit_test(test_a_pair_of_systems_without_a_way),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
