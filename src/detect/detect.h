/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Step 1: what may have changed at the source? In the worker.
 * One way for every strategy: the plan says which records the source gives; each is compared with the baseline by the digest of
 * its mapped columns, and only what differs goes on. READ_ALL reads all of them, so that baseline rows not seen are deletes;
 * READ_WATERMARK reads low ≤ stamp < high; READ_RANGES those of ranges that differ, where rows not seen are deletes;
 * READ_CHANGES what log or feed tell: here marks mean the contrary, a marked row is gone. */
#include "detect/digest.h"

/* Makes the key's values of a source record. 0 with findings that hold it where the key cannot be made; -ENOMEM. Text may borrow from source. */
typedef int (*key_maker_t)(const Mapping *m, const Value *source, Arena *arena, Value *ret_key,
                           Finding **findings);

typedef struct DetectPlan {
        Connection *source;
        const Pair *pair;
        const Mapping *mapping;
        ProgressEntity *entity;
        key_maker_t make_key;
        ReadScope scope;
        Value low, high;      /* as in ReadPlan */
        const char *position; /* resume after it, or NULL */
        const StoredRange *known; /* READ_RANGES: as they were last proved, adjacent */
        size_t n_known;
        bool all;             /* READ_RANGES: every range is read */
        uint64_t n_expected;  /* records at the source, about */
        uint64_t
                settled_batch; /* baseline rows of this batch and later ones were counted before a crash; 0: none */
        size_t batch_records; /* changed records in a batch; 0: BATCH_RECORDS_MAX */
        /* Fields are to be compared whatever the baseline says: records that are as they were come as CHANGE_UNDECIDED, too, is_backfill. */
        bool deliver_backfill;
        /* The baseline's digests are of an earlier version of the mapping, of these columns in this order; NULL: of this one. */
        const size_t *before_columns;
        size_t n_before_columns;
        uint64_t before_seed;
        Database *held;         /* change-log.h: whose quarantine tells what the target lacks; NULL: none */
        bool deliver_unchanged; /* unchanged records come as CHANGE_NONE without values: their quarantine entries may go */
} DetectPlan;

typedef struct Detector Detector;
/* Opens the scan: one snapshot of the source. The plan's pointers must outlive the detector. */
_must_check_ int detector_open(const DetectPlan *plan, Detector **ret, Error *error);
Detector *detector_close(Detector *d);
DEFINE_CLEANUP(Detector, detector_close)
/* false where the plan had a position that no longer fits the source: the scan began anew. */
bool detector_resumed(const Detector *d);
/* Strategy digest: the ranges with their present sums; they are the detector's. */
DigestRanges *detector_ranges(Detector *d);
/* Where log or feed go on after a scan that is at its end; NULL. Borrowed from the reader. */
const char *detector_changes_from(Detector *d);
/* The key that a bound of a range stands for, in the arena: 1; 0: none, since bounds are not the mapping's key, or its order is another;
 * then what is gone from ranges is found by a sweep of keys. */
_must_check_ int detector_bound_key(Detector *d, const char *bound, Arena *arena, Key *ret);
/* A caller that takes turns with two batches may fill one before the other is recorded: keys of the batch before are known. But the marks of the one filled
 * last must be hidden while the other is recorded: were they saved with its place, a scan that goes on there would take their records for duplicates.
 * Fills the batch (arena and counters are reset) until its limits or the end; marks baseline rows as seen, in memory. CHANGE_UNDECIDED changes
 * have source, key and digests; CHANGE_HELD ones a finding (no usable key, or a key met twice). *ret_unkeyed: records without a usable key. */
_must_check_ int detect_next(Detector *d, Batch *batch, uint64_t *ret_unkeyed, Error *error);
void detector_hide_marks(Detector *d); /* as if detect_next() had not been called the last time */
_must_check_ int detector_show_marks(Detector *d); /* again; -ENOMEM */
