/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The gateway's connections to syncd: requests go out, answers come back in order. In the gateway.
 * What may be sent again travels on few kept connections, many requests on one (pipelined): one send and few reads a turn. A
 * connection whose first request waits longer than some milliseconds gets no more; a further one is opened beside it.
 * What must not be sent twice travels on a connection of its own: it may wait in the listening socket over a restart of syncd, and is
 * read by nobody or by one. */
#include "gateway/answer.h"
#include "http/plane.h"

#define UPSTREAM_SINGLES_MAX 256U       /* connections of one request each */

typedef enum ExchangeEnd {
        EXCHANGE_NOT_SENT,              /* not a byte of it left */
        EXCHANGE_LOST,                  /* the connection broke; syncd may have read it */
        EXCHANGE_NOT_UNDERSTOOD,        /* what came is no answer */
} ExchangeEnd;

/* One request under way; a member of whoever asks. */
typedef struct Exchange Exchange;
struct Exchange {
        const char *bytes;              /* the framed request, borrowed until its end */
        size_t size;
        bool again;                     /* it may be sent again */
        bool ours;                      /* the gateway's own question: has a connection however many others have one */
        /* One of the two is called, once, from within a turn, never from upstream_send(). answer and body are borrowed. */
        void (*answered)(Exchange *exchange, const Answer *answer, const char *bytes);
        void (*broken)(Exchange *exchange, ExchangeEnd how);
        struct Pipe *pipe;              /* upstream's: the connection it travels on, or NULL */
        uint64_t sent_usec;             /* when it was handed over */
};

typedef struct Upstream Upstream;
_must_check_ int upstream_new(Plane *plane, const char *socket_path, Upstream **ret);
Upstream *upstream_free(Upstream *upstream);    /* what is under way is told that it is lost; takes NULL */
DEFINE_CLEANUP(Upstream, upstream_free)
/* 0: under way. -EAGAIN: no room now; -ECONNREFUSED, -ENOENT, …: nobody listens. Nothing was sent then. */
_must_check_ int upstream_send(Upstream *upstream, Exchange *exchange);
/* Its end is of no interest any more: neither callback comes. */
void upstream_abandon(Exchange *exchange);
uint64_t upstream_heard_usec(const Upstream *upstream);         /* when the last byte came; 0: never */
size_t upstream_n_connections(const Upstream *upstream);
