/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/system.h"

static void test_json(void **state) {
        _cleanup_(system_freep) System *s = calloc(1, sizeof *s);
        json_auto_t *json = NULL;

        assert_non_null(s);
        s->name = strdup("pacs");
        s->kind = strdup("sqlite");
        s->path = strdup("/srv/pacs.db");
        s->options = json_pack("{s:s}", "password", "secret");
        json = system_to_json(s);
        assert_string_equal(json_string_value(json_object_get(json, "access")), "read");
        assert_string_equal(json_string_value(json_object_get(json, "path")), "/srv/pacs.db");
        assert_null(json_object_get(json, "password"));
        assert_int_equal(json_object_size(json), 4);
}

static void test_free_of_null(void **state) { assert_null(system_free(NULL)); }

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_json), cmocka_unit_test(test_free_of_null)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
