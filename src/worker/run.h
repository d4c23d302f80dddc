/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One run of one operation in terrafusion-worker: what all its files share. Blocking, straight-line, killable at every instruction. */
#include "apply/guard.h"
#include "config/settings.h"
#include "connect/connector.h"
#include "model/log.h"
#include "model/operation.h"
#include "store/journal.h"
#include "store/operations.h"
#include "store/progress.h"

typedef struct Run {
        Operation *operation;
        const Settings *settings;
        const Pair *pair;
        Database *state;    /* state.db: attempts, status, summary */
        Progress *progress; /* the pair's own file, with its lock */
        Journal *journal;
        Connection *source, *target;
        Guards guards;
        size_t batch_records; /* changed records in a batch; 0: the limit. Small ones make tests meet many batches */
        int hint_fd;          /* datagrams to syncd; -EBADF: nobody listens */
} Run;

/* Takes the pair's lock and opens its file. ERROR_ALREADY_RUNNING: another worker has the pair, perhaps with this very operation; then nothing
 * is said about the operation in the store, it is that worker's to tell. */
_must_check_ int run_lock(Run *run, Error *error);
/* Opens the journal and both systems; the lock is held. Nothing at the target changes. */
_must_check_ int run_open(Run *run, Error *error);
void run_done(Run *run);
/* A sign of life to systemd. Is the run asked to stop? 0, ERROR_CANCELLED (a user's wish) ERROR_UNAVAILABLE (SIGTERM without one: the machine stops; the next attempt goes on),
 * or ERROR_HOURS. */
_must_check_ int run_check_stop(Run *run, Error *error);
/* ERROR_HOURS where those of one of its systems are over, and nobody allowed it to go on: between two batches, and before the first. */
_must_check_ int run_check_hours(const Run *run, Error *error);
void run_request_stop(int signal_number); /* a signal handler */
/* Is the entity part of the operation? */
bool run_has_entity(const Run *run, const Mapping *mapping);

/* Tells syncd the counts so far; a hint that may be lost. */
void hint_open(Run *run);
void hint_send(Run *run, const char *entity, uint64_t n_total);
/* How it stands with the source's log. lag: of what was applied last. */
typedef struct LogHint {
        LogPosition position;
        int64_t lag_usec, p50_usec, p99_usec;
        int64_t retained_bytes;
        bool progress; /* this attempt got somewhere */
} LogHint;
void hint_log(Run *run, const LogHint *log);
void hint_paused(Run *run, uint64_t pause_usec); /* to spare the source */
void hint_finding(Run *run, const char *entity, const Finding *finding);        /* which rule and field, never what is in the record */

/* settle.c: the last batch that is journalled but not recorded, from the journal alone. */
_must_check_ int settle(Run *run, Error *error);

/* drift.c: columns and types of both sides against those of the last run. OF_RUN: ERROR_DRIFT where the pair's policy stops; else what it reports is
 * remembered as seen. OF_CHECK: only adds to the operation's report. OF_ACCEPTING: all that changed is remembered as seen, and reported. */
typedef enum DriftUse { DRIFT_OF_RUN, DRIFT_OF_CHECK, DRIFT_OF_ACCEPTING } DriftUse;
_must_check_ int drift_check(Run *run, DriftUse use, Error *error);
_must_check_ int drift_accept(Run *run, Error *error);

/* check.c: tables, columns, keys of every entity at both systems; the report goes to the operation. preflight() fails on the first that is not there,
 * so that no entity is written when another cannot be. */
_must_check_ int check_run(Run *run, Error *error);
/* Of one system: can it be opened the way it is configured? */
_must_check_ int check_system(Run *run, const char *name, Error *error);
/* ERROR_SYSTEM_REFUSED with the first row that is not ok. */
_must_check_ int check_verdict(const json_t *report, Error *error);
/* query-plan.c: appends the source's queries of an entity, how the database runs them, and whether that is refused. query_plan_run(): an
 * operation that does this. */
_must_check_ int query_plan_collect(Run *run, const Mapping *m, json_t *report, Error *error);
_must_check_ int query_plan_run(Run *run, Error *error);
_must_check_ int check_preflight(Run *run, Error *error);
