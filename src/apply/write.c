/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/write.h"

#include <errno.h>

static bool change_is_write(const Change *change) {
        return change->kind == CHANGE_INSERT || change->kind == CHANGE_UPDATE ||
               change->kind == CHANGE_DELETE;
}

size_t batch_count_writes(const Batch *batch) {
        size_t n = 0;

        for (size_t i = 0; i < batch->n_changes; i++)
                n += change_is_write(batch->changes + i);
        return n;
}

int change_refuse(Batch *batch, Change *change, const Error *refusal) {
        change->kind = CHANGE_HELD;
        return finding_add(&change->findings, batch->arena, FINDING_ERROR, "target_refused", refusal->field,
                           NULL, refusal->detail,
                           refusal->remedy
                                   ? refusal->remedy
                                   : "Correct the record at the source, or the constraint at the target.");
}

static int refusals_take(Batch *batch, Change *const *changes, const RecordWrite *writes, size_t n_writes) {
        int r;

        for (size_t i = 0; i < n_writes; i++) {
                if (writes[i].refusal.id == ERROR_NONE)
                        continue;
                r = change_refuse(batch, changes[i], &writes[i].refusal);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* changes[i] is what writes[i] tells. */
static int writes_apply(Connection *target, Writer *writer, Batch *batch, Change *const *changes,
                        RecordWrite *writes, size_t n_writes, Error *error) {
        bool transacts = target->connector->capabilities & CONNECTOR_TRANSACTS;
        int n_refused, r;

        r = transacts ? connection_begin(target, error) : 0;
        if (r < 0)
                return r;
        n_refused = writer_write(writer, writes, n_writes, error);
        if (n_refused == 0)
                return transacts ? connection_commit(target, error) : 0;
        connection_rollback(target);
        if (n_refused > 0 && refusals_take(batch, changes, writes, n_writes) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a batch");
        return n_refused;
}

int write_batch(Connection *target, Writer *writer, Batch *batch, Error *error) {
        size_t n_writes = batch_count_writes(batch), n = 0;
        _cleanup_free_ Change **changes = calloc(n_writes + 1, sizeof(*changes));
        RecordWrite *writes = calloc(n_writes + 1, sizeof(*writes));
        int r;

        if (changes && writes) {
                for (size_t i = 0; i < batch->n_changes; i++)
                        if (change_is_write(batch->changes + i)) {
                                changes[n] = batch->changes + i;
                                writes[n++].change = batch->changes + i;
                        }
                r = writes_apply(target, writer, batch, changes, writes, n_writes, error);
        } else
                r = error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a batch");
        writes_free(writes, n_writes);
        return r;
}
