/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* All mapping files as pairs. In syncd and workers. Plain data, owned. */
#include "config/settings.h"
#include "model/pair.h"

/* A mapping file with mistakes: it starts nothing, but can be named. */
typedef struct BrokenPair {
        char *name;             /* of `pair:`, or of the file */
        char **aliases;
        char *file;
        Error first;            /* its first mistake, saying how many more there are */
} BrokenPair;

typedef struct PairSet {
        Pair **pairs;           /* in the order of depends_on, then by name */
        size_t n_pairs;
        BrokenPair *broken;
        size_t n_broken;
} PairSet;
/* Reads *.yaml of all settings->mapping_directories; a file in an earlier folder replaces one of the same name in a later.
 * A pair with mistakes goes to broken, and its mistakes to mistakes. Fails with -ENOMEM only. */
_must_check_ int pairs_load(const Settings *settings, PairSet **ret, Mistakes *mistakes);
PairSet *pairs_free(PairSet *set);
DEFINE_CLEANUP(PairSet, pairs_free)
#define _cleanup_pairs_ _cleanup_(pairs_freep)
const Pair *pairs_find(const PairSet *set, const char *name_or_alias);          /* NULL */
const BrokenPair *pairs_find_broken(const PairSet *set, const char *name_or_alias);
/* The same with words: ERROR_NOT_FOUND with the nearest name, ERROR_MAPPING (or ERROR_NOT_YET) with the first mistake where the pair is broken. */
_must_check_ int pairs_get(const PairSet *set, const char *name_or_alias, const Pair **ret, Error *error);
