/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The set of 128-bit digests of what a unique field has held in this run. Pure; in the worker. */
#include "model/record.h"

/* Split by the digest's first byte, so that growing copies a 256th at a time: at most 16 / 0.875 × 1.5
 * = 27.5 bytes per digest, also while it grows. Two different values share a digest with a chance of 1 in
 * 10^24 at ten million values. */
#define UNIQUE_PARTS 256U

typedef struct UniquePart {
        Digest *slots;
        size_t n, capacity;
} UniquePart;
typedef struct UniqueSet {
        UniquePart parts[UNIQUE_PARTS];
        size_t n;
} UniqueSet; /* starts zeroed */

void unique_set_done(UniqueSet *s);
bool unique_set_has(const UniqueSet *s, const Digest *digest);
/* Adds a digest; one that is there already changes nothing. -ENOMEM: the set is as before. */
_must_check_ int unique_set_add(UniqueSet *s, const Digest *digest);
size_t unique_set_bytes(const UniqueSet *s); /* of its slots */
