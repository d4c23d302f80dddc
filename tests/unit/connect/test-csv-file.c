/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <fcntl.h>

#include "connect/csv-file.h"

/* What is found of a file, in words. */
static void form_is(const char *csv, const char *wanted, const char *expected, const char *last_name) {
        char *names[] = {T(wanted), NULL}, *text;
        CsvOptions options;
        CsvForm form;
        Fixture f;
        int fd;

        fixture_init(&f, "csv", NULL);
        free(f.path);
        f.path = test_file_write(f.folder, "roll.csv", csv);
        f.system.path = f.path;
        assert_int_equal(csv_options_take(&f.system, &options, &f.error), 0);
        fd = open(f.path, O_RDONLY | O_CLOEXEC);
        if (csv_form_detect(&options, fd, f.path, names, &form, &f.error) < 0)
                fail_msg("%s", f.error.detail);
        text = csv_form_text(&form);
        assert_string_equal(text, expected);
        assert_string_equal(form.names[form.dialect.n_columns - 1], last_name);
        assert_null(form.names[form.dialect.n_columns]);
        free(text);
        csv_form_done(&form);
        csv_options_done(&options);
        (void) close(fd);
        fixture_done(&f);
}

static void says_what_it_found(void **state) {
        form_is("id,owner\n1,Ada\n", "id", "ascii, delimiter \",\", quote \", lines end with LF, header row", "owner");
        form_is("\xef\xbb\xbfid;owner\r\n1;J\xc3\xb6rg\r\n", "id",
                "utf-8 with byte order mark, delimiter \";\", quote \", lines end with CRLF, header row", "owner");
        form_is("id\towner\r\n1\tJ\xf6rg\n", "id", "latin-1, delimiter tab, quote \", lines end with CRLF and LF, header row",
                "owner");
        form_is("id|owner\n1|O\x92Neil\n", "id", "windows-1252, delimiter \"|\", quote \", lines end with LF, header row",
                "owner");
        form_is("1,'A, da'\n2,'Bob'\n", "column_2", "ascii, delimiter \",\", quote ', lines end with LF, no header row",
                "column_2");
        form_is("1,Ada\n", "owner", "ascii, delimiter \",\", quote \", lines end with LF, header row", "Ada");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(says_what_it_found),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
