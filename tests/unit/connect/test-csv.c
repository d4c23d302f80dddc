/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <sys/stat.h>

#include "connect/csv.h"

static MappingColumn columns[] = {{.name = T("id"), .line = 4, .column = 7},
                                  {.name = T("owner"), .line = 5, .column = 7}};

static void init(Fixture *f, const char *csv) {
        fixture_init(f, "csv", NULL);
        free(test_file_write(f->folder, "roll.csv", csv));
        free(f->path);
        f->path = NULL;
        f->system.path = f->folder;
        f->mapping.from = T("roll.csv");
        f->mapping.columns = columns;
        f->mapping.n_columns = 2;
        f->mapping.line = 2;
}

static void option(Fixture *f, const char *name, const char *value) {
        assert_int_equal(json_object_set_new(f->system.options, name, json_string(value)), 0);
}

static ReadPlan plan_of(Fixture *f) { return (ReadPlan){.pair = &f->pair, .mapping = &f->mapping}; }

static void scan(const char *csv, const char *name, const char *value, const char *expected) {
        Fixture f;
        ReadPlan plan;

        init(&f, csv);
        if (name)
                option(&f, name, value);
        fixture_open(&f, false);
        plan = plan_of(&f);
        assert_scan(&f, &plan, expected);
        fixture_done(&f);
}

static void reads_by_header(void **state) {
        scan("owner,x,id\r\nAda,1,P-1\r\n\"Bob, \"\"B\"\"\",2,P-2\r\n", NULL, NULL,
             "P-1|Ada\nP-2|Bob, \"B\"\n");
        scan("\xef\xbb\xbfid,owner\nP-1,J\xc3\xb6rg\n\nP-2,x", NULL, NULL, "P-1|J\xc3\xb6rg\nP-2|x\n");
        scan("ID;Owner\nP-1;Ada\n", "delimiter", ";", "P-1|Ada\n");
        scan("id\towner\nP-1\tAda\n", "delimiter", "tab", "P-1|Ada\n");
        scan("id,owner\n", NULL, NULL, "");
}

static void tells_null_from_empty(void **state) {
        scan("id,owner\n1,\n2,\"\"\n3,NA\n", NULL, NULL, "1|-\n2|\n3|NA\n");
        scan("id,owner\n1,\n2,\"\"\n3,NA\n4,\"NA\"\n", "null", "NA", "1|\n2|\n3|-\n4|NA\n");
}

static void path_may_be_the_file(void **state) {
        Fixture f;
        ReadPlan plan;
        char *path;

        init(&f, "id,owner\n1,Ada\n");
        assert_true(asprintf(&path, "%s/roll.csv", f.folder) > 0);
        f.system.path = path;
        f.mapping.from = T("anything");
        fixture_open(&f, false);
        plan = plan_of(&f);
        assert_scan(&f, &plan, "1|Ada\n");
        fixture_done(&f);
        free(path);
}

static void latin1(void **state) {
        scan("id,owner\n1,J\xf6rg \xe9\n2,Ada\n", "encoding", "latin1", "1|J\xc3\xb6rg \xc3\xa9\n2|Ada\n");
}

/* Opens or reads a file that is wrong; the place is in the file where line > 0. */
static void refuse(const char *csv, ErrorId id, const char *detail, const char *remedy, const char *file,
                   unsigned line) {
        Reader *reader = NULL;
        Value values[2];
        ReadPlan plan;
        Fixture f;
        int r;

        init(&f, csv);
        fixture_open(&f, false);
        plan = plan_of(&f);
        r = reader_open(f.connection, &plan, &reader, &f.error);
        while (r >= 0) {
                r = reader_next(reader, values, &f.error);
                assert_int_not_equal(r, 0);
        }
        assert_non_null(strstr(f.error.file, file));
        assert_int_equal(f.error.line, line);
        assert_error(&f, id, detail, remedy);
        reader_close(reader);
        fixture_done(&f);
}

static void names_file_line_and_byte(void **state) {
        refuse("id,owner\n1,Ada\n2,J\xf6rg\n", ERROR_FILE_FORMAT, "Byte 0xF6 at place 2 of column \"owner\"",
               "latin1", "/roll.csv", 3);
        refuse("id,owner\n1,\"A\nB\"\n2,\"x\"\"\xc3(\"\n", ERROR_FILE_FORMAT, "Byte 0xC3 at place 3",
               "latin1", "/roll.csv", 4);
        refuse("id,owner\n1,Ada\n2,Bob,x\n", ERROR_FILE_FORMAT, "3 fields, the header 2", "delimiter",
               "/roll.csv", 3);
        refuse("id,owner\n1\n", ERROR_FILE_FORMAT, "1 fields", "delimiter", "/roll.csv", 2);
        refuse("id,owner\n1,\"Ada\n", ERROR_FILE_FORMAT, "quote", "Close", "/roll.csv", 2);
        refuse("", ERROR_FILE_FORMAT, "no header row", "first line", "/roll.csv", 1);
        refuse("id,owner,owner\n1,a,b\n", ERROR_FILE_FORMAT, "\"owner\" twice", "own name", "/roll.csv", 1);
        refuse("id,ownr\n1,a\n", ERROR_COLUMN_MISSING, "no column \"owner\"", "\"ownr\"",
               "pacs_to_cama.yaml", 5);
}

static void refuses_sql(void **state) {
        MappingJoin join = {.name = T("j"), .from = T("j.csv")};
        Reader *reader = NULL;
        Value high;
        ReadPlan plan;
        Fixture f;

        init(&f, "id,owner\n");
        fixture_open(&f, false);
        plan = plan_of(&f);
        f.mapping.where = T("1");
        assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
        assert_error(&f, ERROR_MAPPING, "knows no where:", "database");
        f.mapping.where = NULL;
        f.mapping.joins = &join;
        f.mapping.n_joins = 1;
        assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
        assert_error(&f, ERROR_MAPPING, "knows no join:", "database");
        f.mapping.n_joins = 0;
        f.mapping.strategy = DETECT_WATERMARK;
        assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
        assert_error(&f, ERROR_MAPPING, "watermark", "strategy: full");
        assert_true(connection_horizon(f.connection, &f.mapping, &high, &f.error) < 0);
        assert_error(&f, ERROR_WATERMARK, "csv", "strategy: full");
        f.mapping.strategy = DETECT_FULL;
        f.mapping.from = T("rol.csv");
        assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
        assert_error(&f, ERROR_TABLE_MISSING, "no file \"rol.csv\"", "\"roll.csv\"");
        fixture_done(&f);
}

static void refuses_wrong_systems(void **state) {
        Connection *c = NULL;
        Fixture f;

        init(&f, "id,owner\n");
        assert_true(connection_open(&f.system, true, &c, &f.error) < 0);
        assert_error(&f, ERROR_NOT_YET, "writing to kind \"csv\"", "sqlite");
        f.system.path = T("/nowhere/at/all");
        assert_true(connection_open(&f.system, false, &c, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_UNAVAILABLE, "/nowhere/at/all", "path:");
        f.system.path = f.folder;
        option(&f, "encoding", "ebcdic");
        assert_true(connection_open(&f.system, false, &c, &f.error) < 0);
        assert_string_equal(f.error.file, "sync.yaml");
        assert_int_equal(f.error.line, 7);
        assert_error(&f, ERROR_CONFIGURATION, "encoding", "latin1");
        option(&f, "encoding", "UTF-8");
        option(&f, "delimiter", "\"");
        assert_true(connection_open(&f.system, false, &c, &f.error) < 0);
        assert_error(&f, ERROR_CONFIGURATION, "delimiter", "one character");
        assert_null(c);
        fixture_done(&f);
}

static char *read_some(Fixture *f, const ReadPlan *plan, unsigned n, bool resumed) {
        Reader *reader = NULL;
        Value values[2];
        char *position;

        assert_int_equal(reader_open(f->connection, plan, &reader, &f->error), 0);
        assert_int_equal(reader_resumed(reader), resumed);
        for (unsigned i = 0; i < n; i++)
                assert_int_equal(reader_next(reader, values, &f->error), 1);
        position = strdup(reader_position(reader));
        reader_close(reader);
        return position;
}

static void resumes_while_the_file_is_the_same(void **state) {
        const char *csv = "id,owner\n1,\"A\nda\"\n2,Bob\n3,Eve,x\n";
        Reader *reader = NULL;
        Value values[2];
        char *position, *again;
        ReadPlan plan;
        Fixture f;

        init(&f, csv);
        fixture_open(&f, false);
        plan = plan_of(&f);
        position = read_some(&f, &plan, 1, false);
        plan.position = position;
        again = read_some(&f, &plan, 0, true);
        assert_string_equal(again, position);
        free(again);
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_int_equal(reader_next(reader, values, &f.error), 1);
        assert_value(&f, &values[1], VALUE_TEXT, "Bob");
        assert_true(reader_next(reader, values, &f.error) < 0);
        assert_int_equal(f.error.line, 5); /* lines count on */
        error_done(&f.error);
        reader = reader_close(reader);
        /* A new file under the name, of the same size: from its beginning, and it says so. */
        free(test_file_write(f.folder, "roll.csv", "id,owner\n7,\"A\nda\"\n2,Bob\n3,Eve,x\n"));
        free(read_some(&f, &plan, 1, false));
        plan.position = "1/2/3/4/zz";
        free(read_some(&f, &plan, 1, false));
        free(position);
        fixture_done(&f);
}

static void notices_a_change_while_reading(void **state) {
        Reader *reader = NULL;
        Value values[2];
        ReadPlan plan;
        Fixture f;

        init(&f, "id,owner\n1,Ada\n");
        fixture_open(&f, false);
        plan = plan_of(&f);
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_int_equal(reader_next(reader, values, &f.error), 1);
        free(test_file_write(f.folder, "roll.csv",
                             "id,owner\n1,Eve\n2,x\n" /* longer: its end is half of another file */));
        assert_int_equal(reader_next(reader, values, &f.error), 1);
        assert_true(reader_next(reader, values, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_BUSY, "changed while it was read", "rename");
        reader_close(reader);
        fixture_done(&f);
}

static void checks(void **state) {
        json_t *report = json_array();
        Fixture f;

        init(&f, "idd,ownr\n");
        fixture_open(&f, false);
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, false, report, &f.error), 0);
        assert_int_equal(json_array_size(report), 2); /* every mistake at once */
        assert_true(json_is_false(json_object_get(json_array_get(report, 1), "ok")));
        assert_non_null(strstr(json_string_value(json_object_get(json_array_get(report, 1), "message")),
                               "pacs_to_cama.yaml:5"));
        assert_non_null(
                strstr(json_string_value(json_object_get(json_array_get(report, 1), "remedy")), "\"ownr\""));
        json_array_clear(report);
        free(test_file_write(f.folder, "roll.csv", "id,owner,x\n"));
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, false, report, &f.error), 0);
        assert_int_equal(json_array_size(report), 1);
        assert_string_equal(json_string_value(json_object_get(json_array_get(report, 0), "message")),
                            "Can be read: 2 of 3 columns are mapped");
        json_array_clear(report);
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, true, report, &f.error), 0);
        assert_true(json_is_false(json_object_get(json_array_get(report, 0), "ok")));
        json_decref(report);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_by_header),
                cmocka_unit_test(tells_null_from_empty),
                cmocka_unit_test(path_may_be_the_file),
                cmocka_unit_test(latin1),
                cmocka_unit_test(names_file_line_and_byte),
                cmocka_unit_test(refuses_sql),
                cmocka_unit_test(refuses_wrong_systems),
                cmocka_unit_test(resumes_while_the_file_is_the_same),
                cmocka_unit_test(notices_a_change_while_reading),
                cmocka_unit_test(checks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
