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

int write_batch(Connection *target, Writer *writer, Batch *batch, Error *error) {
        int n_refused = 0, r;

        r = connection_begin(target, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < batch->n_changes; i++) {
                _cleanup_error_ Error refusal = {0};
                Change *change = batch->changes + i;

                if (!change_is_write(change))
                        continue;
                r = writer_write(writer, change, &refusal);
                if (r >= 0)
                        continue;
                if (error_class(refusal.id) != ERROR_CLASS_RECORD) {
                        connection_rollback(target);
                        error_move(error, &refusal);
                        return r;
                }
                n_refused++;
                r = change_refuse(batch, change, &refusal);
                if (r < 0) {
                        connection_rollback(target);
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a batch");
                }
        }
        if (n_refused == 0)
                return connection_commit(target, error);
        connection_rollback(target);
        return n_refused;
}
