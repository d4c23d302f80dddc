/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/fixed.h"

static MappingColumn columns[] = {{.name = T("id"), .line = 4, .column = 7}, {.name = T("value"), .line = 5, .column = 7}};

static LayoutField fields[] = {
        {.name = T("id"), .from = 0, .to = 4, .type = VALUE_INTEGER, .trim = true},
        {.name = T("value"), .from = 4, .to = 10, .type = VALUE_DECIMAL, .has_decimals = true, .decimals = 2, .trim = true},
        {.name = T("owner"), .from = 10, .to = 12, .type = VALUE_TEXT, .trim = true, .inferred = true},
};
static LayoutTable table = {.name = T("land"), .file = T("*_LAND.TXT"), .record_length = 12, .fields = fields, .n_fields = 3};
static Layout layout = {.encoding = ENCODING_LATIN1, .end = LAYOUT_END_CRLF, .tables = &table, .n_tables = 1, .hash = 7};

static void init(Fixture *f, const char *text) {
        fixture_init(f, "fixed", NULL);
        free(test_file_write(f->folder, "2026-07-01_000123_LAND.TXT", text));
        f->system.path = f->folder;
        f->system.layout = &layout;
        f->mapping.from = T("land");
        f->mapping.columns = columns;
        f->mapping.n_columns = 2;
        f->mapping.line = 2;
        fixture_open(f, false);
}

static ReadPlan plan_of(Fixture *f) { return (ReadPlan){.pair = &f->pair, .mapping = &f->mapping}; }

static void scan(const char *text, LayoutEnd end, const char *expected) {
        Fixture f;
        ReadPlan plan;

        layout.end = end;
        init(&f, text);
        plan = plan_of(&f);
        assert_scan(&f, &plan, expected);
        fixture_done(&f);
        layout.end = LAYOUT_END_CRLF;
}

static void reads(void **state) {
        scan("0001000150AB\r\n0002-00001CD\r\n", LAYOUT_END_CRLF, "1|1.50\n2|-0.01\n");
        scan("0001000150AB\n0002      CD", LAYOUT_END_LF, "1|1.50\n2|-\n"); /* the last without its end */
        scan("0001000150AB\r\n\x1a", LAYOUT_END_CRLF, "1|1.50\n");
        scan("0001000150AB0002000001CD", LAYOUT_END_NONE, "1|1.50\n2|0.01\n");
        scan("", LAYOUT_END_CRLF, "");
}

static void refuse(const char *text, const char *detail, const char *remedy, unsigned line) {
        Reader *reader = NULL;
        Value values[2];
        ReadPlan plan;
        Fixture f;
        int r;

        init(&f, text);
        plan = plan_of(&f);
        r = reader_open(f.connection, &plan, &reader, &f.error);
        while (r >= 0) {
                r = reader_next(reader, values, &f.error);
                assert_int_not_equal(r, 0);
        }
        assert_non_null(strstr(f.error.file, "_LAND.TXT"));
        assert_int_equal(f.error.line, line);
        assert_error(&f, ERROR_FILE_FORMAT, detail, remedy);
        reader_close(reader);
        fixture_done(&f);
}

/* The length comes first: before any record is given. */
static void checks_the_length(void **state) {
        refuse("0001000150ABCD\r\n0002000150ABCD\r\n", "The record has 14 bytes, table \"land\" of the layout says 12",
               "between years", 1);
        refuse("0001000150\r\n", "has 10 bytes", "record_length", 1);
        refuse("0001000150AB\n0002000150AB\n", "does not end with crlf behind byte 12", "eol:", 1); /* LF where the layout says CRLF */
        refuse("0001000150AB\r\n0002000", "21 bytes, which are no whole records of 12: 7 are left over", "whole", 2);
        refuse("0001000150AB\r\n000200015\r\nB\r\n", "The record has 10 bytes", "between years", 2);
        refuse("0001000150AB\r\n0002000150ABXX0003000150AB\r\n", "does not end with crlf behind byte 12", "eol:", 2);
        refuse("0001  1.50AB\r\n", "Field \"value\": \"  1.50\" has a point", "decimals:", 1);
}

static void finds_the_file(void **state) {
        Reader *reader = NULL;
        ReadPlan plan;
        Fixture f;

        init(&f, "0001000150AB\r\n");
        plan = plan_of(&f);
        free(test_file_write(f.folder, "2025-07-01_000123_land.txt", "0001000150AB\r\n"));
        assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
        assert_error(&f, ERROR_FILE_FORMAT, "would be a guess", "one export");
        f.mapping.from = T("lnd");
        assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
        assert_error(&f, ERROR_TABLE_MISSING, "no table of the layout \"lnd\"", "\"land\"");
        f.mapping.from = T("land");
        table.file = T("*_ENTITY.TXT");
        assert_true(reader_open(f.connection, &plan, &reader, &f.error) < 0);
        assert_error(&f, ERROR_TABLE_MISSING, "*_ENTITY.TXT", "Put the export");
        table.file = T("*_LAND.TXT");
        fixture_done(&f);
}

static void resumes_while_file_and_layout_are_the_same(void **state) {
        Reader *reader = NULL;
        Value values[2];
        char *position;
        ReadPlan plan;
        Fixture f;

        init(&f, "0001000150AB\r\n0002000001CD\r\n");
        plan = plan_of(&f);
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_null(reader_position(reader));
        assert_int_equal(reader_next(reader, values, &f.error), 1);
        position = strdup(reader_position(reader));
        reader_close(reader);
        plan.position = position;
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_true(reader_resumed(reader));
        reader_close(reader);
        assert_scan(&f, &plan, "2|0.01\n");
        layout.hash++;
        assert_scan(&f, &plan, "1|1.50\n2|0.01\n");
        free(position);
        fixture_done(&f);
}

static void notices_a_change_while_reading(void **state) {
        Reader *reader = NULL;
        Value values[2];
        ReadPlan plan;
        Fixture f;

        init(&f, "0001000150AB\r\n");
        plan = plan_of(&f);
        assert_int_equal(reader_open(f.connection, &plan, &reader, &f.error), 0);
        assert_int_equal(reader_next(reader, values, &f.error), 1);
        free(test_file_write(f.folder, "2026-07-01_000123_LAND.TXT", "0001000150AB\r\n0002000150AB\r\n"));
        assert_true(reader_next(reader, values, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_BUSY, "changed while it was read", "rename");
        reader_close(reader);
        fixture_done(&f);
}

static void checks(void **state) {
        json_t *report = json_array();
        Table *described = NULL;
        Fixture f;
        Digest one, other;

        init(&f, "0001000150AB\r\n");
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, false, report, &f.error), 0);
        assert_non_null(strstr(json_string_value(json_object_get(json_array_get(report, 0), "message")),
                               "1 records of 12 bytes"));
        columns[1].name = T("owner");
        json_array_clear(report);
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, false, report, &f.error), 0);
        assert_non_null(strstr(json_string_value(json_object_get(json_array_get(report, 0), "message")), "only infers"));
        columns[1].name = T("valeu");
        json_array_clear(report);
        assert_int_equal(connection_check(f.connection, &f.pair, &f.mapping, false, report, &f.error), 0);
        assert_non_null(strstr(json_string_value(json_object_get(json_array_get(report, 0), "remedy")), "\"value\""));
        columns[1].name = T("value");
        assert_int_equal(connection_describe(f.connection, &f.mapping, "land", false, &described, &f.error), 0);
        assert_string_equal(described->columns[1].type, "decimal(6,2)");
        table_free(described);
        assert_int_equal(connection_content_digest(f.connection, &f.mapping, &one, &f.error), 0);
        layout.hash++;
        assert_int_equal(connection_content_digest(f.connection, &f.mapping, &other, &f.error), 0);
        assert_false(digest_equal(&one, &other));
        json_decref(report);
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads),
                cmocka_unit_test(checks_the_length),
                cmocka_unit_test(finds_the_file),
                cmocka_unit_test(resumes_while_file_and_layout_are_the_same),
                cmocka_unit_test(notices_a_change_while_reading),
                cmocka_unit_test(checks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
