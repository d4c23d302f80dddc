/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The way of requests to syncd: sent on, held over a restart, sent again where that is safe, answered in any case. In the gateway.
 * Requests and answers are held whole (1 MiB, 64 MiB). */
#include "http/server.h"

#define PROXY_HOLD_USEC 10000000ULL     /* how long a request waits for syncd to come back */
#define PROXY_ANSWER_USEC 60000000ULL   /* how long an accepted request may take */
#define PROXY_CALLS_MAX 4096U           /* requests held or under way */

typedef struct Proxy Proxy;
/* plane: the HTTP server's, which has to outlive the proxy. */
_must_check_ int proxy_new(Plane *plane, const char *socket_path, Proxy **ret);
Proxy *proxy_free(Proxy *proxy);        /* what waits is answered with 503; takes NULL */
DEFINE_CLEANUP(Proxy, proxy_free)
/* "/api/sync/active" stays, "/api/api/x" → "/api/x", "/api/health/x" → "/health/x", "/api" → "/". Allocated; NULL without memory. */
char *proxy_path(const char *path);
/* Sends the request on to path and answers it. identity: "NAME;scopes". GET, HEAD and OPTIONS are tried again for PROXY_HOLD_USEC;
 * others only while they were not sent: 502 ERROR_ANSWER_LOST where syncd may have done them. */
void proxy_forward(Proxy *proxy, HttpRequest *request, const char *path, const char *identity);
/* GET path, past the gate, and give status (0: no answer within wait_usec) and body (borrowed) to done, once, maybe at once.
 * wait_usec 0: one attempt, and no more than a second for its answer. */
typedef void (*proxy_done_t)(int status, const char *body, void *userdata);
void proxy_fetch(Proxy *proxy, const char *path, uint64_t wait_usec, proxy_done_t done, void *userdata);

/* Connecting to syncd's socket starts it, so whoever watches it says whether that may be. */
typedef enum ProxyGate {
        PROXY_OPEN,     /* requests go on (the state at the start) */
        PROXY_HELD,     /* they wait, up to their time */
        PROXY_CLOSED,   /* they are answered with why */
} ProxyGate;
void proxy_gate(Proxy *proxy, ProxyGate gate, const Error *why);        /* why: for PROXY_CLOSED, copied */

typedef enum ProxyTrouble {
        PROXY_BROKEN,   /* a connection broke, or was refused: syncd may be gone */
        PROXY_SILENT,   /* requests wait, and not a byte came for two seconds */
} ProxyTrouble;
/* Called before anything is tried again; may set the gate. */
void proxy_watch(Proxy *proxy, void (*on_trouble)(ProxyTrouble trouble, void *userdata), void *userdata);
size_t proxy_n_retried(const Proxy *proxy);     /* requests sent a second time, since the start */
