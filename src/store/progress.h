/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* pairs/PAIR.db: all that a batch makes true, in one transaction: baseline, seen marks, checkpoint,
 * counts, quarantine. In the worker; one worker per pair (a lock on pairs/PAIR.lock), syncd only reads. */
#include "model/key-range.h"
#include "model/operation.h"
#include "model/record.h"
#include "store/database.h"

typedef struct Progress Progress;
typedef struct ProgressEntity ProgressEntity; /* one entity's baseline, with its seen marks in memory */

/* Opens or creates the file and takes the pair's lock. ERROR_ALREADY_RUNNING names the operation whose
 * worker holds it. */
_must_check_ int progress_open(const char *state_directory, const char *pair, const char *operation_id,
                               Progress **ret, Error *error);
Progress *progress_close(Progress *p);
DEFINE_CLEANUP(Progress, progress_close)
Database *progress_database(Progress *p); /* for quarantine.h */
/* Does some process hold the pair's lock? 1, 0. Fills ret_pid and ret_operation_id when it does (either
 * may be NULL). For syncd. */
_must_check_ int progress_lock_holder(const char *state_directory, const char *pair, pid_t *ret_pid,
                                      char *ret_operation_id);

/* Owned by p. */
_must_check_ int progress_entity(Progress *p, const char *entity, ProgressEntity **ret, Error *error);
_must_check_ int progress_begin(Progress *p, Error *error);
/* Saves dirty seen marks and commits (durable). On failure everything since progress_begin() is undone. */
_must_check_ int progress_commit(Progress *p, Error *error);
/* Ends a transaction in which r came of what was to be done: commits where it went well, else undoes it. Gives r's
 * failure or the commit's, or 0. */
_must_check_ int progress_end(Progress *p, int r, Error *error);
void progress_rollback(Progress *p);

/* Batches of the journal are numbered per pair; the last one recorded here. progress_set_last_batch()
 * inside the transaction. */
uint64_t progress_last_batch(const Progress *p);
_must_check_ int progress_set_last_batch(Progress *p, uint64_t batch, Error *error);

typedef struct BaselineRow {
        uint64_t number;
        uint64_t batch;
        Digest source_digest, target_digest;
} BaselineRow;
/* 1 and the row, or 0. Reads ahead in key order: when keys come in that order a look-up costs a
 * comparison. */
_must_check_ int baseline_find(ProgressEntity *e, Key key, BaselineRow *ret, Error *error);
uint64_t baseline_count(const ProgressEntity *e);
/* Updates the row of that number, or, where *number is 0 since baseline_find() found none, adds it and gives
 * its number. Inside the transaction. */
_must_check_ int baseline_put(ProgressEntity *e, Key key, uint64_t *number, uint64_t batch,
                              const Digest *source, const Digest *target, Error *error);
_must_check_ int baseline_delete(ProgressEntity *e, Key key, Error *error);

/* Seen marks of the running scan, one bit per baseline row, kept over a crash in pieces written when
 * dirty. */
bool seen_test(const ProgressEntity *e, uint64_t number);
_must_check_ int seen_mark(ProgressEntity *e, uint64_t number);
void seen_unmark(ProgressEntity *e, uint64_t number);
_must_check_ int seen_reset(ProgressEntity *e, Error *error); /* a new scan; inside the transaction */
void seen_unmark(ProgressEntity *e, uint64_t number);
/* Which rows are looked for. */
typedef struct SeenWindow {
        Key after, until; /* after < key ≤ until; empty: no bound */
        bool marked;      /* those that are marked; else those that are not */
} SeenWindow;
/* Rows of the window in key order: up to n keys copied into the arena. */
_must_check_ int seen_missing(ProgressEntity *e, const SeenWindow *window, Arena *arena, Key *ret_keys,
                              BaselineRow *ret_rows, size_t n, size_t *ret_n, Error *error);
_must_check_ int seen_count_missing(ProgressEntity *e, uint64_t *ret, Error *error);

/* Ranges of the source's identities that the strategy `digest` compares: those proved last, or pending ones, of the scan under way. */
typedef struct StoredRange {
        KeyRange range;
        bool opened; /* its records are read by the scan */
} StoredRange;
/* All of them in ascending order, adjacent; *ret is the caller's, as stored_ranges_free() frees it. */
_must_check_ int ranges_load(ProgressEntity *e, bool pending, StoredRange **ret, size_t *ret_n, Error *error);
StoredRange *stored_ranges_free(StoredRange *ranges, size_t n_ranges);
/* Inside the transaction. Takes the place of the pending ones (n_ranges 0: there are none). */
_must_check_ int ranges_save_pending(ProgressEntity *e, const StoredRange *ranges, size_t n_ranges, Error *error);
/* Inside the transaction: what the scan opened differs from everything, so that it is opened again. */
_must_check_ int ranges_doubt(ProgressEntity *e, Error *error);
/* Inside the transaction: the pending ones, where there are any, are the proved ones now. */
_must_check_ int ranges_prove(ProgressEntity *e, Error *error);
/* Inside the transaction: none is proved any more. */
_must_check_ int ranges_forget(ProgressEntity *e, Error *error);

/* Where an entity is. Texts are owned by the entity until the next save. */
typedef struct Checkpoint {
        char scan_operation[UUID_TEXT_SIZE]; /* operation whose scan is under way; "" none */
        bool scan_full;                      /* it compares every record */
        int scan_scope;                      /* which records it asks for, a ReadScope of connect/connector.h */
        char *position;                      /* of the scan; NULL: at its start */
        bool scan_end;                       /* scan finished, deletes still to do */
        char *low, *high;   /* encoded watermarks (hex of value_encode): last proved low; this scan's high */
        int64_t full_at;    /* µs when a full compare last finished; 0 never */
        char *mapping_hash; /* of the mapping of the last finished full compare */
        uint64_t
                settled_batch; /* rows of this batch and later ones are counted already in this scan; 0: none */
        uint64_t n_unkeyed;    /* records of this scan without a usable key */
        uint64_t scan_batch;   /* first batch that this scan may have written; 0: not known */
        bool swept;            /* after the scan every key of the source was read: what is unmarked is gone */
        int64_t keys_at;       /* µs when deletes were last looked for in the whole source; 0 never */
        char *changes_from;    /* where the source's log or feed goes on; NULL: not known */
        char *content;         /* digest of the source's content that was last read as a whole; NULL: not known */
} Checkpoint;
const Checkpoint *checkpoint_get(const ProgressEntity *e);
/* Copies; inside the transaction. */
_must_check_ int checkpoint_save(ProgressEntity *e, const Checkpoint *c, Error *error);

/* Adds to an operation's counts of this entity. Inside the transaction. */
_must_check_ int result_add(Progress *p, const char *operation_id, const EntityResult *delta, Error *error);
/* Fills o->results anew. */
_must_check_ int result_load(Progress *p, const char *operation_id, Operation *o, Error *error);
