/* SPDX-License-Identifier: Apache-2.0 */
#include "cast-testing.h"

#include "transform/convert.h"

static MappingField field_of(ValueType type) {
        return (MappingField){
                .name = (char *) "land_value", .type = type, .min_length = -1, .max_length = -1
        };
}

static void expect_converted(Arena *arena, const MappingField *field, Value value, ValueType type,
                             const char *expected) {
        Finding *findings = NULL;
        Value ret = VALUE_NONE;

        assert_int_equal(convert_value(&value, field, arena, &ret, &findings), 0);
        assert_null(findings);
        assert_int_equal(ret.type, type);
        assert_string_equal(value_to_text(&ret, arena, 0), expected);
}

static void expect_finding(Arena *arena, const MappingField *field, Value value, const char *text,
                           const char *message, const char *remedy) {
        Finding *findings = NULL;
        Value ret = value_integer(1);

        assert_int_equal(convert_value(&value, field, arena, &ret, &findings), 0);
        assert_int_equal(ret.type, VALUE_NULL);
        assert_non_null(findings);
        assert_null(findings->next);
        assert_int_equal(findings->severity, FINDING_ERROR);
        assert_string_equal(findings->rule, "type");
        assert_string_equal(findings->field, "land_value");
        assert_string_equal(findings->value, text);
        assert_string_equal(findings->message, message);
        assert_non_null(strstr(findings->remedy, remedy));
}

static void test_trim(void **state) {
        MappingField plain = field_of(VALUE_ABSENT), trimmed = field_of(VALUE_ABSENT),
                     integer = field_of(VALUE_INTEGER);
        const Value source = text("\t LC-1 \r\n");
        Finding *findings = NULL;
        Value ret;

        trimmed.trim = integer.trim = true;
        expect_converted(*state, &plain, source, VALUE_TEXT, "\t LC-1 \r\n");
        expect_converted(*state, &trimmed, source, VALUE_TEXT, "LC-1");
        expect_converted(*state, &trimmed, text("  "), VALUE_TEXT, "");
        expect_converted(*state, &trimmed, text("a b"), VALUE_TEXT, "a b");
        expect_converted(*state, &integer, text(" 7 "), VALUE_INTEGER, "7");
        assert_int_equal(convert_value(&source, &trimmed, *state, &ret, &findings), 0);
        assert_ptr_equal(ret.bytes, source.bytes + 2); /* a slice, no copy */
}

static void test_null_values(void **state) {
        char *null_values[] = { (char *) "", (char *) "00/00/0000", (char *) "-1", NULL };
        MappingField field = field_of(VALUE_INTEGER);

        field.null_values = null_values;
        expect_converted(*state, &field, text(""), VALUE_NULL, "null");
        expect_converted(*state, &field, text("00/00/0000"), VALUE_NULL, "null");
        expect_converted(*state, &field, value_integer(-1), VALUE_NULL, "null");
        expect_converted(*state, &field, value_integer(1), VALUE_INTEGER, "1");
        expect_finding(*state, &field, text(" "), " ", "Field 'land_value': ' ' is not a whole number.",
                       "null_values");
        field.trim = true;
        expect_converted(*state, &field, text(" "), VALUE_NULL, "null");
}

static void test_null_and_absent(void **state) {
        MappingField field = field_of(VALUE_DATE);

        expect_converted(*state, &field, value_null(), VALUE_NULL, "null");
        expect_converted(*state, &field, VALUE_NONE, VALUE_ABSENT, "absent");
}

static void test_untyped(void **state) {
        MappingField field = field_of(VALUE_ABSENT);

        expect_converted(*state, &field, value_integer(5), VALUE_INTEGER, "5");
        expect_converted(*state, &field, number("5.10"), VALUE_DECIMAL, "5.10");
        expect_converted(*state, &field, bytes_of(VALUE_BYTES, "\xff", 1), VALUE_BYTES, "ff");
        expect_finding(*state, &field, bytes_of(VALUE_TEXT, "\xff", 1), "ff",
                       "Field 'land_value': 'ff' is not valid UTF-8.", "encoding");
}

static void test_messages(void **state) {
        MappingField field = field_of(VALUE_DECIMAL);

        field.precision = 14;
        field.scale = 2;
        expect_finding(
                *state, &field, text("12.345"), "12.345",
                "Field 'land_value': '12.345' has more digits after the point than decimal(14,2) holds.",
                "accept: rounds");
        expect_finding(*state, &field, number("1234567890123"), "1234567890123",
                       "Field 'land_value': 1234567890123 has more digits than decimal(14,2) holds.",
                       "more digits");
        expect_finding(*state, &field, text("n/a"), "n/a", "Field 'land_value': 'n/a' is not a number.",
                       "null_values");
        expect_finding(*state, &field, of_type(VALUE_DATE, 0), "1970-01-01",
                       "Field 'land_value': 1970-01-01 is of type date and cannot become decimal(14,2).",
                       "map another column");
        field = field_of(VALUE_DATE);
        expect_finding(*state, &field, text("5/1/26"), "5/1/26",
                       "Field 'land_value': '5/1/26' is not a date (YYYY-MM-DD).", "format");
        field.format = (char *) "%m/%d/%Y";
        expect_finding(*state, &field, text("5/1/26"), "5/1/26",
                       "Field 'land_value': '5/1/26' is not a date of the form %m/%d/%Y.", "format");
        field = field_of(VALUE_INTEGER);
        expect_finding(*state, &field, text("9223372036854775808"), "9223372036854775808",
                       "Field 'land_value': '9223372036854775808' is out of the range of integers "
                       "(-9223372036854775808 to 9223372036854775807).",
                       "more digits");
        field = field_of(VALUE_GEOMETRY);
        expect_finding(*state, &field, bytes_of(VALUE_BYTES, "GP", 2), "4750",
                       "Field 'land_value': 4750 is not a whole geometry in WKB or EWKB.", "ST_AsBinary");
        field.srid = 2927;
        expect_finding(*state, &field, text("01010000203F420F00000000000000F03F0000000000000040"),
                       "01010000203F420F00000000000000F03F0000000000000040",
                       "Field 'land_value': '01010000203F420F00000000000000F03F0000000000000040' is a "
                       "geometry of another "
                       "reference system than EPSG:2927: PROJ does not know the coordinate system ESRI:999999.",
                       "srid");
}

/* Every fault that a type can meet has a sentence and a remedy, whatever the type. */
static void test_every_fault_has_words(void **state) {
        const Value values[] = {
                text("x"),
                text("1.5"),
                text("99999999999999999999"),
                text("2026-01-01T01:00:00"),
                text("2026-01-01T01:00:00.1234567"),
                bytes_of(VALUE_TEXT, "\xff", 1),
                bytes_of(VALUE_TEXT, "\0", 1),
                bytes_of(VALUE_BYTES, "\xff", 1),
                value_integer(5),
                of_type(VALUE_TIME, 0),
        };

        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                for (ValueType type = VALUE_ABSENT; type < _VALUE_TYPE_MAX; type++) {
                        MappingField field = field_of(type);
                        Finding *findings = NULL;
                        Value ret;

                        field.precision = 3;
                        assert_int_equal(convert_value(&values[i], &field, *state, &ret, &findings), 0);
                        if (!findings)
                                continue;
                        assert_int_equal(ret.type, VALUE_NULL);
                        assert_non_null(findings->remedy);
                        assert_null(strstr(findings->message, "(null)"));
                        assert_null(strstr(findings->message, "cannot be converted"));
                }
}

static void test_long_values_are_cut_in_messages(void **state) {
        MappingField field = field_of(VALUE_INTEGER);
        char *long_text = arena_alloc(*state, 5000);
        const Value value = value_text(long_text, 5000);
        Finding *findings = NULL;
        Value ret;

        memset(long_text, 'x', 5000);
        assert_int_equal(convert_value(&value, &field, *state, &ret, &findings), 0);
        assert_non_null(findings);
        assert_in_range(strlen(findings->message), 200, 300);
}

static void test_truncates_text(void **state) {
        MappingField field = field_of(VALUE_TEXT);

        field.max_length = 4;
        expect_converted(*state, &field, text("Häuser"), VALUE_TEXT, "Häuser");
        field.accept = ACCEPT_TRUNCATES;
        expect_converted(*state, &field, text("Häuser"), VALUE_TEXT, "Häus");
        expect_converted(*state, &field, text("äöü€"), VALUE_TEXT, "äöü€");
        expect_converted(*state, &field, text("äöü€€"), VALUE_TEXT, "äöü€");
        field.max_length = 0;
        expect_converted(*state, &field, text("x"), VALUE_TEXT, "");
}

static void expect_fetched(Arena *arena, const MappingField *field, Value raw, ValueType type,
                           const char *expected) {
        Value ret = VALUE_NONE;

        assert_int_equal(convert_fetched(&raw, field, arena, &ret), 0);
        assert_int_equal(ret.type, type);
        assert_string_equal(value_to_text(&ret, arena, 0), expected);
}

static void test_fetched(void **state) {
        MappingField field = field_of(VALUE_DECIMAL);
        char *null_values[] = { (char *) "7", NULL };

        field.precision = 5;
        field.scale = 2;
        field.accept = ACCEPT_ROUNDS;
        field.null_values = null_values;
        expect_fetched(*state, &field, text("7"), VALUE_DECIMAL, "7.00");
        expect_fetched(*state, &field, text("7.123"), VALUE_TEXT,
                       "7.123"); /* the target holds what we never write */
        expect_fetched(*state, &field, text(" 7"), VALUE_TEXT, " 7");
        expect_fetched(*state, &field, value_null(), VALUE_NULL, "null");
        field = field_of(VALUE_DATE);
        field.format = (char *) "%m/%d/%Y";
        expect_fetched(*state, &field, text("2026-02-28"), VALUE_DATE,
                       "2026-02-28"); /* format is the source's */
        expect_fetched(*state, &field, text("02/28/2026"), VALUE_TEXT, "02/28/2026");
        field = field_of(VALUE_BOOLEAN);
        expect_fetched(*state, &field, value_integer(1), VALUE_BOOLEAN, "true");
        field = field_of(VALUE_TEXT);
        field.trim = true;
        expect_fetched(*state, &field, text("a "), VALUE_TEXT, "a ");
}

/* A source that changed how it writes dates; what no form fits names them all. */
static void test_several_formats(void **state) {
        char *more[] = { (char *) "%m/%d/%Y", (char *) "%Y%m%d", NULL };
        MappingField field = field_of(VALUE_DATE);

        field.format = (char *) "%m/%d/%Y %H:%M:%S";
        field.more_formats = more;
        expect_converted(*state, &field, text("11/21/1979 0:00:00"), VALUE_DATE, "1979-11-21");
        expect_converted(*state, &field, text("11/21/1979"), VALUE_DATE, "1979-11-21");
        expect_converted(*state, &field, text("19791121"), VALUE_DATE, "1979-11-21");
        expect_converted(*state, &field, value_integer(19791121), VALUE_DATE, "1979-11-21");
        expect_finding(*state, &field, text("1979"), "1979",
                       "Field 'land_value': '1979' is not a date of the form %m/%d/%Y %H:%M:%S or %m/%d/%Y or "
                       "%Y%m%d.", "format");
        /* One that fits but would lose something is not passed over for one that does not fit. */
        expect_finding(*state, &field, text("11/21/1979 8:30:00"), "11/21/1979 8:30:00",
                       "Field 'land_value': '11/21/1979 8:30:00' has a time of day or a time zone that a date "
                       "cannot hold.", "timestamp");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_trim, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_null_values, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_null_and_absent, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_untyped, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_messages, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_every_fault_has_words, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_long_values_are_cut_in_messages, arena_setup,
                                                arena_teardown),
                cmocka_unit_test_setup_teardown(test_truncates_text, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_several_formats, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_fetched, arena_setup, arena_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
