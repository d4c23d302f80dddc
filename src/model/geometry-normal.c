/* SPDX-License-Identifier: Apache-2.0 */
/* The normal form of a geometry. Points are compared as their bytes' numbers: any order does, as long as it is one. */
#include "model/geometry.h"

#include <endian.h>

#define RING_STARTS_MAX 8U /* vertices equal to the least one that are tried; a ring that meets itself oftener keeps its start */

typedef struct Normal {
        const uint8_t *p, *end;
        char *out;
        bool big_endian;
        unsigned depth;
} Normal;

static bool has(const Normal *n, uint64_t n_bytes) { return n_bytes <= (uint64_t) (n->end - n->p); }

static void put(Normal *n, uint32_t number) {
        number = htole32(number);
        n->out = mempcpy(n->out, &number, sizeof(number));
}

static int take(Normal *n, uint32_t *ret) {
        uint32_t number;

        if (!has(n, sizeof(number)))
                return -EBADMSG;
        memcpy(&number, n->p, sizeof(number));
        n->p += sizeof(number);
        *ret = n->big_endian ? be32toh(number) : le32toh(number);
        return 0;
}

static int points(Normal *n, uint64_t n_points, unsigned n_dimensions) {
        uint64_t n_words = n_points * n_dimensions, word;

        if (!has(n, n_words * sizeof(word)))
                return -EBADMSG;
        for (; n_words > 0; n_words--, n->p += sizeof(word)) {
                memcpy(&word, n->p, sizeof(word));
                word = n->big_endian ? be64toh(word) : le64toh(word);
                if (word == UINT64_C(1) << 63)
                        word = 0;
                else if ((word & INT64_MAX) > UINT64_C(0x7FF) << 52)
                        word = UINT64_C(0x7FF8) << 48;
                word = htole64(word);
                n->out = mempcpy(n->out, &word, sizeof(word));
        }
        return 0;
}

static void points_reverse(char *points, size_t n, size_t size) {
        char swap[4 * sizeof(double)];

        for (size_t i = 0, j = n - 1; n > 0 && i < j; i++, j--) {
                memcpy(swap, points + i * size, size);
                memcpy(points + i * size, points + j * size, size);
                memcpy(points + j * size, swap, size);
        }
}

/* The first k points go behind the others. */
static void points_rotate(char *points, size_t n, size_t size, size_t k) {
        points_reverse(points, k, size);
        points_reverse(points + k * size, n - k, size);
        points_reverse(points, n, size);
}

typedef struct Way { size_t start; bool backward; } Way;

static const char *way_point(const char *ring, size_t n, size_t size, Way way, size_t i) {
        size_t at = way.backward ? way.start + n - i : way.start + i;

        return ring + (at >= n ? at - n : at) * size;
}

static bool way_is_less(const char *ring, size_t n, size_t size, Way a, Way b) {
        for (size_t i = 0; i < n; i++) {
                int order = memcmp(way_point(ring, n, size, a, i), way_point(ring, n, size, b, i), size);

                if (order != 0)
                        return order < 0;
        }
        return false;
}

/* Of a closed ring's n different points: where the least way round begins, and which way it goes. */
static Way way_find(const char *ring, size_t n, size_t size) {
        Way best = {0};
        unsigned n_tried = 0;

        for (size_t i = 1; i < n; i++)
                if (memcmp(ring + i * size, ring + best.start * size, size) < 0)
                        best.start = i;
        for (size_t i = best.start, first = best.start; i < n && n_tried < RING_STARTS_MAX; i++) {
                if (memcmp(ring + i * size, ring + first * size, size) != 0)
                        continue;
                n_tried++;
                for (unsigned backward = 0; backward < 2; backward++) {
                        const Way way = {.start = i, .backward = backward};

                        if (way_is_less(ring, n, size, way, best))
                                best = way;
                }
        }
        return best;
}

static int ring(Normal *n, unsigned n_dimensions) {
        size_t size = n_dimensions * sizeof(double);
        char *begin;
        uint32_t n_points;
        Way way;
        int r;

        r = take(n, &n_points);
        if (r < 0)
                return r;
        put(n, n_points);
        begin = n->out;
        r = points(n, n_points, n_dimensions);
        if (r < 0 || n_points < 3 || memcmp(begin, n->out - size, size) != 0)
                return r;
        n_points--; /* the last is the first */
        way = way_find(begin, n_points, size);
        if (way.backward) {
                points_reverse(begin, n_points, size);
                way.start = n_points - 1 - way.start;
        }
        points_rotate(begin, n_points, size, way.start);
        memcpy(begin + n_points * size, begin, size);
        return 0;
}

static int geometry(Normal *n, const Geometry *whole);

static int parts(Normal *n, const Geometry *whole) {
        uint32_t n_parts;
        int r;

        if (++n->depth > GEOMETRY_DEPTH_MAX)
                return -EBADMSG;
        r = take(n, &n_parts);
        if (r == 0)
                put(n, n_parts);
        for (; r == 0 && n_parts > 0; n_parts--)
                r = geometry(n, whole);
        n->depth--;
        return r;
}

static int header(Normal *n, const Geometry *whole, Geometry *ret) {
        uint32_t number, srid = 0;
        int r;

        if (!has(n, 1) || *n->p > 1)
                return -EBADMSG;
        n->big_endian = *n->p++ == 0;
        r = take(n, &number);
        if (r == 0)
                r = geometry_kind_split(number, ret);
        if (r == 0 && (number & EWKB_SRID))
                r = take(n, &srid);
        if (r < 0)
                return r;
        if (whole && (!geometry_part_is_allowed(whole->kind, ret->kind) || ret->has_z != whole->has_z ||
                      ret->has_m != whole->has_m))
                return -EBADMSG;
        *n->out++ = 1;
        put(n, ret->kind | (ret->has_z ? EWKB_Z : 0) | (ret->has_m ? EWKB_M : 0) | (!whole && srid ? EWKB_SRID : 0));
        if (!whole && srid)
                put(n, srid);
        return 0;
}

static int geometry(Normal *n, const Geometry *whole) {
        unsigned n_dimensions;
        uint32_t count;
        Geometry g;
        int r;

        r = header(n, whole, &g);
        if (r < 0)
                return r;
        n_dimensions = 2U + g.has_z + g.has_m;
        switch (g.kind) {
        case GEOMETRY_POINT:
                return points(n, 1, n_dimensions);
        case GEOMETRY_LINE_STRING:
        case GEOMETRY_CIRCULAR_STRING:
                r = take(n, &count);
                if (r < 0)
                        return r;
                put(n, count);
                return points(n, count, n_dimensions);
        case GEOMETRY_POLYGON:
        case GEOMETRY_TRIANGLE:
                r = take(n, &count);
                if (r == 0)
                        put(n, count);
                for (; r == 0 && count > 0; count--)
                        r = ring(n, n_dimensions);
                return r;
        case GEOMETRY_MULTI_POINT ... GEOMETRY_COLLECTION:
        case GEOMETRY_COMPOUND_CURVE ... GEOMETRY_MULTI_SURFACE:
        case GEOMETRY_POLYHEDRAL_SURFACE:
        case GEOMETRY_TIN:
                return parts(n, &g);
        default:
                return -EBADMSG;
        }
}

int geometry_normalize(const char *wkb, size_t size, char *ret, size_t *ret_size) {
        Normal n = {.p = (const uint8_t *) wkb, .end = (const uint8_t *) wkb + size, .out = ret};
        int r;

        r = geometry(&n, NULL);
        if (r < 0)
                return r;
        if (n.p != n.end)
                return -EBADMSG;
        *ret_size = (size_t) (n.out - ret);
        return 0;
}

/* Cuts the SRID out of a normal form. */
static size_t srid_drop(char *wkb, size_t size) {
        uint32_t number;

        memcpy(&number, wkb + 1, sizeof(number));
        number = htole32(le32toh(number) & ~EWKB_SRID);
        memcpy(wkb + 1, &number, sizeof(number));
        memmove(wkb + 5, wkb + 9, size - 9);
        return size - 4;
}

static bool has_srid(const char *wkb) { return (uint8_t) wkb[4] & EWKB_SRID >> 24; }

bool geometry_equal(const char *a, size_t a_size, const char *b, size_t b_size) {
        _cleanup_free_ char *left = NULL, *right = NULL;

        if (a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0))
                return true;
        left = malloc(a_size + 1);
        right = malloc(b_size + 1);
        if (!left || !right || geometry_normalize(a, a_size, left, &a_size) < 0 ||
            geometry_normalize(b, b_size, right, &b_size) < 0)
                return false;
        if (has_srid(left) && !has_srid(right))
                a_size = srid_drop(left, a_size);
        else if (has_srid(right) && !has_srid(left))
                b_size = srid_drop(right, b_size);
        return a_size == b_size && memcmp(left, right, a_size) == 0;
}

static const char *const names[_GEOMETRY_KIND_MAX] = {
        [GEOMETRY_ANY] = "geometry",
        [GEOMETRY_POINT] = "point",
        [GEOMETRY_LINE_STRING] = "linestring",
        [GEOMETRY_POLYGON] = "polygon",
        [GEOMETRY_MULTI_POINT] = "multipoint",
        [GEOMETRY_MULTI_LINE_STRING] = "multilinestring",
        [GEOMETRY_MULTI_POLYGON] = "multipolygon",
        [GEOMETRY_COLLECTION] = "geometrycollection",
        [GEOMETRY_CIRCULAR_STRING] = "circularstring",
        [GEOMETRY_COMPOUND_CURVE] = "compoundcurve",
        [GEOMETRY_CURVE_POLYGON] = "curvepolygon",
        [GEOMETRY_MULTI_CURVE] = "multicurve",
        [GEOMETRY_MULTI_SURFACE] = "multisurface",
        [GEOMETRY_POLYHEDRAL_SURFACE] = "polyhedralsurface",
        [GEOMETRY_TIN] = "tin",
        [GEOMETRY_TRIANGLE] = "triangle",
};

const char *geometry_kind_to_string(GeometryKind kind) {
        return kind >= 0 && kind < _GEOMETRY_KIND_MAX && names[kind] ? names[kind] : "unknown";
}

GeometryKind geometry_kind_from_string(const char *name, size_t size) {
        for (GeometryKind kind = 0; kind < _GEOMETRY_KIND_MAX; kind++)
                if (names[kind] && strlen(names[kind]) == size && memcmp(names[kind], name, size) == 0)
                        return kind;
        return _GEOMETRY_KIND_INVALID;
}
