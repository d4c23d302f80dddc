/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/sqlite.h"

static MappingColumn columns[] = {{.name = T("fid"), .line = 4, .column = 7}, {.name = T("geom"), .line = 5, .column = 7}};
static MappingField fields[] = {{.name = T("fid"), .column = 0, .is_key = true},
                                {.name = T("geom"), .column = 1, .type = VALUE_GEOMETRY, .line = 5, .column_number = 7}};

static void refuses_geometry(void **state) {
        const char *sql = "create table parcel (fid integer primary key, geom blob);"
                          "create table gpkg_geometry_columns (table_name text, column_name text);"
                          "insert into gpkg_geometry_columns values ('parcel', 'geom')";
        json_t *report = json_array();
        Reader *reader = NULL;
        Writer *writer = NULL;
        ReadPlan plan;
        Fixture f;

        fixture_init(&f, "sqlite", sql);
        f.mapping = (Mapping){.entity = T("parcel"), .from = T("parcel"), .to = T("parcel"), .columns = columns, .n_columns = 2,
                              .fields = fields, .n_fields = 2, .n_key = 1};
        fixture_open(&f, true);
        plan = (ReadPlan){.pair = &f.pair, .mapping = &f.mapping};
        assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
        assert_string_equal(f.error.file, "pacs_to_cama.yaml");
        assert_int_equal(f.error.line, 5);
        assert_error(&f, ERROR_MAPPING, "column \"geom\" of \"parcel\" is a geometry", "kind: ogr");
        assert_true(writer_open(f.connection, &f.mapping, &writer, &f.error) < 0);
        assert_error(&f, ERROR_MAPPING, "GeoPackage", "kind: ogr");
        assert_true(connection_check(f.connection, &f.pair, &f.mapping, false, report, &f.error) < 0);
        error_done(&f.error);
        fields[1].type = VALUE_BYTES; /* the bytes as they are */
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        reader_close(reader);
        fields[1].type = VALUE_GEOMETRY;
        fields[1].column = 0; /* what is no geometry can be read */
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        reader_close(reader);
        fields[1].column = 1;
        json_decref(report);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(refuses_geometry),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
