/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An operation: one run of a pair. Plain data, owned. */
#include "basic/error.h"
#include "basic/uuid.h"
#include "model/field.h"
#include <jansson.h>

typedef enum OperationKind { OPERATION_FULL, OPERATION_INCREMENTAL, OPERATION_CONTINUOUS, OPERATION_CHECK, OPERATION_QUERY_PLAN, OPERATION_DRIFT_ACCEPT, _OPERATION_KIND_MAX, _OPERATION_KIND_INVALID = -1 } OperationKind;
typedef enum OperationStatus {
        OPERATION_PENDING, OPERATION_RUNNING, OPERATION_COMPLETED, OPERATION_FAILED, OPERATION_CANCELLED,
        _OPERATION_STATUS_MAX, _OPERATION_STATUS_INVALID = -1,
} OperationStatus;
/* Reads catalogs, writes no record: beside the limit of operations, at any hour. */
static inline bool operation_kind_is_check(OperationKind kind) { return kind == OPERATION_CHECK || kind == OPERATION_QUERY_PLAN || kind == OPERATION_DRIFT_ACCEPT; }
const char *operation_kind_to_string(OperationKind kind);       /* "full" */
OperationKind operation_kind_from_string(const char *name);     /* any case */
const char *operation_status_to_string(OperationStatus status); /* "COMPLETED" */
OperationStatus operation_status_from_string(const char *name); /* any case; in_progress, canceled too */
static inline bool operation_status_is_final(OperationStatus s) { return s >= OPERATION_COMPLETED; }

/* Counts of one entity in one operation. n_read = n_inserted + n_updated + n_unchanged + n_held; deletes are beside it. */
typedef struct EntityResult {
        char *entity;
        int64_t n_read, n_inserted, n_updated, n_deleted, n_unchanged, n_held;
        int64_t n_deletes_withheld;     /* not made because records without a usable key might be theirs */
        bool done;
        bool diverged;                  /* its log or feed no longer reached back: every record was compared instead */
} EntityResult;

typedef struct Operation {
        char id[UUID_TEXT_SIZE];
        char *sync_pair_id;             /* the pair's name; "" for a check of all; a system check: "system:NAME" */
        OperationKind kind;
        OperationStatus status;
        int64_t created_at, start_time, end_time;       /* µs; 0: not yet */
        char **entity_types;            /* NULL: all */
        json_t *parameters;             /* {"allow": ["max_deletes"], "hours": 24, …}; an object */
        EntityResult *results;
        size_t n_results;
        int64_t n_attempts;             /* begun so far */
        int64_t next_attempt_at;        /* µs; 0: none is planned */
        bool cancel_requested;
        char *waiting_for;              /* "worker", "pair", "attempt", "systemd", "hours", "connections", or NULL */
        char *requested_by, *via, *request_id;          /* key name or user; "http", "dbus", "schedule"; for the auditor */
        char *idempotency_key;
        char *mapping_hash;
        Error error;                    /* of FAILED */
        /* of an operation that follows its source's log, as its worker told last */
        char *log_position;             /* NULL: not told */
        int64_t lag_usec;               /* from commit at the source to commit at the target, of what was applied last */
        int64_t source_retained_bytes;  /* of the source's log, kept for us; -1: not told */
        json_t *report;                 /* result of a check: array of {what, ok, message, remedy}; or NULL */
} Operation;
Operation *operation_new(void);
Operation *operation_free(Operation *o);
DEFINE_CLEANUP(Operation, operation_free)
#define _cleanup_operation_ _cleanup_(operation_freep)
/* The original's members (id sync_pair_id sync_type status start_time end_time duration_seconds entity_types records_processed
 * records_succeeded records_failed error_message parameters results) and ours (kind attempts waiting_for error created_at requested_by
 * mapping_hash report; results carry processed succeeded failed inserted updated deleted unchanged quarantined). New reference; NULL without memory. */
json_t *operation_to_json(const Operation *o);
/* What an operation is shown with everywhere: the members above and those of its progress, which syncd adds (progress message rate records_total
 * remaining_seconds). One list for JSON and D-Bus; a test compares. */
extern const Field operation_document_fields[];
EntityResult *operation_result(Operation *o, const char *entity);       /* found or added; NULL without memory */
