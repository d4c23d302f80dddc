/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What progress.c, baseline.c, seen.c and checkpoint.c share. In the worker; inside this room only. */
#include "store/files.h"
#include "store/progress.h"

#define SEEN_CHUNK_BYTES 4096U /* one row of table seen */

/* Rows in key order that one query brought, so that a merge costs a comparison per record and not a query.
 * It stands for every baseline row from key `start` to its last row, or to the table's end. */
typedef struct ReadAhead {
        uint8_t *bytes; /* the keys, one after the other; start at the front */
        size_t bytes_size, bytes_capacity;
        struct ReadAheadRow {
                size_t key_offset, key_size;
                BaselineRow row; /* number 0: deleted since */
        } * rows;
        size_t rows_capacity, n_rows, at;
        size_t start_size;
        bool valid, to_end;
        size_t size;     /* pages to ask for next; follows how well the last ones served */
        size_t n_served; /* look-ups answered without a query */
        unsigned run;    /* misses in a row that came in key order */
} ReadAhead;

typedef struct SeenMarks {
        uint8_t *bits;   /* bit of number n: n */
        size_t capacity; /* bytes, whole chunks */
        uint8_t *dirty;  /* per chunk */
        size_t dirty_capacity;
        bool any_dirty;
} SeenMarks;

typedef enum PendingKind { PENDING_NEW, PENDING_KNOWN, PENDING_GONE } PendingKind;

/* Rows that were put or deleted in this transaction and are not in their pages yet: sorted, each page is read
 * and written once. */
typedef struct PendingRows {
        uint8_t *bytes; /* the keys, one after the other */
        size_t bytes_size, bytes_capacity;
        struct PendingRow {
                size_t key_offset, key_size;
                PendingKind kind;
                BaselineRow row;
        } * rows;
        size_t rows_capacity, n_rows;
        bool in_order; /* so far each key came after the one before it */
} PendingRows;

struct ProgressEntity {
        Progress *progress;
        int64_t id;
        char *name;
        uint64_t n_rows, last_number;
        bool counts_dirty; /* the two above differ from the file */
        ReadAhead ahead;
        PendingRows pending;
        SeenMarks seen;
        Checkpoint checkpoint;
};

struct Progress {
        Database *database;
        int lock_fd;
        uint64_t last_batch;
        bool in_transaction;
        bool broken;               /* memory may differ from the file: a rollback could not read it again */
        ProgressEntity **entities; /* pointers are handed out: they must not move */
        size_t n_entities, entities_capacity;
};

/* baseline.c */
void baseline_forget_ahead(ProgressEntity *e);
void baseline_done(ProgressEntity *e);
int baseline_error(ProgressEntity *e, int r, Error *error); /* of -ENOMEM and -EBADMSG */
/* Visits rows in key order from `from` on, as far as n_pages pages go that begin with its own; visit gives 0 to
 * go on, 1 for enough. *ret_end: there are no more. Pending rows must be in their pages. */
struct PageRow;
typedef int (*page_visitor_t)(void *userdata, const struct PageRow *row);
_must_check_ int baseline_visit(ProgressEntity *e, Key from, size_t n_pages, page_visitor_t visit, void *userdata,
                                bool *ret_end, Error *error);

/* baseline-write.c */
_must_check_ int pending_add(ProgressEntity *e, Key key, PendingKind kind, const BaselineRow *row); /* -ENOMEM */
/* Before a look-up: puts pending rows into their pages where the key may be among them. */
_must_check_ int pending_make_way(ProgressEntity *e, Key key, Error *error);
/* All of them into their pages; inside the transaction. */
_must_check_ int pending_write(ProgressEntity *e, Error *error);
void pending_forget(ProgressEntity *e); /* the transaction was rolled back */
void pending_done(ProgressEntity *e);

/* baseline-convert.c: rows of the format before become pages. In a transaction of its own. */
_must_check_ int baseline_convert(ProgressEntity *e, Error *error);

/* seen.c */
_must_check_ int seen_load(ProgressEntity *e, Error *error); /* anew from the file */
_must_check_ int seen_save(ProgressEntity *e, Error *error); /* dirty pieces; inside the transaction */
void seen_saved(ProgressEntity *e);                          /* they are committed */
void seen_done(ProgressEntity *e);

/* checkpoint.c: entity_load() reads id, counts and checkpoint anew from the file, and adds the row where it
 * is missing. */
_must_check_ int entity_load(ProgressEntity *e, Error *error);
_must_check_ int entity_save_counts(ProgressEntity *e, Error *error);
void checkpoint_done(Checkpoint *c);

/* lock.c */
_must_check_ int pair_lock(const char *state_directory, const char *pair, const char *operation_id,
                           int *ret_fd, Error *error);
