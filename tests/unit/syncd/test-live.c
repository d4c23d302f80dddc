/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/json.h"
#include "basic/text.h"
#include "syncd/live.h"

#define ID "00000000-0000-7000-8000-00000000000a"

static Live *live_of(LiveTable *table) {
        Operation *o = operation_new();

        assert_non_null(o);
        memcpy(o->id, ID, sizeof(ID));
        o->sync_pair_id = strdup("pacs_to_cama");
        o->status = OPERATION_RUNNING;
        return live_add(table, o, NULL);
}

static bool hint(LiveTable *table, const char *id, const char *entity, int n_read, int total) {
        json_t *object = json_pack("{s:s, s:s, s:i, s:i, s:i}", "operation_id", id, "entity", entity,
                                   "n_read", n_read, "n_inserted", n_read, "total", total);
        bool taken = live_hint(table, object);

        json_decref(object);
        return taken;
}

static void test_progress(void **state) {
        LiveTable table = {};
        Live *live = live_of(&table);
        json_t *object;

        assert_true(hint(&table, ID, "parcel", 250, 1000));
        assert_false(hint(&table, "other", "parcel", 1, 1));
        live->attempt_at_usec = 1000000;
        object = live_to_json(live, NULL, 2000000);
        assert_int_equal(json_member_integer(object, "progress", -1), 25);
        assert_int_equal(json_member_integer(object, "records_total", -1), 1000);
        assert_int_equal(json_number_value(json_object_get(object, "rate")), 250);
        assert_int_equal(json_number_value(json_object_get(object, "remaining_seconds")), 3);
        assert_int_equal(json_member_integer(object, "records_processed", -1), 250);
        assert_string_equal(json_member_text(object, "message"), "Sync operation in progress");
        json_decref(object);
        assert_true(hint(&table, ID, "parcel", 1000, 1000));
        object = live_to_json(live, NULL, 2000000);
        assert_int_equal(json_member_integer(object, "progress", -1),
                         99); /* the end is told by the status alone */
        json_decref(object);
        live_done(&table);
        assert_int_equal(table.n, 0);
}

/* The list that D-Bus properties are made from is what JSON has. */
static void test_members_are_the_list(void **state) {
        LiveTable table = {};
        json_auto_t *object = live_to_json(live_of(&table), NULL, 1);
        size_t n = 0;

        for (; operation_document_fields[n].type != FIELD_NONE; n++)
                assert_non_null(json_object_get(object, operation_document_fields[n].name));
        assert_int_equal(n, json_object_size(object));
        live_done(&table);
}

static void test_unknown_total_and_waiting(void **state) {
        LiveTable table = {};
        Live *live = live_of(&table);
        json_t *object;

        assert_true(hint(&table, ID, "parcel", 30000, 0));
        live->operation->status = OPERATION_PENDING;
        object = live_to_json(live, "pair", 5);
        assert_int_equal(json_member_integer(object, "progress", -1), 0);
        assert_true(json_is_null(json_object_get(object, "records_total")));
        assert_true(json_is_null(json_object_get(object, "remaining_seconds")));
        assert_string_equal(json_member_text(object, "waiting_for"), "pair");
        assert_string_equal(json_member_text(object, "message"),
                            "Waits for an earlier operation of its pair");
        json_decref(object);
        live_done(&table);
}

static void test_malformed_hints(void **state) {
        static const char *const texts[] = {"{}",
                                            "[]",
                                            "3",
                                            "{\"operation_id\": 5}",
                                            "{\"operation_id\": \"" ID "\"}",
                                            "{\"operation_id\": \"" ID "\", \"entity\": null}"};
        LiveTable table = {};

        (void) live_of(&table);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                json_t *object = json_loads(texts[i], JSON_DECODE_ANY, NULL);

                assert_non_null(object);
                assert_false(live_hint(&table, object));
                json_decref(object);
        }
        live_done(&table);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_progress),
                cmocka_unit_test(test_members_are_the_list), cmocka_unit_test(test_unknown_total_and_waiting),
                cmocka_unit_test(test_malformed_hints),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
