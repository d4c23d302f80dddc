/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A sync pair: one mapping file. Plain data, owned. */
#include "model/drift.h"
#include "model/field.h"
#include "model/mapping.h"
#include <jansson.h>

/* A guard's threshold: a count, or hundredths of a percent of the larger of baseline and target. */
typedef struct GuardLimit { bool is_percent; uint64_t amount; /* records, or basis points: 2 % = 200 */ } GuardLimit;

typedef struct Variable { char *name; Value value; char *bytes; } Variable;      /* INTEGER, DECIMAL, TEXT */

typedef struct Pair {
        char *name, *description;
        char **aliases;
        char *source, *target;          /* systems */
        Variable *variables;
        size_t n_variables;
        GuardLimit max_deletes, max_changes, max_errors;
        bool drift_stops[_DRIFT_KIND_MAX];      /* drift: stop; else it is reported */
        uint64_t slot_warn_bytes, slot_act_bytes; /* of the source's log kept for us: a warning; the slot is given up. 0: not set, never */
        char *schedule_incremental, *schedule_full, *schedule_continuous;     /* calendar expressions, or NULL */
        char **depends_on;              /* pairs */
        Mapping *mappings;              /* in the order in which entities run: parents first */
        size_t n_mappings;
        char *file;
        uint64_t content_hash;          /* of the mapping file, its look-ups and variables: seeds the digests */
        char content_hash_text[33];
} Pair;
Pair *pair_free(Pair *p);
DEFINE_CLEANUP(Pair, pair_free)
#define _cleanup_pair_ _cleanup_(pair_freep)
bool pair_is_named(const Pair *p, const char *name_or_alias);
/* By entity name or alias; NULL. */
const Mapping *pair_mapping(const Pair *p, const char *entity);
const Variable *pair_variable(const Pair *p, const char *name, size_t size);
json_t *pair_to_json(const Pair *p);    /* name, description, aliases, source, target, entities[…], guards, schedule, depends_on, mapping_hash, file */
/* What a pair is shown with: the members above, and status and error, which syncd adds. A test compares. */
extern const Field pair_document_fields[];
