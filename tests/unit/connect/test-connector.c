/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "model/system-kind.h"

static void registry(void **state) {
        const char *const *kinds = connector_kinds();
        size_t n = 0;

        for (; kinds[n]; n++) {
                const Connector *connector = connector_find(kinds[n]);

                assert_non_null(connector);
                assert_string_equal(connector->kind, kinds[n]);
                assert_non_null(connector->summary);
                assert_true(connector->capabilities & CONNECTOR_READS);
                /* What it says it can do is there. */
                assert_non_null(connector->reader_open);
                assert_int_equal(!!(connector->capabilities & CONNECTOR_WRITES),
                                 connector->writer_open != NULL);
                assert_int_equal(!!(connector->capabilities & CONNECTOR_TRANSACTS),
                                 connector->begin && connector->commit && connector->rollback);
                assert_int_equal(!!(connector->strategies & DETECT_BIT(DETECT_WATERMARK)),
                                 connector->horizon != NULL);
                assert_int_equal(!!(connector->strategies & DETECT_BIT(DETECT_FILE)),
                                 connector->content_digest != NULL);
                assert_int_equal(!!(connector->strategies & DETECT_BIT(DETECT_DIGEST)),
                                 connector->ranges_plan && connector->ranges_sum && connector->reader_range);
                assert_true(connector->strategies & DETECT_BIT(DETECT_FULL));
                assert_true(connector->strategies & DETECT_BIT(connector->default_strategy));
                /* The daemons, which have no connectors, know the same of it. */
                assert_non_null(system_kind_find(kinds[n]));
                assert_int_equal(system_kind_find(kinds[n])->strategies, connector->strategies);
                assert_int_equal(system_kind_find(kinds[n])->default_strategy, connector->default_strategy);
                assert_int_equal(!!(connector->capabilities & CONNECTOR_RESUMES),
                                 connector->reader_position && connector->reader_resumed);
        }
        assert_int_equal(n, 3);
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
