/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/plan.h"

#include <errno.h>

static bool is_same(const MappingField *field, const Value *target, const Value *before) {
        return field->compare_exactly ? value_equal(target, before) : value_means_same(target, before);
}

/* What means the same stays as the target has it, so that the digest speaks of the record as we leave it. */
static size_t change_compare(const Mapping *m, Change *change) {
        size_t n_changed = 0;

        for (size_t i = m->n_key; i < m->n_fields; i++) {
                if (change->target[i].type == VALUE_ABSENT)
                        continue;
                change->changed[i] = !is_same(&m->fields[i], change->target + i, change->before + i);
                n_changed += change->changed[i];
                if (!change->changed[i])
                        change->target[i] = change->before[i];
        }
        return n_changed;
}

int plan_change(const Mapping *m, Change *change, Arena *arena, DigestScratch *scratch) {
        size_t n_changed = 0;
        int r;

        if (change->before) {
                change->changed = arena_alloc_zero(arena, m->n_fields * sizeof(bool));
                if (!change->changed)
                        return -ENOMEM;
                n_changed = change_compare(m, change);
        }

        /* Not seeded by the mapping: the digest speaks of the target's record, which a reworded mapping leaves as it is. */
        r = values_digest(change->target, m->n_fields, 0, scratch, &change->target_digest);
        if (r < 0)
                return r;
        change->kind = !change->before ? CHANGE_INSERT : n_changed > 0 ? CHANGE_UPDATE : CHANGE_NONE;
        return 0;
}

void plan_keep_others(const Mapping *m, Change *change, const bool *compared) {
        for (size_t i = m->n_key; change->before && i < m->n_fields; i++)
                if (!compared[i])
                        change->target[i] = change->before[i];
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
