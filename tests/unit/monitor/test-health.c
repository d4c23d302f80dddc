/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "monitor/health.h"

static void test_ready_and_failures(void **state) {
        Health *h = NULL;
        char *text;
        json_t *object;

        assert_int_equal(health_new(&h), 0);
        assert_true(health_is_ready(h));
        assert_int_equal(health_set(h, "state_store", true, false, "Disk full; make room"), 0);
        assert_int_equal(health_set(h, "pairs", false, false, "2 mistakes"), 0);
        assert_int_equal(health_set(h, "queue", true, true, NULL), 0);
        assert_false(health_is_ready(h));
        text = health_failures(h, false);
        assert_string_equal(text, "state_store: Disk full; make room; pairs: 2 mistakes");
        free(text);
        text = health_failures(h, true);
        assert_string_equal(text, "state_store: Disk full; make room");
        free(text);
        assert_int_equal(health_set(h, "state_store", true, true, NULL), 0);
        assert_true(health_is_ready(h));
        assert_false(health_is_up(h, "pairs"));
        assert_false(health_is_up(h, "unknown"));
        object = health_to_json(h, false);
        assert_string_equal(json_string_value(json_object_get(object, "state_store")), "UP");
        assert_string_equal(json_string_value(json_object_get(object, "pairs")), "DOWN");
        json_decref(object);
        object = health_to_json(h, true);
        assert_string_equal(json_string_value(json_object_get(json_object_get(object, "pairs"), "message")),
                            "2 mistakes");
        assert_true(json_is_null(json_object_get(json_object_get(object, "queue"), "message")));
        json_decref(object);
        health_free(h);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_ready_and_failures)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
