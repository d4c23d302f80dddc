/* SPDX-License-Identifier: Apache-2.0 */
#include "state-fixture.h"

static void run(StateFixture *f, unsigned n, const char *pair, OperationKind kind, OperationStatus status,
                int64_t n_read, int64_t n_held) {
        _cleanup_operation_ Operation *o = operation_of(f, n, pair, kind);
        int64_t attempt;

        operation_result(o, "parcel")->n_read = n_read;
        operation_result(o, "parcel")->n_held = n_held;
        operation_result(o, "owner")->n_read = 1;
        assert_ok(f, operation_attempt_begin(f->database, o->id, &attempt, &f->error));
        assert_ok(f, operation_save_results(f->database, o, &f->error));
        if (operation_status_is_final(status))
                assert_ok(f, operation_finish(f->database, o->id, status, NULL, &f->error));
}

static int64_t number(const json_t *object, const char *name) {
        return json_member_integer(object, name, -1);
}

static void assert_near(const json_t *object, const char *name, double low, double high) {
        double value = json_real_value(json_object_get(object, name));

        assert_true(value >= low && value <= high);
}

static void test_nothing_yet(void **state) {
        StateFixture *f = *state;
        json_auto_t *t = NULL;

        assert_ok(f, operation_totals(f->database, NULL, 0, 0, &t, &f->error));
        assert_int_equal(number(t, "total_operations"), 0);
        assert_int_equal(number(t, "full_syncs"), 0);
        assert_int_equal(number(t, "total_records_processed"), 0);
        assert_near(t, "success_rate", 0, 0);
        assert_int_equal(json_object_size(json_object_get(t, "entity_stats")), 0);
}

static void test_finished_ones_only(void **state) {
        StateFixture *f = *state;
        json_auto_t *t = NULL;
        const json_t *parcel;

        run(f, 1, "a", OPERATION_FULL, OPERATION_COMPLETED, 90, 10);
        run(f, 2, "a", OPERATION_INCREMENTAL, OPERATION_FAILED, 8, 0);
        run(f, 3, "b", OPERATION_INCREMENTAL, OPERATION_RUNNING, 1000, 0);
        run(f, 4, "b", OPERATION_INCREMENTAL, OPERATION_CANCELLED, 1000, 0);
        assert_ok(f, database_execute(f->database,
                                      "update operation set start_time = 1000000, end_time = 3000000",
                                      &f->error));
        assert_ok(f, operation_totals(f->database, NULL, 0, 0, &t, &f->error));
        assert_int_equal(number(t, "total_operations"), 2);
        assert_int_equal(number(t, "full_syncs"), 1);
        assert_int_equal(number(t, "incremental_syncs"), 1);
        assert_int_equal(number(t, "total_records_processed"), 100);
        assert_int_equal(number(t, "total_records_succeeded"), 90);
        assert_int_equal(number(t, "total_records_failed"), 10);
        assert_near(t, "success_rate", 89.999, 90.001);
        assert_near(t, "avg_duration_seconds", 1.999, 2.001);
        parcel = json_object_get(json_object_get(t, "entity_stats"), "parcel");
        assert_int_equal(number(parcel, "processed"), 98);
        assert_int_equal(number(parcel, "succeeded"), 88);
        assert_int_equal(number(parcel, "failed"), 10);
}

static void test_filters(void **state) {
        StateFixture *f = *state;
        json_auto_t *of_pair = NULL, *of_time = NULL;

        run(f, 1, "a", OPERATION_FULL, OPERATION_COMPLETED, 10, 0);
        run(f, 2, "b", OPERATION_FULL, OPERATION_COMPLETED, 20, 0);
        run(f, 3, "b", OPERATION_FULL, OPERATION_COMPLETED, 40, 0);
        assert_ok(f, operation_totals(f->database, "b", 0, 0, &of_pair, &f->error));
        assert_int_equal(number(of_pair, "total_records_processed"), 62);
        assert_true(json_is_null(json_object_get(of_pair, "start_time")));
        assert_ok(f, operation_totals(f->database, NULL, 1000001, 2000000, &of_time, &f->error));
        assert_int_equal(number(of_time, "total_records_processed"), 21);
        assert_string_equal(json_member_text(of_time, "end_time"), "1970-01-01T00:00:02+00:00");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, state_set_up, state_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {TEST(test_nothing_yet), TEST(test_finished_ones_only),
                                           TEST(test_filters)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
