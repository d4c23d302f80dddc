/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Geometries for tests, written part by part: wkb_begin() a header, wkb_count(), wkb_points(). Little-endian. */
#include "testing.h"
#include "model/geometry.h"

typedef struct Wkb {
        char bytes[8192];
        size_t size;
} Wkb;

static inline void wkb_number(Wkb *w, uint32_t number) {
        assert_true(w->size + 4 <= sizeof(w->bytes));
        memcpy(w->bytes + w->size, &number, 4);
        w->size += 4;
}

/* type: kind and EWKB flags; srid is written where it is not 0. */
static inline void wkb_begin(Wkb *w, uint32_t type, uint32_t srid) {
        w->bytes[w->size++] = 1;
        wkb_number(w, type | (srid ? EWKB_SRID : 0));
        if (srid)
                wkb_number(w, srid);
}

static inline void wkb_count(Wkb *w, uint32_t n) { wkb_number(w, n); }

static inline void wkb_doubles(Wkb *w, const double *numbers, size_t n) {
        assert_true(w->size + n * 8 <= sizeof(w->bytes));
        memcpy(w->bytes + w->size, numbers, n * 8);
        w->size += n * 8;
}

#define wkb_points(w, ...)                                                                                  \
        wkb_doubles(w, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

/* A ring or line of points with two numbers each, its count before it. */
#define wkb_line(w, ...)                                                                                    \
        do {                                                                                                \
                wkb_count(w, (uint32_t) (sizeof((const double[]){__VA_ARGS__}) / sizeof(double) / 2));      \
                wkb_points(w, __VA_ARGS__);                                                                 \
        } while (0)
