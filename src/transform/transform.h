/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Source record → target record: columns, constants, look-ups and types of a mapping. Pure; in the worker */
#include "model/finding.h"
#include "model/mapping.h"

/* Converts only the key: the first m->n_key fields. The hot path of detection: integers and text that is not
 * looked up allocate nothing.
 * source: m->n_columns raw values. ret_key_values: room for m->n_key values; text is borrowed from source,
 *      the mapping or the arena.
 * findings: what cannot be converted (rules "type", "lookup"); its value is NULL then. 0, or -ENOMEM. */
_must_check_ int transform_keys(const Mapping *m, const Value *source, Arena *arena, Value *ret_key_values,
                                Finding **findings);

/* Converts the whole record, the key included.
 * source: m->n_columns raw values that live in the same arena. ret_target: room for m->n_fields values,
 *      borrowed from source, the mapping (constants, code tables) or the arena: they live as long as the
 *      shorter of arena and mapping.
 * findings: as above, of every field. 0, or -ENOMEM. */
_must_check_ int transform_record(const Mapping *m, const Value *source, Arena *arena, Value *ret_target,
                                  Finding **findings);
