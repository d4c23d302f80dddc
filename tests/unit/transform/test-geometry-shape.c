/* SPDX-License-Identifier: Apache-2.0 */
#include "../wkb.h"

#include "transform/geometry-shape.h"

static Arena *arena;
static const char *reason;

static int shape(const Wkb *w, GeometryKind kind, FieldAccept accept, Value *ret) {
        const CastShape s = {.type = VALUE_GEOMETRY, .geometry.kind = kind, .accept = accept};

        return geometry_shape(w->bytes, w->size, &s, arena, ret, &reason);
}

static void expect(const Value *v, const Wkb *expected) {
        Geometry g;

        assert_int_equal(v->type, VALUE_GEOMETRY);
        assert_int_equal(geometry_check(v->bytes, v->size, &g), 0);
        assert_int_equal(v->size, expected->size);
        assert_memory_equal(v->bytes, expected->bytes, v->size);
}

static Wkb polygon(uint32_t srid) {
        Wkb w = {0};

        wkb_begin(&w, GEOMETRY_POLYGON, srid);
        wkb_count(&w, 1);
        wkb_line(&w, 0, 0, 4, 0, 4, 3, 0, 0);
        return w;
}

static Wkb multi_polygon(uint32_t srid, uint32_t n) {
        Wkb w = {0}, part = polygon(0);

        wkb_begin(&w, GEOMETRY_MULTI_POLYGON, srid);
        wkb_count(&w, n);
        for (; n > 0; n--, w.size += part.size)
                memcpy(w.bytes + w.size, part.bytes, part.size);
        return w;
}

static void test_what_is_as_wanted_is_borrowed(void **state) {
        const Wkb w = polygon(0);
        Value v;

        assert_int_equal(shape(&w, GEOMETRY_ANY, ACCEPT_NOTHING, &v), CAST_EXACT);
        assert_ptr_equal(v.bytes, w.bytes);
        assert_int_equal(shape(&w, GEOMETRY_POLYGON, ACCEPT_NOTHING, &v), CAST_EXACT);
        assert_ptr_equal(v.bytes, w.bytes);
        assert_int_equal(shape(&w, GEOMETRY_LINE_STRING, ACCEPT_TRUNCATES, &v), CAST_GEOMETRY_KIND);
        assert_int_equal(geometry_shape("x", 1, &(CastShape){0}, arena, &v, &reason), CAST_WKB);
}

static void test_single_and_multi(void **state) {
        const Wkb one = polygon(4326), many_of_one = multi_polygon(4326, 1), two = multi_polygon(4326, 2);
        const Wkb none = multi_polygon(4326, 0);
        Wkb empty = {0}, nowhere = {0}, no_points = {0};
        Value v;

        assert_int_equal(shape(&one, GEOMETRY_MULTI_POLYGON, ACCEPT_NOTHING, &v), CAST_EXACT);
        expect(&v, &many_of_one);
        assert_int_equal(shape(&many_of_one, GEOMETRY_POLYGON, ACCEPT_NOTHING, &v), CAST_EXACT);
        expect(&v, &one);
        assert_int_equal(shape(&two, GEOMETRY_POLYGON, ACCEPT_TRUNCATES, &v), CAST_PARTS);
        wkb_begin(&empty, GEOMETRY_POLYGON, 4326);
        wkb_count(&empty, 0);
        assert_int_equal(shape(&none, GEOMETRY_POLYGON, ACCEPT_NOTHING, &v), CAST_EXACT);
        expect(&v, &empty);
        assert_int_equal(shape(&empty, GEOMETRY_MULTI_POLYGON, ACCEPT_NOTHING, &v), CAST_EXACT);
        expect(&v, &none);
        wkb_begin(&nowhere, GEOMETRY_POINT, 0);
        wkb_points(&nowhere, (double) __builtin_nanf(""), (double) __builtin_nanf(""));
        wkb_begin(&no_points, GEOMETRY_MULTI_POINT, 0);
        wkb_count(&no_points, 0);
        assert_int_equal(shape(&nowhere, GEOMETRY_MULTI_POINT, ACCEPT_NOTHING, &v), CAST_EXACT);
        expect(&v, &no_points);
        assert_int_equal(shape(&no_points, GEOMETRY_POINT, ACCEPT_NOTHING, &v), CAST_EXACT);
        assert_int_equal(v.size, nowhere.size);
}

static void test_z_and_m(void **state) {
        Wkb z = {0}, flat = {0};
        CastShape s = {.type = VALUE_GEOMETRY, .geometry = {GEOMETRY_POINT, .has_z = true}};
        Value v;

        wkb_begin(&z, GEOMETRY_POINT | EWKB_Z, 0);
        wkb_points(&z, 1, 2, 3);
        wkb_begin(&flat, GEOMETRY_POINT, 0);
        wkb_points(&flat, 1, 2);
        assert_int_equal(shape(&z, GEOMETRY_ANY, ACCEPT_NOTHING, &v), CAST_EXACT);
        expect(&v, &z);
        assert_int_equal(shape(&z, GEOMETRY_POINT, ACCEPT_NOTHING, &v), CAST_DIMENSIONS);
        assert_int_equal(shape(&z, GEOMETRY_POINT, ACCEPT_TRUNCATES, &v), CAST_EXACT);
        expect(&v, &flat);
        assert_int_equal(geometry_shape(z.bytes, z.size, &s, arena, &v, &reason), CAST_EXACT);
        expect(&v, &z);
        assert_int_equal(geometry_shape(flat.bytes, flat.size, &s, arena, &v, &reason), CAST_DIMENSIONS);
}

/* M is the last number of a point, with or without Z before it. */
static void test_z_goes_and_m_stays(void **state) {
        Wkb zm = {0}, m = {0};
        const CastShape s = {.type = VALUE_GEOMETRY,
                             .accept = ACCEPT_TRUNCATES,
                             .geometry = {GEOMETRY_LINE_STRING, .has_m = true}};
        Value v;

        wkb_begin(&zm, 3000 + GEOMETRY_LINE_STRING, 0);
        wkb_count(&zm, 2);
        wkb_points(&zm, 1, 2, 3, 4, 5, 6, 7, 8);
        wkb_begin(&m, GEOMETRY_LINE_STRING | EWKB_M, 0);
        wkb_count(&m, 2);
        wkb_points(&m, 1, 2, 4, 5, 6, 8);
        assert_int_equal(geometry_shape(zm.bytes, zm.size, &s, arena, &v, &reason), CAST_EXACT);
        expect(&v, &m);
}

static Wkb half_circle(uint32_t whole) {
        Wkb w = {0};

        if (whole) {
                wkb_begin(&w, whole, 0);
                wkb_count(&w, 1);
        }
        if (whole == GEOMETRY_CURVE_POLYGON) {
                wkb_begin(&w, GEOMETRY_COMPOUND_CURVE, 0);
                wkb_count(&w, 2);
        }
        wkb_begin(&w, GEOMETRY_CIRCULAR_STRING, 0);
        wkb_line(&w, 1, 0, 0, 1, -1, 0);
        if (whole == GEOMETRY_CURVE_POLYGON) {
                wkb_begin(&w, GEOMETRY_LINE_STRING, 0);
                wkb_line(&w, -1, 0, 1, 0);
        }
        return w;
}

static void test_curves(void **state) {
        const Wkb arc = half_circle(0), area = half_circle(GEOMETRY_CURVE_POLYGON),
                  deep = half_circle(GEOMETRY_COLLECTION);
        double first[2], last[2];
        uint32_t n;
        Geometry g;
        Value v;

        assert_int_equal(shape(&arc, GEOMETRY_ANY, ACCEPT_NOTHING, &v), CAST_EXACT);
        assert_ptr_equal(v.bytes, arc.bytes);
        assert_int_equal(shape(&arc, GEOMETRY_LINE_STRING, ACCEPT_NOTHING, &v), CAST_CURVE);
        assert_int_equal(shape(&deep, GEOMETRY_MULTI_LINE_STRING, ACCEPT_NOTHING, &v), CAST_CURVE);
        assert_int_equal(shape(&arc, GEOMETRY_LINE_STRING, ACCEPT_ROUNDS, &v), CAST_EXACT);
        assert_int_equal(geometry_check(v.bytes, v.size, &g), 0);
        assert_int_equal(g.kind, GEOMETRY_LINE_STRING);
        memcpy(&n, v.bytes + 5, sizeof(n));
        assert_in_range(n, 60, 70);
        assert_int_equal(shape(&area, GEOMETRY_MULTI_POLYGON, ACCEPT_ROUNDS, &v), CAST_EXACT);
        assert_int_equal(geometry_check(v.bytes, v.size, &g), 0);
        assert_int_equal(g.kind, GEOMETRY_MULTI_POLYGON);
        /* header, 1 part, header, 1 ring: its points close, and the joint is there once */
        memcpy(&n, v.bytes + 18, sizeof(n));
        assert_int_equal(v.size, 22 + n * 16);
        memcpy(first, v.bytes + 22, sizeof(first));
        memcpy(last, v.bytes + v.size - 16, sizeof(last));
        assert_memory_equal(first, last, sizeof(first));
        assert_int_equal(shape(&area, GEOMETRY_MULTI_SURFACE, ACCEPT_NOTHING, &v), CAST_EXACT);
        assert_int_equal(geometry_check(v.bytes, v.size, &g), 0);
        assert_int_equal(g.kind, GEOMETRY_MULTI_SURFACE);
}

static void test_the_reference_system_is_told(void **state) {
        const Wkb unknown = polygon(0), known = polygon(2927);
        CastShape s = {.type = VALUE_GEOMETRY, .srid = 2927};
        Value v;

        assert_int_equal(geometry_shape(unknown.bytes, unknown.size, &s, arena, &v, &reason), CAST_EXACT);
        expect(&v, &known);
        assert_int_equal(geometry_shape(known.bytes, known.size, &s, arena, &v, &reason), CAST_EXACT);
        assert_ptr_equal(v.bytes, known.bytes);
        s.srid = 999999;
        assert_int_equal(geometry_shape(known.bytes, known.size, &s, arena, &v, &reason), CAST_SRID);
        assert_string_equal(reason, "PROJ does not know the coordinate system ESRI:999999");
}

static void test_coordinates_are_transformed(void **state) {
        Wkb w = {0};
        const CastShape s = {.type = VALUE_GEOMETRY, .srid = 3857};
        double x, y;
        Value v;

        wkb_begin(&w, GEOMETRY_POINT, 4326);
        wkb_points(&w, -71.1, 42.37);
        assert_int_equal(geometry_shape(w.bytes, w.size, &s, arena, &v, &reason), CAST_EXACT);
        memcpy(&x, v.bytes + 9, sizeof(x));
        memcpy(&y, v.bytes + 17, sizeof(y));
        assert_true(x > -7914815.80 && x < -7914815.79);
        assert_true(y > 5216565.79 && y < 5216565.80);
        w = (Wkb){0};
        wkb_begin(&w, GEOMETRY_POINT, 4326);
        wkb_points(&w, 0, 91);
        assert_int_equal(geometry_shape(w.bytes, w.size, &s, arena, &v, &reason), CAST_SRID);
}

static int setup(void **state) { return arena_new(&arena); }

static int teardown(void **state) {
        arena = arena_free(arena);
        return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_what_is_as_wanted_is_borrowed), TEST(test_single_and_multi),
                TEST(test_z_and_m),                       TEST(test_z_goes_and_m_stays),
                TEST(test_curves),                        TEST(test_the_reference_system_is_told),
                TEST(test_coordinates_are_transformed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
