/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <sys/stat.h>

#include "basic/timestamp.h"
#include "connect/sqlite.h"

static void init(Fixture *f, const char *sql) {
        fixture_init(f, "sqlite",
                     "create table parcel (id integer primary key, changed); create table owner (id integer "
                     "primary key, changed)");
        if (sql)
                run_sql(f->path, sql);
        f->mapping.from = T("parcel");
        f->mapping.watermark = T("changed");
        f->system.may_write = false;
        fixture_open(f, false);
}

static void assert_text(Fixture *f, const Value *v, const char *shape) {
        assert_int_equal(v->type, VALUE_TEXT);
        assert_int_equal(v->size, strlen(shape));
        for (size_t i = 0; shape[i]; i++)
                if (shape[i] == 'd')
                        assert_in_range(v->bytes[i], '0', '9');
                else
                        assert_int_equal(v->bytes[i], shape[i]);
}

static void follows_the_shape(void **state) {
        static const char *const cases[][2] = {
                {"null", "dddd-dd-dd dd:dd:dd.ddd"}, /* nothing to learn from */
                {"'2020-01-01 10:00:00'", "dddd-dd-dd dd:dd:dd"},
                {"'2020-01-01T10:00:00.5Z'", "dddd-dd-ddTdd:dd:dd.dZ"},
                {"'2020-01-01T10:00:00.123456+00:00'", "dddd-dd-ddTdd:dd:dd.dddddd+00:00"},
        };
        Value high;
        Fixture f;

        init(&f, NULL);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *sql = arena_printf(f.arena, "insert or replace into parcel values (1, %s)",
                                         cases[i][0]);
                int64_t usec;
                bool zone;

                run_sql(f.path, sql);
                assert_int_equal(connection_horizon(f.connection, &f.mapping, &high, &f.error), 0);
                assert_text(&f, &high, cases[i][1]);
                assert_int_equal(timestamp_parse(high.bytes, high.size, &usec, &zone), 0);
                assert_in_range(timestamp_now() - usec, 0, 3 * USEC_PER_SEC);
        }
        fixture_done(&f);
}

static void integers_of_three_units(void **state) {
        static const int64_t units[] = {1, 1000, 1000000};
        Value high;
        Fixture f;

        init(&f, NULL);
        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                char *sql = arena_printf(f.arena, "insert or replace into parcel values (1, %lld)",
                                         (long long) (1600000000 * units[i]));

                run_sql(f.path, sql);
                assert_int_equal(connection_horizon(f.connection, &f.mapping, &high, &f.error), 0);
                assert_int_equal(high.type, VALUE_INTEGER);
                assert_in_range(timestamp_now() / USEC_PER_SEC - high.integer / units[i], 0, 3);
        }
        fixture_done(&f);
}

/* What was stamped before the horizon was asked for is below it; what is stamped after it is not. */
static void waits_out_the_unit(void **state) {
        char *before, *after;
        Value high;
        Fixture f;

        init(&f, NULL);
        run_sql(f.path, "insert into parcel values (1, strftime('%Y-%m-%d %H:%M:%f', 'now'))");
        assert_int_equal(connection_horizon(f.connection, &f.mapping, &high, &f.error), 0);
        run_sql(f.path, "insert into parcel values (2, strftime('%Y-%m-%d %H:%M:%f', 'now'))");
        before = ask_sql(f.path, "select changed from parcel where id = 1");
        after = ask_sql(f.path, "select changed from parcel where id = 2");
        assert_true(strncmp(before, high.bytes, high.size) < 0);
        assert_true(strncmp(after, high.bytes, high.size) >= 0);
        free(before);
        free(after);
        fixture_done(&f);
}

static void refuse(const char *sql, const char *detail) {
        Value high;
        Fixture f;

        init(&f, sql);
        assert_true(connection_horizon(f.connection, &f.mapping, &high, &f.error) < 0);
        assert_error(&f, ERROR_WATERMARK, detail, "strategy: full");
        fixture_done(&f);
}

static void refuses_what_does_not_sort_by_time(void **state) {
        refuse("insert into parcel values (1, '2020-01-01')", "\"2020-01-01\"");
        refuse("insert into parcel values (1, '2020-01-01 10:00:00+02:00')", "+02:00");
        refuse("insert into parcel values (1, '07/15/2020 10:00')", "sorts by time");
        refuse("insert into parcel values (1, 42)", "\"42\"");
        refuse("insert into parcel values (1, 2459000.5)", "sorts by time");
        refuse("insert into parcel values (1, '2020-01-01 10:00:00'), (2, '2020-01-01T10:00:00')",
               "another form");
        refuse("insert into parcel values (1, 1600000000), (2, '2020-01-01T10:00:00')", "another form");
        refuse("insert into parcel values (1, '2020-01-01 10:00:00Z'), (2, '2020-01-02 10:00:00.5Z')",
               "another form");
}

static void a_join_has_a_say(void **state) {
        MappingJoin join = {.name = T("owner"), .from = T("owner"), .watermark = T("changed")};
        Value high;
        Fixture f;

        init(&f, "insert into parcel values (1, '2020-01-01 10:00:00.5')");
        f.mapping.joins = &join;
        f.mapping.n_joins = 1;
        run_sql(f.path, "insert into owner values (1, 1600000000)");
        assert_true(connection_horizon(f.connection, &f.mapping, &high, &f.error) < 0);
        assert_error(&f, ERROR_WATERMARK, "\"owner\".\"changed\" holds \"1600000000\"", NULL);
        run_sql(f.path, "update owner set changed = '2020-01-01 10:00:00.25'");
        assert_int_equal(connection_horizon(f.connection, &f.mapping, &high, &f.error), 0);
        assert_text(&f, &high, "dddd-dd-dd dd:dd:dd.d"); /* the coarser of both */
        fixture_done(&f);
}

static void waits_for_open_writers(void **state) {
        sqlite3 *writer = NULL;
        Value high;
        Fixture f;

        sqlite_busy_timeout_msec = 20;
        init(&f, NULL);
        assert_int_equal(sqlite3_open(f.path, &writer), SQLITE_OK);
        assert_int_equal(
                sqlite3_exec(writer,
                             "begin immediate; insert into parcel values (1, '2020-01-01 10:00:00.000')",
                             NULL, NULL, NULL),
                SQLITE_OK);
        assert_true(connection_horizon(f.connection, &f.mapping, &high, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_BUSY, "locked", NULL);
        assert_int_equal(sqlite3_exec(writer, "commit", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(connection_horizon(f.connection, &f.mapping, &high, &f.error), 0);
        sqlite3_close(writer);
        fixture_done(&f);
        sqlite_busy_timeout_msec = 5000;
}

static void read_only_file(void **state) {
        Value high;
        Fixture f;

        init(&f, NULL);
        assert_int_equal(chmod(f.path, 0444), 0);
        assert_int_equal(chmod(f.folder, 0555), 0);
        if (geteuid() == 0)
                assert_int_equal(seteuid(65534), 0); /* root may write everywhere */
        assert_true(connection_horizon(f.connection, &f.mapping, &high, &f.error) < 0);
        assert_error(&f, ERROR_WATERMARK, "cannot be", "write permission");
        if (getuid() == 0)
                assert_int_equal(seteuid(0), 0);
        assert_int_equal(chmod(f.folder, 0755), 0);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(follows_the_shape),  cmocka_unit_test(integers_of_three_units),
                cmocka_unit_test(waits_out_the_unit), cmocka_unit_test(refuses_what_does_not_sort_by_time),
                cmocka_unit_test(a_join_has_a_say),   cmocka_unit_test(waits_for_open_writers),
                cmocka_unit_test(read_only_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
