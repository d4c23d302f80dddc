/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A range of a source's records by their identity, with sums that tell whether it changed. Plain data,
 * owned; in the worker. */
#include "basic/error.h"
#include "model/record.h"

#define KEY_RANGE_SUMS 2
#define KEY_RANGE_UNKNOWN UINT64_MAX
#define KEY_RANGE_SUM_MASK ((UINT64_C(1) << 60) - 1)

typedef struct KeyRange {
        char *after, *until; /* after < identity ≤ until, as key_bound_format() has them; NULL: no bound */
        uint64_t n_records; /* KEY_RANGE_UNKNOWN: equal to no other */
        uint64_t sums[KEY_RANGE_SUMS]; /* modulo 2^60 */
} KeyRange;

typedef struct KeyRanges {
        KeyRange *ranges;
        size_t n_ranges, capacity;
} KeyRanges;

void key_ranges_done(KeyRanges *ranges);
#define _cleanup_key_ranges_ _cleanup_(key_ranges_done)
/* Appends a range with copies of the bounds. -ENOMEM. */
_must_check_ int key_ranges_add(KeyRanges *ranges, const char *after, const char *until, KeyRange **ret);
/* Sums up one record: by its digest where the source's values are hashed in this process. */
void key_range_add(KeyRange *range, const Digest *digest);
/* Same count and sums, both known? */
bool key_range_is_equal(const KeyRange *a, const KeyRange *b);

/* A bound: the identity's values as text that survives in a file. Allocated; NULL without memory. */
char *key_bound_format(const Value *values, size_t n_values);
/* Exactly n_values out of it, borrowed from the arena. -EBADMSG: it is none of such an identity; -ENOMEM. */
_must_check_ int key_bound_parse(const char *bound, Arena *arena, Value *ret_values, size_t n_values);
