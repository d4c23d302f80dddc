/* SPDX-License-Identifier: Apache-2.0 */
#include "state-fixture.h"

static void test_everything_comes_back(void **state) {
        StateFixture *f = *state;
        _cleanup_operation_ Operation *o = operation_new(), *back = NULL;

        (void) snprintf(o->id, sizeof(o->id), ID_FORMAT, 1U);
        o->sync_pair_id = strdup("pacs_to_cama");
        o->kind = OPERATION_INCREMENTAL;
        o->status = OPERATION_COMPLETED; /* not believed: it begins PENDING */
        o->created_at = 1234567890123456;
        o->next_attempt_at = 77;
        assert_int_equal(strings_append(&o->entity_types, "parcel"), 0);
        assert_int_equal(strings_append(&o->entity_types, "owner"), 0);
        assert_int_equal(json_put(o->parameters, "hours", json_integer(24)), 0);
        o->waiting_for = strdup("worker");
        o->requested_by = strdup("root");
        o->via = strdup("dbus");
        o->request_id = strdup("r-1");
        o->idempotency_key = strdup("k-1");
        o->mapping_hash = strdup("abc");
        assert_int_equal(operation_insert(f->database, o, NULL, &f->error), 1);
        back = load(f, o->id);
        assert_string_equal(back->id, o->id);
        assert_string_equal(back->sync_pair_id, "pacs_to_cama");
        assert_int_equal(back->kind, OPERATION_INCREMENTAL);
        assert_int_equal(back->status, OPERATION_PENDING);
        assert_true(back->created_at == o->created_at);
        assert_int_equal(back->next_attempt_at, 77);
        assert_int_equal(back->start_time, 0);
        assert_int_equal(back->n_attempts, 0);
        assert_int_equal(strings_count(back->entity_types), 2);
        assert_string_equal(back->entity_types[1], "owner");
        assert_int_equal(json_member_integer(back->parameters, "hours", 0), 24);
        assert_string_equal(back->waiting_for, "worker");
        assert_string_equal(back->requested_by, "root");
        assert_string_equal(back->via, "dbus");
        assert_string_equal(back->request_id, "r-1");
        assert_string_equal(back->idempotency_key, "k-1");
        assert_string_equal(back->mapping_hash, "abc");
        assert_int_equal(back->error.id, ERROR_NONE);
        assert_null(back->report);
        assert_false(back->cancel_requested);
}

static void test_asked_twice(void **state) {
        StateFixture *f = *state;
        _cleanup_operation_ Operation *a = operation_new(), *b = operation_new();
        char existing[UUID_TEXT_SIZE] = "";
        Operation *none = NULL;

        (void) snprintf(a->id, sizeof(a->id), ID_FORMAT, 1U);
        (void) snprintf(b->id, sizeof(b->id), ID_FORMAT, 2U);
        a->idempotency_key = strdup("same");
        b->idempotency_key = strdup("same");
        assert_int_equal(operation_insert(f->database, a, existing, &f->error), 1);
        assert_string_equal(existing, "");
        assert_int_equal(operation_insert(f->database, b, existing, &f->error), 0);
        assert_string_equal(existing, a->id);
        assert_int_equal(operation_load(f->database, b->id, &none, &f->error), -ENXIO);
        assert_int_equal(f->error.id, ERROR_NOT_FOUND);
        assert_non_null(strstr(f->error.detail, b->id));
        assert_null(none);
}

static void test_attempts(void **state) {
        StateFixture *f = *state;
        _cleanup_operation_ Operation *o = operation_of(f, 1, "p", OPERATION_FULL), *back = NULL;
        _cleanup_error_ Error cause = {};
        json_auto_t *attempts = NULL;
        int64_t n = 0, start_time;

        assert_ok(f, operation_attempt_begin(f->database, o->id, &n, &f->error));
        assert_int_equal(n, 1);
        back = load(f, o->id);
        assert_int_equal(back->status, OPERATION_RUNNING);
        assert_int_equal(back->n_attempts, 1);
        start_time = back->start_time;
        assert_true(start_time > 0);
        back = operation_free(back);
        (void) error_set(&cause, ERROR_SYSTEM_BUSY, "Wait.", "pacs is busy");
        assert_ok(f, operation_attempt_end(f->database, o->id, &cause, &f->error));
        assert_ok(f, operation_postpone(f->database, o->id, 123456, "attempt", &f->error));
        back = load(f, o->id);
        assert_int_equal(back->status, OPERATION_PENDING);
        assert_int_equal(back->next_attempt_at, 123456);
        assert_string_equal(back->waiting_for, "attempt");
        back = operation_free(back);

        assert_ok(f, operation_attempt_begin(f->database, o->id, &n, &f->error)); /* dies without a word */
        assert_ok(f, operation_attempt_begin(f->database, o->id, &n, &f->error));
        assert_int_equal(n, 3);
        assert_int_equal(operation_finish(f->database, o->id, OPERATION_COMPLETED, NULL, &f->error), 1);
        back = load(f, o->id);
        assert_true(back->start_time == start_time);
        assert_int_equal(back->next_attempt_at, 0);
        assert_null(back->waiting_for);
        assert_ok(f, operation_attempts(f->database, o->id, &attempts, &f->error));
        assert_int_equal(json_array_size(attempts), 3);
        assert_string_equal(
                json_member_text(json_object_get(json_array_get(attempts, 0), "error"), "detail"),
                "pacs is busy");
        assert_string_equal(json_member_text(json_object_get(json_array_get(attempts, 1), "error"), "code"),
                            error_code(ERROR_WORKER_LOST));
        assert_true(json_is_null(json_object_get(json_array_get(attempts, 2), "error")));
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(json_member_integer(json_array_get(attempts, i), "number", 0), i + 1);
                assert_non_null(json_member_text(json_array_get(attempts, i), "end_time"));
        }
}

static void test_finishing_once(void **state) {
        StateFixture *f = *state;
        _cleanup_operation_ Operation *o = operation_of(f, 1, "p", OPERATION_FULL), *back = NULL;
        _cleanup_error_ Error cause = {};
        int64_t n;

        (void) error_set(&cause, ERROR_GUARD, "Run with --allow max_deletes.",
                         "would delete 5 of 10 records");
        assert_int_equal(operation_finish(f->database, o->id, OPERATION_FAILED, &cause, &f->error), 1);
        assert_int_equal(operation_finish(f->database, o->id, OPERATION_COMPLETED, NULL, &f->error), 0);
        back = load(f, o->id);
        assert_int_equal(back->status, OPERATION_FAILED);
        assert_true(back->end_time > 0);
        assert_int_equal(back->error.id, ERROR_GUARD);
        assert_string_equal(back->error.detail, "would delete 5 of 10 records");
        assert_string_equal(back->error.remedy, "Run with --allow max_deletes.");
        assert_int_equal(operation_attempt_begin(f->database, o->id, &n, &f->error), -EEXIST);
        assert_int_equal(f->error.id, ERROR_CONFLICT);
        assert_non_null(strstr(f->error.detail, "FAILED"));
        error_done(&f->error);
        assert_int_equal(operation_postpone(f->database, o->id, 1, NULL, &f->error), -EEXIST);
        error_done(&f->error);
        assert_int_equal(operation_finish(f->database, "nobody", OPERATION_FAILED, NULL, &f->error), -ENXIO);
}

static void test_cancelling(void **state) {
        StateFixture *f = *state;
        _cleanup_operation_ Operation *waiting = operation_of(f, 1, "p", OPERATION_FULL),
                                      *running = operation_of(f, 2, "p", OPERATION_FULL);
        _cleanup_operation_ Operation *back = NULL;
        bool requested = true;
        int64_t n;

        assert_int_equal(operation_cancel(f->database, waiting->id, &f->error), 1);
        back = load(f, waiting->id);
        assert_int_equal(back->status, OPERATION_CANCELLED);
        assert_true(back->end_time > 0);
        back = operation_free(back);
        assert_int_equal(operation_cancel(f->database, waiting->id, &f->error), -EEXIST);
        assert_int_equal(f->error.id, ERROR_CONFLICT);
        error_done(&f->error);

        assert_ok(f, operation_attempt_begin(f->database, running->id, &n, &f->error));
        assert_ok(f, operation_is_cancel_requested(f->database, running->id, &requested, &f->error));
        assert_false(requested);
        assert_int_equal(operation_cancel(f->database, running->id, &f->error), 0);
        assert_ok(f, operation_is_cancel_requested(f->database, running->id, &requested, &f->error));
        assert_true(requested);
        back = load(f, running->id);
        assert_int_equal(back->status, OPERATION_RUNNING);
        assert_true(back->cancel_requested);

        assert_int_equal(operation_cancel(f->database, "nobody", &f->error), -ENXIO);
        error_done(&f->error);
        assert_int_equal(operation_is_cancel_requested(f->database, "nobody", &requested, &f->error),
                         -ENXIO);
        assert_int_equal(f->error.id, ERROR_NOT_FOUND);
}

static void test_results(void **state) {
        StateFixture *f = *state;
        _cleanup_operation_ Operation *o = operation_of(f, 1, "p", OPERATION_FULL), *back = NULL;

        *operation_result(o, "parcel") = (EntityResult){
                .entity = o->results[0].entity,
                .n_read = 10,
                .n_inserted = 4,
                .n_updated = 3,
                .n_unchanged = 2,
                .n_held = 1,
                .n_deleted = 6,
                .n_deletes_withheld = 7,
                .done = true,
        };
        assert_non_null(operation_result(o, "owner"));
        o->mapping_hash = strdup("hash");
        o->report = json_pack("[{s:s}]", "what", "pacs");
        assert_ok(f, operation_save_results(f->database, o, &f->error));
        assert_ok(f, operation_save_results(f->database, o, &f->error)); /* anew, not twice */
        back = load(f, o->id);
        assert_int_equal(back->n_results, 2);
        assert_string_equal(back->results[0].entity, "parcel");
        assert_int_equal(back->results[0].n_read, 10);
        assert_int_equal(back->results[0].n_inserted, 4);
        assert_int_equal(back->results[0].n_updated, 3);
        assert_int_equal(back->results[0].n_unchanged, 2);
        assert_int_equal(back->results[0].n_held, 1);
        assert_int_equal(back->results[0].n_deleted, 6);
        assert_int_equal(back->results[0].n_deletes_withheld, 7);
        assert_true(back->results[0].done);
        assert_string_equal(back->results[1].entity, "owner");
        assert_false(back->results[1].done);
        assert_string_equal(back->mapping_hash, "hash");
        assert_true(json_equal(back->report, o->report));
        (void) snprintf(o->id, sizeof(o->id), ID_FORMAT, 99U);
        assert_int_equal(operation_save_results(f->database, o, &f->error), -ENXIO);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, state_set_up, state_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_everything_comes_back), TEST(test_asked_twice), TEST(test_attempts),
                TEST(test_finishing_once),        TEST(test_cancelling),  TEST(test_results),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
