/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a changed mapping, or a column that drifted, asks of the next full compare: only the fields that it concerns. In the worker.
 * A record whose old columns are as they were is unchanged but for these fields, so others are left as the target has them. */
#include "model/pair.h"
#include "model/record.h"
#include <jansson.h>

typedef struct Backfill {
        bool *compared; /* n_fields: fields that are compared with the target in every record */
        bool *gained;   /* n_fields: of those, newly mapped ones: what is null at the target is filled in, and no guard counts it */
        bool is_needed; /* some are compared */
        /* The baseline's digests are of the mapping before: the seed, and its columns as indexes into mapping->columns. */
        bool has_before;
        uint64_t seed;
        size_t *columns;
        size_t n_columns;
} Backfill;
void backfill_done(Backfill *b);
/* shape: of the last full compare, as backfill_shape() gave it, or NULL; refill: fields by name, or NULL. -ENOMEM. */
_must_check_ int backfill_make(const Pair *pair, const Mapping *m, const json_t *shape, const json_t *refill, Backfill *ret);
/* {"hash", "columns": ["join.column"], "fields": {name: definition}}; NULL without memory. */
json_t *backfill_shape(const Pair *pair, const Mapping *m);
/* Did a planned change only fill in what was null in newly mapped fields? */
bool backfill_only_fills(const Backfill *b, const Mapping *m, const Change *change);
/* "column" or "join.column"; allocated, NULL without memory. */
char *column_name(const MappingColumn *c);
