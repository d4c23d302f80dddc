/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "build-config.h"

#include "basic/json.h"
#include "basic/text.h"
#include "gateway/gateway.h"

#define READY_WAIT_USEC 10000000ULL
#define STATUS_WAIT_USEC 0ULL           /* /status tells what is, without waiting for a better answer */
#define UNIT "terrafusion-syncd.service"

typedef struct Asked {
        Gateway *gateway;
        HttpRequest *request;
        bool restart;
} Asked;

static Asked *asked_new(Gateway *gateway, HttpRequest *request, bool restart) {
        Asked *asked = calloc(1, sizeof(Asked));
        Error e = { .id = ERROR_OUT_OF_MEMORY };

        if (!asked) {
                http_reply_problem(request, &e);
                return NULL;
        }
        *asked = (Asked) { gateway, http_request_ref(request), restart };
        return asked;
}

static Asked *asked_free(Asked *asked) {
        (void) http_request_unref(asked->request);
        free(asked);
        return NULL;
}
DEFINE_CLEANUP(Asked, asked_free)

static void reply_start(HttpRequest *q, int status, const char *word, const char *message) {
        json_auto_t *answer = json_pack("{s:s, s:s}", "status", word, "message", message);

        http_reply_json(q, answer ? status : 503, answer);
}

static void on_started(int status, const char *body, void *userdata) {
        _cleanup_(asked_freep) Asked *asked = userdata;

        if (status == 200)
                reply_start(asked->request, 200, "started", "SyncService started successfully.");
        else
                reply_start(asked->request, 500, "error", "Failed to start SyncService. Check the logs for details.");
}

/* Through systemd where it is PID 1: the unit's own restart rules stay in charge. */
static int unit_start(Gateway *g, bool restart) {
        int r;

        if (!g->bus) {
                r = sd_bus_open_system(&g->bus);
                if (r < 0)
                        return r;
                r = sd_bus_attach_event(g->bus, g->event, SD_EVENT_PRIORITY_NORMAL);
                if (r < 0)
                        return r;
        }
        return sd_bus_call_method_async(g->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                        "org.freedesktop.systemd1.Manager", restart ? "RestartUnit" : "StartUnit", NULL, NULL,
                                        "ss", UNIT, "replace");
}

static void on_probed(int status, const char *body, void *userdata) {
        _cleanup_(asked_freep) Asked *asked = userdata;
        Gateway *g = asked->gateway;
        int r = 0;

        if (status == 200 && !asked->restart) {
                reply_start(asked->request, 200, "already running", "SyncService is already running.");
                return;
        }
        if (!g->standalone)
                r = unit_start(g, asked->restart);
        else if (standalone_is_running(g->standalone) && asked->restart)
                standalone_restart(g->standalone);
        else
                r = standalone_start(g->standalone);
        if (r < 0)
                reply_start(asked->request, 500, "error", "Failed to start SyncService. Check the logs for details.");
        else
                proxy_fetch(g->proxy, "/health/ready", READY_WAIT_USEC, on_started, TAKE_PTR(asked));
}

void recovery_start(Gateway *g, HttpRequest *request, bool restart) {
        Asked *asked = asked_new(g, request, restart);

        if (asked)
                proxy_fetch(g->proxy, "/health/live", STATUS_WAIT_USEC, on_probed, asked);
}

static void on_status(int status, const char *body, void *userdata) {
        _cleanup_(asked_freep) Asked *asked = userdata;
        const Standalone *s = asked->gateway->standalone;
        json_auto_t *answer = json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:i, s:s?}}",
                "gateway", "status", "running", "service", "terrafusion-sync-service-gateway", "version", PROJECT_VERSION,
                "syncservice", "status", status == 200 ? "running" : status ? "error" : "not running", "url", "http://localhost:8000",
                "restarts", s ? (int) standalone_n_restarts(s) : 0, "last_cause", s ? standalone_last_cause(s) : NULL);

        http_reply_json(asked->request, answer ? 200 : 503, answer);
}

void recovery_status(Gateway *g, HttpRequest *request) {
        Asked *asked = asked_new(g, request, false);

        if (asked)
                proxy_fetch(g->proxy, "/health/live", STATUS_WAIT_USEC, on_status, asked);
}
