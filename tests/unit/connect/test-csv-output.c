/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/csv-output.h"

typedef struct Sink {
        CsvOptions options;
        CsvForm form;
        CsvOutput output;
        char *bytes;
        size_t size;
} Sink;

static void sink_init(Sink *s, TextEncoding encoding, char delimiter, int quote) {
        *s = (Sink){.form = {.encoding = encoding, .has_header = true, .dialect = {.delimiter = delimiter, .quote = quote}}};
        s->output = (CsvOutput){.file = tmpfile(), .form = &s->form, .options = &s->options};
        assert_non_null(s->output.file);
}

static void sink_is(Sink *s, const char *expected, size_t size) {
        char bytes[256];
        FILE *again = fdopen(dup(fileno(s->output.file)), "r");

        assert_int_equal(csv_output_close(&s->output), 0);
        rewind(again);
        assert_int_equal(fread(bytes, 1, sizeof(bytes), again), size);
        assert_memory_equal(bytes, expected, size);
        assert_int_equal(fclose(again), 0);
}

static void add(Sink *s, const char *text) { assert_int_equal(csv_output_text(&s->output, text, strlen(text), false), 0); }

static void quotes_what_needs_it(void **state) {
        static const char expected[] = "id;owner;note\r\nplain;;\"\"\r\n\"a;b\";\"say \"\"x\"\"\";\"1,5\"\r\n\" a\";\"two\nlines\";\"x\"\r\n";
        char *names[] = {T("id"), T("owner"), T("note"), NULL};
        Sink s;

        sink_init(&s, ENCODING_UTF8, ';', '"');
        s.form.names = names;
        s.form.dialect.ends = CSV_ENDS_CRLF;
        assert_int_equal(csv_output_header(&s.output), 0);
        add(&s, "plain");
        assert_int_equal(csv_output_null(&s.output), 0);
        add(&s, "");
        assert_int_equal(csv_output_end(&s.output), 0);
        add(&s, "a;b");
        add(&s, "say \"x\"");
        add(&s, "1,5");
        assert_int_equal(csv_output_end(&s.output), 0);
        add(&s, " a");
        add(&s, "two\nlines");
        assert_int_equal(csv_output_text(&s.output, "x", 1, true), 0); /* as it was before */
        assert_int_equal(csv_output_end(&s.output), 0);
        sink_is(&s, expected, sizeof(expected) - 1);
}

static void writes_other_encodings(void **state) {
        char *names[] = {T("id"), NULL};
        Sink s;

        sink_init(&s, ENCODING_UTF16LE, ',', '"');
        s.form.names = names;
        s.form.bom_size = 2;
        assert_int_equal(csv_output_header(&s.output), 0);
        add(&s, "\xe2\x82\xac");
        assert_int_equal(csv_output_end(&s.output), 0);
        sink_is(&s, "\xff\xfei\0d\0\n\0\xac\x20\n\0", 12);
        sink_init(&s, ENCODING_WINDOWS1252, ',', '"');
        add(&s, "J\xc3\xb6rg \xe2\x82\xac");
        assert_int_equal(csv_output_end(&s.output), 0);
        sink_is(&s, "J\xf6rg \x80\n", 7);
}

static void says_what_it_cannot_hold(void **state) {
        Fixture f = {};
        Sink s;

        sink_init(&s, ENCODING_LATIN1, ',', '"');
        assert_int_equal(csv_output_check(&s.output, "owner", "J\xc3\xb6rg", 5, &f.error), 0);
        assert_true(csv_output_check(&s.output, "owner", "5 \xe2\x82\xac!", 6, &f.error) < 0);
        assert_string_equal(f.error.field, "owner");
        assert_error(&f, ERROR_RECORD_REFUSED, "latin-1 has no character \"\xe2\x82\xac\"", "UTF-8");
        assert_int_equal(csv_output_close(&s.output), 0);
        sink_init(&s, ENCODING_UTF8, ',', CSV_QUOTE_NONE);
        assert_int_equal(csv_output_check(&s.output, "owner", "say \"x\"", 7, &f.error), 0);
        assert_true(csv_output_check(&s.output, "owner", "a,b", 3, &f.error) < 0);
        assert_error(&f, ERROR_RECORD_REFUSED, "\"a,b\"", "quote: none");
        assert_true(csv_output_check(&s.output, "owner", "", 0, &f.error) < 0);
        error_done(&f.error);
        assert_int_equal(csv_output_close(&s.output), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(quotes_what_needs_it),
                cmocka_unit_test(writes_other_encodings),
                cmocka_unit_test(says_what_it_cannot_hold),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
