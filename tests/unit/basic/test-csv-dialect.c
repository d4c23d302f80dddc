/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/csv-dialect.h"

static int detect(const char *sample, bool whole, char delimiter, int quote, CsvDialect *ret, CsvDoubt *doubt, char pair[static 2]) {
        const CsvDialect wanted = {.delimiter = delimiter, .quote = quote};

        return csv_dialect_detect(sample, strlen(sample), whole, &wanted, ret, doubt, pair);
}

static void found(const char *sample, char delimiter, int quote, CsvEnds ends, size_t n_columns, size_t n_records) {
        CsvDialect d;
        CsvDoubt doubt;
        char pair[2];

        assert_int_equal(detect(sample, true, '\0', CSV_QUOTE_DETECT, &d, &doubt, pair), 0);
        assert_int_equal(d.delimiter, delimiter);
        assert_int_equal(d.quote, quote);
        assert_string_equal(csv_ends_to_string(d.ends), csv_ends_to_string(ends));
        assert_int_equal(d.n_columns, n_columns);
        assert_int_equal(d.n_records, n_records);
}

static void in_doubt(const char *sample, CsvDoubt expected) {
        CsvDialect d;
        CsvDoubt doubt = CSV_DOUBT_NONE;
        char pair[2] = "";

        assert_int_equal(detect(sample, true, '\0', CSV_QUOTE_DETECT, &d, &doubt, pair), -EILSEQ);
        assert_int_equal(doubt, expected);
        if (expected == CSV_DOUBT_DELIMITER)
                assert_memory_equal(pair, ",;", 2);
}

static void finds_out(void **state) {
        found("a,b\n1,2\n", ',', '"', CSV_ENDS_LF, 2, 2);
        found("a;b;c\r\n1,5;2,5;3\r\n", ';', '"', CSV_ENDS_CRLF, 3, 2); /* decimal commas */
        found("a\tb\r\n1\t2\n", '\t', '"', CSV_ENDS_MIXED, 2, 2);
        found("a|b\n\n1|\"x|\ny\"\n\n", '|', '"', CSV_ENDS_LF, 2, 2);
        found("owner,id\n\"Doe; Jane\",1\n\"Roe; Bo\",2\n", ',', '"', CSV_ENDS_LF, 2, 3);
        found("id\n1\n2", ',', '"', CSV_ENDS_LF, 1, 3);
        found("a,b", ',', '"', CSV_ENDS_NONE, 2, 1);
        found("", ',', '"', CSV_ENDS_NONE, 0, 0);
        found("a,b\n1,'x,y'\n", ',', '\'', CSV_ENDS_LF, 2, 2);
        found("a,b\n1,'s-Gravenhage\n", ',', '"', CSV_ENDS_LF, 2, 2);
        found("a,b\n'1',\"x\"\n", ',', '"', CSV_ENDS_LF, 2, 2);
        /* A wrong record is the reader's to tell, not a reason for doubt. */
        found("a,b\n1,2\n1,2,3\n", ',', '"', CSV_ENDS_LF, 2, 3);
}

static void doubts(void **state) {
        in_doubt("a,b;c\n1,2;3\n", CSV_DOUBT_DELIMITER);
        in_doubt("a,b\n1,'x'\n", CSV_DOUBT_QUOTE);
        in_doubt("a,b\r1,2\r", CSV_DOUBT_ENDS);
}

static void takes_what_is_fixed(void **state) {
        CsvDialect d;
        CsvDoubt doubt;
        char pair[2];

        assert_int_equal(detect("a,b;c\n1,2;3\n", true, ';', CSV_QUOTE_DETECT, &d, &doubt, pair), 0);
        assert_int_equal(d.n_columns, 2);
        assert_int_equal(detect("a,b\n1,'x'\n", true, '\0', CSV_QUOTE_NONE, &d, &doubt, pair), 0);
        assert_int_equal(d.quote, CSV_QUOTE_NONE);
        assert_int_equal(detect("a,b\n1,'x'\n", true, '\0', '\'', &d, &doubt, pair), 0);
        assert_int_equal(d.quote, '\'');
}

/* The end of a sample may lie anywhere in a record, and in a quote. */
static void leaves_out_what_is_cut(void **state) {
        static const char sample[] = "a;b\n1;\"x\ny\"\n2;z";
        char part[sizeof(sample)];
        CsvDialect d;
        CsvDoubt doubt;
        char pair[2];

        for (size_t n = strlen("a;b\n"); n < sizeof(sample); n++) {
                (void) snprintf(part, n + 1, "%s", sample);
                assert_int_equal(detect(part, false, '\0', CSV_QUOTE_DETECT, &d, &doubt, pair), 0);
                assert_int_equal(d.delimiter, ';');
                assert_int_equal(d.n_records, n < strlen("a;b\n1;\"x\ny\"\n") ? 1 : 2);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds_out),
                cmocka_unit_test(doubts),
                cmocka_unit_test(takes_what_is_fixed),
                cmocka_unit_test(leaves_out_what_is_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
