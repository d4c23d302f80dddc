/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/credential.h"

/* A folder as systemd makes it; the caller removes it. */
static char *folder_set(const char *name, const char *text) {
        char *folder = test_folder_new();

        free(test_file_write(folder, name, text));
        assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
        return folder;
}

static void test_found(void **state) {
        char *folder = folder_set("terrafusion_pacs-password", "geheim wort \r\n");
        _cleanup_secret_ char *found = NULL, *needed = NULL;
        _cleanup_error_ Error error = {};

        assert_int_equal(credential_find("pacs-password", &found, &error), 1);
        assert_string_equal(found, "geheim wort");
        assert_int_equal(credential_need("pacs-password", &needed, &error), 0);
        assert_string_equal(needed, "geheim wort");
        test_folder_remove(folder);
}

static void test_missing(void **state) {
        char *folder = folder_set("terrafusion_other", "x");
        _cleanup_error_ Error error = {};
        char *secret = NULL;

        assert_int_equal(credential_find("pacs-password", &secret, &error), 0);
        assert_null(secret);
        assert_int_equal(credential_need("pacs-password", &secret, &error), error_errno(ERROR_CONFIGURATION));
        assert_string_equal(error.detail, "The credential \"pacs-password\" is missing");
        assert_non_null(strstr(error.remedy, "/etc/terrafusion/credentials/pacs-password"));
        test_folder_remove(folder);
}

static void test_unusable(void **state) {
        static const char *const names[] = {"", "../shadow", "a/b"};
        char *folder = folder_set("terrafusion_empty", " \n"), *big = calloc(1, 5001);
        char *secret = NULL;

        memset(big, 'x', 5000);
        free(test_file_write(folder, "terrafusion_big", big));
        for (size_t i = 0; i < 5; i++) {
                const char *name = i < 3 ? names[i] : i == 3 ? "empty" : "big";
                _cleanup_error_ Error error = {};

                assert_int_equal(credential_find(name, &secret, &error), error_errno(ERROR_CONFIGURATION));
                assert_non_null(error.remedy);
                assert_null(strstr(error.detail, "xxxx"));
                assert_null(secret);
        }
        free(big);
        test_folder_remove(folder);
}

static void test_without_systemd(void **state) {
        char *folder = test_folder_new(), *credentials = NULL;
        _cleanup_secret_ char *secret = NULL;
        _cleanup_error_ Error error = {};

        assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
        assert_int_equal(setenv("CONFIGURATION_DIRECTORY", folder, 1), 0);
        assert_true(asprintf(&credentials, "mkdir %s/credentials && echo hier > %s/credentials/key", folder, folder) > 0);
        assert_int_equal(system(credentials), 0);
        free(credentials);
        assert_int_equal(credential_find("key", &secret, &error), 1);
        assert_string_equal(secret, "hier");
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_found), cmocka_unit_test(test_missing), cmocka_unit_test(test_unusable),
                cmocka_unit_test(test_without_systemd),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
