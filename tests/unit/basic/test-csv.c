/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/csv.h"
#include "../testing.h"

static CsvReader *reader_new(const char *text, size_t size, long offset, size_t max_bytes, char delimiter) {
        FILE *file = tmpfile();
        CsvReader *r = NULL;

        assert_non_null(file);
        assert_int_equal(fwrite(text, 1, size, file), size);
        assert_int_equal(fseek(file, offset, SEEK_SET), 0);
        assert_int_equal(csv_reader_new(file, delimiter, max_bytes, &r), 0);
        return r;
}

/* The record as text: fields joined by '|', quoted ones between ''. */
static void record_is(CsvReader *r, const char *expected) {
        char text[512];
        const CsvField *fields;
        size_t n_fields, n = 0;

        assert_int_equal(csv_reader_next(r, &fields, &n_fields), 1);
        for (size_t i = 0; i < n_fields; i++)
                n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%s%.*s%s", i > 0 ? "|" : "",
                                       fields[i].quoted ? "'" : "", (int) fields[i].size, fields[i].bytes,
                                       fields[i].quoted ? "'" : "");
        assert_string_equal(text, expected);
}

static void end_is(CsvReader *r, int expected) {
        const CsvField *fields;
        size_t n_fields;

        assert_int_equal(csv_reader_next(r, &fields, &n_fields), expected);
        assert_int_equal(csv_reader_next(r, &fields, &n_fields), expected);
}

static void test_records(void **state) {
        static const char text[] =
                "a,b,c\r\n1,\"two \"\"2\"\"\",\n\"line\r\nbreak\",\"\",x\"y\n\n,,\nlast,\"q\"";
        _cleanup_(csv_reader_freep) CsvReader *r = reader_new(text, sizeof(text) - 1, 0, 1000, ',');

        record_is(r, "a|b|c");
        assert_int_equal(csv_reader_line(r), 1);
        assert_int_equal(csv_reader_offset(r), 7);
        record_is(r, "1|'two \"2\"'|");
        assert_int_equal(csv_reader_line(r), 2);
        record_is(r, "'line\r\nbreak'|''|x\"y");
        assert_int_equal(csv_reader_line(r), 3);
        record_is(r, "");
        assert_int_equal(csv_reader_line(r), 5); /* the record before took two lines */
        record_is(r, "||");
        record_is(r, "last|'q'");
        assert_int_equal(csv_reader_line(r), 7);
        assert_int_equal(csv_reader_offset(r), sizeof(text) - 1);
        end_is(r, 0);
}

static void test_bom_and_delimiter(void **state) {
        static const char text[] = "\xEF\xBB\xBFid;na,me\n1;2\n";
        _cleanup_(csv_reader_freep) CsvReader *r = reader_new(text, sizeof(text) - 1, 0, 100, ';');

        record_is(r, "id|na,me");
        assert_int_equal(csv_reader_offset(r), 12);
        record_is(r, "1|2");
        end_is(r, 0);
}

static void test_ends(void **state) {
        _cleanup_(csv_reader_freep) CsvReader *empty = reader_new("", 0, 0, 100, ',');
        _cleanup_(csv_reader_freep) CsvReader *bom = reader_new("\xEF\xBB\xBF", 3, 0, 100, ',');
        _cleanup_(csv_reader_freep) CsvReader *part = reader_new("\xEF\xBB", 2, 0, 100, ',');
        _cleanup_(csv_reader_freep) CsvReader *comma = reader_new("a,", 2, 0, 100, ',');
        _cleanup_(csv_reader_freep) CsvReader *quoted = reader_new("\"a\"\r\n\"b\"", 8, 0, 100, ',');

        end_is(empty, 0);
        end_is(bom, 0);
        record_is(part, "\xEF\xBB");
        record_is(comma, "a|");
        end_is(comma, 0);
        record_is(quoted, "'a'");
        record_is(quoted, "'b'");
        end_is(quoted, 0);
}

static void test_mistakes(void **state) {
        static const char unclosed[] = "a,b\nx,\"never\nclosed\n", after[] = "ok\n\"a\"b,c\n",
                          carriage[] = "\"a\"\rb\n";
        _cleanup_(csv_reader_freep) CsvReader *r = reader_new(unclosed, sizeof(unclosed) - 1, 0, 1000, ',');
        _cleanup_(csv_reader_freep) CsvReader *r2 = reader_new(after, sizeof(after) - 1, 0, 1000, ',');
        _cleanup_(csv_reader_freep) CsvReader *r3 = reader_new(carriage, sizeof(carriage) - 1, 0, 1000, ',');
        CsvReader *none = NULL;

        record_is(r, "a|b");
        end_is(r, -EBADMSG);
        assert_int_equal(csv_reader_line(r), 2); /* where the record with the mistake begins */
        assert_int_equal(csv_reader_offset(r), 4);
        record_is(r2, "ok");
        end_is(r2, -EBADMSG);
        end_is(r3, -EBADMSG);
        assert_int_equal(csv_reader_new(tmpfile(), '"', 10, &none), -EINVAL);
        assert_int_equal(csv_reader_new(tmpfile(), '\n', 10, &none), -EINVAL);
        assert_null(none);
}

static void test_too_long(void **state) {
        _cleanup_(csv_reader_freep) CsvReader *fits = reader_new("1234567890\nx\n", 13, 0, 10, ',');
        _cleanup_(csv_reader_freep) CsvReader *large = reader_new("x\n12345678901\n", 14, 0, 10, ',');
        _cleanup_free_ char *long_text = malloc(3000000);
        CsvReader *unclosed;

        record_is(fits, "1234567890");
        record_is(fits, "x");
        record_is(large, "x");
        end_is(large, -EFBIG);
        /* A quote never closed stops at the limit, not at the memory's end. */
        memset(long_text, 'a', 3000000);
        long_text[0] = '"';
        unclosed = reader_new(long_text, 3000000, 0, 1000000, ',');
        end_is(unclosed, -EFBIG);
        csv_reader_free(unclosed);
}

static void test_resume(void **state) {
        static const char text[] = "\xEF\xBB\xBF" "a,b\r\n\"x\ny\",2\r\n3,4\n\"5\",\"\"\"\"\n6,7";
        uint64_t offset = 0;

        /* From the place after any record the rest comes as if there had been no stop. */
        for (unsigned n_before = 0; n_before <= 5; n_before++) {
                static const char *const records[] = { "a|b", "'x\ny'|2", "3|4", "'5'|'\"'", "6|7" };
                _cleanup_(csv_reader_freep) CsvReader *r =
                        reader_new(text, sizeof(text) - 1, (long) offset, 100, ',');

                csv_reader_set_place(r, 50, csv_reader_offset(r));
                for (unsigned i = n_before; i < 5; i++) {
                        record_is(r, records[i]);
                        if (i == n_before) {
                                offset = csv_reader_offset(r);
                                assert_int_equal(csv_reader_line(r), 50);
                        }
                }
                end_is(r, 0);
                assert_int_equal(csv_reader_offset(r), sizeof(text) - 1);
        }
}

/* Records that cross the reader's buffer at every place. */
static void test_across_buffers(void **state) {
        _cleanup_(csv_reader_freep) CsvReader *r = NULL;
        FILE *file = tmpfile();
        const CsvField *fields;
        size_t n_fields;

        assert_non_null(file);
        for (unsigned i = 0; i < 60000; i++)
                fprintf(file, "%u,\"v\"\"%u\"\"\",plain\r\n", i, i);
        rewind(file);
        assert_int_equal(csv_reader_new(file, ',', 1000, &r), 0);
        for (unsigned i = 0; i < 60000; i++) {
                char expected[32];

                assert_int_equal(csv_reader_next(r, &fields, &n_fields), 1);
                assert_int_equal(n_fields, 3);
                (void) snprintf(expected, sizeof(expected), "v\"%u\"", i);
                assert_int_equal(fields[1].size, strlen(expected));
                assert_memory_equal(fields[1].bytes, expected, fields[1].size);
                assert_memory_equal(fields[2].bytes, "plain", 5);
                assert_int_equal(fields[2].size, 5);
        }
        assert_int_equal(csv_reader_next(r, &fields, &n_fields), 0);
        assert_int_equal(csv_reader_line(r), 60000);
}

static void test_large_record(void **state) {
        _cleanup_(csv_reader_freep) CsvReader *r = NULL;
        _cleanup_free_ char *text = malloc(2000000);
        const CsvField *fields;
        size_t n_fields;

        memset(text, 'z', 2000000);
        memcpy(text, "a,\"", 3);
        memcpy(text + 1999996, "\",b\n", 4);
        r = reader_new(text, 2000000, 0, 4000000, ',');
        assert_int_equal(csv_reader_next(r, &fields, &n_fields), 1);
        assert_int_equal(n_fields, 3);
        assert_int_equal(fields[1].size, 1999993);
        assert_int_equal(fields[1].bytes[1999992], 'z');
        end_is(r, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_records),        cmocka_unit_test(test_bom_and_delimiter),
                cmocka_unit_test(test_ends),           cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_too_long),       cmocka_unit_test(test_resume),
                cmocka_unit_test(test_across_buffers), cmocka_unit_test(test_large_record),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
