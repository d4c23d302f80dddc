/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One entity of a run: its scan, its counts, and step 8, which records what a batch made true. In the worker. */
#include "detect/detect.h"
#include "store/log-mark.h"
#include "store/schema.h"
#include "validate/validate.h"
#include "worker/backfill.h"
#include "worker/run.h"
#include "worker/throttle.h"

typedef struct EntityRun EntityRun;
struct EntityRun {
        Run *run;
        const Mapping *m;
        ProgressEntity *progress;
        Writer *writer;
        Validator *validator;
        Batch batch;
        /* A batch is prepared while the target is at work on the one before, see pipeline.c. */
        Batch other;      /* the one that is not worked on */
        bool is_at_work;  /* the target: nobody else may use its connection */
        bool is_prepared; /* other: steps 1 and 2, and 3 and 4 where nothing of it has to be fetched */
        bool is_fetched, is_validated; /* of the batch at hand, or of other where that is prepared */
        int prepared; /* what came of preparing it, with the error where it failed */
        Error prepared_error;
        uint64_t prepared_unkeyed;
        DigestScratch scratch;
        EntitySchema schema;
        Throttle throttle;
        uint64_t waited_usec, waited_records; /* for the source, and what it gave, since it was last asked whether to pause */
        Backfill backfill; /* what a changed mapping or a drifted column asks for */
        /* the scan */
        ReadScope scope;             /* which records it asks for */
        bool full;                   /* every record is compared, so that what is not seen is gone */
        bool unchanged;              /* file: the content is the last one's, nothing is read */
        bool diverged;               /* log or feed no longer reached back: every record is compared instead */
        char *content;               /* file: digest of the content before this attempt's scan; NULL: not known */
        Detector *detector;          /* while it is read */
        bool sweeps_keys, swept;     /* deletes are found by reading every key; that is done */
        bool doubts_ranges;          /* digest: what was gone could not be deleted: the ranges are read again next time */
        uint64_t n_present;          /* records of the source that are known to be there, beside those read */
        SeenWindow *windows;         /* where deletes may be; in their arena */
        size_t n_windows;
        Arena *windows_arena;
        char *position, *low, *high; /* where it resumes; watermarks as the checkpoint has them */
        bool scan_end;               /* an earlier attempt finished the scan: only deletes are left */
        bool is_resumed;             /* an earlier attempt began the scan */
        uint64_t settled_batch, scan_batch, n_unkeyed;
        uint64_t n_target; /* records at the target when the scan began */
        uint64_t n_base;   /* what percentages of the guards are of */
        bool first_load; /* no full compare ever ended: there is nothing yet that changes could be a share of */
        bool target_is_empty; /* no need to look for present records */
        bool has_quarantine;
        uint64_t n_held; /* records held in this attempt */
        uint64_t n_warnings;
        /* strategy log */
        LogMark *mark;         /* where the entity is in the log; NULL: it is not followed */
        bool mark_is_new;      /* the log begins here: what an earlier attempt scanned was before it */
        bool in_log_snapshot;  /* the scan reads the very snapshot that the mark stands at */
        EntityResult counted;  /* what guards no longer count: it was there before the log was followed */
        int (*also)(struct EntityRun *e, Error *error); /* what else a batch makes true, instead of a scan's place; NULL: it is a scan's */
        void *follow;          /* also's */
};

/* Opens writer and validator, decides the strategy, takes up an interrupted scan or begins a new one (guards: first_write). */
_must_check_ int entity_begin(EntityRun *e, Run *run, const Mapping *m, Error *error);
/* The same without a scan: what changes comes from the log. Guards count from here on. */
_must_check_ int entity_begin_log(EntityRun *e, Run *run, const Mapping *m, Error *error);
_must_check_ int entity_finish_log(EntityRun *e, Error *error);
/* Does an incremental run of the entity compare everything? */
_must_check_ int entity_needs_compare(Run *run, const Mapping *m, const LogMark *mark, bool *ret, Error *error);
void entity_done(EntityRun *e);
EntityResult *entity_result(EntityRun *e); /* counts of the operation so far; they live in the operation */
/* A scan that an earlier attempt began cannot go on where it was (the source gives no place, or changed so that the place means nothing):
 * marks and counts of what is met again are dropped, what it wrote stays written and counted. */
_must_check_ int entity_restart_scan(EntityRun *e, Error *error);
/* Step 8: baseline, seen marks, quarantine, counts, checkpoint and the batch's number in one transaction. batch_number 0: nothing was journalled. */
_must_check_ int entity_record_batch(EntityRun *e, uint64_t batch_number, Error *error);
/* The same for a batch of deletes. */
_must_check_ int entity_record_deletes(EntityRun *e, uint64_t batch_number, Error *error);
/* The scan is finished and its deletes are done: what it proved becomes the checkpoint. */
_must_check_ int entity_finish(EntityRun *e, Error *error);
/* Before and after every key of the source is read: marks are dropped, and kept. */
_must_check_ int entity_begin_sweep(EntityRun *e, Error *error);
_must_check_ int entity_record_sweep(EntityRun *e, Error *error);
/* Deletes that are not made because records without a usable key might be theirs. */
_must_check_ int entity_withhold_deletes(EntityRun *e, uint64_t n_missing, Error *error);
