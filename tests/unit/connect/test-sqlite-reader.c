/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/sqlite.h"

static const char county[] = "create table property_val (prop_id integer primary key, prop_val_yr integer, "
                             "value real, owner_id integer, last_update_dt text);"
                             "create table owner (owner_id integer primary key, name text, changed text);"
                             "create table sale (prop_id integer, seller text, price real, sold text);"
                             "insert into owner values (1, 'Ada', '2026-01-01 00:00:00.000'), (2, 'Bob', "
                             "'2026-03-01 00:00:00.000');"
                             "insert into property_val values (10, 2026, 1250.5, 1, '2026-01-05 "
                             "00:00:00.000'), (11, 2025, 1, 1, '2026-01-06 00:00:00.000'),"
                             " (12, 2026, 0.1, 2, '2026-01-07 00:00:00.000'), (13, 2026, null, null, null);"
                             "insert into sale values (10, 'X', 5, '2020-01-01'), (10, 'Y', 9, "
                             "'2021-01-01'), (12, 'Z', 7, '2022-01-01');";

static MappingColumn own_columns[] = {{.name = T("prop_id"), .line = 5, .column = 9},
                                      {.name = T("value"), .line = 6, .column = 9}};
static MappingColumn joined_columns[] = {{.name = T("prop_id")}, {.join = T("owner"), .name = T("name")}};
static MappingPair by_owner[] = {{T("owner_id"), T("owner_id")}};
static MappingPair by_prop[] = {{T("prop_id"), T("prop_id")}};

static void init(Fixture *f) {
        fixture_init(f, "sqlite", county);
        f->mapping.from = T("property_val");
        f->mapping.columns = own_columns;
        f->mapping.n_columns = 2;
        f->mapping.line = 3;
        fixture_open(f, false);
}

static ReadPlan plan_of(Fixture *f) { return (ReadPlan){.pair = &f->pair, .mapping = &f->mapping}; }

static void reads_in_order_with_variables(void **state) {
        Variable variables[] = {
                {T("tax_year"), value_integer(2026), NULL},
                {T("least"), {.type = VALUE_DECIMAL, .decimal = {.coefficient = 5, .scale = 1}}, NULL},
        };
        Fixture f;
        ReadPlan plan;

        init(&f);
        plan = plan_of(&f);
        assert_scan(&f, &plan, "10|1250.5\n11|1\n12|0.1\n13|-\n");
        f.pair.variables = variables;
        f.pair.n_variables = 2;
        f.mapping.where = T("prop_val_yr = :tax_year -- this year only");
        assert_scan(&f, &plan, "10|1250.5\n12|0.1\n13|-\n");
        f.mapping.where = T("value > :least or 0");
        assert_scan(&f, &plan, "10|1250.5\n11|1\n");
        fixture_done(&f);
}

static void gives_types_as_stored(void **state) {
        MappingColumn column = {.name = T("x")};
        Value value = {};
        Reader *reader = NULL;
        ReadPlan plan;
        Fixture f;

        init(&f);
        run_sql(f.path, "create table mixed (x);"
                        "insert into mixed values (1), (2.5), ('text'), (x'00ff'), (null), (1e300), "
                        "(9e999), (cast(x'ff41' as text)), (x'')");
        f.mapping.from = T("mixed");
        f.mapping.columns = &column;
        f.mapping.n_columns = 1;
        plan = plan_of(&f);
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_value(&f, &value, VALUE_INTEGER, "1");
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_value(&f, &value, VALUE_DECIMAL, "2.5");
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_value(&f, &value, VALUE_TEXT, "text");
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_int_equal(value.type, VALUE_BYTES);
        assert_int_equal(value.size, 2);
        assert_memory_equal(value.bytes, "\x00\xff", 2);
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_int_equal(value.type, VALUE_NULL);
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_value(&f, &value, VALUE_TEXT, "1e+300");
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_value(&f, &value, VALUE_TEXT, "inf");
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_int_equal(value.type, VALUE_BYTES); /* what is no UTF-8 is no text */
        assert_int_equal(reader_next(reader, &value, &f.error), 1);
        assert_int_equal(value.type, VALUE_BYTES);
        assert_int_equal(value.size, 0);
        assert_int_equal(reader_next(reader, &value, &f.error), 0);
        assert_int_equal(reader_next(reader, &value, &f.error), 0); /* the end stays the end */
        reader_close(reader);
        fixture_done(&f);
}

static void joins(void **state) {
        MappingJoin join = {.name = T("owner"), .from = T("owner"), .by = by_owner, .n_by = 1};
        Fixture f;
        ReadPlan plan;

        init(&f);
        f.mapping.columns = joined_columns;
        f.mapping.joins = &join;
        f.mapping.n_joins = 1;
        plan = plan_of(&f);
        assert_scan(&f, &plan, "10|Ada\n11|Ada\n12|Bob\n");
        join.optional = true;
        assert_scan(&f, &plan, "10|Ada\n11|Ada\n12|Bob\n13|-\n");
        f.mapping.where = T("owner.name = 'Bob' or source.prop_val_yr = 2025");
        assert_scan(&f, &plan, "11|Ada\n12|Bob\n");
        f.mapping.where = T("owner_id = 1");
        {
                Reader *reader = NULL;

                assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
                assert_string_equal(f.error.file, "pacs_to_cama.yaml");
                assert_int_equal(f.error.line, 3);
                assert_error(&f, ERROR_MAPPING, "ambiguous", "source.NAME");
        }
        fixture_done(&f);
}

static void takes_the_first_of_many(void **state) {
        char *order[] = {T("-sold"), NULL};
        MappingColumn columns[] = {{.name = T("prop_id")}, {.join = T("sale"), .name = T("seller")}};
        MappingJoin join = {.name = T("sale"),
                            .from = T("sale"),
                            .by = by_prop,
                            .n_by = 1,
                            .order = order,
                            .take_first = true,
                            .optional = true};
        Fixture f;
        ReadPlan plan;

        init(&f);
        f.mapping.columns = columns;
        f.mapping.joins = &join;
        f.mapping.n_joins = 1;
        plan = plan_of(&f);
        assert_scan(&f, &plan, "10|Y\n11|-\n12|Z\n13|-\n");
        order[0] = T("sold");
        join.optional = false;
        assert_scan(&f, &plan, "10|X\n12|Z\n");
        /* The same from a table that has no rowid. */
        run_sql(f.path, "create table deed (prop_id integer, seller text, price real, sold text, primary "
                        "key (prop_id, sold)) without rowid;"
                        "insert into deed select * from sale");
        join.from = T("deed");
        order[0] = T("-sold");
        assert_scan(&f, &plan, "10|Y\n12|Z\n");
        run_sql(f.path, "create view sales as select * from sale");
        join.from = T("sales");
        {
                Reader *reader = NULL;

                assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
                assert_error(&f, ERROR_NOT_YET, "view", NULL);
        }
        fixture_done(&f);
}

static void watermark_window(void **state) {
        MappingJoin join = {
                .name = T("owner"), .from = T("owner"), .by = by_owner, .n_by = 1, .optional = true};
        Fixture f;
        ReadPlan plan;

        init(&f);
        f.mapping.watermark = T("last_update_dt");
        plan = plan_of(&f);
        plan.scope = READ_WATERMARK;
        plan.high = value_text("2026-01-07 00:00:00.000", 23);
        assert_scan(&f, &plan, "10|1250.5\n11|1\n13|-\n"); /* from the beginning: also what has no stamp */
        plan.low = value_text("2026-01-06 00:00:00.000", 23);
        assert_scan(&f, &plan, "11|1\n"); /* low belongs to it, high does not */
        plan.high = value_text("2026-04-01 00:00:00.000", 23);
        assert_scan(&f, &plan, "11|1\n12|0.1\n");
        /* A change of the owner is a change of the parcel. */
        plan.low = value_text("2026-02-01 00:00:00.000", 23);
        assert_scan(&f, &plan, "");
        f.mapping.joins = &join;
        f.mapping.n_joins = 1;
        join.watermark = T("changed");
        assert_scan(&f, &plan, "12|0.1\n");
        f.mapping.watermark = NULL;
        assert_scan(&f, &plan, "12|0.1\n");
        plan.low = value_null();
        plan.high = value_text("2026-01-02 00:00:00.000", 23);
        assert_scan(&f, &plan, "10|1250.5\n11|1\n13|-\n");
        fixture_done(&f);
}

/* Whichever row was the first before: a change of any of them may have changed the choice. */
static void watermark_of_a_choice(void **state) {
        char *order[] = {T("price"), NULL};
        MappingJoin join = {.name = T("sale"),
                            .from = T("sale"),
                            .by = by_prop,
                            .n_by = 1,
                            .order = order,
                            .take_first = true,
                            .optional = true,
                            .watermark = T("sold")};
        Fixture f;
        ReadPlan plan;

        init(&f);
        f.mapping.joins = &join;
        f.mapping.n_joins = 1;
        plan = plan_of(&f);
        plan.scope = READ_WATERMARK;
        plan.low = value_text("2021-01-01", 10);
        plan.high = value_text("2021-06-01", 10);
        assert_scan(&f, &plan, "10|1250.5\n");
        fixture_done(&f);
}

/* Reads n records, gives the position. */
static char *read_some(Fixture *f, const ReadPlan *plan, unsigned n, bool resumed) {
        Reader *reader = NULL;
        Value values[16];
        char *position;

        assert_int_equal(reader_open(f->connection, plan, &reader, &f->error), 0);
        assert_int_equal(reader_resumed(reader), resumed);
        for (unsigned i = 0; i < n; i++)
                assert_int_equal(reader_next(reader, values, &f->error), 1);
        position = strdup(reader_position(reader));
        reader_close(reader);
        return position;
}

static void resumes(void **state) {
        char *first, *second, *third;
        Reader *reader = NULL;
        Fixture f;
        ReadPlan plan;

        init(&f);
        plan = plan_of(&f);
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_null(reader_position(reader));
        assert_false(reader_resumed(reader));
        reader = reader_close(reader);
        first = read_some(&f, &plan, 2, false);
        plan.position = first;
        assert_scan(&f, &plan, "12|0.1\n13|-\n");
        second = read_some(&f, &plan, 1, true);
        plan.position = second;
        assert_scan(&f, &plan, "13|-\n");
        third = read_some(&f, &plan, 0, true); /* nothing read: where it was */
        assert_string_equal(third, second);
        /* A vacuum may renumber rows, and nonsense is no position: from the first record, and it says so. */
        run_sql(f.path, "vacuum");
        free(read_some(&f, &plan, 1, false));
        assert_scan(&f, &plan, "10|1250.5\n11|1\n12|0.1\n13|-\n");
        plan.position = "nonsense/zz";
        free(read_some(&f, &plan, 1, false));
        free(first);
        free(second);
        free(third);
        fixture_done(&f);
}

static void resumes_without_rowid(void **state) {
        MappingColumn columns[] = {{.name = T("code")}, {.name = T("year")}};
        char *position;
        Fixture f;
        ReadPlan plan;

        init(&f);
        run_sql(f.path,
                "create table code (code text, year integer, primary key (code, year)) without rowid;"
                "insert into code values ('a', 1), ('a', 2), ('b', 1), ('c', 0)");
        f.mapping.from = T("main.code");
        f.mapping.columns = columns;
        plan = plan_of(&f);
        position = read_some(&f, &plan, 2, false);
        plan.position = position;
        assert_scan(&f, &plan, "b|1\nc|0\n");
        free(position);
        plan.position = NULL;
        position = read_some(&f, &plan, 4, false);
        plan.position = position;
        assert_scan(&f, &plan, "");
        free(position);
        fixture_done(&f);
}

static void reads_views_without_position(void **state) {
        Reader *reader = NULL;
        Value values[2];
        Fixture f;
        ReadPlan plan;

        init(&f);
        run_sql(f.path,
                "create view roll as select prop_id, value from property_val where prop_val_yr = 2025");
        f.mapping.from = T("roll");
        plan = plan_of(&f);
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_int_equal(reader_next(reader, values, &f.error), 1);
        assert_null(reader_position(reader));
        reader_close(reader);
        fixture_done(&f);
}

static void one_snapshot(void **state) {
        Reader *reader = NULL;
        Value values[2];
        Fixture f;
        ReadPlan plan;

        init(&f);
        run_sql(f.path, "pragma journal_mode = wal");
        plan = plan_of(&f);
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_int_equal(reader_next(reader, values, &f.error), 1);
        run_sql(f.path, "insert into property_val values (99, 2026, 1, 1, null); delete from property_val "
                        "where prop_id = 12");
        assert_string_equal(scan_text(&f, reader), "11|1\n12|0.1\n13|-\n");
        reader = reader_close(reader);
        assert_scan(&f, &plan, "10|1250.5\n11|1\n13|-\n99|1\n");
        fixture_done(&f);
}

static void refuse(Fixture *f, ErrorId id, const char *detail, const char *remedy, unsigned line) {
        ReadPlan plan = plan_of(f);
        Reader *reader = NULL;

        assert_true(reader_open(f->connection, &plan, &reader, &f->error) < 0);
        assert_null(reader);
        assert_string_equal(f->error.file, "pacs_to_cama.yaml");
        assert_int_equal(f->error.line, line);
        assert_error(f, id, detail, remedy);
}

static void names_what_is_missing(void **state) {
        MappingColumn columns[] = {{.name = T("prop_id")}, {.name = T("valuex"), .line = 6, .column = 9}};
        Fixture f;

        init(&f);
        f.mapping.from = T("property_vall");
        refuse(&f, ERROR_TABLE_MISSING, "\"property_vall\"", "\"property_val\"", 3);
        f.mapping.from = T("property_val");
        f.mapping.columns = columns;
        refuse(&f, ERROR_COLUMN_MISSING, "no column \"valuex\"", "\"value\"", 6);
        f.mapping.columns = own_columns;
        f.mapping.where = T("prop_val_year = 2026");
        refuse(&f, ERROR_COLUMN_MISSING, "\"prop_val_year\"", "\"prop_val_yr\"", 3);
        f.mapping.where = T("value = \"A\""); /* a name, not a text */
        refuse(&f, ERROR_COLUMN_MISSING, "\"A\"", NULL, 3);
        f.mapping.where = T("value = = 1");
        refuse(&f, ERROR_MAPPING, "syntax error", "where:", 3);
        f.mapping.where = T("value = :rate");
        refuse(&f, ERROR_MAPPING, "\":rate\"", "variables:", 3);
        f.mapping.where = T("value = ?");
        refuse(&f, ERROR_MAPPING, "no variable", ":NAME", 3);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_in_order_with_variables),
                cmocka_unit_test(gives_types_as_stored),
                cmocka_unit_test(joins),
                cmocka_unit_test(takes_the_first_of_many),
                cmocka_unit_test(watermark_window),
                cmocka_unit_test(watermark_of_a_choice),
                cmocka_unit_test(resumes),
                cmocka_unit_test(resumes_without_rowid),
                cmocka_unit_test(reads_views_without_position),
                cmocka_unit_test(one_snapshot),
                cmocka_unit_test(names_what_is_missing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
