/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "basic/json.h"
#include "store/schema.h"

static void schema_save(Fixture *f, EntitySchema *schema) {
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, entity_schema_save(progress_database(f->progress), "parcel", schema, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
}

static void test_a_schema_comes_back(void **state) {
        Fixture *f = *state;
        EntitySchema schema = {}, back = {};

        assert_ok(f, entity_schema_load(progress_database(f->progress), "parcel", &back, &f->error));
        assert_null(back.columns);
        assert_null(back.mapping);
        assert_null(back.refill);
        assert_int_equal(back.n_filled, 0);
        schema.columns = json_pack("{s:{s:s, s:n}}", "source", "geo_id", "character varying(20)", "odd");
        schema.refill = json_pack("[s]", "use_code");
        schema.n_filled = 7;
        schema_save(f, &schema);
        fixture_reopen(f);
        assert_ok(f, entity_schema_load(progress_database(f->progress), "parcel", &back, &f->error));
        assert_true(json_equal(back.columns, schema.columns));
        assert_true(json_equal(back.refill, schema.refill));
        assert_null(back.mapping);
        assert_int_equal(back.n_filled, 7);
        json_decref(schema.refill);
        schema.refill = NULL;
        schema_save(f, &schema);
        entity_schema_done(&back);
        assert_ok(f, entity_schema_load(progress_database(f->progress), "parcel", &back, &f->error));
        assert_null(back.refill);
        entity_schema_done(&back);
        assert_ok(f, entity_schema_load(progress_database(f->progress), "owner", &back, &f->error));
        assert_null(back.columns);
        entity_schema_done(&schema);
}

static void put_drift(Fixture *f, const char *column, DriftStatus status, const char *now) {
        const Drift drift = {.entity = "parcel", .column = column, .kind = DRIFT_NARROWED, .before = "numeric(14,2)", .now = now,
                             .is_mapped = true, .status = status, .accepted_by = status == DRIFT_ACCEPTED ? "ada" : NULL};

        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, drift_put(progress_database(f->progress), &drift, "018f3c00-0000-7000-8000-000000000001", &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
}

static void test_drift_is_listed(void **state) {
        Fixture *f = *state;
        json_auto_t *rows = json_array(), *none = json_array(), *later = json_array();
        const json_t *row;

        assert_ok(f, drift_list(f->folder, "never_run", none, &f->error));
        assert_int_equal(json_array_size(none), 0);
        put_drift(f, "market", DRIFT_STOPS, "numeric(10,2)");
        put_drift(f, "geo_id", DRIFT_REPORTED, NULL);
        put_drift(f, "geo_id", DRIFT_ACCEPTED, "text"); /* the last word on a column counts */
        assert_ok(f, drift_list(f->folder, "pair", rows, &f->error));
        assert_int_equal(json_array_size(rows), 2);
        row = json_array_get(rows, 0);
        assert_string_equal(json_member_text(row, "column"), "market");
        assert_string_equal(json_member_text(row, "status"), "stops");
        assert_string_equal(json_member_text(row, "side"), "source");
        assert_string_equal(json_member_text(row, "old_type"), "numeric(14,2)");
        assert_string_equal(json_member_text(row, "new_type"), "numeric(10,2)");
        assert_string_equal(json_member_text(row, "sync_pair_id"), "pair");
        assert_true(json_member_true(row, "mapped"));
        assert_true(json_is_null(json_object_get(row, "accepted_at")));
        row = json_array_get(rows, 1);
        assert_string_equal(json_member_text(row, "accepted_by"), "ada");
        assert_true(json_is_string(json_object_get(row, "accepted_at")));
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, drift_forget(progress_database(f->progress), "parcel", DRIFT_STOPS, NULL, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_ok(f, drift_list(f->folder, "pair", later, &f->error));
        assert_int_equal(json_array_size(later), 1);
}

static void test_names(void **state) {
        assert_string_equal(drift_status_to_string(DRIFT_STOPS), "stops");
        assert_null(drift_status_to_string(_DRIFT_STATUS_MAX));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_a_schema_comes_back, fixture_set_up, fixture_tear_down),
                cmocka_unit_test_setup_teardown(test_drift_is_listed, fixture_set_up, fixture_tear_down),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
