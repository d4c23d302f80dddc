/* SPDX-License-Identifier: Apache-2.0 */
#include "build-config.h"

#include "ctl/client.h"

#include "api/bus-message.h"
#include "api/bus-service.h"
#include "basic/json.h"
#include "basic/text.h"

#include <errno.h>
#include <unistd.h>

#define CALL_TIMEOUT_USEC (30 * 1000000ULL)

static int client_open_system(sd_bus **ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return r;
        r = sd_bus_get_name_creds(bus, BUS_NAME, 0, NULL);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

static int client_open_socket(sd_bus **ret) {
        const char *folder = getenv("RUNTIME_DIRECTORY");
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *address = NULL;
        int r;

        if (asprintf(&address, "unix:path=%s/sync1.bus", folder ? folder : "/run/terrafusion") < 0)
                return -ENOMEM;
        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, address);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

int client_open(Client *c, Error *error) {
        int r;

        r = client_open_system(&c->bus);
        if (r < 0)
                r = client_open_socket(&c->bus);
        if (r == -EACCES || r == -EPERM)
                return error_set(error, ERROR_FORBIDDEN, "Use sudo.", "The sync service's socket is for root and the user terrafusion only");
        if (r < 0)
                return error_set(error, ERROR_NOT_CONNECTED,
                                 access("/run/systemd/system", F_OK) == 0
                                         ? "Start it: systemctl start terrafusion.target; curl localhost:5000/status says why it does not run."
                                         : "See why: curl localhost:5000/status; or start it, as the user terrafusion: " LIBEXECDIR
                                           "/terrafusion-gateway --standalone.",
                                 "The sync service does not answer on D-Bus: %s", strerror(-r));
        (void) sd_bus_set_method_call_timeout(c->bus, CALL_TIMEOUT_USEC);
        (void) sd_bus_set_allow_interactive_authorization(c->bus, true);
        return 0;
}

void client_done(Client *c) {
        c->bus = sd_bus_flush_close_unref(c->bus);
}

/* The name tells the row, the text is "detail. remedy" already. */
static int client_error(const sd_bus_error *problem, int r, Error *error) {
        for (int id = ERROR_NONE + 1; id < _ERROR_ID_MAX; id++)
                if (text_equal(problem->name, error_dbus_name((ErrorId) id)))
                        return error_set(error, (ErrorId) id, NULL, "%s", problem->message ? problem->message : error_title((ErrorId) id));
        return error_set(error, ERROR_NOT_CONNECTED, "Look whether the sync service runs: systemctl status terrafusion-syncd.",
                         "The sync service did not answer: %s", problem->message ? problem->message : strerror(-r));
}

/* An operation that was started comes as its object's path: its document is asked for. */
static int client_started(Client *c, sd_bus_message *reply, json_t **ret, Error *error) {
        _cleanup_free_ char *prefix = bus_object_path(&bus_sync1, OBJECT_OPERATION, NULL), *id = NULL;
        json_auto_t *args = NULL;
        const char *path;

        if (!prefix)
                return -ENOMEM;
        if (sd_bus_message_read(reply, "o", &path) < 0 || sd_bus_path_decode(path, prefix, &id) <= 0)
                return error_set(error, ERROR_INTERNAL, NULL, "The service did not tell which operation it started");
        args = json_pack("{s:s}", "id", id);
        return client_call(c, COMMAND_OPERATION_SHOW, args, ret, error);
}

int client_call(Client *c, CommandId id, const json_t *args, json_t **ret, Error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error problem = SD_BUS_ERROR_NULL;
        json_auto_t *none = json_object(), *checked = NULL;
        const char *text;
        int r;

        if (!c->bus)
                return error_set(error, ERROR_NOT_CONNECTED, NULL, "The sync service does not answer on D-Bus");
        r = command_check_args(commands + id, args ? args : none, &checked, error);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(c->bus, &call, BUS_NAME, BUS_PATH, BUS_INTERFACE, commands[id].member);
        if (r >= 0)
                r = command_bus_append(commands + id, checked, call);
        if (r < 0)
                return error_set(error, error_from_errno(r), NULL, "Could not make the call %s: %s", commands[id].member, strerror(-r));
        r = sd_bus_call(c->bus, call, 0, &problem, &reply);
        if (r < 0)
                return client_error(&problem, r, error);
        if (commands[id].result == RESULT_OPERATION)
                return client_started(c, reply, ret, error);
        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return error_set(error, ERROR_INTERNAL, NULL, "The answer of %s cannot be read: %s", commands[id].member, strerror(-r));
        return json_parse(text, strlen(text), ret, error);
}
