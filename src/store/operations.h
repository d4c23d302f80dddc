/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* state.db: operations with their attempts and a summary that can be recomputed from the pair's own file.
 * In syncd (store thread) and workers; every call is one short transaction. */
#include "model/operation.h"
#include "store/database.h"

/* STATE/state.db. */
_must_check_ int state_open(const char *state_directory, Database **ret, Error *error);
/* Inserts a PENDING operation. Another with the same idempotency_key: 0 and the earlier one's id in
 * ret_existing (UUID_TEXT_SIZE); else 1. */
_must_check_ int operation_insert(Database *d, const Operation *o, char *ret_existing, Error *error);
/* One operation with its results. ERROR_NOT_FOUND. */
_must_check_ int operation_load(Database *d, const char *id, Operation **ret, Error *error);

typedef struct OperationFilter {
        const char *sync_pair_id; /* NULL: any */
        int kind, status;         /* -1: any */
        int64_t from, to;         /* created_at, µs; 0: open */
        const char *before_id;    /* cursor: operations older than this id */
        unsigned limit, offset;
} OperationFilter;
/* A negative result stops the list and is handed up. Must not use the database. */
typedef int (*operation_handler_t)(const Operation *o, void *userdata);
/* Newest first. *ret_total (may be NULL): how many match without limit, offset and cursor. */
_must_check_ int operation_list(Database *d, const OperationFilter *filter, operation_handler_t handler,
                                void *userdata, uint64_t *ret_total, Error *error);
/* PENDING and RUNNING, oldest first: what the queue starts from. */
_must_check_ int operation_list_unfinished(Database *d, operation_handler_t handler, void *userdata,
                                           Error *error);

/* By the worker: RUNNING, attempt n begins (a row of its own), start_time at the first. ERROR_CONFLICT
 * where it is final already. */
_must_check_ int operation_attempt_begin(Database *d, const char *id, int64_t *ret_attempt, Error *error);
/* Ends the running attempt with its cause (NULL: fine). */
_must_check_ int operation_attempt_end(Database *d, const char *id, const Error *cause, Error *error);
/* The attempt that just ended does not count: it did nothing wrong (n_attempts; its row stays). */
_must_check_ int operation_attempt_forgive(Database *d, const char *id, Error *error);
/* Writes results (anew), mapping_hash and report. */
_must_check_ int operation_save_results(Database *d, const Operation *o, Error *error);
/* Final status, end_time, error (may be NULL). 1, or 0 where it was final before (then nothing changes). */
_must_check_ int operation_finish(Database *d, const char *id, OperationStatus status, const Error *cause,
                                  Error *error);
/* Back to PENDING until next_attempt_at. */
_must_check_ int operation_postpone(Database *d, const char *id, int64_t next_attempt_at,
                                    const char *waiting_for, Error *error);
/* PENDING becomes CANCELLED at once (1); RUNNING gets cancel_requested (0). ERROR_NOT_FOUND;
 * ERROR_CONFLICT where final. */
_must_check_ int operation_cancel(Database *d, const char *id, Error *error);
_must_check_ int operation_is_cancel_requested(Database *d, const char *id, bool *ret, Error *error);
/* The original's totals of the last `days` (COMPLETED and FAILED): object as GET /api/sync/metrics
 * answers. */
_must_check_ int operation_totals(Database *d, const char *sync_pair_id, int64_t from, int64_t to,
                                  json_t **ret, Error *error);
/* Array of attempts {number, start_time, end_time, error}. */
_must_check_ int operation_attempts(Database *d, const char *id, json_t **ret, Error *error);
