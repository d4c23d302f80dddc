/* SPDX-License-Identifier: Apache-2.0 */
#include "http/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include "basic/event.h"
#include "basic/limits.h"

static int socket_of(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        return info ? info->connect_fd : -EBADF;
}

static int read_unix(HttpConnection *c, int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        c->is_unix = c->is_loopback = true;
        c->uid = peer.uid;
        (void) snprintf(c->peer, sizeof(c->peer), "unix:%u", (unsigned) peer.uid);
        return 0;
}

static void read_address(HttpConnection *c, const struct sockaddr_storage *address) {
        if (address->ss_family == AF_INET) {
                const struct in_addr *in = &((const struct sockaddr_in *) (const void *) address)->sin_addr;

                c->is_loopback = ntohl(in->s_addr) >> 24 == 127;
                (void) inet_ntop(AF_INET, in, c->peer, sizeof(c->peer));
        } else if (address->ss_family == AF_INET6) {
                const struct in6_addr *in = &((const struct sockaddr_in6 *) (const void *) address)->sin6_addr;
                bool mapped = IN6_IS_ADDR_V4MAPPED(in);

                c->is_loopback = IN6_IS_ADDR_LOOPBACK(in) || (mapped && in->s6_addr[12] == 127);
                (void) inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? (const void *) (in->s6_addr + 12) : in, c->peer, sizeof(c->peer));
        }
}

int http_connection_new(struct MHD_Connection *connection, HttpConnection **ret) {
        _cleanup_(http_connection_freep) HttpConnection *c = calloc(1, sizeof(HttpConnection));
        struct sockaddr_storage address = {};
        socklen_t size = sizeof(address);
        int fd = socket_of(connection), r;

        if (!c)
                return -ENOMEM;
        c->connection = connection;
        (void) snprintf(c->peer, sizeof(c->peer), "unknown");
        if (fd < 0 || getsockname(fd, (struct sockaddr *) &address, &size) < 0)
                return fd < 0 ? fd : -errno;
        if (address.ss_family == AF_UNIX) {
                r = read_unix(c, fd);
                if (r < 0)
                        return r;
        } else if (size = sizeof(address), getpeername(fd, (struct sockaddr *) &address, &size) >= 0)
                read_address(c, &address);      /* else it is gone again already */
        *ret = TAKE_PTR(c);
        return 0;
}

HttpConnection *http_connection_free(HttpConnection *c) {
        if (!c)
                return NULL;
        http_patience_end(c);
        free(c);
        return NULL;
}

void http_patience_init(HttpPatience *p, sd_event *event) {
        *p = (HttpPatience) { .event = event };
}

void http_patience_done(HttpPatience *p) {
        while (p->first)
                http_patience_end(p->first);
        event_source_drop(&p->timer);
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata);

static void patience_arm(HttpPatience *p, uint64_t delay_usec) {
        if (event_timer_set(p->event, &p->timer, delay_usec, "http-slow-clients", on_patience, p) < 0)
                p->timer = NULL;        /* the next connection tries again; until then slow clients live longer, no more */
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        HttpPatience *p = userdata;
        uint64_t next_usec = http_patience_cut(p, usec, HTTP_TIMEOUT_SEC * 1000000ULL);

        if (next_usec > 0)
                patience_arm(p, next_usec);
        else
                event_source_drop(&p->timer);
        return 0;
}

void http_patience_begin(HttpPatience *p, HttpConnection *c) {
        http_patience_end(c);
        if (sd_event_now(p->event, CLOCK_MONOTONIC, &c->since_usec) < 0)
                return;
        c->patience = p;
        c->previous = p->last;
        if (p->last)
                p->last->next = c;
        else
                p->first = c;
        p->last = c;
        /* Lazily: a timer that runs already fires early for c, finds nothing and is set again. */
        if (!p->timer)
                patience_arm(p, HTTP_TIMEOUT_SEC * 1000000ULL);
}

void http_patience_end(HttpConnection *c) {
        HttpPatience *p = c->patience;

        if (!p)
                return;
        *(c->previous ? &c->previous->next : &p->first) = c->next;
        *(c->next ? &c->next->previous : &p->last) = c->previous;
        c->next = c->previous = NULL;
        c->patience = NULL;
}

uint64_t http_patience_cut(HttpPatience *p, uint64_t now_usec, uint64_t timeout_usec) {
        while (p->first && p->first->since_usec + timeout_usec <= now_usec) {
                HttpConnection *c = p->first;

                http_patience_end(c);
                (void) shutdown(socket_of(c->connection), SHUT_RDWR);   /* the server sees its end and lets go of it */
        }
        return p->first ? p->first->since_usec + timeout_usec - now_usec : 0;
}
