/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"

#include <errno.h>
#include <time.h>

#include "api/command.h"
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "http/message.h"

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000U + (uint64_t) t.tv_nsec / 1000U;
}

static void fail(HttpRequest *q, const Error *e) {
        if (e->id == ERROR_UNAUTHENTICATED)
                http_reply_header(q, "WWW-Authenticate", "ApiKey");
        http_reply_problem(q, e);
}

/* "NAME;scopes", allocated. Without a key: "anonymous;open". */
static int identify(Gateway *g, HttpRequest *q, char **ret, Error *error) {
        const char *key = http_request_header(q, "X-API-Key"), *authorization = http_request_header(q, "Authorization");
        const char *name = "anonymous";
        _cleanup_free_ char *scopes_text = NULL;
        unsigned scopes = 1U << SCOPE_OPEN;
        int r;

        if (key || authorization) {
                r = keys_check(g->keys, key, authorization, http_request_peer(q), http_request_is_loopback(q), now_usec(), &name, &scopes, error);
                if (r < 0)
                        return r;
        }
        scopes_text = scopes_to_text(scopes);
        return scopes_text && asprintf(ret, "%s;%s", name, scopes_text) >= 0 ? 0 : -ENOMEM;
}

static void forward(Gateway *g, HttpRequest *q, const char *path) {
        _cleanup_free_ char *identity = NULL, *upstream = proxy_path(path);
        _cleanup_error_ Error e = {};
        int r;

        r = identify(g, q, &identity, &e);
        if (r >= 0 && upstream) {
                proxy_forward(g->proxy, q, upstream, identity);
                return;
        }
        if (e.id == ERROR_NONE)
                (void) error_set(&e, ERROR_OUT_OF_MEMORY, "Try again in a moment.", "There was no memory for the request");
        fail(q, &e);
}

static void live(HttpRequest *q) {
        json_auto_t *answer = json_pack("{s:s, s:o}", "status", "UP", "timestamp", json_timestamp(timestamp_now()));

        http_reply_json(q, answer ? 200 : 503, answer);
}

static bool method_allowed(HttpRequest *q, const char *allow) {
        _cleanup_error_ Error e = {};

        if (strstr(allow, http_request_method(q)))
                return true;
        http_reply_header(q, "Allow", allow);
        if (text_equal(http_request_method(q), "OPTIONS"))
                http_reply_text(q, 204, NULL, "");
        else {
                (void) error_set(&e, ERROR_METHOD_NOT_ALLOWED, "Use one of the methods in the Allow header.", "%s is not allowed at \"%.200s\"",
                                 http_request_method(q), http_request_path(q));
                http_reply_problem(q, &e);
        }
        return false;
}

void gateway_handle(HttpRequest *q, void *userdata) {
        Gateway *g = userdata;
        const char *path = http_request_path(q);
        _cleanup_error_ Error e = {};

        if (text_equal(path, "/api") || text_starts_with(path, "/api/")) {
                forward(g, q, path);
                return;
        }
        if (text_equal(path, "/status") || text_equal(path, "/start-syncservice")) {
                over_http_handle(q, g->over_http);
                return;
        }
        if (!method_allowed(q, "GET, HEAD"))
                return;
        if (text_equal(path, "/health/live"))
                live(q);
        else if (text_equal(path, "/health/ready") || text_equal(path, "/health/status"))
                forward(g, q, path);
        else if (!page_serve(q, path)) {
                (void) error_set(&e, ERROR_NOT_FOUND, "GET / lists what there is; the API is below /api/.", "There is nothing at \"%.200s\"", path);
                http_reply_problem(q, &e);
        }
}
