/* SPDX-License-Identifier: Apache-2.0 */
#include "cast-testing.h"

#include "transform/transform.h"

enum { KEY_NUMBER, KEY_YEAR, LAND_VALUE, USE_CODE, SOURCE_SYSTEM, LOADED_ON, N_FIELDS };

static LookupRow rows[] = { { (char *) "100", (char *) "RESIDENTIAL" }, { (char *) "200", (char *) "7" } };
static Lookup lookup = { .path = (char *) "codes/use-codes.csv", .rows = rows, .n_rows = ELEMENTSOF(rows) };

static MappingField fields[N_FIELDS] = {
        [KEY_NUMBER] = { .name = (char *) "parcel_number",
                         .is_key = true,
                         .column = 1,
                         .type = VALUE_TEXT,
                         .trim = true,
                         .min_length = -1,
                         .max_length = -1 },
        [KEY_YEAR] = { .name = (char *) "tax_year",
                       .is_key = true,
                       .column = 0,
                       .type = VALUE_INTEGER,
                       .min_length = -1,
                       .max_length = -1 },
        [LAND_VALUE] = { .name = (char *) "land_value",
                         .column = 2,
                         .type = VALUE_DECIMAL,
                         .precision = 14,
                         .scale = 2,
                         .min_length = -1,
                         .max_length = -1 },
        [USE_CODE] = { .name = (char *) "use_code",
                       .column = 3,
                       .trim = true,
                       .lookup = &lookup,
                       .min_length = -1,
                       .max_length = -1 },
        [SOURCE_SYSTEM] = { .name = (char *) "source_system",
                            .column = -1,
                            .constant = { .type = VALUE_TEXT, .bytes = " PACS ", .size = 6 },
                            .trim = true,
                            .min_length = -1,
                            .max_length = -1 },
        [LOADED_ON] = { .name = (char *) "loaded_on",
                        .column = -1,
                        .constant = { .type = VALUE_TEXT, .bytes = "2026-01-31", .size = 10 },
                        .type = VALUE_DATE,
                        .min_length = -1,
                        .max_length = -1 },
};
static const Mapping mapping = {
        .entity = (char *) "parcel", .n_columns = 4, .fields = fields, .n_fields = N_FIELDS, .n_key = 2
};

static void expect_text(Arena *arena, const Value *value, ValueType type, const char *expected) {
        assert_int_equal(value->type, type);
        assert_string_equal(value_to_text(value, arena, 0), expected);
}

static void test_record(void **state) {
        const Value source[] = { value_integer(2026), text("LC-1  "), text("1250.5"), text("100 ") };
        Value target[N_FIELDS];
        Finding *findings = NULL;

        assert_int_equal(transform_record(&mapping, source, *state, target, &findings), 0);
        assert_null(findings);
        expect_text(*state, &target[KEY_NUMBER], VALUE_TEXT, "LC-1");
        expect_text(*state, &target[KEY_YEAR], VALUE_INTEGER, "2026");
        expect_text(*state, &target[LAND_VALUE], VALUE_DECIMAL, "1250.50");
        expect_text(*state, &target[USE_CODE], VALUE_TEXT, "RESIDENTIAL");
        expect_text(*state, &target[SOURCE_SYSTEM], VALUE_TEXT, " PACS "); /* as the mapping has it */
        expect_text(*state, &target[LOADED_ON], VALUE_DATE, "2026-01-31");
}

static void test_every_mistake_is_found(void **state) {
        const Value source[] = { text("this year"), text("LC-1"), text("0.001"), text("300") };
        Value target[N_FIELDS];
        Finding *findings = NULL;
        size_t n = 0;

        assert_int_equal(transform_record(&mapping, source, *state, target, &findings), 0);
        for (const Finding *f = findings; f; f = f->next)
                n++;
        assert_int_equal(n, 3);
        assert_string_equal(findings->field, "use_code"); /* the newest first */
        assert_string_equal(findings->rule, "lookup");
        assert_string_equal(findings->next->field, "land_value");
        assert_string_equal(findings->next->next->field, "tax_year");
        assert_int_equal(target[KEY_YEAR].type, VALUE_NULL);
        assert_int_equal(target[LAND_VALUE].type, VALUE_NULL);
        assert_int_equal(target[USE_CODE].type, VALUE_NULL);
        expect_text(*state, &target[KEY_NUMBER], VALUE_TEXT, "LC-1");
}

static void test_lookup_then_type(void **state) {
        MappingField field = fields[USE_CODE];
        const Mapping one = { .n_columns = 1, .fields = &field, .n_fields = 1 };
        Value source = value_integer(200), target;
        Finding *findings = NULL;

        field.column = 0;
        field.type = VALUE_INTEGER;
        assert_int_equal(transform_record(&one, &source, *state, &target, &findings), 0);
        assert_null(findings);
        expect_text(*state, &target, VALUE_INTEGER, "7");
        source = text("100");
        assert_int_equal(transform_record(&one, &source, *state, &target, &findings), 0);
        assert_int_equal(target.type, VALUE_NULL);
        assert_non_null(findings);
        assert_string_equal(findings->message, "Field 'use_code': 'RESIDENTIAL' is not a whole number.");
}

static void test_keys_touch_nothing_else(void **state) {
        const Value source[] = { value_integer(2026), text(" LC-1"), text("no number"), text("no code") };
        Value keys[3] = { [2] = { .type = VALUE_INTEGER, .integer = 4711 } };
        Finding *findings = NULL;
        size_t before = arena_size_bytes(*state);

        assert_int_equal(transform_keys(&mapping, source, *state, keys, &findings), 0);
        assert_null(findings);
        assert_int_equal(arena_size_bytes(*state), before);
        assert_ptr_equal(keys[0].bytes, source[1].bytes + 1);
        assert_int_equal(keys[0].size, 4);
        assert_int_equal(keys[1].integer, 2026);
        assert_int_equal(keys[2].integer, 4711);
}

static void test_key_equals_record(void **state) {
        const Value source[] = { text("2026"), text("LC-1 "), text("1"), text("100") };
        Value keys[2], target[N_FIELDS];
        Finding *findings = NULL;

        assert_int_equal(transform_keys(&mapping, source, *state, keys, &findings), 0);
        assert_int_equal(transform_record(&mapping, source, *state, target, &findings), 0);
        assert_null(findings);
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                assert_true(value_equal(&keys[i], &target[i]));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_record, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_every_mistake_is_found, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_lookup_then_type, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_keys_touch_nothing_else, arena_setup, arena_teardown),
                cmocka_unit_test_setup_teardown(test_key_equals_record, arena_setup, arena_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
