/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/digest.h"

#include "basic/limits.h"

#include <errno.h>

void digest_ranges_done(DigestRanges *d) {
        d->ranges = stored_ranges_free(d->ranges, d->n_ranges);
        *d = (DigestRanges){};
}

static uint64_t range_size(uint64_t n_expected) {
        uint64_t size = n_expected / DIGEST_RANGES_MAX;

        return size > DIGEST_RANGE_RECORDS ? size : DIGEST_RANGE_RECORDS;
}

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for ranges of keys");
}

/* Takes the texts of the range over. */
static int ranges_add(DigestRanges *d, KeyRange *range, bool opened) {
        int r;

        r = array_grow(&d->ranges, &d->capacity, d->n_ranges + 1, sizeof(*d->ranges));
        if (r < 0)
                return r;
        d->ranges[d->n_ranges++] = (StoredRange){.range = *range, .opened = opened};
        range->after = range->until = NULL;
        return 0;
}

/* The opened range in parts, each with its sums. */
static int range_split(Reader *reader, KeyRange *whole, uint64_t size, DigestRanges *d, Error *error) {
        _cleanup_key_ranges_ KeyRanges parts = {};
        int r;

        r = ranges_plan(reader, whole, size, &parts, error);
        if (r >= 0)
                r = ranges_sum(reader, parts.ranges, parts.n_ranges, error);
        for (size_t i = 0; r >= 0 && i < parts.n_ranges; i++)
                if (ranges_add(d, parts.ranges + i, true) < 0)
                        r = no_memory(error);
        return r;
}

/* Two small neighbours become one; sums of ranges add up. Not where their sum is unknown. */
static bool range_join(DigestRanges *d, KeyRange *range, bool opened, uint64_t size) {
        StoredRange *last = d->n_ranges > 0 ? d->ranges + d->n_ranges - 1 : NULL;

        if (!last || last->opened != opened || last->range.n_records + range->n_records > size / 2)
                return false;
        last->range.n_records += range->n_records;
        for (size_t i = 0; i < KEY_RANGE_SUMS; i++)
                last->range.sums[i] = (last->range.sums[i] + range->sums[i]) & KEY_RANGE_SUM_MASK;
        free(last->range.until);
        last->range.until = TAKE_PTR(range->until);
        free(TAKE_PTR(range->after));
        return true;
}

static int ranges_compare(Reader *reader, const StoredRange *known, bool all, uint64_t size, KeyRanges *present,
                          DigestRanges *d, Error *error) {
        for (size_t i = 0; i < present->n_ranges; i++) {
                KeyRange *range = present->ranges + i;
                bool opened = all || !key_range_is_equal(range, &known[i].range);
                int r = 0;

                if (opened && !all && range->n_records > size * 4)
                        r = range_split(reader, range, size, d, error);
                else if (!range_join(d, range, opened, size) && ranges_add(d, range, opened) < 0)
                        r = no_memory(error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int digest_compare(Reader *reader, const StoredRange *known, size_t n_known, bool all, uint64_t n_expected,
                   DigestRanges *ret, Error *error) {
        static const KeyRange everything = {};
        _cleanup_(digest_ranges_done) DigestRanges d = {};
        _cleanup_key_ranges_ KeyRanges present = {};
        uint64_t size = range_size(n_expected);
        int r = 0;

        if (all)
                r = ranges_plan(reader, &everything, size, &present, error);
        for (size_t i = 0; !all && r >= 0 && i < n_known; i++)
                if (key_ranges_add(&present, known[i].range.after, known[i].range.until, NULL) < 0)
                        r = no_memory(error);
        if (r >= 0)
                r = ranges_sum(reader, present.ranges, present.n_ranges, error);
        if (r >= 0)
                r = ranges_compare(reader, known, all, size, &present, &d, error);
        if (r < 0)
                return r;
        *ret = d;
        d = (DigestRanges){};
        return 0;
}

int digest_read_on(DigestRanges *d, Reader *reader, Error *error) {
        KeyRange range;
        int r;

        for (d->at = d->end; d->at < d->n_ranges && !d->ranges[d->at].opened;)
                d->at++;
        for (d->end = d->at; d->end < d->n_ranges && d->ranges[d->end].opened;)
                d->end++;
        if (d->at == d->n_ranges)
                return 0;
        range = (KeyRange){.after = d->ranges[d->at].range.after, .until = d->ranges[d->end - 1].range.until};
        d->n_left = d->ranges[d->at].range.n_records;
        r = reader_range(reader, &range, error);
        return r < 0 ? r : 1;
}

size_t digest_place(DigestRanges *d) {
        while (d->n_left == 0 && d->at + 1 < d->end)
                d->n_left = d->ranges[++d->at].range.n_records;
        if (d->n_left > 0)
                d->n_left--;
        return d->at;
}
