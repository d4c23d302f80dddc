/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/sqlite-value.h"

static void affinities(void **state) {
        static const struct {
                const char *type;
                ColumnAffinity affinity;
                bool strict;
        } cases[] = {
                {"INTEGER", COLUMN_NUMERIC},
                {"varchar(30)", COLUMN_TEXT},
                {"CLOB", COLUMN_TEXT},
                {"blob", COLUMN_ANY},
                {NULL, COLUMN_ANY},
                {"", COLUMN_ANY},
                {"double precision", COLUMN_REAL},
                {"FLOAT", COLUMN_REAL},
                {"decimal(14,2)", COLUMN_NUMERIC},
                {"datetime", COLUMN_NUMERIC},
                {"floating point", COLUMN_NUMERIC /* "int" */},
                {"charint", COLUMN_NUMERIC},
                {"any", COLUMN_NUMERIC},
                {"ANY", COLUMN_ANY, true},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(sqlite_affinity(cases[i].type, cases[i].strict), cases[i].affinity);
}

static void stored_as(ColumnAffinity affinity, Value v, StoredType type, const char *text) {
        TableColumn column = {.name = T("value"), .affinity = affinity};
        StoredValue stored;
        Error error = {};

        if (value_store(&v, &column, &stored, &error) < 0)
                fail_msg("refused: %s", error.detail);
        assert_int_equal(stored.type, type);
        if (type == STORED_INTEGER) {
                char number[24];

                snprintf(number, sizeof(number), "%lld", (long long) stored.integer);
                assert_string_equal(number, text);
        } else if (type != STORED_NULL) {
                assert_int_equal(stored.size, strlen(text));
                assert_memory_equal(stored.bytes, text, stored.size);
        }
}

static void refused(ColumnAffinity affinity, Value v, const char *value) {
        TableColumn column = {.name = T("value"), .affinity = affinity};
        StoredValue stored;
        Error error = {};

        assert_true(value_store(&v, &column, &stored, &error) < 0);
        assert_int_equal(error.id, ERROR_RECORD_REFUSED);
        assert_string_equal(error.field, "value");
        assert_non_null(strstr(error.detail, value));
        assert_non_null(strstr(error.remedy, "TEXT"));
        error_done(&error);
}

static Value decimal(const char *text) {
        Value v = {.type = VALUE_DECIMAL};

        assert_int_equal(decimal_parse(text, strlen(text), &v.decimal), 0);
        return v;
}

static Value text(const char *t) { return value_text(t, strlen(t)); }

static void decimals(void **state) {
        stored_as(COLUMN_TEXT, decimal("12.50"), STORED_TEXT, "12.50");
        stored_as(COLUMN_ANY, decimal("7"), STORED_TEXT, "7");
        stored_as(COLUMN_NUMERIC, decimal("12.50"), STORED_TEXT, "12.50");
        stored_as(COLUMN_NUMERIC, decimal("12.00"), STORED_INTEGER, "12");
        stored_as(COLUMN_NUMERIC, decimal("9223372036854775807"), STORED_INTEGER, "9223372036854775807");
        stored_as(COLUMN_REAL, decimal("999999999999999"), STORED_INTEGER, "999999999999999");
        stored_as(COLUMN_NUMERIC, decimal("1234567890123.45"), STORED_TEXT,
                  "1234567890123.45"); /* 15 digits */
        stored_as(COLUMN_TEXT, decimal("12345678901234567890.123"), STORED_TEXT, "12345678901234567890.123");
        refused(COLUMN_NUMERIC, decimal("12345678901234.56"), "12345678901234.56"); /* 16 */
        refused(COLUMN_NUMERIC, decimal("9223372036854775808"), "9223372036854775808");
        refused(COLUMN_REAL, decimal("1000000000000001"), "1000000000000001");
        refused(COLUMN_REAL, value_integer(INT64_MIN), "-9223372036854775808");
        stored_as(COLUMN_TEXT, value_integer(-5), STORED_TEXT, "-5");
}

static void texts(void **state) {
        stored_as(COLUMN_TEXT, text("0100"), STORED_TEXT, "0100");
        stored_as(COLUMN_ANY, text("0100"), STORED_TEXT, "0100");
        stored_as(COLUMN_NUMERIC, text("100"), STORED_TEXT, "100");
        stored_as(COLUMN_NUMERIC, text("12.5"), STORED_TEXT, "12.5");
        stored_as(COLUMN_NUMERIC, text("R-1"), STORED_TEXT, "R-1");
        stored_as(COLUMN_NUMERIC, text("2026-07-15"), STORED_TEXT, "2026-07-15");
        stored_as(COLUMN_NUMERIC, text(""), STORED_TEXT, "");
        /* A numeric column would make a number of these that reads back differently. */
        refused(COLUMN_NUMERIC, text("0100"), "0100");
        refused(COLUMN_NUMERIC, text("1.50"), "1.50");
        refused(COLUMN_NUMERIC, text(" 7"), " 7");
        refused(COLUMN_NUMERIC, text("1e3"), "1e3");
        refused(COLUMN_NUMERIC, text("5."), "5.");
        refused(COLUMN_REAL, text("1234567890123456"), "1234567890123456");
}

static void other_types(void **state) {
        static const char uuid[16] = "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef";

        stored_as(COLUMN_NUMERIC, (Value){.type = VALUE_BOOLEAN, .integer = 1}, STORED_INTEGER, "1");
        stored_as(COLUMN_TEXT, (Value){.type = VALUE_DATE, .integer = 0}, STORED_TEXT, "1970-01-01");
        stored_as(COLUMN_TEXT, (Value){.type = VALUE_TIMESTAMP, .integer = 1000000}, STORED_TEXT,
                  "1970-01-01 00:00:01");
        stored_as(COLUMN_TEXT, (Value){.type = VALUE_TIMESTAMP, .integer = 1250000}, STORED_TEXT,
                  "1970-01-01 00:00:01.250000");
        stored_as(COLUMN_TEXT, (Value){.type = VALUE_UUID, .bytes = uuid, .size = 16}, STORED_TEXT,
                  "01234567-89ab-cdef-0123-456789abcdef");
        stored_as(COLUMN_ANY, (Value){.type = VALUE_GEOMETRY, .bytes = "\x01\x02", .size = 2}, STORED_BLOB,
                  "\x01\x02");
        stored_as(COLUMN_TEXT, (Value){.type = VALUE_JSON, .bytes = "{}", .size = 2}, STORED_TEXT, "{}");
        stored_as(COLUMN_TEXT, value_null(), STORED_NULL, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(affinities), cmocka_unit_test(decimals),
                cmocka_unit_test(texts),      cmocka_unit_test(other_types),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
