/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "registry.h"

static void registry(void **state) {
        const char *const *kinds = connector_kinds();
        size_t n = 0;

        for (; kinds[n]; n++) {
                const Connector *connector = NULL;

                if (strcmp(kinds[n], "odbc") == 0 || strcmp(kinds[n], "ogr") == 0 || strcmp(kinds[n], "rest") == 0)
                        continue; /* modules: see test-odbc, integration/test_ogr.py, integration/test_rest.py */
                assert_int_equal(connector_load(kinds[n], &connector, NULL), 0);
                assert_ptr_equal(connector, connector_find(kinds[n]));
                assert_connector(connector, kinds[n]);
        }
        assert_int_equal(n, 7);
        assert_null(connector_find("kafka"));
        assert_null(connector_find(NULL));
        assert_string_equal(connector_name(), "terrafusion-worker");
        connector_name_set("terrafusion-worker 018f3c00-0000-7000-8000-000000000001");
        assert_string_equal(connector_name(), "terrafusion-worker 018f3c00-0000-7000-8000-000000000001");
}

static void refuses_by_name(void **state) {
        Connection *c = NULL;
        Fixture f;

        fixture_init(&f, "kafka", "create table t (x)");
        assert_true(connection_open(&f.system, false, &c, &f.error) < 0);
        assert_string_equal(f.error.file, "sync.yaml");
        assert_int_equal(f.error.line, 7);
        assert_error(&f, ERROR_NOT_YET, "\"kafka\" is not there yet", "sqlite");
        f.system.kind = T("odbc");
        assert_int_equal(setenv("TERRAFUSION_MODULES", "/nowhere", 1), 0);
        assert_true(connection_open(&f.system, false, &c, &f.error) < 0);
        assert_string_equal(f.error.file, "sync.yaml");
        assert_error(&f, ERROR_MODULE, "System \"pacs\": Systems of kind \"odbc\" need the module", "TERRAFUSION_MODULES");
        f.system.kind = T("sqlite");
        f.system.may_write = false;
        assert_true(connection_open(&f.system, true, &c, &f.error) < 0);
        assert_int_equal(f.error.line, 7);
        assert_error(&f, ERROR_SYSTEM_READ_ONLY, "access: read", "access: write");
        assert_null(c);
        assert_null(connection_close(NULL));
        assert_null(reader_close(NULL));
        assert_null(writer_close(NULL));
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(registry), cmocka_unit_test(refuses_by_name)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
