/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "basic/event.h"

#define PIPES_USUAL 2U          /* shared connections opened without need */
#define PIPES_MAX 16U           /* and while answers are slow */
#define PIPES_IDLE_MAX 4U       /* more are closed when nothing travels on them */
#define PIPE_DEPTH_MAX 64U      /* requests under way on one */
#define PIPE_SLOW_USEC 5000U    /* whose first one waits longer gets no more */
#define READ_BYTES 32768U
#define BUFFER_KEPT_BYTES (256U * 1024)

typedef struct Pipe {
        Upstream *upstream;
        PlaneWatch *watch;
        int fd;
        bool single, dirty, wants_write;
        char *out, *in;
        size_t out_size, out_sent, out_capacity, in_size, in_capacity;
        size_t n_written;               /* bytes that left since it was opened */
        size_t awaited;                 /* of in: not worth looking at before so many are there */
        Exchange **queue;               /* ring of what is under way, oldest first; NULL: abandoned */
        size_t first, n_queue, queue_capacity;
        struct Pipe *next, *previous, *next_dirty;
} Pipe;

struct Upstream {
        Plane *plane;
        PlaneHook *hook;
        struct sockaddr_un address;
        Pipe *pipes, *dirty;
        size_t n_shared, n_singles;
        uint64_t heard_usec;
};

static uint64_t now_usec(const Upstream *u) {
        uint64_t now = 0;

        (void) sd_event_now(plane_event(u->plane), CLOCK_MONOTONIC, &now);
        return now;
}

static Exchange *queue_pop(Pipe *p) {
        Exchange *e = p->queue[p->first];

        p->first = (p->first + 1) % p->queue_capacity;
        p->n_queue--;
        if (e)
                e->pipe = NULL;
        return e;
}

/* The ring has its full size from the start: 64 pointers. */
static int queue_push(Pipe *p, Exchange *e) {
        int r;

        r = array_grow(&p->queue, &p->queue_capacity, PIPE_DEPTH_MAX, sizeof(Exchange *));
        if (r < 0)
                return r;
        if (p->n_queue >= p->queue_capacity)
                return -EAGAIN;
        p->queue[(p->first + p->n_queue++) % p->queue_capacity] = e;
        return 0;
}

static void dirty_remove(Pipe *p) {
        for (Pipe **place = &p->upstream->dirty; *place; place = &(*place)->next_dirty)
                if (*place == p) {
                        *place = p->next_dirty;
                        break;
                }
        p->dirty = false;
}

/* Ends everything on it. how is told to the oldest one; those behind it were lost with the connection. */
static void pipe_close(Pipe *p, ExchangeEnd how) {
        Upstream *u = p->upstream;

        *(p->previous ? &p->previous->next : &u->pipes) = p->next;
        if (p->next)
                p->next->previous = p->previous;
        if (p->dirty)
                dirty_remove(p);
        *(p->single ? &u->n_singles : &u->n_shared) -= 1;
        p->watch = plane_unwatch(p->watch);
        (void) close(p->fd);
        if (how == EXCHANGE_LOST && p->n_written == 0)
                how = EXCHANGE_NOT_SENT;
        while (p->n_queue > 0) {
                Exchange *e = queue_pop(p);

                if (e)
                        e->broken(e, how);
                how = how == EXCHANGE_NOT_SENT ? EXCHANGE_NOT_SENT : EXCHANGE_LOST;
        }
        free(p->out);
        free(p->in);
        free(p->queue);
        free(p);
}

/* Nothing is under way: keep it or let it go. */
static void pipe_rest(Pipe *p) {
        if (p->single || p->upstream->n_shared > PIPES_IDLE_MAX) {
                pipe_close(p, EXCHANGE_LOST);
                return;
        }
        if (p->in_capacity > BUFFER_KEPT_BYTES) {
                free(p->in);
                p->in = NULL;
                p->in_capacity = 0;
        }
        if (p->out_capacity > BUFFER_KEPT_BYTES) {
                free(p->out);
                p->out = NULL;
                p->out_capacity = 0;
        }
}

/* Hands out the answers that are whole. 1: p is there still; 0: it ended. */
static int pipe_answers(Pipe *p) {
        size_t at = 0;
        int r = 0;

        while (p->in_size - at > 0 && p->in_size - at >= p->awaited) {
                Answer answer;
                Exchange *e;

                r = p->n_queue > 0 ? answer_parse(p->in + at, p->in_size - at, &answer) : -EBADMSG;    /* unasked: none of ours */
                if (r <= 0)
                        break;
                p->awaited = answer.head_size + answer.body_size;
                if (p->in_size - at < p->awaited)
                        break;
                e = queue_pop(p);
                if (e)
                        e->answered(e, &answer, p->in + at);
                at += p->awaited;
                p->awaited = 0;
                if (answer.close) {
                        r = -ECONNRESET;
                        break;
                }
        }
        if (r < 0) {
                pipe_close(p, r == -EBADMSG ? EXCHANGE_NOT_UNDERSTOOD : EXCHANGE_LOST);
                return 0;
        }
        memmove(p->in, p->in + at, p->in_size - at);
        p->in_size -= at;
        if (p->n_queue > 0)
                return 1;
        pipe_rest(p);
        return 0;
}

static int pipe_flush(Pipe *p) {
        while (p->out_sent < p->out_size) {
                ssize_t n = send(p->fd, p->out + p->out_sent, p->out_size - p->out_sent, MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                if (n < 0) {
                        if (p->wants_write)
                                return 0;
                        p->wants_write = true;
                        return plane_watch_set(p->watch, EPOLLIN | EPOLLOUT);
                }
                p->out_sent += (size_t) n;
                p->n_written += (size_t) n;
        }
        p->out_size = p->out_sent = 0;
        if (!p->wants_write)
                return 0;
        p->wants_write = false;
        return plane_watch_set(p->watch, EPOLLIN);
}

/* How much to have room for: the rest of an answer whose length is known, at least a good read. */
static size_t pipe_room(const Pipe *p) {
        size_t rest = p->awaited > p->in_size ? p->awaited - p->in_size : 0;

        return p->in_size + (rest > READ_BYTES ? rest : READ_BYTES);
}

static void on_ready(uint32_t events, void *userdata) {
        Pipe *p = userdata;
        ssize_t n;

        if ((events & EPOLLOUT) && pipe_flush(p) < 0) {
                pipe_close(p, EXCHANGE_LOST);
                return;
        }
        if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return;
        if (array_grow(&p->in, &p->in_capacity, pipe_room(p), 1) < 0) {
                pipe_close(p, EXCHANGE_LOST);
                return;
        }
        n = recv(p->fd, p->in + p->in_size, p->in_capacity - p->in_size, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                pipe_close(p, EXCHANGE_LOST);   /* an answer that was under way, too */
                return;
        }
        p->in_size += (size_t) n;
        p->upstream->heard_usec = now_usec(p->upstream);
        (void) pipe_answers(p);
}

/* At a turn's end: what was asked in it goes out. */
static void on_turn_end(void *userdata) {
        Upstream *u = userdata;

        while (u->dirty) {
                Pipe *p = u->dirty;

                u->dirty = p->next_dirty;
                p->dirty = false;
                if (pipe_flush(p) < 0)
                        pipe_close(p, EXCHANGE_LOST);
        }
}

int upstream_new(Plane *plane, const char *socket_path, Upstream **ret) {
        _cleanup_free_ Upstream *u = calloc(1, sizeof(Upstream));
        int r;

        if (!u)
                return -ENOMEM;
        if (strlen(socket_path) >= sizeof(u->address.sun_path))
                return -ENAMETOOLONG;
        u->plane = plane;
        u->address.sun_family = AF_UNIX;
        memcpy(u->address.sun_path, socket_path, strlen(socket_path) + 1);
        r = plane_hook_new(plane, PLANE_ORDER_UPSTREAM, on_turn_end, u, &u->hook);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(u);
        return 0;
}

Upstream *upstream_free(Upstream *u) {
        if (!u)
                return NULL;
        while (u->pipes)
                pipe_close(u->pipes, EXCHANGE_LOST);
        u->hook = plane_hook_free(u->hook);
        free(u);
        return NULL;
}

static int pipe_open(Upstream *u, bool single, Pipe **ret) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        _cleanup_free_ Pipe *p = calloc(1, sizeof(Pipe));
        int r;

        if (fd < 0)
                return -errno;
        if (!p)
                return -ENOMEM;
        if (connect(fd, (const struct sockaddr *) &u->address, sizeof(u->address)) < 0)
                return -errno;          /* a full backlog is EAGAIN */
        r = plane_watch(u->plane, fd, EPOLLIN, on_ready, p, &p->watch);
        if (r < 0)
                return r;
        p->upstream = u;
        p->fd = TAKE_FD(fd);
        p->single = single;
        p->next = u->pipes;
        if (u->pipes)
                u->pipes->previous = p;
        u->pipes = p;
        *(single ? &u->n_singles : &u->n_shared) += 1;
        *ret = TAKE_PTR(p);
        return 0;
}

static bool pipe_is_slow(const Pipe *p, uint64_t now) {
        const Exchange *oldest = p->n_queue > 0 ? p->queue[p->first] : NULL;

        return p->n_queue > 0 && (!oldest || now - oldest->sent_usec > PIPE_SLOW_USEC);
}

/* The shared connection with the fewest requests that is not slow; NULL: none. any: slow ones too. */
static Pipe *pipe_least(const Upstream *u, bool any) {
        uint64_t now = now_usec(u);
        Pipe *best = NULL;

        for (Pipe *p = u->pipes; p; p = p->next)
                if (!p->single && p->n_queue < PIPE_DEPTH_MAX && (any || !pipe_is_slow(p, now)) && (!best || p->n_queue < best->n_queue))
                        best = p;
        return best;
}

static int pipe_for(Upstream *u, const Exchange *e, Pipe **ret) {
        Pipe *best;
        int r;

        if (!e->again)
                return e->ours || u->n_singles < UPSTREAM_SINGLES_MAX ? pipe_open(u, true, ret) : -EAGAIN;
        best = pipe_least(u, false);
        if (best && (best->n_queue == 0 || u->n_shared >= PIPES_USUAL)) {
                *ret = best;
                return 0;
        }
        r = u->n_shared < PIPES_MAX ? pipe_open(u, false, ret) : -EAGAIN;
        if (r >= 0)
                return r;
        best = best ?: pipe_least(u, true);
        if (!best)
                return r;
        *ret = best;
        return 0;
}

int upstream_send(Upstream *u, Exchange *e) {
        Pipe *p = NULL;
        int r;

        r = pipe_for(u, e, &p);
        if (r < 0)
                return r;
        r = array_grow(&p->out, &p->out_capacity, p->out_size + e->size, 1);
        if (r >= 0)
                r = queue_push(p, e);
        if (r < 0) {
                if (p->single)
                        pipe_close(p, EXCHANGE_NOT_SENT);
                return r;
        }
        memcpy(p->out + p->out_size, e->bytes, e->size);
        p->out_size += e->size;
        e->pipe = p;
        e->sent_usec = now_usec(u);
        if (!p->dirty) {
                p->dirty = true;
                p->next_dirty = u->dirty;
                u->dirty = p;
        }
        plane_hook_wake(u->hook);
        return 0;
}

void upstream_abandon(Exchange *e) {
        Pipe *p = e->pipe;

        if (!p)
                return;
        e->pipe = NULL;
        for (size_t i = 0; i < p->n_queue; i++) {
                Exchange **place = p->queue + (p->first + i) % p->queue_capacity;

                if (*place == e)
                        *place = NULL;
        }
}

uint64_t upstream_heard_usec(const Upstream *u) {
        return u->heard_usec;
}

size_t upstream_n_connections(const Upstream *u) {
        return u->n_shared + u->n_singles;
}
