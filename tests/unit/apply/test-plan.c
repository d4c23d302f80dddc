/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "apply/plan.h"

static MappingField fields[] = {
        {.name = (char *) "id", .is_key = true},
        {.name = (char *) "name"},
        {.name = (char *) "status"},
};
static size_t mark_fields[] = {2};
static Value mark_values[1];

static Mapping mapping_make(DeletePolicy deletes) {
        mark_values[0] = value_text("RETIRED", 7);
        return (Mapping){
                .entity = (char *) "parcel",
                .fields = fields,
                .n_fields = 3,
                .n_key = 1,
                .deletes = deletes,
                .mark_fields = mark_fields,
                .mark_values = mark_values,
                .n_marks = 1,
        };
}

typedef struct Fixture {
        Arena *arena;
        DigestScratch scratch;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        assert_int_equal(arena_new(&f->arena), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        (void) arena_free(f->arena);
        free(f->scratch.bytes);
        free(f);
        return 0;
}

static void record_make(Value *values, int64_t id, const char *name, const char *status) {
        values[0] = value_integer(id);
        values[1] = name ? value_text(name, strlen(name)) : value_null();
        values[2] = status ? value_text(status, strlen(status)) : VALUE_NONE;
}

static void test_insert(void **state) {
        const Mapping m = mapping_make(DELETES_MIRROR);
        Fixture *f = *state;
        Digest expected;
        Value target[3];
        Change change = {.target = target};

        record_make(target, 1, "A", "LIVE");
        assert_int_equal(plan_change(&m, &change, f->arena, &f->scratch), 0);
        assert_int_equal(change.kind, CHANGE_INSERT);
        assert_null(change.changed);
        assert_int_equal(values_digest(target, 3, 0, &f->scratch, &expected), 0);
        assert_true(digest_equal(&change.target_digest, &expected));
}

static void test_update_of_what_differs(void **state) {
        const Mapping m = mapping_make(DELETES_MIRROR);
        Fixture *f = *state;
        Value target[3], before[3];
        Change change = {.target = target, .before = before};

        record_make(target, 1, "A", "LIVE");
        record_make(before, 1, "B", "LIVE");
        assert_int_equal(plan_change(&m, &change, f->arena, &f->scratch), 0);
        assert_int_equal(change.kind, CHANGE_UPDATE);
        assert_false(change.changed[0]);
        assert_true(change.changed[1]);
        assert_false(change.changed[2]);
}

static void test_null_is_a_value(void **state) {
        const Mapping m = mapping_make(DELETES_MIRROR);
        Fixture *f = *state;
        Value target[3], before[3];
        Change change = {.target = target, .before = before};

        record_make(target, 1, NULL, "LIVE");
        record_make(before, 1, "B", "LIVE");
        assert_int_equal(plan_change(&m, &change, f->arena, &f->scratch), 0);
        assert_int_equal(change.kind, CHANGE_UPDATE);
        assert_true(change.changed[1]);
}

static void test_absent_leaves_the_target_as_it_is(void **state) {
        const Mapping m = mapping_make(DELETES_MIRROR);
        Fixture *f = *state;
        Value target[3], before[3];
        Change change = {.target = target, .before = before};

        record_make(target, 1, "A", NULL);
        record_make(before, 1, "A", "LIVE");
        assert_int_equal(plan_change(&m, &change, f->arena, &f->scratch), 0);
        assert_int_equal(change.kind, CHANGE_NONE);
}

static void test_equal_is_nothing_to_do(void **state) {
        const Mapping m = mapping_make(DELETES_MIRROR);
        Fixture *f = *state;
        Value target[3], before[3];
        Change change = {.target = target, .before = before};

        record_make(target, 1, "A", "LIVE");
        record_make(before, 1, "A", "LIVE");
        assert_int_equal(plan_change(&m, &change, f->arena, &f->scratch), 0);
        assert_int_equal(change.kind, CHANGE_NONE);
        /* A number is the same number with other zeros: 1.50 is not written over 1.5. */
        assert_int_equal(decimal_parse("1.50", 4, &target[1].decimal), 0);
        assert_int_equal(decimal_parse("1.5", 3, &before[1].decimal), 0);
        target[1].type = before[1].type = VALUE_DECIMAL;
        assert_int_equal(plan_change(&m, &change, f->arena, &f->scratch), 0);
        assert_int_equal(change.kind, CHANGE_NONE);
}

static void test_digest_is_of_the_record_not_of_the_mapping(void **state) {
        const Mapping m = mapping_make(DELETES_MIRROR), other = mapping_make(DELETES_IGNORE);
        Fixture *f = *state;
        Value target[3];
        Change first = {.target = target}, second = {.target = target};

        record_make(target, 1, "A", "LIVE");
        assert_int_equal(plan_change(&m, &first, f->arena, &f->scratch), 0);
        assert_int_equal(plan_change(&other, &second, f->arena, &f->scratch), 0);
        assert_true(digest_equal(&first.target_digest, &second.target_digest));
        record_make(target, 1, "A", "DEAD");
        assert_int_equal(plan_change(&m, &second, f->arena, &f->scratch), 0);
        assert_false(digest_equal(&first.target_digest, &second.target_digest));
}

static void test_delete_policies(void **state) {
        const Mapping mirror = mapping_make(DELETES_MIRROR), ignore = mapping_make(DELETES_IGNORE);
        Fixture *f = *state;
        Value before[3];
        Change change = {.before = before};

        record_make(before, 1, "A", "LIVE");
        assert_int_equal(plan_delete(&mirror, &change, f->arena), 0);
        assert_int_equal(change.kind, CHANGE_DELETE);
        assert_null(change.target);
        assert_int_equal(plan_delete(&ignore, &change, f->arena), 0);
        assert_int_equal(change.kind, CHANGE_NONE);
        change.before = NULL;
        assert_int_equal(plan_delete(&mirror, &change, f->arena), 0);
        assert_int_equal(change.kind, CHANGE_NONE);
}

static void test_mark(void **state) {
        const Mapping m = mapping_make(DELETES_MARK);
        Fixture *f = *state;
        Value before[3];
        Change change = {.before = before}, again, gone = {0};

        record_make(before, 1, "A", "LIVE");
        assert_int_equal(plan_delete(&m, &change, f->arena), 0);
        assert_int_equal(change.kind, CHANGE_UPDATE);
        assert_true(value_equal(change.target + 2, mark_values));
        assert_true(value_equal(change.target + 1, before + 1)); /* the rest stays */
        assert_false(change.changed[0] || change.changed[1]);
        assert_true(change.changed[2]);
        again = (Change){.before = change.target};
        assert_int_equal(plan_delete(&m, &again, f->arena), 0);
        assert_int_equal(again.kind, CHANGE_NONE);
        assert_int_equal(plan_delete(&m, &gone, f->arena), 0);
        assert_int_equal(gone.kind, CHANGE_NONE);
}

/* What is written differently and means the same is no change, unless the field asks for it; it stays as the target has it. */
static void test_meaning(void **state) {
        Mapping m = mapping_make(DELETES_MIRROR);
        Value target[3], before[3];
        Fixture *f = *state;
        Change change = {.target = target, .before = before};
        Digest expected;

        record_make(target, 1, "12 Main St\nRear", "018F3C00-0000-7000-8000-00000000000A");
        record_make(before, 1, "12 Main St\r\nRear   ", "018f3c00-0000-7000-8000-00000000000a");
        assert_int_equal(values_digest(before, 3, 0, &f->scratch, &expected), 0);
        assert_int_equal(plan_change(&m, &change, f->arena, &f->scratch), 0);
        assert_int_equal(change.kind, CHANGE_NONE);
        assert_true(digest_equal(&change.target_digest, &expected));
        fields[1].compare_exactly = true;
        record_make(target, 1, "12 Main St\nRear", "018F3C00-0000-7000-8000-00000000000A");
        change = (Change){.target = target, .before = before};
        assert_int_equal(plan_change(&m, &change, f->arena, &f->scratch), 0);
        assert_int_equal(change.kind, CHANGE_UPDATE);
        assert_true(change.changed[1] && !change.changed[2]);
        assert_string_equal(change.target[1].bytes, "12 Main St\nRear");
        fields[1].compare_exactly = false;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_meaning, setup, teardown),
                cmocka_unit_test_setup_teardown(test_insert, setup, teardown),
                cmocka_unit_test_setup_teardown(test_update_of_what_differs, setup, teardown),
                cmocka_unit_test_setup_teardown(test_null_is_a_value, setup, teardown),
                cmocka_unit_test_setup_teardown(test_absent_leaves_the_target_as_it_is, setup, teardown),
                cmocka_unit_test_setup_teardown(test_equal_is_nothing_to_do, setup, teardown),
                cmocka_unit_test_setup_teardown(test_digest_is_of_the_record_not_of_the_mapping, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(test_delete_policies, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mark, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
