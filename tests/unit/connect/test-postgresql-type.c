/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/postgresql-type.h"

static Arena *arena;

static int setup(void **state) { return arena_new(&arena); }

static int teardown(void **state) {
        arena = arena_free(arena);
        return 0;
}

static void decodes(PgKind kind, const char *bytes, size_t size, ValueType type, const char *expected) {
        const PgType t = {.kind = kind, .name = T("t"), .modifier = -1};
        Value v = {};

        assert_int_equal(pg_decode(&t, bytes, size, true, arena, &v), 0);
        assert_int_equal(v.type, type);
        assert_string_equal(value_to_text(&v, arena, 0), expected);
}

static void decodes64(PgKind kind, int64_t number, ValueType type, const char *expected) {
        char bytes[8];

        (void) copy_set64(bytes, (uint64_t) number);
        decodes(kind, bytes, 8, type, expected);
}

static void decodes32(PgKind kind, int32_t number, ValueType type, const char *expected) {
        char bytes[4];

        (void) copy_set32(bytes, (uint32_t) number);
        decodes(kind, bytes, 4, type, expected);
}

static void kinds(void **state) {
        assert_int_equal(pg_kind_of(1700, false, "numeric"), PG_NUMERIC);
        assert_int_equal(pg_kind_of(1042, false, "bpchar"), PG_CHAR);
        assert_int_equal(pg_kind_of(16400, true, "status"), PG_TEXT);
        assert_int_equal(pg_kind_of(16400, false, "geometry"), PG_GEOMETRY);
        assert_int_equal(pg_kind_of(869, false, "inet"), PG_OTHER);
        assert_int_equal(pg_kind_of(1186, false, "interval"), PG_OTHER);
        assert_int_equal(pg_kind_of(16400, false, "geography"), PG_GEOMETRY);
        assert_int_equal(pg_kind_of(790, false, "money"), PG_MONEY);
        assert_int_equal(pg_kind_of(5069, false, "xid8"), PG_XID8);
}

static void compounds(void **state) {
        assert_string_equal(pg_compound_of('b', 'A'), "an array");
        assert_string_equal(pg_compound_of('c', 'C'), "a composite type");
        assert_string_equal(pg_compound_of('r', 'R'), "a range");
        assert_string_equal(pg_compound_of('m', 'R'), "a multirange");
        assert_null(pg_compound_of('b', 'N'));
        assert_null(pg_compound_of('e', 'E'));
}

static void casts(void **state) {
        static const struct {
                PgKind kind;
                const char *cast;
        } expected[] = {{PG_OTHER, "text"}, {PG_XID8, "text"}, {PG_MONEY, "numeric"}, {PG_TEXT, NULL}, {PG_NUMERIC, NULL}, {PG_GEOMETRY, NULL}};

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                const PgType type = {.kind = expected[i].kind};
                const char *cast = pg_cast_of(&type);

                assert_true(cast == expected[i].cast || strcmp(cast, expected[i].cast) == 0);
        }
}

static void numbers_and_texts(void **state) {
        decodes(PG_SMALLINT, "\200\0", 2, VALUE_INTEGER, "-32768");
        decodes32(PG_INTEGER, INT32_MIN, VALUE_INTEGER, "-2147483648");
        decodes64(PG_BIGINT, INT64_MAX, VALUE_INTEGER, "9223372036854775807");
        decodes(PG_BOOLEAN, "\1", 1, VALUE_BOOLEAN, "true");
        decodes(PG_TEXT, "a b  ", 5, VALUE_TEXT, "a b  ");
        decodes(PG_CHAR, "a b  ", 5, VALUE_TEXT, "a b");
        decodes(PG_CHAR, "   ", 3, VALUE_TEXT, "");
        decodes(PG_TEXT, "\377", 1, VALUE_BYTES, "ff"); /* of a database without an encoding */
        decodes(PG_JSON, "{\"a\":1}", 7, VALUE_JSON, "{\"a\":1}");
        decodes(PG_JSONB, "\1[1]", 4, VALUE_JSON, "[1]");
        decodes(PG_BYTEA, "\0\1", 2, VALUE_BYTES, "0001");
        decodes(PG_UUID, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20", 16, VALUE_UUID,
                "01020304-0506-0708-090a-0b0c0d0e0f10");
        decodes(PG_DOUBLE, "\77\271\231\231\231\231\231\232", 8, VALUE_DECIMAL, "0.1");
        decodes(PG_DOUBLE, "\177\370\0\0\0\0\0\0", 8, VALUE_TEXT, "NaN");
        decodes(PG_DOUBLE, "\377\360\0\0\0\0\0\0", 8, VALUE_TEXT, "-Infinity");
        decodes(PG_REAL, "\75\314\314\315", 4, VALUE_DECIMAL, "0.1");
}

static void days_and_times(void **state) {
        decodes32(PG_DATE, 0, VALUE_DATE, "2000-01-01");
        decodes32(PG_DATE, -10958, VALUE_DATE, "1969-12-31");
        decodes32(PG_DATE, -730485, VALUE_DATE, "0000-01-01");
        decodes32(PG_DATE, -730486, VALUE_TEXT, "0002-12-31 BC");
        decodes32(PG_DATE, 2921939, VALUE_DATE, "9999-12-31");
        decodes32(PG_DATE, 2921940, VALUE_TEXT, "10000-01-01");
        decodes32(PG_DATE, INT32_MAX, VALUE_TEXT, "infinity");
        decodes32(PG_DATE, INT32_MIN, VALUE_TEXT, "-infinity");
        decodes64(PG_TIMESTAMP, -1, VALUE_TIMESTAMP, "1999-12-31T23:59:59.999999+00:00");
        decodes64(PG_TIMESTAMPTZ, 250000, VALUE_TIMESTAMP, "2000-01-01T00:00:00.250000+00:00");
        decodes64(PG_TIMESTAMPTZ, 2921940 * 86400000000LL, VALUE_TEXT, "10000-01-01 00:00:00+00");
        decodes64(PG_TIMESTAMP, 2921940 * 86400000000LL - 1, VALUE_TIMESTAMP, "9999-12-31T23:59:59.999999+00:00");
        decodes64(PG_TIMESTAMP, -730486 * 86400000000LL + 1500000, VALUE_TEXT, "0002-12-31 00:00:01.500000 BC");
        decodes64(PG_TIMESTAMP, INT64_MAX, VALUE_TEXT, "infinity");
        decodes64(PG_TIMESTAMP, INT64_MIN, VALUE_TEXT, "-infinity");
        decodes64(PG_TIME, 86399999999, VALUE_TIME, "23:59:59.999999");
        decodes64(PG_TIME, 86400000000, VALUE_TEXT, "24:00:00");
}

static void broken_ones_are_told(void **state) {
        static const struct {
                PgKind kind;
                size_t size;
        } wrong[] = {{PG_SMALLINT, 4}, {PG_BIGINT, 4}, {PG_UUID, 15}, {PG_JSONB, 0}, {PG_NUMERIC, 3}, {PG_BOOLEAN, 0}};
        const PgType time = {.kind = PG_TIME}, jsonb = {.kind = PG_JSONB};
        char bytes[16] = {};
        Value v;

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                const PgType t = {.kind = wrong[i].kind};

                assert_int_equal(pg_decode(&t, bytes, wrong[i].size, false, arena, &v), -EBADMSG);
        }
        memset(bytes, 0x7f, 8);
        assert_int_equal(pg_decode(&time, bytes, 8, false, arena, &v), -EBADMSG);
        assert_int_equal(pg_decode(&jsonb, "\2{}", 3, false, arena, &v), -EBADMSG);
}

static void literal_is(PgKind kind, const char *name, Value v, const char *expected) {
        const PgType t = {.kind = kind, .name = T(name), .modifier = -1};
        CopyBuffer b = {};

        assert_int_equal(pg_literal(&t, &v, &b), 0);
        assert_int_equal(b.size, strlen(expected));
        assert_memory_equal(b.bytes, expected, b.size);
        copy_buffer_done(&b);
}

static void literals(void **state) {
        literal_is(PG_BIGINT, "bigint", value_integer(-5), "'-5'::bigint");
        literal_is(PG_TEXT, "text", value_text("O'Hara \\ x", 10), "'O''Hara \\ x'::text");
        literal_is(PG_NUMERIC, "numeric", (Value){.type = VALUE_DECIMAL, .decimal = {150, 2}}, "'1.50'::numeric");
        literal_is(PG_DATE, "date", (Value){.type = VALUE_DATE, .integer = -1}, "'1969-12-31'::date");
        literal_is(PG_TIMESTAMP, "timestamp without time zone", (Value){.type = VALUE_TIMESTAMP, .integer = 1},
                   "'1970-01-01T00:00:00.000001'::timestamp without time zone");
        literal_is(PG_TIMESTAMPTZ, "timestamp with time zone", (Value){.type = VALUE_TIMESTAMP, .integer = 0},
                   "'1970-01-01T00:00:00+00:00'::timestamp with time zone");
        literal_is(PG_BYTEA, "bytea", (Value){.type = VALUE_BYTES, .bytes = "\1\2", .size = 2}, "'\\x0102'::bytea");
        literal_is(PG_UUID, "uuid", (Value){.type = VALUE_UUID, .bytes = "0123456789abcdef", .size = 16},
                   "'30313233343536373839616263646566'::uuid");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kinds), cmocka_unit_test(compounds), cmocka_unit_test(casts),
                cmocka_unit_test_setup_teardown(numbers_and_texts, setup, teardown),
                cmocka_unit_test_setup_teardown(days_and_times, setup, teardown),
                cmocka_unit_test_setup_teardown(broken_ones_are_told, setup, teardown),
                cmocka_unit_test_setup_teardown(literals, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
