/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One call of a command, whoever made it and however: handlers answer it once, now or later, knowing neither HTTP nor D-Bus. In syncd. */
#include "api/command.h"

typedef struct ApiRequest ApiRequest;

/* Does a command. daemon: what was given with the handlers. request: borrowed; take api_request_ref() to answer later.
 * 0: answered, or will be. Negative errno: not answered; the caller then answers with error. */
typedef int (*api_handler_t)(void *daemon, ApiRequest *request, Error *error);

/* What a program serves: one handler per row, by CommandId. Must outlive its servers. */
typedef struct Api {
        const api_handler_t *handlers;  /* _COMMAND_MAX of them; NULL only of another daemon's rows */
        void *daemon;
        Daemon kind;            /* whose rows these are */
} Api;

ApiRequest *api_request_ref(ApiRequest *request);
ApiRequest *api_request_unref(ApiRequest *request);     /* the last one, unanswered: answers with ERROR_INTERNAL */
DEFINE_CLEANUP(ApiRequest, api_request_unref)
#define _cleanup_api_request_ _cleanup_(api_request_unrefp)

/* Borrowed, valid as long as the request. */
const Command *api_request_command(const ApiRequest *request);
CommandId api_request_command_id(const ApiRequest *request);
const json_t *api_request_args(const ApiRequest *request);      /* checked against the row */
const char *api_request_text(const ApiRequest *request, const char *name);      /* NULL where absent */
int64_t api_request_integer(const ApiRequest *request, const char *name, int64_t otherwise);
const char *api_request_caller(const ApiRequest *request);      /* key name or user, for the auditor */
unsigned api_request_scopes(const ApiRequest *request);
const char *api_request_via(const ApiRequest *request);         /* "http", "dbus" */
const char *api_request_id(const ApiRequest *request);          /* X-Request-Id */
const char *api_request_idempotency_key(const ApiRequest *request);     /* NULL where absent */
const char *api_request_path(const ApiRequest *request);        /* as asked, for Link headers; "" by D-Bus */

/* Each answers; a second answer is ignored. Values are taken over; a NULL value (no memory) answers ERROR_OUT_OF_MEMORY. */
void api_request_reply(ApiRequest *request, json_t *value);                     /* with the row's status */
void api_request_reply_status(ApiRequest *request, int status, json_t *value);
void api_request_reply_text(ApiRequest *request, const char *content_type, const char *text);   /* RESULT_TEXT rows */
void api_request_fail(ApiRequest *request, const Error *error);
/* A header of the HTTP answer to come (Location, Link, X-Total-Count, Retry-After); nothing by D-Bus. */
void api_request_header(ApiRequest *request, const char *name, const char *value);

/* For the faces (over-http.c, over-bus.c) and tests: how an answer leaves. */
typedef struct ApiFace {
        void (*header)(void *transport, const char *name, const char *value);   /* may be NULL */
        void (*answer)(void *transport, int status, const char *content_type, const json_t *value, const char *text);
        void (*fail)(void *transport, const Error *error);
        void (*release)(void *transport);       /* may be NULL */
} ApiFace;
typedef struct ApiCaller {
        const char *name, *via, *request_id, *idempotency_key, *path;   /* copied; idempotency_key and path may be NULL */
        unsigned scopes;
} ApiCaller;
/* What the caller needs for a command with these arguments (an object, unchecked): going on over a guard needs admin. */
Scope api_scope_needed(const Command *command, const json_t *given);
/* Checks scope and arguments, then calls the handler; every way ends in one answer. given: borrowed. transport is taken over. */
void api_call(const Api *api, CommandId id, const json_t *given, const ApiCaller *caller, const ApiFace *face, void *transport);
