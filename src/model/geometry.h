/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Well-known binary: is it whole, in which byte order, and what of two is the same geometry? Nothing is computed with
 * coordinates. Pure; in the worker. */
#include "basic/alloc.h"

#define GEOMETRY_DEPTH_MAX 32U /* collections in collections; deeper is an attack or an accident */

/* PostGIS puts dimensions and SRID into the high bits of the type, ISO adds thousands to it. */
#define EWKB_Z    0x80000000U
#define EWKB_M    0x40000000U
#define EWKB_SRID 0x20000000U

typedef enum GeometryKind { /* the numbers of OGC 06-103r4 */
        GEOMETRY_ANY,
        GEOMETRY_POINT,
        GEOMETRY_LINE_STRING,
        GEOMETRY_POLYGON,
        GEOMETRY_MULTI_POINT,
        GEOMETRY_MULTI_LINE_STRING,
        GEOMETRY_MULTI_POLYGON,
        GEOMETRY_COLLECTION,
        GEOMETRY_CIRCULAR_STRING,
        GEOMETRY_COMPOUND_CURVE,
        GEOMETRY_CURVE_POLYGON,
        GEOMETRY_MULTI_CURVE,
        GEOMETRY_MULTI_SURFACE,
        GEOMETRY_POLYHEDRAL_SURFACE = 15,
        GEOMETRY_TIN,
        GEOMETRY_TRIANGLE,
        _GEOMETRY_KIND_MAX,
        _GEOMETRY_KIND_INVALID = -1,
} GeometryKind;

/* As a mapping names it: "multipolygon"; "geometry" for any. */
const char *geometry_kind_to_string(GeometryKind kind);
GeometryKind geometry_kind_from_string(const char *name, size_t size);

typedef struct Geometry {
        uint32_t kind;
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

/* The normal form, in which what is the same geometry is the same bytes: little-endian EWKB, no SRID of parts, no -0,
 * one NaN, and rings that begin at their least vertex and go round the way that makes them least. (So an
 * orientation is not kept: it is for comparing and digests, never written.) Rings of curves, and the order of parts, stay as they are.
 * ret: room for size bytes. *ret_size: what of it is used, not more than size. -EBADMSG. */
_must_check_ int geometry_normalize(const char *wkb, size_t size, char *ret, size_t *ret_size);
/* The same geometry? A reference system that is not told fits any. Bytes that are no geometry are compared as such. */
bool geometry_equal(const char *a, size_t a_size, const char *b, size_t b_size);

/* Parts of the above, for who writes geometries: the type number of a header, without SRID; -EBADMSG. */
int geometry_kind_split(uint32_t number, Geometry *ret);
bool geometry_part_is_allowed(uint32_t whole, uint32_t part);
