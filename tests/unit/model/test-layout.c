/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "model/layout.h"

static void names(void **state) {
        for (LayoutEnd e = 0; e < _LAYOUT_END_MAX; e++)
                assert_int_equal(layout_end_from_string(layout_end_to_string(e)), e);
        assert_int_equal(layout_end_from_string("cr"), _LAYOUT_END_INVALID);
        assert_int_equal(layout_end_from_string(NULL), _LAYOUT_END_INVALID);
        assert_int_equal(layout_end_size(LAYOUT_END_CRLF), 2);
        assert_int_equal(layout_end_size(LAYOUT_END_LF), 1);
        assert_int_equal(layout_end_size(LAYOUT_END_NONE), 0);
}

static void finds_tables(void **state) {
        Layout *l = calloc(1, sizeof(*l));

        l->tables = calloc(2, sizeof(*l->tables));
        l->n_tables = 2;
        l->tables[0].name = strdup("land");
        l->tables[1].name = strdup("entity");
        assert_ptr_equal(layout_table(l, "entity"), &l->tables[1]);
        assert_null(layout_table(l, "Entity"));
        assert_null(layout_free(l));
        assert_null(layout_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names),
                cmocka_unit_test(finds_tables),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
