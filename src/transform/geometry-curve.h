/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Arcs become straight lines, where a mapping accepts it. Pure; in the worker. */
#include "basic/alloc.h"

#define ARC_POINTS_MAX 128U /* of a full circle: its chords leave it by 0.03 % of the radius */

/* The points of the arc from a through b to c, behind a and with c itself, n_dimensions (2 … 4) numbers each: x and y
 * on the circle, the others in even steps. Three points in a line give b and c; c = a is the whole circle with b opposite.
 * ret: room for ARC_POINTS_MAX points. Gives how many. */
size_t arc_points(const double *a, const double *b, const double *c, unsigned n_dimensions, double *ret);
