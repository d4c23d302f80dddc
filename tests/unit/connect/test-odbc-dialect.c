/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "connect/odbc-dialect.h"

static void test_by_name(void **state) {
        assert_string_equal(odbc_dialect_find("MariaDB")->name, "MariaDB");
        assert_int_equal(odbc_dialect_find("MySQL")->family, ODBC_MARIADB);
        assert_int_equal(odbc_dialect_find("PostgreSQL")->family, ODBC_POSTGRESQL);
        assert_int_equal(odbc_dialect_find("SQLite")->family, ODBC_SQLITE);
        assert_int_equal(odbc_dialect_find("Microsoft SQL Server")->family, ODBC_SQLSERVER);
        assert_int_equal(odbc_dialect_find("SQL Server")->family, ODBC_SQLSERVER); /* as FreeTDS calls it */
        assert_null(odbc_dialect_find("Oracle"));
        assert_null(odbc_dialect_find(""));
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_name)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
