/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "connect/odbc-type.h"

static OdbcType parse(OdbcFamily family, const char *declared) {
        OdbcType type;

        odbc_type_parse(family, declared, &type);
        assert_ptr_equal(type.declared, declared);
        return type;
}

static void is(OdbcFamily family, const char *declared, OdbcKind kind) {
        if (parse(family, declared).kind != kind)
                fail_msg("%s: kind %d, expected %d", declared, parse(family, declared).kind, kind);
}

static void test_mariadb(void **state) {
        OdbcType type = parse(ODBC_MARIADB, "decimal(14,2) unsigned");

        assert_int_equal(type.kind, ODBC_DECIMAL);
        assert_int_equal(type.precision, 14);
        assert_int_equal(type.scale, 2);
        type = parse(ODBC_MARIADB, "tinyint(3) unsigned");
        assert_int_equal(type.kind, ODBC_INTEGER);
        assert_int_equal(type.minimum, 0);
        assert_int_equal(type.maximum, 255);
        type = parse(ODBC_MARIADB, "bigint(20)");
        assert_true(type.minimum == INT64_MIN && type.maximum == INT64_MAX);
        is(ODBC_MARIADB, "bigint(20) unsigned", ODBC_BIGINT_UNSIGNED);
        type = parse(ODBC_MARIADB, "datetime");
        assert_int_equal(type.kind, ODBC_TIMESTAMP);
        assert_int_equal(type.scale, 0);
        assert_int_equal(parse(ODBC_MARIADB, "datetime(6)").scale, 6);
        assert_int_equal(parse(ODBC_MARIADB, "varchar(50)").length, 50);
        is(ODBC_MARIADB, "float", ODBC_REAL);
        is(ODBC_MARIADB, "float(53)", ODBC_DOUBLE);
        is(ODBC_MARIADB, "double", ODBC_DOUBLE);
        is(ODBC_MARIADB, "bit(1)", ODBC_BOOLEAN);
        is(ODBC_MARIADB, "bit(9)", ODBC_BYTES);
        assert_int_equal(parse(ODBC_MARIADB, "bit(9)").length, 2);
        is(ODBC_MARIADB, "date", ODBC_DATE);
        is(ODBC_MARIADB, "time(3)", ODBC_TIME);
        is(ODBC_MARIADB, "timestamp", ODBC_TIMESTAMP);
        is(ODBC_MARIADB, "enum('a','b')", ODBC_OTHER);
        is(ODBC_MARIADB, "point", ODBC_GEOMETRY);
        is(ODBC_MARIADB, "intelligence", ODBC_OTHER);
}

static void test_others(void **state) {
        is(ODBC_SQLSERVER, "timestamp", ODBC_ROWVERSION);
        is(ODBC_SQLSERVER, "rowversion", ODBC_ROWVERSION);
        is(ODBC_SQLSERVER, "float", ODBC_DOUBLE);
        is(ODBC_SQLSERVER, "datetimeoffset(7)", ODBC_TIMESTAMPTZ);
        is(ODBC_SQLSERVER, "uniqueidentifier", ODBC_UUID);
        assert_int_equal(parse(ODBC_SQLSERVER, "datetime").scale, 3);
        assert_int_equal(parse(ODBC_SQLSERVER, "datetime2(7)").scale, 7);
        assert_int_equal(parse(ODBC_SQLSERVER, "smalldatetime").scale, 0);
        assert_int_equal(parse(ODBC_SQLSERVER, "money").scale, 4);
        assert_int_equal(parse(ODBC_SQLSERVER, "nvarchar(max)").length, 0);
        is(ODBC_POSTGRESQL, "timestamp with time zone", ODBC_TIMESTAMPTZ);
        is(ODBC_POSTGRESQL, "timestamp(3) with time zone", ODBC_TIMESTAMPTZ);
        is(ODBC_POSTGRESQL, "timestamp(3) without time zone", ODBC_TIMESTAMP);
        is(ODBC_POSTGRESQL, "integer[]", ODBC_OTHER);
        assert_int_equal(parse(ODBC_POSTGRESQL, "numeric").scale, -1);
        assert_int_equal(parse(ODBC_POSTGRESQL, "character varying(20)").length, 20);
        is(ODBC_SQLITE, "INTEGER", ODBC_INTEGER);
        is(ODBC_SQLITE, "VARCHAR(10)", ODBC_TEXT);
        is(ODBC_SQLITE, "BLOB", ODBC_BYTES);
        is(ODBC_SQLITE, "DECIMAL(14,2)", ODBC_DOUBLE);
        is(ODBC_SQLITE, "", ODBC_ANY);
}

static void test_what_is_read(void **state) {
        OdbcType real = parse(ODBC_MARIADB, "float"), text = parse(ODBC_MARIADB, "text");
        const OdbcType *read;

        assert_string_equal(odbc_column_form(ODBC_MARIADB, &real, &read), "@ + 0e0");
        assert_ptr_equal(read, &real);
        assert_null(odbc_column_form(ODBC_MARIADB, &text, &read));
        assert_string_equal(odbc_column_form(ODBC_SQLITE, &text, &read), "quote(@)");
        assert_int_equal(read->kind, ODBC_QUOTED);
}

static void test_what_a_column_takes(void **state) {
        assert_true(odbc_kind_takes(ODBC_DECIMAL, VALUE_INTEGER));
        assert_false(odbc_kind_takes(ODBC_DATE, VALUE_TEXT));
        assert_true(odbc_kind_takes(ODBC_TEXT, VALUE_DATE));
        assert_false(odbc_kind_takes(ODBC_TEXT, VALUE_BYTES));
        assert_false(odbc_kind_takes(ODBC_ROWVERSION, VALUE_BYTES));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mariadb),
                cmocka_unit_test(test_others),
                cmocka_unit_test(test_what_is_read),
                cmocka_unit_test(test_what_a_column_takes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
