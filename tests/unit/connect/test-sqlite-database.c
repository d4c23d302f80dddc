/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/sqlite-database.h"

static sqlite3 *open_of(Fixture *f, const char *sql) {
        sqlite3 *db = NULL;

        fixture_init(f, "sqlite", sql);
        assert_int_equal(sqlite_db_open(&f->system, false, &db, &f->error), 0);
        return db;
}

static void knows_columns_and_keys(void **state) {
        Table *t = NULL;
        sqlite3 *db;
        Fixture f;

        db = open_of(&f, "create table t (a text not null, b integer not null default 1, c real, d, e "
                         "decimal(9,2), g as (a || 'x'),"
                         " primary key (b, a));"
                         "create unique index whole on t (c); create unique index part on t (d) where d > 0;"
                         "create unique index computed on t (lower(e)); create table k (id integer primary "
                         "key not null) strict");
        assert_int_equal(sqlite_table_load(db, &f.system, "main.T", &t, &f.error), 0);
        assert_int_equal(t->n_columns, 6);
        assert_true(table_column(t, "a")->required);
        assert_false(table_column(t, "b")->required); /* it has a default */
        assert_int_equal(table_column(t, "a")->key_place, 2);
        assert_int_equal(table_column(t, "b")->affinity, COLUMN_NUMERIC);
        assert_string_equal(table_column(t, "b")->type, "INTEGER");
        assert_null(table_column(t, "d")->type);
        assert_int_equal(table_column(t, "c")->affinity, COLUMN_REAL);
        assert_int_equal(table_column(t, "d")->affinity, COLUMN_ANY);
        assert_true(table_column(t, "g")->generated);
        assert_true(t->numbered);
        assert_string_equal(t->identity[0], "rowid");
        assert_int_equal(t->n_indexes, 2); /* the key's and `whole`: the others prove nothing */
        assert_true(table_has_index_on(t, "c"));
        assert_false(table_has_index_on(t, "d"));
        t = table_free(t);
        assert_int_equal(sqlite_table_load(db, &f.system, "k", &t, &f.error), 0);
        assert_false(table_column(t, "id")->required); /* it fills itself */
        table_free(t);
        sqlite3_close(db);
        fixture_done(&f);
}

static void knows_what_tells_rows_apart(void **state) {
        Table *t = NULL;
        sqlite3 *db;
        Fixture f;

        db = open_of(&f, "create table a (rowid text, _rowid_ text); create table b (x, y, z, primary key "
                         "(z, x)) without rowid;"
                         "create view v as select 1 as x");
        assert_int_equal(sqlite_table_load(db, &f.system, "a", &t, &f.error), 0);
        assert_string_equal(t->identity[0], "oid");
        t = table_free(t);
        assert_int_equal(sqlite_table_load(db, &f.system, "b", &t, &f.error), 0);
        assert_false(t->numbered);
        assert_string_equal(t->identity[0], "z");
        assert_string_equal(t->identity[1], "x");
        assert_null(t->identity[2]);
        t = table_free(t);
        assert_int_equal(sqlite_table_load(db, &f.system, "v", &t, &f.error), 0);
        assert_null(t->identity);
        t = table_free(t);
        assert_true(sqlite_table_load(db, &f.system, "elsewhere.v", &t, &f.error) < 0);
        assert_error(&f, ERROR_TABLE_MISSING, "\"elsewhere.v\"", NULL);
        sqlite3_close(db);
        fixture_done(&f);
}

static void names_failures(void **state) {
        static const struct {
                int rc;
                ErrorId id;
        } cases[] = {
                {SQLITE_NOMEM, ERROR_OUT_OF_MEMORY},
                {SQLITE_FULL, ERROR_DISK_FULL},
                {SQLITE_BUSY_SNAPSHOT, ERROR_SYSTEM_BUSY},
                {SQLITE_LOCKED, ERROR_SYSTEM_BUSY},
                {SQLITE_READONLY_DBMOVED, ERROR_SYSTEM_READ_ONLY},
                {SQLITE_NOTADB, ERROR_FILE_FORMAT},
                {SQLITE_CORRUPT_INDEX, ERROR_FILE_FORMAT},
                {SQLITE_IOERR_FSYNC, ERROR_IO},
                {SQLITE_CANTOPEN, ERROR_SYSTEM_UNAVAILABLE},
                {SQLITE_AUTH, ERROR_SYSTEM_UNAVAILABLE},
                {SQLITE_ERROR, ERROR_SYSTEM_REFUSED},
        };
        Fixture f;

        fixture_init(&f, "sqlite", NULL);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(sqlite_fail(NULL, cases[i].rc, &f.system, "cannot write", &f.error),
                                 error_errno(cases[i].id));
                assert_non_null(strstr(f.error.detail, f.path));
                assert_error(&f, cases[i].id, "\"pacs\"", NULL);
        }
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(knows_columns_and_keys),
                cmocka_unit_test(knows_what_tells_rows_apart),
                cmocka_unit_test(names_failures),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
