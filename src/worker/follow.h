/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Strategy log: one slot of the source for all followed entities of a pair. What has to be compared is compared first; then the log is told from where each
 * entity is, gathered into groups of whole transactions where they fit, and applied: parents' upserts first, children's deletes first. In the worker. */
#include "connect/source-log.h"
#include "detect/change-log.h"
#include "worker/entity.h"

typedef struct Followed {
        const Mapping *m;
        LogMark mark;
        bool is_new;   /* its mark was made in this attempt */
        bool is_run;   /* it is part of the operation */
        bool compare;  /* TRUNCATE, or too much to be read by key */
        EntityRun *e;
        DetectPlan detect;
        ChangeLog *changes, *again;
} Followed;

typedef struct Follow {
        Run *run;
        Followed *entities; /* the pair's entities of strategy log, also those that are not part of the operation */
        size_t n_entities;
        const Mapping **mappings;
        LogPlan plan;
        LogSlot slot;
        bool made;          /* the slot was made in this attempt: scans read its snapshot */
        LogStream *stream;
        LogPosition told;   /* everything before it is applied or gathered */
        LogPosition saved;  /* what the pair's file has of that */
        uint64_t end_lsn;   /* where to stop; 0: never */
        uint64_t group_first; /* number of the first batch of the group that is being applied; 0: none yet */
        EntityRun *unrecorded; /* applied, not recorded yet */
        uint64_t unrecorded_number;
        bool unrecorded_deletes, is_last;
        int64_t *commits;    /* when the transactions of this group were committed at the source, µs … */
        size_t n_commits;
        int64_t *delays;     /* … and how long the last ones took to the target, in a ring */
        size_t n_delays, delay_at;
        int64_t begun_usec, checked_usec, told_usec, guarded_usec, saved_usec, window_usec;
        int64_t retained_bytes;
        bool has_progress;   /* this attempt got somewhere */
} Follow;

/* Slot, publication and each entity's place, made where they are missing. *ret stays NULL where nothing of the operation is followed. */
_must_check_ int follow_prepare(Run *run, Follow **ret, Error *error);
Follow *follow_free(Follow *f);
/* Is the mapping followed? Then e gets its mark. */
bool follow_entity(Follow *f, const Mapping *m, EntityRun *e);
/* After the scans. entities: as pipeline_run() has them. */
_must_check_ int follow_run(Follow *f, EntityRun *entities, Error *error);

/* follow-group.c: applies what was gathered, up to f->told. */
_must_check_ int group_apply(Follow *f, Error *error);
/* Records the last batch that was applied; last: with it everything up to f->told is. */
_must_check_ int group_record(Follow *f, bool last, Error *error);
/* Records f->told where nothing else is to be recorded, and lets the source remove what lies before. */
_must_check_ int follow_save(Follow *f, Error *error);
/* follow-tell.c: times of transactions, and what is told of them. */
#define FOLLOW_COMMITS_MAX 4096U
_must_check_ int follow_times_new(Follow *f, Error *error);
void follow_committed(Follow *f, int64_t commit_usec); /* a transaction was gathered whole */
void follow_applied(Follow *f);                        /* what was gathered is at the target */
_must_check_ int follow_tell(Follow *f, Error *error);
/* follow-slot.c: tells of a slot that keeps too much, or is about to be lost. */
_must_check_ int slot_watch(Follow *f, Error *error);
