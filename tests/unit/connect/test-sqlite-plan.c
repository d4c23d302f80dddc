/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <sys/stat.h>

#include "basic/json.h"
#include "connect/sqlite.h"

static const char county[] = "create table parcel (id integer primary key, owner_id integer, changed_at text);"
                             "create table owner (id integer, name text);"
                             "insert into parcel values (5000000, 1, '2026-01-01 00:00:00.000');"
                             "insert into owner values (1, 'Ada');";

static MappingColumn columns[] = {{.name = T("id")}, {.join = T("owner"), .name = T("name")}};
static MappingPair by[] = {{T("id"), T("owner_id")}};
static MappingJoin join = {.name = T("owner"), .from = T("owner"), .by = by, .n_by = 1};

static void init(Fixture *f) {
        fixture_init(f, "sqlite", county);
        f->mapping.from = T("parcel");
        f->mapping.columns = columns;
        f->mapping.n_columns = 1;
        f->mapping.watermark = T("changed_at");
        fixture_open(f, false);
}

static json_t *explained(Fixture *f, ReadScope scope) {
        const ReadPlan plan = {.pair = &f->pair, .mapping = &f->mapping, .scope = scope, .low = value_text("2026", 4), .high = value_text("2027", 4)};
        json_t *report = json_array();

        assert_int_equal(connection_explain(f->connection, &plan, report, &f->error), 0);
        assert_int_equal(json_array_size(report), 1);
        return report;
}

static const json_t *scan_of(const json_t *report, size_t i) {
        return json_array_get(json_object_get(json_array_get(report, 0), "scans"), i);
}

static void a_scan_without_an_index(void **state) {
        json_auto_t *before = NULL, *after = NULL, *whole = NULL;
        Fixture f;

        init(&f);
        before = explained(&f, READ_WATERMARK);
        assert_non_null(strstr(json_member_text(json_array_get(before, 0), "query"), "changed_at"));
        assert_string_equal(json_member_text(scan_of(before, 0), "table"), "parcel");
        assert_int_equal(json_member_integer(scan_of(before, 0), "records", 0), 5000000);
        assert_false(json_member_true(scan_of(before, 0), "repeated"));
        run_sql(f.path, json_member_text(scan_of(before, 0), "index"));
        after = explained(&f, READ_WATERMARK);
        assert_null(scan_of(after, 0));
        assert_non_null(strstr(json_member_text(json_array_get(after, 0), "plan"), "parcel_changed_at"));
        whole = explained(&f, READ_ALL);
        assert_non_null(scan_of(whole, 0));
        assert_false(json_member_true(json_array_get(whole, 0), "sorts"));
        fixture_done(&f);
}

static void a_joined_table_without_an_index(void **state) {
        json_auto_t *report = NULL;
        Fixture f;

        init(&f);
        f.mapping.n_columns = 2;
        f.mapping.joins = &join;
        f.mapping.n_joins = 1;
        report = explained(&f, READ_ALL);
        assert_int_equal(json_array_size(json_object_get(json_array_get(report, 0), "scans")), 2);
        fixture_done(&f);
}

static void what_the_file_lets_us_do(void **state) {
        json_auto_t *report = json_array(), *target = json_array();
        const json_t *row;
        Fixture f;

        init(&f);
        assert_int_equal(connection_grants(f.connection, &f.pair, &f.mapping, false, report, &f.error), 0);
        assert_int_equal(json_array_size(report), 3);
        row = json_array_get(report, 0);
        assert_true(json_member_true(row, "ok"));
        assert_non_null(strstr(json_member_text(row, "sql"), f.path));
        assert_non_null(strstr(json_member_text(row, "sql"), "u:terrafusion:r "));
        row = json_array_get(report, 2);
        assert_string_equal(json_member_text(row, "what"), "strategy");
        assert_non_null(json_member_text(row, "blind"));
        assert_int_equal(connection_grants(f.connection, &f.pair, &f.mapping, true, target, &f.error), 0);
        assert_int_equal(json_array_size(target), 2);
        if (geteuid() != 0) { /* root may all */
                json_auto_t *refused = json_array();

                assert_int_equal(chmod(f.path, 0400), 0);
                assert_int_equal(connection_grants(f.connection, &f.pair, &f.mapping, true, refused, &f.error), 0);
                assert_false(json_member_true(json_array_get(refused, 0), "ok"));
        }
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_scan_without_an_index),
                cmocka_unit_test(a_joined_table_without_an_index),
                cmocka_unit_test(what_the_file_lets_us_do),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
