/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/ogr-dbf.h"

/* Two columns, C(4) and N(19,11), and a third, F(6,2); records as given, each of 1 + 4 + 19 + 6 bytes. */
static char *table_write(const char *folder, const char *records, size_t size, uint32_t n) {
        static const struct { const char *name; char type; uint8_t width; } columns[] = {
                {"APN", 'C', 4}, {"ACRES", 'N', 19}, {"RATE", 'F', 6}};
        uint8_t bytes[512] = {3};
        const uint16_t first = 32 + 3 * 32 + 1, record = 30;
        char *path = NULL;
        FILE *file;

        memcpy(bytes + 4, &n, sizeof(n));
        memcpy(bytes + 8, &first, sizeof(first));
        memcpy(bytes + 10, &record, sizeof(record));
        for (size_t i = 0; i < ELEMENTSOF(columns); i++) {
                memcpy(bytes + 32 + 32 * i, columns[i].name, strlen(columns[i].name));
                bytes[32 + 32 * i + 11] = (uint8_t) columns[i].type;
                bytes[32 + 32 * i + 16] = columns[i].width;
        }
        bytes[first - 1] = '\r';
        memcpy(bytes + first, records, size);
        assert_true(asprintf(&path, "%s/t.dbf", folder) > 0);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, first + size, file), first + size);
        assert_int_equal(fclose(file), 0);
        return path;
}

#define RECORD(acres, rate) " R001" acres rate

static void test_numbers_as_they_are_written(void **state) {
        static const char records[] = RECORD("1234567.12345678901", "  1.50") RECORD("                   ", "******")
                RECORD("       1.2E+003\0\0\0\0", "x     ");
        _cleanup_free_ char *path = table_write(*state, records, sizeof(records) - 1, 3);
        DbfFile *f = NULL;
        char text[DECIMAL_TEXT_MAX];
        int acres, rate;
        Value v;

        assert_int_equal(dbf_open(path, &f), 0);
        acres = dbf_number_column(f, "acres");
        rate = dbf_number_column(f, "RATE");
        assert_int_equal(acres, 1);
        assert_int_equal(rate, 2);
        assert_int_equal(dbf_number_column(f, "APN"), -1);
        assert_int_equal(dbf_number_column(f, "OTHER"), -1);
        assert_int_equal(dbf_number_read(f, 0, acres, &v), 0);
        assert_int_equal(v.type, VALUE_DECIMAL);
        (void) decimal_format(&v.decimal, text);
        assert_string_equal(text, "1234567.12345678901");
        assert_int_equal(dbf_number_read(f, 0, rate, &v), 0);
        (void) decimal_format(&v.decimal, text);
        assert_string_equal(text, "1.50");
        assert_int_equal(dbf_number_read(f, 1, acres, &v), 0);
        assert_int_equal(v.type, VALUE_NULL);
        assert_int_equal(dbf_number_read(f, 1, rate, &v), 0);
        assert_int_equal(v.type, VALUE_NULL);
        assert_int_equal(dbf_number_read(f, 2, acres, &v), 0);
        assert_int_equal(v.type, VALUE_DECIMAL);
        assert_int_equal(dbf_number_read(f, 2, rate, &v), 0);
        assert_int_equal(v.type, VALUE_TEXT);
        assert_int_equal(dbf_number_read(f, 3, rate, &v), -EBADMSG);
        assert_null(dbf_close(f));
}

static void test_what_is_no_table(void **state) {
        static const char records[] = RECORD("1234567.12345678901", "  1.50");
        _cleanup_free_ char *path = table_write(*state, records, 10, 1), *text = test_file_write(*state, "x.dbf", "no table");
        DbfFile *f = NULL;
        Value v;

        assert_int_equal(dbf_open(text, &f), -EBADMSG);
        assert_int_equal(dbf_open("/nowhere.dbf", &f), -ENOENT);
        assert_int_equal(dbf_open(path, &f), 0); /* cut off within its record */
        assert_int_equal(dbf_number_read(f, 0, 1, &v), -EBADMSG);
        assert_null(dbf_close(f));
}

static int setup(void **state) {
        *state = test_folder_new();
        return 0;
}

static int teardown(void **state) {
        test_folder_remove(*state);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_numbers_as_they_are_written, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_is_no_table, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
