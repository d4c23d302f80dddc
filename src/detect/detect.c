/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/detect.h"

#include "basic/limits.h"
#include "store/quarantine.h"

#include <errno.h>
#include <uthash.h>

/* Keys of this batch that the baseline does not know yet: a second one is a duplicate. Lives in the batch's arena. */
typedef struct NewKey {
        Key key;
        size_t change; /* READ_CHANGES: its place in the batch */
        UT_hash_handle hh;
} NewKey;

struct Detector {
        DetectPlan plan;
        Reader *reader;
        Value *values; /* of the record being read; borrowed from the reader */
        Value *key_values, *before_values;
        DigestScratch key_scratch, digest_scratch;
        Arena *key_arena; /* what a key's making needs; reset for each record that used it */
        NewKey *new_keys;
        NewKey *last_keys; /* of the batch before, which may not be in the baseline yet: then its arena is another */
        const Arena *new_keys_arena;
        DigestRanges ranges;
        uint64_t *marks; /* numbers of the baseline rows that the batch filled last marked as seen */
        size_t n_marks, marks_capacity;
        bool end;
};

int detector_open(const DetectPlan *plan, Detector **ret, Error *error) {
        const ReadPlan read = {
                .pair = plan->pair,
                .mapping = plan->mapping,
                .scope = plan->scope,
                .low = plan->low,
                .high = plan->high,
                .position = plan->position,
        };
        _cleanup_(detector_closep) Detector *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to read entity '%s'",
                                 plan->mapping->entity);
        d->plan = *plan;
        d->values = calloc(plan->mapping->n_columns + 1, sizeof(Value));
        d->key_values = calloc(plan->mapping->n_key + 1, sizeof(Value));
        d->before_values = calloc(plan->n_before_columns + 1, sizeof(Value));
        if (!d->values || !d->key_values || !d->before_values || arena_new(&d->key_arena) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to read entity '%s'",
                                 plan->mapping->entity);
        r = reader_open(plan->source, &read, &d->reader, error);
        if (r >= 0 && plan->scope == READ_RANGES)
                r = digest_compare(d->reader, plan->known, plan->n_known, plan->all, plan->n_expected, &d->ranges,
                                   error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

Detector *detector_close(Detector *d) {
        if (!d)
                return NULL;
        HASH_CLEAR(hh, d->new_keys);
        HASH_CLEAR(hh, d->last_keys);
        (void) reader_close(d->reader);
        digest_ranges_done(&d->ranges);
        (void) arena_free(d->key_arena);
        free(d->key_scratch.bytes);
        free(d->digest_scratch.bytes);
        free(d->marks);
        free(d->values);
        free(d->key_values);
        free(d->before_values);
        free(d);
        return NULL;
}

bool detector_resumed(const Detector *d) {
        if (d->plan.scope == READ_CHANGES)
                return true;
        return d->plan.scope != READ_RANGES && d->plan.position && reader_resumed(d->reader);
}

DigestRanges *detector_ranges(Detector *d) { return &d->ranges; }

const char *detector_changes_from(Detector *d) { return reader_changes_from(d->reader); }

/* The key's fields are the source's own values, unconverted, so that both are in one order. */
static bool key_is_plain(const Mapping *m) {
        for (size_t i = 0; i < m->n_key; i++) {
                const MappingField *f = m->fields + i;

                if (f->column < 0 || f->trim || f->lookup || f->format || f->null_values)
                        return false;
        }
        return true;
}

int detector_bound_key(Detector *d, const char *bound, Arena *arena, Key *ret) {
        const Mapping *m = d->plan.mapping;
        _cleanup_free_ Value *source = calloc(m->n_columns + 1, sizeof(Value));
        _cleanup_free_ Value *identity = calloc(m->n_key + 1, sizeof(Value));
        Value *key = arena_alloc_zero(arena, (m->n_key + 1) * sizeof(Value));
        Finding *findings = NULL;
        int r;

        if (!source || !identity || !key)
                return -ENOMEM;
        if (!reader_ranges_by_key(d->reader) || !key_is_plain(m))
                return 0;
        r = key_bound_parse(bound, arena, identity, m->n_key);
        if (r < 0)
                return r == -EBADMSG ? 0 : r;
        for (size_t i = 0; i < m->n_key; i++)
                source[m->fields[i].column] = identity[i];
        r = d->plan.make_key(m, source, arena, key, &findings);
        if (r < 0)
                return r;
        for (size_t i = 0; i < m->n_key; i++)
                if (findings_hold(findings) || !value_equal(key + i, identity + i))
                        return 0;
        r = key_encode(key, m->n_key, arena, ret);
        return r == -ENOMEM ? r : r < 0 ? 0 : 1;
}

/* The row was not marked before. */
static int mark(Detector *d, uint64_t number) {
        int r;

        r = array_grow(&d->marks, &d->marks_capacity, d->n_marks + 1, sizeof(*d->marks));
        if (r < 0)
                return r;
        d->marks[d->n_marks++] = number;
        return seen_mark(d->plan.entity, number);
}

void detector_hide_marks(Detector *d) {
        for (size_t i = 0; i < d->n_marks; i++)
                seen_unmark(d->plan.entity, d->marks[i]);
}

int detector_show_marks(Detector *d) {
        for (size_t i = 0; i < d->n_marks; i++) {
                int r;

                r = seen_mark(d->plan.entity, d->marks[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static Change *batch_add(Batch *batch) {
        if (batch->n_changes == batch->capacity &&
            array_grow(&batch->changes, &batch->capacity, batch->n_changes + 1, sizeof(Change)) < 0)
                return NULL;
        batch->changes[batch->n_changes] = (Change){0};
        return batch->changes + batch->n_changes++;
}

/* The record goes on: its values move from the reader's memory into the batch's. */
static int change_keep(Detector *d, Batch *batch, Key key, const Digest *digest, Change **ret) {
        const Mapping *m = d->plan.mapping;
        Change *change = batch_add(batch);
        uint8_t *key_bytes = arena_copy(batch->arena, key.bytes, key.size);
        Value *source = arena_alloc(batch->arena, m->n_columns * sizeof(Value));
        int r;

        if (!change || !key_bytes || !source)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_columns; i++) {
                r = value_copy(d->values + i, batch->arena, source + i);
                if (r < 0)
                        return r;
        }
        change->key = (Key){key_bytes, key.size};
        change->source = source;
        change->source_digest = *digest;
        change->range = d->ranges.at;
        *ret = change;
        return reader_findings(d->reader, d->values, batch->arena, &change->findings);
}

static int change_hold_unkeyed(Detector *d, Batch *batch, const Digest *digest, Finding *findings) {
        Change *change;
        int r;

        r = change_keep(d, batch, (Key){0}, digest, &change);
        if (r < 0)
                return r;
        change->kind = CHANGE_HELD;
        if (!findings_hold(findings))
                return finding_add(&change->findings, batch->arena, FINDING_ERROR, "required",
                                   d->plan.mapping->fields[0].name, NULL, "The record has no key.",
                                   "Fill in the key's columns at the source.");
        for (const Finding *f = findings; f; f = f->next) {
                r = finding_add(&change->findings, batch->arena, f->severity, f->rule, f->field, f->value,
                                f->message, f->remedy);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int change_hold_duplicate(Detector *d, Batch *batch, Key key, const Digest *digest) {
        Change *change;
        const char *text;
        int r;

        r = change_keep(d, batch, key, digest, &change);
        if (r < 0)
                return r;
        change->kind = CHANGE_HELD;
        text = key_to_text(key, batch->arena);
        return finding_add(&change->findings, batch->arena, FINDING_ERROR, "key_unique",
                           d->plan.mapping->fields[0].name, text,
                           "An earlier record of this run has the same key.",
                           "Correct the key at the source, or map a key that tells the records apart.");
}

/* The key of the batch's last change. */
static int new_key_add(Detector *d, Batch *batch, Key key) {
        NewKey *entry = arena_alloc_zero(batch->arena, sizeof(*entry));

        if (!entry)
                return -ENOMEM;
        entry->key = key;
        entry->change = batch->n_changes - 1;
        HASH_ADD_KEYPTR(hh, d->new_keys, entry->key.bytes, entry->key.size, entry);
        return 0;
}

static bool new_key_is_known(Detector *d, Key key) {
        NewKey *entry = NULL;

        HASH_FIND(hh, d->new_keys, key.bytes, key.size, entry);
        if (!entry && d->last_keys)
                HASH_FIND(hh, d->last_keys, key.bytes, key.size, entry);
        return entry;
}

static int detect_unchanged(Detector *d, Batch *batch, Key key, const BaselineRow *row) {
        Change *change;

        /* Rows of a settled batch, and of those written after it, were counted when they were recorded. */
        if (d->plan.settled_batch == 0 || row->batch < d->plan.settled_batch) {
                batch->n_read++;
                batch->n_unchanged++;
        }
        if (d->plan.deliver_unchanged) {
                change = batch_add(batch);
                if (!change)
                        return -ENOMEM;
                *change = (Change){
                        .kind = CHANGE_NONE,
                        .number = row->number,
                        .in_baseline = true,
                        .source_digest = row->source_digest,
                        .target_digest = row->target_digest,
                        .key = {arena_copy(batch->arena, key.bytes, key.size), key.size},
                };
                if (!change->key.bytes)
                        return -ENOMEM;
        }
        return mark(d, row->number);
}

/* Is the record as it was for the mapping of then? 1, 0. */
static int record_is_as_before(Detector *d, const BaselineRow *row) {
        Digest before;
        int r;

        if (!d->plan.before_columns)
                return 0;
        for (size_t i = 0; i < d->plan.n_before_columns; i++)
                d->before_values[i] = d->values[d->plan.before_columns[i]];
        r = values_digest(d->before_values, d->plan.n_before_columns, d->plan.before_seed, &d->digest_scratch,
                          &before);
        return r < 0 ? r : digest_equal(&before, &row->source_digest);
}

static int detect_known(Detector *d, Batch *batch, Key key, const Digest *digest, const BaselineRow *row) {
        bool was_counted = d->plan.settled_batch > 0 && row->batch >= d->plan.settled_batch,
             is_equal = digest_equal(digest, &row->source_digest);
        Change *change;
        int r, is_backfill = is_equal;

        if (seen_test(d->plan.entity, row->number)) {
                batch->n_read++;
                return change_hold_duplicate(d, batch, key, digest);
        }
        if (is_equal && (!d->plan.deliver_backfill || was_counted))
                return detect_unchanged(d, batch, key, row);
        if (!is_equal) {
                is_backfill = record_is_as_before(d, row);
                if (is_backfill < 0)
                        return is_backfill;
        }
        batch->n_read++;
        r = change_keep(d, batch, key, digest, &change);
        if (r < 0)
                return r;
        change->in_baseline = true;
        change->is_backfill = is_backfill;
        change->number = row->number;
        change->baseline_target_digest = row->target_digest;
        return mark(d, row->number);
}

static int detect_new(Detector *d, Batch *batch, Key key, const Digest *digest) {
        Change *change;
        int r;

        batch->n_read++;
        if (new_key_is_known(d, key))
                return change_hold_duplicate(d, batch, key, digest);
        r = change_keep(d, batch, key, digest, &change);
        if (r < 0)
                return r;
        return new_key_add(d, batch, change->key);
}

/* What log or feed told earlier in this batch of the same key is no longer true. */
static void told_take_back(Detector *d, Batch *batch, Key key) {
        NewKey *entry = NULL;

        HASH_FIND(hh, d->new_keys, key.bytes, key.size, entry);
        if (!entry)
                return;
        batch->changes[entry->change] = (Change){.kind = CHANGE_NONE, .key = entry->key};
        batch->n_read--;
        HASH_DEL(d->new_keys, entry);
}

/* 1: what a record was told without is at the target as it was before. Not where the target never had it, nor where an earlier change of it
 * is held: what that one said would be lost. */
static int told_rest_is_there(Detector *d, Key key, const BaselineRow *row, Error *error) {
        bool is_whole = true;
        int r;

        for (size_t i = 0; is_whole && i < d->plan.mapping->n_columns; i++)
                is_whole = d->values[i].type != VALUE_ABSENT;
        if (is_whole)
                return 1;
        if (!row || new_key_is_known(d, key))
                return 0;
        r = d->plan.held ? quarantine_has(d->plan.held, d->plan.mapping->entity, key, error) : 0;
        return r < 0 ? r : r == 0;
}

static int change_hold_partial(Detector *d, Batch *batch, Key key, const Digest *digest) {
        Change *change;
        int r = change_keep(d, batch, key, digest, &change);

        if (r < 0)
                return r;
        change->kind = CHANGE_HELD;
        return finding_add(&change->findings, batch->arena, FINDING_ERROR, "told_in_part", d->plan.mapping->fields[0].name,
                           key_to_text(key, batch->arena),
                           "The source told only what changed, and what was told before did not reach the target.",
                           "Run the pair with --full, which reads the record whole.");
}

/* A record that log or feed tell of: the last word on a key counts. Those that are gone are marked, and deleted when all are known. */
static int detect_told(Detector *d, Batch *batch, Key key, const Digest *digest, const BaselineRow *row, Error *error) {
        Change *change;
        int r;

        if (reader_is_gone(d->reader)) {
                told_take_back(d, batch, key);
                return row ? seen_mark(d->plan.entity, row->number) : 0;
        }
        r = told_rest_is_there(d, key, row, error);
        if (r < 0)
                return r;
        told_take_back(d, batch, key);
        if (row)
                seen_unmark(d->plan.entity, row->number);
        if (r == 0) {
                batch->n_read++;
                return change_hold_partial(d, batch, key, digest);
        }
        batch->n_read++;
        if (row && digest_equal(digest, &row->source_digest)) {
                batch->n_unchanged++;
                return 0;
        }
        r = change_keep(d, batch, key, digest, &change);
        if (r < 0)
                return r;
        if (row) {
                change->in_baseline = true;
                change->number = row->number;
                change->baseline_target_digest = row->target_digest;
        }
        return new_key_add(d, batch, change->key);
}

static int detect_record(Detector *d, Batch *batch, uint64_t *n_unkeyed, Error *error) {
        const Mapping *m = d->plan.mapping;
        Finding *findings = NULL;
        BaselineRow row;
        Digest digest;
        Key key;
        int r;

        r = values_digest(d->values, m->n_columns, d->plan.pair->content_hash, &d->digest_scratch, &digest);
        if (r < 0)
                return r;
        r = d->plan.make_key(m, d->values, d->key_arena, d->key_values, &findings);
        if (r < 0)
                return r;
        r = findings_hold(findings) ? -EINVAL
                                    : key_encode_scratch(d->key_values, m->n_key, &d->key_scratch, &key);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && reader_is_gone(d->reader))
                return 0; /* such a record was held, and is in no baseline */
        if (r < 0) {
                batch->n_read++;
                (*n_unkeyed)++;
                r = change_hold_unkeyed(d, batch, &digest, findings);
                arena_reset(d->key_arena);
                return r;
        }
        r = baseline_find(d->plan.entity, key, &row, error);
        if (r < 0)
                return r;
        if (d->plan.scope == READ_CHANGES)
                r = detect_told(d, batch, key, &digest, r ? &row : NULL, error);
        else
                r = r ? detect_known(d, batch, key, &digest, &row) : detect_new(d, batch, key, &digest);
        if (arena_size_bytes(d->key_arena) > 0)
                arena_reset(d->key_arena);
        return r;
}

/* Keys lie in their batch's arena. */
static int batch_begin(Detector *d, Batch *batch) {
        HASH_CLEAR(hh, d->last_keys);
        if (d->new_keys_arena != batch->arena)
                d->last_keys = d->new_keys;
        else
                HASH_CLEAR(hh, d->new_keys);
        d->new_keys = NULL;
        d->new_keys_arena = batch->arena;
        arena_reset(batch->arena);
        d->n_marks = 0;
        batch->n_changes = 0;
        batch->n_read = batch->n_unchanged = 0;
        batch->position = NULL;
        batch->end = d->end;
        return 0;
}

/* 1: a record; 0: the end. */
static int record_next(Detector *d, Error *error) {
        int r;

        for (;;) {
                r = d->plan.scope == READ_RANGES && d->ranges.at == d->ranges.end
                            ? 0
                            : reader_next(d->reader, d->values, error);
                if (r > 0 && d->plan.scope == READ_RANGES)
                        (void) digest_place(&d->ranges);
                if (r != 0 || d->plan.scope != READ_RANGES)
                        return r;
                r = digest_read_on(&d->ranges, d->reader, error);
                if (r <= 0)
                        return r;
        }
}

int detect_next(Detector *d, Batch *batch, uint64_t *ret_unkeyed, Error *error) {
        size_t n_records_max = d->plan.batch_records ? d->plan.batch_records : BATCH_RECORDS_MAX;
        uint64_t n_scanned = 0, n_unkeyed = 0;
        const char *position;
        int r;

        (void) batch_begin(d, batch);
        while (!d->end && n_scanned < BATCH_SCANNED_MAX && batch->n_changes < n_records_max &&
               arena_size_bytes(batch->arena) < BATCH_BYTES) {
                r = record_next(d, error);
                if (r < 0)
                        return r;
                if (r == 0) {
                        d->end = batch->end = true;
                        break;
                }
                n_scanned++;
                r = detect_record(d, batch, &n_unkeyed, error);
                if (r < 0)
                        return error && error->id ? r
                                                  : error_set(error, error_from_errno(r), NULL,
                                                              "Could not detect changes of entity '%s'",
                                                              d->plan.mapping->entity);
        }
        position = d->plan.scope != READ_RANGES ? reader_position(d->reader) : NULL;
        if (position) {
                batch->position = arena_copy(batch->arena, position, strlen(position) + 1);
                if (!batch->position)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a batch");
        }
        *ret_unkeyed = n_unkeyed;
        return 0;
}
