/* SPDX-License-Identifier: Apache-2.0 */
#include "cast-testing.h"

#include "transform/lookup.h"

static LookupRow rows[] = {
        { (char *) "100", (char *) "RESIDENTIAL" },
        { (char *) "200", (char *) "COMMERCIAL" },
        { (char *) "A", (char *) "" },
};

static Lookup table(LookupOtherwise otherwise) {
        return (Lookup){ .path = (char *) "codes/use-codes.csv",
                         .rows = rows,
                         .n_rows = ELEMENTSOF(rows),
                         .otherwise = otherwise,
                         .otherwise_text = (char *) "UNKNOWN" };
}

static void expect_lookup(Arena *arena, Lookup lookup, Value value, ValueType type, const char *expected) {
        const MappingField field = { .name = (char *) "use_code", .lookup = &lookup };
        Finding *findings = NULL;
        Value ret = VALUE_NONE;

        assert_int_equal(lookup_apply(&field, &value, arena, &ret, &findings), 0);
        assert_null(findings);
        assert_int_equal(ret.type, type);
        assert_string_equal(value_to_text(&ret, arena, 0), expected);
}

static void test_found(void **state) {
        expect_lookup(*state, table(LOOKUP_ERROR), text("100"), VALUE_TEXT, "RESIDENTIAL");
        expect_lookup(*state, table(LOOKUP_ERROR), value_integer(200), VALUE_TEXT, "COMMERCIAL");
        expect_lookup(*state, table(LOOKUP_ERROR), number("200"), VALUE_TEXT, "COMMERCIAL");
        expect_lookup(*state, table(LOOKUP_ERROR), text("A"), VALUE_TEXT, "");
        expect_lookup(*state, table(LOOKUP_ERROR), value_null(), VALUE_NULL, "null");
        expect_lookup(*state, table(LOOKUP_TEXT), value_null(), VALUE_NULL, "null");
        expect_lookup(*state, table(LOOKUP_ERROR), VALUE_NONE, VALUE_ABSENT, "absent");
}

static void test_otherwise(void **state) {
        expect_lookup(*state, table(LOOKUP_NULL), text("999"), VALUE_NULL, "null");
        expect_lookup(*state, table(LOOKUP_KEEP), text("999"), VALUE_TEXT, "999");
        expect_lookup(*state, table(LOOKUP_KEEP), value_integer(999), VALUE_INTEGER, "999");
        expect_lookup(*state, table(LOOKUP_TEXT), text("999"), VALUE_TEXT, "UNKNOWN");
        expect_lookup(*state, table(LOOKUP_TEXT), text("10"), VALUE_TEXT,
                      "UNKNOWN"); /* no prefix of a code */
        expect_lookup(*state, table(LOOKUP_TEXT), text("1000"), VALUE_TEXT, "UNKNOWN");
        expect_lookup(*state, table(LOOKUP_TEXT), text(""), VALUE_TEXT, "UNKNOWN");
}

static void test_error(void **state) {
        Lookup lookup = table(LOOKUP_ERROR);
        const MappingField field = { .name = (char *) "use_code", .lookup = &lookup };
        const Value value = text("X9");
        Finding *findings = NULL;
        Value ret;

        assert_int_equal(lookup_apply(&field, &value, *state, &ret, &findings), 0);
        assert_int_equal(ret.type, VALUE_NULL);
        assert_non_null(findings);
        assert_int_equal(findings->severity, FINDING_ERROR);
        assert_string_equal(findings->rule, "lookup");
        assert_string_equal(findings->field, "use_code");
        assert_string_equal(findings->value, "X9");
        assert_string_equal(findings->message, "Field 'use_code': code 'X9' is not in codes/use-codes.csv.");
        assert_non_null(strstr(findings->remedy, "Add the code to codes/use-codes.csv"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_found, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_otherwise, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_error, arena_setup, arena_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
