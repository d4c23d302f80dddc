/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/timestamp.h"
#include "connect/odbc-type.h"

static Arena *arena;

static int setup(void **state) { return arena_new(&arena); }

static int teardown(void **state) {
        arena = arena_free(arena);
        return 0;
}

static Value read_as(OdbcFamily family, const char *declared, const char *text) {
        OdbcType type;
        Value value;

        odbc_type_parse(family, declared, &type);
        assert_int_equal(odbc_value_from_text(&type, text, strlen(text), arena, &value), 0);
        return value;
}

static void reads(OdbcFamily family, const char *declared, const char *text, ValueType type,
                  const char *expected) {
        Value value = read_as(family, declared, text);

        assert_int_equal(value.type, type);
        assert_string_equal(value_to_text(&value, arena, 0), expected);
}

static void test_texts_into_values(void **state) {
        reads(ODBC_MARIADB, "decimal(14,2)", "-12.50", VALUE_DECIMAL, "-12.50");
        reads(ODBC_MARIADB, "bigint unsigned", "18446744073709551615", VALUE_DECIMAL,
              "18446744073709551615");
        reads(ODBC_MARIADB, "bigint unsigned", "7", VALUE_INTEGER, "7");
        reads(ODBC_MARIADB, "date", "2026-01-02", VALUE_DATE, "2026-01-02");
        reads(ODBC_MARIADB, "date", "0000-00-00", VALUE_TEXT, "0000-00-00");
        reads(ODBC_MARIADB, "time(6)", "838:59:59", VALUE_TEXT, "838:59:59");
        reads(ODBC_SQLSERVER, "datetime2(7)", "2026-01-02 03:04:05.1234567", VALUE_TEXT,
              "2026-01-02 03:04:05.1234567");
        assert_int_equal(read_as(ODBC_SQLSERVER, "datetime2(7)", "2026-01-02 03:04:05.1234560").type,
                         VALUE_TIMESTAMP);
        assert_int_equal(read_as(ODBC_MARIADB, "uuid", "018f3c00-0000-7000-8000-000000000001").type,
                         VALUE_UUID);
        reads(ODBC_MARIADB, "char(4)", "ab  ", VALUE_TEXT, "ab");
}

static void reads_literal(const char *text, ValueType type, const char *expected) {
        static const OdbcType quoted = {.kind = ODBC_QUOTED};
        Value value;

        assert_int_equal(odbc_value_from_text(&quoted, text, strlen(text), arena, &value), 0);
        assert_int_equal(value.type, type);
        if (expected)
                assert_string_equal(value_to_text(&value, arena, 0), expected);
}

static void test_literals_of_sqlite(void **state) {
        reads_literal("NULL", VALUE_NULL, NULL);
        reads_literal("'it''s'", VALUE_TEXT, "it's");
        reads_literal("''", VALUE_TEXT, "");
        reads_literal("'NULL'", VALUE_TEXT, "NULL");
        reads_literal("X'00FF'", VALUE_BYTES, "00ff");
        reads_literal("X''", VALUE_BYTES, "");
        reads_literal("-9223372036854775808", VALUE_INTEGER, "-9223372036854775808");
        reads_literal("12.5", VALUE_DECIMAL, "12.5");
        reads_literal("1.00000000000000005551e-01", VALUE_DECIMAL, "0.1");
}

static void test_utf16_there_and_back(void **state) {
        static const char text[] = "a\xC3\xA9\xE6\xBC\xA2\xF0\x9F\x98\x80";
        static const uint16_t lonely[] = {'a', 0xD83D};
        uint16_t units[sizeof(text)];
        size_t n = odbc_utf16_from_text(text, strlen(text), units);
        Value value;

        assert_int_equal(n, 5);
        assert_int_equal(units[3], 0xD83D);
        assert_int_equal(odbc_value_from_utf16(units, n, arena, &value), 0);
        assert_int_equal(value.type, VALUE_TEXT);
        assert_int_equal(value.size, strlen(text));
        assert_memory_equal(value.bytes, text, value.size);
        assert_int_equal(odbc_value_from_utf16(lonely, 2, arena, &value), 0);
        assert_int_equal(value.type, VALUE_BYTES);
}

static void literal(OdbcFamily family, const char *declared, const Value *value, const char *expected) {
        _cleanup_free_ char *text = NULL;
        OdbcType type;

        odbc_type_parse(family, declared, &type);
        assert_int_equal(odbc_literal(family, &type, value, &text), 0);
        assert_string_equal(text, expected);
}

static void test_values_as_literals(void **state) {
        Value text = value_text("it's", 4), number = value_integer(-7),
              bytes = {.type = VALUE_BYTES, .bytes = "\x00\xff", .size = 2};
        Value stamp = {.type = VALUE_TIMESTAMP, .integer = 500000};

        literal(ODBC_MARIADB, "varchar(9)", &text, "'it''s'");
        literal(ODBC_SQLSERVER, "nvarchar(9)", &text, "N'it''s'");
        literal(ODBC_SQLSERVER, "int", &number, "-7");
        literal(ODBC_MARIADB, "varbinary(4)", &bytes, "x'00ff'");
        literal(ODBC_SQLSERVER, "timestamp", &bytes, "0x00ff");
        literal(ODBC_POSTGRESQL, "bytea", &bytes, "'\\x00ff'::bytea");
        literal(ODBC_MARIADB, "datetime(6)", &stamp, "cast('1970-01-01T00:00:00.500000' as datetime(6))");
        literal(ODBC_SQLSERVER, "datetime", &stamp, "cast(N'1970-01-01T00:00:00.500000' as datetime2(7))");
}

static void stores(OdbcFamily family, const char *declared, Value value, const char *expected) {
        _cleanup_error_ Error error = {};
        const char *text;
        OdbcType type;
        size_t size;

        odbc_type_parse(family, declared, &type);
        if (odbc_value_to_text(family, &type, "c", &value, arena, &text, &size, &error) < 0)
                fail_msg("%s: %s", declared, error.detail);
        assert_int_equal(size, strlen(expected));
        assert_memory_equal(text, expected, size);
}

static void refuses(OdbcFamily family, const char *declared, Value value, const char *why) {
        _cleanup_error_ Error error = {};
        const char *text;
        OdbcType type;
        size_t size;

        odbc_type_parse(family, declared, &type);
        assert_int_equal(odbc_value_to_text(family, &type, "c", &value, arena, &text, &size, &error),
                         error_errno(ERROR_RECORD_REFUSED));
        if (!strstr(error.detail, why) || !error.remedy)
                fail_msg("%s", error.detail);
        assert_string_equal(error.field, "c");
}

static Value decimal(const char *text) {
        Value value = {.type = VALUE_DECIMAL};

        assert_int_equal(decimal_parse(text, strlen(text), &value.decimal), 0);
        return value;
}

static void test_nothing_is_rounded(void **state) {
        Value stamp = {.type = VALUE_TIMESTAMP, .integer = 1500},
              time = {.type = VALUE_TIME, .integer = 100000};

        stores(ODBC_MARIADB, "decimal(5,2)", decimal("1.5"), "1.50");
        refuses(ODBC_MARIADB, "decimal(5,2)", decimal("1.005"), "digits behind the point would be lost");
        refuses(ODBC_MARIADB, "decimal(5,2)", decimal("1000"), "too many digits");
        stores(ODBC_MARIADB, "tinyint unsigned", value_integer(255), "255");
        refuses(ODBC_MARIADB, "tinyint unsigned", value_integer(256), "out of range");
        refuses(ODBC_MARIADB, "int", decimal("1.5"), "has a fraction");
        stores(ODBC_MARIADB, "bigint unsigned", decimal("18446744073709551615"), "18446744073709551615");
        refuses(ODBC_MARIADB, "bigint unsigned", decimal("18446744073709551616"), "out of range");
        refuses(ODBC_MARIADB, "float", decimal("0.123456789"), "binary float would change it");
        stores(ODBC_MARIADB, "double", decimal("0.1"), "0.1");
        stores(ODBC_MARIADB, "datetime(6)", stamp, "1970-01-01T00:00:00.001500");
        refuses(ODBC_MARIADB, "datetime(3)", stamp, "would be rounded");
        refuses(ODBC_MARIADB, "time", time, "would be rounded");
        stamp.integer = 3000;
        stores(ODBC_SQLSERVER, "datetime", stamp, "1970-01-01T00:00:00.003000");
        stamp.integer = 4000;
        refuses(ODBC_SQLSERVER, "datetime", stamp, "would be rounded"); /* it counts thirds of 10 ms */
        stores(ODBC_MARIADB, "varchar(2)", value_text("\xC3\xA9\xC3\xA9", 4), "\xC3\xA9\xC3\xA9");
        refuses(ODBC_MARIADB, "varchar(2)", value_text("abc", 3), "too long");
        refuses(ODBC_MARIADB, "date", value_text("abc", 3), "of another kind");
        refuses(ODBC_SQLITE, "blob", (Value){.type = VALUE_BYTES, .bytes = "a\0", .size = 2}, "does not write bytes");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_texts_into_values, setup, teardown),
                cmocka_unit_test_setup_teardown(test_literals_of_sqlite, setup, teardown),
                cmocka_unit_test_setup_teardown(test_utf16_there_and_back, setup, teardown),
                cmocka_unit_test_setup_teardown(test_values_as_literals, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nothing_is_rounded, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
