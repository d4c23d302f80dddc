/* SPDX-License-Identifier: Apache-2.0 */
#include "bus-pair.h"
#include "api/bus-object.h"

typedef struct Seen { unsigned n_added, n_removed, n_changed, n_signals; char *changed; } Seen;

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Seen *seen = userdata;

        if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded"))
                seen->n_added++;
        else if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved"))
                seen->n_removed++;
        else if (sd_bus_message_is_signal(m, BUS_INTERFACE, "OperationStarted"))
                seen->n_signals++;
        else if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Properties", "PropertiesChanged")) {
                const char *name;

                seen->n_changed++;
                assert_true(sd_bus_message_skip(m, "s") > 0 && sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
                while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                        char *longer = NULL;

                        assert_true(sd_bus_message_read(m, "s", &name) > 0 && sd_bus_message_skip(m, "v") > 0);
                        assert_true(asprintf(&longer, "%s%s ", seen->changed ? seen->changed : "", name) > 0);
                        free(seen->changed);
                        seen->changed = longer;
                        assert_true(sd_bus_message_exit_container(m) > 0);
                }
        }
        return 0;
}

static int on_method(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusObject *object = userdata;

        return sd_bus_reply_method_return(m, "s", bus_object_id(object) ? bus_object_id(object) : "");
}

static json_t *operation(const char *id, const char *status, int n) {
        return json_pack("{s:s, s:s, s:i, s:s}", "id", id, "status", status, "records_processed", n, "sync_pair_id", "p");
}

/* A call and its answer in one process need turns. */
static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus_message **ret = userdata;

        *ret = sd_bus_message_ref(m);
        return 0;
}

static sd_bus_message *ask(BusPair *pair, const char *path, const char *interface, const char *member, const char *types, const char *a, const char *b) {
        sd_bus_message *answer = NULL;

        assert_true(sd_bus_call_method_async(pair->client, NULL, NULL, path, interface, member, on_answer, &answer, types, a, b) >= 0);
        for (unsigned i = 0; i < 100 && !answer; i++)
                bus_pair_pump(pair);
        assert_non_null(answer);
        return answer;
}

static void test_objects(void **state) {
        const char *path = BUS_PATH "/operation/abc", *status = "";
        _cleanup_(bus_objects_freep) BusObjects *objects = NULL;
        sd_bus_message *m;
        BusPair pair = {};
        Seen seen = {};
        uint64_t since;

        assert_int_equal(bus_objects_new(&bus_sync1, on_method, &pair, &objects), 0);
        bus_pair_open(&pair);
        assert_int_equal(bus_objects_join(objects, pair.server), 0);
        assert_true(sd_bus_add_filter(pair.client, NULL, on_signal, &seen) >= 0);
        bus_pair_start(&pair);
        assert_int_equal(bus_objects_put(objects, OBJECT_OPERATION, operation("abc", "RUNNING", 1)), 0);
        bus_pair_pump(&pair);
        assert_int_equal(seen.n_added, 1);
        assert_int_equal(bus_objects_put(objects, OBJECT_OPERATION, operation("abc", "RUNNING", 1)), 0);
        bus_pair_pump(&pair);
        assert_int_equal(seen.n_changed, 0);    /* the same again is no news */
        since = bus_objects_now(objects);
        assert_int_equal(bus_objects_put(objects, OBJECT_OPERATION, operation("abc", "COMPLETED", 9)), 0);
        bus_pair_pump(&pair);
        assert_int_equal(seen.n_changed, 1);
        assert_string_equal(seen.changed, "Status RecordsProcessed ");

        m = ask(&pair, path, "org.freedesktop.DBus.Properties", "Get", "ss", "org.terrafusion.Sync1.Operation", "Status");
        assert_true(sd_bus_message_read(m, "v", "s", &status) > 0);
        assert_string_equal(status, "COMPLETED");
        m = sd_bus_message_unref(m);
        m = ask(&pair, path, "org.terrafusion.Sync1.Operation", "Get", NULL, NULL, NULL);
        assert_true(sd_bus_message_read(m, "s", &status) > 0);
        assert_string_equal(status, "abc");
        m = sd_bus_message_unref(m);
        m = ask(&pair, BUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, NULL, NULL);
        assert_string_equal(sd_bus_message_get_signature(m, 1), "a{oa{sa{sv}}}");
        assert_true(sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}") > 0 && sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}") > 0);
        assert_true(sd_bus_message_read(m, "o", &status) > 0);
        assert_string_equal(status, path);
        m = sd_bus_message_unref(m);

        bus_objects_signal(objects, "OperationStarted", "oss", path, "p", "full");
        bus_objects_tell(objects, pair.server, since);
        bus_objects_tell(objects, pair.server, bus_objects_now(objects));
        bus_pair_pump(&pair);
        assert_int_equal(seen.n_signals, 1);
        assert_int_equal(seen.n_added, 2);
        assert_true(bus_objects_put(objects, OBJECT_PAIR, json_pack("{s:s}", "status", "x")) < 0);      /* no name */
        bus_objects_drop(objects, OBJECT_OPERATION, "abc");
        bus_objects_drop(objects, OBJECT_OPERATION, "abc");
        bus_pair_pump(&pair);
        assert_int_equal(seen.n_removed, 1);
        m = ask(&pair, path, "org.terrafusion.Sync1.Operation", "Get", NULL, NULL, NULL);
        assert_true(sd_bus_message_is_method_error(m, NULL) > 0);
        m = sd_bus_message_unref(m);
        bus_objects_leave(objects, pair.server);
        bus_pair_close(&pair);
        free(seen.changed);
}

static void test_keep(void **state) {
        _cleanup_(bus_objects_freep) BusObjects *objects = NULL;
        json_auto_t *kept = json_pack("[s]", "b");
        BusPair pair = {};
        Seen seen = {};

        assert_int_equal(bus_objects_new(&bus_sync1, on_method, NULL, &objects), 0);
        bus_pair_open(&pair);
        assert_int_equal(bus_objects_join(objects, pair.server), 0);
        assert_true(sd_bus_add_filter(pair.client, NULL, on_signal, &seen) >= 0);
        bus_pair_start(&pair);
        assert_int_equal(bus_objects_put(objects, OBJECT_PAIR, json_pack("{s:s}", "name", "a")), 0);
        assert_int_equal(bus_objects_put(objects, OBJECT_PAIR, json_pack("{s:s}", "name", "b")), 0);
        assert_int_equal(bus_objects_put(objects, OBJECT_SYSTEM, json_pack("{s:s}", "name", "a")), 0);
        bus_objects_keep(objects, OBJECT_PAIR, kept);
        bus_pair_pump(&pair);
        assert_int_equal(seen.n_added, 3);
        assert_int_equal(seen.n_removed, 1);
        bus_objects_leave(objects, pair.server);
        bus_pair_close(&pair);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_objects), cmocka_unit_test(test_keep) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
