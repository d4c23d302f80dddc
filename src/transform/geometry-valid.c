/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/geometry-valid.h"

#include <endian.h>
#include <math.h>

#include "model/geometry.h"

typedef struct Point { double x, y; } Point;
typedef struct Segment {
        Point left, right; /* by x, then y */
        uint32_t number;   /* along the ring */
} Segment;

typedef struct Check {
        const uint8_t *p;
        bool big_endian;
        Point *points;
        size_t points_capacity;
        Segment *segments;
        size_t segments_capacity;
        uint64_t n_comparisons;
        RingFault fault;
        RingPlace place;
} Check;

static uint32_t take(Check *c) {
        uint32_t number;

        memcpy(&number, c->p, sizeof(number));
        c->p += sizeof(number);
        return c->big_endian ? be32toh(number) : le32toh(number);
}

static double take_double(Check *c) {
        uint64_t word;
        double number;

        memcpy(&word, c->p, sizeof(word));
        c->p += sizeof(word);
        word = c->big_endian ? be64toh(word) : le64toh(word);
        memcpy(&number, &word, sizeof(number));
        return number;
}

static bool same(Point a, Point b) { return !(a.x < b.x) && !(a.x > b.x) && !(a.y < b.y) && !(a.y > b.y); }

static bool is_less(Point a, Point b) { return a.x < b.x || (!(a.x > b.x) && a.y < b.y); }

/* On which side of a→b lies c: -1, 0, 1. In long double: coordinates of county maps have 11 digits, their products 22. */
static int side(Point a, Point b, Point c) {
        long double d = ((long double) b.x - a.x) * ((long double) c.y - a.y) -
                        ((long double) b.y - a.y) * ((long double) c.x - a.x);

        return (d > 0) - (d < 0);
}

static bool within(Point a, Point b, Point c) {
        return fmin(a.x, b.x) <= c.x && c.x <= fmax(a.x, b.x) && fmin(a.y, b.y) <= c.y && c.y <= fmax(a.y, b.y);
}

static bool meet(const Segment *s, const Segment *t) {
        int a = side(s->left, s->right, t->left), b = side(s->left, s->right, t->right);
        int c = side(t->left, t->right, s->left), d = side(t->left, t->right, s->right);

        if (a * b < 0 && c * d < 0)
                return true;
        return (a == 0 && within(s->left, s->right, t->left)) || (b == 0 && within(s->left, s->right, t->right)) ||
               (c == 0 && within(t->left, t->right, s->left)) || (d == 0 && within(t->left, t->right, s->right));
}

static int compare_segments(const void *a, const void *b) {
        const Segment *s = a, *t = b;

        return is_less(s->left, t->left) ? -1 : is_less(t->left, s->left) ? 1 : 0;
}

static int fault_set(Check *c, RingFault fault, Point where) {
        c->fault = fault;
        c->place.x = where.x;
        c->place.y = where.y;
        return 1;
}

/* Neighbours share a point; they may not go back over each other. */
static bool neighbours_fold(const Point *points, size_t n, size_t i) {
        Point a = points[i], b = points[(i + 1) % n], c = points[(i + 2) % n];

        return side(a, b, c) == 0 && (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y) < 0;
}

/* Segments in the order of their left ends: one is compared with those that begin before it ends. n points, the first not repeated. */
static int ring_crosses(Check *c, size_t n) {
        Segment *s;
        int r;

        for (size_t i = 0; i < n; i++)
                if (neighbours_fold(c->points, n, i))
                        return fault_set(c, RING_CROSSES, c->points[(i + 1) % n]);
        r = array_grow(&c->segments, &c->segments_capacity, n, sizeof(Segment));
        if (r < 0)
                return r;
        s = c->segments;
        for (size_t i = 0; i < n; i++) {
                Point a = c->points[i], b = c->points[(i + 1) % n];

                s[i] = (Segment){.left = is_less(b, a) ? b : a, .right = is_less(b, a) ? a : b, .number = (uint32_t) i};
        }
        qsort(s, n, sizeof(*s), compare_segments);
        for (size_t i = 0; i < n; i++)
                for (size_t j = i + 1; j < n && s[j].left.x <= s[i].right.x; j++) {
                        size_t apart = s[i].number > s[j].number ? s[i].number - s[j].number : s[j].number - s[i].number;

                        if (++c->n_comparisons > RING_COMPARISONS_MAX)
                                return fault_set(c, RING_UNKNOWN, s[i].left);
                        if (apart > 1 && apart < n - 1 && meet(s + i, s + j))
                                return fault_set(c, RING_CROSSES, s[j].left);
                }
        return 0;
}

static double twice_area(const Point *points, size_t n) {
        double area = 0;

        for (size_t i = 0; i < n; i++) {
                Point a = points[i], b = points[(i + 1) % n];

                area += (a.x - points[0].x) * (b.y - points[0].y) - (b.x - points[0].x) * (a.y - points[0].y);
        }
        return area;
}

/* Reads a ring; 1: a fault is found, 0: none. *ret_area: with the sign of its way round. */
static int ring_check(Check *c, unsigned n_dimensions, double *ret_area) {
        uint32_t n = take(c);
        size_t n_kept = 0;
        Point first = {0}, last = {0};
        int r;

        r = array_grow(&c->points, &c->points_capacity, (size_t) n + 1, sizeof(Point));
        if (r < 0)
                return r;
        for (uint32_t i = 0; i < n; i++, c->p += (n_dimensions - 2) * sizeof(double)) {
                last.x = take_double(c);
                last.y = take_double(c);
                if (i == 0)
                        first = last;
                if (!isfinite(last.x) || !isfinite(last.y))
                        return fault_set(c, RING_NOT_FINITE, first);
                if (n_kept == 0 || !same(c->points[n_kept - 1], last))
                        c->points[n_kept++] = last;
        }
        *ret_area = 0;
        if (n == 0)
                return 0;
        if (!same(first, last))
                return fault_set(c, RING_OPEN, last);
        n_kept -= n_kept > 1; /* the last is the first */
        if (n < 4 || n_kept < 3)
                return fault_set(c, RING_SHORT, first);
        *ret_area = twice_area(c->points, n_kept);
        return ring_crosses(c, n_kept);
}

static int polygon_check(Check *c, unsigned n_dimensions) {
        uint32_t n = take(c);
        double shell = 0, area;
        int r;

        c->place.polygon++;
        for (c->place.ring = 1; c->place.ring <= n; c->place.ring++) {
                r = ring_check(c, n_dimensions, &area);
                if (r != 0)
                        return r;
                if (c->place.ring == 1)
                        shell = area;
                else if (shell * area > 0)
                        return fault_set(c, RING_ORIENTATION, c->points[0]);
        }
        return 0;
}

/* 1: found, 0: none, -ENOMEM. Only polygons and what may hold them are entered, the bytes of others are passed over. */
static int geometry_walk(Check *c) {
        uint32_t number, n;
        unsigned n_dimensions;
        Geometry g = {0};
        int r = 0;

        c->big_endian = *c->p++ == 0;
        number = take(c);
        if (number & EWKB_SRID)
                (void) take(c);
        (void) geometry_kind_split(number, &g);
        n_dimensions = 2U + g.has_z + g.has_m;
        if (g.kind == GEOMETRY_POLYGON || g.kind == GEOMETRY_TRIANGLE)
                return polygon_check(c, n_dimensions);
        n = g.kind == GEOMETRY_POINT ? 1 : take(c);
        if (g.kind <= GEOMETRY_LINE_STRING || g.kind == GEOMETRY_CIRCULAR_STRING) {
                c->p += (size_t) n * n_dimensions * sizeof(double);
                return 0;
        }
        for (; r == 0 && n > 0; n--)
                r = geometry_walk(c);
        return r;
}

int geometry_rings_check(const char *wkb, size_t size, RingFault *ret, RingPlace *ret_place) {
        Check c = {.p = (const uint8_t *) wkb};
        int r;

        r = geometry_walk(&c);
        assert(r != 0 || c.p == (const uint8_t *) wkb + size);
        free(c.points);
        free(c.segments);
        if (r < 0)
                return r;
        *ret = c.fault;
        *ret_place = c.place;
        return 0;
}

const char *ring_fault_text(RingFault fault) {
        static const char *const texts[_RING_FAULT_MAX] = {
                [RING_VALID] = "is valid",
                [RING_SHORT] = "has fewer than four points",
                [RING_OPEN] = "does not end where it begins",
                [RING_NOT_FINITE] = "has a coordinate that is no number",
                [RING_CROSSES] = "crosses or touches itself",
                [RING_ORIENTATION] = "is a hole that goes round the same way as the ring around it",
                [RING_UNKNOWN] = "has too many segments side by side to be checked",
        };

        assert(fault < _RING_FAULT_MAX);
        return texts[fault];
}
