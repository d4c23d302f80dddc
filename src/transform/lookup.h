/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A code becomes what a code table says. Pure; in the worker. */
#include "model/finding.h"
#include "model/mapping.h"

/* Looks a prepared value up (its text, as people write it) in the field's table. NULL and ABSENT stay as
 * they are. Where the table has no such code, `otherwise` decides: an error finding of rule "lookup" and
 * NULL, NULL, the code itself, or a text. ret: borrowed from the mapping or value. 0, or -ENOMEM. */
_must_check_ int lookup_apply(const MappingField *field, const Value *value, Arena *arena, Value *ret,
                              Finding **findings);
