/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of an HttpRequest, shared by server.c (when) and request.c (what). In both daemons. */
#include "http/connection.h"
#include "http/server.h"

typedef struct HttpHeader { const char *name, *value; } HttpHeader;
typedef struct HttpText HttpText;
struct Listener;

#define HTTP_TEXT_BYTES 2048U                   /* the head of a usual request and of its answer */

struct HttpRequest {
        unsigned n_ref;
        HttpConnection *connection;             /* NULL once the connection is gone: answers go nowhere */
        struct Listener *listener;
        HttpServer *server;                     /* while it is in the list of open ones */
        HttpRequest *next, *previous;
        const char *path, *query, *method, *peer, *id;
        HttpHeader *headers, *reply_headers;
        size_t n_headers, headers_capacity, n_reply_headers, reply_headers_capacity;
        char *body, *answer;
        size_t body_size, body_capacity, answer_size;
        int status;                             /* of the answer; 0: none yet */
        uid_t uid;
        bool is_unix, is_loopback, suspended, dispatched, queued, close_after;
        /* All its texts: of the first ones here, then of blocks of their own. */
        size_t n_text;
        HttpText *texts;
        char text[HTTP_TEXT_BYTES];
};

_must_check_ int http_request_new(const char *uri, HttpConnection *connection, struct Listener *listener, HttpRequest **ret);
/* A copy that lives as long as the request, NUL-terminated; NULL without memory. */
const char *http_request_text(HttpRequest *q, const char *text, size_t size);
/* Takes headers over and refuses what cannot be trusted (q->status is then set). */
_must_check_ int http_request_begin(HttpRequest *q, const char *method, const char *version);
_must_check_ int http_request_append(HttpRequest *q, const char *bytes, size_t size);
/* In server.c: goes on with a suspended connection. */
void http_request_wake(HttpRequest *q);
