/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a field's values come of, as one number: two versions of a mapping are compared by it. */
#include "config/pair-file.h"

/* Fills in the definition of each field of an entity that was read whole: of what stands at the field and at the entity, of the code table, of
 * the pair's systems and variables. Not of what only chooses records (where, join, detect, deletes): that shows in their values. -ENOMEM. */
_must_check_ int definitions_set(Reading *reading, const json_t *entity, Mapping *m);
