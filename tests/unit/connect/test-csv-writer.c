/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <sys/stat.h>

#include "connect/csv.h"

static MappingField fields[] = {
        {.name = T("id"), .is_key = true, .type = VALUE_INTEGER},
        {.name = T("owner"), .type = VALUE_TEXT},
        {.name = T("photo"), .type = VALUE_BYTES},
};

static void init(Fixture *f, const char *csv) {
        fixture_init(f, "csv", NULL);
        free(f->path);
        assert_true(asprintf(&f->path, "%s/roll.csv", f->folder) > 0);
        if (csv)
                free(test_file_write(f->folder, "roll.csv", csv));
        f->system.path = f->folder;
        f->mapping.to = T("roll.csv");
        f->mapping.fields = fields;
        f->mapping.n_fields = 3;
        f->mapping.n_key = 1;
        fixture_open(f, true);
}

static void file_is(Fixture *f, const char *expected) {
        char text[1024] = {};
        FILE *file = fopen(f->path, "re");

        assert_non_null(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) < sizeof(text));
        assert_string_equal(text, expected);
        assert_int_equal(fclose(file), 0);
}

static Change change_of(ChangeKind kind, Value *values, bool *changed) {
        return (Change){.kind = kind, .target = values, .changed = changed};
}

static Writer *writer_of(Fixture *f) {
        Writer *w = NULL;

        if (writer_open(f->connection, &f->mapping, &w, &f->error) < 0)
                fail_msg("%s", f->error.detail);
        return w;
}

static int write_all(Fixture *f, Writer *w, Change *changes, size_t n) {
        RecordWrite writes[8] = {};
        int r;

        for (size_t i = 0; i < n; i++)
                writes[i].change = &changes[i];
        assert_int_equal(connection_begin(f->connection, &f->error), 0);
        r = writer_write(w, writes, n, &f->error);
        if (r == 0)
                r = connection_commit(f->connection, &f->error);
        else
                connection_rollback(f->connection);
        for (size_t i = 0; i < n; i++)
                if (writes[i].refusal.id != ERROR_NONE && f->error.id == ERROR_NONE)
                        error_move(&f->error, &writes[i].refusal);
                else
                        error_done(&writes[i].refusal);
        return r;
}

static void makes_updates_and_deletes(void **state) {
        Value one[] = {value_integer(1), value_text("Ada, \"A\"", 8), {.type = VALUE_BYTES, .bytes = "\x00\xff", .size = 2}},
              two[] = {value_integer(2), value_text("", 0), value_null()},
              update[] = {value_integer(2), value_text("Bob", 3), VALUE_NONE};
        Change inserts[] = {change_of(CHANGE_INSERT, one, NULL), change_of(CHANGE_INSERT, two, NULL)};
        Change later[] = {change_of(CHANGE_UPDATE, update, (bool[]){false, true, false}),
                          change_of(CHANGE_DELETE, one, NULL)};
        Value key = value_integer(1), *values = NULL;
        uint64_t n;
        Writer *w;
        Fixture f;

        init(&f, NULL);
        w = writer_of(&f);
        assert_int_equal(writer_count(w, &n, &f.error), 0);
        assert_int_equal(n, 0);
        assert_int_equal(write_all(&f, w, inserts, 2), 0);
        file_is(&f, "id,owner,photo\n1,\"Ada, \"\"A\"\"\",00ff\n2,\"\",\n");
        assert_int_equal(writer_count(w, &n, &f.error), 0);
        assert_int_equal(n, 2);
        assert_int_equal(fetch_record(w, f.arena, &key, &values, &f.error), 1);
        assert_value(&f, &values[0], VALUE_TEXT, "1");
        assert_value(&f, &values[1], VALUE_TEXT, "Ada, \"A\"");
        assert_value(&f, &values[2], VALUE_BYTES, "00ff");
        assert_int_equal(write_all(&f, w, later, 2), 0);
        file_is(&f, "id,owner,photo\n2,Bob,\n");
        key = value_integer(7);
        assert_int_equal(fetch_record(w, f.arena, &key, &values, &f.error), 0);
        writer_close(w);
        fixture_done(&f);
}

/* What others wrote keeps its columns, quotes, encoding and line ends; numbers are found however they are written. */
static void keeps_what_is_not_mapped(void **state) {
        Value update[] = {value_integer(7), value_text("J\xc3\xb6rn", 5), VALUE_NONE};
        Change changes[] = {change_of(CHANGE_UPDATE, update, (bool[]){false, true, false})};
        struct stat st;
        Writer *w;
        Fixture f;

        init(&f, "note;ID;Owner;Photo\r\n\"x\";007;J\xf6rg;\r\ny;8;\"Eve\";ab\r\n");
        assert_int_equal(chmod(f.path, 0640), 0);
        w = writer_of(&f);
        assert_int_equal(write_all(&f, w, changes, 1), 0);
        file_is(&f, "note;ID;Owner;Photo\r\n\"x\";007;J\xf6rn;\r\ny;8;\"Eve\";ab\r\n");
        assert_int_equal(stat(f.path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        writer_close(w);
        fixture_done(&f);
}

static void refuse(Fixture *f, Writer *w, ChangeKind kind, Value *values, const char *detail, const char *remedy) {
        Change changes[] = {change_of(kind, values, (bool[]){false, true, false})};
        char before[256] = {};
        FILE *file = fopen(f->path, "re");

        assert_true(fread(before, 1, sizeof(before) - 1, file) > 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(write_all(f, w, changes, 1), 1);
        assert_error(f, ERROR_RECORD_REFUSED, detail, remedy);
        file_is(f, before);
}

static void refuses_records(void **state) {
        Value one[] = {value_integer(1), value_text("x", 1), VALUE_NONE}, none[] = {value_integer(5), value_text("x", 1), VALUE_NONE},
              twice[] = {value_integer(3), value_text("x", 1), VALUE_NONE},
              euro[] = {value_integer(1), value_text("\xe2\x82\xac", 3), VALUE_NONE};
        Change same[] = {change_of(CHANGE_INSERT, none, NULL), change_of(CHANGE_INSERT, none, NULL)};
        Writer *w;
        Fixture f;

        init(&f, "id,owner,photo\n1,J\xf6rg,\n3,a,\n3,b,\n");
        w = writer_of(&f);
        refuse(&f, w, CHANGE_INSERT, one, "has a record with this key already", "compares anew");
        refuse(&f, w, CHANGE_UPDATE, none, "has no record with this key", "compares anew");
        refuse(&f, w, CHANGE_DELETE, none, "has no record with this key", "compares anew");
        refuse(&f, w, CHANGE_UPDATE, twice, "two records with this key", "Take one");
        refuse(&f, w, CHANGE_UPDATE, euro, "latin-1 has no character", "UTF-8");
        assert_int_equal(write_all(&f, w, same, 2), 1);
        assert_error(&f, ERROR_RECORD_REFUSED, "two records with this key", "key");
        writer_close(w);
        fixture_done(&f);
}

static void notices_another_writer(void **state) {
        Value one[] = {value_integer(1), value_text("x", 1), VALUE_NONE};
        Change change = change_of(CHANGE_INSERT, one, NULL);
        RecordWrite write = {.change = &change};
        char hidden[4096];
        Writer *w;
        Fixture f;

        init(&f, "id,owner,photo\n2,Bob,\n");
        w = writer_of(&f);
        assert_true(writer_write(w, &write, 1, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_REFUSED, "no transaction", NULL);
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(writer_write(w, &write, 1, &f.error), 0);
        file_is(&f, "id,owner,photo\n2,Bob,\n"); /* nothing before the commit */
        free(test_file_write(f.folder, "roll.csv", "id,owner,photo\n2,Bob,\n3,Eve,\n"));
        assert_true(connection_commit(f.connection, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_BUSY, "changed by another program", "one program");
        file_is(&f, "id,owner,photo\n2,Bob,\n3,Eve,\n");
        (void) snprintf(hidden, sizeof(hidden), "%s/.roll.csv.terrafusion", f.folder);
        assert_int_equal(access(hidden, F_OK), -1);
        writer_close(w);
        fixture_done(&f);
}

/* Writes of one transaction build on each other. */
static void writes_twice_in_a_transaction(void **state) {
        Value one[] = {value_integer(1), value_text("x", 1), VALUE_NONE}, two[] = {value_integer(2), value_text("y", 1), VALUE_NONE};
        Change a = change_of(CHANGE_INSERT, one, NULL), b = change_of(CHANGE_INSERT, two, NULL);
        RecordWrite first = {.change = &a}, second = {.change = &b};
        uint64_t n = 0;
        Writer *w;
        Fixture f;

        init(&f, NULL);
        w = writer_of(&f);
        assert_int_equal(connection_begin(f.connection, &f.error), 0);
        assert_int_equal(writer_write(w, &first, 1, &f.error), 0);
        assert_int_equal(writer_write(w, &second, 1, &f.error), 0);
        assert_int_equal(writer_count(w, &n, &f.error), 0);
        assert_int_equal(n, 2);
        assert_int_equal(access(f.path, F_OK), -1);
        assert_int_equal(connection_commit(f.connection, &f.error), 0);
        file_is(&f, "id,owner,photo\n1,x,\n2,y,\n");
        writer_close(w);
        fixture_done(&f);
}

static void checks(void **state) {
        json_t *report = json_array();
        Fixture f;

        init(&f, NULL);
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, true, report, &f.error), 0);
        assert_string_equal(json_string_value(json_object_get(json_array_get(report, 0), "message")),
                            "Will be made: 3 of 3 columns are mapped; utf-8, delimiter \",\", quote \", lines end with LF, header row");
        free(test_file_write(f.folder, "roll.csv", "id,ownr,photo\n"));
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, true, report, &f.error), 0);
        assert_true(json_is_false(json_object_get(json_array_get(report, 1), "ok")));
        assert_non_null(strstr(json_string_value(json_object_get(json_array_get(report, 1), "remedy")), "\"ownr\""));
        if (geteuid() != 0) { /* root may write everywhere */
                assert_int_equal(chmod(f.folder, 0555), 0);
                json_array_clear(report);
                assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, true, report, &f.error), 0);
                assert_true(json_is_false(json_object_get(json_array_get(report, 0), "ok")));
                assert_int_equal(chmod(f.folder, 0755), 0);
        }
        json_decref(report);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(makes_updates_and_deletes),
                cmocka_unit_test(keeps_what_is_not_mapped),
                cmocka_unit_test(refuses_records),
                cmocka_unit_test(notices_another_writer),
                cmocka_unit_test(writes_twice_in_a_transaction),
                cmocka_unit_test(checks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
