/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Casts to dates and times, for cast.c, where the table of what is exact stands. Pure; in the worker. */
#include "basic/timestamp.h"
#include "transform/cast.h"

#define CAST_USEC_PER_DAY (86400 * USEC_PER_SEC)
/* The years 0000 … 9999, which RFC 3339 can write. */
#define CAST_DAYS_MIN (-719528)
#define CAST_DAYS_MAX 2932896

/* Is the format that of a number that counts: epoch (seconds since 1970), epoch_ms, julian (days)? They take integers, decimals and their text. */
bool cast_format_counts(const char *format);
/* Each gives as cast_value() does: 0, a positive CastFault, or -ENOMEM. */
_must_check_ int cast_date(const Value *value, const CastShape *shape, Arena *arena, Value *ret);
_must_check_ int cast_time(const Value *value, const CastShape *shape, Arena *arena, Value *ret);
_must_check_ int cast_timestamp(const Value *value, const CastShape *shape, Arena *arena, Value *ret);
