/* SPDX-License-Identifier: Apache-2.0 */
#include "api/request.h"

#include <errno.h>

#include "basic/json.h"

struct ApiRequest {
        unsigned n_ref;
        CommandId id;
        json_t *args;
        char *caller, *via, *request_id, *idempotency_key, *path;
        unsigned scopes;
        const ApiFace *face;
        void *transport;
        bool answered;
};

ApiRequest *api_request_ref(ApiRequest *q) {
        q->n_ref++;
        return q;
}

ApiRequest *api_request_unref(ApiRequest *q) {
        _cleanup_error_ Error e = {};

        if (!q || --q->n_ref > 0)
                return NULL;
        if (!q->answered) {
                (void) error_set(&e, ERROR_INTERNAL, "Report this with the request's id.", "%s was dropped without an answer", commands[q->id].name);
                q->n_ref++;
                api_request_fail(q, &e);
        }
        if (q->face->release)
                q->face->release(q->transport);
        json_decref(q->args);
        free(q->caller);
        free(q->via);
        free(q->request_id);
        free(q->idempotency_key);
        free(q->path);
        free(q);
        return NULL;
}

const Command *api_request_command(const ApiRequest *q) { return commands + q->id; }
CommandId api_request_command_id(const ApiRequest *q) { return q->id; }
const json_t *api_request_args(const ApiRequest *q) { return q->args; }
const char *api_request_caller(const ApiRequest *q) { return q->caller; }
unsigned api_request_scopes(const ApiRequest *q) { return q->scopes; }
const char *api_request_via(const ApiRequest *q) { return q->via; }
const char *api_request_id(const ApiRequest *q) { return q->request_id; }
const char *api_request_idempotency_key(const ApiRequest *q) { return q->idempotency_key; }
const char *api_request_path(const ApiRequest *q) { return q->path; }

const char *api_request_text(const ApiRequest *q, const char *name) {
        return json_member_text(q->args, name);
}

int64_t api_request_integer(const ApiRequest *q, const char *name, int64_t otherwise) {
        return json_member_integer(q->args, name, otherwise);
}

void api_request_header(ApiRequest *q, const char *name, const char *value) {
        if (!q->answered && q->face->header)
                q->face->header(q->transport, name, value);
}

static bool answer_once(ApiRequest *q) {
        bool first = !q->answered;

        q->answered = true;
        return first;
}

void api_request_fail(ApiRequest *q, const Error *error) {
        _cleanup_error_ Error e = {};

        if (!answer_once(q))
                return;
        if (error->id == ERROR_NONE) {
                (void) error_set(&e, ERROR_INTERNAL, NULL, "%s failed without a reason", commands[q->id].name);
                error = &e;
        }
        q->face->fail(q->transport, error);
}

void api_request_reply_status(ApiRequest *q, int status, json_t *value) {
        json_auto_t *owned = value;
        _cleanup_error_ Error e = {};

        if (!owned) {
                (void) error_set(&e, ERROR_OUT_OF_MEMORY, "Try again in a moment.", "There was no memory for the answer");
                api_request_fail(q, &e);
        } else if (answer_once(q))
                q->face->answer(q->transport, status, "application/json", owned, NULL);
}

void api_request_reply(ApiRequest *q, json_t *value) {
        api_request_reply_status(q, commands[q->id].status, value);
}

void api_request_reply_text(ApiRequest *q, const char *content_type, const char *text) {
        if (answer_once(q))
                q->face->answer(q->transport, commands[q->id].status, content_type, NULL, text);
}

static bool copy(const char *text, char **ret) {
        *ret = text ? strdup(text) : NULL;
        return !text || *ret;
}

static ApiRequest *request_new(CommandId id, const ApiCaller *caller, const ApiFace *face, void *transport) {
        ApiRequest *q = calloc(1, sizeof(ApiRequest));
        _cleanup_error_ Error e = {};

        if (q) {
                *q = (ApiRequest) { .n_ref = 1, .id = id, .face = face, .transport = transport, .scopes = caller->scopes };
                if (copy(caller->name, &q->caller) && copy(caller->via, &q->via) && copy(caller->request_id, &q->request_id) &&
                    copy(caller->idempotency_key, &q->idempotency_key) && copy(caller->path ?: "", &q->path))
                        return q;
        }
        (void) error_set(&e, ERROR_OUT_OF_MEMORY, "Try again in a moment.", "There was no memory for the request");
        if (q) {
                api_request_fail(q, &e);
                return api_request_unref(q);
        }
        face->fail(transport, &e);
        if (face->release)
                face->release(transport);
        return NULL;
}

Scope api_scope_needed(const Command *command, const json_t *given) {
        const json_t *allow = command_arg(command, "allow") ? json_object_get(given, "allow") : NULL;

        return json_array_size(allow) > 0 || json_string_length(allow) > 0 ? SCOPE_ADMIN : command->scope;
}

static int request_check(ApiRequest *q, const json_t *given, Error *error) {
        const Command *command = commands + q->id;
        Scope needed = api_scope_needed(command, given);
        int r;

        if (scopes_allow(q->scopes, needed))
                return command_check_args(command, given, &q->args, error);
        if (needed == command->scope)
                return error_set(error, ERROR_FORBIDDEN, "Use a key or a user with that scope.",
                                 "%s needs the scope \"%s\"", command->name, scope_to_string(needed));
        r = error_set(error, ERROR_FORBIDDEN, "Ask someone with that scope.", "Going on over a guard needs the scope \"%s\"",
                      scope_to_string(needed));
        (void) error_field(error, "allow");
        return r;
}

void api_call(const Api *api, CommandId id, const json_t *given, const ApiCaller *caller, const ApiFace *face, void *transport) {
        _cleanup_api_request_ ApiRequest *q = request_new(id, caller, face, transport);
        _cleanup_error_ Error e = {};
        int r;

        if (!q)
                return;
        r = request_check(q, given, &e);
        if (r >= 0)
                r = api->handlers[id](api->daemon, q, &e);
        if (r >= 0 || q->answered)
                return;
        if (e.id == ERROR_NONE)
                (void) error_set(&e, error_from_errno(r), NULL, "%s failed: %s", commands[id].name, strerror(-r));
        api_request_fail(q, &e);
}
