/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "store/files.h"
#include <sys/stat.h>

static void test_a_path(void **state) {
        _cleanup_free_ char *path = NULL;

        assert_int_equal(store_path("/state", "pairs", "pacs_to_cama", ".db", &path, NULL), 0);
        assert_string_equal(path, "/state/pairs/pacs_to_cama.db");
}

static void test_names_that_lead_elsewhere(void **state) {
        static const char *const names[] = {"", ".", "..", "../x", "a/b", "/etc/passwd", "A", "a b", "a.db"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_error_ Error error = {};
                char *path = NULL;

                assert_int_equal(store_path("/state", "pairs", names[i], ".db", &path, &error), -EINVAL);
                assert_null(path);
                assert_int_equal(error.id, ERROR_ARGUMENT);
                assert_non_null(strstr(error.remedy, "terrafusionctl pairs"));
        }
}

static void test_folders(void **state) {
        char *parent = test_folder_new();
        _cleanup_free_ char *folder = NULL, *inner = NULL;
        struct stat st;

        assert_true(asprintf(&folder, "%s/state", parent) > 0 &&
                    asprintf(&inner, "%s/state/pairs", parent) > 0);
        assert_int_equal(store_folder_make(folder, "pairs", NULL), 0);
        assert_int_equal(store_folder_make(folder, "pairs", NULL), 0);
        assert_int_equal(stat(inner, &st), 0);
        assert_true(S_ISDIR(st.st_mode));
        assert_int_equal(st.st_mode & 0027, 0);
        test_folder_remove(parent);
}

static void test_a_folder_that_cannot_be(void **state) {
        _cleanup_error_ Error error = {};

        assert_int_equal(store_folder_make("/nonexistent/state", NULL, &error), -EIO);
        assert_int_equal(error.id, ERROR_IO);
        assert_non_null(strstr(error.detail, "/nonexistent/state"));
        assert_non_null(error.remedy);
}

/* Each kind of file has its migrations, in the order of their numbers. */
static void test_migrations(void **state) {
        assert_non_null(strstr(state_migrations[0].sqlite, "create table operation ("));
        assert_non_null(strstr(pair_migrations[0].sqlite, "create table baseline ("));
        assert_non_null(strstr(journal_migrations[0].sqlite, "create table entry ("));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_path),     cmocka_unit_test(test_names_that_lead_elsewhere),
                cmocka_unit_test(test_folders),    cmocka_unit_test(test_a_folder_that_cannot_be),
                cmocka_unit_test(test_migrations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
