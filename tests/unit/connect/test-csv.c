/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/csv.h"

static void option(Fixture *f, const char *name, const char *value) {
        assert_int_equal(json_object_set_new(f->system.options, name, json_string(value)), 0);
}

static void refuse(Fixture *f, const char *name, const char *value, const char *remedy) {
        Connection *c = NULL;

        option(f, name, value);
        assert_true(connection_open(&f->system, false, &c, &f->error) < 0);
        assert_null(c);
        assert_string_equal(f->error.file, "sync.yaml");
        assert_int_equal(f->error.line, 7);
        assert_error(f, ERROR_CONFIGURATION, name, remedy);
        assert_int_equal(json_object_del(f->system.options, name), 0);
}

static void refuses_wrong_systems(void **state) {
        Connection *c = NULL;
        Fixture f;

        fixture_init(&f, "csv", NULL);
        f.system.path = T("/nowhere/at/all");
        assert_true(connection_open(&f.system, false, &c, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_UNAVAILABLE, "/nowhere/at/all", "path:");
        f.system.path = f.folder;
        refuse(&f, "encoding", "ebcdic", "latin1");
        refuse(&f, "delimiter", "\"", "one character");
        refuse(&f, "delimiter", ";;", "one character");
        refuse(&f, "quote", "ab", "none");
        refuse(&f, "quote", "\n", "none");
        refuse(&f, "header", "perhaps", "header: true");
        refuse(&f, "columns", "id", "columns: [id, owner]");
        assert_int_equal(json_object_set_new(f.system.options, "columns", json_pack("[s]", "id")), 0);
        assert_true(connection_open(&f.system, false, &c, &f.error) < 0);
        assert_error(&f, ERROR_CONFIGURATION, "columns", "header: false");
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(refuses_wrong_systems),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
