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
        scan("ID;Owner\nP-1;\"A;d,a\"\n", NULL, NULL, "P-1|A;d,a\n");
        scan("id|owner\nP-1|Ada, Bob\n", NULL, NULL, "P-1|Ada, Bob\n");
        scan("id,owner\n'1','A, da'\n", NULL, NULL, "1|A, da\n");
        scan("id,owner\n1,'A'\n", "quote", "\"", "1|'A'\n");
        scan("id,owner\n1,\"A\n", "quote", "none", "1|\"A\n");
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

static void encodings(void **state) {
        scan("id,owner\n1,J\xf6rg \xe9\n2,Ada\n", NULL, NULL, "1|J\xc3\xb6rg \xc3\xa9\n2|Ada\n");
        scan("id,owner\n1,O\x92Neil \x80 5\n", NULL, NULL, "1|O\xe2\x80\x99Neil \xe2\x82\xac 5\n");
        scan("id,owner\n1,J\xf6rg \xe9\n2,Ada\n", "encoding", "latin1", "1|J\xc3\xb6rg \xc3\xa9\n2|Ada\n");
}

/* Opens or reads a file that is wrong; the place is in the file where line > 0. */
static void refuse_with(const char *csv, const char *name, const char *value, ErrorId id, const char *detail, const char *remedy,
                        const char *file, unsigned line, unsigned column) {
        Reader *reader = NULL;
        Value values[2];
        ReadPlan plan;
        Fixture f;
        int r;

        init(&f, csv);
        if (name)
                option(&f, name, value);
        fixture_open(&f, false);
        plan = plan_of(&f);
        r = reader_open(f.connection, &plan, &reader, &f.error);
        while (r >= 0) {
                r = reader_next(reader, values, &f.error);
                assert_int_not_equal(r, 0);
        }
        assert_non_null(strstr(f.error.file, file));
        assert_int_equal(f.error.line, line);
        if (column > 0)
                assert_int_equal(f.error.column, column);
        assert_error(&f, id, detail, remedy);
        reader_close(reader);
        fixture_done(&f);
}

static void refuse(const char *csv, ErrorId id, const char *detail, const char *remedy, const char *file, unsigned line) {
        refuse_with(csv, NULL, NULL, id, detail, remedy, file, line, 0);
}

static void names_file_line_and_byte(void **state) {
        refuse_with("id,owner\n1,Ada\n2,J\xf6rg\n", "encoding", "utf-8", ERROR_FILE_FORMAT,
                    "Byte 0xF6 at place 2 of column \"owner\"", "latin1", "/roll.csv", 3, 3);
        refuse_with("id,owner\n1,\"A\nB\"\n2,\"x\"\"\xc3(\"\n", "encoding", "utf-8", ERROR_FILE_FORMAT, "Byte 0xC3 at place 3",
                    "latin1", "/roll.csv", 4, 3);
        refuse_with("id,owner\n1,A\x81\n", "encoding", "windows-1252", ERROR_FILE_FORMAT,
                    "Byte 0x81 at place 2 of column \"owner\" is not windows-1252", "another encoding", "/roll.csv", 2, 3);
        /* UTF-8 and other bytes in one file; a letter of code page 850. */
        refuse("id,owner\n1,J\xf6rg\n2,\xc3\xa9\n", ERROR_FILE_FORMAT, "byte 0xC3 at offset 18", "encoding:", "/roll.csv", 3);
        refuse("id,owner\n1,M\x81ller\n", ERROR_FILE_FORMAT, "byte 0x81 at offset 12", "encoding:", "/roll.csv", 2);
        refuse_with("id,owner\n1,Ada\n2,Bob,x\n", NULL, NULL, ERROR_FILE_FORMAT, "3 fields, the header 2", "delimiter",
                    "/roll.csv", 3, 7);
        refuse_with("id,owner\n1\n", NULL, NULL, ERROR_FILE_FORMAT, "1 fields", "delimiter", "/roll.csv", 2, 2);
        refuse("id,owner\n1,Ada\n2", ERROR_FILE_FORMAT, "1 fields", "in the middle of a line", "/roll.csv", 3);
        refuse("id,owner\n1,\"Ada\n", ERROR_FILE_FORMAT, "goes on to the file's end", "Close", "/roll.csv", 2);
        refuse("id,owner\n1,\"Ada\"x\n", ERROR_FILE_FORMAT, "Text follows a closing quote", "Close", "/roll.csv", 2);
        refuse("", ERROR_FILE_FORMAT, "no header row", "first line", "/roll.csv", 1);
        refuse("id,owner,owner\n1,a,b\n", ERROR_FILE_FORMAT, "\"owner\" twice", "own name", "/roll.csv", 1);
        refuse("id,ownr\n1,a\n", ERROR_COLUMN_MISSING, "no column \"owner\"", "\"ownr\"", "pacs_to_cama.yaml", 5);
        refuse("id,owner;x\n1,a;b\n", ERROR_FILE_FORMAT, "it may be \",\" or \";\"", "delimiter:", "/roll.csv", 1);
        refuse("id,owner\n1,'a'\n2,'b'\n", ERROR_FILE_FORMAT, "single quotes", "quote:", "/roll.csv", 1);
        refuse("id,owner\r1,Ada\r", ERROR_FILE_FORMAT, "carriage return", "LF or CRLF", "/roll.csv", 1);
}

/* The same file without a header: by number, or by names of the options. */
static void reads_without_header(void **state) {
        json_t *names = json_pack("[s,s]", "id", "owner");
        MappingColumn numbered[] = {{.name = T("column_1"), .line = 4}, {.name = T("column_2"), .line = 5}};
        ReadPlan plan;
        Fixture f;

        init(&f, "1,Ada\n2,Bob\n");
        f.mapping.columns = numbered;
        fixture_open(&f, false);
        plan = plan_of(&f);
        assert_scan(&f, &plan, "1|Ada\n2|Bob\n");
        f.connection = connection_close(f.connection);
        f.mapping.columns = columns;
        option(&f, "header", "false");
        assert_int_equal(json_object_set_new(f.system.options, "columns", names), 0);
        fixture_open(&f, false);
        assert_scan(&f, &plan, "1|Ada\n2|Bob\n");
        f.connection = connection_close(f.connection);
        option(&f, "header", "true"); /* other names for what the first row names */
        fixture_open(&f, false);
        assert_scan(&f, &plan, "2|Bob\n");
        fixture_done(&f);
}

static void utf16_write(Fixture *f, const char *ascii, bool big, bool mark) {
        char path[4096];
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/roll.csv", f->folder);
        file = fopen(path, "we");
        assert_non_null(file);
        if (mark)
                fputs(big ? "\xfe\xff" : "\xff\xfe", file);
        for (; *ascii; ascii++) {
                if (big)
                        fputc(0, file);
                fputc(*ascii, file);
                if (!big)
                        fputc(0, file);
        }
        assert_int_equal(fclose(file), 0);
}

/* A place in decoded text is found again by decoding. */
static void reads_and_resumes_utf16(void **state) {
        for (unsigned form = 0; form < 4; form++) {
                Reader *reader = NULL;
                Value values[2];
                char *position;
                ReadPlan plan;
                Fixture f;

                init(&f, "");
                utf16_write(&f, "id;owner\r\n1;\"A\r\nda\"\r\n2;Bob\r\n3;Eve\r\n", form & 1, form & 2);
                fixture_open(&f, false);
                plan = plan_of(&f);
                assert_scan(&f, &plan, "1|A\r\nda\n2|Bob\n3|Eve\n");
                assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
                assert_int_equal(reader_next(reader, values, &f.error), 1);
                position = strdup(reader_position(reader));
                reader_close(reader);
                plan.position = position;
                assert_scan(&f, &plan, "2|Bob\n3|Eve\n");
                free(position);
                fixture_done(&f);
        }
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
        plan.position = "1/2/3/4/zz"; /* of another version */
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
                            "Can be read: 2 of 3 columns are mapped; found: ascii, delimiter \",\", quote \", lines end with LF, header row");
        json_decref(report);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_by_header),
                cmocka_unit_test(tells_null_from_empty),
                cmocka_unit_test(path_may_be_the_file),
                cmocka_unit_test(encodings),
                cmocka_unit_test(names_file_line_and_byte),
                cmocka_unit_test(reads_without_header),
                cmocka_unit_test(reads_and_resumes_utf16),
                cmocka_unit_test(refuses_sql),
                cmocka_unit_test(resumes_while_the_file_is_the_same),
                cmocka_unit_test(notices_a_change_while_reading),
                cmocka_unit_test(checks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
