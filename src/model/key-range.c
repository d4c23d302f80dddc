/* SPDX-License-Identifier: Apache-2.0 */
#include "model/key-range.h"

#include "basic/text.h"

#include <errno.h>

void key_ranges_done(KeyRanges *ranges) {
        for (size_t i = 0; i < ranges->n_ranges; i++) {
                free(ranges->ranges[i].after);
                free(ranges->ranges[i].until);
        }
        free(ranges->ranges);
        *ranges = (KeyRanges){};
}

int key_ranges_add(KeyRanges *ranges, const char *after, const char *until, KeyRange **ret) {
        _cleanup_free_ char *low = after ? strdup(after) : NULL, *high = until ? strdup(until) : NULL;
        KeyRange *range;
        int r;

        if ((after && !low) || (until && !high))
                return -ENOMEM;
        r = array_grow(&ranges->ranges, &ranges->capacity, ranges->n_ranges + 1, sizeof(KeyRange));
        if (r < 0)
                return r;
        range = ranges->ranges + ranges->n_ranges++;
        *range = (KeyRange){.after = TAKE_PTR(low), .until = TAKE_PTR(high)};
        if (ret)
                *ret = range;
        return 0;
}

void key_range_add(KeyRange *range, const Digest *digest) {
        for (size_t i = 0; i < KEY_RANGE_SUMS; i++) {
                uint64_t half;

                (void) memcpy(&half, digest->bytes + i * sizeof(half), sizeof(half));
                range->sums[i] = (range->sums[i] + (half & KEY_RANGE_SUM_MASK)) & KEY_RANGE_SUM_MASK;
        }
        range->n_records++;
}

bool key_range_is_equal(const KeyRange *a, const KeyRange *b) {
        return a->n_records != KEY_RANGE_UNKNOWN && a->n_records == b->n_records && memcmp(a->sums, b->sums, sizeof(a->sums)) == 0;
}

char *key_bound_format(const Value *values, size_t n_values) {
        _cleanup_free_ char *bytes = NULL;
        size_t size = 0, capacity = 0;
        char *hex;

        for (size_t i = 0; i < n_values; i++)
                if (value_encode(values + i, &bytes, &size, &capacity) < 0)
                        return NULL;
        hex = malloc(size * 2 + 1);
        if (hex)
                hex_encode(bytes, size, hex);
        return hex;
}

int key_bound_parse(const char *bound, Arena *arena, Value *ret_values, size_t n_values) {
        size_t size = strlen(bound) / 2, at = 0, used;
        uint8_t *bytes = arena_alloc(arena, size + 1);
        int r;

        if (!bytes)
                return -ENOMEM;
        if (hex_decode(bound, size, bytes) < 0)
                return -EBADMSG;
        for (size_t i = 0; i < n_values; i++, at += used) {
                r = value_decode((const char *) bytes + at, size - at, ret_values + i, &used);
                if (r < 0)
                        return r;
        }
        return at == size ? 0 : -EBADMSG;
}
