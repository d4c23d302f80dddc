/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "connect/module.h"
#include "connect/odbc.h"
#include "registry.h"

extern const Module odbc_module;

static void test_the_connector(void **state) {
        assert_connector(&odbc_connector, "odbc");
        assert_ptr_equal(odbc_module.connector, &odbc_connector);
        assert_int_equal(odbc_module.connector_bytes, sizeof(Connector));
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_connector)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
