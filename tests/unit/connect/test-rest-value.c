/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-value.h"
#include "../testing.h"
#include "basic/uuid.h"

static Arena *arena;

static int setup(void **state) { return arena_new(&arena); }
static int teardown(void **state) {
        arena_free(arena);
        return 0;
}

static ODataProperty of(EdmType type) { return (ODataProperty){.name = "p", .type_name = "t", .type = type, .precision = -1, .scale = -1}; }

static Value read_as(const char *json, int type) {
        const ODataProperty p = of((EdmType) type);
        const JsonItem *item;
        Value v;

        assert_int_equal(json_item_parse(json, strlen(json), 1 << 20, arena, &item, NULL), 0);
        assert_int_equal(rest_value_read(item, type < 0 ? NULL : &p, arena, &v), 0);
        return v;
}

static void reads(const char *json, int type, ValueType value_type, const char *text) {
        Value v = read_as(json, type);
        const char *is;

        assert_int_equal(v.type, value_type);
        is = v.type == VALUE_NULL ? "null" : value_to_text(&v, arena, 0);
        assert_string_equal(is, text);
}

static void test_reading(void **state) {
        reads("null", EDM_STRING, VALUE_NULL, "null");
        reads("\"12345678901234567890.10\"", EDM_DECIMAL, VALUE_DECIMAL, "12345678901234567890.10");
        reads("12345678901234567.10", EDM_DECIMAL, VALUE_DECIMAL, "12345678901234567.10");
        reads("\"9223372036854775807\"", EDM_INT64, VALUE_INTEGER, "9223372036854775807");
        reads("9007199254740993", EDM_INT64, VALUE_INTEGER, "9007199254740993");
        reads("\"9223372036854775808\"", EDM_INT64, VALUE_TEXT, "9223372036854775808");
        reads("0.1", EDM_DOUBLE, VALUE_DECIMAL, "0.1");
        reads("\"INF\"", EDM_DOUBLE, VALUE_TEXT, "INF");
        reads("1e300", EDM_DOUBLE, VALUE_TEXT, "1e300");
        reads("true", EDM_BOOLEAN, VALUE_BOOLEAN, "true");
        reads("\"2026-02-28\"", EDM_DATE, VALUE_DATE, "2026-02-28");
        reads("\"2026-02-30\"", EDM_DATE, VALUE_TEXT, "2026-02-30");
        reads("\"2026-02-28T01:02:03.5+01:00\"", EDM_DATE_TIME_OFFSET, VALUE_TIMESTAMP, "2026-02-28T00:02:03.500000+00:00");
        reads("\"01:02:03\"", EDM_TIME_OF_DAY, VALUE_TIME, "01:02:03");
        reads("\"01234567-89AB-cdef-0123-456789abcdef\"", EDM_GUID, VALUE_UUID, "01234567-89ab-cdef-0123-456789abcdef");
        reads("\"none\"", EDM_GUID, VALUE_TEXT, "none");
        reads("\"_-8=\"", EDM_BINARY, VALUE_BYTES, "ffef");
        reads("\"/+8\"", EDM_BINARY, VALUE_BYTES, "ffef");
        reads("\"!\"", EDM_BINARY, VALUE_TEXT, "!");
        reads("{\"a\": 1.10}", EDM_STRUCTURE, VALUE_JSON, "{\"a\": 1.10}");
        reads("\"x\\\"y\"", EDM_STRUCTURE, VALUE_JSON, "\"x\\\"y\"");
}

static void test_reading_without_a_type(void **state) {
        reads("17", -1, VALUE_INTEGER, "17");
        reads("17.0", -1, VALUE_DECIMAL, "17.0");
        reads("0.1", -1, VALUE_DECIMAL, "0.1");
        reads("1234567890123456789012345678901234567890", -1, VALUE_TEXT, "1234567890123456789012345678901234567890");
        reads("\"17\"", -1, VALUE_TEXT, "17");
        reads("false", -1, VALUE_BOOLEAN, "false");
        reads("[1, 2]", -1, VALUE_JSON, "[1, 2]");
}

static void writes(Value v, int type, const char *json) {
        const ODataProperty p = of((EdmType) type);
        _cleanup_text_buffer_ TextBuffer b = {};

        assert_int_equal(rest_value_write(&v, type < 0 ? NULL : &p, arena, &b), 0);
        assert_string_equal(b.bytes, json);
}

static Value decimal_of(const char *text) {
        Value v = {.type = VALUE_DECIMAL};

        assert_int_equal(decimal_parse(text, strlen(text), &v.decimal), 0);
        return v;
}

static void test_writing(void **state) {
        uint8_t uuid[16];

        assert_int_equal(uuid_parse("01234567-89ab-cdef-0123-456789abcdef", 36, uuid), 0);
        writes(value_null(), EDM_DECIMAL, "null");
        writes(decimal_of("12345678901234567890.10"), EDM_DECIMAL, "\"12345678901234567890.10\"");
        writes(value_integer(5), EDM_DECIMAL, "\"5\"");
        writes(value_integer(INT64_MIN), EDM_INT64, "\"-9223372036854775808\"");
        writes(value_integer(5), EDM_INTEGER, "5");
        writes(decimal_of("5.0"), EDM_INTEGER, "5");
        writes(decimal_of("0.25"), EDM_DOUBLE, "0.25");
        writes(value_text("a\"b", 3), EDM_STRING, "\"a\\\"b\"");
        writes(value_integer(7), EDM_STRING, "\"7\"");
        writes((Value){.type = VALUE_BOOLEAN, .integer = 1}, EDM_BOOLEAN, "true");
        writes((Value){.type = VALUE_DATE, .integer = 0}, EDM_DATE, "\"1970-01-01\"");
        writes((Value){.type = VALUE_TIMESTAMP, .integer = 1500000}, EDM_DATE_TIME_OFFSET, "\"1970-01-01T00:00:01.500000Z\"");
        writes((Value){.type = VALUE_TIMESTAMP, .integer = 1000000}, EDM_DATE_TIME_OFFSET, "\"1970-01-01T00:00:01Z\"");
        writes((Value){.type = VALUE_TIME, .integer = 3723000000}, EDM_TIME_OF_DAY, "\"01:02:03\"");
        writes((Value){.type = VALUE_UUID, .bytes = (const char *) uuid, .size = 16}, EDM_GUID, "\"01234567-89ab-cdef-0123-456789abcdef\"");
        writes((Value){.type = VALUE_BYTES, .bytes = "\xff\xef", .size = 2}, EDM_BINARY, "\"_-8=\"");
        writes((Value){.type = VALUE_JSON, .bytes = "[1]", .size = 3}, EDM_STRUCTURE, "[1]");
        writes(decimal_of("1.10"), -1, "1.10");
        writes((Value){.type = VALUE_DATE, .integer = 1}, -1, "\"1970-01-02\"");
}

static void refuses(Value v, ODataProperty p) {
        _cleanup_text_buffer_ TextBuffer b = {};

        assert_int_equal(rest_value_write(&v, &p, arena, &b), -ERANGE);
}

static void test_what_a_property_cannot_hold(void **state) {
        ODataProperty p = of(EDM_DECIMAL);

        refuses(decimal_of("1.5"), of(EDM_INTEGER));
        refuses(value_text("5", 1), of(EDM_INTEGER));
        refuses(value_text("5", 1), of(EDM_DECIMAL));
        refuses(decimal_of("0.1234567890123456"), of(EDM_DOUBLE));
        refuses(value_integer(1), of(EDM_BOOLEAN));
        refuses(value_text("x", 1), of(EDM_DATE));
        refuses((Value){.type = VALUE_BYTES, .bytes = "x", .size = 1}, of(EDM_STRING));
        p.precision = 5;
        p.scale = 2;
        refuses(decimal_of("1.005"), p);
        refuses(decimal_of("1000.00"), p);
        writes(decimal_of("999.990"), EDM_DECIMAL, "\"999.990\"");
        p = of(EDM_DATE_TIME_OFFSET);
        p.precision = 3;
        refuses((Value){.type = VALUE_TIMESTAMP, .integer = 1000001}, p);
        p.precision = 0;
        refuses((Value){.type = VALUE_TIMESTAMP, .integer = 1500000}, p);
}

static void literal_is(Value v, EdmType type, const char *text) {
        const ODataProperty p = of(type);
        _cleanup_text_buffer_ TextBuffer b = {};

        assert_int_equal(odata_literal(&v, &p, arena, &b), 0);
        assert_string_equal(b.bytes, text);
}

static void test_literals(void **state) {
        literal_is(value_text("O'Hara", 6), EDM_STRING, "'O''Hara'");
        literal_is(value_integer(7), EDM_STRING, "'7'");
        literal_is(value_integer(7), EDM_INT64, "7");
        literal_is(decimal_of("7.50"), EDM_DECIMAL, "7.50");
        literal_is((Value){.type = VALUE_DATE, .integer = 0}, EDM_DATE, "1970-01-01");
        literal_is((Value){.type = VALUE_TIMESTAMP}, EDM_DATE_TIME_OFFSET, "1970-01-01T00:00:00Z");
        literal_is(value_null(), EDM_STRING, "null");
}

static void same_is(bool expected, Value written, const char *present, int type) {
        const ODataProperty p = of((EdmType) type);
        const JsonItem *item;

        assert_int_equal(json_item_parse(present, strlen(present), 1 << 20, arena, &item, NULL), 0);
        assert_int_equal(rest_value_same(&written, item, type < 0 ? NULL : &p, arena), expected);
}

static void test_same(void **state) {
        same_is(true, decimal_of("1.50"), "1.5", EDM_DECIMAL);
        same_is(true, decimal_of("1.50"), "\"1.500\"", EDM_DECIMAL);
        same_is(false, decimal_of("1.50"), "\"1.51\"", EDM_DECIMAL);
        same_is(true, (Value){.type = VALUE_TIMESTAMP, .integer = 1000000}, "\"1970-01-01T01:00:01+01:00\"", -1);
        same_is(true, value_null(), "null", EDM_STRING);
        same_is(false, value_null(), "\"\"", EDM_STRING);
        same_is(false, value_text("a", 1), "null", EDM_STRING);
        same_is(true, value_text("a", 1), "\"\\u0061\"", EDM_STRING);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_reading, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reading_without_a_type, setup, teardown),
                cmocka_unit_test_setup_teardown(test_writing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_a_property_cannot_hold, setup, teardown),
                cmocka_unit_test_setup_teardown(test_literals, setup, teardown),
                cmocka_unit_test_setup_teardown(test_same, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
