/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/delete.h"

#include "apply/plan.h"
#include "basic/log.h"
#include "detect/sweep.h"
#include "transform/transform.h"
#include "worker/pipeline.h"

#include <errno.h>

static int no_memory(const EntityRun *e, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for deletes of entity '%s'", e->m->entity);
}

/* Changes for keys that are gone from the source, and what to fetch for them. */
static int deletes_list(EntityRun *e, const Key *keys, const BaselineRow *rows, size_t n_keys,
                        Change **changes, RecordFetch *fetches, Error *error) {
        Batch *batch = &e->batch;

        batch->n_changes = 0;
        batch->n_read = batch->n_unchanged = 0;
        if (array_grow(&batch->changes, &batch->capacity, n_keys, sizeof(Change)) < 0)
                return no_memory(e, error);
        for (size_t i = 0; i < n_keys; i++) {
                Value *key = arena_alloc_zero(batch->arena, e->m->n_key * sizeof(Value));

                if (!key)
                        return no_memory(e, error);
                if (key_decode(keys[i], batch->arena, key, e->m->n_key) < 0)
                        return error_set(error, ERROR_INTERNAL, NULL,
                                         "A key of entity '%s' in the baseline cannot be read",
                                         e->m->entity);
                changes[i] = batch->changes + batch->n_changes++;
                *changes[i] = (Change){.key = keys[i], .number = rows[i].number, .in_baseline = true};
                fetches[i].key = key;
        }
        return 0;
}

static int delete_batch_plan(EntityRun *e, const Key *keys, const BaselineRow *rows, size_t n_keys,
                             Error *error) {
        _cleanup_free_ Change **changes = calloc(n_keys, sizeof(*changes));
        RecordFetch *fetches = calloc(n_keys, sizeof(*fetches));
        int r;

        r = changes && fetches ? deletes_list(e, keys, rows, n_keys, changes, fetches, error)
                               : no_memory(e, error);
        if (r >= 0)
                r = pipeline_fetch(e, changes, fetches, n_keys, error);
        for (size_t i = 0; r >= 0 && i < n_keys; i++)
                if (changes[i]->kind != CHANGE_HELD && plan_delete(e->m, changes[i], e->batch.arena) < 0)
                        r = no_memory(e, error);
        fetches_free(fetches, n_keys);
        return r;
}

/* The key after which the next batch begins, in memory that outlives the batch's arena. */
static int key_keep(Key *place, char **memory, Key key) {
        char *copy = malloc(key.size + 1);

        if (!copy)
                return -ENOMEM;
        (void) memcpy(copy, key.bytes, key.size);
        free(*memory);
        *memory = copy;
        *place = (Key) { (uint8_t *) copy, key.size };
        return 0;
}

int pipeline_apply_deletes(EntityRun *e, const Key *keys, const BaselineRow *rows, size_t n_keys, uint64_t *ret_number,
                           Error *error) {
        int r;

        r = delete_batch_plan(e, keys, rows, n_keys, error);
        return r < 0 ? r : pipeline_write(e, ret_number, error);
}

/* Deletes of one window, batch by batch. */
static int delete_window(EntityRun *e, SeenWindow window, Key *keys, BaselineRow *rows, Error *error) {
        _cleanup_free_ char *memory = NULL;
        uint64_t number;
        size_t n_keys;
        int r;

        for (;;) {
                r = run_check_stop(e->run, error);
                if (r < 0)
                        return r;
                arena_reset(e->batch.arena);
                /* Onwards from the last key: a delete that the target refuses stays in the baseline and is not offered again in this run. */
                r = seen_missing(e->progress, &window, e->batch.arena, keys, rows, DELETE_BATCH_RECORDS, &n_keys,
                                 error);
                if (r < 0 || n_keys == 0)
                        return r;
                if (key_keep(&window.after, &memory, keys[n_keys - 1]) < 0)
                        return no_memory(e, error);
                r = delete_batch_plan(e, keys, rows, n_keys, error);
                if (r >= 0)
                        r = pipeline_write(e, &number, error);
                if (r >= 0)
                        r = entity_record_deletes(e, number, error);
                if (r < 0)
                        return r;
        }
}

static int delete_windows(EntityRun *e, Error *error) {
        _cleanup_free_ Key *keys = calloc(DELETE_BATCH_RECORDS, sizeof(Key));
        _cleanup_free_ BaselineRow *rows = calloc(DELETE_BATCH_RECORDS, sizeof(BaselineRow));
        int r = 0;

        if (!keys || !rows)
                return no_memory(e, error);
        for (size_t i = 0; r >= 0 && i < e->n_windows; i++)
                r = delete_window(e, e->windows[i], keys, rows, error);
        return r;
}

/* How many there will be. Of the whole baseline the marks alone tell. */
static int windows_count(EntityRun *e, uint64_t *ret, Error *error) {
        static const Key none = {};
        uint64_t n_unmarked, n = 0;
        size_t n_keys;
        int r;

        r = seen_count_missing(e->progress, &n_unmarked, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_windows; i++) {
                SeenWindow window = e->windows[i];

                if (window.after.size == none.size && window.until.size == none.size) {
                        n += window.marked ? baseline_count(e->progress) - n_unmarked : n_unmarked;
                        continue;
                }
                do {
                        Key keys[64];
                        BaselineRow rows[64];

                        r = seen_missing(e->progress, &window, e->windows_arena, keys, rows, ELEMENTSOF(keys),
                                         &n_keys, error);
                        if (r < 0)
                                return r;
                        n += n_keys;
                        if (n_keys > 0)
                                window.after = keys[n_keys - 1];
                } while (n_keys > 0);
        }
        *ret = n;
        return 0;
}

/* Every key of the source is read; marks and the word that it was done go together. */
static int sweep_run(EntityRun *e, Error *error) {
        const DetectPlan plan = {
                .source = e->run->source,
                .pair = e->run->pair,
                .mapping = e->m,
                .entity = e->progress,
                .make_key = transform_keys,
        };
        _cleanup_(sweep_closep) Sweep *sweep = NULL;
        int r;

        r = entity_begin_sweep(e, error);
        if (r >= 0)
                r = sweep_open(&plan, &sweep, error);
        if (r < 0)
                return r;
        do {
                r = run_check_stop(e->run, error);
                if (r >= 0)
                        r = sweep_next(sweep, error);
        } while (r > 0);
        if (r < 0)
                return r;
        e->n_unkeyed = sweep_n_unkeyed(sweep);
        e->n_present = sweep_n_read(sweep);
        return entity_record_sweep(e, error);
}

/* The whole baseline, where the whole source was met; where log or feed told what is gone, what they marked. */
static int windows_choose(EntityRun *e, Error *error) {
        if (!e->full && !e->swept && e->scope != READ_CHANGES)
                return 0;
        if (!e->windows_arena && arena_new(&e->windows_arena) < 0)
                return no_memory(e, error);
        e->windows = arena_alloc_zero(e->windows_arena, sizeof(SeenWindow));
        if (!e->windows)
                return no_memory(e, error);
        e->n_windows = 1;
        e->windows[0].marked = !e->full && !e->swept;
        return 0;
}

static int windows_delete(EntityRun *e, Error *error) {
        const EntityResult *result = entity_result(e);
        uint64_t n_missing = 0, n_done;
        int r;

        if (!result)
                return no_memory(e, error);
        n_done = (uint64_t) result->n_deleted;
        r = windows_count(e, &n_missing, error);
        if (r < 0 || n_missing == 0)
                return r;
        /* Of a source that told nothing but deletes it is not known that it is empty. */
        r = e->windows[0].marked ? 0
                                 : guard_empty_source(&e->run->guards, e->m->entity,
                                                      (uint64_t) result->n_read + e->n_present, n_missing + n_done,
                                                      error);
        if (r < 0)
                return r;
        r = guard_deletes(&e->run->guards, e->m->entity, n_missing + n_done, e->n_base, error);
        if (r < 0)
                return r;
        if (e->n_unkeyed > 0 && !e->windows[0].marked) {
                log_event(LOG_WARNING, MESSAGE_NONE,
                          "Deletes are withheld: records without a usable key might be theirs. Mend the "
                          "records in quarantine.",
                          "ENTITY", e->m->entity, NULL);
                return entity_withhold_deletes(e, n_missing, error);
        }
        return delete_windows(e, error);
}

int delete_entity(EntityRun *e, Error *error) {
        int r = 0;

        if (e->m->deletes == DELETES_IGNORE || e->unchanged)
                return 0;
        if (e->sweeps_keys && !e->full && !e->swept)
                r = sweep_run(e, error);
        if (r >= 0 && (e->n_windows == 0 || e->swept))
                r = windows_choose(e, error);
        return r < 0 || e->n_windows == 0 ? r : windows_delete(e, error);
}

int delete_ranges(EntityRun *e, Detector *detector, Error *error) {
        const DigestRanges *d = detector_ranges(detector);
        SeenWindow *windows;
        int r = 1;

        if (!e->windows_arena && arena_new(&e->windows_arena) < 0)
                return no_memory(e, error);
        windows = arena_alloc_zero(e->windows_arena, (d->n_ranges + 1) * sizeof(SeenWindow));
        if (!windows)
                return no_memory(e, error);
        e->n_windows = 0;
        for (size_t i = 0; r > 0 && i < d->n_ranges; i++) {
                const StoredRange *range = d->ranges + i;
                bool goes_on = i > 0 && d->ranges[i - 1].opened;

                e->n_present += range->range.n_records != KEY_RANGE_UNKNOWN ? range->range.n_records : 1;
                if (!range->opened)
                        continue;
                e->sweeps_keys = true; /* until it is known to be needless */
                if (!goes_on && ++e->n_windows && range->range.after)
                        r = detector_bound_key(detector, range->range.after, e->windows_arena,
                                               &windows[e->n_windows - 1].after);
                windows[e->n_windows - 1].until = (Key){};
                if (r > 0 && range->range.until)
                        r = detector_bound_key(detector, range->range.until, e->windows_arena,
                                               &windows[e->n_windows - 1].until);
        }
        if (r < 0)
                return no_memory(e, error);
        if (r > 0)
                e->sweeps_keys = false;
        else
                e->n_windows = 0;
        e->windows = windows;
        return 0;
}
