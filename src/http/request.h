/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of an HttpRequest, shared by server.c (when) and request.c (what). In both daemons. */
#include "http/server.h"

struct MHD_Connection;
struct Listener;
typedef struct HttpHeader { char *name, *value; } HttpHeader;

struct HttpRequest {
        unsigned n_ref;
        struct MHD_Connection *connection;      /* NULL once the connection is gone: answers go nowhere */
        struct Listener *listener;
        HttpServer *server;                     /* while it is in the list of open ones */
        HttpRequest *next, *previous;
        sd_event_source *slow;                  /* cuts a client that takes too long to send */
        char *path, *query, *method, *peer, *id;
        HttpHeader *headers, *reply_headers;
        size_t n_headers, headers_capacity, n_reply_headers, reply_headers_capacity;
        char *body, *answer;
        size_t body_size, body_capacity, answer_size;
        int status;                             /* of the answer; 0: none yet */
        uid_t uid;
        bool is_unix, is_loopback, suspended, dispatched, queued, close_after;
};

_must_check_ int http_request_new(const char *uri, struct MHD_Connection *connection, struct Listener *listener, HttpRequest **ret);
/* Takes headers and peer over and refuses what cannot be trusted (q->status is then set). */
_must_check_ int http_request_begin(HttpRequest *q, const char *method, const char *version);
_must_check_ int http_request_append(HttpRequest *q, const char *bytes, size_t size);
/* In server.c: goes on with a suspended connection. */
void http_request_wake(HttpRequest *q);
