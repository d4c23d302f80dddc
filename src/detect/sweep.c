/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/sweep.h"

#include "basic/limits.h"

#include <errno.h>

struct Sweep {
        DetectPlan plan;
        Reader *reader;
        Value *values, *key_values;
        Arena *arena;
        DigestScratch scratch;
        uint64_t n_read, n_unkeyed;
};

static int no_memory(const Sweep *s, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to read the keys of entity '%s'",
                         s->plan.mapping->entity);
}

int sweep_open(const DetectPlan *plan, Sweep **ret, Error *error) {
        const ReadPlan read = {.pair = plan->pair, .mapping = plan->mapping, .scope = READ_KEYS};
        _cleanup_(sweep_closep) Sweep *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to read keys");
        s->plan = *plan;
        s->values = calloc(plan->mapping->n_columns + 1, sizeof(Value));
        s->key_values = calloc(plan->mapping->n_key + 1, sizeof(Value));
        if (!s->values || !s->key_values || arena_new(&s->arena) < 0)
                return no_memory(s, error);
        r = reader_open(plan->source, &read, &s->reader, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

Sweep *sweep_close(Sweep *s) {
        if (!s)
                return NULL;
        (void) reader_close(s->reader);
        (void) arena_free(s->arena);
        free(s->scratch.bytes);
        free(s->values);
        free(s->key_values);
        free(s);
        return NULL;
}

static int key_sweep(Sweep *s, Error *error) {
        const Mapping *m = s->plan.mapping;
        Finding *findings = NULL;
        BaselineRow row;
        Key key;
        int r;

        r = s->plan.make_key(m, s->values, s->arena, s->key_values, &findings);
        if (r < 0)
                return no_memory(s, error);
        r = findings_hold(findings) ? -EINVAL : key_encode_scratch(s->key_values, m->n_key, &s->scratch, &key);
        if (arena_size_bytes(s->arena) > 0)
                arena_reset(s->arena);
        if (r == -ENOMEM)
                return no_memory(s, error);
        if (r < 0) {
                s->n_unkeyed++;
                return 0;
        }
        r = baseline_find(s->plan.entity, key, &row, error);
        if (r <= 0)
                return r;
        return seen_mark(s->plan.entity, row.number) < 0 ? no_memory(s, error) : 0;
}

int sweep_next(Sweep *s, Error *error) {
        int r;

        for (size_t i = 0; i < BATCH_RECORDS_MAX; i++) {
                r = reader_next(s->reader, s->values, error);
                if (r > 0) {
                        s->n_read++;
                        r = key_sweep(s, error);
                        if (r < 0)
                                return r;
                } else
                        return r;
        }
        return 1;
}

uint64_t sweep_n_read(const Sweep *s) { return s->n_read; }
uint64_t sweep_n_unkeyed(const Sweep *s) { return s->n_unkeyed; }
