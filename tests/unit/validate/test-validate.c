/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/arena.h"
#include "validate/validate.h"

static MappingField fields[] = {
        { .name = (char *) "parcel_number",
          .is_key = true,
          .required = true,
          .min_length = -1,
          .max_length = -1 },
        { .name = (char *) "deed_number", .unique = true, .min_length = -1, .max_length = -1 },
        { .name = (char *) "land_value",
          .minimum = { .type = VALUE_INTEGER },
          .min_length = -1,
          .max_length = -1 },
        { .name = (char *) "account", .unique = true, .min_length = -1, .max_length = -1 },
};
static const Mapping mapping = { .fields = fields, .n_fields = ELEMENTSOF(fields), .n_key = 1 };

typedef struct Fixture {
        Arena *arena;
        Validator *validator;
} Fixture;

static Value text(const char *t) {
        return t ? value_text(t, strlen(t)) : value_null();
}

static size_t check(Fixture *f, const char *key, const char *deed, int64_t land_value, Value account,
                    Finding **ret) {
        const Value target[] = { text(key), text(deed), value_integer(land_value), account };
        Finding *findings = NULL;
        size_t n = 0;

        assert_int_equal(validator_check(f->validator, target, f->arena, &findings), 0);
        for (const Finding *finding = findings; finding; finding = finding->next)
                n++;
        if (ret)
                *ret = findings;
        return n;
}

static void test_constraints_of_every_field(void **state) {
        Finding *findings;

        assert_int_equal(check(*state, "LC-1", "D1", 0, value_null(), NULL), 0);
        assert_int_equal(check(*state, NULL, "D2", -1, value_null(), &findings), 2);
        assert_string_equal(findings->field, "land_value");
        assert_string_equal(findings->rule, "minimum");
        assert_string_equal(findings->next->field, "parcel_number");
        assert_string_equal(findings->next->rule, "required");
}

static void test_unique(void **state) {
        Finding *findings;

        assert_int_equal(check(*state, "LC-1", "D1", 0, value_null(), NULL), 0);
        assert_int_equal(check(*state, "LC-2", "D2", 0, value_null(), NULL), 0);
        assert_int_equal(check(*state, "LC-3", "d1", 0, value_null(), NULL), 0);
        assert_int_equal(check(*state, "LC-4", "D1", 0, value_null(), &findings), 1);
        assert_int_equal(findings->severity, FINDING_ERROR);
        assert_string_equal(findings->rule, "unique");
        assert_string_equal(findings->field, "deed_number");
        assert_string_equal(findings->value, "D1");
        assert_string_equal(findings->message,
                            "Field 'deed_number': 'D1' occurs in more than one record of this run.");
        assert_non_null(strstr(findings->remedy, "at the source"));
}

static void test_null_is_never_a_duplicate(void **state) {
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(check(*state, "LC-1", NULL, 0, VALUE_NONE, NULL), 0);
}

static void test_numbers_by_number(void **state) {
        Value decimal = { .type = VALUE_DECIMAL }, large = { .type = VALUE_DECIMAL };

        assert_int_equal(decimal_parse("5.00", 4, &decimal.decimal), 0);
        assert_int_equal(decimal_parse("99999999999999999999", 20, &large.decimal), 0);
        assert_int_equal(check(*state, "LC-1", NULL, 0, value_integer(5), NULL), 0);
        assert_int_equal(check(*state, "LC-2", NULL, 0, decimal, NULL), 1);
        assert_int_equal(check(*state, "LC-3", NULL, 0, text("5"), NULL), 0);
        assert_int_equal(check(*state, "LC-4", NULL, 0, large, NULL), 0);
        assert_int_equal(check(*state, "LC-5", NULL, 0, large, NULL), 1);
}

/* A record that is held for one field takes no value of another. */
static void test_held_records_take_nothing(void **state) {
        Fixture *f = *state;
        const Value target[] = { text("LC-2"), text("D2"), value_integer(0), value_null() };
        Finding *findings = NULL;

        assert_int_equal(check(f, "LC-1", "D1", -1, value_null(), NULL), 1);
        assert_int_equal(check(f, "LC-2", "D1", 0, value_integer(5), NULL), 0);
        assert_int_equal(check(f, "LC-3", "D9", 0, value_integer(5), NULL), 1);
        assert_int_equal(check(f, "LC-4", "D9", 0, value_integer(6), NULL), 0);

        /* Held by what came before, such as a conversion. */
        assert_int_equal(finding_add(&findings, f->arena, FINDING_ERROR, "type", "other", "x", "…", NULL),
                         0);
        assert_int_equal(validator_check(f->validator, target, f->arena, &findings), 0);
        assert_null(findings->next);
        assert_int_equal(check(f, "LC-5", "D2", 0, value_null(), NULL), 0);

        /* A warning holds nothing. */
        findings = NULL;
        assert_int_equal(finding_add(&findings, f->arena, FINDING_WARNING, "type", "other", "x", "…", NULL),
                         0);
        const Value last[] = { text("LC-6"), text("D6"), value_integer(0), value_null() };
        assert_int_equal(validator_check(f->validator, last, f->arena, &findings), 0);
        assert_int_equal(check(f, "LC-7", "D6", 0, value_null(), NULL), 1);
}

static void test_bound(void **state) {
        Fixture *f = *state;
        Finding *findings;

        validator_set_values_max(f->validator, 2);
        assert_int_equal(check(f, "LC-1", "D1", 0, value_null(), NULL), 0);
        assert_int_equal(check(f, "LC-2", "D2", 0, value_null(), NULL), 0);
        assert_int_equal(check(f, "LC-3", "D3", 0, value_null(), &findings), 1);
        assert_string_equal(findings->rule, "unique");
        assert_string_equal(
                findings->message,
                "Field 'deed_number': 'D3' cannot be proved unique, since this run has more than 2 values.");
        assert_non_null(strstr(findings->remedy, "unique index"));
        assert_int_equal(check(f, "LC-4", "D1", 0, value_null(), &findings), 1);
        assert_non_null(strstr(findings->message, "more than one record"));
        assert_int_equal(check(f, "LC-5", NULL, 0, value_null(), NULL), 0);
}

static void test_fields_do_not_mix(void **state) {
        assert_int_equal(check(*state, "LC-1", "5", 0, text("6"), NULL), 0);
        assert_int_equal(check(*state, "LC-2", "6", 0, text("5"), NULL), 0);
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        if (!f || arena_new(&f->arena) < 0 || validator_new(&mapping, &f->validator) < 0)
                return -1;
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        validator_free(f->validator);
        arena_free(f->arena);
        free(f);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_constraints_of_every_field, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unique, setup, teardown),
                cmocka_unit_test_setup_teardown(test_null_is_never_a_duplicate, setup, teardown),
                cmocka_unit_test_setup_teardown(test_numbers_by_number, setup, teardown),
                cmocka_unit_test_setup_teardown(test_held_records_take_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
                cmocka_unit_test_setup_teardown(test_fields_do_not_mix, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
