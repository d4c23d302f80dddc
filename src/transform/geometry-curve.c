/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/geometry-curve.h"

#include <math.h>

#define POINT_NUMBERS 4U

typedef struct Circle { double x, y, radius; } Circle;

static bool same_place(const double *a, const double *b) { return memcmp(a, b, 2 * sizeof(double)) == 0; }

/* Through three points, computed from a so that large coordinates cost no digits. False: they lie in a line. */
static bool circle_find(const double *a, const double *b, const double *c, Circle *ret) {
        double bx = b[0] - a[0], by = b[1] - a[1], cx = c[0] - a[0], cy = c[1] - a[1];
        double d = 2 * (bx * cy - by * cx), bb = bx * bx + by * by, cc = cx * cx + cy * cy, x, y;

        if (same_place(a, c)) {
                x = bx / 2;
                y = by / 2;
        } else {
                if (!(fabs(d) > 1e-12 * (bb + cc)))
                        return false;
                x = (cy * bb - by * cc) / d;
                y = (bx * cc - cx * bb) / d;
        }
        *ret = (Circle){.x = a[0] + x, .y = a[1] + y, .radius = hypot(x, y)};
        return isfinite(ret->radius) && ret->radius > 0;
}

/* From angle `from` to `to` in the direction of the arc, 0 … 2π with its sign. */
static double sweep(double from, double to, bool clockwise) {
        double angle = to - from;

        while (!clockwise && angle < 0)
                angle += 2 * M_PI;
        while (clockwise && angle > 0)
                angle -= 2 * M_PI;
        return angle;
}

static void half_arc(const Circle *circle, const double *from, const double *to, double begin, double angle, size_t n,
                     unsigned n_dimensions, double *ret) {
        for (size_t i = 1; i < n; i++, ret += n_dimensions) {
                double share = (double) i / (double) n, at = begin + angle * share;

                ret[0] = circle->x + circle->radius * cos(at);
                ret[1] = circle->y + circle->radius * sin(at);
                for (unsigned k = 2; k < n_dimensions; k++)
                        ret[k] = from[k] + (to[k] - from[k]) * share;
        }
        memcpy(ret, to, n_dimensions * sizeof(double));
}

static size_t n_chords(double angle) {
        size_t n = (size_t) ceil(fabs(angle) / (2 * M_PI) * (ARC_POINTS_MAX - 2));

        return n < 1 ? 1 : n;
}

size_t arc_points(const double *a, const double *b, const double *c, unsigned n_dimensions, double *ret) {
        double first, second, begin, middle, end;
        size_t n_first, n_second;
        Circle circle;
        bool clockwise;

        assert(n_dimensions >= 2 && n_dimensions <= POINT_NUMBERS);
        if (!circle_find(a, b, c, &circle)) {
                memcpy(ret, b, n_dimensions * sizeof(double));
                memcpy(ret + n_dimensions, c, n_dimensions * sizeof(double));
                return 2;
        }
        begin = atan2(a[1] - circle.y, a[0] - circle.x);
        middle = atan2(b[1] - circle.y, b[0] - circle.x);
        end = atan2(c[1] - circle.y, c[0] - circle.x);
        clockwise = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) < 0;
        first = sweep(begin, middle, clockwise);
        second = sweep(middle, end, clockwise);
        n_first = n_chords(first);
        n_second = n_chords(second);
        half_arc(&circle, a, b, begin, first, n_first, n_dimensions, ret);
        half_arc(&circle, b, c, middle, second, n_second, n_dimensions, ret + n_first * n_dimensions);
        return n_first + n_second;
}
