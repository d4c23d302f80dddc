/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is wrong with the rings of a geometry. Pure; in the worker. */
#include "basic/alloc.h"

#define RING_COMPARISONS_MAX 20000000U /* pairs of segments looked at in one geometry: some 0.1 s */

typedef enum RingFault {
        RING_VALID,
        RING_SHORT,       /* fewer than four points */
        RING_OPEN,        /* the last point is not the first */
        RING_NOT_FINITE,  /* a coordinate is no number */
        RING_CROSSES,     /* it crosses or touches itself, or goes back the way it came */
        RING_ORIENTATION, /* a hole that goes round the same way as the ring it is in */
        RING_UNKNOWN,     /* too many segments lie side by side to be looked at */
        _RING_FAULT_MAX,
} RingFault;

typedef struct RingPlace {
        unsigned polygon, ring; /* from 1 on */
        double x, y;            /* where */
} RingPlace;

/* The first fault of any ring of polygons, however deep; ring by ring, not how rings lie to each other. wkb has passed
 * geometry_check(). Gives RING_VALID where there is none or no polygon. -ENOMEM. */
_must_check_ int geometry_rings_check(const char *wkb, size_t size, RingFault *ret, RingPlace *ret_place);
/* The sentence's end: "has a ring that …". */
const char *ring_fault_text(RingFault fault);
