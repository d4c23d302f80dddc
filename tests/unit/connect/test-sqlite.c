/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/sqlite.h"

static const char county[] =
        "create table parcel (id integer primary key, owner_id integer, value real, changed text);"
        "create table owner (owner_id integer primary key, name text);"
        "create table target (code text primary key, name text, must text not null, twice text generated "
        "always as (name || name)) strict";

static MappingColumn columns[] = {{.name = T("id"), .line = 4},
                                  {.join = T("owner"), .name = T("name"), .line = 5}};
static MappingPair by[] = {{T("owner_id"), T("owner_id")}};

static json_t *check(Fixture *f, bool target) {
        json_t *report = json_array();

        if (connection_check(f->connection, &f->pair, &f->mapping, target, report, &f->error) < 0)
                fail_msg("check: %s", f->error.detail);
        return report;
}

/* The row about what; its message and remedy say so. */
static void assert_row(const json_t *report, const char *what, bool ok, const char *message,
                       const char *remedy) {
        const json_t *row;
        size_t i;

        json_array_foreach(report, i, row) {
                if (strcmp(json_string_value(json_object_get(row, "what")), what) != 0)
                        continue;
                assert_int_equal(json_is_true(json_object_get(row, "ok")), ok);
                if (!strstr(json_string_value(json_object_get(row, "message")), message))
                        fail_msg("\"%s\" does not say \"%s\"",
                                 json_string_value(json_object_get(row, "message")), message);
                if (remedy)
                        assert_non_null(strstr(json_string_value(json_object_get(row, "remedy")), remedy));
                else
                        assert_true(json_is_null(json_object_get(row, "remedy")));
                return;
        }
        fail_msg("no row about %s", what);
}

static void checks_the_source(void **state) {
        MappingJoin join = {.name = T("owner"), .from = T("owner"), .by = by, .n_by = 1, .line = 9};
        json_t *report;
        Fixture f;

        fixture_init(&f, "sqlite", county);
        fixture_open(&f, false);
        f.mapping.from = T("parcel");
        f.mapping.columns = columns;
        f.mapping.n_columns = 2;
        f.mapping.joins = &join;
        f.mapping.n_joins = 1;
        report = check(&f, false);
        assert_row(report, "table parcel", true, "2 columns, 1 joins", NULL);
        json_decref(report);
        /* The first owner is looked for by a column that no index has. */
        by[0].left = T("name");
        join.take_first = true;
        report = check(&f, false);
        assert_row(report, "join owner", true, "whole joined table", "index");
        json_decref(report);
        by[0].left = T("owner_id");
        report = check(&f, false);
        assert_int_equal(json_array_size(report), 1);
        json_decref(report);
        join.take_first = false;
        /* Everything at once. */
        columns[0].name = T("idd");
        join.from = T("ownr");
        report = check(&f, false);
        assert_row(report, "idd", false, "pacs_to_cama.yaml:4: \"parcel\" has no column \"idd\"", "\"id\"");
        assert_row(report, "ownr", false, "pacs_to_cama.yaml:9: System \"pacs\" has no table \"ownr\"",
                   "\"owner\"");
        json_decref(report);
        columns[0].name = T("id");
        join.from = T("owner");
        f.mapping.where = T("id = = 1");
        report = check(&f, false);
        assert_row(report, "where", false, "syntax error", "where:");
        json_decref(report);
        f.mapping.where = NULL;
        f.mapping.strategy = DETECT_WATERMARK;
        f.mapping.watermark = T("changed");
        report = check(&f, false);
        assert_row(report, "watermark", true, "whole table", "index");
        json_decref(report);
        run_sql(f.path,
                "create index i on parcel (changed); insert into parcel (changed) values ('2020-01-01')");
        report = check(&f, false);
        assert_row(report, "watermark", false, "2020-01-01", "strategy: full");
        json_decref(report);
        run_sql(f.path, "update parcel set changed = null");
        report = check(&f, false);
        assert_row(report, "watermark", true, "Works", NULL);
        json_decref(report);
        fixture_done(&f);
}

static void checks_the_target(void **state) {
        MappingField fields[] = {
                {.name = T("code"), .is_key = true}, {.name = T("name")}, {.name = T("must")}};
        json_t *report;
        Fixture f;

        fixture_init(&f, "sqlite", county);
        fixture_open(&f, true);
        f.mapping.to = T("target");
        f.mapping.fields = fields;
        f.mapping.n_fields = 3;
        f.mapping.n_key = 1;
        report = check(&f, true);
        assert_int_equal(json_array_size(report), 1);
        assert_row(report, "table target", true, "3 of 4 columns", NULL);
        json_decref(report);
        fields[0].name = T("name");
        fields[1].name = T("twice");
        fields[2].name = T("cod");
        report = check(&f, true);
        assert_int_equal(json_array_size(report), 5);
        assert_row(report, "code", false, "no field fills it", "default");
        assert_row(report, "twice", false, "computed", "Leave");
        assert_row(report, "cod", false, "no column \"cod\"", "\"code\"");
        assert_row(report, "key", false, "unique", "unique index");
        assert_row(report, "must", false, "no field fills it", "default");
        json_decref(report);
        run_sql(f.path, "create unique index u on target (name)");
        report = check(&f, true);
        assert_int_equal(json_array_size(report), 4);
        json_decref(report);
        f.mapping.to = T("targetx");
        report = check(&f, true);
        assert_row(report, "targetx", false, "no table \"targetx\"", "\"target\"");
        json_decref(report);
        fixture_done(&f);
}

static void opens_only_what_is_there(void **state) {
        Connection *c = NULL;
        char *path;
        Fixture f;

        fixture_init(&f, "sqlite", NULL);
        assert_true(connection_open(&f.system, true, &c, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_UNAVAILABLE, f.path, "never created");
        assert_int_equal(access(f.path, F_OK), -1);
        path = test_file_write(f.folder, "county.db",
                               "this is a letter, and no database, however long one reads on and on in it "
                               "...........................");
        assert_true(connection_open(&f.system, false, &c, &f.error) < 0);
        assert_error(&f, ERROR_FILE_FORMAT, "not a database", "path:");
        free(path);
        assert_null(c);
        fixture_done(&f);
}

static void a_source_is_never_written(void **state) {
        Fixture f;

        fixture_init(&f, "sqlite", county);
        fixture_open(&f, false);
        assert_true(connection_begin(f.connection, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_READ_ONLY, "opened for reading", NULL);
        fixture_done(&f);
}

static void begin_meets_another_writer(void **state) {
        sqlite3 *other = NULL;
        Fixture f;

        sqlite_busy_timeout_msec = 20;
        fixture_init(&f, "sqlite", county);
        fixture_open(&f, true);
        assert_int_equal(sqlite3_open(f.path, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
        assert_true(connection_begin(f.connection, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_BUSY, "locked", "transaction");
        assert_int_equal(sqlite3_close(other), SQLITE_OK);
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(connection_commit(f.connection, &f.error), 0);
        fixture_done(&f);
        sqlite_busy_timeout_msec = 5000;
}

/* What is only looked at by commit is of no single record; after it nothing is left half open. */
static void commit_that_fails_is_rolled_back(void **state) {
        MappingField fields[] = {{.name = T("id"), .is_key = true}};
        Value values[] = {value_integer(5)};
        Change change = {.kind = CHANGE_INSERT, .target = values};
        Writer *w = NULL;
        Fixture f;

        fixture_init(&f, "sqlite",
                     "create table p (id integer primary key);"
                     "create table c (id integer primary key references p deferrable initially deferred)");
        fixture_open(&f, true);
        f.mapping.to = T("c");
        f.mapping.fields = fields;
        f.mapping.n_fields = f.mapping.n_key = 1;
        assert_int_equal(writer_open(f.connection, &f.mapping, &w, &f.error), 0);
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(write_change(w, &change, &f.error), 0);
        assert_true(connection_commit(f.connection, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_REFUSED, "FOREIGN KEY", "depends_on");
        assert_sql(f.path, "select count(*) from c", "0");
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        connection_rollback(f.connection);
        writer_close(w);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(checks_the_source),
                cmocka_unit_test(checks_the_target),
                cmocka_unit_test(opens_only_what_is_there),
                cmocka_unit_test(a_source_is_never_written),
                cmocka_unit_test(begin_meets_another_writer),
                cmocka_unit_test(commit_that_fails_is_rolled_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
