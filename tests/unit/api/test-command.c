/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "api/command.h"
#include "api/openapi.h"
#include "api/bus-message.h"
#include "basic/json.h"

static void test_rows(void **state) {
        for (CommandId i = 0; i < _COMMAND_MAX; i++) {
                _cleanup_free_ char *signature = command_bus_signature(commands + i, NULL);

                assert_non_null(commands[i].name);
                assert_non_null(commands[i].paths[0]);
                assert_non_null(signature);
                assert_int_equal(command_by_name(commands[i].name), i);
                assert_int_equal(command_by_member(commands[i].daemon, commands[i].member), i);
                assert_int_equal(commands[i].object == OBJECT_MANAGER, commands[i].object_member == NULL);
                if (commands[i].object_member) {
                        assert_int_equal(command_by_object_member(commands[i].daemon, commands[i].object, commands[i].object_member), i);
                        assert_non_null(command_path_arg(commands + i));
                }
                /* What is about one object stands on it, whoever adds the row. */
                assert_int_equal(commands[i].object == OBJECT_OPERATION, strstr(commands[i].paths[0], "/operations/{id}") != NULL);
                assert_int_equal(commands[i].object == OBJECT_PAIR, strstr(commands[i].paths[0], "/pairs/{name}") != NULL);
                assert_int_equal(commands[i].object == OBJECT_SYSTEM, strstr(commands[i].paths[0], "/systems/{name}") != NULL);
                for (CommandId k = 0; k < i; k++)
                        for (size_t a = 0; a < COMMAND_PATHS_MAX && commands[i].paths[a]; a++)
                                for (size_t b = 0; b < COMMAND_PATHS_MAX && commands[k].paths[b]; b++)
                                        assert_false(strcmp(commands[i].method, commands[k].method) == 0 &&
                                                     strcmp(commands[i].paths[a], commands[k].paths[b]) == 0);
        }
}

static void refused(CommandId id, const char *text, const char *field, const char *remedy) {
        json_auto_t *given = json_loads(text, 0, NULL), *args = NULL;
        _cleanup_error_ Error e = {};

        assert_non_null(given);
        assert_true(command_check_args(commands + id, given, &args, &e) < 0);
        assert_int_equal(e.id, ERROR_ARGUMENT);
        assert_string_equal(e.field, field);
        if (remedy)
                assert_string_equal(e.remedy, remedy);
}

static void test_arguments(void **state) {
        json_auto_t *given = json_loads("{\"status\": \"in_progress\", \"limit\": \"5\", \"kind\": null}", 0, NULL), *args = NULL;
        _cleanup_error_ Error e = {};

        assert_int_equal(command_check_args(commands + COMMAND_OPERATION_LIST, given, &args, &e), 0);
        assert_string_equal(json_member_text(args, "status"), "RUNNING");
        assert_int_equal(json_member_integer(args, "limit", 0), 5);
        assert_null(json_object_get(args, "kind"));
        refused(COMMAND_OPERATION_LIST, "{\"limitt\": 1}", "limitt", "Did you mean \"limit\"?");
        refused(COMMAND_OPERATION_LIST, "{\"limit\": 1001}", "limit", NULL);
        refused(COMMAND_OPERATION_LIST, "{\"status\": \"RUNING\"}", "status", "Did you mean \"RUNNING\"?");
        refused(COMMAND_SYNC_FULL, "{}", "sync_pair_id", NULL);
        refused(COMMAND_SYNC_FULL, "{\"sync_pair_id\": 5}", "sync_pair_id", NULL);
        refused(COMMAND_SYNC_FULL, "{\"sync_pair_id\": \"a\", \"entity_types\": [1]}", "entity_types", NULL);
}

static void test_scopes_and_document(void **state) {
        json_auto_t *document = NULL;

        assert_true(scopes_allow(scopes_from_text("operate"), SCOPE_READ));
        assert_false(scopes_allow(scopes_from_text("read,nonsense"), SCOPE_OPERATE));
        assert_true(scopes_allow(scopes_from_text("admin"), SCOPE_APPROVE));
        assert_int_equal(openapi_new("1", &document), 0);
        for (CommandId i = 0; i < _COMMAND_MAX; i++)
                assert_non_null(json_object_get(json_object_get(document, "paths"), commands[i].paths[0]));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_arguments), cmocka_unit_test(test_scopes_and_document) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
