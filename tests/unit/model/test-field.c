/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/field.h"

static void test_names(void **state) {
        for (int type = FIELD_NONE; type <= FIELD_ANY; type++)
                assert_string_not_equal(field_type_to_string((FieldType) type), "unknown");
        assert_string_equal(field_type_to_string(FIELD_TEXTS), "a list of texts");
        assert_string_equal(field_type_to_string((FieldType) 99), "unknown");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
