/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/postgresql-type.h"

static Arena *arena;

static int setup(void **state) { return arena_new(&arena); }

static int teardown(void **state) {
        arena = arena_free(arena);
        return 0;
}

static Value text(const char *t) { return value_text(t, strlen(t)); }
static Value decimal(int64_t coefficient, uint8_t scale) {
        return (Value){.type = VALUE_DECIMAL, .decimal = {coefficient, scale}};
}
static Value of(ValueType type, int64_t integer) { return (Value){.type = type, .integer = integer}; }

static PgType type_of(PgKind kind, int32_t modifier) {
        return (PgType){.kind = kind, .name = T("t"), .modifier = modifier};
}

/* What is written is read back as expected. */
static void stored_as(PgKind kind, int32_t modifier, Value v, ValueType type, const char *expected) {
        const PgType t = type_of(kind, modifier);
        _cleanup_error_ Error error = {};
        CopyBuffer b = {};
        Value back = {};

        if (pg_encode(&t, "c", &v, &b, &error) < 0)
                fail_msg("refused: %s", error.detail);
        assert_int_equal(copy_get32(b.bytes), b.size - 4);
        assert_int_equal(pg_decode(&t, b.bytes + 4, b.size - 4, true, arena, &back), 0);
        assert_int_equal(back.type, type);
        assert_string_equal(value_to_text(&back, arena, 0), expected);
        copy_buffer_done(&b);
}

static void refused(PgKind kind, int32_t modifier, Value v, const char *why) {
        const PgType t = type_of(kind, modifier);
        _cleanup_error_ Error error = {};
        CopyBuffer b = {};

        assert_true(pg_encode(&t, "area", &v, &b, &error) < 0);
        assert_int_equal(error.id, ERROR_RECORD_REFUSED);
        assert_string_equal(error.field, "area");
        assert_non_null(error.remedy);
        if (!strstr(error.detail, why))
                fail_msg("\"%s\" does not say \"%s\"", error.detail, why);
        assert_int_equal(b.size, 0);
        copy_buffer_done(&b);
}

#define NUMERIC(p, s) ((((p) << 16) | ((s) & 0x7ff)) + 4)

static void numbers(void **state) {
        stored_as(PG_SMALLINT, -1, value_integer(-32768), VALUE_INTEGER, "-32768");
        refused(PG_SMALLINT, -1, value_integer(32768), "range");
        stored_as(PG_INTEGER, -1, decimal(700, 2), VALUE_INTEGER, "7");
        refused(PG_INTEGER, -1, decimal(701, 2), "no whole number");
        stored_as(PG_BIGINT, -1, text("0042"), VALUE_INTEGER, "42");
        stored_as(PG_BIGINT, -1, of(VALUE_BOOLEAN, 1), VALUE_INTEGER, "1");
        refused(PG_BIGINT, -1, text("9223372036854775808"), "no whole number");
        refused(PG_INTEGER, -1, of(VALUE_DATE, 1), "another kind");
        stored_as(PG_NUMERIC, -1, decimal(12345678901234567, 4), VALUE_DECIMAL, "1234567890123.4567");
        stored_as(PG_NUMERIC, NUMERIC(14, 2), decimal(1500, 3), VALUE_DECIMAL, "1.500");
        refused(PG_NUMERIC, NUMERIC(14, 2), decimal(1501, 3), "would be rounded");
        stored_as(PG_NUMERIC, NUMERIC(5, -2), value_integer(1200), VALUE_DECIMAL, "1200");
        refused(PG_NUMERIC, NUMERIC(5, -2), value_integer(1250), "would be rounded");
        stored_as(PG_NUMERIC, -1, text("NaN"), VALUE_TEXT, "NaN");
        refused(PG_NUMERIC, -1, text("1e60"), "38 digits");
        refused(PG_NUMERIC, -1, text("much"), "another kind");
        stored_as(PG_DOUBLE, -1, decimal(123456789012345, 2), VALUE_DECIMAL, "1234567890123.45");
        refused(PG_DOUBLE, -1, decimal(1234567890123456, 2), "15 digits");
        stored_as(PG_DOUBLE, -1, decimal(33333333333333331, 17), VALUE_DECIMAL, "0.33333333333333331");
        stored_as(PG_DOUBLE, -1, text("1e-300"), VALUE_TEXT, "1e-300");
        refused(PG_DOUBLE, -1, text("1e400"), "15 digits");
        refused(PG_DOUBLE, -1, text("1.23456789012345678901e-300"), "15 digits");
        stored_as(PG_REAL, -1, decimal(1234560, 1), VALUE_DECIMAL, "123456");
        refused(PG_REAL, -1, decimal(12345678901, 1), "6 digits");
        stored_as(PG_DOUBLE, -1, text("-Infinity"), VALUE_TEXT, "-Infinity");
        stored_as(PG_BOOLEAN, -1, text("Yes"), VALUE_BOOLEAN, "true");
        stored_as(PG_BOOLEAN, -1, value_integer(0), VALUE_BOOLEAN, "false");
        refused(PG_BOOLEAN, -1, value_integer(2), "neither true nor false");
}

static void days_and_times(void **state) {
        stored_as(PG_DATE, -1, of(VALUE_DATE, -719528), VALUE_DATE, "0000-01-01");
        stored_as(PG_DATE, -1, text("9999-12-31"), VALUE_DATE, "9999-12-31");
        stored_as(PG_DATE, -1, of(VALUE_TIMESTAMP, -86400000000), VALUE_DATE, "1969-12-31");
        refused(PG_DATE, -1, of(VALUE_TIMESTAMP, 1), "time of day");
        stored_as(PG_DATE, -1, text("infinity"), VALUE_TEXT, "infinity");
        refused(PG_DATE, -1, text("10000-01-01"), "no date");
        stored_as(PG_TIMESTAMP, -1, of(VALUE_DATE, 1), VALUE_TIMESTAMP, "1970-01-02T00:00:00+00:00");
        stored_as(PG_TIMESTAMPTZ, -1, text("1970-01-01T02:00:00+02:00"), VALUE_TIMESTAMP, "1970-01-01T00:00:00+00:00");
        stored_as(PG_TIMESTAMP, 3, of(VALUE_TIMESTAMP, 1000), VALUE_TIMESTAMP, "1970-01-01T00:00:00.001000+00:00");
        refused(PG_TIMESTAMP, 3, of(VALUE_TIMESTAMP, 1001), "rounded");
        stored_as(PG_TIMESTAMPTZ, -1, text("-infinity"), VALUE_TEXT, "-infinity");
        stored_as(PG_TIME, -1, of(VALUE_TIME, 86399999999), VALUE_TIME, "23:59:59.999999");
        stored_as(PG_TIME, -1, text("24:00:00"), VALUE_TEXT, "24:00:00");
        refused(PG_TIME, 0, of(VALUE_TIME, 1), "rounded");
        refused(PG_TIME, -1, text("noon"), "no time of day");
}

static void texts_and_bytes(void **state) {
        stored_as(PG_TEXT, -1, text(""), VALUE_TEXT, "");
        stored_as(PG_TEXT, -1, decimal(-150, 2), VALUE_TEXT, "-1.50");
        stored_as(PG_TEXT, -1, of(VALUE_BOOLEAN, 1), VALUE_TEXT, "true");
        stored_as(PG_TEXT, -1, of(VALUE_TIMESTAMP, 250000), VALUE_TEXT, "1970-01-01 00:00:00.250000");
        stored_as(PG_TEXT, -1, of(VALUE_DATE, 0), VALUE_TEXT, "1970-01-01");
        refused(PG_TEXT, -1, value_text("a\0b", 3), "NUL");
        refused(PG_TEXT, -1, (Value){.type = VALUE_BYTES, .bytes = "x", .size = 1}, "another kind");
        stored_as(PG_CHAR, -1, text("ab "), VALUE_TEXT, "ab");
        stored_as(PG_UUID, -1, text("01020304-0506-0708-090A-0B0C0D0E0F10"), VALUE_UUID,
                  "01020304-0506-0708-090a-0b0c0d0e0f10");
        refused(PG_UUID, -1, text("0102"), "no uuid");
        stored_as(PG_JSONB, -1, (Value){.type = VALUE_JSON, .bytes = "[1, 2]", .size = 6}, VALUE_JSON, "[1, 2]");
        stored_as(PG_JSON, -1, value_integer(5), VALUE_JSON, "5");
        refused(PG_JSON, -1, of(VALUE_DATE, 0), "another kind");
        stored_as(PG_BYTEA, -1, (Value){.type = VALUE_BYTES, .bytes = "\0\377", .size = 2}, VALUE_BYTES, "00ff");
        refused(PG_BYTEA, -1, value_integer(1), "another kind");
        stored_as(PG_GEOMETRY, -1, (Value){.type = VALUE_GEOMETRY, .bytes = "\1\1", .size = 2}, VALUE_GEOMETRY, "0101");
        refused(PG_GEOMETRY, -1, text("POINT(1 2)"), "another kind");
}

static void long_values_are_cut_in_messages(void **state) {
        const PgType t = type_of(PG_INTEGER, -1);
        _cleanup_error_ Error error = {};
        CopyBuffer b = {};
        char word[300];
        Value v;

        memset(word, 'x', sizeof(word));
        memcpy(word + 79, "ä", 2); /* is not cut in two */
        v = value_text(word, sizeof(word));
        assert_true(pg_encode(&t, "c", &v, &b, &error) < 0);
        assert_true(strlen(error.detail) < 200);
        assert_null(strstr(error.detail, "\303"));
        copy_buffer_done(&b);
}

static void null_is_null(void **state) {
        const PgType t = type_of(PG_INTEGER, -1);
        const Value null = value_null(), absent = VALUE_NONE;
        CopyBuffer b = {};

        assert_int_equal(pg_encode(&t, "c", &null, &b, NULL), 0);
        assert_int_equal(pg_encode(&t, "c", &absent, &b, NULL), 0);
        assert_int_equal(b.size, 8);
        assert_int_equal((int32_t) copy_get32(b.bytes + 4), -1);
        copy_buffer_done(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(numbers, setup, teardown),
                cmocka_unit_test_setup_teardown(days_and_times, setup, teardown),
                cmocka_unit_test_setup_teardown(texts_and_bytes, setup, teardown),
                cmocka_unit_test(long_values_are_cut_in_messages),
                cmocka_unit_test(null_is_null),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
