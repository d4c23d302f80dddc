/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/recovery.h"

#include <errno.h>

#include "basic/event.h"
#include "basic/log.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "gateway/cause.h"

#define UNIT_NAME "terrafusion-syncd.service"
#define PROBE_EVERY_USEC 5000000U
#define PROBE_FIRST_USEC 4000000U       /* how long the first probe waits, then the second: who hangs is killed after their sum */
#define PROBE_SECOND_USEC 2000000U
#define READY_USEC 10000000U
#define READY_PAUSE_USEC 50000U
#define FAILED_PAUSE_FIRST_USEC 500000U
#define FAILED_PAUSE_MAX_USEC 60000000U
#define STOPPED_REMEDY "Start it: POST /start-syncservice, or systemctl start terrafusion-syncd."
#define REFUSED_REMEDY_UNIT "Mend it (journalctl -u terrafusion-syncd -n 50 names each mistake), then POST /start-syncservice."
#define REFUSED_REMEDY_STANDALONE "Mend it (the sync service's output names each mistake), then POST /start-syncservice."
#define LOG_REMEDY_UNIT "See journalctl -u terrafusion-syncd -n 50."
#define LOG_REMEDY_STANDALONE "See the last lines of the gateway's and the sync service's output."

typedef struct Start {
        Recovery *recovery;             /* NULL: told already, its fetch or job is still to end */
        recovery_started_t done;
        void *userdata;
        uint64_t until_usec;            /* monotonic: it has to be ready by then */
        sd_event_source *again;
        char *failed;                   /* what its job ended with; told with the state that comes after it */
        struct Start *next;
} Start;

struct Recovery {
        sd_event *event;
        Proxy *proxy;
        Standalone *standalone;
        Unit *unit;
        SyncdState state;
        unsigned n_restarts, n_seen;    /* ours; the manager's when last looked at */
        int64_t last_restart;
        char *last_cause, *cause;       /* cause: of the end that no restart followed yet */
        char *reason;
        sd_event_source *probe_timer, *failed_timer;
        uint64_t failed_pause_usec;
        unsigned n_missed, n_hung;
        unsigned life;                  /* counts starts and ends: a probe says something about one of them only */
        unsigned probed_life;
        bool probing, seen_once, stopping;
        bool cause_is_ours;             /* and says more than what the manager saw of it */
        Start *starts;
        void (*news)(void *userdata);
        void *news_userdata;
};

static const char *const state_names[_SYNCD_STATE_MAX] = {
        "unknown", "idle", "starting", "running", "stopping", "stopped", "refused", "failed",
};

const char *syncd_state_to_string(SyncdState state) {
        return state_names[state];
}

static void cause_set(Recovery *r, char *cause, bool ours) {
        if (!cause || (r->cause_is_ours && !ours)) {
                free(cause);
                return;
        }
        free(r->cause);
        r->cause = cause;
        r->cause_is_ours = ours;
}

/* What state a failed unit is in. A stop that ends badly (killed after its time) was still asked for. */
static SyncdState failed_state(const UnitState *u) {
        if (text_equal(u->result, "exit-code") && u->status == EXIT_CONFIGURATION)
                return SYNCD_REFUSED;
        return u->was_asked_to_stop || text_equal(u->result, "timeout") ? SYNCD_STOPPED : SYNCD_FAILED;
}

static SyncdState unit_assess(const UnitState *u) {
        /* In the middle of a restart. */
        if (u->has_job && (u->active == UNIT_INACTIVE || u->active == UNIT_FAILED))
                return SYNCD_STOPPING;
        switch (u->active) {
        case UNIT_INACTIVE: return u->inactive_enter_usec == 0 ? SYNCD_IDLE : SYNCD_STOPPED;
        case UNIT_ACTIVATING: return SYNCD_STARTING;
        case UNIT_ACTIVE: return SYNCD_RUNNING;
        case UNIT_DEACTIVATING: return SYNCD_STOPPING;
        case UNIT_FAILED: return failed_state(u);
        default: return SYNCD_UNKNOWN;
        }
}

static SyncdState standalone_assess(const StandaloneState *s) {
        if (s->given_up)
                return SYNCD_REFUSED;
        return s->running && s->ready ? SYNCD_RUNNING : SYNCD_STARTING;
}

static const char *words_of(const Recovery *r) {
        const char *words = r->unit ? unit_state(r->unit)->status_text : standalone_state(r->standalone)->status_text;

        return words ?: "";
}

static void reason_set(Recovery *r) {
        const char *words = "";
        int size = 0;

        free(r->reason);
        r->reason = NULL;
        if (r->state == SYNCD_STOPPED)
                size = asprintf(&r->reason, "The sync service was stopped by an administrator");
        else if (r->state == SYNCD_REFUSED) {
                words = words_of(r);
                size = asprintf(&r->reason, "The sync service refuses its configuration%s%s", *words ? ": " : "", words);
        } else if (r->state == SYNCD_FAILED)
                size = asprintf(&r->reason, "The sync service failed: %s", r->cause ?: "unknown");
        if (size < 0)
                r->reason = NULL;
}

static const char *remedy_of(const Recovery *r) {
        if (r->state == SYNCD_STOPPED)
                return STOPPED_REMEDY;
        if (r->state == SYNCD_REFUSED)
                return r->standalone ? REFUSED_REMEDY_STANDALONE : REFUSED_REMEDY_UNIT;
        return r->standalone ? LOG_REMEDY_STANDALONE : LOG_REMEDY_UNIT;
}

static void error_of(const Recovery *r, Error *ret) {
        (void) error_set(ret, ERROR_NOT_CONNECTED, remedy_of(r), "%s", r->reason ?: "The sync service is not running");
}

static void gate_set(Recovery *r) {
        _cleanup_error_ Error e = {};

        switch (r->state) {
        case SYNCD_STOPPED: case SYNCD_REFUSED:
                error_of(r, &e);
                proxy_gate(r->proxy, PROXY_CLOSED, &e);
                break;
        case SYNCD_STOPPING: case SYNCD_FAILED:
                proxy_gate(r->proxy, PROXY_HELD, NULL);
                break;
        default:
                proxy_gate(r->proxy, PROXY_OPEN, NULL);
        }
}

static void tell_news(Recovery *r) {
        if (r->news)
                r->news(r->news_userdata);
}

void recovery_watch(Recovery *r, void (*news)(void *userdata), void *userdata) {
        if (!r)
                return;
        r->news = news;
        r->news_userdata = userdata;
}

static void restart_note(Recovery *r, unsigned n) {
        r->n_restarts += n;
        r->last_restart = timestamp_now();
        free(r->last_cause);
        r->last_cause = r->cause ? TAKE_PTR(r->cause) : strdup("unknown");
        r->cause_is_ours = false;
        if (r->unit)
                log_event(LOG_WARNING, MESSAGE_SYNCD_RESTARTED, "The sync service ended and was started again; GET /status tells why.", NULL);
        tell_news(r);
}

/* Whose number of restarts fell was started by hand: it counts anew. The one before the first look is systemd's memory of before us. */
static void restarts_see(Recovery *r, unsigned n) {
        if (!r->seen_once)
                r->n_restarts = n;
        else if (n > r->n_seen)
                restart_note(r, n - r->n_seen);
        r->n_seen = n;
        r->seen_once = true;
}

static void unit_see(Recovery *r) {
        const UnitState *u = unit_state(r->unit);

        if (u->active == UNIT_UNKNOWN)
                return;
        if (!text_equal(u->result, "success") && *u->result)
                cause_set(r, cause_text(u->result, u->code, u->status), false);
        restarts_see(r, u->n_restarts);
}

static void standalone_see(Recovery *r) {
        const StandaloneState *s = standalone_state(r->standalone);

        if (!s->running && s->code != 0)
                cause_set(r, cause_text(cause_result(s->code, s->status), s->code, s->status), false);
        if (s->running)
                restarts_see(r, s->n_restarts);
}

/* Out of the list. 0: it was told already, and is freed. */
static int start_take(Start *start) {
        if (!start->recovery) {
                free(start);
                return 0;
        }
        for (Start **place = &start->recovery->starts; *place; place = &(*place)->next)
                if (*place == start) {
                        *place = start->next;
                        break;
                }
        return 1;
}

/* Tells and frees one that is out of the list. */
static void start_end(Start *start, const Error *error) {
        start->done(error, start->userdata);
        free(start->failed);
        free(start);
}

static void start_fail(Start *start, const char *detail, const char *remedy) {
        _cleanup_error_ Error e = {};

        (void) error_set(&e, ERROR_NOT_CONNECTED, remedy, "%s", detail);
        start_end(start, &e);
}

static void starts_tell(Recovery *r, const Error *error) {
        while (r->starts) {
                Start *start = r->starts;

                r->starts = start->next;
                start->recovery = NULL;
                if (!start->again && !start->failed)    /* its fetch or job is under way, and frees it */
                        start->done(error, start->userdata);
                else {
                        event_source_drop(&start->again);
                        start_end(start, error);
                }
        }
}

/* Those whose job failed, now that it is known how. */
static void starts_tell_failed(Recovery *r) {
        for (Start *start = r->starts, *next; start; start = next) {
                _cleanup_free_ char *detail = NULL;

                next = start->next;
                if (!start->failed)
                        continue;
                if (asprintf(&detail, "The sync service did not start: %s", r->reason ?: r->cause ?: start->failed) < 0)
                        detail = NULL;
                (void) start_take(start);
                start_fail(start, detail ?: "The sync service did not start", remedy_of(r));
        }
}

static int on_failed_pause(sd_event_source *source, uint64_t usec, void *userdata);

static void failed_begin(Recovery *r) {
        if (r->failed_timer || event_timer_set(r->event, &r->failed_timer, r->failed_pause_usec, "syncd-failed", on_failed_pause, r) < 0)
                return;
        r->failed_pause_usec = r->failed_pause_usec * 2 > FAILED_PAUSE_MAX_USEC ? FAILED_PAUSE_MAX_USEC : r->failed_pause_usec * 2;
}

/* Something is new, or was asked after. */
static void on_change(void *userdata) {
        Recovery *r = userdata;
        SyncdState before = r->state;
        _cleanup_error_ Error e = {};

        if (r->unit)
                unit_see(r);
        else
                standalone_see(r);
        r->state = r->unit ? unit_assess(unit_state(r->unit)) : standalone_assess(standalone_state(r->standalone));
        if (r->state != before) {
                r->life++;
                r->n_missed = 0;
        }
        reason_set(r);
        gate_set(r);
        if (r->state == SYNCD_FAILED)
                failed_begin(r);
        else
                event_source_drop(&r->failed_timer);
        if (r->state == SYNCD_RUNNING)
                r->failed_pause_usec = FAILED_PAUSE_FIRST_USEC;
        starts_tell_failed(r);
        if (r->state == SYNCD_REFUSED && before != SYNCD_REFUSED) {
                error_of(r, &e);
                starts_tell(r, &e);
        }
        tell_news(r);
}

static void on_restarted(const char *result, const char *error, void *userdata) {
        if (error)
                log_text(LOG_ERR, "The sync service could not be restarted: %s. The gateway needs its polkit rule (50-terrafusion.rules).", error);
}

static void unit_restart(Recovery *r) {
        if (unit_job(r->unit, "RestartUnit", on_restarted, r) < 0)
                log_text(LOG_WARNING, "The sync service cannot be restarted while systemd's bus is away.");
}

static int on_failed_pause(sd_event_source *source, uint64_t usec, void *userdata) {
        Recovery *r = userdata;

        event_source_drop(&r->failed_timer);
        if (r->state != SYNCD_FAILED)
                return 0;
        restart_note(r, 1);
        unit_restart(r);
        failed_begin(r);        /* again, later, where that did not help */
        return 0;
}

static void hung(Recovery *r) {
        log_event(LOG_WARNING, MESSAGE_SYNCD_RESTARTED, "The sync service does not answer and is killed; it starts again by itself.", NULL);
        r->n_missed = 0;
        cause_set(r, strdup("it hung: two health probes went unanswered"), true);
        if (r->standalone)
                standalone_kill(r->standalone);
        else if (r->n_hung++ % 2 == 0 && unit_kill(r->unit) >= 0)
                return;
        else
                unit_restart(r);
}

static void probe(Recovery *r);

static void on_probed(int status, const char *body, void *userdata) {
        Recovery *r = userdata;

        r->probing = false;
        if (r->stopping)
                return;
        if (status != 0 || r->state != SYNCD_RUNNING || r->life != r->probed_life)
                r->n_missed = 0;
        else if (r->n_missed++ == 0)
                probe(r);
        else
                hung(r);
        tell_news(r);
}

static void probe(Recovery *r) {
        if (r->probing || r->state != SYNCD_RUNNING)
                return;
        r->probing = true;
        r->probed_life = r->life;
        proxy_fetch(r->proxy, "/health/live", r->n_missed == 0 ? PROBE_FIRST_USEC : PROBE_SECOND_USEC, on_probed, r);
}

static int on_probe_due(sd_event_source *source, uint64_t usec, void *userdata) {
        Recovery *r = userdata;
        int k;

        k = event_timer_set(r->event, &r->probe_timer, PROBE_EVERY_USEC, "syncd-probe", on_probe_due, r);
        probe(r);
        return k;
}

/* Before anything connects again: is it gone by itself, or was it stopped? */
static void on_trouble(ProxyTrouble trouble, void *userdata) {
        Recovery *r = userdata;

        if (trouble == PROXY_SILENT)
                probe(r);
        else if (r->unit && r->state != SYNCD_STOPPED && r->state != SYNCD_REFUSED && unit_refresh(r->unit))
                proxy_gate(r->proxy, PROXY_HELD, NULL);
}

int recovery_new(sd_event *event, Proxy *proxy, Standalone *standalone, int (*unit_open)(sd_bus **ret), Recovery **ret) {
        _cleanup_(recovery_freep) Recovery *r = calloc(1, sizeof(Recovery));
        int k;

        if (!r)
                return -ENOMEM;
        r->event = sd_event_ref(event);
        r->proxy = proxy;
        r->standalone = standalone;
        r->failed_pause_usec = FAILED_PAUSE_FIRST_USEC;
        if (unit_open) {
                k = unit_new(event, UNIT_NAME, unit_open, on_change, r, &r->unit);
                if (k < 0)
                        return k;
                if (unit_refresh(r->unit))      /* nobody connects before it is known whether that may be */
                        proxy_gate(proxy, PROXY_HELD, NULL);
        }
        if (standalone)
                standalone_watch(standalone, on_change, r);
        if (r->unit || standalone) {
                proxy_watch(proxy, on_trouble, r);
                k = event_timer_set(event, &r->probe_timer, PROBE_EVERY_USEC, "syncd-probe", on_probe_due, r);
                if (k < 0)
                        return k;
        }
        *ret = TAKE_PTR(r);
        return 0;
}

void recovery_stop(Recovery *r) {
        _cleanup_error_ Error e = {};

        if (!r)
                return;
        r->stopping = true;
        (void) error_set(&e, ERROR_UNAVAILABLE, "Try again in a few seconds.", "The gateway is stopping");
        starts_tell(r, &e);
        proxy_watch(r->proxy, NULL, NULL);
        if (r->standalone)
                standalone_watch(r->standalone, NULL, NULL);
        r->unit = unit_free(r->unit);
        event_source_drop(&r->probe_timer);
        event_source_drop(&r->failed_timer);
}

Recovery *recovery_free(Recovery *r) {
        if (!r)
                return NULL;
        r->unit = unit_free(r->unit);
        event_source_drop(&r->probe_timer);
        event_source_drop(&r->failed_timer);
        free(r->last_cause);
        free(r->cause);
        free(r->reason);
        (void) sd_event_unref(r->event);
        free(r);
        return NULL;
}

void recovery_view(const Recovery *r, RecoveryView *ret) {
        *ret = (RecoveryView) {
                .state = r->state, .hangs = r->n_missed > 0, .n_restarts = r->n_restarts, .last_restart = r->last_restart,
                .last_cause = r->last_cause, .reason = r->reason, .remedy = r->reason ? remedy_of(r) : NULL,
        };
}

static void on_ready(int status, const char *body, void *userdata);

static int on_ready_again(sd_event_source *source, uint64_t usec, void *userdata) {
        Start *start = userdata;

        event_source_drop(&start->again);
        proxy_fetch(start->recovery->proxy, "/health/ready", 0, on_ready, start);
        return 0;
}

/* It answers, but its first checks are still under way. */
static bool ready_soon(Start *start, int status) {
        Recovery *r = start->recovery;
        uint64_t now = 0;

        return r && status != 0 && status != 200 && sd_event_now(r->event, CLOCK_MONOTONIC, &now) >= 0 && now < start->until_usec &&
                event_timer_set(r->event, &start->again, READY_PAUSE_USEC, "syncd-ready", on_ready_again, start) >= 0;
}

static void on_ready(int status, const char *body, void *userdata) {
        Start *start = userdata;
        _cleanup_free_ char *detail = NULL;
        Recovery *r;

        if (ready_soon(start, status) || !start_take(start))
                return;
        if (status == 200) {
                start_end(start, NULL);
                return;
        }
        r = start->recovery;
        if (status != 0)
                start_fail(start, "The sync service runs, but is not ready", "See GET /health/ready for the check that fails.");
        else if (asprintf(&detail, "The sync service did not become ready%s%s", r->cause ? ": " : "", r->cause ?: "") < 0)
                start_fail(start, "The sync service did not become ready", remedy_of(r));
        else
                start_fail(start, detail, remedy_of(r));
}

static void on_started(const char *result, const char *error, void *userdata) {
        Start *start = userdata;
        Recovery *r = start->recovery;

        if (!r)
                (void) start_take(start);
        else if (text_equal(result ?: "", "done"))
                proxy_fetch(r->proxy, "/health/ready", READY_USEC, on_ready, start);
        else {
                start->failed = strdup(error ?: result);
                if (!start->failed || error || !unit_refresh(r->unit))
                        starts_tell_failed(r);
        }
}

/* Through whoever runs it. 1: on_started comes; 0: it is on its way; negative: it cannot be asked for. */
static int manager_start(Recovery *r, Start *start) {
        bool restart = r->state == SYNCD_RUNNING;
        int k;

        if (restart)
                cause_set(r, strdup("asked for by /start-syncservice"), true);
        if (r->unit && r->state != SYNCD_UNKNOWN) {
                k = unit_job(r->unit, restart ? "RestartUnit" : "StartUnit", on_started, start);
                if (k >= 0 && restart)
                        restart_note(r, 1);     /* systemd counts only those it does by itself */
                return k < 0 ? k : 1;
        }
        if (!r->standalone)
                return 0;
        if (!restart)
                return standalone_start(r->standalone);
        standalone_restart(r->standalone);
        return 0;
}

void recovery_start(Recovery *r, recovery_started_t done, void *userdata) {
        Start *start = r->stopping ? NULL : calloc(1, sizeof(Start));
        int k;

        if (!start) {
                done(&(Error) { .id = r->stopping ? ERROR_UNAVAILABLE : ERROR_OUT_OF_MEMORY }, userdata);
                return;
        }
        *start = (Start) { .recovery = r, .done = done, .userdata = userdata, .next = r->starts };
        (void) sd_event_now(r->event, CLOCK_MONOTONIC, &start->until_usec);
        start->until_usec += READY_USEC;
        r->starts = start;
        k = manager_start(r, start);
        if (k == 0)
                proxy_fetch(r->proxy, "/health/ready", READY_USEC, on_ready, start);
        else if (k < 0 && start_take(start))
                start_fail(start, "The sync service could not be started", remedy_of(r));
}
