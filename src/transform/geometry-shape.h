/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A geometry as a field wants it: kind, dimensions, reference system; exactly, or with the name of what would be lost.
 * In the worker; pure but for PROJ, which is asked for coordinates. */
#include "transform/cast.h"

/* wkb: any bytes. shape: geometry, srid and accept are read.
 *   single → multi of one part, a multi of one part → single: as asked, nothing is lost; more parts are CAST_PARTS
 *   Z and M that the field does not name: CAST_DIMENSIONS, dropped with `accept: truncates`; named but not there: CAST_DIMENSIONS
 *   arcs where straight lines are asked for: CAST_CURVE, straightened with `accept: rounds`
 *   another kind: CAST_GEOMETRY_KIND
 *   another reference system than the field's: transformed; CAST_SRID where it cannot be, and why is in *ret_reason (borrowed until the next call)
 * ret: little-endian EWKB, its SRID told where it is known; borrowed from wkb where nothing changes, else in the arena.
 * 0, a positive CastFault, -ENOMEM. */
_must_check_ int geometry_shape(const char *wkb, size_t size, const CastShape *shape, Arena *arena, Value *ret,
                                const char **ret_reason);
