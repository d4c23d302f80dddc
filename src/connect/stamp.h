/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The shape of a watermark column's stamps, learned from its least and greatest value: only where text or
 * number order is the order of time may a horizon be put between them. Pure; in the worker. */
#include "basic/error.h"
#include "model/value.h"

#define STAMP_TEXT_MAX 48

typedef struct StampShape {
        int64_t ticks_per_sec; /* INTEGER stamps: 1, 1000, 1000000; 0: text */
        char separator;        /* 'T' or ' ' */
        unsigned digits;       /* of the fraction, 0 … 9 */
        char zone[8];          /* "", "Z", "+00:00", "+00" */
} StampShape;

#define STAMP_SHAPE_DEFAULT ((StampShape){.separator = ' ', .digits = 3}) /* of an empty column */

/* Learns one value's shape and time. -EINVAL: not a stamp that can be relied on (date only, another zone,
 * a version number, a float). */
_must_check_ int stamp_parse(const Value *value, StampShape *ret_shape, int64_t *ret_usec);
/* Unites two shapes of one column into the coarser: fractions of text without a zone may differ. -EINVAL:
 * their order is not time's. */
_must_check_ int stamp_unite(const StampShape *a, const StampShape *b, StampShape *ret);
/* The smallest step of time the shape can tell, µs: at least 1 ms, since clocks of writers are no finer. */
int64_t stamp_unit_usec(const StampShape *shape);
/* Writes a time, cut to the shape's resolution. value borrows text, which holds STAMP_TEXT_MAX bytes. */
void stamp_format(const StampShape *shape, int64_t usec, char text[static STAMP_TEXT_MAX], Value *ret);
