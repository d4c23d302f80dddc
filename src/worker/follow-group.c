/* SPDX-License-Identifier: Apache-2.0 */
/* Applies a group of transactions: upserts of all entities, parents first, then deletes, children first. Each batch is journalled, written and recorded as
 * a scan's is. The place in the log moves only with the group's last batch: after a crash in between the whole group is read again, and what
 * was applied is found to be so. */
#include "worker/follow.h"

#include "apply/guard.h"
#include "basic/limits.h"
#include "basic/timestamp.h"
#include "worker/pipeline.h"

static int no_memory(const Follow *f, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to follow the log of pair '%s'", f->run->pair->name);
}

/* ---- recording ---- */

static void mark_advance(LogMark *mark, LogPosition position) {
        if (log_position_compare(position, mark->position) > 0)
                mark->position = position;
        if (log_position_compare(mark->replay_until, mark->position) <= 0)
                mark->replay_until = (LogPosition){0};
        if (mark->replay_until.lsn == 0)
                mark->group_batch = 0;
        if (mark->reread_until <= mark->position.lsn)
                mark->reread_until = 0;
}

static int marks_save(Follow *f, Error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n_entities; i++) {
                Followed *one = f->entities + i;

                if (!one->is_run)
                        continue;
                if (one->compare) /* its place goes beyond what asks for this, so that no later attempt would be told of it */
                        one->mark.reread_until = LOG_SCAN_PENDING;
                mark_advance(&one->mark, f->told);
                r = log_mark_save(f->run->progress, one->m->entity, &one->mark, error);
        }
        return r;
}

/* Inside the transaction of each batch: of the last one all entities have reached the group's end. */
static int also_record(EntityRun *e, Error *error) {
        Follow *f = e->follow;

        if (f->is_last)
                return marks_save(f, error);
        e->mark->replay_until = f->told;
        if (e->mark->group_batch == 0)
                e->mark->group_batch = f->group_first;
        return log_mark_save(f->run->progress, e->m->entity, e->mark, error);
}

/* The source may remove what no entity of the pair needs, also none that is not run now. */
static int source_tell(Follow *f, Error *error) {
        uint64_t least = UINT64_MAX;

        for (size_t i = 0; i < f->n_entities; i++) {
                const Followed *one = f->entities + i;

                if ((one->is_run || !one->is_new) && one->mark.position.lsn < least)
                        least = one->mark.position.lsn;
        }
        f->saved = f->told;
        f->saved_usec = timestamp_now();
        return least == UINT64_MAX ? 0 : source_log_flushed(f->stream, least, error);
}

int group_record(Follow *f, bool last, Error *error) {
        EntityRun *e = TAKE_PTR(f->unrecorded);
        int r;

        if (!e)
                return 0;
        f->is_last = last;
        r = f->unrecorded_deletes ? entity_record_deletes(e, f->unrecorded_number, error)
                                  : entity_record_batch(e, f->unrecorded_number, error);
        return r < 0 || !last ? r : source_tell(f, error);
}

int follow_save(Follow *f, Error *error) {
        int r;

        if (log_position_compare(f->told, f->saved) <= 0)
                return 0;
        r = progress_begin(f->run->progress, error);
        if (r < 0)
                return r;
        r = progress_end(f->run->progress, marks_save(f, error), error);
        return r < 0 ? r : source_tell(f, error);
}

static void batch_applied(Follow *f, EntityRun *e, uint64_t number, bool deletes) {
        f->unrecorded = e;
        f->unrecorded_number = number;
        f->unrecorded_deletes = deletes;
        if (f->group_first == 0)
                f->group_first = number;
}

/* ---- upserts ---- */

static int again_keep(Followed *one, Error *error) {
        const Batch *batch = &one->e->batch;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < batch->n_changes; i++)
                if (batch->changes[i].again)
                        r = change_log_put_again(one->again, batch->changes[i].source, error);
        return r;
}

static int upserts_apply(Follow *f, size_t i, Error *error) {
        Followed *one = f->entities + i;
        EntityRun *e = one->e;
        uint64_t number;
        int r, more;

        r = change_log_begin(one->changes, f->stream, i, error);
        if (r > 0) {
                one->compare = true;
                change_log_clear(one->changes);
                return 0;
        }
        for (more = r < 0 ? r : 1; more > 0;) {
                if (f->unrecorded == e) { /* its batch is about to be filled anew */
                        r = group_record(f, false, error);
                        if (r < 0)
                                return r;
                }
                more = change_log_next(one->changes, f->stream, i, one->mark.group_batch, &e->batch, error);
                if (more < 0 || (e->batch.n_changes == 0 && e->batch.n_read == 0))
                        continue;
                e->batch.log_until = f->told;
                r = group_record(f, false, error);
                if (r >= 0)
                        r = pipeline_apply(e, &number, error);
                if (r >= 0)
                        r = again_keep(one, error);
                if (r < 0)
                        return r;
                batch_applied(f, e, number, false);
        }
        return more;
}

/* ---- deletes ---- */

static int deletes_guard(const Followed *one, size_t n_gone, Error *error) {
        const EntityRun *e = one->e;
        const EntityResult *result = entity_result(one->e);
        uint64_t n_done = (uint64_t) (result->n_deleted - e->counted.n_deleted);

        return guard_deletes(&e->run->guards, e->m->entity, n_gone + n_done, e->n_base, error);
}

static int deletes_apply(Follow *f, Followed *one, Error *error) {
        EntityRun *e = one->e;
        _cleanup_free_ Key *keys = NULL;
        _cleanup_free_ BaselineRow *rows = NULL;
        size_t n = change_log_count_gone(one->changes);
        uint64_t number;
        int r;

        if (n == 0 || e->m->deletes == DELETES_IGNORE)
                return 0;
        keys = calloc(DELETE_BATCH_RECORDS, sizeof(*keys));
        rows = calloc(DELETE_BATCH_RECORDS, sizeof(*rows));
        if (!keys || !rows)
                return no_memory(f, error);
        for (bool first = true;; first = false) {
                if (f->unrecorded == e) {
                        r = group_record(f, false, error);
                        if (r < 0)
                                return r;
                }
                r = change_log_gone(one->changes, keys, rows, DELETE_BATCH_RECORDS, &n, error);
                if (r < 0 || n == 0)
                        return r;
                r = first ? deletes_guard(one, n + change_log_count_gone(one->changes), error) : 0;
                if (r < 0)
                        return r;
                arena_reset(e->batch.arena);
                e->batch.log_until = f->told;
                r = group_record(f, false, error);
                if (r >= 0)
                        r = pipeline_apply_deletes(e, keys, rows, n, &number, error);
                if (r < 0)
                        return r;
                batch_applied(f, e, number, true);
        }
}

/* ---- the group ---- */

static int round_apply(Follow *f, Error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n_entities; i++) {
                Followed *one = f->entities + i;

                if (one->is_run && change_log_records(one->changes) > 0)
                        r = upserts_apply(f, i, error);
        }
        for (size_t i = f->n_entities; r >= 0 && i-- > 0;) {
                Followed *one = f->entities + i;

                if (one->is_run && change_log_records(one->changes) > 0)
                        r = deletes_apply(f, one, error);
        }
        return r;
}

/* What could not be completed from the target comes once more, read whole. */
static bool again_take(Follow *f) {
        bool any = false;

        for (size_t i = 0; i < f->n_entities; i++) {
                Followed *one = f->entities + i;
                ChangeLog *changes = one->changes;

                if (!one->is_run)
                        continue;
                one->changes = one->again;
                one->again = changes;
                any = any || change_log_records(one->changes) > 0;
        }
        return any;
}

static void group_clear(Follow *f) {
        for (size_t i = 0; i < f->n_entities; i++)
                if (f->entities[i].is_run) /* not before its last batch is recorded, whose keys lie there */
                        change_log_clear(f->entities[i].again);
}

/* A TRUNCATE, or a joined table that changed so much that reading whole is cheaper: everything is compared, under the guards of a scan. */
static int entity_compare(Follow *f, Followed *one, Error *error) {
        EntityRun *e = one->e;
        int r;

        one->compare = false;
        one->mark.reread_until = LOG_SCAN_PENDING;
        e->mark_is_new = e->in_log_snapshot = false;
        entity_done(e);
        e->mark = &one->mark;
        r = entity_begin(e, f->run, one->m, error);
        if (r >= 0)
                r = pipeline_compare(e, error);
        if (r < 0)
                return r;
        entity_done(e);
        e->mark = &one->mark;
        r = entity_begin_log(e, f->run, one->m, error);
        e->also = also_record;
        e->follow = f;
        return r;
}

/* A value is unique among the records of a group, not among all that were ever told of one record. */
static int entity_ready(Follow *f, EntityRun *e, Error *error) {
        e->also = also_record;
        e->follow = f;
        for (size_t i = 0; i < e->m->n_fields; i++) {
                if (!e->m->fields[i].unique)
                        continue;
                e->validator = validator_free(e->validator);
                return validator_new(e->m, &e->validator) < 0 ? no_memory(f, error) : 0;
        }
        return 0;
}

int group_apply(Follow *f, Error *error) {
        bool more = true;
        int r = 0;

        f->group_first = 0;
        for (size_t i = 0; r >= 0 && i < f->n_entities; i++)
                if (f->entities[i].is_run)
                        r = entity_ready(f, f->entities[i].e, error);
        while (r >= 0 && more) {
                r = round_apply(f, error);
                if (r < 0)
                        break;
                more = again_take(f);
                if (!more)
                        follow_applied(f);
                r = group_record(f, !more, error);
                group_clear(f);
        }
        for (size_t i = 0; r >= 0 && i < f->n_entities; i++)
                if (f->entities[i].compare) {
                        r = follow_save(f, error);
                        if (r >= 0)
                                r = entity_compare(f, f->entities + i, error);
                }
        return r;
}
