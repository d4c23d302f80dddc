/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/text.h"
#include "../testing.h"
#include <errno.h>
#include <sys/stat.h>

static void test_compare(void **state) {
        assert_true(text_equal(NULL, NULL) && text_equal("a", "a") && !text_equal("a", NULL) &&
                    !text_equal("a", "b"));
        assert_true(text_starts_with("abc", "ab") && text_starts_with("abc", "") &&
                    !text_starts_with("a", "ab"));
        assert_false(text_starts_with(NULL, "a"));
        assert_true(text_equal_ignoring_case("AbZ", "aBz"));
        assert_false(text_equal_ignoring_case("a", "ab"));
        assert_false(text_equal_ignoring_case("[", "{"));
        assert_false(text_equal_ignoring_case("a", NULL));
}

static void test_integers(void **state) {
        static const char *const wrong[] = { "",    "-",   " 1",
                                             "1 ",  "1x",  "0x1",
                                             "1.0", "--1", "99999999999999999999x" };
        int64_t n = 42;

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_int_equal(text_to_int64(wrong[i], INT64_MIN, INT64_MAX, &n), -EINVAL);
        assert_int_equal(text_to_int64(NULL, 0, 1, &n), -EINVAL);
        assert_int_equal(text_to_int64("9223372036854775808", INT64_MIN, INT64_MAX, &n), -ERANGE);
        assert_int_equal(text_to_int64("99999999999999999999999", INT64_MIN, INT64_MAX, &n), -ERANGE);
        assert_int_equal(text_to_int64("11", 0, 10, &n), -ERANGE);
        assert_int_equal(text_to_int64("-1", 0, 10, &n), -ERANGE);
        assert_int_equal(n, 42);
        assert_int_equal(text_to_int64("-9223372036854775808", INT64_MIN, INT64_MAX, &n), 0);
        assert_true(n == INT64_MIN);
        assert_int_equal(text_to_int64("+10", 0, 10, &n), 0);
        assert_int_equal(n, 10);
}

static void test_units(void **state) {
        uint64_t n = 42;

        assert_int_equal(text_to_size("10MB", &n), -EINVAL);
        assert_int_equal(text_to_size("-1", &n), -EINVAL);
        assert_int_equal(text_to_size("99999999999T", &n), -ERANGE);
        assert_int_equal(text_to_duration("30", &n), -EINVAL);
        assert_int_equal(text_to_duration("s", &n), -EINVAL);
        assert_int_equal(text_to_duration("600000y", &n), -ERANGE);
        assert_int_equal(n, 42);
        assert_int_equal(text_to_size("512M", &n), 0);
        assert_true(n == 536870912);
        assert_int_equal(text_to_size("100", &n), 0);
        assert_true(n == 100);
        assert_int_equal(text_to_duration("10min", &n), 0);
        assert_true(n == 600000000);
        assert_int_equal(text_to_duration("400d", &n), 0);
        assert_true(n == 34560000000000);
        assert_int_equal(text_to_duration("250ms", &n), 0);
        assert_true(n == 250000);
}

static void test_nearest(void **state) {
        static const char *const names[] = { "required", "unique", "minimum", "maximum", "min_length" };

        assert_string_equal(text_nearest("requird", names, 5), "required");
        assert_string_equal(text_nearest("maximun", names, 5), "maximum");
        assert_string_equal(text_nearest("uniqe", names, 5), "unique");
        assert_string_equal(text_nearest("minimum", names, 5), "minimum");
        assert_null(text_nearest("geometry", names, 5));
        assert_null(text_nearest("x", names, 5));
        assert_null(text_nearest(NULL, names, 5));
        assert_null(text_nearest("x", NULL, 0));
}

static void test_utf8(void **state) {
        static const char *const wrong[] = { "\x80",
                                             "\xC0\x80",
                                             "\xC1\xBF",
                                             "\xC3",
                                             "\xE0\x9F\xBF",
                                             "\xED\xA0\x80",
                                             "\xE2\x82",
                                             "\xF0\x8F\xBF\xBF",
                                             "\xF4\x90\x80\x80",
                                             "\xF5\x80\x80\x80",
                                             "\xFF",
                                             "abcdefgh\xFF",
                                             "\xC3(" };
        static const char right[] =
                "ascii only text, ü € \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF \xED\x9F\xBF \xEE\x80\x80";

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_false(text_is_utf8(wrong[i], strlen(wrong[i])));
        assert_true(text_is_utf8(right, sizeof(right) - 1));
        assert_true(text_is_utf8("a\0b", 3));
        assert_true(text_is_utf8("", 0));
        assert_int_equal(text_utf8_length("ü€\xF0\x9F\x98\x80x", 10), 4);
}

static void test_names(void **state) {
        char name[65];

        memset(name, 'a', 64);
        name[64] = '\0';
        assert_false(name_is_valid(name));
        name[63] = '\0';
        assert_true(name_is_valid(name));
        assert_true(name_is_valid("pacs_to_cama-2"));
        assert_false(name_is_valid("") || name_is_valid(NULL) || name_is_valid("2a") ||
                     name_is_valid("Pacs") || name_is_valid("a b") || name_is_valid("a/b") ||
                     name_is_valid("_a"));
}

static void test_strings(void **state) {
        _cleanup_strings_ char **strings = NULL;

        assert_int_equal(strings_count(NULL), 0);
        assert_false(strings_contain(NULL, "a"));
        for (unsigned i = 0; i < 100; i++)
                assert_int_equal(strings_append(&strings, i % 2 ? "odd" : "even"), 0);
        assert_int_equal(strings_count(strings), 100);
        assert_string_equal(strings[99], "odd");
        assert_null(strings[100]);
        assert_true(strings_contain(strings, "even"));
        assert_false(strings_contain(strings, "eve"));
}

static void test_files(void **state) {
        char *folder = test_folder_new(), *path = NULL, *bytes = NULL;
        struct stat status;
        size_t size;

        assert_true(asprintf(&path, "%s/file", folder) > 0);
        assert_int_equal(file_read(path, 10, &bytes, &size), -ENOENT);
        assert_int_equal(file_write_atomic(path, "one\0two", 7, 0640), 0);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0640);
        assert_int_equal(file_read(path, 6, &bytes, &size), -EFBIG);
        assert_null(bytes);
        assert_int_equal(file_read(path, 7, &bytes, &size), 0);
        assert_int_equal(size, 7);
        assert_memory_equal(bytes, "one\0two", 8);
        free(bytes);
        assert_int_equal(file_write_atomic(path, "", 0, 0600), 0);
        assert_int_equal(file_read(path, 7, &bytes, NULL), 0);
        assert_string_equal(bytes, "");
        free(bytes);
        free(path);
        assert_int_equal(file_write_atomic("/nonexistent-folder/x", "", 0, 0600), -ENOENT);
        assert_int_equal(file_read(folder, 10, &bytes, &size), -EISDIR);
        /* Nothing but the file itself may be left beside it. */
        assert_int_equal(asprintf(&path, "test $(ls -A %s | wc -l) = 1", folder) > 0, 1);
        assert_int_equal(system(path), 0);
        free(path);
        test_folder_remove(folder);
}

static void test_hex(void **state) {
        static const uint8_t bytes[] = { 0x00, 0x7f, 0x80, 0xff, 0x1a };
        uint8_t back[sizeof(bytes)];
        char hex[2 * sizeof(bytes) + 1];

        hex_encode(bytes, sizeof(bytes), hex);
        assert_string_equal(hex, "007f80ff1a");
        assert_int_equal(hex_decode(hex, sizeof(back), back), 0);
        assert_memory_equal(back, bytes, sizeof(bytes));
        assert_int_equal(hex_decode("0G", 1, back), -EBADMSG);
        assert_int_equal(hex_decode("0A", 1, back), -EBADMSG);
        assert_int_equal(hex_decode("0", 1, back), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compare), cmocka_unit_test(test_integers),
                cmocka_unit_test(test_units),   cmocka_unit_test(test_nearest),
                cmocka_unit_test(test_utf8),    cmocka_unit_test(test_names),
                cmocka_unit_test(test_strings), cmocka_unit_test(test_hex), cmocka_unit_test(test_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
