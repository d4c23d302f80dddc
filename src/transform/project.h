/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Coordinates from one reference system to another, by PROJ. The library is loaded when the first pair of systems is
 * asked for: a worker without reprojection pays nothing for it. In the worker, by one thread. */
#include "basic/error.h"

typedef struct Projection Projection;

/* "EPSG:2927", "ESRI:102748". The EPSG registry ends below 32768, Esri's begins above it, so one number tells both. */
#define SRID_EPSG_MAX  32767U
#define SRID_TEXT_MAX  16
void srid_format(uint32_t srid, char ret[static SRID_TEXT_MAX]);

/* The way from one reference system to another; x is east or longitude, y north or latitude, whatever the authority's
 * axis order. Kept for the next caller, borrowed. Only transformations of known accuracy: where PROJ has nothing but a
 * ballpark (a grid file is missing), that is a failure. ERROR_CONFIGURATION with what is missing. */
_must_check_ int projection_find(uint32_t from, uint32_t to, const Projection **ret, Error *error);
/* Transforms x and y in place and rounds them to the grid (1e-9 degrees, 1e-5 units: a tenth of a millimetre and less), so
 * that another release of PROJ does not change what is the same. -ERANGE: outside of where the systems are defined. */
_must_check_ int projection_apply(const Projection *p, double *x, double *y);
/* Does PROJ know the system? ERROR_CONFIGURATION with the remedy: a code that is none, no library, no proj.db. */
_must_check_ int projection_check(uint32_t srid, Error *error);
