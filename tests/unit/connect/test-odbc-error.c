/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/text.h"
#include "connect/odbc-error.h"

static void means(OdbcFamily family, const char *state, long native, bool of_record, ErrorId id,
                  const char *remedy) {
        const char *told = NULL;

        assert_int_equal(odbc_error(family, state, native, of_record, &told), id);
        if (!strstr(told, remedy))
                fail_msg("%s %ld: %s", state, native, told);
}

static void test_classes(void **state) {
        means(ODBC_MARIADB, "40001", 1213, true, ERROR_SYSTEM_BUSY, "tried again");
        means(ODBC_MARIADB, "HY000", 1205, false, ERROR_SYSTEM_BUSY, "innodb_trx");
        means(ODBC_MARIADB, "HY000", 2013, true, ERROR_SYSTEM_UNAVAILABLE, "tried again");
        means(ODBC_MARIADB, "28000", 1045, false, ERROR_SYSTEM_REFUSED, "password");
        means(ODBC_MARIADB, "42S02", 1146, false, ERROR_TABLE_MISSING, "mapping");
        means(ODBC_MARIADB, "23000", 1062, true, ERROR_RECORD_REFUSED, "constraint");
        means(ODBC_MARIADB, "23000", 1062, false, ERROR_SYSTEM_REFUSED, "constraint");
        means(ODBC_MARIADB, "HY000", 1364, true, ERROR_RECORD_REFUSED, "record");
        means(ODBC_MARIADB, "45000", 1644, true, ERROR_RECORD_REFUSED, "record");
        means(ODBC_MARIADB, "08S01", 1153, true, ERROR_RECORD_REFUSED, "max_allowed_packet");
        means(ODBC_MARIADB, "HY000", 1021, true, ERROR_DISK_FULL, "room");
        means(ODBC_SQLSERVER, "40001", 1205, true, ERROR_SYSTEM_BUSY, "tried again");
        means(ODBC_SQLSERVER, "23000", 2627, true, ERROR_RECORD_REFUSED, "record");
        means(ODBC_SQLSERVER, "42000", 51000, true, ERROR_RECORD_REFUSED, "record");
        means(ODBC_SQLSERVER, "42000", 18456, false, ERROR_SYSTEM_REFUSED, "credential");
        means(ODBC_SQLSERVER, "HY000", 3960, true, ERROR_SYSTEM_BUSY, "tried again");
        means(ODBC_SQLSERVER, "42S02", 208, false, ERROR_TABLE_MISSING, "mapping");
        means(ODBC_SQLITE, "HY000", 5, true, ERROR_SYSTEM_BUSY, "lock");
        means(ODBC_SQLITE, "HY000", 19, true, ERROR_RECORD_REFUSED, "record");
        means(ODBC_POSTGRESQL, "42P01", 7, false, ERROR_TABLE_MISSING, "mapping");
        means(ODBC_POSTGRESQL, "23505", 7, true, ERROR_RECORD_REFUSED, "record");
        means(ODBC_POSTGRESQL, "40P01", 7, true, ERROR_SYSTEM_BUSY, "tried again");
        means(ODBC_UNKNOWN, "HYT00", 0, false, ERROR_SYSTEM_BUSY, "statement_timeout");
        means(ODBC_UNKNOWN, "08001", 0, false, ERROR_SYSTEM_UNAVAILABLE, "tried again");
        means(ODBC_UNKNOWN, "IM002", 0, false, ERROR_SYSTEM_REFUSED, "odbcinst");
        means(ODBC_UNKNOWN, "", 0, false, ERROR_SYSTEM_UNAVAILABLE, "reached");
}

static void test_packages(void **state) {
        assert_string_equal(odbc_driver_package("MariaDB Unicode"), "odbc-mariadb");
        assert_string_equal(odbc_driver_package("PostgreSQL Unicode"), "odbc-postgresql");
        assert_string_equal(odbc_driver_package("SQLite3"), "libsqliteodbc");
        assert_string_equal(odbc_driver_package("/usr/lib/libtdsodbc.so"), "tdsodbc");
        assert_null(odbc_driver_package("Oracle 21"));
        assert_null(odbc_driver_package(NULL));
}

static void cleans(OdbcFamily family, long native, const char *message, const char *expected) {
        _cleanup_free_ char *clean = odbc_message_clean(family, native, message);

        assert_string_equal(clean, expected);
}

static void test_messages(void **state) {
        cleans(ODBC_MARIADB, 1054, "[ma-3.1.15][10.11.19-MariaDB]Unknown column 'x' in 'field list'",
               "Unknown column 'x' in 'field list'");
        cleans(ODBC_MARIADB, 1062, "[ma]Duplicate entry 'canary's-1' for key 'PRIMARY'",
               "Duplicate entry '' for key 'PRIMARY'");
        cleans(ODBC_MARIADB, 1062, "[ma]Duplicate entry 'canary' for key 'x' for key 'PRIMARY'",
               "Duplicate entry '' for key 'PRIMARY'");
        cleans(ODBC_MARIADB, 1366, "[ma]Incorrect integer value: 'canary' for column `d`.`t`.`c` at row 1",
               "Incorrect integer value: '' for column `d`.`t`.`c` at row 1");
        cleans(ODBC_MARIADB, 1292, "[ma]Truncated incorrect DOUBLE value: 'canary'",
               "Truncated incorrect DOUBLE value: ");
        cleans(ODBC_UNKNOWN, 0, "[unixODBC][Driver Manager]Can't open lib 'x' : file\nnot found \n",
               "Can't open lib 'x' : file not found");
        cleans(ODBC_UNKNOWN, 0, "[", "[");
        cleans(ODBC_UNKNOWN, 0, "", "");
}

static void test_whose_driver(void **state) {
        assert_int_equal(odbc_family_of_message("[ma-3.1.15]Access denied"), ODBC_MARIADB);
        assert_int_equal(odbc_family_of_message("[unixODBC][FreeTDS][SQL Server]Login failed"),
                         ODBC_SQLSERVER);
        assert_int_equal(odbc_family_of_message("[SQLite]connect failed"), ODBC_SQLITE);
        assert_int_equal(odbc_family_of_message("[unixODBC][Driver Manager]Can't open lib"), ODBC_UNKNOWN);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_classes), cmocka_unit_test(test_packages),
                                           cmocka_unit_test(test_whose_driver),
                                           cmocka_unit_test(test_messages)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
