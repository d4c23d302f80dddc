/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include <sys/wait.h>
#include "api/over-bus.h"
#include "http/server.h"

static int answer(void *daemon, ApiRequest *q, Error *error) {
        if (api_request_command_id(q) == COMMAND_OPERATION_SHOW)
                return error_set(error, ERROR_NOT_FOUND, "List them.", "There is no \"%s\"", api_request_text(q, "id"));
        if (api_request_command(q)->result == RESULT_OPERATION)
                api_request_reply(q, json_pack("{s:s}", "id", api_request_text(q, "kind")));
        else
                api_request_reply(q, json_deep_copy(api_request_args(q)));
        return 0;
}

static int on_end(sd_event_source *source, const siginfo_t *info, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), info->si_code == CLD_EXITED ? info->si_status : 99);
}

/* The client, in a process of its own: 0 where all answers are right. */
static int client(const char *address) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL;
        const char *text = "", *path = "";
        sd_bus *bus = NULL;

        if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 || sd_bus_start(bus) < 0)
                return 1;
        if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_INTERFACE, "ListOperations", &e, &m, "a{sv}", 2, "status", "s", "running",
                               "limit", "i", 3) < 0 || sd_bus_message_read(m, "s", &text) < 0)
                return 2;
        if (strcmp(text, "{\"status\":\"RUNNING\",\"limit\":3}") != 0)
                return 3;
        m = sd_bus_message_unref(m);
        if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_INTERFACE, "GetOperation", &e, &m, "s", "abc") >= 0)
                return 4;
        if (strcmp(e.name, "org.terrafusion.Error.NotFound") != 0 || strcmp(e.message, "There is no \"abc\". List them.") != 0)
                return 5;
        sd_bus_error_free(&e);
        if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_INTERFACE, "StartOperation", &e, &m, "ssa{sv}", "pacs_to_cama", "FULL", 0) < 0 ||
            sd_bus_message_read(m, "o", &path) < 0 || strcmp(path, BUS_PATH "/operation/full") != 0)
                return 6;
        m = sd_bus_message_unref(m);
        if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH "/pair/pacs_5fto_5fcama", "org.terrafusion.Sync1.Pair", "Get", &e, &m, "") < 0 ||
            sd_bus_message_read(m, "s", &text) < 0 || strcmp(text, "{\"name\":\"pacs_to_cama\"}") != 0)
                return 7;
        m = sd_bus_message_unref(m);
        if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH "/pair/other", "org.terrafusion.Sync1.Pair", "Get", &e, &m, "") >= 0)
                return 8;
        sd_bus_error_free(&e);
        if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_INTERFACE, "StartOperation", &e, &m, "ssa{sv}", "pacs_to_cama", "fulll", 0) >= 0 ||
            strcmp(e.name, "org.terrafusion.Error.Argument") != 0 || !strstr(e.message, "Did you mean \"full\"?"))
                return 9;
        sd_bus_error_free(&e);
        bus = sd_bus_flush_close_unref(bus);
        return 0;
}

static void test_private_bus(void **state) {
        _cleanup_free_ char *path = NULL, *address = NULL;
        char *folder = test_folder_new();
        api_handler_t handlers[_COMMAND_MAX];
        Api api = { handlers, NULL };
        OverBus *over = NULL;
        sd_event *event = NULL;
        sigset_t set;
        pid_t pid;
        int fd;

        for (size_t i = 0; i < _COMMAND_MAX; i++)
                handlers[i] = answer;
        assert_true(asprintf(&path, "%s/bus", folder) > 0 && asprintf(&address, "unix:path=%s", path) > 0);
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        assert_int_equal(sd_event_new(&event), 0);
        assert_int_equal(http_listen_unix(path, 0600, &fd, NULL), 0);
        assert_int_equal(over_bus_new(event, &bus_sync1, &api, &over), 0);
        assert_int_equal(bus_objects_put(over_bus_objects(over), OBJECT_PAIR, json_pack("{s:s}", "name", "pacs_to_cama")), 0);
        assert_int_equal(over_bus_serve_socket(over, fd, NULL), 0);
        pid = fork();
        if (pid == 0)
                _exit(client(address));
        assert_true(sd_event_add_child(event, NULL, pid, WEXITED, on_end, NULL) >= 0);
        assert_int_equal(sd_event_loop(event), 0);
        (void) over_bus_free(over);
        (void) sd_event_unref(event);
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_private_bus) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
