/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/sqlite.h"

static const char cama[] = "create table owner (id integer primary key);"
                           "create table parcel (number text primary key, name text not null, total integer "
                           "check (total >= 0), owner integer references owner,"
                           " area real, note, extra text default 'kept');"
                           "insert into owner values (1)";

static MappingField fields[] = {
        {.name = T("number"), .is_key = true},
        {.name = T("name")},
        {.name = T("total")},
        {.name = T("owner")},
        {.name = T("area")},
        {.name = T("note")},
};

static void init(Fixture *f, Writer **ret) {
        fixture_init(f, "sqlite", cama);
        f->mapping.to = T("parcel");
        f->mapping.fields = fields;
        f->mapping.n_fields = ELEMENTSOF(fields);
        f->mapping.n_key = 1;
        fixture_open(f, true);
        assert_int_equal(writer_open(f->connection, &f->mapping, ret, &f->error), 0);
}

static Value text(const char *t) { return value_text(t, strlen(t)); }

static Value decimal(int64_t coefficient, uint8_t scale) {
        return (Value){.type = VALUE_DECIMAL, .decimal = {.coefficient = coefficient, .scale = scale}};
}

static int write_one(Fixture *f, Writer *w, ChangeKind kind, Value *target, bool *changed) {
        Change change = {.kind = kind, .target = target, .changed = changed};

        return write_change(w, &change, &f->error);
}

static void writes_and_counts(void **state) {
        Value values[] = {text("P-1"),      text("Ada"),     value_integer(100),
                          value_integer(1), decimal(125, 1), VALUE_NONE};
        bool changed[] = {false, true, false, false, false, false};
        uint64_t n = 99;
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(write_one(&f, w, CHANGE_INSERT, values, NULL), 0);
        values[0] = text("P-2");
        assert_int_equal(write_one(&f, w, CHANGE_INSERT, values, NULL), 0);
        values[1] = text("Bob");
        values[2] = value_integer(5); /* not among what changed */
        assert_int_equal(write_one(&f, w, CHANGE_UPDATE, values, changed), 0);
        assert_int_equal(writer_count(w, &n, &f.error), 0);
        assert_int_equal(n, 2);
        assert_int_equal(connection_commit(f.connection, &f.error), 0);
        assert_sql(
                f.path,
                "select group_concat(number || name || total || area || extra || typeof(total)) from parcel",
                "P-1Ada10012.5keptinteger,P-2Bob10012.5keptinteger");
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(write_one(&f, w, CHANGE_DELETE, values, NULL), 0);
        connection_rollback(f.connection);
        assert_sql(f.path, "select count(*) from parcel", "2");
        /* Outside a transaction nothing is written. */
        assert_true(write_one(&f, w, CHANGE_DELETE, values, NULL) < 0);
        assert_error(&f, ERROR_SYSTEM_REFUSED, "no transaction", NULL);
        assert_sql(f.path, "select count(*) from parcel", "2");
        writer_close(w);
        fixture_done(&f);
}

static void delete_by_encoded_key(void **state) {
        Value key = text("P-1");
        Change change = {.kind = CHANGE_DELETE};
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        run_sql(f.path, "insert into parcel (number, name) values ('P-1', 'Ada'), ('P-2', 'Bob')");
        assert_int_equal(key_encode(&key, 1, f.arena, &change.key), 0);
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(write_change(w, &change, &f.error), 0);
        assert_true(write_change(w, &change, &f.error) < 0); /* it is gone now */
        assert_error(&f, ERROR_RECORD_REFUSED, "no row for this key to delete", "again");
        assert_int_equal(connection_commit(f.connection, &f.error), 0);
        assert_sql(f.path, "select group_concat(number) from parcel", "P-2");
        writer_close(w);
        fixture_done(&f);
}

/* A trigger may leave a record out without an error: it is not there, so it was not written. */
static void a_record_that_a_trigger_leaves_out(void **state) {
        Value values[] = {text("P-1"),      text("Ada"), value_integer(1),
                          value_integer(1), VALUE_NONE,  VALUE_NONE};
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        run_sql(f.path, "create trigger leaves before insert on parcel when new.number = 'P-2' "
                        "begin select raise(ignore); end");
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(write_one(&f, w, CHANGE_INSERT, values, NULL), 0);
        values[0] = text("P-2");
        assert_true(write_one(&f, w, CHANGE_INSERT, values, NULL) < 0);
        assert_error(&f, ERROR_RECORD_REFUSED, "did not take the record", "trigger");
        assert_int_equal(connection_commit(f.connection, &f.error), 0);
        assert_sql(f.path, "select group_concat(number) from parcel", "P-1");
        writer_close(w);
        fixture_done(&f);
}

static void refused_records_leave_the_transaction(void **state) {
        Value values[] = {text("P-1"),      text("Ada"), value_integer(-1),
                          value_integer(1), VALUE_NONE,  VALUE_NONE};
        bool changed[] = {false, true, true, true, false, false};
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_true(write_one(&f, w, CHANGE_INSERT, values, NULL) < 0);
        assert_error(&f, ERROR_RECORD_REFUSED, "CHECK constraint failed", "constraint");
        values[2] = value_integer(1);
        values[1] = value_null();
        assert_true(write_one(&f, w, CHANGE_INSERT, values, NULL) < 0);
        assert_error(&f, ERROR_RECORD_REFUSED, "NOT NULL constraint failed: parcel.name", NULL);
        values[1] = text("Ada");
        values[3] = value_integer(7);
        assert_true(write_one(&f, w, CHANGE_INSERT, values, NULL) < 0);
        assert_error(&f, ERROR_RECORD_REFUSED, "FOREIGN KEY constraint failed", NULL);
        values[3] = value_integer(1);
        assert_int_equal(write_one(&f, w, CHANGE_INSERT, values, NULL), 0);
        assert_true(write_one(&f, w, CHANGE_INSERT, values, NULL) < 0);
        assert_error(&f, ERROR_RECORD_REFUSED, "UNIQUE constraint failed: parcel.number", NULL);
        values[0] = text("P-9");
        assert_true(write_one(&f, w, CHANGE_UPDATE, values, changed) < 0);
        assert_error(&f, ERROR_RECORD_REFUSED, "no row for this key to update", NULL);
        assert_int_equal(connection_commit(f.connection, &f.error), 0);
        assert_sql(f.path, "select group_concat(number) from parcel", "P-1");
        writer_close(w);
        fixture_done(&f);
}

static void refuses_what_a_column_would_change(void **state) {
        Value values[] = {text("P-1"), text("Ada"), VALUE_NONE, VALUE_NONE, decimal(1234567890123456, 2),
                          VALUE_NONE};
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_true(write_one(&f, w, CHANGE_INSERT, values, NULL) < 0);
        assert_string_equal(f.error.field, "area");
        assert_error(&f, ERROR_RECORD_REFUSED, "\"12345678901234.56\"", "TEXT");
        values[4] = decimal(123456789012345, 2);
        assert_int_equal(write_one(&f, w, CHANGE_INSERT, values, NULL), 0);
        assert_int_equal(connection_commit(f.connection, &f.error), 0);
        assert_sql(f.path, "select area = 1234567890123.45 from parcel", "1");
        writer_close(w);
        fixture_done(&f);
}

static void fetches_raw_values(void **state) {
        Value key = text("P-1"), *values = NULL;
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        run_sql(f.path, "insert into parcel values ('P-1', 'Ada', 7, null, 0.1, x'0102', 'e')");
        assert_int_equal(fetch_record(w, f.arena, &key, &values, &f.error), 1);
        assert_value(&f, &values[0], VALUE_TEXT, "P-1");
        assert_value(&f, &values[2], VALUE_INTEGER, "7");
        assert_int_equal(values[3].type, VALUE_NULL);
        assert_value(&f, &values[4], VALUE_DECIMAL, "0.1");
        assert_int_equal(values[5].type, VALUE_BYTES);
        key = text("P-2");
        assert_int_equal(fetch_record(w, f.arena, &key, &values, &f.error), 0);
        writer_close(w);
        fixture_done(&f);
}

/* More patterns than are kept: the oldest statement goes, none is taken for another. */
static void many_patterns_of_updates(void **state) {
        Value values[] = {text("P-1"),      text("n"),     value_integer(0),
                          value_integer(1), decimal(0, 0), text("o")};
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        run_sql(f.path, "insert into parcel (number, name) values ('P-1', 'Ada')");
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        for (unsigned round = 0; round < 2; round++)
                for (unsigned pattern = 1; pattern < 32; pattern++) {
                        Value row[6];
                        bool changed[6] = {};

                        memcpy(row, values, sizeof(row));
                        row[2] = value_integer(pattern);
                        for (unsigned i = 0; i < 5; i++)
                                changed[i + 1] = pattern & 1U << i;
                        assert_int_equal(write_one(&f, w, CHANGE_UPDATE, row, changed), 0);
                        row[0] = text("P-0");
                        row[3] = VALUE_NONE;
                        row[5] = pattern % 2 ? VALUE_NONE : row[5];
                        row[4] = pattern % 3 ? VALUE_NONE : row[4];
                        assert_int_equal(write_one(&f, w, CHANGE_INSERT, row, NULL), 0);
                        assert_int_equal(write_one(&f, w, CHANGE_DELETE, row, NULL), 0);
                }
        assert_int_equal(connection_commit(f.connection, &f.error), 0);
        assert_sql(f.path, "select number || name || total || owner || area || note from parcel",
                   "P-1n3110.0o");
        writer_close(w);
        fixture_done(&f);
}

static void opening_needs_table_columns_and_key(void **state) {
        MappingField wrong[] = {{.name = T("number"), .is_key = true}, {.name = T("namex")}};
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        w = writer_close(w);
        f.mapping.to = T("parcels");
        assert_true(writer_open(f.connection, &f.mapping, &w, &f.error) < 0);
        assert_error(&f, ERROR_TABLE_MISSING, "\"parcels\"", "\"parcel\"");
        f.mapping.to = T("parcel");
        f.mapping.fields = wrong;
        f.mapping.n_fields = 2;
        assert_true(writer_open(f.connection, &f.mapping, &w, &f.error) < 0);
        assert_error(&f, ERROR_COLUMN_MISSING, "\"namex\"", "\"name\"");
        f.mapping.fields = fields + 1;
        assert_true(writer_open(f.connection, &f.mapping, &w, &f.error) < 0);
        assert_error(&f, ERROR_MAPPING, "unique", "unique index");
        assert_null(w);
        fixture_done(&f);
}

static void trigger_that_rolls_back(void **state) {
        Value values[] = {text("P-1"), text("Ada"), VALUE_NONE, VALUE_NONE, VALUE_NONE, VALUE_NONE};
        Writer *w = NULL;
        Fixture f;

        init(&f, &w);
        run_sql(f.path, "create trigger t before insert on parcel when new.name = 'X' begin select "
                        "raise(rollback, 'year is closed'); end");
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(write_one(&f, w, CHANGE_INSERT, values, NULL), 0);
        values[0] = text("P-2");
        values[1] = text("X");
        assert_true(write_one(&f, w, CHANGE_INSERT, values, NULL) < 0);
        assert_error(&f, ERROR_SYSTEM_REFUSED, "year is closed", "abort");
        assert_true(connection_commit(f.connection, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_REFUSED, "rolled back", NULL);
        writer_close(w);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_and_counts),
                cmocka_unit_test(delete_by_encoded_key),
                cmocka_unit_test(a_record_that_a_trigger_leaves_out),
                cmocka_unit_test(refused_records_leave_the_transaction),
                cmocka_unit_test(refuses_what_a_column_would_change),
                cmocka_unit_test(fetches_raw_values),
                cmocka_unit_test(many_patterns_of_updates),
                cmocka_unit_test(opening_needs_table_columns_and_key),
                cmocka_unit_test(trigger_that_rolls_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
