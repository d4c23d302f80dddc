/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a geometry: looked at whole (geometry_check()), then what would be lost, then written anew in two passes: the first
 * only measures. What is written is read from checked bytes, so nothing is checked twice. */
#include "transform/geometry-shape.h"

#include <endian.h>
#include <math.h>

#include "basic/limits.h"
#include "model/geometry.h"
#include "transform/geometry-curve.h"
#include "transform/project.h"

typedef struct Rewrite {
        const uint8_t *p;
        bool big_endian;
        char *out; /* NULL: only measure */
        size_t size;
        bool in_z, in_m, out_z, out_m, straighten;
        const Projection *projection;
        bool is_outside; /* a point that the reference systems do not cover */
} Rewrite;

static void put_bytes(Rewrite *w, const void *bytes, size_t size) {
        if (w->out)
                memcpy(w->out + w->size, bytes, size);
        w->size += size;
}

static void put(Rewrite *w, uint32_t number) {
        number = htole32(number);
        put_bytes(w, &number, sizeof(number));
}

static uint32_t take(Rewrite *w) {
        uint32_t number;

        memcpy(&number, w->p, sizeof(number));
        w->p += sizeof(number);
        return w->big_endian ? be32toh(number) : le32toh(number);
}

static unsigned n_in(const Rewrite *w) { return 2U + w->in_z + w->in_m; }

static void point_take(Rewrite *w, double *ret) {
        for (unsigned i = 0; i < n_in(w); i++, w->p += sizeof(uint64_t)) {
                uint64_t word;

                memcpy(&word, w->p, sizeof(word));
                word = w->big_endian ? be64toh(word) : le64toh(word);
                memcpy(ret + i, &word, sizeof(word));
        }
}

static void put_double(Rewrite *w, double number) {
        uint64_t word;

        memcpy(&word, &number, sizeof(word));
        word = htole64(word);
        put_bytes(w, &word, sizeof(word));
}

static void point_put(Rewrite *w, const double *point) {
        double x = point[0], y = point[1];

        if (w->out && w->projection && projection_apply(w->projection, &x, &y) < 0)
                w->is_outside = true;
        put_double(w, x);
        put_double(w, y);
        if (w->out_z)
                put_double(w, point[2]);
        if (w->out_m)
                put_double(w, point[2 + w->in_z]);
}

static void points_copy(Rewrite *w, uint32_t n) {
        double point[4];

        for (; n > 0; n--) {
                point_take(w, point);
                point_put(w, point);
        }
}

static void header_put(Rewrite *w, uint32_t kind, uint32_t srid) {
        static const uint8_t little = 1;

        put_bytes(w, &little, 1);
        put(w, kind | (w->out_z ? EWKB_Z : 0) | (w->out_m ? EWKB_M : 0) | (srid ? EWKB_SRID : 0));
        if (srid)
                put(w, srid);
}

static uint32_t header_take(Rewrite *w) {
        uint32_t number;
        Geometry g = {0};

        w->big_endian = *w->p++ == 0;
        number = take(w);
        if (number & EWKB_SRID)
                (void) take(w);
        (void) geometry_kind_split(number, &g);
        return g.kind;
}

/* ---- curves ---- */

static void point_add(Rewrite *w, const double *point, uint32_t *n) {
        point_put(w, point);
        (*n)++;
}

/* The points of a circular string; skip_first: it is the last of what is before. */
static void arcs_straighten(Rewrite *w, bool skip_first, uint32_t *n) {
        double a[4], b[4], c[4], points[ARC_POINTS_MAX * 4];
        uint32_t n_points = take(w);

        if (n_points == 0)
                return;
        point_take(w, a);
        if (!skip_first)
                point_add(w, a, n);
        for (n_points--; n_points >= 2; n_points -= 2) {
                size_t n_arc;

                point_take(w, b);
                point_take(w, c);
                n_arc = arc_points(a, b, c, n_in(w), points);
                for (size_t i = 0; i < n_arc; i++)
                        point_add(w, points + i * n_in(w), n);
                memcpy(a, c, sizeof(a));
        }
        if (n_points == 1) { /* half an arc: a straight line */
                point_take(w, b);
                point_add(w, b, n);
        }
}

static void line_continue(Rewrite *w, bool skip_first, uint32_t *n) {
        uint32_t n_points = take(w);
        double point[4];

        for (uint32_t i = 0; i < n_points; i++) {
                point_take(w, point);
                if (i > 0 || !skip_first)
                        point_add(w, point, n);
        }
}

/* One line of any curve, its points only: what the header says is behind us. */
static void curve_straighten(Rewrite *w, uint32_t kind, uint32_t *n) {
        uint32_t n_parts;

        if (kind == GEOMETRY_CIRCULAR_STRING)
                arcs_straighten(w, *n > 0, n);
        else if (kind == GEOMETRY_COMPOUND_CURVE)
                for (n_parts = take(w); n_parts > 0; n_parts--)
                        curve_straighten(w, header_take(w), n);
        else
                line_continue(w, *n > 0, n);
}

/* The number of points stands before them and is known behind them. */
static void counted_curve(Rewrite *w, uint32_t kind) {
        size_t place = w->size;
        uint32_t n = 0;

        put(w, 0);
        curve_straighten(w, kind, &n);
        n = htole32(n);
        if (w->out)
                memcpy(w->out + place, &n, sizeof(n));
}

/* ---- any geometry ---- */

static uint32_t straight_kind(uint32_t kind) {
        switch (kind) {
        case GEOMETRY_CIRCULAR_STRING:
        case GEOMETRY_COMPOUND_CURVE:
                return GEOMETRY_LINE_STRING;
        case GEOMETRY_CURVE_POLYGON:
                return GEOMETRY_POLYGON;
        case GEOMETRY_MULTI_CURVE:
                return GEOMETRY_MULTI_LINE_STRING;
        case GEOMETRY_MULTI_SURFACE:
                return GEOMETRY_MULTI_POLYGON;
        default:
                return kind;
        }
}

static void geometry_copy(Rewrite *w, uint32_t kind);

static void part_copy(Rewrite *w) {
        uint32_t kind = header_take(w);

        header_put(w, w->straighten ? straight_kind(kind) : kind, 0);
        geometry_copy(w, kind);
}

static void geometry_copy(Rewrite *w, uint32_t kind) {
        uint32_t n;

        if (kind == GEOMETRY_POINT) {
                points_copy(w, 1);
                return;
        }
        if (w->straighten && (kind == GEOMETRY_CIRCULAR_STRING || kind == GEOMETRY_COMPOUND_CURVE)) {
                counted_curve(w, kind);
                return;
        }
        n = take(w);
        put(w, n);
        if (kind == GEOMETRY_LINE_STRING || kind == GEOMETRY_CIRCULAR_STRING)
                points_copy(w, n);
        else if (kind == GEOMETRY_POLYGON || kind == GEOMETRY_TRIANGLE)
                for (; n > 0; n--) {
                        uint32_t n_points = take(w);

                        put(w, n_points);
                        points_copy(w, n_points);
                }
        else if (kind == GEOMETRY_CURVE_POLYGON && w->straighten)
                for (; n > 0; n--)
                        counted_curve(w, header_take(w));
        else
                for (; n > 0; n--)
                        part_copy(w);
}

/* ---- what is asked for ---- */

static uint32_t multi_of(uint32_t single) {
        switch (single) {
        case GEOMETRY_POINT:
                return GEOMETRY_MULTI_POINT;
        case GEOMETRY_LINE_STRING:
                return GEOMETRY_MULTI_LINE_STRING;
        case GEOMETRY_POLYGON:
                return GEOMETRY_MULTI_POLYGON;
        case GEOMETRY_CIRCULAR_STRING:
        case GEOMETRY_COMPOUND_CURVE:
                return GEOMETRY_MULTI_CURVE;
        case GEOMETRY_CURVE_POLYGON:
                return GEOMETRY_MULTI_SURFACE;
        default:
                return GEOMETRY_ANY;
        }
}

/* A kind that may hold arcs takes straight ones, too. */
static bool kind_fits(uint32_t kind, uint32_t wanted) {
        return wanted == GEOMETRY_ANY || kind == wanted ||
               (wanted == GEOMETRY_MULTI_CURVE && kind == GEOMETRY_MULTI_LINE_STRING) ||
               (wanted == GEOMETRY_MULTI_SURFACE && kind == GEOMETRY_MULTI_POLYGON) ||
               (wanted == GEOMETRY_COLLECTION && kind >= GEOMETRY_MULTI_POINT && kind <= GEOMETRY_COLLECTION);
}

/* Arcs anywhere in it: of a collection they may lie deep. */
static bool has_arcs(Rewrite w, uint32_t kind);

static bool parts_have_arcs(Rewrite *w, uint32_t kind) {
        Rewrite measured = *w;

        measured.out = NULL;
        measured.straighten = false;
        for (uint32_t n = take(&measured); n > 0; n--) {
                uint32_t part = header_take(&measured);

                if (has_arcs(measured, part))
                        return true;
                geometry_copy(&measured, part);
        }
        return kind != straight_kind(kind);
}

static bool has_arcs(Rewrite w, uint32_t kind) {
        if (kind == GEOMETRY_COLLECTION)
                return parts_have_arcs(&w, kind);
        return kind != straight_kind(kind);
}

static int dimensions_decide(Rewrite *w, const Geometry *g, const CastShape *shape) {
        const GeometryWish *wish = &shape->geometry;

        w->in_z = w->out_z = g->has_z;
        w->in_m = w->out_m = g->has_m;
        if (wish->kind == GEOMETRY_ANY && !wish->has_z && !wish->has_m)
                return CAST_EXACT;
        if ((wish->has_z && !g->has_z) || (wish->has_m && !g->has_m))
                return CAST_DIMENSIONS;
        if (((g->has_z && !wish->has_z) || (g->has_m && !wish->has_m)) && shape->accept != ACCEPT_TRUNCATES)
                return CAST_DIMENSIONS;
        w->out_z = wish->has_z;
        w->out_m = wish->has_m;
        return CAST_EXACT;
}

typedef enum Turn { TURN_NONE, TURN_PROMOTE, TURN_UNWRAP } Turn;

static uint32_t parts_count(Rewrite w) {
        (void) header_take(&w);
        return take(&w);
}

/* Arcs and number of parts; *ret_kind: what it becomes. */
static int kind_decide(Rewrite *w, const Geometry *g, const CastShape *shape, uint32_t *ret_kind, Turn *ret_turn) {
        uint32_t wanted = (uint32_t) shape->geometry.kind, kind = g->kind;
        Rewrite behind = *w;
        bool arcs;

        *ret_turn = TURN_NONE;
        *ret_kind = kind;
        if (wanted == GEOMETRY_ANY)
                return CAST_EXACT;
        (void) header_take(&behind);
        arcs = has_arcs(behind, kind);
        if (arcs && wanted <= GEOMETRY_MULTI_POLYGON) {
                if (shape->accept != ACCEPT_ROUNDS)
                        return CAST_CURVE;
                w->straighten = true;
                kind = straight_kind(kind);
        }
        *ret_kind = kind;
        if (kind_fits(kind, wanted))
                return CAST_EXACT;
        if (multi_of(kind) && kind_fits(multi_of(kind), wanted)) {
                *ret_turn = TURN_PROMOTE;
                *ret_kind = wanted == GEOMETRY_COLLECTION ? (uint32_t) GEOMETRY_COLLECTION : multi_of(kind);
                return CAST_EXACT;
        }
        if (multi_of(wanted) != kind)
                return CAST_GEOMETRY_KIND;
        if (parts_count(*w) > 1)
                return CAST_PARTS;
        *ret_turn = TURN_UNWRAP;
        *ret_kind = wanted;
        return CAST_EXACT;
}

/* An empty geometry of a single kind: a point of NaN, or no points, no rings. */
static void empty_put(Rewrite *w, uint32_t kind) {
        static const double none[4] = {NAN, NAN, NAN, NAN};

        if (kind == GEOMETRY_POINT)
                point_put(w, none);
        else
                put(w, 0);
}

static uint32_t peek(Rewrite w) { return take(&w); }

static bool is_empty_point(Rewrite w) {
        double point[4];

        point_take(&w, point);
        return isnan(point[0]) && isnan(point[1]);
}

static void rewrite(Rewrite *w, uint32_t kind, Turn turn, uint32_t srid) {
        uint32_t in = header_take(w), n;

        header_put(w, kind, srid);
        if (turn == TURN_PROMOTE && (in == GEOMETRY_POINT ? is_empty_point(*w) : peek(*w) == 0))
                put(w, 0); /* nothing becomes many of nothing */
        else if (turn == TURN_PROMOTE) {
                put(w, 1);
                header_put(w, w->straighten ? straight_kind(in) : in, 0);
                geometry_copy(w, in);
        } else if (turn == TURN_UNWRAP) {
                n = take(w);
                if (n == 0)
                        empty_put(w, kind);
                else
                        geometry_copy(w, header_take(w));
        } else
                geometry_copy(w, in);
}

static int reference_decide(Rewrite *w, const Geometry *g, const CastShape *shape, const char **ret_reason) {
        static Error reason;

        *ret_reason = NULL;
        if (shape->srid == 0 || g->srid == 0 || shape->srid == g->srid)
                return CAST_EXACT;
        error_done(&reason);
        if (projection_find(g->srid, shape->srid, &w->projection, &reason) < 0) {
                *ret_reason = reason.detail;
                return CAST_SRID;
        }
        return CAST_EXACT;
}

static bool is_as_wanted(const Rewrite *w, const Geometry *g, Turn turn, uint32_t srid) {
        return turn == TURN_NONE && !w->straighten && !w->projection && g->little_endian && w->out_z == w->in_z &&
               w->out_m == w->in_m && g->srid == srid;
}

int geometry_shape(const char *wkb, size_t size, const CastShape *shape, Arena *arena, Value *ret,
                   const char **ret_reason) {
        Rewrite w = {.p = (const uint8_t *) wkb}, measured;
        uint32_t kind, srid;
        Geometry g;
        Turn turn;
        int r;

        *ret_reason = NULL;
        if (geometry_check(wkb, size, &g) < 0)
                return CAST_WKB;
        r = dimensions_decide(&w, &g, shape);
        if (r == CAST_EXACT)
                r = kind_decide(&w, &g, shape, &kind, &turn);
        if (r == CAST_EXACT)
                r = reference_decide(&w, &g, shape, ret_reason);
        if (r != CAST_EXACT)
                return r;
        srid = shape->srid ? shape->srid : g.srid;
        *ret = (Value){.type = VALUE_GEOMETRY, .bytes = wkb, .size = size};
        if (is_as_wanted(&w, &g, turn, srid))
                return CAST_EXACT;
        measured = w;
        rewrite(&measured, kind, turn, srid);
        if (measured.size > RECORD_BYTES_MAX)
                return CAST_CURVE;
        w.out = arena_alloc(arena, measured.size);
        if (!w.out)
                return -ENOMEM;
        rewrite(&w, kind, turn, srid);
        if (w.is_outside) {
                *ret_reason = "A point lies outside of where the coordinate systems are defined";
                return CAST_SRID;
        }
        ret->bytes = w.out;
        ret->size = w.size;
        return CAST_EXACT;
}
