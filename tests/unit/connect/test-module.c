/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/error.h"
#include "connect/module.h"

static void refuses(const char *kind, const char *folder, const char *detail, const char *remedy) {
        _cleanup_error_ Error error = {};
        const Connector *connector = NULL;

        assert_int_equal(setenv("TERRAFUSION_MODULES", folder, 1), 0);
        assert_int_equal(module_load(kind, "libodbc2", &connector, &error), error_errno(ERROR_MODULE));
        assert_int_equal(error.id, ERROR_MODULE);
        if (!strstr(error.detail, detail) || !strstr(error.remedy, remedy))
                fail_msg("%s / %s", error.detail, error.remedy);
        assert_null(connector);
}

static void test_loads_once(void **state) {
        const Connector *first = NULL, *second = NULL;

        assert_int_equal(setenv("TERRAFUSION_MODULES", *state, 1), 0);
        assert_int_equal(module_load("sound", "libodbc2", &first, NULL), 0);
        assert_string_equal(first->kind, "sound");
        assert_int_equal(setenv("TERRAFUSION_MODULES", "/nowhere", 1), 0);
        assert_int_equal(module_load("sound", "libodbc2", &second, NULL), 0);
        assert_ptr_equal(first, second);
}

static void test_what_is_missing(void **state) {
        char *folder = test_folder_new(),
             *path = test_file_write(folder, "connect-torn.so", "\177ELF, but not one");

        refuses("sound-not", *state, "need the module \"", "TERRAFUSION_MODULES");
        refuses("odbc", "/nowhere", "\"/nowhere/connect-odbc.so\", which is not there",
                "Install the service anew");
        refuses("torn", folder, "cannot be used: ", "sudo apt install libodbc2");
        refuses("stale", *state, "version 0.0.1", "of one build");
        free(path);
        test_folder_remove(folder);
        (void) unsetenv("TERRAFUSION_MODULES");
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_prestate(test_what_is_missing, argv[1]),
                cmocka_unit_test_prestate(test_loads_once, argv[1]),
        };

        return argc == 2 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
