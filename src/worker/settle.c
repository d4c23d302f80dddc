/* SPDX-License-Identifier: Apache-2.0 */
/* After a crash: was the last journalled batch applied? A target with transactions has it whole or not at all: its records tell, by majority.
 * One without has each record or has it not: each tells for itself, and of the journalled batch only what is there stays.
 * Applied: recorded from the journal, never cut anew from a source that has moved on. Not applied: forgotten, detection finds it again, as neither the
 * baseline nor the scan's place know of it. A record that is neither as before nor as written was changed by another hand (or half written): it is
 * detected anew, too, with what is there now as its before image. */
#include "worker/run.h"

#include "basic/log.h"
#include "store/log-mark.h"
#include "store/quarantine.h"
#include "store/schema.h"
#include "transform/convert.h"
#include "worker/backfill.h"

#include <errno.h>

typedef enum Verdict { VERDICT_UNKNOWN, VERDICT_APPLIED, VERDICT_NOT_APPLIED } Verdict;

static bool transacts(const Run *run) { return run->target->connector->capabilities & CONNECTOR_TRANSACTS; }

static bool fields_equal(const Mapping *m, const JournalEntry *entry, const Value *present,
                         const Value *image) {
        for (size_t i = 0; i < entry->n_fields; i++) {
                ssize_t field = mapping_field_index(m, entry->fields[i]);

                if (field < 0 || !value_means_same(present + field, image + i))
                        return false;
        }
        return true;
}

/* A row that is there tells of an insert only when it is ours: by the digest of what we wrote. */
static Verdict entry_verdict(const Mapping *m, const JournalEntry *entry, const Value *present,
                             DigestScratch *scratch) {
        Digest digest;

        if (entry->kind == CHANGE_DELETE)
                return present ? VERDICT_NOT_APPLIED : VERDICT_APPLIED;
        if (!present)
                return VERDICT_NOT_APPLIED;
        if (entry->kind == CHANGE_INSERT) {
                if (values_digest(present, m->n_fields, 0, scratch, &digest) < 0)
                        return VERDICT_UNKNOWN;
                return digest_equal(&digest, &entry->target_digest) ? VERDICT_APPLIED : VERDICT_UNKNOWN;
        }
        if (fields_equal(m, entry, present, entry->after))
                return VERDICT_APPLIED;
        return fields_equal(m, entry, present, entry->before) ? VERDICT_NOT_APPLIED : VERDICT_UNKNOWN;
}

static int keys_decode(const Mapping *m, const JournalBatch *batch, Arena *arena, RecordFetch *fetches,
                       Error *error) {
        for (size_t i = 0; i < batch->n_entries; i++) {
                Value *key = arena_alloc_zero(arena, m->n_key * sizeof(Value));

                if (!key)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to settle a batch");
                if (key_decode(batch->entries[i].key, arena, key, m->n_key) < 0)
                        return error_set(error, ERROR_INTERNAL, NULL, "A key of the journal cannot be read");
                fetches[i].key = key;
        }
        return 0;
}

/* A key that the target refuses tells nothing. */
static int entry_look(const Mapping *m, const JournalEntry *entry, const RecordFetch *fetch, Arena *arena,
                      DigestScratch *scratch, Verdict *ret, Error *error) {
        Value *present = fetch->values;

        for (size_t i = 0; present && i < m->n_fields; i++)
                if (convert_fetched(present + i, m->fields + i, arena, present + i) < 0)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to settle a batch");
        *ret = fetch->refusal.id == ERROR_NONE ? entry_verdict(m, entry, present, scratch) : VERDICT_UNKNOWN;
        return 0;
}

/* The worker is dead, its transaction need not be: a server may still be at the COMMIT that it was sent. */
static int transaction_await(Connection *target, Error *error) {
        int r;

        r = connection_begin(target, error);
        if (r >= 0)
                connection_rollback(target);
        return r;
}

/* All records are asked; ret_verdicts: one each. */
static int batch_look(Run *run, const Mapping *m, const JournalBatch *batch, Arena *arena, Verdict *ret_verdicts,
                      Error *error) {
        _cleanup_(writer_closep) Writer *writer = NULL;
        DigestScratch scratch = {0};
        RecordFetch *fetches;
        int r = 0;

        if (transacts(run))
                r = transaction_await(run->target, error);
        if (r >= 0)
                r = writer_open(run->target, m, &writer, error);
        if (r < 0)
                return r;
        fetches = calloc(batch->n_entries + 1, sizeof(*fetches));
        r = fetches ? keys_decode(m, batch, arena, fetches, error)
                    : error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to settle a batch");
        if (r >= 0)
                r = writer_fetch(writer, arena, fetches, batch->n_entries, error);
        for (size_t i = 0; r >= 0 && i < batch->n_entries; i++)
                r = entry_look(m, batch->entries + i, fetches + i, arena, &scratch, ret_verdicts + i, error);
        fetches_free(fetches, batch->n_entries);
        free(scratch.bytes);
        return r;
}

/* The majority counts: some may have been changed by another hand since. Where none tells, the batch is taken as not applied: detection compares all
 * its records again, and a change is never believed that is not at the target. */
static bool majority_applied(const Verdict *verdicts, size_t n) {
        size_t n_verdicts[VERDICT_NOT_APPLIED + 1] = {0};

        for (size_t i = 0; i < n; i++)
                n_verdicts[verdicts[i]]++;
        return n_verdicts[VERDICT_APPLIED] > n_verdicts[VERDICT_NOT_APPLIED];
}

/* Of journal and batch only the entries stay that are at the target. */
static int batch_reduce(Run *run, JournalBatch *batch, const Verdict *verdicts, Error *error) {
        _cleanup_free_ bool *keep = calloc(batch->n_entries + 1, sizeof(bool));
        size_t n = 0;
        int r;

        if (!keep)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to settle a batch");
        for (size_t i = 0; i < batch->n_entries; i++)
                keep[i] = verdicts[i] == VERDICT_APPLIED;
        r = journal_keep(run->journal, batch->batch, keep, batch->n_entries, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < batch->n_entries; i++)
                if (keep[i])
                        batch->entries[n++] = batch->entries[i];
        batch->n_entries = n;
        return 0;
}

/* A record that vanished from the source: deleted, or marked by the mapping's delete policy (then without a source digest). */
static bool entry_is_delete(const JournalEntry *entry) {
        static const Digest none;

        return entry->kind == CHANGE_DELETE ||
               (entry->kind == CHANGE_UPDATE && digest_equal(&entry->source_digest, &none));
}

static int checkpoint_settled(ProgressEntity *entity, const JournalBatch *batch, Error *error) {
        Checkpoint checkpoint = *checkpoint_get(entity);

        if (checkpoint.settled_batch == 0) /* else the scan's position lies before an earlier one still */
                checkpoint.settled_batch = batch->batch;
        return checkpoint_save(entity, &checkpoint, error);
}

/* The place in the log lies before the batch's group: that is read again as a whole, and what it wrote is known by then. */
static int mark_settled(Run *run, const Mapping *m, const JournalBatch *batch, Error *error) {
        LogMark mark;
        int r;

        r = log_mark_load(run->progress, m->entity, &mark, error);
        if (r <= 0)
                return r; /* the slot was made anew: everything is compared */
        if (log_position_compare(batch->log_until, mark.replay_until) > 0)
                mark.replay_until = batch->log_until;
        if (mark.group_batch == 0)
                mark.group_batch = batch->batch;
        return log_mark_save(run->progress, m->entity, &mark, error);
}

/* What the guard would not have counted: as backfill_only_fills(), of what the journal has. */
static bool entry_only_fills(const Mapping *m, const Backfill *b, const JournalEntry *entry) {
        if (entry->kind != CHANGE_UPDATE || entry_is_delete(entry))
                return false;
        for (size_t i = 0; i < entry->n_fields; i++) {
                ssize_t field = mapping_field_index(m, entry->fields[i]);

                if (field < 0 || !b->gained[field] || entry->before[i].type != VALUE_NULL)
                        return false;
        }
        return true;
}

static int filled_record(Run *run, const Mapping *m, const JournalBatch *batch, Error *error) {
        Database *database = progress_database(run->progress);
        _cleanup_(entity_schema_done) EntitySchema schema = {};
        _cleanup_(backfill_done) Backfill backfill = {};
        uint64_t n = 0;
        int r;

        r = entity_schema_load(database, m->entity, &schema, error);
        if (r < 0)
                return r;
        if (backfill_make(run->pair, m, schema.mapping, schema.refill, &backfill) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to settle a batch");
        for (size_t i = 0; i < batch->n_entries; i++)
                n += entry_only_fills(m, &backfill, batch->entries + i);
        schema.n_filled += n;
        return n > 0 ? entity_schema_save(database, m->entity, &schema, error) : 0;
}

static int batch_record(Run *run, const Mapping *m, const JournalBatch *batch, Error *error) {
        EntityResult delta = {.entity = batch->entity};
        ProgressEntity *entity;
        int r;

        r = progress_entity(run->progress, m->entity, &entity, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < batch->n_entries; i++) {
                const JournalEntry *entry = batch->entries + i;
                BaselineRow row = {0};

                r = baseline_find(entity, entry->key, &row, error);
                if (r < 0)
                        return r;
                delta.n_inserted += entry->kind == CHANGE_INSERT;
                delta.n_updated += entry->kind == CHANGE_UPDATE && !entry_is_delete(entry);
                delta.n_deleted += entry_is_delete(entry);
                if (entry_is_delete(entry))
                        r = baseline_delete(entity, entry->key, error);
                else
                        r = baseline_put(entity, entry->key, &row.number, batch->batch,
                                         &entry->source_digest, &entry->target_digest, error);
                if (r >= 0) /* what went through, or is gone, is no longer held */
                        r = quarantine_release(progress_database(run->progress), m->entity, entry->key,
                                               error);
                if (r < 0)
                        return r;
        }
        delta.n_read = delta.n_inserted + delta.n_updated;
        r = result_add(run->progress, batch->operation_id, &delta, error);
        if (r >= 0)
                r = filled_record(run, m, batch, error);
        if (r < 0)
                return r;
        r = batch->log_until.lsn > 0 ? mark_settled(run, m, batch, error) : checkpoint_settled(entity, batch, error);
        if (r < 0)
                return r;
        return progress_set_last_batch(run->progress, batch->batch, error);
}

static int settle_applied(Run *run, const Mapping *m, const JournalBatch *batch, Error *error) {
        int r;

        r = progress_begin(run->progress, error);
        if (r < 0)
                return r;
        return progress_end(run->progress, batch_record(run, m, batch, error), error);
}

static void settled_log(const JournalBatch *batch, size_t n_applied) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%zu of %zu records of an interrupted batch were applied at the target; they were recorded "
                     "from the journal, the others are detected anew.", n_applied, batch->n_entries) < 0)
                text = NULL;
        log_event(LOG_NOTICE, MESSAGE_BATCH_SETTLED,
                  n_applied == batch->n_entries
                          ? "An interrupted batch was applied at the target; it was recorded from the journal."
                  : n_applied == 0
                          ? "An interrupted batch had not reached the target; it is detected anew."
                          : text ? text : "Records of an interrupted batch were applied at the target.",
                  "ENTITY", batch->entity, NULL);
}

static int batch_settle(Run *run, const Mapping *m, JournalBatch *batch, Arena *arena, Error *error) {
        Verdict *verdicts = arena_alloc_zero(arena, (batch->n_entries + 1) * sizeof(*verdicts));
        size_t n_applied = 0;
        int r;

        if (!verdicts)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to settle a batch");
        r = batch_look(run, m, batch, arena, verdicts, error);
        if (r < 0)
                return r;
        if (transacts(run))
                n_applied = majority_applied(verdicts, batch->n_entries) ? batch->n_entries : 0;
        else
                for (size_t i = 0; i < batch->n_entries; i++)
                        n_applied += verdicts[i] == VERDICT_APPLIED;
        settled_log(batch, n_applied);
        if (n_applied == 0)
                return journal_forget(run->journal, batch->batch, error);
        if (n_applied < batch->n_entries)
                r = batch_reduce(run, batch, verdicts, error);
        return r < 0 ? r : settle_applied(run, m, batch, error);
}

int settle(Run *run, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        JournalBatch batch = {0};
        const Mapping *m;
        int r;

        r = arena_new(&arena);
        if (r < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to settle a batch");
        r = journal_unsettled(run->journal, progress_last_batch(run->progress), arena, &batch, error);
        if (r <= 0)
                return r;
        m = pair_mapping(run->pair, batch.entity);
        if (!m)
                return error_set(error, ERROR_MAPPING,
                                 "Put the entity back, run the pair once, then take it out.",
                                 "A batch of entity '%s' waits to be settled, and the mapping no longer has "
                                 "that entity",
                                 batch.entity);
        return batch_settle(run, m, &batch, arena, error);
}
