/* SPDX-License-Identifier: Apache-2.0 */
/* The life of operations: offered → started → their worker ends → its end is written → over, or the next
 * attempt. The state store is the truth; what is here is rebuilt from it when syncd starts. */
#include <inttypes.h>

#include "basic/json.h"
#include "basic/log.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "store/operations.h"
#include "syncd/syncd.h"

#define RETRY_STORE_USEC     (1000U * 1000U)      /* while the state store is away */
#define EXIT_HOURS           76                   /* of a worker: the hours of a system are over */
#define CANCEL_PATIENCE_USEC (8U * 1000U * 1000U) /* below the gateway's and the original's 10 s */

uint64_t syncd_now_usec(const Syncd *s) {
        uint64_t now = 0;

        (void) sd_event_now(s->event, CLOCK_MONOTONIC, &now);
        return now;
}

/* What the queue says; where nothing holds it back there, it is systemd that is away. */
static const char *waiting_for(const Syncd *s, const char *id, uint64_t now) {
        const char *what = queue_waiting_for(s->queue, id, now);

        if (what || !s->launcher || queue_is_running(s->queue, id))
                return what;
        return launcher_is_ready(s->launcher) ? NULL : "systemd";
}

json_t *live_answer(const Syncd *s, const Live *live) {
        uint64_t now = syncd_now_usec(s);

        return live_to_json(live, waiting_for(s, live->operation->id, now), now);
}

static void operation_changed(Syncd *s, const Operation *o) {
        metric_gauge(s->metrics, "terrafusion_operations_running", NULL, NULL,
                     (double) queue_n_running(s->queue));
        metric_gauge(s->metrics, "terrafusion_operations_waiting", NULL, NULL,
                     (double) queue_n_waiting(s->queue));
        publish_operation(s, o);
}

int manager_offer(Syncd *s, Operation *operation, bool is_running, Error *error) {
        bool is_planned = operation->next_attempt_at > 0 && !text_equal(operation->waiting_for, "hours"); /* those the gate knows */
        int64_t wait = is_planned ? operation->next_attempt_at - timestamp_now() : 0;
        uint64_t due = syncd_now_usec(s) + (uint64_t) (wait < 0                  ? 0
                                                       : wait > BACKOFF_CAP_USEC ? BACKOFF_CAP_USEC
                                                                                 : wait);
        unsigned n_attempts = (unsigned) operation->n_attempts;
        char id[UUID_TEXT_SIZE];
        Live *live;
        int r;

        r = queue_offer(s->queue, operation->id, operation->sync_pair_id, operation_kind_is_check(operation->kind),
                        n_attempts, wait > 0 ? due : 0, is_running);
        if (r < 0) {
                r = error_set(error,
                              r == -ENOBUFS  ? ERROR_TOO_MANY
                              : r == -EEXIST ? ERROR_CONFLICT
                                             : ERROR_OUT_OF_MEMORY,
                              "Try again later", "Operation \"%s\" could not be queued: %s", operation->id,
                              strerror(-r));
                operation_free(operation);
                return r;
        }
        if (operation->start_time > 0)
                queue_note_begun(s->queue, operation->id);
        if (operation->kind == OPERATION_CONTINUOUS)
                queue_note_endless(s->queue, operation->id);
        memcpy(id, operation->id, sizeof(id));
        live = live_add(&s->live, operation, s);
        if (!live)
                (void) queue_ended(s->queue, id, QUEUE_OUTCOME_FINAL, 0, &due);
        if (!live)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to watch an operation");
        if (is_running)
                live->attempt_at_usec = syncd_now_usec(s);
        operation_changed(s, operation);
        return 0;
}

static int on_wake(sd_event_source *source, uint64_t usec, void *userdata) {
        manager_dispatch(userdata);
        return 0;
}

/* A line about an operation, with its fields. */
static void log_operation(int level, LogId id, const Operation *o, const char *text) {
        _cleanup_free_ char *attempt = NULL;

        if (asprintf(&attempt, "%" PRId64, o->n_attempts) < 0)
                attempt = NULL;
        log_event(level, id, text, "OPERATION_ID", o->id, "SYNC_PAIR", o->sync_pair_id, "ATTEMPT",
                  o->n_attempts > 0 ? attempt : NULL, "REQUEST_ID", o->request_id, "API_KEY_NAME",
                  o->requested_by, NULL);
}

static void live_begin(Syncd *s, Live *live) {
        Operation *o = live->operation;

        o->status = OPERATION_RUNNING;
        o->n_attempts = queue_n_attempts(s->queue, o->id);
        o->next_attempt_at = 0;
        if (o->start_time == 0)
                o->start_time = timestamp_now();
        live->attempt_at_usec = syncd_now_usec(s);
        live->has_progress = false;
        live->n_read_before = 0;
        for (size_t i = 0; i < o->n_results; i++)
                live->n_read_before += o->results[i].n_read;
        log_operation(LOG_DEBUG, MESSAGE_NONE, o, "Started the worker of an operation.");
        operation_changed(s, o);
}

void manager_dispatch(Syncd *s) {
        uint64_t now = syncd_now_usec(s), wake;
        char id[UUID_TEXT_SIZE];

        while (s->is_recovered && !s->is_stopping && launcher_is_ready(s->launcher) &&
               queue_next(s->queue, now, id) == 1) {
                Live *live = live_find(&s->live, id);
                int r;

                assert(live); /* queue and table are filled together */
                error_done(&live->cause);
                r = launcher_start(s->launcher, id, &live->cause);
                if (r < 0)
                        manager_worker_ended(id, -1, NULL, s);
                else
                        live_begin(s, live);
        }
        wake = gate_wake_usec(s, queue_wake_usec(s->queue, now));
        if (wake == UINT64_MAX)
                event_source_drop(&s->wake);
        else if (event_timer_set(s->event, &s->wake, wake > now ? wake - now : 0, "queue-wake", on_wake, s) <
                 0)
                log_warning("The next attempt has no timer; it begins with the next operation.");
}

/* What one job of an operation's end needs and finds. */
typedef struct Ending {
        Syncd *syncd;
        char id[UUID_TEXT_SIZE];
        int exit_status;
        Operation *operation; /* as the store has it */
        json_t *attempts;
        OperationStatus final; /* to be written; PENDING: postpone */
        const char *waiting_for;
        int64_t next_attempt_at;
        Error lost;  /* of the attempt: how its worker died, or why it was not started */
        Error cause; /* of the operation's end */
} Ending;

static Ending *ending_free(Ending *e) {
        if (!e)
                return NULL;
        operation_free(e->operation);
        json_decref(e->attempts);
        error_done(&e->lost);
        error_done(&e->cause);
        free(e);
        return NULL;
}
DEFINE_CLEANUP(Ending, ending_free)

static void settle(Syncd *s, Live *live);

static int on_settle_again(sd_event_source *source, uint64_t usec, void *userdata) {
        Live *live = userdata;

        settle(live->owner, live);
        return 0;
}

static void settle_later(Syncd *s, Live *live) {
        if (event_timer_set(s->event, &live->retry, RETRY_STORE_USEC, "settle-again", on_settle_again,
                            live) < 0)
                log_warning("The end of operation %s is not written and no timer is left; a restart reads "
                            "it again.",
                            live->operation->id);
}

static void answer_cancellers(Syncd *s, Live *live) {
        const Operation *o = live->operation;
        bool is_final = operation_status_is_final(o->status);
        const char *message =
                o->status == OPERATION_CANCELLED ? "Operation cancelled"
                : is_final                       ? "The operation ended before it could be cancelled"
                           : "Cancellation was asked for; the operation stops after its present batch";

        for (size_t i = 0; i < live->n_cancellers; i++) {
                api_request_reply(live->cancellers[i],
                                  json_pack("{s:s, s:s, s:s}", "id", o->id, "status",
                                            operation_status_to_string(o->status), "message", message));
                api_request_unref(live->cancellers[i]);
        }
        live->n_cancellers = 0;
}

static void note_finished(Syncd *s, const Operation *o) {
        metric_add(s->metrics, "terrafusion_operations_total", "status",
                   operation_status_to_string(o->status), 1);
        for (size_t i = 0; i < o->n_results; i++) {
                metric_add(s->metrics, "terrafusion_records_read_total", "pair", o->sync_pair_id,
                           (double) o->results[i].n_read);
                metric_add(s->metrics, "terrafusion_records_written_total", "pair", o->sync_pair_id,
                           (double) (o->results[i].n_inserted + o->results[i].n_updated +
                                     o->results[i].n_deleted));
                metric_add(s->metrics, "terrafusion_records_held_total", "pair", o->sync_pair_id,
                           (double) o->results[i].n_held);
        }
}

static void log_finished(const Operation *o) {
        if (o->status == OPERATION_FAILED) {
                _cleanup_free_ char *text = error_to_text(&o->error);

                bool is_guarded = o->error.id == ERROR_GUARD || o->error.id == ERROR_DRIFT;

                log_operation(is_guarded ? LOG_WARNING : LOG_ERR, is_guarded ? MESSAGE_GUARD_TRIPPED : MESSAGE_OPERATION_FAILED,
                              o, text ? text : "The operation failed.");
        } else
                log_operation(LOG_INFO, MESSAGE_OPERATION_FINISHED, o,
                              o->status == OPERATION_CANCELLED ? "The operation was cancelled."
                                                               : "The operation completed.");
}

/* The operation is over and the store says so. */
static void finish(Syncd *s, Live *live, Operation *stored) {
        uint64_t due;

        (void) queue_ended(s->queue, stored->id, QUEUE_OUTCOME_FINAL, 0, &due);
        operation_free(live->operation);
        live->operation = stored;
        answer_cancellers(s, live);
        note_finished(s, stored);
        live->operation = NULL; /* off the table before it is shown: its pair is free by then */
        live_remove(&s->live, live);
        operation_changed(s, stored);
        operation_free(stored);
        manager_dispatch(s);
}

static int work_write_end(Database *state, void *job, Error *error) {
        Ending *e = job;
        int r;

        if (e->final == OPERATION_PENDING)
                r = operation_postpone(state, e->id, e->next_attempt_at, e->waiting_for, error);
        else
                r = operation_finish(state, e->id, e->final, e->cause.id == ERROR_NONE ? NULL : &e->cause,
                                     error);
        if (r < 0)
                return r;
        operation_free(TAKE_PTR(e->operation));
        return operation_load(state, e->id, &e->operation, error);
}

static void log_planned(const Operation *o, bool is_closed) {
        int64_t wait = o->next_attempt_at - timestamp_now();
        _cleanup_free_ char *text = NULL;

        if (is_closed) {
                log_operation(LOG_INFO, MESSAGE_HOURS_OVER, o, "The hours of its systems are over; it goes on when they begin.");
                return;
        }
        if (asprintf(&text, "Attempt %" PRId64 " begins in %.1f s.", o->n_attempts + 1,
                     wait > 0 ? (double) wait / USEC_PER_SEC : 0.0) < 0)
                text = NULL;
        log_operation(LOG_INFO, MESSAGE_ATTEMPT_PLANNED, o, text ? text : "The next attempt is planned.");
}

/* A job of settling has ended; where the store refused, all is tried again. */
static bool job_went_well(Live *live, int r, const Error *error, const char *what) {
        Syncd *s = live->owner;

        live->is_settling = false;
        if (r >= 0)
                return true;
        if (!s->is_stopping)
                log_error(MESSAGE_NONE, error, "The end of operation %s could not be %s and is tried again",
                          live->operation->id, what);
        settle_later(s, live);
        return false;
}

static void on_end_written(void *job, int r, Error *error) {
        _cleanup_(ending_freep) Ending *e = job;
        Syncd *s = e->syncd;
        Live *live = live_find(&s->live, e->id);

        if (!live)
                return;
        if (!job_went_well(live, r, error, "written"))
                return;
        if (operation_status_is_final(e->operation->status)) {
                log_finished(e->operation); /* what a worker ended, it has logged */
                finish(s, live, TAKE_PTR(e->operation));
                return;
        }
        live->operation->status = OPERATION_PENDING;
        live->operation->next_attempt_at = e->next_attempt_at;
        live->operation->n_attempts = queue_n_attempts(s->queue, e->id);
        log_planned(live->operation, live->exit_status == EXIT_HOURS);
        live->attempt_at_usec = 0;
        error_done(&live->cause); /* it is told; nothing has begun since */
        queue_release(s->queue, e->id);
        operation_changed(s, live->operation);
        if (live->cancel_requested) { /* asked while the end was being written */
                settle(s, live);
                return;
        }
        manager_dispatch(s);
}

/* "…; it is tried again" was true of each attempt but the last. */
static void remedy_after_giving_up(Error *cause) {
        static const char nothing[] = "Nothing: it is tried again", again[] = "it is tried again";
        const char *remedy = cause->remedy ?: "", *words = text_starts_with(remedy, nothing) ? nothing : again,
                   *at = strstr(remedy, words);
        char *text;

        if (!at || asprintf(&text, "%.*s%s%s", (int) (at - remedy), remedy,
                            words == nothing ? "Start the run again" : "then start the run again",
                            at + strlen(words)) < 0)
                return;
        free(cause->remedy);
        cause->remedy = text;
}

/* The last attempt's error, so that giving up says why and not only how often. */
static void cause_of_giving_up(Ending *e, unsigned n_attempts) {
        const json_t *last = json_array_get(e->attempts, json_array_size(e->attempts) - 1),
                     *error = json_object_get(last, "error");

        if (json_is_object(error) && error_from_json(error, &e->cause) >= 0) {
                error_prefix(&e->cause, "Gave up after %u attempts", n_attempts);
                remedy_after_giving_up(&e->cause);
                return;
        }
        (void) error_set(&e->cause, ERROR_WORKER_LOST,
                         "Look for the worker's end in the log of this operation; its memory may be too "
                         "small (limits: worker_memory)",
                         "Gave up after %u attempts: the worker ended without an outcome each time",
                         n_attempts);
}

/* The queue is told of each end once, however often the store has to be tried to write it down. */
static bool attempt_follows(Syncd *s, Live *live) {
        const char *id = live->operation->id;
        uint64_t now = syncd_now_usec(s);

        if (!live->has_decision) {
                live->has_decision = true;
                if (live->has_progress)
                        queue_note_progress(s->queue, id);
                live->due_usec = now;
                live->n_attempts = queue_n_attempts(s->queue, id);
                live->is_retried = queue_ended(s->queue, id,
                                               live->exit_status == 75           ? QUEUE_OUTCOME_TRANSIENT
                                               : live->exit_status == EXIT_HOURS ? QUEUE_OUTCOME_CLOSED
                                                                                 : QUEUE_OUTCOME_LOST,
                                               now, &live->due_usec) == QUEUE_RETRY;
        }
        return live->is_retried;
}

/* Decides what the operation's end is when its worker has not said so itself. */
static void decide(Syncd *s, Live *live, Ending *e) {
        if (live->cancel_requested || e->operation->cancel_requested)
                e->final = OPERATION_CANCELLED;
        else if (e->lost.id != ERROR_NONE && error_class(e->lost.id) == ERROR_CLASS_PERMANENT) {
                e->final = OPERATION_FAILED;
                error_move(&e->cause, &e->lost);
        } else if (e->exit_status == 78 || e->exit_status == 1 || e->exit_status == 4) {
                e->final = OPERATION_FAILED;
                (void) error_set(&e->cause, e->exit_status == 78 ? ERROR_CONFIGURATION : ERROR_INTERNAL,
                                 "Look at the log of this operation",
                                 "The worker ended with status %d before it could write why",
                                 e->exit_status);
        } else if (attempt_follows(s, live)) {
                e->final = OPERATION_PENDING;
                e->next_attempt_at = timestamp_now() + (int64_t) live->due_usec -
                                     (int64_t) syncd_now_usec(s);
                e->waiting_for = "attempt";
                if (live->exit_status == EXIT_HOURS) {
                        e->next_attempt_at = gate_opens_at(s, live->operation);
                        e->waiting_for = "hours";
                }
        } else {
                e->final = OPERATION_FAILED;
                cause_of_giving_up(e, live->n_attempts);
        }
}

/* 75 and 76 end their attempt themselves; whoever died did not, and what could not be started has not begun one. */
static int attempt_lost(Database *state, Ending *e, Error *error) {
        bool has_begun = e->operation->status == OPERATION_RUNNING;
        int64_t number;
        int r;

        if (e->exit_status == 75 || e->exit_status == EXIT_HOURS || (!has_begun && e->lost.id == ERROR_NONE))
                return 0;
        if (e->lost.id == ERROR_NONE)
                (void) error_set(&e->lost, ERROR_WORKER_LOST, NULL, "The worker ended without an outcome");
        r = has_begun ? 0 : operation_attempt_begin(state, e->id, &number, error);
        return r < 0 ? r : operation_attempt_end(state, e->id, &e->lost, error);
}

static void log_lost(Syncd *s, const Ending *e) {
        _cleanup_free_ char *text = error_to_text(&e->lost);

        log_operation(LOG_WARNING, MESSAGE_ATTEMPT_LOST, e->operation,
                      text ? text : "The worker ended without an outcome.");
        metric_add(s->metrics, "terrafusion_workers_lost_total", NULL, NULL, 1);
}

static int work_read_end(Database *state, void *job, Error *error) {
        Ending *e = job;
        int r;

        r = operation_load(state, e->id, &e->operation, error);
        if (r < 0 || operation_status_is_final(e->operation->status))
                return r;
        r = attempt_lost(state, e, error);
        if (r < 0)
                return r;
        return operation_attempts(state, e->id, &e->attempts, error);
}

static void on_end_read(void *job, int r, Error *error) {
        _cleanup_(ending_freep) Ending *e = job;
        Syncd *s = e->syncd;
        Live *live = live_find(&s->live, e->id);

        if (!live)
                return;
        if (!job_went_well(live, r, error, "read"))
                return;
        if (operation_status_is_final(e->operation->status)) {
                finish(s, live, TAKE_PTR(e->operation));
                return;
        }
        if (e->lost.id != ERROR_NONE)
                log_lost(s, e);
        decide(s, live, e);
        if (store_submit(s->store, STORE_STATE, work_write_end, on_end_written, e, error) < 0) {
                settle_later(s, live);
                return;
        }
        live->is_settling = true;
        (void) TAKE_PTR(e);
}

static void settle(Syncd *s, Live *live) {
        _cleanup_(ending_freep) Ending *e = calloc(1, sizeof(Ending));
        _cleanup_error_ Error error = {};

        if (live->is_settling || s->is_stopping)
                return;
        if (e) {
                e->syncd = s;
                e->exit_status = live->exit_status;
                error_copy(&e->lost, &live->cause);
                memcpy(e->id, live->operation->id, sizeof(e->id));
        }
        if (!e || store_submit(s->store, STORE_STATE, work_read_end, on_end_read, e, &error) < 0) {
                settle_later(s, live);
                return;
        }
        live->is_settling = true;
        (void) TAKE_PTR(e);
}

void manager_launcher_ready(void *userdata) { manager_dispatch(userdata); }

void manager_worker_ended(const char *operation_id, int exit_status, const Error *cause, void *userdata) {
        Syncd *s = userdata;
        Live *live = live_find(&s->live, operation_id);

        if (!live)
                return;
        live->exit_status = exit_status;
        live->has_decision = false;
        if (cause)
                error_copy(&live->cause, cause);
        settle(s, live);
}

static int on_patience_lost(sd_event_source *source, uint64_t usec, void *userdata) {
        Live *live = userdata;

        answer_cancellers(live->owner, live);
        return 0;
}

/* Answers when the worker has ended, or after a while with what is true then. */
static void canceller_add(Syncd *s, Live *live, ApiRequest *request) {
        if (array_grow(&live->cancellers, &live->cancellers_capacity, live->n_cancellers + 1,
                       sizeof(ApiRequest *)) < 0 ||
            event_timer_set(s->event, &live->patience, CANCEL_PATIENCE_USEC, "cancel-patience",
                            on_patience_lost, live) < 0) {
                api_request_reply(request, NULL);
                return;
        }
        live->cancellers[live->n_cancellers++] = api_request_ref(request);
}

void manager_cancelled(Syncd *s, const char *operation_id, bool waiting, ApiRequest *request) {
        Live *live = live_find(&s->live, operation_id);

        if (!live) {
                api_request_reply(request, json_pack("{s:s, s:s, s:s}", "id", operation_id, "status",
                                                     "CANCELLED", "message", "Operation cancelled"));
                return;
        }
        live->cancel_requested = live->operation->cancel_requested = true;
        canceller_add(s, live, request);
        if (launcher_is_running(s->launcher, operation_id))
                (void) launcher_stop(s->launcher,
                                     operation_id); /* a hint: the worker also reads cancel_requested */
        else
                settle(s, live); /* waiting, or between two attempts: no worker will say it */
}
