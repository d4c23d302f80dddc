/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Is the record right? The constraints of a mapping's fields, and what must be unique within one run. Pure;
 * in the worker. */
#include "model/finding.h"
#include "model/mapping.h"

typedef struct Validator Validator; /* of one entity in one run */

/* m is borrowed and must outlive the validator. -ENOMEM. */
_must_check_ int validator_new(const Mapping *m, Validator **ret);
Validator *validator_free(Validator *v);
DEFINE_CLEANUP(Validator, validator_free)
#define _cleanup_validator_ _cleanup_(validator_freep)

/* Checks one target record: the constraints of each field, then `unique` against all records this validator
 * has passed before (fields of the run, not the rows that the target holds; NULL is never a duplicate). The
 * key's own duplicates are the pipeline's. A value counts for `unique` only when its record has no error
 * finding: a held record takes no value from others. So findings must hold what transform_record() found
 * already, and each record is checked once in a run. At most 27.5 bytes of memory per value of a unique
 * field and UNIQUE_VALUES_MAX of them; those beyond are error findings, since they cannot be proved unique.
 * target: m->n_fields values. 0, or -ENOMEM. */
_must_check_ int validator_check(Validator *v, const Value *target, Arena *arena, Finding **findings);
/* Lowers the bound on remembered values per unique field, which is UNIQUE_VALUES_MAX from the start. */
void validator_set_values_max(Validator *v, size_t n_values_max);
