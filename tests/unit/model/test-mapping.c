/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/mapping.h"

static void test_columns(void **state) {
        Mapping m = {};
        size_t index;

        assert_int_equal(mapping_column_add(&m, NULL, "a", 3, 7, &index), 0);
        assert_int_equal(index, 0);
        assert_int_equal(mapping_column_add(&m, "owner", "a", 4, 1, &index), 0);
        assert_int_equal(index, 1);
        assert_int_equal(mapping_column_add(&m, NULL, "a", 9, 9, &index), 0);
        assert_int_equal(index, 0);
        assert_int_equal(m.n_columns, 2);
        assert_int_equal(m.columns[0].line, 3);
        assert_string_equal(m.columns[1].join, "owner");
        mapping_done(&m);
        assert_int_equal(m.n_columns, 0);
        mapping_done(&m);
}

static void test_fields(void **state) {
        MappingField fields[] = {{.name = (char *) "code"}, {.name = (char *) "name"}};
        Mapping m = {.fields = fields, .n_fields = 2};

        assert_int_equal(mapping_field_index(&m, "name"), 1);
        assert_int_equal(mapping_field_index(&m, "namex"), -1);
        assert_string_equal(detect_strategy_to_string(DETECT_WATERMARK), "watermark");
        for (int i = 0; i < _DETECT_STRATEGY_MAX; i++)
                assert_int_equal(detect_strategy_from_string(detect_strategy_to_string(i)), i);
        assert_int_equal(detect_strategy_from_string("ful"), _DETECT_STRATEGY_INVALID);
        assert_int_equal(detect_strategy_from_string(NULL), _DETECT_STRATEGY_INVALID);
}

static void test_lookup(void **state) {
        LookupRow rows[] = {{(char *) "", (char *) "none"},
                            {(char *) "1", (char *) "one"},
                            {(char *) "10", (char *) "ten"},
                            {(char *) "2", (char *) "two"}};
        Lookup l = {.rows = rows, .n_rows = 4};

        assert_string_equal(lookup_find(&l, "", 0), "none");
        assert_string_equal(lookup_find(&l, "1", 1), "one");
        assert_string_equal(lookup_find(&l, "10x", 2), "ten");
        assert_string_equal(lookup_find(&l, "2", 1), "two");
        assert_null(lookup_find(&l, "3", 1));
        assert_null(lookup_find(&l, "100", 3));
        assert_null(lookup_find(&l, "1\0", 2));
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns), cmocka_unit_test(test_fields),
                                           cmocka_unit_test(test_lookup)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
