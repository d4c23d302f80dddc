/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* All that terrafusion-syncd has: one of it, made in main.c, given to every handler. */
#include "api/keys.h"
#include "api/over-bus.h"
#include "api/over-http.h"
#include "api/request.h"
#include "basic/event.h"
#include "basic/metric.h"
#include "config/pairs.h"
#include "http/server.h"
#include "monitor/health.h"
#include "monitor/host.h"
#include "monitor/sampler.h"
#include "orchestrate/launcher.h"
#include "orchestrate/queue.h"
#include "syncd/live.h"
#include "syncd/store-thread.h"

#define SERVICE_PORT 8000U
#define DRAIN_MAX_USEC \
        (10U * 1000U * 1000U) /* open requests and store jobs may take that long after SIGTERM */

#define LISTEN_FDS_MAX 8U

typedef struct Schedule Schedule;
#define OBJECTS_FINISHED_MAX 100U /* operations that are over and still objects on the bus */

typedef struct Syncd {
        sd_event *event;
        Settings *settings;
        PairSet *pairs;
        json_t *mistakes; /* of the configuration, an array */
        Error refused;    /* the first mistake of terrafusion.yaml at the last reload, which workers meet, too; ERROR_NONE: there is none */
        StoreThread *store;
        Queue *queue;
        SystemManager *systemd; /* NULL where workers are children */
        Launcher *launcher;
        Schedule *schedule; /* NULL like systemd */
        LiveTable live;
        MetricSet *metrics;
        Sampler *sampler;
        Health *health;
        Host *host;
        Api api;
        Keys *keys;
        OverHttp *over_http;
        HttpServer *http;
        OverBus *bus; /* NULL in tests */
        char finished[OBJECTS_FINISHED_MAX][UUID_TEXT_SIZE]; /* those shown on the bus, oldest first */
        size_t n_finished;
        sd_event_source *wake, *sample, *recover, *progress, *drain, *publish;
        int64_t started_at;               /* µs since 1970 */
        uint64_t started_usec, stop_usec; /* CLOCK_MONOTONIC */
        char instance[UUID_TEXT_SIZE];
        char *recover_failure; /* why the store cannot be read, as it was last told; NULL: it can */
        bool is_recovered, is_stopping;
        int progress_fd, lock_fd;
        int listen_fds[LISTEN_FDS_MAX]; /* of systemd, a second time: the server closes its own */
        size_t n_listen_fds;
} Syncd;

uint64_t syncd_now_usec(const Syncd *s); /* CLOCK_MONOTONIC of this turn of the loop */

/* manager.c: the life of operations between queue, launcher and store. */
/* The last words, for whoever runs us: systemctl status and the gateway's /status show them. In recover.c */
void syncd_status_tell(const Error *error);
/* Reads unfinished operations and finds running workers again; tried again until it works. In recover.c */
_must_check_ int manager_start(Syncd *s);
/* The operation is in the store: queue it. Takes it over. */
_must_check_ int manager_offer(Syncd *s, Operation *operation, bool is_running, Error *error);
void manager_dispatch(Syncd *s); /* starts what may start now */
void manager_worker_ended(const char *operation_id, int exit_status, const Error *cause, void *userdata);
void manager_launcher_ready(void *userdata); /* workers can be started again */
/* After operation_cancel(): `waiting` says it was PENDING and is CANCELLED. request is answered now or when
 * its worker has ended. */
void manager_cancelled(Syncd *s, const char *operation_id, bool waiting, ApiRequest *request);
_must_check_ int manager_sample(Syncd *s); /* begins taking metrics every minute */

/* progress-socket.c: hints of workers at RUNTIME_DIRECTORY/progress.sock. */
_must_check_ int progress_socket_open(Syncd *s, Error *error);

/* publish.c: what the bus shows. All do nothing without a bus. */
void publish_operation(Syncd *s, const Operation *operation); /* after each change of its status */
void publish_progress(Syncd *s); /* soon, at most PUBLISH_USEC apart: of the live ones that are dirty */
void publish_finding(Syncd *s, const json_t *hint);
void publish_pair(Syncd *s, const char *name);
void publish_configuration(Syncd *s);          /* all pairs and systems; those that are gone are dropped */
_must_check_ int publish_history(Syncd *s);    /* the last operations, from the store */

/* reload.c */
/* Reads the configuration in the helper thread, then takes it over. request: answered with what was found;
 * NULL: nobody waits. */
int syncd_reload(Syncd *s, ApiRequest *request, Error *error);
/* Takes settings, pairs and mistakes over and makes them true. */
void syncd_configure(Syncd *s, Settings *settings, PairSet *pairs, const Mistakes *mistakes);

/* gate.c: what holds an operation back beside the queue: "hours" of its systems, "connections" that they allow, a "configuration" that was
 * refused. */
const char *gate_of(const char *operation_id, void *syncd);
/* The earlier of wake_usec and the next time at which the hours of a waiting operation begin (CLOCK_MONOTONIC). */
uint64_t gate_wake_usec(const Syncd *s, uint64_t wake_usec);
/* When an operation's systems may be used (µs since 1970): now where they may; 0: that cannot be told. */
int64_t gate_opens_at(const Syncd *s, const Operation *o);

/* schedule.c: timers and limits at systemd as the configuration says. Listens to s->systemd. */
_must_check_ int schedule_new(Syncd *s, Schedule **ret);
Schedule *schedule_free(Schedule *c);
/* is_new: the configuration was read anew, so systemd may be asked to do so, too. Takes NULL. */
void schedule_apply(Schedule *c, bool is_new);

/* handlers.c */
extern const api_handler_t handlers[_COMMAND_MAX];

/* do-*.c: one per row of api/commands.c. */
int do_root(void *daemon, ApiRequest *request, Error *error);
int do_health_live(void *daemon, ApiRequest *request, Error *error);
int do_health_ready(void *daemon, ApiRequest *request, Error *error);
int do_health_status(void *daemon, ApiRequest *request, Error *error);
int do_metrics(void *daemon, ApiRequest *request, Error *error);
int do_metrics_text(void *daemon, ApiRequest *request, Error *error);
int do_system_status(void *daemon, ApiRequest *request, Error *error);
int do_config_show(void *daemon, ApiRequest *request, Error *error);
int do_operation_list(void *daemon, ApiRequest *request, Error *error);
int do_operation_start(void *daemon, ApiRequest *request, Error *error);
int do_sync_full(void *daemon, ApiRequest *request, Error *error);
int do_sync_incremental(void *daemon, ApiRequest *request, Error *error);
int do_operation_show(void *daemon, ApiRequest *request, Error *error);
int do_operation_cancel(void *daemon, ApiRequest *request, Error *error);
int do_operation_findings(void *daemon, ApiRequest *request, Error *error);
int do_operation_changes(void *daemon, ApiRequest *request, Error *error);
int do_operation_log(void *daemon, ApiRequest *request, Error *error);
int do_operation_active(void *daemon, ApiRequest *request, Error *error);
int do_sync_metrics(void *daemon, ApiRequest *request, Error *error);
int do_config_check(void *daemon, ApiRequest *request, Error *error);
int do_reload(void *daemon, ApiRequest *request, Error *error);
int do_pair_list(void *daemon, ApiRequest *request, Error *error);
int do_pair_show(void *daemon, ApiRequest *request, Error *error);
int do_pair_check(void *daemon, ApiRequest *request, Error *error);
int do_pair_query_plan(void *daemon, ApiRequest *request, Error *error);
int do_drift_list(void *daemon, ApiRequest *request, Error *error);
int do_drift_accept(void *daemon, ApiRequest *request, Error *error);
int do_system_list(void *daemon, ApiRequest *request, Error *error);
int do_system_show(void *daemon, ApiRequest *request, Error *error);
int do_system_check(void *daemon, ApiRequest *request, Error *error);
int do_quarantine_list(void *daemon, ApiRequest *request, Error *error);
int do_quarantine_show(void *daemon, ApiRequest *request, Error *error);
int do_dashboard_summary(void *daemon, ApiRequest *request, Error *error);
int do_dashboard_pairs(void *daemon, ApiRequest *request, Error *error);
int do_dashboard_errors(void *daemon, ApiRequest *request, Error *error);

/* Shared by them. */
/* Inserts the operation (taken over) and answers: with a Location and the operation, or as the original did
 * where is_original. */
_must_check_ int operation_start(Syncd *s, ApiRequest *request, Operation *operation, bool is_original,
                                 Error *error);
/* A new operation with who, via and request_id of the request. */
_must_check_ int operation_asked(ApiRequest *request, const char *pair, OperationKind kind, Operation **ret,
                                 Error *error);
json_t *pair_document(const Syncd *s, const Pair *pair);               /* NULL without memory, as all three */
json_t *broken_pair_document(const BrokenPair *broken);
json_t *system_document(const Syncd *s, const System *system);
json_t *live_answer(const Syncd *s, const Live *live); /* with why it waits; NULL without memory */

/* What most store jobs need: the request they answer and what they found. In query.c */
typedef struct Query {
        Syncd *syncd;
        ApiRequest *request; /* a reference; answered in done */
        json_t *result;      /* made by work */
        uint64_t total;
        char *state_directory, *pair, *id,
                *entity; /* copies, since the configuration may change meanwhile */
        char **pairs;
        int64_t number, from, to;
        int kind, status;
        unsigned limit, offset;
        void (*finish)(struct Query *q); /* in the loop, before the answer; may be NULL */
} Query;
_must_check_ int query_new(Syncd *s, ApiRequest *request, Query **ret, Error *error);
Query *query_free(Query *q);
DEFINE_CLEANUP(Query, query_free)
/* The same for the operation of the argument "id". */
_must_check_ int query_by_operation(Syncd *s, ApiRequest *request, Query **ret, Error *error);
/* The pair of the argument "sync_pair_id", by name or alias; a name that no pair has any more still finds its old operations. */
_must_check_ int query_of_pair(Query *q, Error *error);
/* Names of all pairs, or of the one that is asked for by name or alias; broken ones, too. ERROR_NOT_FOUND. */
_must_check_ int pairs_wanted(const Syncd *s, const char *asked, char ***ret, Error *error);
/* Nothing was found and no pair is called so: 404 with the nearest name. */
void query_refuse_unknown_pair(Query *q);
/* Submits; on success the query belongs to the job, and its result is the answer. */
_must_check_ int query_submit(Query **q, StoreNeed need, store_work_t work, Error *error);
/* In the helper thread: {id, kind, status, start_time, end_time, error} of a pair's newest operation with
 * that status (-1: any), checks or runs; JSON null where there is none, NULL with error set on failure. */
json_t *operation_newest(Database *state, const char *pair, bool checks, int status, Error *error);
