/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#define TEXT(literal) ((char[]){literal})

static void save(Fixture *f, const Checkpoint *c) {
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, checkpoint_save(f->entity, c, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
}

static void test_empty_at_first(void **state) {
        Fixture *f = *state;
        const Checkpoint *c = checkpoint_get(f->entity);

        assert_string_equal(c->scan_operation, "");
        assert_null(c->position);
        assert_null(c->low);
        assert_null(c->mapping_hash);
        assert_int_equal(c->full_at, 0);
        assert_false(c->scan_end);
}

static void test_everything_comes_back(void **state) {
        Fixture *f = *state;
        const Checkpoint *c;

        save(f, &(Checkpoint){
                        .scan_operation = OPERATION_1,
                        .scan_full = true,
                        .position = TEXT("4b31"),
                        .scan_end = true,
                        .low = TEXT("01"),
                        .high = TEXT("02"),
                        .full_at = 1234567890123456,
                        .mapping_hash = TEXT("abc"),
                        .settled_batch = 9,
                        .n_unkeyed = 3,
                        .scan_batch = 7,
                        .scan_scope = 2,
                        .swept = true,
                        .keys_at = 1234567890123457,
                        .changes_from = TEXT("0/16B3748"),
                        .content = TEXT("c0ffee"),
                });
        fixture_reopen(f);
        c = checkpoint_get(f->entity);
        assert_string_equal(c->scan_operation, OPERATION_1);
        assert_true(c->scan_full);
        assert_string_equal(c->position, "4b31");
        assert_true(c->scan_end);
        assert_string_equal(c->low, "01");
        assert_string_equal(c->high, "02");
        assert_true(c->full_at == 1234567890123456);
        assert_string_equal(c->mapping_hash, "abc");
        assert_int_equal(c->settled_batch, 9);
        assert_int_equal(c->n_unkeyed, 3);
        assert_int_equal(c->scan_batch, 7);
        assert_int_equal(c->scan_scope, 2);
        assert_true(c->swept);
        assert_true(c->keys_at == 1234567890123457);
        assert_string_equal(c->changes_from, "0/16B3748");
        assert_string_equal(c->content, "c0ffee");
}

static void test_changing_some_members(void **state) {
        Fixture *f = *state;
        Checkpoint c;

        save(f, &(Checkpoint){.scan_operation = OPERATION_1, .position = TEXT("1"), .low = TEXT("01")});
        c = *checkpoint_get(f->entity); /* texts are the entity's own */
        c.scan_operation[0] = 0;
        c.position = NULL;
        c.high = c.low;
        save(f, &c);
        fixture_reopen(f);
        assert_string_equal(checkpoint_get(f->entity)->scan_operation, "");
        assert_null(checkpoint_get(f->entity)->position);
        assert_string_equal(checkpoint_get(f->entity)->low, "01");
        assert_string_equal(checkpoint_get(f->entity)->high, "01");
}

static void test_a_rollback(void **state) {
        Fixture *f = *state;

        save(f, &(Checkpoint){.position = TEXT("1")});
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, checkpoint_save(f->entity, &(Checkpoint){.position = TEXT("2"), .scan_end = true},
                                     &f->error));
        assert_string_equal(checkpoint_get(f->entity)->position, "2");
        progress_rollback(f->progress);
        assert_string_equal(checkpoint_get(f->entity)->position, "1");
        assert_false(checkpoint_get(f->entity)->scan_end);
}

static void add(Fixture *f, const char *operation_id, EntityResult delta) {
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, result_add(f->progress, operation_id, &delta, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
}

static void test_counts_add_up(void **state) {
        Fixture *f = *state;
        char parcel[] = "parcel", owner[] = "owner";
        _cleanup_operation_ Operation *o = operation_new();

        add(f, OPERATION_1,
            (EntityResult){.entity = parcel,
                           .n_read = 10,
                           .n_inserted = 7,
                           .n_updated = 1,
                           .n_unchanged = 1,
                           .n_held = 1});
        add(f, OPERATION_1, (EntityResult){.entity = owner, .n_read = 5, .n_inserted = 5});
        add(f, OPERATION_1,
            (EntityResult){.entity = parcel,
                           .n_read = 3,
                           .n_unchanged = 3,
                           .n_deleted = 4,
                           .n_deletes_withheld = 2,
                           .done = true,
                           .diverged = true});
        add(f, OPERATION_1, (EntityResult){.entity = parcel}); /* done stays */
        add(f, OPERATION_2, (EntityResult){.entity = parcel, .n_read = 100});
        assert_non_null(operation_result(o, "left over"));
        assert_ok(f, result_load(f->progress, OPERATION_1, o, &f->error));
        assert_int_equal(o->n_results, 2);
        assert_string_equal(o->results[0].entity, "parcel");
        assert_int_equal(o->results[0].n_read, 13);
        assert_int_equal(o->results[0].n_inserted, 7);
        assert_int_equal(o->results[0].n_updated, 1);
        assert_int_equal(o->results[0].n_unchanged, 4);
        assert_int_equal(o->results[0].n_held, 1);
        assert_int_equal(o->results[0].n_deleted, 4);
        assert_int_equal(o->results[0].n_deletes_withheld, 2);
        assert_true(o->results[0].done);
        assert_true(o->results[0].diverged);
        assert_string_equal(o->results[1].entity, "owner");
        assert_int_equal(o->results[1].n_read, 5);
        assert_false(o->results[1].done);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_empty_at_first),        TEST(test_everything_comes_back),
                TEST(test_changing_some_members), TEST(test_a_rollback),
                TEST(test_counts_add_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
