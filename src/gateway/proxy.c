/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/proxy.h"

#include <errno.h>

#include "basic/event.h"
#include "basic/json.h"
#include "basic/text.h"
#include "gateway/frame.h"
#include "gateway/upstream.h"
#include "http/message.h"

#define RETRY_PAUSE_USEC 20000U
#define TICK_USEC 100000U       /* deadlines are looked at so often, while there are calls */
#define SILENT_USEC 2000000U
#define FETCH_ANSWER_USEC 1000000U

typedef struct Call {
        Exchange exchange;              /* first: an exchange of ours is its call */
        Proxy *proxy;
        HttpRequest *request;           /* or NULL: a fetch */
        proxy_done_t done;
        void *userdata;
        char *bytes;                    /* the framed request */
        uint64_t hold_until_usec;       /* no attempt after it */
        uint64_t answer_usec;           /* how long an attempt may take */
        unsigned n_attempts;
        bool waiting;                   /* for the gate, or for the pause before an attempt */
        struct Call *next, *previous;
} Call;

struct Proxy {
        Plane *plane;
        Upstream *upstream;
        Call *calls;
        size_t n_calls, n_waiting, n_retried;
        ProxyGate gate;
        Error why;                      /* while the gate is closed */
        void (*on_trouble)(ProxyTrouble trouble, void *userdata);
        void *trouble_userdata;
        sd_event_source *tick, *pause;
        bool stopping;
};

static uint64_t now_usec(const Proxy *proxy) {
        uint64_t now = 0;

        (void) sd_event_now(plane_event(proxy->plane), CLOCK_MONOTONIC, &now);
        return now;
}

static Call *call_of(Exchange *exchange) {
        return (Call *) (void *) exchange;
}

int proxy_new(Plane *plane, const char *socket_path, Proxy **ret) {
        _cleanup_free_ Proxy *proxy = calloc(1, sizeof(Proxy));
        int r;

        if (!proxy)
                return -ENOMEM;
        proxy->plane = plane;
        r = upstream_new(plane, socket_path, &proxy->upstream);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(proxy);
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
        Proxy *proxy = call->proxy;

        upstream_abandon(&call->exchange);
        *(call->previous ? &call->previous->next : &proxy->calls) = call->next;
        if (call->next)
                call->next->previous = call->previous;
        proxy->n_calls--;
        proxy->n_waiting -= call->waiting;
        (void) http_request_unref(call->request);
        free(call->bytes);
        free(call);
}

/* The original's members error and message stay beside the problem's. */
static void reply_failed(HttpRequest *q, const Error *e) {
        json_auto_t *problem = NULL;
        int status = error_http_status(e->id);

        if (http_problem_new(e, http_request_path(q), &problem) < 0 ||
            json_put(problem, "error", json_text("Failed to connect to SyncService API")) < 0 ||
            json_put(problem, "message", json_text(e->detail ?: error_title(e->id))) < 0) {
                http_reply_problem(q, e);
                return;
        }
        if (status == 503)
                http_reply_header(q, "Retry-After", "2");
        http_reply_header(q, "Content-Type", HTTP_PROBLEM_TYPE);
        http_reply_json(q, status, problem);
}

static void call_fail(Call *call, const Error *e) {
        if (call->request)
                reply_failed(call->request, e);
        else
                call->done(0, "", call->userdata);
        call_free(call);
}

static void call_fail_with(Call *call, ErrorId id, const char *remedy, const char *detail) {
        _cleanup_error_ Error e = {};

        (void) error_set(&e, id, remedy, "%s", detail);
        call_fail(call, &e);
}

static void call_not_running(Call *call) {
        call_fail_with(call, ERROR_NOT_CONNECTED, "It is started again by itself unless it was stopped; see /status.",
                       "The sync service is not running");
}

static int on_pause(sd_event_source *source, uint64_t usec, void *userdata);

/* Waits for the gate, or for the pause to be over. */
static void call_wait(Call *call, bool pause) {
        Proxy *proxy = call->proxy;

        if (!call->waiting) {
                call->waiting = true;
                proxy->n_waiting++;
        }
        if (now_usec(proxy) >= call->hold_until_usec)
                call_not_running(call);
        else if (pause && !proxy->pause &&
                 event_timer_set(plane_event(proxy->plane), &proxy->pause, RETRY_PAUSE_USEC, "proxy-pause", on_pause, proxy) < 0)
                call_not_running(call);
}

static void trouble(Proxy *proxy, ProxyTrouble what) {
        if (proxy->on_trouble && !proxy->stopping)
                proxy->on_trouble(what, proxy->trouble_userdata);
}

static void call_attempt(Call *call) {
        Proxy *proxy = call->proxy;
        ProxyGate gate = call->request ? proxy->gate : PROXY_OPEN;

        if (proxy->stopping || gate == PROXY_CLOSED) {
                call_fail(call, &proxy->why);
                return;
        }
        if (gate == PROXY_HELD) {
                call_wait(call, false);
                return;
        }
        if (upstream_send(proxy->upstream, &call->exchange) < 0) {
                call_wait(call, true);
                return;
        }
        proxy->n_waiting -= call->waiting;
        call->waiting = false;
        proxy->n_retried += call->n_attempts++ == 1;
}

/* Those that waited when it began; who fails or goes on leaves the list, so it is walked with care. */
static void attempt_waiting(Proxy *proxy) {
        for (Call *call = proxy->calls, *next; call; call = next) {
                next = call->next;
                if (call->waiting)
                        call_attempt(call);
        }
}

static int on_pause(sd_event_source *source, uint64_t usec, void *userdata) {
        Proxy *proxy = userdata;

        event_source_drop(&proxy->pause);
        trouble(proxy, PROXY_BROKEN);
        attempt_waiting(proxy);
        return 0;
}

static void on_answered(Exchange *exchange, const Answer *answer, const char *bytes) {
        Call *call = call_of(exchange);
        _cleanup_free_ char *body = NULL;

        if (answer->status == 503 && answer->close && call->request && exchange->again && !call->proxy->stopping) {
                /* It ends just now, and another one may come. */
                trouble(call->proxy, PROXY_BROKEN);
                call_wait(call, true);
                return;
        }
        if (!call->request) {
                body = strndup(bytes + answer->head_size, answer->body_size);
                call->done(answer->status, body ?: "", call->userdata);
                call_free(call);
                return;
        }
        for (size_t i = 0; i < answer->n_headers; i++) {
                const AnswerHeader *h = answer->headers + i;

                if (!header_is_of_hop(bytes + h->name, h->name_size))
                        http_reply_header_sized(call->request, bytes + h->name, h->name_size, bytes + h->value, h->value_size);
        }
        http_reply_bytes(call->request, answer->status, NULL, bytes + answer->head_size, answer->body_size);
        call_free(call);
}

static void on_broken(Exchange *exchange, ExchangeEnd how) {
        Call *call = call_of(exchange);
        Proxy *proxy = call->proxy;

        if (how == EXCHANGE_NOT_UNDERSTOOD)
                call_fail_with(call, ERROR_ANSWER_LOST, "See the sync service's log; on port 8000 it answers itself.",
                               "The sync service gave an answer that is not understood");
        else if (how == EXCHANGE_LOST && call->request && !exchange->again)
                call_fail_with(call, ERROR_ANSWER_LOST, "Look whether it was done (GET /api/sync/operations) before you send it again.",
                               "The sync service went away while it had the request; it may or may not have been done");
        else {
                trouble(proxy, PROXY_BROKEN);
                /* The first time at once: the socket outlives syncd, and a new one reads what waits there. */
                if (proxy->stopping || proxy->gate != PROXY_OPEN || call->n_attempts <= 1)
                        call_attempt(call);
                else
                        call_wait(call, true);
        }
}

static bool call_is_late(const Call *call, uint64_t now) {
        return call->waiting ? now >= call->hold_until_usec : now >= call->exchange.sent_usec + call->answer_usec;
}

static void arm_tick(Proxy *proxy);

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        Proxy *proxy = userdata;
        uint64_t now = now_usec(proxy), heard = upstream_heard_usec(proxy->upstream);
        bool silent = false;

        event_source_drop(&proxy->tick);
        for (Call *call = proxy->calls, *next; call; call = next) {
                next = call->next;
                silent = silent || (!call->waiting && call->request && now > call->exchange.sent_usec + SILENT_USEC && now > heard + SILENT_USEC);
                if (!call_is_late(call, now))
                        continue;
                if (call->waiting)
                        call_not_running(call);
                else
                        call_fail_with(call, ERROR_ANSWER_LATE, call->exchange.again ? "Try again in a moment; see /status." :
                                       "It may still be done: look (GET /api/sync/operations) before you send it again.",
                                       "The sync service did not answer in time");
        }
        if (silent)
                trouble(proxy, PROXY_SILENT);
        arm_tick(proxy);
        return 0;
}

/* One timer for the deadlines of all calls; a failed one is set with the next call. */
static void arm_tick(Proxy *proxy) {
        if (proxy->calls && !proxy->tick &&
            event_timer_set(plane_event(proxy->plane), &proxy->tick, TICK_USEC, "proxy-tick", on_tick, proxy) < 0)
                proxy->tick = NULL;
}

static Call *call_new(Proxy *proxy, uint64_t hold_usec) {
        Call *call = calloc(1, sizeof(Call));

        if (!call)
                return NULL;
        *call = (Call) { .exchange = { .answered = on_answered, .broken = on_broken }, .proxy = proxy, .next = proxy->calls,
                         .hold_until_usec = now_usec(proxy) + hold_usec };
        if (proxy->calls)
                proxy->calls->previous = call;
        proxy->calls = call;
        proxy->n_calls++;
        arm_tick(proxy);
        return call;
}

void proxy_forward(Proxy *proxy, HttpRequest *request, const char *path, const char *identity) {
        Call *call = proxy->n_calls < PROXY_CALLS_MAX ? call_new(proxy, PROXY_HOLD_USEC) : NULL;
        _cleanup_error_ Error e = {};

        if (!call) {
                (void) error_set(&e, ERROR_TOO_MANY, "Try again in a moment.", "%u requests wait for the sync service already", PROXY_CALLS_MAX);
                http_reply_problem(request, &e);
                return;
        }
        call->request = http_request_ref(request);
        call->answer_usec = PROXY_ANSWER_USEC;
        call->exchange.again = http_method_is_idempotent(http_request_method(request));
        if (frame_request(request, path, identity, &call->bytes, &call->exchange.size) < 0) {
                call_fail_with(call, ERROR_OUT_OF_MEMORY, "Try again in a moment.", "The gateway has no memory for the request");
                return;
        }
        call->exchange.bytes = call->bytes;
        call_attempt(call);
}

void proxy_fetch(Proxy *proxy, const char *path, uint64_t wait_usec, proxy_done_t done, void *userdata) {
        Call *call = call_new(proxy, wait_usec);

        if (!call) {
                done(0, "", userdata);
                return;
        }
        call->exchange.ours = true; /* a probe that found no room would have a sync service killed that only has much to do */
        call->done = done;
        call->userdata = userdata;
        /* On a connection of its own: the answer then says something about syncd, not about those who wait before it. */
        call->answer_usec = wait_usec > FETCH_ANSWER_USEC ? wait_usec : FETCH_ANSWER_USEC;
        if (frame_question(path, &call->bytes, &call->exchange.size) < 0) {
                call_not_running(call);
                return;
        }
        call->exchange.bytes = call->bytes;
        call_attempt(call);
}

void proxy_gate(Proxy *proxy, ProxyGate gate, const Error *why) {
        proxy->gate = gate;
        error_done(&proxy->why);
        if (why)
                (void) error_set(&proxy->why, why->id, why->remedy, "%s", why->detail ?: error_title(why->id));
        if (gate != PROXY_HELD && proxy->n_waiting > 0)
                attempt_waiting(proxy);
}

void proxy_watch(Proxy *proxy, void (*on_trouble)(ProxyTrouble trouble, void *userdata), void *userdata) {
        proxy->on_trouble = on_trouble;
        proxy->trouble_userdata = userdata;
}

size_t proxy_n_retried(const Proxy *proxy) {
        return proxy->n_retried;
}

Proxy *proxy_free(Proxy *proxy) {
        if (!proxy)
                return NULL;
        proxy->stopping = true;
        error_done(&proxy->why);
        (void) error_set(&proxy->why, ERROR_UNAVAILABLE, "Try again in a few seconds.", "The gateway is stopping");
        proxy->upstream = upstream_free(proxy->upstream);
        while (proxy->calls)
                call_fail(proxy->calls, &proxy->why);
        event_source_drop(&proxy->tick);
        event_source_drop(&proxy->pause);
        error_done(&proxy->why);
        free(proxy);
        return NULL;
}
