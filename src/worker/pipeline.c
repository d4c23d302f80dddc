/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a record:
 *   1 detect      what may have changed at the source
 *   2 transform   source record → target record
 *   3 fetch       the target's present records, all of a batch at once
 *   4 validate    findings; an error holds the record
 *   5 plan        insert, update of which fields, delete, nothing; guards
 *   6 journal     what will change, durable before the target commits
 *   7 write       one target transaction
 *   8 record      baseline, checkpoint, counts, quarantine: one transaction
 * Deletes come last, when their number is known: children before parents. */
#include "worker/pipeline.h"

#include "apply/plan.h"
#include "apply/writing.h"
#include "basic/limits.h"
#include "basic/log.h"
#include "basic/text.h"
#include "detect/watermark.h"
#include "transform/convert.h"
#include "transform/transform.h"
#include "worker/delete.h"
#include "worker/follow.h"
#include "worker/strategy.h"

#include <errno.h>

static int no_memory(const EntityRun *e, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a batch of entity '%s'",
                         e->m->entity);
}

/* Step 2. */
static int transform_batch(EntityRun *e, Batch *batch, Error *error) {
        int r;

        for (size_t i = 0; i < batch->n_changes; i++) {
                Change *change = batch->changes + i;

                if (change->kind != CHANGE_UNDECIDED)
                        continue;
                change->target = arena_alloc_zero(batch->arena, e->m->n_fields * sizeof(Value));
                if (!change->target)
                        return no_memory(e, error);
                r = transform_record(e->m, change->source, batch->arena, change->target, &change->findings);
                if (r < 0)
                        return no_memory(e, error);
        }
        return 0;
}

static int fetched_convert(EntityRun *e, Batch *batch, Value *values, const Value *target, Error *error) {
        for (size_t i = 0; values && i < e->m->n_fields; i++)
                if (convert_fetched_like(values + i, e->m->fields + i, target ? target + i : NULL, batch->arena, values + i) < 0)
                        return no_memory(e, error);
        return 0;
}

/* What was fetched for changes[i] under fetches[i].key. A key that its column cannot hold concerns that record alone. */
static int fetched_take(EntityRun *e, Batch *batch, Change *const *changes, const RecordFetch *fetches, size_t n_fetches,
                        Error *error) {
        int r;

        for (size_t i = 0; i < n_fetches; i++) {
                const Error *refusal = &fetches[i].refusal;

                if (refusal->id != ERROR_NONE && change_refuse(batch, changes[i], refusal) < 0)
                        return no_memory(e, error);
                r = fetched_convert(e, batch, fetches[i].values, changes[i]->target, error);
                if (r < 0)
                        return r;
                changes[i]->before = fetches[i].values;
        }
        return 0;
}

/* What the target holds for changes[i] under fetches[i].key. A key that its column cannot hold concerns that record alone. */
int pipeline_fetch(EntityRun *e, Change *const *changes, RecordFetch *fetches, size_t n_fetches, Error *error) {
        int r;

        if (n_fetches == 0)
                return 0;
        assert(!e->is_at_work); /* the target's connection */
        r = writer_fetch(e->writer, e->batch.arena, fetches, n_fetches, error);
        return r < 0 ? r : fetched_take(e, &e->batch, changes, fetches, n_fetches, error);
}

static bool change_needs_fetch(const EntityRun *e, const Change *change) {
        return change->kind == CHANGE_UNDECIDED && !findings_hold(change->findings) &&
               (!e->target_is_empty || change->in_baseline);
}

/* What a change left out is what the target has. A target without the record has nothing to leave as it is: the record is read whole. */
static void partial_complete(EntityRun *e, Change *change) {
        bool partial = false;

        if (change->kind != CHANGE_UNDECIDED || !digest_equal(&change->source_digest, &DIGEST_UNKNOWN))
                return;
        for (size_t i = 0; i < e->m->n_fields; i++) {
                if (change->target[i].type != VALUE_ABSENT)
                        continue;
                partial = true;
                if (change->before)
                        change->target[i] = change->before[i];
        }
        if (!partial || change->before)
                return;
        change->kind = CHANGE_NONE;
        change->target = NULL;
        change->again = true;
}

/* Step 3, in pieces: serves idempotence (equal means nothing to do), the before image, and which fields differ. */
typedef struct Fetch {
        Change **changes;
        RecordFetch *fetches; /* of changes, one by one */
        size_t n;
} Fetch;

static void fetch_done(Fetch *f) {
        fetches_free(f->fetches, f->n);
        free(f->changes);
}

static int fetch_list(EntityRun *e, Batch *batch, Fetch *f, Error *error) {
        *f = (Fetch){
                .changes = calloc(batch->n_changes + 1, sizeof(*f->changes)),
                .fetches = calloc(batch->n_changes + 1, sizeof(*f->fetches)),
        };
        if (!f->changes || !f->fetches)
                return no_memory(e, error);
        for (size_t i = 0; i < batch->n_changes; i++) {
                Change *change = batch->changes + i;

                if (!change_needs_fetch(e, change))
                        continue;
                f->changes[f->n] = change;
                f->fetches[f->n++].key = change->target;
        }
        return 0;
}

static int fetch_take(EntityRun *e, Batch *batch, const Fetch *f, Error *error) {
        int r;

        r = fetched_take(e, batch, f->changes, f->fetches, f->n, error);
        for (size_t i = 0; r >= 0 && i < f->n; i++)
                partial_complete(e, f->changes[i]);
        return r;
}

static int fetch_batch(EntityRun *e, Error *error) {
        _cleanup_(fetch_done) Fetch f = {};
        int r;

        r = fetch_list(e, &e->batch, &f, error);
        if (r >= 0 && f.n > 0)
                r = writer_fetch(e->writer, e->batch.arena, f.fetches, f.n, error);
        return r < 0 ? r : fetch_take(e, &e->batch, &f, error);
}

/* Step 4. */
static int validate_batch(EntityRun *e, Batch *batch, Error *error) {
        int r;

        for (size_t i = 0; i < batch->n_changes; i++) {
                Change *change = batch->changes + i;

                if (change->kind != CHANGE_UNDECIDED)
                        continue;
                r = validator_check(e->validator, change->target, batch->arena, &change->findings);
                if (r < 0)
                        return no_memory(e, error);
                if (findings_hold(change->findings))
                        change->kind = CHANGE_HELD;
        }
        return 0;
}

/* What only fills newly mapped fields that were null is no change that somebody might not have meant. */
static void batch_count(const EntityRun *e, uint64_t *ret_changes, uint64_t *ret_held) {
        const Batch *batch = &e->batch;

        *ret_changes = *ret_held = 0;
        for (size_t i = 0; i < batch->n_changes; i++) {
                if (backfill_only_fills(&e->backfill, e->m, batch->changes + i))
                        continue;
                *ret_held += batch->changes[i].kind == CHANGE_HELD;
                *ret_changes += batch->changes[i].kind == CHANGE_INSERT ||
                                batch->changes[i].kind == CHANGE_UPDATE;
        }
}

/* Stops at the batch that would exceed a guard. */
static int guard_batch(EntityRun *e, Error *error) {
        const EntityResult *result = entity_result(e);
        uint64_t n_changes, n_held, n_read;
        int r;

        if (!result)
                return no_memory(e, error);
        batch_count(e, &n_changes, &n_held);
        n_read = (uint64_t) (result->n_read - e->counted.n_read) +
                 e->batch.n_read; /* what a share of a first load's records is of */
        r = guard_errors(&e->run->guards, e->m->entity, (uint64_t) (result->n_held - e->counted.n_held) + n_held,
                         e->n_base > n_read ? e->n_base : n_read, error);
        if (r < 0 || e->first_load)
                return r;
        n_changes += (uint64_t) (result->n_inserted + result->n_updated - e->counted.n_inserted - e->counted.n_updated) - e->schema.n_filled;
        return guard_changes(&e->run->guards, e->m->entity, n_changes, e->n_base, error);
}

/* Step 5. */
static int plan_batch(EntityRun *e, Error *error) {
        int r;

        for (size_t i = 0; i < e->batch.n_changes; i++) {
                Change *change = e->batch.changes + i;

                if (change->kind != CHANGE_UNDECIDED)
                        continue;
                if (change->is_backfill)
                        plan_keep_others(e->m, change, e->backfill.compared);
                r = plan_change(e->m, change, e->batch.arena, &e->scratch);
                if (r < 0)
                        return no_memory(e, error);
        }
        return guard_batch(e, error);
}

/* ---- what overlaps ----
 * The target works in a thread, everything else here. While it takes batch N, or looks up what it holds of it, N + 1 is read and transformed; while N is
 * recorded, it looks up N + 1. Order and durability of journal, target and pair's file are those of one batch after the other. What makes it right that N + 1 is
 * prepared before N is recorded: the detector knows the keys of both, and the marks of N + 1 are hidden while N is recorded, so that no crash leaves marks of
 * records behind the saved place. */

/* Steps 1 and 2, and 4 where there is nothing to fetch. */
static int prepare_batch(EntityRun *e, Batch *batch, Detector *detector, uint64_t *ret_unkeyed, Error *error) {
        Moment since = moment_now();
        bool fetches = false;
        int r;

        e->is_fetched = e->is_validated = false;
        r = detect_next(detector, batch, ret_unkeyed, error);
        e->waited_usec += moment_waited_usec(&since);
        e->waited_records += batch->n_read;
        if (r >= 0)
                r = transform_batch(e, batch, error);
        for (size_t i = 0; r >= 0 && i < batch->n_changes && !fetches; i++)
                fetches = change_needs_fetch(e, batch->changes + i);
        if (r < 0 || fetches)
                return r;
        e->is_fetched = e->is_validated = true;
        return validate_batch(e, batch, error);
}

/* Into the other batch. What came of it is told when its turn has come. */
static void prepare_other(EntityRun *e, Detector *detector) {
        if (!e->other.arena && arena_new(&e->other.arena) < 0)
                return; /* then it is prepared when its turn has come */
        e->prepared = prepare_batch(e, &e->other, detector, &e->prepared_unkeyed, &e->prepared_error);
        e->is_prepared = true;
}

static void batches_swap(EntityRun *e) {
        Batch batch = e->batch;

        e->batch = e->other;
        e->other = batch;
}

/* Step 3 of a batch while something else is done. Without detector: nothing else. */
static int fetch_and_prepare(EntityRun *e, Detector *detector, Error *error) {
        _cleanup_(fetch_done) Fetch f = {};
        Writing *fetching = NULL;
        int r;

        r = fetch_list(e, &e->batch, &f, error);
        if (r < 0)
                return r;
        r = writing_begin_fetch(e->writer, e->batch.arena, f.fetches, f.n, &fetching, error);
        if (r < 0)
                return r;
        e->is_at_work = true;
        if (!e->batch.end && e->scope != READ_CHANGES) /* what is told of a key twice, is told of one that is recorded */
                prepare_other(e, detector);
        r = writing_end(fetching, error);
        e->is_at_work = false;
        return r < 0 ? r : fetch_take(e, &e->batch, &f, error);
}

/* Step 7. Without detector: this batch only. */
static int write_and_prepare(EntityRun *e, Detector *detector, Error *error) {
        Writing *writing = NULL;
        int r;

        if (!detector || e->is_prepared || e->batch.end || e->scope == READ_CHANGES)
                return write_batch(e->run->target, e->writer, &e->batch, error);
        r = writing_begin(e->run->target, e->writer, &e->batch, &writing, error);
        if (r < 0)
                return r;
        e->is_at_work = true;
        prepare_other(e, detector);
        r = writing_end(writing, error);
        e->is_at_work = false;
        return r;
}

static int record_batch(EntityRun *e, Detector *detector, uint64_t number, Error *error) {
        int r;

        if (!e->is_prepared)
                return entity_record_batch(e, number, error);
        detector_hide_marks(detector);
        r = entity_record_batch(e, number, error);
        /* After a failure they stay hidden: nothing more of this scan is recorded. */
        return r < 0 ? r : detector_show_marks(detector) < 0 ? no_memory(e, error) : 0;
}

/* Step 8, and step 3 of the next batch. Where nothing was written the next one is fetched later, while another is prepared. */
static int record_and_fetch(EntityRun *e, Detector *detector, uint64_t number, Error *error) {
        _cleanup_(fetch_done) Fetch f = {};
        Writing *fetching = NULL;
        int r, q;

        if (!e->is_prepared || e->prepared < 0 || e->is_fetched || number == 0)
                return record_batch(e, detector, number, error);
        r = fetch_list(e, &e->other, &f, error);
        if (r >= 0)
                r = writing_begin_fetch(e->writer, e->other.arena, f.fetches, f.n, &fetching, error);
        if (r < 0)
                return r;
        e->is_at_work = true;
        r = record_batch(e, detector, number, error);
        q = writing_end(fetching, r < 0 ? NULL : &e->prepared_error);
        e->is_at_work = false;
        if (r < 0)
                return r;
        if (q >= 0)
                q = fetch_take(e, &e->other, &f, &e->prepared_error);
        e->prepared = q; /* told when its turn has come */
        e->is_fetched = true;
        return 0;
}

/* At a target without transactions what was not refused is written: it stays journalled, and a guard that trips now stops before the next batch. */
static int journal_without_refused(EntityRun *e, uint64_t number, uint64_t *ret_number, Error *error) {
        int r;

        r = journal_replace(e->run->journal, number, e->run->operation->id, e->m, &e->batch, error);
        if (r < 0)
                return r;
        *ret_number = batch_count_writes(&e->batch) > 0 ? number : 0;
        return 0;
}

/* Steps 6 and 7. Records that the target refuses go to quarantine and the rest is tried again, journalled anew: the journal holds what was applied, nothing else.
 * *ret_number: of the journalled batch, 0 where nothing had to be written. */
static int journal_and_write(EntityRun *e, Detector *detector, uint64_t *ret_number, Error *error) {
        uint64_t number = progress_last_batch(e->run->progress) + 1;
        int r;

        while (batch_count_writes(&e->batch) > 0) {
                r = journal_append(e->run->journal, number, e->run->operation->id, e->m, &e->batch, error);
                if (r < 0)
                        return r;
                r = write_and_prepare(e, detector, error);
                if (r < 0)
                        return r; /* the journalled batch is settled at the next start */
                if (r == 0) {
                        *ret_number = number;
                        return 0;
                }
                if (!(e->run->target->connector->capabilities & CONNECTOR_TRANSACTS)) /* all others are written */
                        return journal_without_refused(e, number, ret_number, error);
                r = journal_forget(e->run->journal, number, error);
                if (r < 0)
                        return r;
                r = guard_batch(e, error);
                if (r < 0)
                        return r;
        }
        *ret_number = 0;
        return 0;
}

int pipeline_write(EntityRun *e, uint64_t *ret_number, Error *error) {
        return journal_and_write(e, NULL, ret_number, error);
}

/* Steps 1 to 4 of the next batch, as far as they are not done. */
static int next_batch(EntityRun *e, Detector *detector, Error *error) {
        int r;

        if (e->is_prepared) {
                batches_swap(e);
                e->is_prepared = false;
                r = e->prepared;
                if (r < 0)
                        error_move(error, &e->prepared_error);
        } else
                r = prepare_batch(e, &e->batch, detector, &e->prepared_unkeyed, error);
        if (r < 0)
                return r;
        e->n_unkeyed += e->prepared_unkeyed;
        if (e->is_validated)
                return 0;
        if (!e->is_fetched) {
                r = fetch_and_prepare(e, detector, error);
                if (r < 0)
                        return r;
        }
        return validate_batch(e, &e->batch, error);
}

static int pipeline_batch(EntityRun *e, Detector *detector, Error *error) {
        uint64_t number;
        int r;

        r = next_batch(e, detector, error);
        if (r < 0)
                return r;
        r = plan_batch(e, error);
        if (r < 0)
                return r;
        r = journal_and_write(e, detector, &number, error);
        if (r < 0)
                return r;
        return record_and_fetch(e, detector, number, error);
}

static int scan_open_as_planned(EntityRun *e, const DetectPlan *planned, Detector **ret, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        DetectPlan plan = *planned;
        int r;

        if (arena_new(&arena) < 0)
                return no_memory(e, error);
        if (watermark_from_hex(e->low, arena, &plan.low) < 0 ||
            watermark_from_hex(e->high, arena, &plan.high) < 0)
                return error_set(error, ERROR_INTERNAL, "Run the pair with --full.",
                                 "The checkpoint of entity '%s' cannot be read", e->m->entity);
        r = detector_open(&plan, ret, error);
        if (r < 0)
                error_prefix(error, "Entity '%s'", e->m->entity);
        return r;
}

static int scan_open(EntityRun *e, Detector **ret, Error *error) {
        DetectPlan plan = {
                .source = e->run->source,
                .pair = e->run->pair,
                .mapping = e->m,
                .entity = e->progress,
                .make_key = transform_keys,
                .scope = e->scope,
                .all = e->full,
                .position = e->position,
                .settled_batch = e->settled_batch,
                .batch_records = e->run->batch_records,
                .held = progress_database(e->run->progress),
                .deliver_unchanged = e->has_quarantine,
                .deliver_backfill = e->full && e->backfill.is_needed,
                .before_columns = e->full && e->backfill.has_before ? e->backfill.columns : NULL,
                .n_before_columns = e->backfill.n_columns,
                .before_seed = e->backfill.seed,
                .n_expected = baseline_count(e->progress),
        };
        StoredRange *known = NULL;
        int r = 0;

        if (plan.n_expected < e->n_target)
                plan.n_expected = e->n_target;
        if (e->scope == READ_RANGES && !e->full)
                r = ranges_load(e->progress, false, &known, &plan.n_known, error);
        plan.known = known;
        if (r >= 0)
                r = scan_open_as_planned(e, &plan, ret, error);
        stored_ranges_free(known, plan.n_known);
        return r;
}

/* The scan, and again where it cannot go on as an earlier attempt began it, or where log or feed no longer reach back. */
static int scan_begin(EntityRun *e, Detector **ret, Error *error) {
        _cleanup_(detector_closep) Detector *detector = NULL;
        _cleanup_error_ Error failure = {};
        int r;

        r = scan_open(e, &detector, &failure);
        if (r < 0 && failure.id == ERROR_HISTORY_GONE && !e->full) {
                r = strategy_repair(e, &failure, error);
                return r < 0 ? r : scan_open(e, ret, error);
        }
        if (r < 0) {
                if (error)
                        error_move(error, &failure);
                return r;
        }
        if (e->is_resumed && !detector_resumed(detector)) {
                detector = detector_close(detector);
                r = entity_restart_scan(e, error);
                return r < 0 ? r : scan_open(e, ret, error);
        }
        *ret = TAKE_PTR(detector);
        return 0;
}

/* A source that has become slow gets a pause after a batch, as long as the batch waited too long. */
static void source_spare(EntityRun *e) {
        const System *system = settings_system(e->run->settings, e->run->pair->source);
        bool is_first = e->throttle.paused_usec == 0;
        uint64_t pause_usec;

        e->throttle.multiple = system ? system->throttle : 0;
        pause_usec = throttle_pause_usec(&e->throttle, e->waited_usec, e->waited_records);
        e->waited_usec = e->waited_records = 0;
        if (pause_usec == 0 || e->batch.end)
                return;
        if (is_first)
                log_event(LOG_NOTICE, MESSAGE_SOURCE_SLOW,
                          "The source has become slow; the run pauses after each batch for as long as it waited too long.", "ENTITY",
                          e->m->entity, "SYSTEM", e->run->pair->source, NULL);
        hint_paused(e->run, pause_usec);
        throttle_sleep(pause_usec);
}

/* Everything but deletes of one entity. */
static int upsert_entity(EntityRun *e, Error *error) {
        uint64_t n_baseline = baseline_count(e->progress),
                 n_expected = n_baseline > e->n_target ? n_baseline : e->n_target;
        _cleanup_(detector_closep) Detector *detector = NULL;
        int r;

        r = scan_begin(e, &detector, error);
        if (r < 0)
                return r;
        e->detector = detector;
        do {
                r = run_check_stop(e->run, error);
                if (r >= 0)
                        r = pipeline_batch(e, detector, error);
                if (r < 0) {
                        /* A batch that was prepared and is not recorded has seen nothing. */
                        if (e->is_prepared)
                                detector_hide_marks(detector);
                        return r;
                }
                hint_send(e->run, e->m->entity, n_expected);
                source_spare(e);
        } while (!e->batch.end);
        if (e->scope == READ_RANGES && !e->full)
                r = delete_ranges(e, detector, error);
        e->detector = NULL;
        return r;
}

/* An earlier attempt of this operation finished the entity: scanning it again would count its records twice. */
static bool entity_is_done(const Run *run, const Mapping *m) {
        for (size_t i = 0; i < run->operation->n_results; i++)
                if (text_equal(run->operation->results[i].entity, m->entity))
                        return run->operation->results[i].done;
        return false;
}

/* An entity that is followed is scanned where it has to be, also when an earlier attempt was done with it. */
static int entity_is_scanned(Run *run, Follow *follow, EntityRun *e, const Mapping *m, bool *ret, Error *error) {
        bool done = entity_is_done(run, m);
        int r;

        *ret = run_has_entity(run, m) && !done && run->operation->kind != OPERATION_CONTINUOUS;
        if (!run_has_entity(run, m) || !follow_entity(follow, m, e))
                return 0;
        r = entity_needs_compare(run, m, e->mark, ret, error);
        if (r >= 0 && done)
                *ret = e->mark->reread_until == LOG_SCAN_PENDING;
        return r;
}

static int upsert_all(Run *run, Follow *follow, EntityRun *entities, Error *error) {
        int r;

        for (size_t i = 0; i < run->pair->n_mappings; i++) {
                EntityRun *e = entities + i;
                bool scanned = false;

                r = entity_is_scanned(run, follow, e, run->pair->mappings + i, &scanned, error);
                if (r < 0)
                        return r;
                if (!scanned)
                        continue;
                r = entity_begin(e, run, run->pair->mappings + i, error);
                if (r < 0)
                        return r;
                if (e->scan_end)
                        continue;
                r = upsert_entity(e, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int delete_all(Run *run, EntityRun *entities, Error *error) {
        int r;

        for (size_t i = run->pair->n_mappings; i-- > 0;) {
                if (!entities[i].m)
                        continue;
                r = delete_entity(entities + i, error);
                if (r < 0)
                        return r;
                r = entity_finish(entities + i, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int pipeline_apply(EntityRun *e, uint64_t *ret_number, Error *error) {
        int r;

        r = transform_batch(e, &e->batch, error);
        if (r >= 0)
                r = fetch_batch(e, error);
        if (r >= 0)
                r = validate_batch(e, &e->batch, error);
        if (r >= 0)
                r = plan_batch(e, error);
        return r < 0 ? r : journal_and_write(e, NULL, ret_number, error);
}

int pipeline_compare(EntityRun *e, Error *error) {
        int r = e->scan_end ? 0 : upsert_entity(e, error);

        if (r >= 0)
                r = delete_entity(e, error);
        return r < 0 ? r : entity_finish(e, error);
}

int pipeline_run(Run *run, Error *error) {
        EntityRun *entities = calloc(run->pair->n_mappings + 1, sizeof(EntityRun));
        Follow *follow = NULL;
        int r;

        if (!entities)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for pair '%s'",
                                 run->pair->name);
        r = follow_prepare(run, &follow, error);
        if (r >= 0)
                r = upsert_all(run, follow, entities, error);
        if (r >= 0)
                r = delete_all(run, entities, error);
        if (r >= 0)
                r = follow_run(follow, entities, error);
        for (size_t i = 0; i < run->pair->n_mappings; i++)
                entity_done(entities + i);
        free(entities);
        follow_free(follow);
        return r;
}
