/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/guard.h"

static void test_names_go_both_ways(void **state) {
        for (int i = 0; i < _GUARD_MAX; i++) {
                assert_non_null(guard_to_string((GuardId) i));
                assert_int_equal(guard_from_string(guard_to_string((GuardId) i)), i);
                assert_non_null(strstr(GUARD_NAMES, guard_to_string((GuardId) i)));
        }
        assert_null(guard_to_string(_GUARD_MAX));
        assert_null(guard_to_string(_GUARD_INVALID));
        assert_int_equal(guard_from_string("max_delete"), _GUARD_INVALID);
        assert_int_equal(guard_from_string(NULL), _GUARD_INVALID);
}

static void test_nearest(void **state) {
        assert_string_equal(guard_nearest("max_delete"), "max_deletes");
        assert_null(guard_nearest("colour"));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_names_go_both_ways), cmocka_unit_test(test_nearest) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
