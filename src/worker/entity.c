/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/entity.h"

#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "connect/source-log.h"
#include "detect/watermark.h"
#include "store/quarantine.h"
#include "worker/strategy.h"
#include "worker/tell.h"

#include <errno.h>

static int out_of_memory(const EntityRun *e, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for entity '%s'", e->m->entity);
}

EntityResult *entity_result(EntityRun *e) { return operation_result(e->run->operation, e->m->entity); }

void entity_done(EntityRun *e) {
        e->writer = writer_close(e->writer);
        e->validator = validator_free(e->validator);
        e->batch.arena = arena_free(e->batch.arena);
        free(TAKE_PTR(e->batch.changes));
        e->other.arena = arena_free(e->other.arena);
        free(TAKE_PTR(e->other.changes));
        error_done(&e->prepared_error);
        free(TAKE_PTR(e->scratch.bytes));
        entity_schema_done(&e->schema);
        backfill_done(&e->backfill);
        free(TAKE_PTR(e->position));
        free(TAKE_PTR(e->low));
        free(TAKE_PTR(e->high));
        free(TAKE_PTR(e->content));
        e->windows_arena = arena_free(e->windows_arena);
}

static int copy_text(char **place, const char *text) {
        if (!text)
                return 0;
        *place = strdup(text);
        return *place ? 0 : -ENOMEM;
}

static int entity_resume(EntityRun *e, const Checkpoint *c, Error *error) {
        e->full = c->scan_full;
        e->scope = (ReadScope) c->scan_scope;
        e->swept = c->swept;
        /* Where in the ranges deletes may be, is known no more. */
        e->sweeps_keys = strategy_sweeps_keys(e, c) || (c->scan_end && !e->full && e->scope == READ_RANGES);
        e->scan_end = c->scan_end;
        e->settled_batch = c->settled_batch;
        e->n_unkeyed = c->n_unkeyed;
        e->scan_batch = c->scan_batch;
        e->is_resumed = true;
        if (copy_text(&e->position, !c->position && e->scope == READ_CHANGES ? c->changes_from : c->position) < 0 || copy_text(&e->low, c->low) < 0 ||
            copy_text(&e->high, c->high) < 0)
                return out_of_memory(e, error);
        return 0;
}

static Checkpoint entity_checkpoint(const EntityRun *e, char *position) {
        const Checkpoint *present = checkpoint_get(e->progress);
        Checkpoint c = {
                .scan_full = e->full,
                .scan_scope = (int) e->scope,
                .swept = e->swept,
                .keys_at = present->keys_at,
                .changes_from = present->changes_from,
                .content = present->content,
                .position = position,
                .scan_end = e->scan_end,
                .low = e->low,
                .high = e->high,
                .full_at = present->full_at,
                .mapping_hash = present->mapping_hash,
                .settled_batch = e->settled_batch,
                .n_unkeyed = e->n_unkeyed,
                .scan_batch = e->scan_batch,
        };

        (void) memcpy(c.scan_operation, e->run->operation->id, sizeof(c.scan_operation));
        return c;
}

static int entity_save(EntityRun *e, char *position, Error *error) {
        Checkpoint c = entity_checkpoint(e, position);

        return checkpoint_save(e->progress, &c, error);
}

static int entity_save_filled(EntityRun *e, uint64_t n_filled, Error *error) {
        if (e->schema.n_filled == n_filled)
                return 0;
        e->schema.n_filled = n_filled;
        return entity_schema_save(progress_database(e->run->progress), e->m->entity, &e->schema, error);
}

static int entity_new_scan(EntityRun *e, const Checkpoint *c, Error *error) {
        int r;

        e->scan_batch = progress_last_batch(e->run->progress) + 1;
        r = strategy_begin(e, c, error);
        if (r >= 0)
                r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        r = seen_reset(e->progress, error);
        if (r >= 0)
                r = ranges_save_pending(e->progress, NULL, 0, error);
        if (r >= 0)
                r = entity_save(e, NULL, error);
        if (r >= 0 && e->mark) {
                e->mark->reread_until = LOG_SCAN_PENDING;
                r = log_mark_save(e->run->progress, e->m->entity, e->mark, error);
        }
        if (r >= 0)
                r = entity_save_filled(e, 0, error);
        return progress_end(e->run->progress, r, error);
}

static uint64_t before_operation(uint64_t n, const EntityResult *result) {
        n += (uint64_t) result->n_deleted;
        return n > (uint64_t) result->n_inserted ? n - (uint64_t) result->n_inserted : 0;
}

static int entity_measure(EntityRun *e, Error *error) {
        const EntityResult *result = entity_result(e);
        uint64_t n_quarantine = 0, n_baseline = baseline_count(e->progress), n_target;
        int r;

        if (!result)
                return out_of_memory(e, error);
        r = writer_count(e->writer, &e->n_target, error);
        if (r < 0)
                return r;
        r = quarantine_count(progress_database(e->run->progress), e->m->entity, &n_quarantine, error);
        if (r < 0)
                return r;
        e->has_quarantine = n_quarantine > 0;
        /* What was there before this operation, on both sides: an earlier attempt's own writes move no guard. */
        n_target = before_operation(e->n_target, result);
        n_baseline = before_operation(n_baseline, result);
        e->n_base = n_baseline > n_target ? n_baseline : n_target;
        e->first_load = n_baseline == 0 || checkpoint_get(e->progress)->full_at == 0;
        e->target_is_empty = e->n_target == 0 && baseline_count(e->progress) == 0;
        return 0;
}

int entity_needs_compare(Run *run, const Mapping *m, const LogMark *mark, bool *ret, Error *error) {
        LogMark copy = *mark;
        EntityRun e = {.run = run, .m = m, .mark = &copy};
        int r;

        r = progress_entity(run->progress, m->entity, &e.progress, error);
        if (r < 0)
                return r;
        r = entity_schema_load(progress_database(run->progress), m->entity, &e.schema, error);
        if (r < 0)
                return r;
        *ret = strategy_needs_full(&e, checkpoint_get(e.progress));
        entity_schema_done(&e.schema);
        return 0;
}

static int entity_open(EntityRun *e, Run *run, const Mapping *m, Error *error) {
        int r;

        *e = (EntityRun){
                .run = run,
                .m = m,
                .mark = e->mark,
                .mark_is_new = e->mark_is_new,
                .in_log_snapshot = e->in_log_snapshot,
        };
        if (arena_new(&e->batch.arena) < 0 || validator_new(m, &e->validator) < 0)
                return out_of_memory(e, error);
        r = progress_entity(run->progress, m->entity, &e->progress, error);
        if (r < 0)
                return r;
        r = writer_open(run->target, m, &e->writer, error);
        if (r < 0)
                return r;
        return entity_measure(e, error);
}

int entity_begin_log(EntityRun *e, Run *run, const Mapping *m, Error *error) {
        uint64_t n_baseline;
        int r;

        r = entity_open(e, run, m, error);
        if (r < 0)
                return r;
        n_baseline = baseline_count(e->progress);
        e->counted = *entity_result(e);
        e->n_base = n_baseline > e->n_target ? n_baseline : e->n_target;
        e->first_load = e->n_base == 0;
        e->target_is_empty = false;
        return 0;
}

int entity_begin(EntityRun *e, Run *run, const Mapping *m, Error *error) {
        const Checkpoint *c;
        int r;

        r = entity_open(e, run, m, error);
        if (r < 0)
                return r;
        r = entity_schema_load(progress_database(run->progress), m->entity, &e->schema, error);
        if (r < 0)
                return r;
        if (backfill_make(run->pair, m, e->schema.mapping, e->schema.refill, &e->backfill) < 0)
                return out_of_memory(e, error);
        c = checkpoint_get(e->progress);
        if (text_equal(c->scan_operation, run->operation->id)) {
                r = entity_resume(e, c, error);
                if (r < 0 || !e->mark_is_new)
                        return r;
                e->scan_end = false;
                return entity_restart_scan(e, error);
        }
        if (c->full_at == 0 && baseline_count(e->progress) == 0) {
                r = guard_first_write(&run->guards, m->entity, e->n_target, error);
                if (r < 0)
                        return r;
        }
        return entity_new_scan(e, c, error);
}

static int record_change(EntityRun *e, Change *change, uint64_t batch_number, EntityResult *delta,
                         Error *error) {
        Database *database = progress_database(e->run->progress);
        int r;

        if (change->kind == CHANGE_HELD) {
                delta->n_held++;
                e->has_quarantine = true;
                /* It has to be met again: what held it may pass without any change at the source. */
                if (e->detector && e->scope == READ_RANGES)
                        detector_ranges(e->detector)->ranges[change->range].range.n_records = KEY_RANGE_UNKNOWN;
                return quarantine_put(database, e->run->operation->id, e->m, change, error);
        }
        delta->n_inserted += change->kind == CHANGE_INSERT;
        delta->n_updated += change->kind == CHANGE_UPDATE;
        if (change->target) {
                delta->n_unchanged += change->kind == CHANGE_NONE;
                r = baseline_put(e->progress, change->key, &change->number,
                                 change->kind == CHANGE_NONE ? 0 : batch_number, &change->source_digest,
                                 &change->target_digest, error);
                if (r < 0)
                        return r;
                if (!e->also && e->scope != READ_CHANGES && seen_mark(e->progress, change->number) < 0)
                        return out_of_memory(e, error);
        }
        return e->has_quarantine ? quarantine_release(database, e->m->entity, change->key, error) : 0;
}

static int record_counts(EntityRun *e, const EntityResult *delta, uint64_t batch_number, Error *error) {
        int r;

        r = result_add(e->run->progress, e->run->operation->id, delta, error);
        if (r < 0 || batch_number == 0)
                return r;
        return progress_set_last_batch(e->run->progress, batch_number, error);
}

/* Counts in memory follow the committed ones. */
static void result_follow(EntityRun *e, const EntityResult *delta) {
        EntityResult *result = entity_result(e);

        if (!result)
                return;
        result->n_read += delta->n_read;
        result->n_inserted += delta->n_inserted;
        result->n_updated += delta->n_updated;
        result->n_deleted += delta->n_deleted;
        result->n_unchanged += delta->n_unchanged;
        result->n_held += delta->n_held;
        result->n_deletes_withheld += delta->n_deletes_withheld;
        result->done = result->done || delta->done;
        result->diverged = result->diverged || delta->diverged;
}

static int record_end(EntityRun *e, int r, const EntityResult *delta, Error *error) {
        r = progress_end(e->run->progress, r, error);
        if (r < 0)
                return r;
        result_follow(e, delta);
        return 0;
}

/* Position and marks go together: a place kept without its marks would make deletes of all that lies before it. */
int entity_restart_scan(EntityRun *e, Error *error) {
        const EntityResult *result = entity_result(e);
        EntityResult delta = {.entity = e->m->entity};
        int r;

        if (!result)
                return out_of_memory(e, error);
        delta.n_read = result->n_inserted + result->n_updated - result->n_read;
        delta.n_unchanged = -result->n_unchanged;
        delta.n_held = -result->n_held;
        free(TAKE_PTR(e->position));
        e->is_resumed = false;
        e->n_unkeyed = 0;
        if (e->scan_batch > 0)
                e->settled_batch = e->scan_batch;
        r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        r = seen_reset(e->progress, error);
        if (r >= 0)
                r = result_add(e->run->progress, e->run->operation->id, &delta, error);
        if (r >= 0)
                r = entity_save(e, NULL, error);
        return record_end(e, r, &delta, error);
}

static uint64_t batch_filled(const EntityRun *e) {
        uint64_t n = 0;

        for (size_t i = 0; i < e->batch.n_changes; i++)
                n += backfill_only_fills(&e->backfill, e->m, e->batch.changes + i);
        return n;
}

/* Where the scan is; at its end also what it gives to the next run. */
static int record_scan(EntityRun *e, Error *error) {
        Checkpoint c = entity_checkpoint(e, (char *) e->batch.position);
        const DigestRanges *d = e->detector && e->scope == READ_RANGES ? detector_ranges(e->detector) : NULL;
        bool any_opened = false;
        int r = 0;

        for (size_t i = 0; d && !any_opened && i < d->n_ranges; i++)
                any_opened = d->ranges[i].opened;
        if (e->scan_end && any_opened)
                r = ranges_save_pending(e->progress, d->ranges, d->n_ranges, error);
        /* From where the next run goes on, which is not true before the deletes are done: see entity_finish(). */
        if (e->scan_end && e->detector && e->scope != READ_CHANGES && e->m->strategy == DETECT_FEED)
                c.position = (char *) detector_changes_from(e->detector);
        return r < 0 ? r : checkpoint_save(e->progress, &c, error);
}

int entity_record_batch(EntityRun *e, uint64_t batch_number, Error *error) {
        EntityResult delta = {
                .entity = e->m->entity,
                .n_read = (int64_t) e->batch.n_read,
                .n_unchanged = (int64_t) e->batch.n_unchanged,
        };
        int r;

        r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < e->batch.n_changes; i++)
                r = record_change(e, e->batch.changes + i, batch_number, &delta, error);
        e->scan_end = e->batch.end;
        if (r >= 0)
                r = entity_save_filled(e, e->schema.n_filled + batch_filled(e), error);
        if (r >= 0)
                r = record_counts(e, &delta, batch_number, error);
        if (r >= 0)
                r = e->also ? e->also(e, error) : record_scan(e, error);
        r = record_end(e, r, &delta, error);
        if (r >= 0) {
                tell_held(e);
                tell_warnings(e);
        }
        return r;
}

int entity_record_deletes(EntityRun *e, uint64_t batch_number, Error *error) {
        Database *database = progress_database(e->run->progress);
        EntityResult delta = {.entity = e->m->entity};
        int r;

        r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < e->batch.n_changes; i++) {
                const Change *change = e->batch.changes + i;

                if (change->kind == CHANGE_HELD) {
                        delta.n_held++;
                        e->doubts_ranges = true;
                        r = quarantine_put(database, e->run->operation->id, e->m, change, error);
                        continue;
                }
                delta.n_deleted += change->kind == CHANGE_DELETE || change->kind == CHANGE_UPDATE;
                r = baseline_delete(e->progress, change->key, error);
        }
        if (r >= 0)
                r = record_counts(e, &delta, batch_number, error);
        if (r >= 0 && e->also)
                r = e->also(e, error);
        r = record_end(e, r, &delta, error);
        if (r >= 0)
                tell_held(e);
        return r;
}

int entity_withhold_deletes(EntityRun *e, uint64_t n_missing, Error *error) {
        const EntityResult delta = {.entity = e->m->entity, .n_deletes_withheld = (int64_t) n_missing};
        int r;

        e->doubts_ranges = true;
        r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        return record_end(e, record_counts(e, &delta, 0, error), &delta, error);
}

int entity_finish_log(EntityRun *e, Error *error) {
        const EntityResult none = {.entity = e->m->entity, .done = true};
        int r;

        r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        r = record_end(e, result_add(e->run->progress, e->run->operation->id, &none, error), &none, error);
        if (r >= 0)
                tell_entity(e);
        return r;
}

/* What the log tells of the time before the scan ended may be older than what the scan read. */
static int mark_scanned(EntityRun *e, Error *error) {
        uint64_t now = 0;
        int r = e->in_log_snapshot && !e->is_resumed ? 0 : source_log_now(e->run->source, &now, error);

        if (r >= 0)
                e->mark->reread_until = now;
        return r;
}

/* All records have been compared with this version of the mapping. */
static int entity_save_shape(EntityRun *e, Error *error) {
        json_decref(e->schema.mapping);
        e->schema.mapping = backfill_shape(e->run->pair, e->m);
        json_decref(e->schema.refill);
        e->schema.refill = NULL;
        e->schema.n_filled = 0;
        if (!e->schema.mapping)
                return out_of_memory(e, error);
        return entity_schema_save(progress_database(e->run->progress), e->m->entity, &e->schema, error);
}

int entity_begin_sweep(EntityRun *e, Error *error) {
        int r;

        r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        return progress_end(e->run->progress, seen_reset(e->progress, error), error);
}

int entity_record_sweep(EntityRun *e, Error *error) {
        int r;

        e->swept = true;
        r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        return progress_end(e->run->progress, entity_save(e, NULL, error), error);
}

int entity_finish(EntityRun *e, Error *error) {
        const EntityResult none = {.entity = e->m->entity, .done = true, .diverged = e->diverged};
        Checkpoint c = entity_checkpoint(e, NULL);
        int r;

        if (e->mark) {
                r = mark_scanned(e, error);
                if (r < 0)
                        return r;
        }

        c.scan_operation[0] = '\0';
        c.scan_end = false;
        c.settled_batch = c.scan_batch = 0;
        c.n_unkeyed = 0;
        if (e->full || e->swept)
                c.keys_at = timestamp_now();
        c.swept = false;
        r = strategy_finish(e, &c, error);
        if (r < 0)
                return r;
        /* What was told is recorded, deletes included; the next run must not ask for it again, until the service forgets it. */
        if (e->m->strategy == DETECT_FEED && checkpoint_get(e->progress)->position)
                c.changes_from = checkpoint_get(e->progress)->position;
        if (e->high)
                c.low = e->high; /* everything below the proved horizon has been read */
        c.high = NULL;
        if (e->full) {
                c.full_at = timestamp_now();
                c.mapping_hash = (char *) e->run->pair->content_hash_text;
        }
        r = progress_begin(e->run->progress, error);
        if (r < 0)
                return r;
        r = result_add(e->run->progress, e->run->operation->id, &none, error);
        if (r >= 0 && e->full && e->has_quarantine)
                r = quarantine_release_stale(progress_database(e->run->progress), e->m->entity,
                                             e->run->operation->id, error);
        if (r >= 0 && e->full)
                r = entity_save_shape(e, error);
        if (r >= 0 && e->scope == READ_RANGES)
                r = e->doubts_ranges ? ranges_doubt(e->progress, error) : 0;
        if (r >= 0 && e->scope == READ_RANGES)
                r = ranges_prove(e->progress, error);
        if (r >= 0)
                r = checkpoint_save(e->progress, &c, error);
        if (r >= 0 && e->mark)
                r = log_mark_save(e->run->progress, e->m->entity, e->mark, error);
        r = record_end(e, r, &none, error);
        if (r >= 0)
                tell_entity(e);
        return r;
}
