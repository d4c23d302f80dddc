/* SPDX-License-Identifier: Apache-2.0 */
#include "cast-testing.h"

static const CastShape to_integer = { .type = VALUE_INTEGER }, to_boolean = { .type = VALUE_BOOLEAN };
static const CastShape to_text = { .type = VALUE_TEXT }, to_uuid = { .type = VALUE_UUID },
                       to_json = { .type = VALUE_JSON };
static const CastShape to_bytes = { .type = VALUE_BYTES }, to_geometry = { .type = VALUE_GEOMETRY };

static CastShape decimal(uint8_t precision, uint8_t scale, FieldAccept accept) {
        return (CastShape){
                .type = VALUE_DECIMAL, .precision = precision, .scale = scale, .accept = accept
        };
}

static void test_integer_from_text(void **state) {
        expect_cast(*state, text("42"), to_integer, "42");
        expect_cast(*state, text("+42"), to_integer, "42");
        expect_cast(*state, text("-0"), to_integer, "0");
        expect_cast(*state, text("4.0"), to_integer, "4");
        expect_cast(*state, text("4.000000"), to_integer, "4");
        expect_cast(*state, text("1e3"), to_integer, "1000");
        expect_cast(*state, text("0042"), to_integer, "42");
        expect_cast(*state, text("9223372036854775807"), to_integer, "9223372036854775807");
        expect_cast(*state, text("-9223372036854775808"), to_integer, "-9223372036854775808");
        expect_fault(*state, text("9223372036854775808"), to_integer, CAST_DIGITS);
        expect_fault(*state, text("-9223372036854775809"), to_integer, CAST_DIGITS);
        expect_fault(*state, text("100000000000000000000000000000000000000000"), to_integer, CAST_DIGITS);
        expect_fault(*state, text("4.5"), to_integer, CAST_FRACTION);
        expect_fault(*state, text("0.00000000000000000001"), to_integer, CAST_FRACTION);
        const char *const wrong[] = {
                "", " 4", "4 ", "4,000", "four", "0x10", "--4", "NaN", "4.", "1e", "$4"
        };
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                expect_fault(*state, text(wrong[i]), to_integer, CAST_FORM);
}

static void test_integer_from_others(void **state) {
        expect_cast(*state, value_integer(INT64_MIN), to_integer, "-9223372036854775808");
        expect_cast(*state, number("12.00"), to_integer, "12");
        expect_fault(*state, number("12.01"), to_integer, CAST_FRACTION);
        expect_fault(*state, number("9223372036854775808"), to_integer, CAST_DIGITS);
        expect_cast(*state, of_type(VALUE_BOOLEAN, 1), to_integer, "1");
        expect_fault(*state, of_type(VALUE_DATE, 1), to_integer, CAST_KIND);
        expect_fault(*state, of_type(VALUE_TIMESTAMP, 1), to_integer, CAST_KIND);
        expect_fault(*state, bytes_of(VALUE_BYTES, "1", 1), to_integer, CAST_KIND);
        expect_fault(*state, bytes_of(VALUE_JSON, "1", 1), to_integer, CAST_KIND);
}

static void test_integer_accepts_loss(void **state) {
        CastShape rounds = { .type = VALUE_INTEGER, .accept = ACCEPT_ROUNDS };
        CastShape truncates = { .type = VALUE_INTEGER, .accept = ACCEPT_TRUNCATES };

        expect_cast(*state, text("2.5"), rounds, "2");
        expect_cast(*state, text("3.5"), rounds, "4");
        expect_cast(*state, text("-2.51"), rounds, "-3");
        expect_cast(*state, text("2.99"), truncates, "2");
        expect_cast(*state, text("-2.99"), truncates, "-2");
        expect_fault(*state, text("9223372036854775807.5"), rounds, CAST_DIGITS);
        expect_cast(*state, text("9223372036854775807.5"), truncates, "9223372036854775807");
        expect_fault(*state, text("many"), rounds, CAST_FORM);
}

static void test_decimal(void **state) {
        expect_cast(*state, text("12.5"), decimal(14, 2, ACCEPT_NOTHING), "12.50");
        expect_cast(*state, text("12.500"), decimal(14, 2, ACCEPT_NOTHING), "12.50");
        expect_fault(*state, text("12.501"), decimal(14, 2, ACCEPT_NOTHING), CAST_FRACTION);
        expect_cast(*state, text("12.505"), decimal(14, 2, ACCEPT_ROUNDS), "12.50");
        expect_cast(*state, text("12.515"), decimal(14, 2, ACCEPT_ROUNDS), "12.52");
        expect_cast(*state, text("12.519"), decimal(14, 2, ACCEPT_TRUNCATES), "12.51");
        expect_cast(*state, text("-12.519"), decimal(14, 2, ACCEPT_TRUNCATES), "-12.51");
        expect_cast(*state, value_integer(7), decimal(14, 2, ACCEPT_NOTHING), "7.00");
        expect_cast(*state, number("7.1"), decimal(14, 2, ACCEPT_NOTHING), "7.10");
        expect_cast(*state, of_type(VALUE_BOOLEAN, 0), decimal(1, 0, ACCEPT_NOTHING), "0");
        expect_fault(*state, text(""), decimal(14, 2, ACCEPT_NOTHING), CAST_FORM);
        expect_fault(*state, text("1,000.00"), decimal(14, 2, ACCEPT_NOTHING), CAST_FORM);
        expect_fault(*state, of_type(VALUE_TIME, 0), decimal(14, 2, ACCEPT_NOTHING), CAST_KIND);
}

static void test_decimal_limits(void **state) {
        expect_cast(*state, text("999.99"), decimal(5, 2, ACCEPT_NOTHING), "999.99");
        expect_fault(*state, text("1000.00"), decimal(5, 2, ACCEPT_NOTHING), CAST_DIGITS);
        expect_fault(*state, text("-1000"), decimal(5, 2, ACCEPT_NOTHING), CAST_DIGITS);
        /* Rounding makes one digit more. */
        expect_fault(*state, text("999.995"), decimal(5, 2, ACCEPT_ROUNDS), CAST_DIGITS);
        expect_cast(*state, text("999.995"), decimal(5, 2, ACCEPT_TRUNCATES), "999.99");
        expect_cast(*state, text("0.00"), decimal(2, 2, ACCEPT_NOTHING), "0.00");
        expect_fault(*state, text("1"), decimal(2, 2, ACCEPT_NOTHING), CAST_DIGITS);
        expect_cast(*state, text("99999999999999999999999999999999999999"), decimal(38, 0, ACCEPT_NOTHING),
                    "99999999999999999999999999999999999999");
        expect_fault(*state, text("99999999999999999999999999999999999999"), decimal(38, 1, ACCEPT_NOTHING),
                     CAST_DIGITS);
        /* Without digits of its own a decimal keeps what comes. */
        expect_cast(*state, text("1.2300"), decimal(0, 0, ACCEPT_NOTHING), "1.2300");
}

static void test_boolean(void **state) {
        const char *const yes[] = { "1", "true", "TRUE", "t", "T", "y", "Y", "yes", "Yes" };
        const char *const no[] = { "0", "false", "False", "f", "F", "n", "N", "no", "NO" };
        const char *const neither[] = { "", "2", "on", "off", "tru", "yess", "ja", " 1", "1.0" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                expect_cast(*state, text(yes[i]), to_boolean, "true");
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                expect_cast(*state, text(no[i]), to_boolean, "false");
        for (size_t i = 0; i < ELEMENTSOF(neither); i++)
                expect_fault(*state, text(neither[i]), to_boolean, CAST_FORM);
        expect_cast(*state, value_integer(1), to_boolean, "true");
        expect_cast(*state, value_integer(0), to_boolean, "false");
        expect_fault(*state, value_integer(2), to_boolean, CAST_FORM);
        expect_fault(*state, value_integer(-1), to_boolean, CAST_FORM);
        expect_cast(*state, number("1.00"), to_boolean, "true");
        expect_fault(*state, number("0.5"), to_boolean, CAST_FORM);
        expect_fault(*state, of_type(VALUE_DATE, 1), to_boolean, CAST_KIND);
}

static void test_text(void **state) {
        expect_cast(*state, text("Häuser"), to_text, "Häuser");
        expect_cast(*state, text(""), to_text, "");
        expect_cast(*state, value_integer(INT64_MIN), to_text, "-9223372036854775808");
        expect_cast(*state, number("12.50"), to_text, "12.50");
        expect_cast(*state, of_type(VALUE_BOOLEAN, 1), to_text, "true");
        expect_cast(*state, of_type(VALUE_DATE, 10000), to_text, "1997-05-19");
        expect_cast(*state, of_type(VALUE_TIME, 3661000001), to_text, "01:01:01.000001");
        expect_cast(*state, of_type(VALUE_TIMESTAMP, -1), to_text, "1969-12-31T23:59:59.999999+00:00");
        expect_cast(*state, bytes_of(VALUE_JSON, "{\"a\":1}", 7), to_text, "{\"a\":1}");
        expect_cast(*state, bytes_of(VALUE_BYTES, "Häuser", 7), to_text, "Häuser");
        expect_cast(
                *state,
                bytes_of(VALUE_UUID, "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16),
                to_text, "01234567-89ab-cdef-0123-456789abcdef");
        expect_fault(*state, bytes_of(VALUE_BYTES, "H\xe4user", 6), to_text, CAST_ENCODING);
        expect_fault(*state, bytes_of(VALUE_TEXT, "H\xe4user", 6), to_text, CAST_ENCODING);
        expect_fault(*state, bytes_of(VALUE_TEXT, "a\0b", 3), to_text, CAST_NUL);
        expect_fault(*state, bytes_of(VALUE_GEOMETRY, "x", 1), to_text, CAST_KIND);
        expect_fault(*state, of_type(VALUE_DATE, INT64_MAX), to_text, CAST_MICROSECONDS);
        expect_fault(*state, of_type(VALUE_TIME, -1), to_text, CAST_MICROSECONDS);
}

static void test_text_is_borrowed(void **state) {
        const Value source = text("LC-00001");
        Value ret;
        size_t before = arena_size_bytes(*state);

        assert_int_equal(cast_value(&source, &to_text, *state, &ret), CAST_EXACT);
        assert_ptr_equal(ret.bytes, source.bytes);
        assert_int_equal(arena_size_bytes(*state), before);
}

static void test_uuid(void **state) {
        static const char bytes[16] = "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef";

        expect_cast(*state, text("01234567-89ab-cdef-0123-456789abcdef"), to_uuid,
                    "01234567-89ab-cdef-0123-456789abcdef");
        expect_cast(*state, text("{01234567-89AB-CDEF-0123-456789ABCDEF}"), to_uuid,
                    "01234567-89ab-cdef-0123-456789abcdef");
        expect_cast(*state, bytes_of(VALUE_BYTES, bytes, 16), to_uuid,
                    "01234567-89ab-cdef-0123-456789abcdef");
        expect_cast(*state, bytes_of(VALUE_UUID, bytes, 16), to_uuid,
                    "01234567-89ab-cdef-0123-456789abcdef");
        expect_fault(*state, bytes_of(VALUE_BYTES, bytes, 15), to_uuid, CAST_FORM);
        expect_fault(*state, text("0123456789abcdef0123456789abcdef"), to_uuid, CAST_FORM);
        expect_fault(*state, text(""), to_uuid, CAST_FORM);
        expect_fault(*state, text("{01234567-89ab-cdef-0123-456789abcdef"), to_uuid, CAST_FORM);
        expect_fault(*state, value_integer(1), to_uuid, CAST_KIND);
}

static void test_json(void **state) {
        expect_cast(*state, text(" {\"a\": [1, 2.50]} "), to_json, " {\"a\": [1, 2.50]} ");
        expect_cast(*state, bytes_of(VALUE_BYTES, "[]", 2), to_json, "[]");
        expect_cast(*state, value_integer(5), to_json, "5");
        expect_cast(*state, number("5.10"), to_json, "5.10");
        expect_cast(*state, of_type(VALUE_BOOLEAN, 0), to_json, "false");
        expect_fault(*state, text("{\"a\": 1"), to_json, CAST_FORM);
        expect_fault(*state, text("{\"a\": 1, \"a\": 2}"), to_json, CAST_FORM);
        expect_fault(*state, text(""), to_json, CAST_FORM);
        expect_fault(*state, bytes_of(VALUE_BYTES, "\"\xff\"", 3), to_json, CAST_ENCODING);
        expect_fault(*state, of_type(VALUE_DATE, 0), to_json, CAST_KIND);
}

static void test_bytes(void **state) {
        expect_cast(*state, bytes_of(VALUE_BYTES, "\x00\xff", 2), to_bytes, "00ff");
        expect_cast(*state, text("az"), to_bytes, "617a");
        expect_cast(*state, bytes_of(VALUE_JSON, "[]", 2), to_bytes, "5b5d");
        expect_fault(*state, value_integer(1), to_bytes, CAST_KIND);
        expect_fault(*state, number("1"), to_bytes, CAST_KIND);
}

static void test_geometry(void **state) {
        static const char point[21] =
                "\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40";
        static const char big[21] =
                "\x00\x00\x00\x00\x01\x3f\xf0\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00";
        const char *hex = "0101000000000000000000F03F0000000000000040";
        const Value little = bytes_of(VALUE_BYTES, point, 21);
        CastShape of_2927 = { .type = VALUE_GEOMETRY, .srid = 2927 };
        Value ret;

        assert_int_equal(cast_value(&little, &to_geometry, *state, &ret), CAST_EXACT);
        assert_int_equal(ret.type, VALUE_GEOMETRY);
        assert_ptr_equal(ret.bytes, point);
        expect_cast(*state, bytes_of(VALUE_BYTES, big, 21), to_geometry,
                    "0101000000000000000000f03f0000000000000040");
        expect_cast(*state, bytes_of(VALUE_GEOMETRY, big, 21), to_geometry,
                    "0101000000000000000000f03f0000000000000040");
        expect_cast(*state, text(hex), to_geometry, "0101000000000000000000f03f0000000000000040");
        expect_cast(*state, text("01010000206F0B0000000000000000F03F0000000000000040"), of_2927,
                    "01010000206f0b0000000000000000f03f0000000000000040");
        expect_fault(*state, text("01010000203F420F00000000000000F03F0000000000000040"), of_2927, CAST_SRID);
        expect_fault(*state, bytes_of(VALUE_BYTES, point, 20), to_geometry, CAST_WKB);
        expect_fault(*state, text("POINT(1 2)"), to_geometry, CAST_WKB);
        expect_fault(*state, text("010"), to_geometry, CAST_WKB);
        expect_fault(*state, text(""), to_geometry, CAST_WKB);
        expect_fault(*state, value_integer(1), to_geometry, CAST_KIND);
}

static void test_null_and_absent_stay(void **state) {
        const Value null = value_null(), absent = VALUE_NONE;
        Value ret = value_integer(1);

        for (ValueType type = VALUE_ABSENT; type < _VALUE_TYPE_MAX; type++) {
                const CastShape shape = { .type = type };

                assert_int_equal(cast_value(&null, &shape, *state, &ret), CAST_EXACT);
                assert_int_equal(ret.type, VALUE_NULL);
                assert_int_equal(cast_value(&absent, &shape, *state, &ret), CAST_EXACT);
                assert_int_equal(ret.type, VALUE_ABSENT);
        }
}

static void test_every_pair_has_an_answer(void **state) {
        static const char uuid[16] = "0123456789abcdef";
        const Value values[] = {
                text("5"),
                value_integer(5),
                number("5.0"),
                of_type(VALUE_BOOLEAN, 1),
                of_type(VALUE_DATE, 5),
                of_type(VALUE_TIME, 5),
                of_type(VALUE_TIMESTAMP, 5),
                bytes_of(VALUE_UUID, uuid, 16),
                bytes_of(VALUE_JSON, "5", 1),
                bytes_of(VALUE_BYTES, "5", 1),
                bytes_of(VALUE_GEOMETRY, "5", 1),
        };
        Value ret;

        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                for (ValueType type = VALUE_TEXT; type < _VALUE_TYPE_MAX; type++) {
                        const CastShape shape = { .type = type };
                        int r = cast_value(&values[i], &shape, *state, &ret);

                        assert_in_range(r, CAST_EXACT, _CAST_FAULT_MAX - 1);
                        if (r == CAST_EXACT)
                                assert_int_equal(ret.type, type);
                        /* Every type but a broken geometry is itself. */
                        if (values[i].type == type && type != VALUE_GEOMETRY)
                                assert_int_equal(r, CAST_EXACT);
                }
}

static uint64_t random_next(uint64_t *seed) {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        return *seed;
}

/* Texts that are nearly numbers and times, so that many of them convert. */
static Value random_text(uint64_t *seed, Arena *arena) {
        static const char letters[] = "0000123456789.-+:T Zeyn";
        static const char *const seeds[] = { "2026-02-28", "1999-12-31T23:59:59.999999",
                                             "23:59:60",   "true",
                                             "-0.00",      "1e5" };
        size_t size = random_next(seed) % 30;
        char *bytes = arena_alloc(arena, 64);

        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++)
                bytes[i] = letters[random_next(seed) % (sizeof(letters) - 1)];
        if (random_next(seed) % 2) {
                const char *chosen = seeds[random_next(seed) % ELEMENTSOF(seeds)];

                size = strlen(chosen);
                memcpy(bytes, chosen, size);
                bytes[random_next(seed) % size] = letters[random_next(seed) % (sizeof(letters) - 1)];
        }
        return value_text(bytes, size);
}

/* What a text becomes, written as text, becomes the same again; and a number is the very number that was
 * written. */
static void test_no_silent_loss(void **state) {
        static const CastShape shapes[] = {
                { .type = VALUE_INTEGER },   { .type = VALUE_DECIMAL, .precision = 10, .scale = 3 },
                { .type = VALUE_DECIMAL },   { .type = VALUE_BOOLEAN },
                { .type = VALUE_DATE },      { .type = VALUE_TIME },
                { .type = VALUE_TIMESTAMP }, { .type = VALUE_BYTES },
                { .type = VALUE_JSON },
        };
        uint64_t seed = 20260101;
        size_t n_exact = 0;

        for (unsigned round = 0; round < 20000; round++) {
                const Value source = random_text(&seed, *state);
                const CastShape *shape = &shapes[random_next(&seed) % ELEMENTSOF(shapes)];
                Value cast, written, again;
                Value meant = { .type = VALUE_DECIMAL };

                if (cast_value(&source, shape, *state, &cast) != CAST_EXACT)
                        continue;
                n_exact++;
                assert_int_equal(cast_value(&cast, &to_text, *state, &written), CAST_EXACT);
                assert_int_equal(cast_value(&written, shape, *state, &again), CAST_EXACT);
                assert_true(value_equal(&cast, &again));
                if (cast.type == VALUE_INTEGER || cast.type == VALUE_DECIMAL) {
                        assert_int_equal(decimal_parse(source.bytes, source.size, &meant.decimal), 0);
                        assert_true(value_equal(&cast, &meant));
                }
                if (cast.type == VALUE_BYTES || cast.type == VALUE_JSON) {
                        assert_int_equal(written.size, source.size);
                        assert_memory_equal(written.bytes, source.bytes, source.size);
                }
                if (round % 1000 == 0)
                        arena_reset(*state);
        }
        assert_true(n_exact > 2000);
}

static void test_bytes_in_hex(void **state) {
        const CastShape hex = { .type = VALUE_BYTES, .format = "hex" }, plain = { .type = VALUE_BYTES };

        expect_cast(*state, text("00fFa0"), hex, "00ffa0");
        expect_cast(*state, text("\\x00ff"), hex, "00ff");
        expect_cast(*state, text(""), hex, "");
        expect_cast(*state, bytes_of(VALUE_BYTES, "00", 2), hex, "3030");
        expect_cast(*state, text("00"), plain, "3030");
        expect_fault(*state, text("0"), hex, CAST_FORM);
        expect_fault(*state, text("0g"), hex, CAST_FORM);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_bytes_in_hex, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_integer_from_text, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_integer_from_others, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_integer_accepts_loss, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_decimal, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_decimal_limits, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_boolean, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_text, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_text_is_borrowed, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_uuid, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_json, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_bytes, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_geometry, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_null_and_absent_stay, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_every_pair_has_an_answer, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_no_silent_loss, arena_setup, arena_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
