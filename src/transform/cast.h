/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From one type to another, exactly or with the name of what would be lost. Pure; in the worker. */
#include "model/mapping.h"

/* What keeps a value from its new type. */
typedef enum CastFault {
        CAST_EXACT,             /* nothing does */
        CAST_KIND,              /* such a type never becomes the other */
        CAST_FORM,              /* the text is none of that type */
        CAST_FRACTION,          /* digits after the point would go */
        CAST_DIGITS,            /* too many digits, or out of range */
        CAST_TIME_OF_DAY,       /* a date would lose hours or a zone */
        CAST_MICROSECONDS,      /* finer than microseconds, a leap second, or out of the years 0000 … 9999 */
        CAST_ENCODING,          /* bytes that are no UTF-8 */
        CAST_NUL,               /* a NUL character in a text */
        CAST_WKB,               /* bytes that are no whole geometry */
        CAST_SRID,              /* a geometry of another reference system that cannot be transformed */
        CAST_GEOMETRY_KIND,     /* a point where a polygon is asked for */
        CAST_PARTS,             /* several parts where one is asked for */
        CAST_DIMENSIONS,        /* Z or M that would go, or is missing */
        CAST_CURVE,             /* arcs that would become straight lines */
        _CAST_FAULT_MAX,
} CastFault;

/* What a value is to become. */
typedef struct CastShape {
        GeometryWish geometry;          /* of GEOMETRY */
        const char **ret_reason;        /* of CAST_SRID: why not, or NULL; may be NULL itself */
        ValueType type;                 /* ABSENT: as it comes */
        uint8_t precision, scale;       /* of DECIMAL; precision 0: up to 38 digits, scale as it comes */
        uint32_t srid;                  /* of GEOMETRY; 0: any */
        FieldAccept accept;
        const char *format;             /* of times in text, NULL: ISO 8601; of BYTES "hex", NULL: the text's own bytes */
} CastShape;

/* Table of what is exact:
 *   INTEGER    text that is a whole number ("4.0", "1e3"), integer, decimal without fraction, boolean
 *   DECIMAL    text that is a number, integer, decimal, boolean (0, 1)
 *   BOOLEAN    0, 1, true, false, t, f, y, n, yes, no in any case; integers and decimals 0 and 1
 *   DATE       text by format or ISO; a timestamp at its midnight; with a format also an integer ("%Y%m%d")
 *   TIMESTAMP  text by format or ISO (no zone: UTC), a date (its midnight); with a format also an integer
 *   TIME       text by format or hh:mm[:ss[.f]]
 *   UUID       text, also in braces; 16 bytes in the order of RFC 9562
 *   JSON       text or UTF-8 bytes that parse, kept as written; integers, decimals, booleans
 *   TEXT       numbers, booleans (true, false), times in ISO form, uuids, JSON, UTF-8 bytes
 *   GEOMETRY   WKB and EWKB as bytes or as hexadecimal text; by the rules of geometry-shape.h
 *   BYTES      bytes; text with format hex, else text and JSON (their UTF-8), geometry (its WKB), uuid (16 bytes)
 * accept lets fractions of numbers and of seconds be rounded (half to even) or truncated (toward zero),
 * and `truncates` lets a date lose its time of day.
 * 0 with *ret borrowed from value or in the arena; a positive CastFault; -ENOMEM. NULL and ABSENT stay as
 * they are. */
_must_check_ int cast_value(const Value *value, const CastShape *shape, Arena *arena, Value *ret);
