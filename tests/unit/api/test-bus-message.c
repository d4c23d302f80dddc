/* SPDX-License-Identifier: Apache-2.0 */
#include "bus-pair.h"
#include "api/bus-message.h"
#include "basic/json.h"

static sd_bus_message *message_new(BusPair *pair) {
        sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(pair->client, &m, "a.b", "/a", "a.b", "C") >= 0);
        return m;
}

static void signature_is(CommandId id, bool is_bound, const char *wanted) {
        _cleanup_free_ char *signature = command_bus_signature(commands + id, is_bound ? command_path_arg(commands + id) : NULL);

        assert_string_equal(signature, wanted);
}

static void test_signatures(void **state) {
        signature_is(COMMAND_OPERATION_START, false, "ssa{sv}");
        signature_is(COMMAND_OPERATION_CANCEL, false, "s");
        signature_is(COMMAND_OPERATION_CANCEL, true, "");
        signature_is(COMMAND_OPERATION_FINDINGS, true, "a{sv}");
        signature_is(COMMAND_ROOT, false, "");
}

/* Appended, sent, read: the same again. */
static void goes_through(BusPair *pair, CommandId id, const char *given, const char *wanted) {
        json_auto_t *args = json_loads(given, 0, NULL), *read = NULL, *expected = json_loads(wanted, 0, NULL);
        sd_bus_message *m = message_new(pair);

        assert_true(command_bus_append(commands + id, args, m) >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_int_equal(command_bus_read(commands + id, NULL, m, &read), 0);
        assert_true(json_equal(read, expected));
        (void) sd_bus_message_unref(m);
}

static void test_arguments(void **state) {
        BusPair pair = {};

        bus_pair_open(&pair);
        bus_pair_start(&pair);
        goes_through(&pair, COMMAND_OPERATION_START, "{\"sync_pair_id\": \"a\", \"kind\": \"FULL\", \"entity_types\": \"x,y\", \"hours\": \"5\"}",
                     "{\"sync_pair_id\": \"a\", \"kind\": \"full\", \"entity_types\": [\"x\", \"y\"], \"hours\": 5}");
        goes_through(&pair, COMMAND_OPERATION_START, "{\"sync_pair_id\": \"a\"}", "{\"sync_pair_id\": \"a\"}");
        goes_through(&pair, COMMAND_OPERATION_START, "{\"sync_pair_id\": \"a\", \"params\": {\"b\": [1]}}",
                     "{\"sync_pair_id\": \"a\", \"params\": \"{\\\"b\\\":[1]}\"}");
        bus_pair_close(&pair);
}

static void test_wrong_types_are_no_arguments(void **state) {
        json_auto_t *read = NULL;
        BusPair pair = {};
        sd_bus_message *m;

        bus_pair_open(&pair);
        bus_pair_start(&pair);
        m = message_new(&pair);
        assert_true(sd_bus_message_append(m, "ad", 1, 1.0) >= 0 && sd_bus_message_seal(m, 1, 0) >= 0);
        assert_int_equal(command_bus_read(commands + COMMAND_OPERATION_CANCEL, NULL, m, &read), -EINVAL);
        m = sd_bus_message_unref(m);
        m = message_new(&pair);         /* too few */
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(command_bus_read(commands + COMMAND_OPERATION_CANCEL, NULL, m, &read) < 0);
        m = sd_bus_message_unref(m);
        m = message_new(&pair);         /* larger than a number of ours: judged later, never wrapped */
        assert_true(sd_bus_message_append(m, "a{sv}", 1, "limit", "t", UINT64_MAX) >= 0 && sd_bus_message_seal(m, 1, 0) >= 0);
        assert_int_equal(command_bus_read(commands + COMMAND_OPERATION_LIST, NULL, m, &read), 0);
        assert_string_equal(json_member_text(read, "limit"), "too large");
        m = sd_bus_message_unref(m);
        bus_pair_close(&pair);
}

static void test_properties(void **state) {
        static const Field fields[] = {
                {"name", FIELD_TEXT}, {"n", FIELD_INTEGER}, {"rate", FIELD_NUMBER}, {"at", FIELD_TIMESTAMP}, {"is", FIELD_BOOLEAN},
                {"names", FIELD_TEXTS}, {"error", FIELD_OBJECT}, {"rows", FIELD_ARRAY}, {},
        };
        json_auto_t *document = json_loads("{\"name\": null, \"n\": 7, \"at\": \"1970-01-01T00:00:01Z\", \"is\": true, \"names\": [\"a\"],"
                                           "\"error\": {\"code\": \"TF\", \"line\": 3, \"none\": null}, \"rows\": [{\"ok\": false}]}", 0, NULL);
        const char *name, *code, *key, *one;
        uint64_t at;
        int64_t n, line;
        BusPair pair = {};
        sd_bus_message *m;
        double rate;
        int is, ok;

        bus_pair_open(&pair);
        bus_pair_start(&pair);
        m = message_new(&pair);
        for (const Field *f = fields; f->type != FIELD_NONE; f++)
                assert_true(field_bus_append(f, document, m) >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_string_equal(sd_bus_message_get_signature(m, 1), "sxdtbasa{sv}av");
        assert_true(sd_bus_message_read(m, "sxdtb", &name, &n, &rate, &at, &is) > 0);
        assert_string_equal(name, "");
        assert_int_equal(n, 7);
        assert_true(rate < 0);
        assert_int_equal(at, 1000000);
        assert_true(is);
        assert_true(sd_bus_message_read(m, "as", 1, &one) > 0);
        assert_true(sd_bus_message_read(m, "a{sv}", 2, &key, "s", &code, &key, "x", &line) > 0);
        assert_string_equal(code, "TF");
        assert_int_equal(line, 3);
        assert_true(sd_bus_message_read(m, "av", 1, "a{sv}", 1, &key, "b", &ok) > 0);
        assert_false(ok);
        (void) sd_bus_message_unref(m);
        bus_pair_close(&pair);
}

static void test_names(void **state) {
        _cleanup_free_ char *a = field_bus_name("sync_pair_id"), *b = field_bus_name("id");

        assert_string_equal(a, "SyncPairId");
        assert_string_equal(b, "Id");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_signatures), cmocka_unit_test(test_arguments), cmocka_unit_test(test_wrong_types_are_no_arguments),
                cmocka_unit_test(test_properties), cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
