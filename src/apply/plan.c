/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/plan.h"

#include <errno.h>

int plan_change(const Mapping *m, Change *change, Arena *arena, DigestScratch *scratch) {
        size_t n_changed = 0;
        int r;

        /* Not seeded by the mapping: the digest speaks of the target's record, which a reworded mapping leaves as it is. */
        r = values_digest(change->target, m->n_fields, 0, scratch, &change->target_digest);
        if (r < 0)
                return r;
        if (!change->before) {
                change->kind = CHANGE_INSERT;
                return 0;
        }
        change->changed = arena_alloc_zero(arena, m->n_fields * sizeof(bool));
        if (!change->changed)
                return -ENOMEM;
        for (size_t i = m->n_key; i < m->n_fields; i++) {
                change->changed[i] = change->target[i].type != VALUE_ABSENT &&
                                     !value_equal(change->target + i, change->before + i);
                n_changed += change->changed[i];
        }
        change->kind = n_changed > 0 ? CHANGE_UPDATE : CHANGE_NONE;
        return 0;
}

static int plan_mark(const Mapping *m, Change *change, Arena *arena) {
        size_t n_changed = 0;

        change->target = arena_copy(arena, change->before, m->n_fields * sizeof(Value));
        change->changed = arena_alloc_zero(arena, m->n_fields * sizeof(bool));
        if (!change->target || !change->changed)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_marks; i++) {
                size_t field = m->mark_fields[i];

                change->target[field] = m->mark_values[i];
                change->changed[field] = !value_equal(change->before + field, change->target + field);
                n_changed += change->changed[field];
        }
        change->kind = n_changed > 0 ? CHANGE_UPDATE : CHANGE_NONE;
        return 0;
}

int plan_delete(const Mapping *m, Change *change, Arena *arena) {
        if (!change->before || m->deletes == DELETES_IGNORE) {
                change->kind = CHANGE_NONE;
                return 0;
        }
        if (m->deletes == DELETES_MARK)
                return plan_mark(m, change, arena);
        change->kind = CHANGE_DELETE;
        return 0;
}
