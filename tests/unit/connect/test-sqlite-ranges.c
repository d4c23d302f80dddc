/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/sqlite.h"

static MappingColumn columns[] = {{.name = T("k")}, {.name = T("v")}};
static MappingField fields[] = {{.name = T("k"), .is_key = true, .column = 0}, {.name = T("v"), .column = 1}};

static Reader *init(Fixture *f, const char *sql) {
        Reader *reader = NULL;
        ReadPlan plan;

        fixture_init(f, "sqlite", sql);
        f->mapping = (Mapping){.entity = T("t"), .from = T("t"), .columns = columns, .n_columns = 2,
                               .fields = fields, .n_fields = 2, .n_key = 1};
        fixture_open(f, false);
        plan = (ReadPlan){.pair = &f->pair, .mapping = &f->mapping, .scope = READ_RANGES};
        assert_int_equal(reader_open(f->connection, &plan, &reader, &f->error), 0);
        return reader;
}

static int64_t n_read(Reader *reader, const KeyRange *range, Error *error) {
        Value values[2];
        int64_t n = 0;

        assert_int_equal(reader_range(reader, range, error), 0);
        while (reader_next(reader, values, error) > 0)
                n++;
        return n;
}

static const char numbers[] = "create table t (k integer primary key, v text);"
                              "with recursive n (i) as (select 1 union all select i + 1 from n where i < 25)"
                              " insert into t select i * 3, 'v' || i from n";

static void cuts_sums_and_reads(void **state) {
        _cleanup_key_ranges_ KeyRanges ranges = {};
        Fixture f;
        Reader *reader = init(&f, numbers);

        assert_int_equal(ranges_plan(reader, &(KeyRange){}, 10, &ranges, &f.error), 0);
        assert_int_equal(ranges.n_ranges, 3);
        assert_null(ranges.ranges[0].after);
        assert_string_equal(ranges.ranges[0].until, ranges.ranges[1].after);
        assert_null(ranges.ranges[2].until);
        assert_int_equal(ranges_sum(reader, ranges.ranges, 3, &f.error), 0);
        assert_int_equal(ranges.ranges[0].n_records, 10);
        assert_int_equal(ranges.ranges[2].n_records, 5);
        assert_true(ranges.ranges[0].sums[0] != ranges.ranges[1].sums[0]);
        assert_int_equal(n_read(reader, ranges.ranges, &f.error), 10);
        assert_int_equal(n_read(reader, ranges.ranges + 1, &f.error), 10);
        assert_int_equal(n_read(reader, ranges.ranges + 2, &f.error), 5);
        assert_int_equal(n_read(reader, &(KeyRange){}, &f.error), 25);
        assert_true(reader_ranges_by_key(reader));
        (void) reader_close(reader);
        fixture_done(&f);
}

/* What is written meanwhile belongs to the next run: sums and records are of one snapshot. */
static void is_one_snapshot(void **state) {
        KeyRange before = {}, after = {};
        Fixture f;
        Reader *reader = init(&f, "pragma journal_mode = wal; create table t (k integer primary key, v); insert into t values (1, 2)");

        assert_int_equal(ranges_sum(reader, &before, 1, &f.error), 0);
        run_sql(f.path, "update t set v = 3; insert into t values (2, 2)");
        assert_int_equal(ranges_sum(reader, &after, 1, &f.error), 0);
        assert_true(key_range_is_equal(&before, &after));
        assert_int_equal(n_read(reader, &(KeyRange){}, &f.error), 1);
        (void) reader_close(reader);
        fixture_done(&f);
}

/* Deletes may be told by key only where the key is what the ranges are cut by. */
static void knows_whether_bounds_are_the_key(void **state) {
        static const struct {
                const char *sql;
                bool by_key;
        } tables[] = {
                {"create table t (k integer primary key, v)", true},
                {"create table t (k integer primary key desc, v)", false}, /* no number of the row, but an index */
                {"create table t (k integer, v)", false},
                {"create table t (k text primary key, v) without rowid", false},
                {"create table t (k integer, v, primary key (k, v))", false},
        };

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                Fixture f;
                Reader *reader = init(&f, tables[i].sql);

                assert_int_equal(reader_ranges_by_key(reader), tables[i].by_key);
                (void) reader_close(reader);
                fixture_done(&f);
        }
}

static void cuts_by_composite_keys(void **state) {
        _cleanup_key_ranges_ KeyRanges ranges = {};
        Fixture f;
        Reader *reader = init(&f, "create table t (k text, v integer, primary key (k, v)) without rowid;"
                                  "insert into t values ('a', 1), ('a', 2), ('a', 3), ('b', 1), ('b', 2), ('c', 1)");

        assert_int_equal(ranges_plan(reader, &(KeyRange){}, 2, &ranges, &f.error), 0);
        assert_int_equal(ranges.n_ranges, 4);
        assert_int_equal(ranges_sum(reader, ranges.ranges, 4, &f.error), 0);
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(ranges.ranges[i].n_records, i < 3 ? 2 : 0);
        (void) reader_close(reader);
        fixture_done(&f);
}

static void digests_the_content(void **state) {
        Digest first, again, changed;
        Fixture f;
        Reader *reader = init(&f, "pragma journal_mode = wal; create table t (k integer primary key, v)");

        (void) reader_close(reader);
        assert_int_equal(connection_content_digest(f.connection, &f.mapping, &first, &f.error), 0);
        assert_int_equal(connection_content_digest(f.connection, &f.mapping, &again, &f.error), 0);
        assert_true(digest_equal(&first, &again));
        run_sql(f.path, "insert into t values (1, 2)");
        assert_int_equal(connection_content_digest(f.connection, &f.mapping, &changed, &f.error), 0);
        assert_false(digest_equal(&first, &changed));
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(cuts_sums_and_reads),
                cmocka_unit_test(is_one_snapshot),
                cmocka_unit_test(knows_whether_bounds_are_the_key),
                cmocka_unit_test(cuts_by_composite_keys),
                cmocka_unit_test(digests_the_content),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
