/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/text.h"
#include "basic/json.h"
#include "model/pair.h"

static Pair *pair_make(void) {
        Pair *p = calloc(1, sizeof *p);

        assert_non_null(p);
        p->name = strdup("pacs_to_cama");
        assert_int_equal(strings_append(&p->aliases, "pacs-cama-001"), 0);
        p->mappings = calloc(1, sizeof *p->mappings);
        p->n_mappings = 1;
        p->mappings[0].entity = strdup("parcel");
        assert_int_equal(strings_append(&p->mappings[0].aliases, "property"), 0);
        p->variables = calloc(1, sizeof *p->variables);
        p->n_variables = 1;
        p->variables[0] = (Variable){strdup("tax_year"), value_integer(1996), NULL};
        p->max_deletes = (GuardLimit){true, 200};
        p->max_changes = (GuardLimit){true, 1205};
        p->max_errors = (GuardLimit){false, 100};
        return p;
}

static void test_names(void **state) {
        _cleanup_pair_ Pair *p = pair_make();

        assert_true(pair_is_named(p, "pacs_to_cama"));
        assert_true(pair_is_named(p, "pacs-cama-001"));
        assert_false(pair_is_named(p, "parcel"));
        assert_false(pair_is_named(p, NULL));
        assert_ptr_equal(pair_mapping(p, "property"), &p->mappings[0]);
        assert_null(pair_mapping(p, "owner"));
        assert_null(pair_mapping(p, NULL));
        assert_ptr_equal(pair_variable(p, "tax_year and", 8), &p->variables[0]);
        assert_null(pair_variable(p, "tax_year", 7));
}

static void test_json(void **state) {
        _cleanup_pair_ Pair *p = pair_make();
        json_auto_t *json = pair_to_json(p);
        const json_t *guards = json_object_get(json, "guards");

        assert_string_equal(json_string_value(json_object_get(guards, "max_deletes")), "2%");
        assert_string_equal(json_string_value(json_object_get(guards, "max_changes")), "12.05%");
        assert_int_equal(json_integer_value(json_object_get(guards, "max_errors")), 100);
        assert_string_equal(json_string_value(json_object_get(
                                    json_array_get(json_object_get(json, "entities"), 0), "name")),
                            "parcel");
        assert_true(json_is_null(json_object_get(json, "description")));
        assert_int_equal(json_put(json, "status", json_null()) + json_put(json, "error", json_null()), 0); /* syncd's */
        for (const Field *f = pair_document_fields; f->type != FIELD_NONE; f++)
                assert_int_equal(json_object_del(json, f->name), 0);
        assert_int_equal(json_object_size(json), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_json)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
