/* SPDX-License-Identifier: Apache-2.0 */
#include "model/geometry.h"

#include <endian.h>

#define EWKB_FLAGS (EWKB_Z | EWKB_M | EWKB_SRID)

typedef struct Walk {
        const uint8_t *p, *end;
        uint8_t *out; /* the little-endian copy, or NULL */
        bool big_endian; /* of the part at hand */
        bool any_big_endian;
        unsigned depth;
} Walk;

static bool walk_has(const Walk *w, uint64_t n_bytes) {
        return n_bytes <= (uint64_t) (w->end - w->p);
}

static int uint32_read(Walk *w, uint32_t *ret) {
        uint32_t number, little;

        if (!walk_has(w, sizeof(number)))
                return -EBADMSG;
        memcpy(&number, w->p, sizeof(number));
        number = w->big_endian ? be32toh(number) : le32toh(number);
        w->p += sizeof(number);
        if (w->out) {
                little = htole32(number);
                memcpy(w->out, &little, sizeof(little));
                w->out += sizeof(little);
        }
        *ret = number;
        return 0;
}

static int points_read(Walk *w, uint64_t n_points, unsigned n_dimensions) {
        uint64_t n_bytes = n_points * n_dimensions * sizeof(double), word;

        if (!walk_has(w, n_bytes))
                return -EBADMSG;
        for (uint64_t at = 0; w->out && at < n_bytes; at += sizeof(word), w->out += sizeof(word)) {
                memcpy(&word, w->p + at, sizeof(word));
                word = w->big_endian ? htole64(be64toh(word)) : word;
                memcpy(w->out, &word, sizeof(word));
        }
        w->p += n_bytes;
        return 0;
}

static int counted_points_read(Walk *w, unsigned n_dimensions) {
        uint32_t n;
        int r;

        r = uint32_read(w, &n);
        if (r < 0)
                return r;
        return points_read(w, n, n_dimensions);
}

static int rings_read(Walk *w, unsigned n_dimensions) {
        uint32_t n;
        int r;

        r = uint32_read(w, &n);
        for (; r >= 0 && n > 0; n--)
                r = counted_points_read(w, n_dimensions);
        return r;
}

int geometry_kind_split(uint32_t number, Geometry *ret) {
        uint32_t kind = number & ~EWKB_FLAGS, thousands = kind / 1000;

        if (thousands > 3 || (thousands > 0 && (number & (EWKB_Z | EWKB_M))))
                return -EBADMSG;
        *ret = (Geometry){
                .kind = kind % 1000,
                .has_z = (number & EWKB_Z) || thousands == 1 || thousands == 3,
                .has_m = (number & EWKB_M) || thousands >= 2,
        };
        return 0;
}

static int header_read(Walk *w, Geometry *ret) {
        Geometry geometry;
        uint32_t number, srid = 0;
        int r;

        if (!walk_has(w, 1) || *w->p > 1)
                return -EBADMSG;
        w->big_endian = *w->p++ == 0;
        w->any_big_endian = w->any_big_endian || w->big_endian;
        if (w->out)
                *w->out++ = 1;
        r = uint32_read(w, &number);
        if (r < 0)
                return r;
        r = geometry_kind_split(number, &geometry);
        if (r < 0)
                return r;
        if (number & EWKB_SRID)
                r = uint32_read(w, &srid);
        if (r < 0)
                return r;
        geometry.srid = srid;
        *ret = geometry;
        return 0;
}

bool geometry_part_is_allowed(uint32_t whole, uint32_t part) {
        switch (whole) {
        case GEOMETRY_MULTI_POINT: return part == GEOMETRY_POINT;
        case GEOMETRY_MULTI_LINE_STRING: return part == GEOMETRY_LINE_STRING;
        case GEOMETRY_MULTI_POLYGON: return part == GEOMETRY_POLYGON;
        case GEOMETRY_POLYHEDRAL_SURFACE:
        case GEOMETRY_TIN: return part == GEOMETRY_POLYGON || part == GEOMETRY_TRIANGLE;
        case GEOMETRY_COMPOUND_CURVE: return part == GEOMETRY_LINE_STRING || part == GEOMETRY_CIRCULAR_STRING;
        case GEOMETRY_CURVE_POLYGON:
        case GEOMETRY_MULTI_CURVE:
                return part == GEOMETRY_LINE_STRING || part == GEOMETRY_CIRCULAR_STRING ||
                       part == GEOMETRY_COMPOUND_CURVE;
        case GEOMETRY_MULTI_SURFACE: return part == GEOMETRY_POLYGON || part == GEOMETRY_CURVE_POLYGON;
        default: return true;
        }
}

static int geometry_read(Walk *w, Geometry *ret);

static int parts_read(Walk *w, const Geometry *whole) {
        uint32_t n;
        int r;

        if (++w->depth > GEOMETRY_DEPTH_MAX)
                return -EBADMSG;
        r = uint32_read(w, &n);
        for (; r >= 0 && n > 0; n--) {
                Geometry part;

                r = geometry_read(w, &part);
                if (r < 0)
                        return r;
                if (!geometry_part_is_allowed(whole->kind, part.kind) || part.has_z != whole->has_z ||
                    part.has_m != whole->has_m)
                        return -EBADMSG;
        }
        w->depth--;
        return r;
}

static int geometry_read(Walk *w, Geometry *ret) {
        unsigned n_dimensions;
        int r;

        r = header_read(w, ret);
        if (r < 0)
                return r;
        n_dimensions = 2U + ret->has_z + ret->has_m;
        switch (ret->kind) {
        case GEOMETRY_POINT: return points_read(w, 1, n_dimensions);
        case GEOMETRY_LINE_STRING:
        case GEOMETRY_CIRCULAR_STRING: return counted_points_read(w, n_dimensions);
        case GEOMETRY_POLYGON:
        case GEOMETRY_TRIANGLE: return rings_read(w, n_dimensions);
        case GEOMETRY_MULTI_POINT ... GEOMETRY_COLLECTION:
        case GEOMETRY_COMPOUND_CURVE ... GEOMETRY_MULTI_SURFACE:
        case GEOMETRY_POLYHEDRAL_SURFACE:
        case GEOMETRY_TIN: return parts_read(w, ret);
        default: return -EBADMSG;
        }
}

int geometry_check(const char *wkb, size_t size, Geometry *ret) {
        Walk walk = { .p = (const uint8_t *) wkb, .end = (const uint8_t *) wkb + size };
        Geometry geometry;
        int r;

        r = geometry_read(&walk, &geometry);
        if (r < 0)
                return r;
        if (walk.p != walk.end)
                return -EBADMSG;
        geometry.little_endian = !walk.any_big_endian;
        *ret = geometry;
        return 0;
}

void geometry_to_little_endian(const char *wkb, size_t size, char *ret) {
        Walk walk = { .p = (const uint8_t *) wkb,
                      .end = (const uint8_t *) wkb + size,
                      .out = (uint8_t *) ret };
        Geometry geometry;
        int r;

        r = geometry_read(&walk, &geometry);
        assert(r >= 0 && walk.p == walk.end);
}
