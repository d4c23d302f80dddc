/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The strategy `digest`: which ranges of the source's identities differ from what they were? Sums are made at the source, and
 * compared within the one snapshot that the differing ranges are then read in. In the worker. */
#include "connect/connector.h"
#include "store/progress.h"

typedef struct DigestRanges {
        StoredRange *ranges; /* adjacent, ascending; opened ones are read */
        size_t n_ranges, capacity;
        size_t at;      /* the range that the record read last lies in */
        size_t end;     /* where the opened ranges end that are being read in one go */
        uint64_t n_left; /* records of `at` that are still to come */
} DigestRanges;
void digest_ranges_done(DigestRanges *d);

/* Sums up the known ranges anew, and opens those that differ. all: ranges are planned anew, and all are opened; n_expected: how many
 * records there may be. A range that grew is split, small ones become one, so that their number follows neither the
 * table's size nor its changes: DIGEST_RANGES_MAX at most by plan. */
_must_check_ int digest_compare(Reader *reader, const StoredRange *known, size_t n_known, bool all, uint64_t n_expected,
                                DigestRanges *ret, Error *error);
/* Begins to read the next opened ranges, as many as are adjacent. 1; 0: all were read. */
_must_check_ int digest_read_on(DigestRanges *d, Reader *reader, Error *error);
/* The index of the range that the next record lies in: ranges are read in their order, and their records are counted. */
size_t digest_place(DigestRanges *d);
