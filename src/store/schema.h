/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an entity's tables and mapping looked like at its last run, and what drifted since; in the pair's own file. Written by the worker,
 * read by syncd. */
#include "model/drift.h"
#include "store/database.h"
#include <jansson.h>

typedef struct EntitySchema {
        json_t *columns;        /* {"source": {column: type}, "target": {…}}; NULL: never seen */
        json_t *mapping;        /* of the last full compare (worker/backfill.h); NULL: none that is known */
        json_t *refill;         /* array of fields that the next full compare must look at; NULL: none */
        uint64_t n_filled;      /* records of the running scan that only had newly mapped fields filled in */
} EntitySchema;
void entity_schema_done(EntitySchema *s);
/* Empty where there is none yet. */
_must_check_ int entity_schema_load(Database *d, const char *entity, EntitySchema *ret, Error *error);
/* Inside the transaction. */
_must_check_ int entity_schema_save(Database *d, const char *entity, const EntitySchema *s, Error *error);

typedef enum DriftStatus { DRIFT_STOPS, DRIFT_REPORTED, DRIFT_ACCEPTED, _DRIFT_STATUS_MAX } DriftStatus;
const char *drift_status_to_string(DriftStatus status);

typedef struct Drift {
        const char *entity;
        bool is_target;
        const char *column;             /* "column", or "join.column" */
        DriftKind kind;
        const char *before, *now;       /* declared types; NULL: none, or no such column */
        bool is_mapped;
        DriftStatus status;
        const char *accepted_by;        /* of DRIFT_ACCEPTED */
} Drift;
/* Inside the transaction. Puts or renews the row of a column. */
_must_check_ int drift_put(Database *d, const Drift *drift, const char *operation_id, Error *error);
/* Takes out an entity's rows with that status; operation_id: only those that it has put, NULL: all. What stops is forgotten before each look,
 * and put anew where it still does. */
_must_check_ int drift_forget(Database *d, const char *entity, DriftStatus status, const char *operation_id, Error *error);
/* Array of {sync_pair_id, entity, side, column, kind, old_type, new_type, mapped, status, operation_id, found_at, accepted_at, accepted_by}; those that
 * stop first, then the newest. Read-only, for syncd; no file yet gives an empty array. Appends to array. */
_must_check_ int drift_list(const char *state_directory, const char *pair, json_t *array, Error *error);
