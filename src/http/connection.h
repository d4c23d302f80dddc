/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A client's connection: who is at its other end, and how long it may keep us waiting. In both daemons. */
#include "basic/alloc.h"
#include <netinet/in.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct MHD_Connection;
typedef struct HttpConnection HttpConnection;

/* Connections that owe us bytes, the one that has for longest first. libmicrohttpd's own timeout starts anew with each byte; this
 * one does not: a whole head, and then a whole body, has to come within HTTP_TIMEOUT_SEC. One timer for all of them. */
typedef struct HttpPatience {
        sd_event *event;
        sd_event_source *timer;
        HttpConnection *first, *last;
} HttpPatience;

struct HttpConnection {
        struct MHD_Connection *connection;
        HttpPatience *patience;         /* in whose list it is, or NULL */
        HttpConnection *next, *previous;
        uint64_t since_usec;            /* monotonic: when it began to owe */
        char peer[INET6_ADDRSTRLEN];    /* "127.0.0.1", "unix:UID" */
        uid_t uid;                      /* of a unix socket's peer */
        bool is_unix, is_loopback;
};

/* Reads who it is. -errno: the peer's identity could not be had. */
_must_check_ int http_connection_new(struct MHD_Connection *connection, HttpConnection **ret);
HttpConnection *http_connection_free(HttpConnection *connection);
DEFINE_CLEANUP(HttpConnection, http_connection_free)

void http_patience_init(HttpPatience *patience, sd_event *event);
void http_patience_done(HttpPatience *patience);
/* It owes bytes from now on; one that owed already begins anew. */
void http_patience_begin(HttpPatience *patience, HttpConnection *connection);
void http_patience_end(HttpConnection *connection);
/* Shuts down whoever owes for longer than timeout_usec; gives how long until the next one would, 0 where none owes. */
uint64_t http_patience_cut(HttpPatience *patience, uint64_t now_usec, uint64_t timeout_usec);
