/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "basic/log.h"
#include "gateway/gateway.h"

const api_handler_t gateway_handlers[_COMMAND_MAX] = {
        [COMMAND_GATEWAY_STATUS] = do_gateway_status,
        [COMMAND_SYNC_SERVICE_START] = do_sync_service_start,
};

static void on_told(bool is_there, const Error *error, void *userdata) {
        if (is_there)
                log_event(LOG_INFO, MESSAGE_BUS, "Serves " GATEWAY_BUS_NAME " on the system bus.", NULL);
        else if (access("/run/dbus/system_bus_socket", F_OK) < 0 && !getenv("DBUS_SYSTEM_BUS_ADDRESS"))
                log_debug("%s", error->detail); /* a machine without one, or it comes later */
        else
                (void) log_error(MESSAGE_BUS, error,
                                 "The gateway is asked by HTTP and the private socket only");
}

/* The same again is no news: the bus is told of what differs. */
static void on_news(void *userdata) {
        Gateway *g = userdata;

        (void) bus_objects_put(over_bus_objects(g->bus), OBJECT_MANAGER, gateway_document(g));
}

int bus_open(Gateway *g, const char *runtime, Error *error) {
        _cleanup_free_ char *path = NULL;
        int fd = -EBADF, r;

        if (over_bus_new(g->event, &bus_gateway1, &g->api, &g->bus) < 0 ||
            asprintf(&path, "%s/gateway1.bus", runtime) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the bus");
        on_news(g);
        recovery_watch(g->recovery, on_news, g);
        over_bus_serve_system(g->bus, on_told, g);
        r = http_listen_unix(path, 0600, &fd, error);
        if (r < 0)
                return r;
        r = over_bus_serve_socket(g->bus, fd, error);
        if (r < 0)
                (void) close(fd);
        return r;
}
