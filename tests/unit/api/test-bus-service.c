/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "api/bus-service.h"
#include "basic/text.h"

static void test_paths(void **state) {
        _cleanup_free_ char *manager = bus_object_path(&bus_sync1, OBJECT_MANAGER, NULL),
                            *folder = bus_object_path(&bus_sync1, OBJECT_PAIR, NULL),
                            *pair = bus_object_path(&bus_sync1, OBJECT_PAIR, "pacs_to_cama");

        assert_string_equal(manager, "/org/terrafusion/Sync1");
        assert_string_equal(folder, "/org/terrafusion/Sync1/pair");
        assert_string_equal(pair, "/org/terrafusion/Sync1/pair/pacs_5fto_5fcama");
}

static void test_properties_have_types_and_summaries(void **state) {
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                for (const Field *f = bus_sync1.objects[kind].fields; f && f->type != FIELD_NONE; f++)
                        assert_true(f->summary && strlen(f->summary) > 0);
        assert_string_equal(bus_property_field(bus_sync1.objects + OBJECT_OPERATION, "SyncPairId")->name, "sync_pair_id");
        assert_null(bus_property_field(bus_sync1.objects + OBJECT_OPERATION, "sync_pair_id"));
}

static bool prints(const char *text, const char *part) {
        if (!strstr(text, part))
                fprintf(stderr, "missing: %s\n", part);
        return strstr(text, part);
}

static void test_introspection(void **state) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        assert_int_equal(bus_service_print(&bus_sync1, f), 0);
        assert_int_equal(fclose(f), 0);
        assert_true(prints(text, "  <method name=\"StartOperation\">\n   <arg type=\"s\" name=\"sync_pair_id\" direction=\"in\"/>\n"
                                 "   <arg type=\"s\" name=\"kind\" direction=\"in\"/>\n   <arg type=\"a{sv}\" name=\"options\" direction=\"in\"/>\n"
                                 "   <arg type=\"o\" name=\"operation\" direction=\"out\"/>\n"));
        assert_true(prints(text, "<interface name=\"org.terrafusion.Sync1.Operation\">\n  <method name=\"Get\">\n   <arg type=\"s\" name=\"result\" direction=\"out\"/>"));
        assert_true(prints(text, "<property name=\"Status\" type=\"s\" access=\"read\">"));
        assert_true(prints(text, "<signal name=\"OperationStarted\">\n   <arg type=\"o\" name=\"operation\"/>\n   <arg type=\"s\" name=\"sync_pair_id\"/>"));
        for (CommandId id = 0; id < _COMMAND_MAX; id++) {
                _cleanup_free_ char *part = NULL;

                assert_true(asprintf(&part, "<method name=\"%s\">", commands[id].member) > 0);
                assert_true(commands[id].daemon != DAEMON_SYNCD || prints(text, part));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths), cmocka_unit_test(test_properties_have_types_and_summaries), cmocka_unit_test(test_introspection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
