/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/fixed-value.h"

static FixedFault value_of(LayoutField *field, const char *bytes, TextEncoding encoding, char *text, Value *ret) {
        field->to = field->from + (uint32_t) strlen(bytes);
        return fixed_value(field, encoding, bytes, text, ret);
}

static void is(LayoutField field, const char *bytes, ValueType type, const char *expected) {
        _cleanup_arena_ Arena *arena = NULL;
        char text[128];
        Value value;

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(value_of(&field, bytes, ENCODING_WINDOWS1252, text, &value), FIXED_FINE);
        assert_string_equal(value_type_to_string(value.type), value_type_to_string(type));
        assert_string_equal(value_to_text(&value, arena, 0), expected);
}

#define MONEY   ((LayoutField){.type = VALUE_DECIMAL, .has_decimals = true, .decimals = 2, .trim = true})
#define NUMBER  ((LayoutField){.type = VALUE_INTEGER, .trim = true})
#define LITERAL ((LayoutField){.type = VALUE_DECIMAL, .trim = true})
#define DAY     ((LayoutField){.type = VALUE_DATE, .format = T("%m%d%Y"), .trim = true})
#define NAME    ((LayoutField){.type = VALUE_TEXT, .trim = true})

static void money_is_exact(void **state) {
        is(MONEY, "00000002833677", VALUE_DECIMAL, "28336.77");
        is(MONEY, "  1", VALUE_DECIMAL, "0.01");
        is(MONEY, "-0000150", VALUE_DECIMAL, "-1.50");
        is(MONEY, "0000150-", VALUE_DECIMAL, "-1.50");
        is(MONEY, "0000000", VALUE_DECIMAL, "0.00");
        is(MONEY, "      ", VALUE_NULL, "null");
        is(MONEY, "12A", VALUE_TEXT, "12A"); /* the mapping's type makes a finding of it */
        is(MONEY, "1e5", VALUE_TEXT, "1e5");
        is(LITERAL, "00001800.000000", VALUE_DECIMAL, "1800.000000");
        is(MONEY, "99999999999999999999999999999999999999", VALUE_DECIMAL, "999999999999999999999999999999999999.99");
        is(MONEY, "999999999999999999999999999999999999999", VALUE_TEXT, "999999999999999999999999999999999999999");
}

static void other_types(void **state) {
        LayoutField nulls = NUMBER;
        char *values[] = {T("0000"), NULL};

        is(NUMBER, "000000000042", VALUE_INTEGER, "42");
        is(NUMBER, "9223372036854775808", VALUE_TEXT, "9223372036854775808");
        is(NUMBER, "1.0", VALUE_TEXT, "1.0");
        nulls.null_values = values;
        is(nulls, "0000", VALUE_NULL, "null");
        is(nulls, "1987", VALUE_INTEGER, "1987");
        is(DAY, "07152026                 ", VALUE_DATE, "2026-07-15");
        is(DAY, "01010001", VALUE_DATE, "0001-01-01");
        is(DAY, "02302026", VALUE_TEXT, "02302026");
        is(NAME, " MILLER  NORMAN ", VALUE_TEXT, "MILLER  NORMAN");
        is((LayoutField){.type = VALUE_TEXT}, " x ", VALUE_TEXT, " x ");
        is(NAME, "J\xf6rg \x80", VALUE_TEXT, "J\xc3\xb6rg \xe2\x82\xac");
}

static void tells_what_would_be_a_guess(void **state) {
        LayoutField money = MONEY, name = NAME;
        char text[64];
        Value value;

        assert_int_equal(value_of(&money, "  28336.77", ENCODING_LATIN1, text, &value), FIXED_POINT);
        assert_int_equal(value_of(&name, "A\x81", ENCODING_WINDOWS1252, text, &value), FIXED_ENCODING);
        assert_int_equal(value_of(&name, "A\xf6", ENCODING_UTF8, text, &value), FIXED_ENCODING);
        assert_int_equal(value_of(&name, "\xc3\xb6", ENCODING_UTF8, text, &value), FIXED_FINE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(money_is_exact),
                cmocka_unit_test(other_types),
                cmocka_unit_test(tells_what_would_be_a_guess),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
