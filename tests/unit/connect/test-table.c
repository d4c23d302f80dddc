/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/text.h"
#include "connect/table.h"

static Table *parcel_new(void) {
        Table *t = calloc(1, sizeof(*t));
        char **columns = NULL;

        assert_non_null(t);
        t->name = strdup("parcel");
        assert_non_null(table_column_add(t, "year"));
        assert_non_null(table_column_add(t, "number"));
        assert_non_null(table_column_add(t, "geo_id"));
        t->columns[0].key_place = 1;
        t->columns[1].key_place = 2;
        assert_int_equal(strings_append(&columns, "geo_id"), 0);
        assert_int_equal(strings_append(&columns, "year"), 0);
        assert_int_equal(table_index_add(t, columns, false), 0);
        return t;
}

static void names(void **state) {
        Table *t = parcel_new();
        Error error = {};

        assert_ptr_equal(table_column(t, "NUMBER"), &t->columns[1]);
        assert_null(table_column(t, "numbers"));
        assert_int_equal(table_column_require(t, "Year", &error), 0);
        assert_true(table_column_require(t, "numbr", &error) < 0);
        assert_int_equal(error.id, ERROR_COLUMN_MISSING);
        assert_string_equal(error.field, "numbr");
        assert_string_equal(error.detail, "\"parcel\" has no column \"numbr\"");
        assert_non_null(strstr(error.remedy, "\"number\""));
        error_done(&error);
        assert_true(table_column_require(t, "entirely_different", &error) < 0);
        assert_non_null(strstr(error.remedy, "add the column"));
        error_done(&error);
        table_free(t);
}

static void keys(void **state) {
        static const char *const both[] = {"number", "YEAR"}, *const more[] = {"geo_id", "year", "number"},
                                 *const geo[] = {"geo_id", "year"};
        Table *t = parcel_new();

        assert_true(table_is_unique(t, both, 2));
        assert_true(table_is_unique(t, more, 3)); /* more than the key is unique too */
        assert_false(table_is_unique(t, both, 1));
        assert_false(table_is_unique(t, geo, 2)); /* an index that is not unique */
        t->indexes[0].unique = true;
        assert_true(table_is_unique(t, geo, 2));
        assert_false(table_is_unique(t, geo, 1));
        assert_true(table_has_index_on(t, "geo_id"));
        assert_true(table_has_index_on(t, "year"));    /* of the primary key */
        assert_false(table_has_index_on(t, "number")); /* not its first column */
        table_free(t);
}

static void missing_tables(void **state) {
        char *tables[] = {(char *) "parcel", (char *) "owner", NULL};
        Error error = {};

        assert_true(table_missing("table", "parcels", "pacs", tables, &error) < 0);
        assert_int_equal(error.id, ERROR_TABLE_MISSING);
        assert_string_equal(error.detail, "System \"pacs\" has no table \"parcels\"");
        assert_non_null(strstr(error.remedy, "\"parcel\""));
        error_done(&error);
        assert_true(table_missing("file", "x", "pacs", NULL, &error) < 0);
        assert_non_null(strstr(error.remedy, "create the file"));
        error_done(&error);
}

static void reports(void **state) {
        json_t *report = json_array(), *row;
        Error error = {};

        error_set(&error, ERROR_MAPPING, "Mend it", "It is broken");
        assert_int_equal(report_add(report, "a", true, "fine", NULL), 0);
        assert_int_equal(report_add_error(report, "b", &error), 0);
        error_at(&error, "m.yaml", 3, 1);
        assert_int_equal(report_add_error(report, "c", &error), 0);
        row = json_array_get(report, 0);
        assert_true(json_is_true(json_object_get(row, "ok")) &&
                    json_is_null(json_object_get(row, "remedy")));
        row = json_array_get(report, 1);
        assert_true(json_is_false(json_object_get(row, "ok")));
        assert_string_equal(json_string_value(json_object_get(row, "message")), "It is broken");
        assert_string_equal(json_string_value(json_object_get(row, "remedy")), "Mend it");
        row = json_array_get(report, 2);
        assert_string_equal(json_string_value(json_object_get(row, "message")), "m.yaml:3: It is broken");
        error_done(&error);
        json_decref(report);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names),
                cmocka_unit_test(keys),
                cmocka_unit_test(missing_tables),
                cmocka_unit_test(reports),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
