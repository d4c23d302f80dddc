/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/arena.h"
#include "validate/rule.h"

static Value text(const char *t) {
        return value_text(t, strlen(t));
}

static Value of_type(ValueType type, int64_t integer) {
        return (Value){ .type = type, .integer = integer };
}

static Value number(const char *t) {
        Value v = { .type = VALUE_DECIMAL };

        assert_int_equal(decimal_parse(t, strlen(t), &v.decimal), 0);
        return v;
}

static MappingField field_plain(void) {
        return (MappingField){ .name = (char *) "land_value", .min_length = -1, .max_length = -1 };
}

static void expect_right(Arena *arena, const MappingField *field, Value value) {
        Finding *findings = NULL;

        assert_int_equal(rule_check_field(field, &value, arena, &findings), 0);
        assert_null(findings);
}

static const Finding *expect_wrong(Arena *arena, const MappingField *field, Value value, const char *rule,
                                   const char *message) {
        Finding *findings = NULL;

        assert_int_equal(rule_check_field(field, &value, arena, &findings), 0);
        assert_non_null(findings);
        assert_null(findings->next);
        assert_int_equal(findings->severity, FINDING_ERROR);
        assert_string_equal(findings->rule, rule);
        assert_string_equal(findings->field, "land_value");
        assert_string_equal(findings->message, message);
        assert_non_null(findings->remedy);
        return findings;
}

static void test_required(void **state) {
        MappingField field = field_plain();
        Finding *findings = NULL;
        const Value null = value_null();

        expect_right(*state, &field, value_null());
        field.required = true;
        expect_right(*state, &field, value_integer(0));
        expect_right(*state, &field, text("")); /* an empty text is a value */
        const Finding *finding = expect_wrong(*state, &field, value_null(), "required",
                                              "Field 'land_value': has no value, but is required.");
        assert_null(finding->value);
        assert_non_null(strstr(finding->remedy, "at the source"));
        expect_wrong(*state, &field, VALUE_NONE, "required",
                     "Field 'land_value': has no value, but is required.");

        /* What could not be converted is not also missing; a mistake of another field does not hide it. */
        assert_int_equal(finding_add(&findings, *state, FINDING_ERROR, "type", "land_value", "x", "…", NULL),
                         0);
        assert_int_equal(rule_check_field(&field, &null, *state, &findings), 0);
        assert_null(findings->next);
        findings = NULL;
        assert_int_equal(finding_add(&findings, *state, FINDING_ERROR, "type", "other", "x", "…", NULL), 0);
        assert_int_equal(
                finding_add(&findings, *state, FINDING_WARNING, "type", "land_value", "x", "…", NULL), 0);
        assert_int_equal(rule_check_field(&field, &null, *state, &findings), 0);
        assert_string_equal(findings->rule, "required");
}

static void test_null_meets_nothing_else(void **state) {
        MappingField field = field_plain();
        char *enumeration[] = { (char *) "A", NULL };

        field.minimum = field.maximum = value_integer(5);
        field.min_length = 3;
        field.enumeration = enumeration;
        expect_right(*state, &field, value_null());
        expect_right(*state, &field, VALUE_NONE);
}

static void test_limits(void **state) {
        MappingField field = field_plain();
        const Finding *finding;

        field.minimum = value_integer(0);
        field.maximum = number("99.50");
        expect_right(*state, &field, value_integer(0));
        expect_right(*state, &field, number("0.00"));
        expect_right(*state, &field, number("99.5"));
        finding = expect_wrong(*state, &field, value_integer(-1), "minimum",
                               "Field 'land_value': -1 is less than the minimum 0.");
        assert_string_equal(finding->value, "-1");
        assert_string_equal(finding->remedy,
                            "Correct the value at the source, or change the field's minimum.");
        expect_wrong(
                *state, &field, number("-0.00000000000000000000000000000000000001"), "minimum",
                "Field 'land_value': -0.00000000000000000000000000000000000001 is less than the minimum 0.");
        expect_wrong(*state, &field, number("99.501"), "maximum",
                     "Field 'land_value': 99.501 is more than the maximum 99.50.");
        expect_wrong(*state, &field, value_integer(INT64_MAX), "maximum",
                     "Field 'land_value': 9223372036854775807 is more than the maximum 99.50.");
}

static void test_limits_of_dates(void **state) {
        MappingField field = field_plain();

        field.minimum = of_type(VALUE_DATE, 0);
        field.maximum = of_type(VALUE_DATE, 1);
        expect_right(*state, &field, of_type(VALUE_DATE, 0));
        expect_right(*state, &field, of_type(VALUE_TIMESTAMP, 0));
        expect_wrong(*state, &field, of_type(VALUE_DATE, -1), "minimum",
                     "Field 'land_value': 1969-12-31 is less than the minimum 1970-01-01.");
        expect_wrong(
                *state, &field, of_type(VALUE_TIMESTAMP, 86400000001), "maximum",
                "Field 'land_value': 1970-01-02T00:00:00.000001+00:00 is more than the maximum 1970-01-02.");
}

static void test_limits_without_order(void **state) {
        MappingField field = field_plain();
        const Finding *finding;

        field.minimum = value_integer(0);
        finding = expect_wrong(
                *state, &field, text("5"), "minimum",
                "Field 'land_value': '5' is of type text and cannot be compared with the minimum 0.");
        assert_non_null(strstr(finding->remedy, "type"));
        expect_wrong(
                *state, &field, of_type(VALUE_DATE, 5), "minimum",
                "Field 'land_value': 1970-01-06 is of type date and cannot be compared with the minimum 0.");
}

static void test_lengths(void **state) {
        MappingField field = field_plain();

        field.min_length = 2;
        field.max_length = 4;
        expect_right(*state, &field, text("ab"));
        expect_right(*state, &field, text("äöü€")); /* four characters in nine bytes */
        expect_right(*state, &field, value_integer(1234));
        expect_wrong(*state, &field, text("ä"), "min_length",
                     "Field 'land_value': 'ä' has 1 characters, fewer than the 2 that are required.");
        expect_wrong(*state, &field, text(""), "min_length",
                     "Field 'land_value': '' has 0 characters, fewer than the 2 that are required.");
        expect_wrong(*state, &field, text("abcde"), "max_length",
                     "Field 'land_value': 'abcde' has 5 characters, more than the 4 that are allowed.");
        expect_wrong(*state, &field, (Value){ .type = VALUE_BYTES, .bytes = "\1\2\3\4\5", .size = 5 },
                     "max_length",
                     "Field 'land_value': 0102030405 has 5 bytes, more than the 4 that are allowed.");
        field.max_length = -1;
        expect_right(*state, &field, text("a very long text"));
        field.max_length = 0;
        field.min_length = -1;
        expect_right(*state, &field, text(""));
        expect_wrong(*state, &field, text("a"), "max_length",
                     "Field 'land_value': 'a' has 1 characters, more than the 0 that are allowed.");
}

static void test_pattern(void **state) {
        _cleanup_(pattern_freep) Pattern *pattern = NULL;
        MappingField field = field_plain();

        field.pattern_text = (char *) "LC-[0-9]{5}";
        assert_int_equal(pattern_new(field.pattern_text, &pattern, NULL), 0);
        field.pattern = pattern;
        expect_right(*state, &field, text("LC-00001"));
        expect_wrong(*state, &field, text("LC-000011"), "pattern",
                     "Field 'land_value': 'LC-000011' does not match the pattern LC-[0-9]{5}.");
        expect_wrong(*state, &field, text(""), "pattern",
                     "Field 'land_value': '' does not match the pattern LC-[0-9]{5}.");
        expect_wrong(*state, &field, value_integer(5), "pattern",
                     "Field 'land_value': 5 does not match the pattern LC-[0-9]{5}.");
}

static void test_pattern_gives_up(void **state) {
        _cleanup_(pattern_freep) Pattern *pattern = NULL;
        MappingField field = field_plain();
        Value value = text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!cd");
        Finding *findings = NULL;

        field.pattern_text = (char *) "(a|a)+b?c";
        assert_int_equal(pattern_new(field.pattern_text, &pattern, NULL), 0);
        field.pattern = pattern;
        assert_int_equal(pattern_match(pattern, value.bytes, value.size), -E2BIG);
        assert_int_equal(rule_check_field(&field, &value, *state, &findings), 0);
        assert_non_null(findings);
        assert_string_equal(findings->rule, "pattern");
        assert_non_null(strstr(findings->message, "could not be matched with the pattern (a|a)+b?c"));
        assert_non_null(strstr(findings->remedy, "nested repetitions"));
}

static void test_enum(void **state) {
        char *enumeration[] = { (char *) "ACTIVE", (char *) "1.5", (char *) "2026-01-31", NULL };
        MappingField field = field_plain();

        field.enumeration = enumeration;
        expect_right(*state, &field, text("ACTIVE"));
        expect_right(*state, &field, number("1.50"));
        expect_right(*state, &field, of_type(VALUE_DATE, 20484));
        expect_wrong(*state, &field, text("1.50"), "enum",
                     "Field 'land_value': '1.50' is not one of ACTIVE, 1.5, 2026-01-31.");
        expect_wrong(*state, &field, text("active"), "enum",
                     "Field 'land_value': 'active' is not one of ACTIVE, 1.5, 2026-01-31.");
        expect_wrong(*state, &field, text("ACTIV"), "enum",
                     "Field 'land_value': 'ACTIV' is not one of ACTIVE, 1.5, 2026-01-31.");
        expect_wrong(*state, &field, value_integer(1), "enum",
                     "Field 'land_value': 1 is not one of ACTIVE, 1.5, 2026-01-31.");
}

static void test_long_enum_is_cut(void **state) {
        char *enumeration[] = { (char *) "0", (char *) "1", (char *) "2",  (char *) "3",
                                (char *) "4", (char *) "5", (char *) "6",  (char *) "7",
                                (char *) "8", (char *) "9", (char *) "10", NULL };
        MappingField field = field_plain();

        field.enumeration = enumeration;
        expect_right(*state, &field, text("10"));
        expect_wrong(*state, &field, text("x"), "enum",
                     "Field 'land_value': 'x' is not one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ….");
}

static void test_all_mistakes_are_found(void **state) {
        char *enumeration[] = { (char *) "A", NULL };
        MappingField field = field_plain();
        Value value = value_integer(123);
        Finding *findings = NULL;
        size_t n = 0;

        field.maximum = value_integer(5);
        field.max_length = 2;
        field.enumeration = enumeration;
        assert_int_equal(rule_check_field(&field, &value, *state, &findings), 0);
        for (const Finding *f = findings; f; f = f->next)
                n++;
        assert_int_equal(n, 3);
}

static void test_compare(void **state) {
        const Value values[] = {
                value_integer(INT64_MIN), number("-9223372036854775807.5"),
                value_integer(-1),        number("-0.5"),
                value_integer(0),         number("0.00000000000000000000000000000000000001"),
                value_integer(1),         number("9223372036854775806.9"),
                value_integer(INT64_MAX), number("9223372036854775807.1")
        };
        const Value date = of_type(VALUE_DATE, 5), time = of_type(VALUE_TIME, 5), untyped = text("5");
        const Value far = of_type(VALUE_DATE, INT64_MAX), late = of_type(VALUE_TIMESTAMP, INT64_MAX);
        int order = 7;

        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                for (size_t j = 0; j < ELEMENTSOF(values); j++) {
                        assert_true(rule_compare(&values[i], &values[j], &order));
                        assert_int_equal(order, (i > j) - (i < j));
                }
        order = 7;
        assert_false(rule_compare(&values[0], &date, &order));
        assert_false(rule_compare(&date, &time, &order));
        assert_false(rule_compare(&untyped, &untyped, &order));
        assert_int_equal(order, 7);
        assert_true(rule_compare(&time, &time, &order));
        assert_int_equal(order, 0);
        assert_true(rule_compare(&far, &late, &order));
        assert_int_equal(order, 1);
}

static int arena_setup(void **state) {
        Arena *arena;

        if (arena_new(&arena) < 0)
                return -1;
        *state = arena;
        return 0;
}

static int arena_teardown(void **state) {
        arena_free(*state);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_required, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_null_meets_nothing_else, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_limits, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_limits_of_dates, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_limits_without_order, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_lengths, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_pattern, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_pattern_gives_up, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_enum, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_long_enum_is_cut, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_all_mistakes_are_found, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_compare, arena_setup, arena_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
