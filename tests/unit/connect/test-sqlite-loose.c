/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/sqlite.h"

static const char county[] =
        "create table parcel (id integer primary key, year integer, area real, value decimal(14,2), sold date, note, name text);"
        "insert into parcel values (1, 2026, 1.5, 10.25, '2026-01-01', 'x', 'a'), (17, 'n/a', 'wide', x'00ff', 'never', 'y', 5),"
        " (18, 'twenty', null, 1, 1, null, null);"
        "create table code (district text, number int, primary key (district, number)) without rowid;"
        "insert into code values ('N', 1), ('S', 'two');";

static MappingColumn columns[] = {{.name = T("id")},   {.name = T("year")}, {.name = T("area")}, {.name = T("value")},
                                  {.name = T("sold")}, {.name = T("note")}, {.name = T("name")}};
static MappingField fields[] = {
        {.name = T("id"), .column = 0, .is_key = true}, {.name = T("year"), .column = 1}, {.name = T("area"), .column = 2, .type = VALUE_DECIMAL},
        {.name = T("value"), .column = 3},              {.name = T("sold"), .column = 4}, {.name = T("note"), .column = 5},
        {.name = T("name"), .column = 6},
};

static void init(Fixture *f) {
        fixture_init(f, "sqlite", county);
        f->mapping.from = T("parcel");
        f->mapping.columns = columns;
        f->mapping.n_columns = 7;
        f->mapping.fields = fields;
        f->mapping.n_fields = 7;
        f->mapping.n_key = 1;
        fixture_open(f, false);
}

/* "message;" of each finding of the n-th record. */
static char *findings_of(Fixture *f, unsigned n) {
        const ReadPlan plan = {.pair = &f->pair, .mapping = &f->mapping};
        char *all = arena_printf(f->arena, "%s", "");
        Finding *findings = NULL;
        Reader *reader = NULL;
        Value values[8] = {};

        assert_int_equal(reader_open(f->connection, &plan, &reader, &f->error), 0);
        for (unsigned i = 0; i < n; i++)
                assert_int_equal(reader_next(reader, values, &f->error), 1);
        assert_int_equal(reader_findings(reader, values, f->arena, &findings), 0);
        for (const Finding *one = findings; one; one = one->next) {
                assert_string_equal(one->rule, "storage");
                assert_non_null(strstr(one->remedy, "null_values"));
                all = arena_printf(f->arena, "%s%s;", all, one->message);
        }
        reader_close(reader);
        return all;
}

static void names_table_row_column_and_value(void **state) {
        char *nulls[] = {T("n/a"), NULL};
        Fixture f;

        init(&f);
        assert_string_equal(findings_of(&f, 1), "");
        assert_string_equal(findings_of(&f, 2),
                            "Table 'parcel', rowid 17: column 'year' is declared INTEGER and holds the text 'n/a'.;"
                            "Table 'parcel', rowid 17: column 'area' is declared REAL and holds the text 'wide'.;"
                            "Table 'parcel', rowid 17: column 'value' is declared decimal(14,2) and holds the bytes '00ff'.;");
        assert_string_equal(findings_of(&f, 3), "Table 'parcel', rowid 18: column 'year' is declared INTEGER and holds the text 'twenty'.;");
        /* What a field takes for null, or as a text, is meant. */
        fields[1].null_values = nulls;
        fields[2].type = VALUE_TEXT;
        fields[3].type = VALUE_BYTES;
        assert_string_equal(findings_of(&f, 2), "");
        fields[1].null_values = NULL;
        fields[2].type = VALUE_DECIMAL;
        fields[3].type = VALUE_ABSENT;
        fixture_done(&f);
}

static void names_the_key_without_rowid(void **state) {
        MappingColumn code[] = {{.name = T("district")}, {.name = T("number")}};
        Fixture f;

        init(&f);
        f.mapping.from = T("code");
        f.mapping.columns = code;
        f.mapping.n_columns = f.mapping.n_fields = 2;
        assert_string_equal(findings_of(&f, 1), "");
        assert_string_equal(findings_of(&f, 2), "Table 'code', key S|two: column 'number' is declared INT and holds the text 'two'.;");
        fixture_done(&f);
}

static void tells_of_decimals_in_floats(void **state) {
        json_t *report = json_array();
        Fixture f;

        init(&f);
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, false, report, &f.error), 0);
        assert_int_equal(json_array_size(report), 2);
        assert_string_equal(json_string_value(json_object_get(json_array_get(report, 1), "message")),
                            "Works, but column \"area\" of \"parcel\" is declared REAL: it holds binary floats, of which 15 digits are exact");
        json_decref(report);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_table_row_column_and_value),
                cmocka_unit_test(names_the_key_without_rowid),
                cmocka_unit_test(tells_of_decimals_in_floats),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
