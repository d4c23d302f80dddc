/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/text.h"
#include "model/operation.h"

static void test_names(void **state) {
        assert_int_equal(operation_kind_from_string("FULL"), OPERATION_FULL);
        assert_int_equal(operation_kind_from_string("half"), _OPERATION_KIND_INVALID);
        assert_int_equal(operation_kind_from_string(NULL), _OPERATION_KIND_INVALID);
        assert_string_equal(operation_kind_to_string(OPERATION_INCREMENTAL), "incremental");
        for (int i = 0; i < _OPERATION_STATUS_MAX; i++)
                assert_int_equal(
                        operation_status_from_string(operation_status_to_string((OperationStatus) i)), i);
        assert_int_equal(operation_status_from_string("in_progress"), OPERATION_RUNNING);
        assert_int_equal(operation_status_from_string("Canceled"), OPERATION_CANCELLED);
        assert_int_equal(operation_status_from_string("done"), _OPERATION_STATUS_INVALID);
        assert_true(operation_status_is_final(OPERATION_FAILED));
        assert_false(operation_status_is_final(OPERATION_RUNNING));
}

static const char *member(const json_t *json, const char *name) {
        return json_string_value(json_object_get(json, name));
}

static int64_t number(const json_t *json, const char *name) {
        return json_integer_value(json_object_get(json, name));
}

static void test_json(void **state) {
        _cleanup_operation_ Operation *o = operation_new();
        json_auto_t *json = NULL;
        const json_t *counts;
        EntityResult *result;

        assert_non_null(o);
        o->kind = OPERATION_INCREMENTAL;
        o->status = OPERATION_FAILED;
        o->sync_pair_id = strdup("pacs_to_cama");
        o->start_time = 1000000;
        o->end_time = 3500000;
        result = operation_result(o, "parcel");
        *result = (EntityResult){.entity = result->entity,
                                 .n_read = 10,
                                 .n_inserted = 4,
                                 .n_updated = 1,
                                 .n_unchanged = 3,
                                 .n_held = 2,
                                 .n_deleted = 7};
        assert_ptr_equal(operation_result(o, "parcel"), &o->results[0]);
        operation_result(o, "sale")->n_read = 5;
        (void) error_set(&o->error, ERROR_GUARD, "Look.", "12 deletes");
        json = operation_to_json(o);
        assert_string_equal(member(json, "sync_type"), "INCREMENTAL");
        assert_string_equal(member(json, "kind"), "incremental");
        assert_string_equal(member(json, "status"), "FAILED");
        assert_int_equal(number(json, "records_processed"), 15);
        assert_int_equal(number(json, "records_succeeded"), 13);
        assert_int_equal(number(json, "records_failed"), 2);
        assert_true(json_real_value(json_object_get(json, "duration_seconds")) > 2.4);
        assert_string_equal(member(json, "error_message"), "12 deletes (TF-5000). Look.");
        assert_string_equal(member(json_object_get(json, "error"), "code"), "TF-5000");
        assert_string_equal(member(json, "start_time"), "1970-01-01T00:00:01+00:00");
        counts = json_object_get(json_object_get(json, "results"), "parcel");
        assert_int_equal(number(counts, "deleted"), 7);
        assert_int_equal(number(counts, "quarantined"), 2);
        assert_int_equal(number(counts, "succeeded"), 8);
        assert_true(json_is_array(json_object_get(json, "entity_types")));
}

static void test_json_of_new(void **state) {
        _cleanup_operation_ Operation *o = operation_new();
        json_auto_t *json = operation_to_json(o);

        assert_string_equal(member(json, "status"), "PENDING");
        assert_true(json_is_null(json_object_get(json, "end_time")));
        assert_true(json_is_null(json_object_get(json, "duration_seconds")));
        assert_true(json_is_null(json_object_get(json, "error_message")));
        assert_int_equal(json_object_size(json_object_get(json, "results")), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_json),
                                           cmocka_unit_test(test_json_of_new)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
