/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A small HTTP/1.1 client over kept-alive unix connections to syncd; always frames anew. In the gateway. */
#include "http/server.h"

#define PROXY_RETRY_USEC 10000000ULL    /* how long a request waits for syncd to come back */
#define PROXY_ANSWER_USEC 60000000ULL   /* how long an accepted request may take */
#define PROXY_IDLE_MAX 16U              /* connections kept for the next request */
#define PROXY_ANSWER_BYTES_MAX (64U * 1024 * 1024)

typedef struct Proxy Proxy;
_must_check_ int proxy_new(sd_event *event, const char *socket_path, Proxy **ret);
Proxy *proxy_free(Proxy *proxy);        /* what waits is answered with 503 */
DEFINE_CLEANUP(Proxy, proxy_free)
/* "/api/sync/active" stays, "/api/api/x" → "/api/x", "/api/health/x" → "/health/x", "/api" → "/". Allocated; NULL without memory. */
char *proxy_path(const char *path);
/* Sends the request on to path and answers it. identity: "NAME;scopes". */
void proxy_forward(Proxy *proxy, HttpRequest *request, const char *path, const char *identity);
/* GET path and give status (0: not reachable within wait_usec) and body (borrowed) to done, once. */
typedef void (*proxy_done_t)(int status, const char *body, void *userdata);
void proxy_fetch(Proxy *proxy, const char *path, uint64_t wait_usec, proxy_done_t done, void *userdata);
