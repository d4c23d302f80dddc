/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* journals/PAIR-YYYY-MM.db: before and after of each changed field, durable before the target commits;
 * what recovery, undo and explain read. An update keeps the changed fields before and after, a delete the
 * whole record before, an insert the key and both digests. In the worker. */
#include "basic/uuid.h"
#include "model/mapping.h"
#include "model/record.h"
#include "store/database.h"

typedef struct Journal Journal;
_must_check_ int journal_open(const char *state_directory, const char *pair, Journal **ret, Error *error);
Journal *journal_close(Journal *j);
DEFINE_CLEANUP(Journal, journal_close)
/* Appends the batch's INSERT, UPDATE and DELETE changes under number `batch` and syncs. Nothing is written
 * where there are none. */
_must_check_ int journal_append(Journal *j, uint64_t batch, const char *operation_id, const Mapping *m,
                                const Batch *changes, Error *error);
/* Takes back the newest batch, which never reached its target. */
_must_check_ int journal_forget(Journal *j, uint64_t batch, Error *error);
/* The newest batch becomes what `changes` now say, in one transaction: at a target without transactions some records
 * were refused while others are written. Nothing is left of it where all were refused. */
_must_check_ int journal_replace(Journal *j, uint64_t batch, const char *operation_id, const Mapping *m,
                                 const Batch *changes, Error *error);
/* Of the newest batch, as journal_unsettled() gave it, only the entries i with keep[i] stay; the whole batch goes
 * where none does. Nothing else of it changes. */
_must_check_ int journal_keep(Journal *j, uint64_t batch, const bool *keep, size_t n_entries, Error *error);

typedef struct JournalEntry {
        ChangeKind kind;
        Key key;
        Digest source_digest, target_digest;
        size_t n_fields;       /* update: changed ones; delete: all of the record */
        const char **fields;   /* names */
        Value *before, *after; /* after: NULL for deletes */
} JournalEntry;
typedef struct JournalBatch {
        uint64_t batch;
        char operation_id[UUID_TEXT_SIZE];
        char *entity; /* in the arena */
        int64_t written_at;
        LogPosition log_until; /* as the batch's */
        JournalEntry *entries; /* in the arena */
        size_t n_entries;
} JournalBatch;
/* The batch after last_recorded, if it is the newest one journalled (also in an earlier month's file): 1,
 * else 0. */
_must_check_ int journal_unsettled(Journal *j, uint64_t last_recorded, Arena *arena, JournalBatch *ret,
                                   Error *error);
/* Changes of an operation as JSON: [{entity,key,kind,fields:{name:{before,after}},at}], a page. Read-only
 * use in syncd: opens the files itself. */
_must_check_ int journal_changes(const char *state_directory, const char *pair, const char *operation_id,
                                 unsigned limit, unsigned offset, json_t **ret, Error *error);
