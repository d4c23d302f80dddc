/* SPDX-License-Identifier: Apache-2.0 */
/* One libmicrohttpd daemon per listening socket, all of them in one plane. The rules of its external-epoll mode (0.9.75):
 *  - its epoll descriptor is watched level-triggered, but client sockets are edge-triggered within: a timeout of 0 means run again;
 *  - nothing wakes an external loop on resume: after every resume the daemon runs again, by its hook at the turn's end;
 *  - it has only an inactivity timeout: slow clients are cut by HttpPatience;
 *  - suspended connections count as open for MHD_stop_daemon(), which aborts on them: they are resumed first. */
#include "http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <sys/epoll.h>

#include "basic/event.h"
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "http/message.h"
#include "http/request.h"

#define RUNS_MAX 16U            /* of one daemon in one turn: pipelined requests are answered one a run */
#define TIMEOUT_MSEC_MAX 60000U

typedef struct Listener {
        HttpServer *server;
        struct MHD_Daemon *daemon;
        PlaneWatch *watch;
        PlaneHook *hook;
        sd_event_source *timer;
        uint64_t armed_usec;    /* 0: the timer is off */
        bool resumed;
        struct Listener *next;
} Listener;

struct HttpServer {
        Plane *plane;
        HttpPatience patience;
        http_handler_t handler;
        void *userdata;
        Listener *listeners;
        HttpRequest *open;      /* handed to the handler, unanswered */
        size_t n_requests, n_open;
        bool stopping;
};

/* Lazily: an earlier deadline that is armed already stays, so keep-alive costs one timer setting per period, not per request. */
static void listener_arm(Listener *l, uint64_t delay_usec) {
        uint64_t now_usec;

        if (sd_event_now(plane_event(l->server->plane), CLOCK_MONOTONIC, &now_usec) < 0 ||
            (l->armed_usec && l->armed_usec <= now_usec + delay_usec))
                return;
        l->armed_usec = now_usec + delay_usec;
        (void) sd_event_source_set_time(l->timer, l->armed_usec);
        (void) sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}

static void listener_run(void *userdata) {
        Listener *l = userdata;
        MHD_UNSIGNED_LONG_LONG timeout_msec = 0;
        unsigned n_runs = 0;

        do {
                l->resumed = false;
                (void) MHD_run(l->daemon);
                if (l->resumed)
                        timeout_msec = 0;
                else if (MHD_get_timeout(l->daemon, &timeout_msec) != MHD_YES)
                        return;
        } while (timeout_msec == 0 && ++n_runs < RUNS_MAX);
        if (timeout_msec == 0)
                plane_hook_wake(l->hook);
        else
                listener_arm(l, (uint64_t) (timeout_msec > TIMEOUT_MSEC_MAX ? TIMEOUT_MSEC_MAX : timeout_msec) * 1000);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Listener *l = userdata;

        l->armed_usec = 0;
        plane_hook_wake(l->hook);
        return 0;
}

static void on_ready(uint32_t events, void *userdata) {
        Listener *l = userdata;

        plane_hook_wake(l->hook);
}

void http_request_wake(HttpRequest *q) {
        Listener *l = q->listener;

        if (!q->suspended || !q->connection)
                return;
        q->suspended = false;
        MHD_resume_connection(q->connection->connection);
        l->resumed = true;
        if (l->hook)
                plane_hook_wake(l->hook);
}

static void on_connection(void *userdata, struct MHD_Connection *connection, void **place, enum MHD_ConnectionNotificationCode what) {
        Listener *l = userdata;
        HttpConnection *c = NULL;

        if (what == MHD_CONNECTION_NOTIFY_CLOSED)
                *place = http_connection_free(*place);
        else if (http_connection_new(connection, &c) >= 0) {
                http_patience_begin(&l->server->patience, c);
                *place = c;
        }
}

static void *on_uri(void *userdata, const char *uri, struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        HttpConnection *c = info ? info->socket_context : NULL;
        HttpRequest *q = NULL;

        return c && http_request_new(uri, c, userdata, &q) >= 0 ? q : NULL;
}

static void request_close(HttpServer *server, HttpRequest *q) {
        if (!q->server)
                return;
        if (q->next)
                q->next->previous = q->previous;
        if (q->previous)
                q->previous->next = q->next;
        else
                server->open = q->next;
        q->next = q->previous = NULL;
        q->server = NULL;
        server->n_open--;
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **place,
                         enum MHD_RequestTerminationCode why) {
        Listener *l = userdata;
        HttpRequest *q = *place;

        *place = NULL;
        if (!q)
                return;
        request_close(l->server, q);
        http_patience_begin(&l->server->patience, q->connection);       /* it owes the next request, or its end */
        q->connection = NULL;
        q->listener = NULL;
        q->suspended = false;
        (void) http_request_unref(q);
}

static enum MHD_Result request_queue(HttpRequest *q) {
        struct MHD_Response *response = MHD_create_response_from_buffer(q->answer_size, q->answer ?: (void *) "",
                                                                        q->answer ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
        enum MHD_Result queued;

        if (!response)
                return MHD_NO;
        (void) TAKE_PTR(q->answer);     /* it is the response's now */
        for (size_t i = 0; i < q->n_reply_headers; i++)
                (void) MHD_add_response_header(response, q->reply_headers[i].name, q->reply_headers[i].value);
        if (q->close_after)
                (void) MHD_add_response_header(response, "Connection", "close");
        queued = MHD_queue_response(q->connection->connection, (unsigned) q->status, response);
        MHD_destroy_response(response);
        q->queued = true;
        return queued;
}

/* With the connection's end: whoever asked may ask another instance. */
static void reply_stopping(HttpRequest *q) {
        q->close_after = true;
        http_reply_problem(q, &(Error) { .id = ERROR_UNAVAILABLE, .detail = (char *) "The service is stopping",
                                         .remedy = (char *) "Try again in a moment." });
}

/* The body is complete: over to the handler. */
static enum MHD_Result request_dispatch(Listener *l, HttpRequest *q) {
        HttpServer *server = l->server;

        q->dispatched = true;
        q->server = server;
        q->next = server->open;
        if (server->open)
                server->open->previous = q;
        server->open = q;
        server->n_open++;
        server->n_requests++;
        http_patience_end(q->connection);
        (void) http_request_ref(q);
        if (server->stopping)           /* whom the handler would ask may be gone already */
                reply_stopping(q);
        else
                server->handler(q, server->userdata);
        (void) http_request_unref(q);
        if (q->status == 0 && q->n_ref == 1)
                http_reply_text(q, 500, "text/plain", "Nobody answered.\n");
        if (q->status != 0) {
                request_close(server, q);
                return request_queue(q);
        }
        q->suspended = true;
        MHD_suspend_connection(q->connection->connection);
        return MHD_YES;
}

static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **place) {
        Listener *l = userdata;
        HttpRequest *q = *place;

        if (!q)
                return MHD_NO;
        if (!q->method) {
                http_patience_begin(&l->server->patience, q->connection);       /* its body */
                if (http_request_begin(q, method, version) < 0)
                        return MHD_NO;
                return q->status != 0 ? request_queue(q) : MHD_YES;
        }
        if (*upload_size > 0) {
                if (q->status == 0 && http_request_append(q, upload, *upload_size) < 0)
                        return MHD_NO;
                *upload_size = 0;
                return MHD_YES;
        }
        if (q->queued)
                return MHD_YES;
        if (q->status != 0) {
                request_close(l->server, q);
                return request_queue(q);
        }
        return q->dispatched ? MHD_YES : request_dispatch(l, q);
}

int http_server_new(sd_event *event, http_handler_t handler, void *userdata, HttpServer **ret) {
        _cleanup_free_ HttpServer *server = calloc(1, sizeof(HttpServer));
        int r;

        if (!server)
                return -ENOMEM;
        r = plane_new(event, &server->plane);
        if (r < 0)
                return r;
        http_patience_init(&server->patience, event);
        server->handler = handler;
        server->userdata = userdata;
        *ret = TAKE_PTR(server);
        return 0;
}

static Listener *listener_free(Listener *l) {
        l->watch = plane_unwatch(l->watch);
        if (l->daemon)
                MHD_stop_daemon(l->daemon);     /* closes the listening descriptor too */
        l->hook = plane_hook_free(l->hook);
        event_source_drop(&l->timer);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(Listener, listener_free)

HttpServer *http_server_free(HttpServer *server) {
        if (!server)
                return NULL;
        server->stopping = true;
        for (HttpRequest *q = server->open, *next; q; q = next) {
                next = q->next;
                reply_stopping(q);
        }
        while (server->listeners) {
                Listener *l = server->listeners;

                server->listeners = l->next;
                (void) MHD_run(l->daemon);      /* resumed connections get their answer out and stop being suspended */
                (void) MHD_run(l->daemon);
                (void) listener_free(l);
        }
        http_patience_done(&server->patience);
        server->plane = plane_free(server->plane);
        free(server);
        return NULL;
}

static struct MHD_Daemon *daemon_start(Listener *l, int fd) {
        return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, l,
                                MHD_OPTION_LISTEN_SOCKET, fd,
                                MHD_OPTION_CONNECTION_TIMEOUT, HTTP_TIMEOUT_SEC,
                                MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
                                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) 16384,
                                MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                MHD_OPTION_URI_LOG_CALLBACK, on_uri, l,
                                MHD_OPTION_NOTIFY_COMPLETED, on_completed, l,
                                MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
                                MHD_OPTION_END);
}

int http_server_listen(HttpServer *server, int fd, Error *error) {
        _cleanup_(listener_freep) Listener *l = calloc(1, sizeof(Listener));
        const union MHD_DaemonInfo *info;
        int r;

        if (!l)
                return -ENOMEM;
        l->server = server;
        l->daemon = daemon_start(l, fd);
        if (!l->daemon)
                return error_set(error, ERROR_INTERNAL, NULL, "The HTTP server could not be started on descriptor %d", fd);
        info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        r = plane_hook_new(server->plane, PLANE_ORDER_SERVER, listener_run, l, &l->hook);
        if (r >= 0)
                r = plane_watch(server->plane, info->epoll_fd, EPOLLIN, on_ready, l, &l->watch);
        if (r >= 0)
                r = sd_event_add_time(plane_event(server->plane), &l->timer, CLOCK_MONOTONIC, 0, 50000, on_timer, l);
        if (r < 0) {
                (void) MHD_quiesce_daemon(l->daemon);   /* the descriptor stays the caller's */
                return r;
        }
        (void) sd_event_source_set_description(l->timer, "http-timeout");
        (void) sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        plane_hook_wake(l->hook);
        l->next = server->listeners;
        server->listeners = TAKE_PTR(l);
        return 0;
}

Plane *http_server_plane(HttpServer *server) {
        return server->plane;
}

size_t http_server_n_requests(const HttpServer *server) {
        return server->n_requests;
}

size_t http_server_n_open(const HttpServer *server) {
        return server->n_open;
}
