/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/change-log.h"

#include "basic/limits.h"
#include "store/quarantine.h"

#include <errno.h>
#include <uthash.h>

#define REREAD_RECORDS  500U    /* in one query */
#define JOINED_KEYS_MAX 200000U /* more are cheaper found by a scan */

typedef struct Entry {
        Key key;
        LogEventKind kind; /* CHANGED, GONE or REREAD */
        bool has_key;      /* else key only tells it apart, and its record, if there is one, is held */
        Value *values;     /* n_columns */
        UT_hash_handle hh;
} Entry;

/* Values of a join's by: that changed. */
typedef struct Joined {
        size_t join;
        Value *values;
        struct Joined *next;
} Joined;

struct ChangeLog {
        DetectPlan plan;
        Arena *arena;
        Entry *entries;  /* by key */
        Entry **sorted;  /* by key, so that the baseline's pages are met one after the other */
        size_t n_sorted, sorted_capacity, at, gone_at;
        Joined *joined;
        size_t n_joined;
        Value *key_values;
        DigestScratch key_scratch, digest_scratch;
        /* while records are read by key */
        Arena *reading;
        bool too_many;
};

static int no_memory(const ChangeLog *l, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for changes of entity '%s'", l->plan.mapping->entity);
}

int change_log_new(const DetectPlan *plan, ChangeLog **ret, Error *error) {
        _cleanup_(change_log_freep) ChangeLog *l = calloc(1, sizeof(*l));

        if (!l)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for changes of entity '%s'", plan->mapping->entity);
        l->plan = *plan;
        l->key_values = calloc(plan->mapping->n_key + 1, sizeof(Value));
        if (!l->key_values || arena_new(&l->arena) < 0)
                return no_memory(l, error);
        *ret = TAKE_PTR(l);
        return 0;
}

ChangeLog *change_log_free(ChangeLog *l) {
        if (!l)
                return NULL;
        HASH_CLEAR(hh, l->entries);
        (void) arena_free(l->arena);
        free(l->sorted);
        free(l->key_values);
        free(l->key_scratch.bytes);
        free(l->digest_scratch.bytes);
        free(l);
        return NULL;
}

void change_log_clear(ChangeLog *l) {
        HASH_CLEAR(hh, l->entries);
        l->entries = NULL;
        l->joined = NULL;
        l->n_joined = l->n_sorted = l->at = l->gone_at = 0;
        l->too_many = false;
        arena_reset(l->arena);
}

uint64_t change_log_bytes(const ChangeLog *l) { return arena_size_bytes(l->arena); }
size_t change_log_records(const ChangeLog *l) { return HASH_COUNT(l->entries) + l->n_joined; }

/* ---- putting in ---- */

static int values_keep(const Value *values, size_t n, Arena *arena, Value **ret) {
        Value *copy = arena_alloc(arena, (n + 1) * sizeof(*copy));
        int r = copy ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = value_copy(values + i, arena, copy + i);
        if (r >= 0)
                *ret = copy;
        return r;
}

/* A record whose key cannot be made is told apart by the columns that it would be made of. */
static int key_make(ChangeLog *l, const Value *values, Arena *arena, Key *ret, bool *ret_has_key) {
        const Mapping *m = l->plan.mapping;
        Finding *findings = NULL;
        int r;

        r = l->plan.make_key(m, values, arena, l->key_values, &findings);
        if (r < 0)
                return r;
        r = findings_hold(findings) ? -EINVAL : key_encode_scratch(l->key_values, m->n_key, &l->key_scratch, ret);
        if (r == -ENOMEM)
                return r;
        *ret_has_key = r >= 0;
        if (r < 0) {
                Digest *digest = arena_alloc(arena, sizeof(*digest));

                if (!digest)
                        return -ENOMEM;
                r = values_digest(values, m->n_columns, 0, &l->digest_scratch, digest);
                *ret = (Key){digest->bytes, sizeof(digest->bytes)};
        }
        return r < 0 ? r : 0;
}

/* What an update left out was told before, in the same transaction perhaps. */
static void values_merge(Value *values, const Value *before, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (values[i].type == VALUE_ABSENT)
                        values[i] = before[i];
}

static bool values_are_partial(const ChangeLog *l, const Value *values) {
        for (size_t i = 0; i < l->plan.mapping->n_columns; i++)
                if (values[i].type == VALUE_ABSENT)
                        return true;
        return false;
}

static int entry_set(ChangeLog *l, LogEventKind kind, const Value *values) {
        size_t n = l->plan.mapping->n_columns;
        bool has_key = false;
        Entry *entry = NULL;
        Value *copy;
        Key key;
        int r;

        r = key_make(l, values, l->arena, &key, &has_key);
        if (r >= 0)
                r = values_keep(values, n, l->arena, &copy);
        if (r < 0)
                return r;
        HASH_FIND(hh, l->entries, key.bytes, key.size, entry);
        if (entry && entry->kind == LOG_REREAD)
                return 0; /* what is there when it is read counts */
        if (entry && kind == LOG_CHANGED && entry->kind == LOG_GONE && values_are_partial(l, copy))
                kind = LOG_REREAD; /* another record came under this key: the target's is no rest of it */
        if (entry && kind == LOG_CHANGED && entry->kind == LOG_CHANGED)
                values_merge(copy, entry->values, n);
        if (!entry) {
                entry = arena_alloc_zero(l->arena, sizeof(*entry));
                key.bytes = arena_copy(l->arena, key.bytes, key.size);
                if (!entry || !key.bytes)
                        return -ENOMEM;
                entry->key = key;
                entry->has_key = has_key;
                HASH_ADD_KEYPTR(hh, l->entries, entry->key.bytes, entry->key.size, entry);
        }
        entry->kind = kind;
        entry->values = copy;
        return 0;
}

static int joined_set(ChangeLog *l, const LogEvent *event) {
        Joined *joined = arena_alloc_zero(l->arena, sizeof(*joined));
        int r;

        if (!joined)
                return -ENOMEM;
        r = values_keep(event->values, l->plan.mapping->joins[event->join].n_by, l->arena, &joined->values);
        if (r < 0)
                return r;
        joined->join = event->join;
        joined->next = l->joined;
        l->joined = joined;
        l->n_joined++;
        return 0;
}

int change_log_put(ChangeLog *l, const LogEvent *event, Error *error) {
        int r = event->kind == LOG_JOINED ? joined_set(l, event) : entry_set(l, event->kind, event->values);

        return r < 0 ? no_memory(l, error) : 0;
}

int change_log_put_again(ChangeLog *l, const Value *values, Error *error) {
        return entry_set(l, LOG_REREAD, values) < 0 ? no_memory(l, error) : 0;
}

/* ---- taking out ---- */

static int take_joined(void *userdata, const Value *values, Error *error) {
        ChangeLog *l = userdata;

        if (HASH_COUNT(l->entries) >= JOINED_KEYS_MAX) {
                l->too_many = true;
                return 0;
        }
        return entry_set(l, LOG_REREAD, values) < 0 ? no_memory(l, error) : 0;
}

static int joined_resolve(ChangeLog *l, LogStream *stream, size_t mapping, Error *error) {
        const Value **values = calloc(REREAD_RECORDS, sizeof(*values));
        int r = values ? 0 : no_memory(l, error);

        for (size_t join = 0; r >= 0 && join < l->plan.mapping->n_joins; join++) {
                size_t n = 0;

                for (const Joined *j = l->joined; r >= 0 && j && !l->too_many; j = j->next) {
                        if (j->join == join)
                                values[n++] = j->values;
                        if (n < REREAD_RECORDS)
                                continue;
                        r = source_log_read_joined(stream, mapping, join, values, n, take_joined, l, error);
                        n = 0;
                }
                if (r >= 0 && n > 0)
                        r = source_log_read_joined(stream, mapping, join, values, n, take_joined, l, error);
        }
        free(values);
        return r;
}

static int entries_compare(const void *a, const void *b) {
        return key_compare((*(Entry *const *) a)->key, (*(Entry *const *) b)->key);
}

int change_log_begin(ChangeLog *l, LogStream *stream, size_t mapping, Error *error) {
        size_t n = 0;
        int r;

        r = joined_resolve(l, stream, mapping, error);
        if (r < 0)
                return r;
        if (l->too_many)
                return 1;
        if (array_grow(&l->sorted, &l->sorted_capacity, HASH_COUNT(l->entries) + 1, sizeof(*l->sorted)) < 0)
                return no_memory(l, error);
        for (Entry *entry = l->entries; entry; entry = entry->hh.next)
                l->sorted[n++] = entry;
        if (n > 0)
                qsort(l->sorted, n, sizeof(*l->sorted), entries_compare);
        l->n_sorted = n;
        l->at = l->gone_at = 0;
        return 0;
}

/* A record that was read by its key. */
static int take_record(void *userdata, const Value *values, Error *error) {
        ChangeLog *l = userdata;
        Entry *entry = NULL;
        bool has_key;
        Key key;
        int r;

        r = key_make(l, values, l->reading, &key, &has_key);
        if (r < 0)
                return no_memory(l, error);
        HASH_FIND(hh, l->entries, key.bytes, key.size, entry);
        if (!entry || entry->kind != LOG_REREAD)
                return 0;
        if (values_keep(values, l->plan.mapping->n_columns, l->reading, &entry->values) < 0)
                return no_memory(l, error);
        entry->kind = LOG_CHANGED;
        return 0;
}

/* 1: the target has the record as it was before this change. Not where the baseline does not know it, nor where an earlier change of it is held. */
static int rest_is_there(const ChangeLog *l, const Entry *entry, Error *error) {
        BaselineRow row;
        int r = entry->has_key ? baseline_find(l->plan.entity, entry->key, &row, error) : 0;

        if (r <= 0 || !l->plan.held)
                return r;
        r = quarantine_has(l->plan.held, l->plan.mapping->entity, entry->key, error);
        return r < 0 ? r : r == 0;
}

/* Of the next entries those that must be read are read: also what was told in part, where the target does not have the rest. */
static int entries_reread(ChangeLog *l, LogStream *stream, size_t mapping, size_t n, Arena *arena, Error *error) {
        const Value **keys = calloc(n + 1, sizeof(*keys));
        size_t n_keys = 0;
        int r = keys ? 0 : no_memory(l, error);

        for (size_t i = l->at; r >= 0 && i < l->at + n; i++) {
                Entry *entry = l->sorted[i];

                if (entry->kind == LOG_CHANGED && values_are_partial(l, entry->values)) {
                        r = rest_is_there(l, entry, error);
                        if (r == 0)
                                entry->kind = LOG_REREAD;
                }
                if (entry->kind == LOG_REREAD)
                        keys[n_keys++] = entry->values;
        }
        l->reading = arena;
        if (r >= 0 && n_keys > 0)
                r = source_log_read(stream, mapping, keys, n_keys, take_record, l, error);
        for (size_t i = l->at; r >= 0 && i < l->at + n; i++)
                if (l->sorted[i]->kind == LOG_REREAD)
                        l->sorted[i]->kind = LOG_GONE;
        free(keys);
        return r < 0 ? r : 0;
}

static Change *change_add(Batch *batch) {
        if (array_grow(&batch->changes, &batch->capacity, batch->n_changes + 1, sizeof(Change)) < 0)
                return NULL;
        batch->changes[batch->n_changes] = (Change){0};
        return batch->changes + batch->n_changes++;
}

static int hold_unkeyed(const ChangeLog *l, const Entry *entry, Batch *batch) {
        Change *change = change_add(batch);

        if (!change)
                return -ENOMEM;
        batch->n_read++;
        change->kind = CHANGE_HELD;
        change->source = entry->values;
        (void) memcpy(change->source_digest.bytes, entry->key.bytes, DIGEST_SIZE);
        return finding_add(&change->findings, batch->arena, FINDING_ERROR, "required", l->plan.mapping->fields[0].name, NULL,
                           "The record has no key.", "Fill in the key's columns at the source.");
}

static int unchanged_take(const ChangeLog *l, const Entry *entry, const BaselineRow *row, uint64_t group_batch, Batch *batch) {
        Change *change;

        if (group_batch == 0 || row->batch < group_batch) {
                batch->n_read++;
                batch->n_unchanged++;
        }
        if (!l->plan.deliver_unchanged)
                return 0;
        change = change_add(batch);
        if (!change)
                return -ENOMEM;
        *change = (Change){
                .kind = CHANGE_NONE,
                .key = entry->key,
                .number = row->number,
                .in_baseline = true,
                .source_digest = row->source_digest,
                .target_digest = row->target_digest,
        };
        return 0;
}

static int entry_take(ChangeLog *l, const Entry *entry, uint64_t group_batch, Batch *batch, Error *error) {
        const Mapping *m = l->plan.mapping;
        Digest digest = DIGEST_UNKNOWN;
        BaselineRow row = {0};
        Change *change;
        int r, found;

        if (!entry->has_key)
                return hold_unkeyed(l, entry, batch);
        found = baseline_find(l->plan.entity, entry->key, &row, error);
        if (found < 0)
                return found;
        if (!values_are_partial(l, entry->values)) {
                r = values_digest(entry->values, m->n_columns, l->plan.pair->content_hash, &l->digest_scratch, &digest);
                if (r < 0)
                        return r;
                if (found && digest_equal(&digest, &row.source_digest))
                        return unchanged_take(l, entry, &row, group_batch, batch);
        }
        change = change_add(batch);
        if (!change)
                return -ENOMEM;
        batch->n_read++;
        change->key = entry->key;
        change->source = entry->values;
        change->source_digest = digest;
        change->in_baseline = found;
        change->number = row.number;
        change->baseline_target_digest = row.target_digest;
        return 0;
}

static void batch_clear(Batch *batch) {
        arena_reset(batch->arena);
        batch->n_changes = 0;
        batch->n_read = batch->n_unchanged = 0;
        batch->position = NULL;
        batch->end = false;
}

int change_log_next(ChangeLog *l, LogStream *stream, size_t mapping, uint64_t group_batch, Batch *batch, Error *error) {
        size_t n_max = l->plan.batch_records ? l->plan.batch_records : BATCH_RECORDS_MAX;

        batch_clear(batch);
        while (l->at < l->n_sorted && batch->n_changes < n_max && arena_size_bytes(batch->arena) < BATCH_BYTES) {
                size_t n = l->n_sorted - l->at, room = n_max - batch->n_changes;
                int r;

                n = n < room ? n : room;
                n = n < REREAD_RECORDS ? n : REREAD_RECORDS;
                r = entries_reread(l, stream, mapping, n, batch->arena, error);
                for (size_t i = 0; r >= 0 && i < n; i++)
                        if (l->sorted[l->at + i]->kind == LOG_CHANGED)
                                r = entry_take(l, l->sorted[l->at + i], group_batch, batch, error);
                if (r < 0)
                        return error && error->id ? r : no_memory(l, error);
                l->at += n;
        }
        return l->at < l->n_sorted;
}

size_t change_log_count_gone(const ChangeLog *l) {
        size_t n = 0;

        for (size_t i = l->gone_at; i < l->n_sorted; i++)
                n += l->sorted[i]->kind == LOG_GONE && l->sorted[i]->has_key;
        return n;
}

int change_log_gone(ChangeLog *l, Key *ret_keys, BaselineRow *ret_rows, size_t n, size_t *ret_n, Error *error) {
        size_t n_found = 0;
        int r;

        for (; l->gone_at < l->n_sorted && n_found < n; l->gone_at++) {
                const Entry *entry = l->sorted[l->gone_at];

                if (entry->kind != LOG_GONE || !entry->has_key)
                        continue;
                r = baseline_find(l->plan.entity, entry->key, &ret_rows[n_found], error);
                if (r < 0)
                        return r;
                if (r > 0)
                        ret_keys[n_found++] = entry->key;
        }
        *ret_n = n_found;
        return 0;
}
