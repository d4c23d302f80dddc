/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Well-known binary: is it whole, and in which byte order? No geometry is computed. Pure; in the worker. */
#include "basic/alloc.h"

#define GEOMETRY_DEPTH_MAX 32U /* collections in collections; deeper is an attack or an accident */

typedef struct Geometry {
        uint32_t kind; /* of OGC 06-103r4: 1 point … 7 collection, 8 … 12 curves, 15 … 17 surfaces */
        bool has_z, has_m;
        uint32_t srid;      /* of EWKB; 0: not told */
        bool little_endian; /* all of it, the parts included */
} Geometry;

/* Walks ISO WKB or PostGIS EWKB from the first to the last byte: known kinds, counts that the bytes bear
 * out, parts of the kind and dimension that their whole demands, nothing left over. Rings need not be
 * closed, coordinates may be NaN. -EBADMSG. Source: OGC 06-103r4 §8.2; PostGIS doc/ZMSGeoms.txt. */
_must_check_ int geometry_check(const char *wkb, size_t size, Geometry *ret);
/* The same geometry in little-endian order; wkb has passed geometry_check(). ret: size bytes. */
void geometry_to_little_endian(const char *wkb, size_t size, char *ret);
