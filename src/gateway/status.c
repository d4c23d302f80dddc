/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's own rows of the command table: its status, and the start of the sync service, with the original's members and words. */
#include <errno.h>

#include "build-config.h"

#include "basic/json.h"
#include "basic/log.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "gateway/gateway.h"

#define URL "http://localhost:8000"

typedef struct Asked {
        Gateway *gateway;
        ApiRequest *request;
        bool restart;
} Asked;

static Asked *asked_new(Gateway *gateway, ApiRequest *request, bool restart) {
        Asked *asked = calloc(1, sizeof(Asked));

        if (asked)
                *asked = (Asked) { gateway, api_request_ref(request), restart };
        return asked;
}

static Asked *asked_free(Asked *asked) {
        (void) api_request_unref(asked->request);
        free(asked);
        return NULL;
}
DEFINE_CLEANUP(Asked, asked_free)

static void reply_start(ApiRequest *q, int status, const char *word, const char *message, const Error *e) {
        json_t *answer = json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "status", word, "message", message, "detail", e ? e->detail : NULL,
                                        "remedy", e ? e->remedy : NULL, "code", e ? error_code(e->id) : NULL);

        api_request_reply_status(q, status, answer);
}

static void on_started(const Error *error, void *userdata) {
        _cleanup_(asked_freep) Asked *asked = userdata;

        if (!error)
                reply_start(asked->request, 200, "started", "SyncService started successfully.", NULL);
        else
                reply_start(asked->request, 500, "error", "Failed to start SyncService. Check the logs for details.", error);
}

static void on_probed(int status, const char *body, void *userdata) {
        _cleanup_(asked_freep) Asked *asked = userdata;
        Gateway *g = asked->gateway;

        if (status == 200 && !asked->restart)
                reply_start(asked->request, 200, "already running", "SyncService is already running.", NULL);
        else
                recovery_start(g->recovery, on_started, TAKE_PTR(asked));
}

/* Asking a socket starts it, so nobody is asked where it is known not to run. */
static bool may_ask(const RecoveryView *view) {
        return view->state != SYNCD_STOPPED && view->state != SYNCD_STOPPING && view->state != SYNCD_REFUSED && view->state != SYNCD_FAILED;
}

int do_sync_service_start(void *daemon, ApiRequest *request, Error *error) {
        Gateway *g = daemon;
        bool restart = json_member_true(api_request_args(request), "restart");
        Asked *asked = asked_new(g, request, restart);
        RecoveryView view;

        if (!asked)
                return error_set(error, ERROR_OUT_OF_MEMORY, "Try again in a moment.", "There was no memory for the request");
        log_event(LOG_NOTICE, MESSAGE_WRITE_REQUEST, restart ? "The sync service is asked to restart." : "The sync service is asked to start.",
                  "API_KEY_NAME", api_request_caller(request), "REQUEST_ID", api_request_id(request), NULL);
        recovery_view(g->recovery, &view);
        if (restart || !may_ask(&view) || view.state == SYNCD_IDLE)
                recovery_start(g->recovery, on_started, asked);
        else
                proxy_fetch(g->proxy, "/health/live", 0, on_probed, asked);
        return 0;
}

static const char *status_word(const RecoveryView *view, int status) {
        if (status == 200)
                return "running";
        if (status != 0)
                return "error";
        return view->state == SYNCD_RUNNING ? "not responding" : "not running";
}

static void on_status(int status, const char *body, void *userdata) {
        _cleanup_(asked_freep) Asked *asked = userdata;
        RecoveryView view;

        recovery_view(asked->gateway->recovery, &view);
        api_request_reply(asked->request, json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:i, s:o?, s:s?, s:s*, s:s*}}",
                "gateway", "status", "running", "service", "terrafusion-sync-service-gateway", "version", PROJECT_VERSION,
                "syncservice", "status", status_word(&view, status), "state", syncd_state_to_string(view.state), "url", URL,
                "restarts", (int) view.n_restarts, "last_restart", view.last_restart ? json_timestamp(view.last_restart) : NULL,
                "last_cause", view.last_cause, "reason", view.reason, "remedy", view.remedy));
}

int do_gateway_status(void *daemon, ApiRequest *request, Error *error) {
        Gateway *g = daemon;
        Asked *asked = asked_new(g, request, false);
        RecoveryView view;

        if (!asked)
                return error_set(error, ERROR_OUT_OF_MEMORY, "Try again in a moment.", "There was no memory for the request");
        recovery_view(g->recovery, &view);
        if (may_ask(&view))
                proxy_fetch(g->proxy, "/health/live", 0, on_status, asked);
        else
                on_status(0, "", asked);
        return 0;
}

json_t *gateway_document(const Gateway *g) {
        RecoveryView view;

        recovery_view(g->recovery, &view);
        return json_pack("{s:s, s:s, s:i, s:o?, s:s?}", "version", PROJECT_VERSION, "sync_service_status",
                         status_word(&view, view.state == SYNCD_RUNNING && !view.hangs ? 200 : 0), "restarts", (int) view.n_restarts,
                         "last_restart", view.last_restart ? json_timestamp(view.last_restart) : NULL, "last_cause", view.last_cause);
}
