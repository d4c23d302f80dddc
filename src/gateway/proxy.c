/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/proxy.h"

#include <errno.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "basic/event.h"
#include "basic/json.h"
#include "basic/text.h"
#include "http/message.h"

#define RETRY_PAUSE_USEC 20000U

typedef struct Call {
        Proxy *proxy;
        HttpRequest *request;           /* or NULL: a fetch */
        proxy_done_t done;
        void *userdata;
        char *head;                     /* request line, headers and body, framed */
        size_t head_size, n_sent;
        char *answer;
        size_t answer_size, answer_capacity;
        uint64_t deadline_usec;         /* no new attempt after it */
        int fd;
        bool reused, again;             /* again: may be sent a second time */
        sd_event_source *io, *timer;
        struct Call *next, *previous;
} Call;

struct Proxy {
        sd_event *event;
        struct sockaddr_un address;
        Call *calls;
        int idle[PROXY_IDLE_MAX];
        size_t n_idle;
};

static void call_attempt(Call *call);

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000U + (uint64_t) t.tv_nsec / 1000U;
}

int proxy_new(sd_event *event, const char *socket_path, Proxy **ret) {
        Proxy *proxy = NULL;

        if (strlen(socket_path) >= sizeof(proxy->address.sun_path))
                return -ENAMETOOLONG;
        proxy = calloc(1, sizeof(Proxy));
        if (!proxy)
                return -ENOMEM;
        proxy->event = sd_event_ref(event);
        proxy->address.sun_family = AF_UNIX;
        memcpy(proxy->address.sun_path, socket_path, strlen(socket_path) + 1);
        *ret = proxy;
        return 0;
}

char *proxy_path(const char *path) {
        if (text_equal(path, "/api") || text_equal(path, "/api/"))
                return strdup("/");
        if (text_starts_with(path, "/api/api/") || text_starts_with(path, "/api/health/"))
                return strdup(path + 4);
        return strdup(path);
}

static void call_free(Call *call) {
        if (call->next)
                call->next->previous = call->previous;
        if (call->previous)
                call->previous->next = call->next;
        else
                call->proxy->calls = call->next;
        event_source_drop(&call->io);
        event_source_drop(&call->timer);
        if (call->fd >= 0)
                (void) close(call->fd);
        (void) http_request_unref(call->request);
        free(call->head);
        free(call->answer);
        free(call);
}

/* The original's members error and message stay beside the problem's. */
static void call_fail(Call *call, const char *why) {
        _cleanup_error_ Error e = {};
        json_auto_t *problem = NULL;

        if (!call->request)
                call->done(0, "", call->userdata);
        else {
                (void) error_set(&e, ERROR_UNAVAILABLE, "Try again in a few seconds; see /status.", "%s", why);
                if (http_problem_new(&e, http_request_path(call->request), &problem) < 0 ||
                    json_put(problem, "error", json_text("Failed to connect to SyncService API")) < 0 ||
                    json_put(problem, "message", json_text("The SyncService API did not answer. It is restarted by itself unless it was stopped.")) < 0)
                        http_reply_problem(call->request, &e);
                else {
                        http_reply_header(call->request, "Retry-After", "2");
                        http_reply_header(call->request, "Content-Type", HTTP_PROBLEM_TYPE);
                        http_reply_json(call->request, 503, problem);
                }
        }
        call_free(call);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        call_attempt(userdata);
        return 0;
}

static int on_silence(sd_event_source *source, uint64_t usec, void *userdata) {
        call_fail(userdata, "The sync service did not answer in time");
        return 0;
}

/* The attempt broke. sent: syncd may have read the request. */
static void call_broken(Call *call, bool sent) {
        event_source_drop(&call->io);
        if (call->fd >= 0)
                (void) close(TAKE_FD(call->fd));
        call->n_sent = call->answer_size = 0;
        if (sent && !call->again)
                call_fail(call, "The sync service went away while it had the request; it may or may not have been done");
        else if (now_usec() >= call->deadline_usec ||
                 event_timer_set(call->proxy->event, &call->timer, RETRY_PAUSE_USEC, "proxy-retry", on_retry, call) < 0)
                call_fail(call, "The sync service is not running");
}

static bool hop_by_hop(const char *name) {
        static const char *const names[] = { "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
                                             "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Date", "Host", "Expect" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcasecmp(name, names[i]) == 0)
                        return true;
        return false;
}

static int answer_status(const char *head) {
        int64_t status;
        char digits[4] = "";

        if (strlen(head) < 12 || !text_starts_with(head, "HTTP/1.1 "))
                return -EBADMSG;
        memcpy(digits, head + 9, 3);
        return text_to_int64(digits, 200, 599, &status) < 0 ? -EBADMSG : (int) status;
}

/* Goes through the header lines of head; copies them to request (may be NULL). Gives the body's length, -1 where it is not told. */
static int64_t answer_headers(char *head, HttpRequest *request) {
        int64_t length = -1;
        char *save = NULL;

        (void) strtok_r(head, "\r\n", &save);
        for (char *line; (line = strtok_r(NULL, "\r\n", &save));) {
                char *colon = strchr(line, ':');
                const char *value;

                if (!colon)
                        continue;
                *colon = '\0';
                value = colon + 1 + strspn(colon + 1, " \t");
                if (strcasecmp(line, "Content-Length") == 0 && text_to_int64(value, 0, PROXY_ANSWER_BYTES_MAX, &length) < 0)
                        return -EBADMSG;
                if (request && !hop_by_hop(line))
                        http_reply_header(request, line, value);
        }
        return length;
}

static void call_keep_connection(Call *call) {
        Proxy *proxy = call->proxy;

        event_source_drop(&call->io);
        if (proxy->n_idle < PROXY_IDLE_MAX)
                proxy->idle[proxy->n_idle++] = TAKE_FD(call->fd);
}

/* 0: more bytes must come. */
static int call_parse(Call *call) {
        const char *end = memmem(call->answer, call->answer_size, "\r\n\r\n", 4);
        _cleanup_free_ char *head = NULL, *copy = NULL, *body = NULL;
        size_t head_size = end ? (size_t) (end + 4 - call->answer) : 0;
        int64_t length;
        int status;

        if (!end)
                return call->answer_size > 65536 ? -EBADMSG : 0;
        head = strndup(call->answer, head_size);
        copy = strndup(call->answer, head_size);
        if (!head || !copy)
                return -ENOMEM;
        status = answer_status(head);
        length = status == 204 || status == 304 ? 0 : answer_headers(copy, NULL);
        if (status < 0 || length < 0 || call->answer_size > head_size + (size_t) length)
                return -EBADMSG;
        if (call->answer_size < head_size + (size_t) length)
                return 0;
        call_keep_connection(call);
        if (!call->request) {
                body = strndup(call->answer + head_size, (size_t) length);
                call->done(status, body ?: "", call->userdata);
        } else {
                (void) answer_headers(head, call->request);
                http_reply_bytes(call->request, status, NULL, call->answer + head_size, (size_t) length);
        }
        call_free(call);
        return 1;
}

static int call_send(Call *call) {
        while (call->n_sent < call->head_size) {
                ssize_t n = send(call->fd, call->head + call->n_sent, call->head_size - call->n_sent, MSG_NOSIGNAL);

                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                call->n_sent += (size_t) n;
        }
        return sd_event_source_set_io_events(call->io, EPOLLIN);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Call *call = userdata;
        ssize_t n;

        if (events & EPOLLOUT && call_send(call) < 0) {
                call_broken(call, call->n_sent > 0);
                return 0;
        }
        if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return 0;
        if (array_grow(&call->answer, &call->answer_capacity, call->answer_size + 65536, 1) < 0) {
                call_fail(call, "There was no memory for the answer");
                return 0;
        }
        n = recv(fd, call->answer + call->answer_size, 65536, 0);
        if (n < 0 && errno == EAGAIN)
                return 0;
        if (n <= 0) {
                call_broken(call, true);
                return 0;
        }
        call->answer_size += (size_t) n;
        if (call_parse(call) < 0)
                call_fail(call, "The sync service gave an answer that is not understood");
        return 0;
}

/* What may not be sent twice never travels on a kept connection: that could be closing just now. */
static int call_connect(Call *call) {
        Proxy *proxy = call->proxy;
        char byte;

        while (call->again && proxy->n_idle > 0) {
                call->fd = proxy->idle[--proxy->n_idle];
                if (recv(call->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
                        return 0;
                (void) close(TAKE_FD(call->fd));        /* ended, or bytes nobody asked for */
        }
        call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (call->fd < 0)
                return -errno;
        return connect(call->fd, (const struct sockaddr *) &proxy->address, sizeof(proxy->address)) < 0 ? -errno : 0;
}

static void call_attempt(Call *call) {
        if (call_connect(call) < 0) {
                call_broken(call, false);
                return;
        }
        if (event_timer_set(call->proxy->event, &call->timer, PROXY_ANSWER_USEC, "proxy-answer", on_silence, call) < 0 ||
            sd_event_add_io(call->proxy->event, &call->io, call->fd, EPOLLIN | EPOLLOUT, on_io, call) < 0)
                call_fail(call, "The gateway has no room for the request");
}

static Call *call_new(Proxy *proxy, uint64_t wait_usec) {
        Call *call = calloc(1, sizeof(Call));

        if (!call)
                return NULL;
        *call = (Call) { .proxy = proxy, .fd = -EBADF, .next = proxy->calls, .deadline_usec = now_usec() + wait_usec };
        if (proxy->calls)
                proxy->calls->previous = call;
        proxy->calls = call;
        return call;
}

static int call_frame(Call *call, const char *path, const char *identity) {
        HttpRequest *q = call->request;
        bool head = text_equal(http_request_method(q), "HEAD");
        const char *query = http_request_query(q), *body;
        size_t size;
        FILE *f = open_memstream(&call->head, &call->head_size);

        if (!f)
                return -ENOMEM;
        body = http_request_body(q, &size);
        (void) fprintf(f, "%s %s%s%s HTTP/1.1\r\nHost: terrafusion\r\n", head ? "GET" : http_request_method(q), path, *query ? "?" : "", query);
        for (size_t i = 0; i < http_request_n_headers(q); i++) {
                const char *name, *value;

                http_request_header_at(q, i, &name, &value);
                if (!hop_by_hop(name) && strcasecmp(name, "X-TerraFusion-Identity") != 0 && strcasecmp(name, "X-API-Key") != 0 &&
                    strcasecmp(name, "Authorization") != 0 && strcasecmp(name, "X-Request-Id") != 0)
                        (void) fprintf(f, "%s: %s\r\n", name, value);
        }
        (void) fprintf(f, "X-TerraFusion-Identity: %s\r\nX-Request-Id: %s\r\nX-Forwarded-For: %s\r\nContent-Length: %zu\r\n\r\n",
                       identity, http_request_id(q), http_request_peer(q), size);
        (void) fwrite(body, 1, size, f);
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

void proxy_forward(Proxy *proxy, HttpRequest *request, const char *path, const char *identity) {
        Call *call = call_new(proxy, PROXY_RETRY_USEC);
        Error e = { .id = ERROR_OUT_OF_MEMORY };

        if (!call) {
                http_reply_problem(request, &e);
                return;
        }
        call->request = http_request_ref(request);
        call->again = http_method_is_idempotent(http_request_method(request));
        if (call_frame(call, path, identity) < 0)
                call_fail(call, "The gateway has no memory for the request");
        else
                call_attempt(call);
}

void proxy_fetch(Proxy *proxy, const char *path, uint64_t wait_usec, proxy_done_t done, void *userdata) {
        Call *call = call_new(proxy, wait_usec);
        int size;

        if (!call) {
                done(0, "", userdata);
                return;
        }
        call->done = done;
        call->userdata = userdata;
        call->again = true;
        size = asprintf(&call->head, "GET %s HTTP/1.1\r\nHost: terrafusion\r\nX-TerraFusion-Identity: gateway;read\r\n\r\n", path);
        if (size < 0) {
                call->head = NULL;
                call_fail(call, "");
                return;
        }
        call->head_size = (size_t) size;
        call_attempt(call);
}

Proxy *proxy_free(Proxy *proxy) {
        if (!proxy)
                return NULL;
        while (proxy->calls)
                call_fail(proxy->calls, "The gateway is stopping");
        while (proxy->n_idle > 0)
                (void) close(proxy->idle[--proxy->n_idle]);
        (void) sd_event_unref(proxy->event);
        free(proxy);
        return NULL;
}
