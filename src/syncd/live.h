/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The operations that wait or run, in memory, with the progress their workers told. In syncd. */
#include "api/request.h"
#include "model/operation.h"
#include <systemd/sd-event.h>

typedef struct LiveEntity {
        char *entity;
        int64_t total;
} LiveEntity; /* records the source has; -1 unknown */

typedef struct Live {
        struct Live *next; /* oldest first */
        Operation *operation;
        LiveEntity *entities;
        size_t n_entities;
        uint64_t attempt_at_usec; /* CLOCK_MONOTONIC, when its worker was started; 0: waits */
        int64_t n_read_before;    /* records of earlier attempts: the rate is of this one */
        ApiRequest **cancellers;  /* wait for its end */
        size_t n_cancellers, cancellers_capacity;
        sd_event_source *retry, *patience; /* of writing its end; of those who wait */
        int exit_status;                   /* of its worker, while its end is written; -1 unknown */
        bool cancel_requested, is_settling;
        bool has_decision;   /* the queue was told of its worker's end, and said what follows: … */
        bool is_retried;     /* … another attempt … */
        uint64_t due_usec;   /* … then (CLOCK_MONOTONIC) … */
        unsigned n_attempts; /* … or none after so many */
        bool is_dirty; /* its progress is newer than what the bus shows */
        bool has_progress; /* this attempt of one that follows a log has applied something, or lived for a while */
        Error cause; /* why its worker could not be started, or how it died */
        void *owner; /* the Syncd */
} Live;

typedef struct LiveTable {
        Live *first;
        size_t n;
} LiveTable;

/* Takes the operation over. NULL without memory (then it is freed). */
Live *live_add(LiveTable *table, Operation *operation, void *owner);
void live_remove(LiveTable *table, Live *live);
Live *live_find(const LiveTable *table, const char *id);
void live_done(LiveTable *table);
/* A worker's hint {"operation_id","entity","n_read",…,"total"}: takes its counts over. false: no such
 * operation, or malformed. */
bool live_hint(const LiveTable *table, const json_t *hint);
/* operation_to_json() and progress (0–100), message, records_total, rate (records/s), remaining_seconds.
 * NULL without memory. */
json_t *live_to_json(const Live *live, const char *waiting_for, uint64_t now_usec);
/* The same members for an operation that is not live: progress 100 when completed. Takes NULL. */
json_t *operation_with_progress(const Operation *o);
