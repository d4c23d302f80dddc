/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One raw value becomes a value of the field's declared type: exactly, or with a finding. Pure, in the
 * worker. */
#include "model/finding.h"
#include "model/mapping.h"

/* Converts as the field says: trim, null_values, then the type (ABSENT: as the source gives it).
 * value: of any type. field: its type, precision, scale, srid, format, trim, null_values, accept,
 *      max_length and name are read.
 * ret: text and bytes are borrowed from value where nothing changes, else they live in the arena; integers
 *      and dates allocate nothing. An ABSENT value stays ABSENT, NULL stays NULL.
 * findings: one error of rule "type" is prepended where the value cannot be converted without loss; ret is
 *      NULL then. Where the field accepts it, digits are rounded (half to even) or truncated (toward zero)
 *      without a finding; `accept: truncates` also cuts text to max_length characters.
 * What is exact: the table in transform/cast.h. 0, or -ENOMEM. */
_must_check_ int convert_value(const Value *value, const MappingField *field, Arena *arena, Value *ret,
                               Finding **findings);

/* The two halves of convert_value(), for a look-up between them: first trim (ASCII blanks) and null_values
 * (compared with the text of numbers, too), then the type. 0, or -ENOMEM. */
_must_check_ int convert_prepare(const Value *value, const MappingField *field, Arena *arena, Value *ret);
_must_check_ int convert_prepared(const Value *value, const MappingField *field, Arena *arena, Value *ret,
                                  Finding **findings);

/* Converts what the target holds now to the field's type, for comparison: strict, without trim, null_values,
 * format and accept, and without findings. What cannot be converted stays raw, so that it differs.
 * ret borrows as above. 0, or -ENOMEM. */
/* The same where the field has no type: to that of the value that is to be written (like, may be NULL). A target that knows fewer types than the
 * source (a text file, a SQLite column of texts) gives another type for an equal value. */
_must_check_ int convert_fetched_like(const Value *raw, const MappingField *field, const Value *like, Arena *arena, Value *ret);
_must_check_ int convert_fetched(const Value *raw, const MappingField *field, Arena *arena, Value *ret);
