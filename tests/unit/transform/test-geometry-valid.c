/* SPDX-License-Identifier: Apache-2.0 */
#include "../wkb.h"

#include <math.h>

#include "transform/geometry-valid.h"

static RingPlace place;

static RingFault check(const Wkb *w) {
        RingFault fault;
        Geometry g;

        assert_int_equal(geometry_check(w->bytes, w->size, &g), 0);
        assert_int_equal(geometry_rings_check(w->bytes, w->size, &fault, &place), 0);
        return fault;
}

#define RING(...)                                                                                           \
        ({                                                                                                  \
                Wkb _w = {0};                                                                               \
                wkb_begin(&_w, GEOMETRY_POLYGON, 4326);                                                     \
                wkb_count(&_w, 1);                                                                          \
                wkb_line(&_w, __VA_ARGS__);                                                                 \
                check(&_w);                                                                                 \
        })

static void test_good_rings(void **state) {
        Wkb none = {0}, point = {0};

        assert_int_equal(RING(0, 0, 4, 0, 4, 3, 0, 3, 0, 0), RING_VALID);
        assert_int_equal(RING(0, 0, 4, 0, 4, 0, 4, 3, 0, 3, 0, 0), RING_VALID); /* a point twice */
        assert_int_equal(RING(0, 0, 1, 0, 2, 0, 2, 2, 1, 1, 0, 2, 0, 0), RING_VALID);
        wkb_begin(&none, GEOMETRY_POLYGON, 0);
        wkb_count(&none, 0);
        assert_int_equal(check(&none), RING_VALID);
        wkb_begin(&point, GEOMETRY_POINT | EWKB_Z | EWKB_M, 0);
        wkb_points(&point, 1, 2, 3, 4);
        assert_int_equal(check(&point), RING_VALID);
}

static void test_bad_rings(void **state) {
        assert_int_equal(RING(0, 0, 1, 1, 0, 0), RING_SHORT);
        assert_int_equal(RING(0, 0, 1, 1, 1, 1, 0, 0), RING_SHORT);
        assert_int_equal(RING(0, 0, 4, 0, 4, 3, 0, 3), RING_OPEN);
        assert_int_equal(RING(0, 0, INFINITY, 0, 4, 3, 0, 0), RING_NOT_FINITE);
        assert_int_equal(RING(0, 0, 4, 4, 4, 0, 0, 4, 0, 0), RING_CROSSES);
        assert_int_equal(RING(0, 0, 4, 0, 8, 0, 4, 0, 4, 3, 0, 0), RING_CROSSES); /* a spike */
        assert_int_equal(RING(0, 0, 4, 0, 4, 4, 2, 0, 0, 4, 0, 0), RING_CROSSES); /* touches itself */
        assert_int_equal(place.polygon, 1);
        assert_int_equal(place.ring, 1);
        assert_int_equal(RING(0, 0, 2, 1, 2, 2, 0, 0, 1, -2, 2, -2, 0, 0), RING_CROSSES); /* at a point */
}

static void test_holes(void **state) {
        Wkb w = {0};

        wkb_begin(&w, GEOMETRY_MULTI_POLYGON, 0);
        wkb_count(&w, 2);
        for (int i = 0; i < 2; i++) {
                wkb_begin(&w, GEOMETRY_POLYGON, 0);
                wkb_count(&w, 2);
                wkb_line(&w, 0, 0, 9, 0, 9, 9, 0, 9, 0, 0);
                if (i == 0)
                        wkb_line(&w, 1, 1, 1, 2, 2, 2, 1, 1);
                else
                        wkb_line(&w, 1, 1, 2, 2, 1, 2, 1, 1);
        }
        assert_int_equal(check(&w), RING_ORIENTATION);
        assert_int_equal(place.polygon, 2);
        assert_int_equal(place.ring, 2);
}

/* Segments that all lie above one another: looked at to a limit, then that is told. */
static void test_work_is_bounded(void **state) {
        const uint32_t n = 20000;
        size_t size = 13 + 16 * (size_t) (n + 1), at = 13;
        char *wkb = calloc(1, size);
        uint32_t header[3] = {GEOMETRY_POLYGON, 1, n + 1};
        RingFault fault;

        assert_non_null(wkb);
        wkb[0] = 1;
        memcpy(wkb + 1, header, sizeof(header));
        for (uint32_t i = 0; i <= n; i++, at += 16) {
                const double xy[2] = {i == n ? 0 : i == n - 1 ? -10 : i % 2 * 1000000.0, i == n ? 0 : i};

                memcpy(wkb + at, xy, sizeof(xy));
        }
        assert_int_equal(geometry_rings_check(wkb, size, &fault, &place), 0);
        assert_int_equal(fault, RING_UNKNOWN);
        free(wkb);
}

static void test_each_fault_has_words(void **state) {
        for (RingFault fault = 0; fault < _RING_FAULT_MAX; fault++)
                assert_non_null(ring_fault_text(fault));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_rings),       cmocka_unit_test(test_bad_rings),
                cmocka_unit_test(test_holes),            cmocka_unit_test(test_work_is_bounded),
                cmocka_unit_test(test_each_fault_has_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
