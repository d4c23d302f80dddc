/* SPDX-License-Identifier: Apache-2.0 */
#include "build-config.h"

#include "api/over-http.h"
#include "api/openapi.h"

#include <errno.h>
#include <strings.h>
#include <time.h>

#include "basic/json.h"
#include "basic/text.h"
#include "http/message.h"
#include "http/router.h"

struct OverHttp {
        const Api *api;
        Keys *keys;
        Router *router;
};

int over_http_new(const Api *api, Keys *keys, OverHttp **ret) {
        _cleanup_(over_http_freep) OverHttp *over = calloc(1, sizeof(OverHttp));
        int r;

        if (!over)
                return -ENOMEM;
        over->api = api;
        over->keys = keys;
        r = router_new(&over->router);
        if (r < 0)
                return r;
        for (unsigned id = 0; id < _COMMAND_MAX; id++)
                for (size_t i = 0; commands[id].daemon == api->kind && i < COMMAND_PATHS_MAX && commands[id].paths[i]; i++) {
                        r = router_add(over->router, commands[id].method, commands[id].paths[i], id);
                        if (r >= 0 && commands[id].also)
                                r = router_add(over->router, commands[id].also, commands[id].paths[i], id);
                        if (r < 0)
                                return r;
                }
        *ret = TAKE_PTR(over);
        return 0;
}

OverHttp *over_http_free(OverHttp *over) {
        if (!over)
                return NULL;
        (void) router_free(over->router);
        free(over);
        return NULL;
}

static void face_header(void *transport, const char *name, const char *value) {
        http_reply_header(transport, name, value);
}

static void face_answer(void *transport, int status, const char *content_type, const json_t *value, const char *text) {
        if (value)
                http_reply_json(transport, status, value);
        else
                http_reply_text(transport, status, content_type, text);
}

static void face_fail(void *transport, const Error *error) {
        if (error->id == ERROR_UNAUTHENTICATED)
                http_reply_header(transport, "WWW-Authenticate", "ApiKey");
        http_reply_problem(transport, error);
}

static void face_release(void *transport) {
        (void) http_request_unref(transport);
}

static const ApiFace face = { face_header, face_answer, face_fail, face_release };

static uint64_t now_monotonic(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000U + (uint64_t) t.tv_nsec / 1000U;
}

/* ret_name is allocated. A command that is open needs no key; a wrong one is then as good as none. */
static int identify(OverHttp *over, HttpRequest *q, Scope scope, char **ret_name, unsigned *ret_scopes, Error *error) {
        const char *identity = http_request_header(q, IDENTITY_HEADER), *semicolon, *name = "anonymous";
        uid_t uid;
        int r;

        *ret_scopes = 1U << SCOPE_OPEN;
        if (http_request_peer_uid(q, &uid) && (uid == 0 || uid == geteuid()) && identity) {
                semicolon = strchr(identity, ';');
                *ret_scopes = scopes_from_text(semicolon ? semicolon + 1 : "");
                *ret_name = strndup(identity, semicolon ? (size_t) (semicolon - identity) : strlen(identity));
                if (!scopes_allow(*ret_scopes, scope) && strncmp(identity, "anonymous", 9) == 0)
                        return error_set(error, ERROR_UNAUTHENTICATED, "Send your key in the header X-API-Key.", "Invalid API key");
                return *ret_name ? 0 : -ENOMEM;
        }
        if (scope != SCOPE_OPEN) {
                r = keys_check(over->keys, http_request_header(q, "X-API-Key"), http_request_header(q, "Authorization"),
                               http_request_peer(q), http_request_is_loopback(q), now_monotonic(), &name, ret_scopes, error);
                if (r < 0)
                        return r;
        } else if ((http_request_header(q, "X-API-Key") || http_request_header(q, "Authorization")) &&
                   keys_check(over->keys, http_request_header(q, "X-API-Key"), http_request_header(q, "Authorization"),
                              http_request_peer(q), http_request_is_loopback(q), now_monotonic(), &name, ret_scopes, NULL) < 0) {
                name = "anonymous";     /* what is open tells more to a good key, and no less to a wrong one */
                *ret_scopes = 1U << SCOPE_OPEN;
        }
        *ret_name = strdup(name);
        return *ret_name ? 0 : -ENOMEM;
}

static int merge(json_t *args, const json_t *more, const Command *command, ArgPlace place, Error *error) {
        const char *name;
        json_t *value;
        int r;

        json_object_foreach((json_t *) more, name, value) {
                const Arg *arg = command_arg(command, name);

                if (json_object_get(args, name) || (arg && arg->place != place)) {
                        r = error_set(error, ERROR_ARGUMENT, place == ARG_QUERY ? "Take it out of the query." : "Take it out of the body.",
                                      "\"%.80s\" does not belong here", name);
                        (void) error_field(error, name);
                        return r;
                }
                r = json_put(args, name, json_incref(value));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_body(HttpRequest *q, const Command *command, json_t *args, Error *error) {
        const char *type = http_request_header(q, "Content-Type");
        json_auto_t *body = NULL;
        const char *bytes;
        size_t size;
        int r;

        bytes = http_request_body(q, &size);
        if (size == 0)
                return 0;
        if (type && strncasecmp(type, "application/json", 16) != 0)
                return error_set(error, ERROR_MEDIA_TYPE, "Send JSON with Content-Type: application/json.",
                                 "\"%.80s\" is not understood here", type);
        r = json_parse(bytes, size, &body, error);
        if (r < 0)
                return r;
        if (!json_is_object(body))
                return error_set(error, ERROR_BAD_REQUEST, "Send an object: {\"name\": value}.", "The body is no JSON object");
        return merge(args, body, command, ARG_BODY, error);
}

static int handle(OverHttp *over, HttpRequest *q, CommandId id, json_t *args, Error *error) {
        const Command *command = commands + id;
        json_auto_t *query = NULL;
        _cleanup_free_ char *name = NULL;
        ApiCaller caller = { .via = "http", .request_id = http_request_id(q), .path = http_request_path(q),
                             .idempotency_key = http_request_header(q, "Idempotency-Key") };
        int r;

        r = identify(over, q, command->scope, &name, &caller.scopes, error);
        if (r >= 0)
                r = http_query_parse(http_request_query(q), &query, error);
        if (r >= 0)
                r = merge(args, query, command, ARG_QUERY, error);
        if (r >= 0)
                r = read_body(q, command, args, error);
        if (r < 0)
                return r;
        caller.name = name;
        api_call(over->api, id, args, &caller, &face, http_request_ref(q));
        return 0;
}

/* The host as the asker wrote it, without its port; "localhost" where it is no plain name or address. */
static const char *host_of(const HttpRequest *q, size_t *ret_size) {
        const char *host = http_request_header(q, "Host") ?: "";
        size_t size = strspn(host, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-");

        if (size == 0 || (host[size] != '\0' && host[size] != ':')) {
                host = "localhost";
                size = strlen(host);
        }
        *ret_size = size;
        return host;
}

/* The original served its pages on this port; they are the gateway's now. 1: answered, 0: it is none of them. */
static int page_reply(HttpRequest *q) {
        static const char *const pages[][2] = {
                { "/docs", "/api-docs" }, { "/dashboard", "/dashboard" }, { "/dashboard/", "/dashboard" },
        };
        json_auto_t *openapi = NULL;
        int r;

        if (!text_equal(http_request_method(q), "GET") && !text_equal(http_request_method(q), "HEAD"))
                return 0;
        if (text_equal(http_request_path(q), "/openapi.json")) {
                r = openapi_new(PROJECT_VERSION, &openapi);
                if (r < 0)
                        return r;
                http_reply_json(q, 200, openapi);
                return 1;
        }
        for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
                _cleanup_free_ char *location = NULL;
                size_t size;
                const char *host;

                if (!text_equal(http_request_path(q), pages[i][0]))
                        continue;
                host = host_of(q, &size);
                if (asprintf(&location, "http://%.*s:5000%s", (int) size, host, pages[i][1]) < 0)
                        return -ENOMEM;
                http_reply_redirect(q, location);
                return 1;
        }
        return 0;
}

void over_http_handle(HttpRequest *q, void *userdata) {
        OverHttp *over = userdata;
        json_auto_t *args = NULL;
        _cleanup_free_ char *allow = NULL;
        _cleanup_error_ Error e = {};
        unsigned id;
        int r;

        if (text_equal(http_request_method(q), "OPTIONS")) {
                allow = router_allow(over->router, http_request_path(q));
                http_reply_header(q, "Allow", allow ?: "OPTIONS");
                http_reply_text(q, 204, NULL, "");
                return;
        }
        r = over->api->kind == DAEMON_SYNCD ? page_reply(q) : 0;
        if (r > 0)
                return;
        if (r == 0)
                r = router_find(over->router, http_request_method(q), http_request_path(q), &id, &args, &allow, &e);
        if (r >= 0)
                r = handle(over, q, (CommandId) id, args, &e);
        if (r >= 0)
                return;
        if (allow)
                http_reply_header(q, "Allow", allow);
        if (e.id == ERROR_NONE)
                (void) error_set(&e, error_from_errno(r), NULL, "The request failed: %s", strerror(-r));
        face_fail(q, &e);
}
