/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The constraints of one field on one value, under Table Schema's names. Pure; in the worker. */
#include "model/finding.h"
#include "model/mapping.h"

/* Checks required, minimum, maximum, min_length, max_length, pattern and enum, and adds an error finding
 * (severity error, rule named as the constraint) for each that does not hold. NULL and ABSENT meet only
 * `required`. Numbers compare exactly. Lengths count characters of text and bytes of BYTES; pattern and enum
 * see numbers, dates and so on as their text. 0, or -ENOMEM. */
_must_check_ int rule_check_field(const MappingField *field, const Value *value, Arena *arena,
                                  Finding **findings);
/* -1, 0, 1 in *ret where both can be ordered (numbers with numbers; the same kind of time; DATE with
 * TIMESTAMP at its midnight); false where they cannot. */
bool rule_compare(const Value *a, const Value *b, int *ret);
