/* SPDX-License-Identifier: Apache-2.0 */
#include "../wkb.h"

#include "model/record.h"

static bool equal(const Wkb *a, const Wkb *b) {
        bool is = geometry_equal(a->bytes, a->size, b->bytes, b->size);

        assert_int_equal(geometry_equal(b->bytes, b->size, a->bytes, a->size), is);
        return is;
}

static Digest digest(const Wkb *w) {
        const Value v = {.type = VALUE_GEOMETRY, .bytes = w->bytes, .size = w->size};
        DigestScratch scratch = {0};
        Digest ret;

        assert_int_equal(values_digest(&v, 1, 7, &scratch, &ret), 0);
        free(scratch.bytes);
        return ret;
}

static void expect_same(const Wkb *a, const Wkb *b) {
        const Digest left = digest(a), right = digest(b);

        assert_true(equal(a, b));
        assert_true(digest_equal(&left, &right));
}

static void expect_other(const Wkb *a, const Wkb *b) {
        const Digest left = digest(a), right = digest(b);

        assert_false(equal(a, b));
        assert_false(digest_equal(&left, &right));
}

static void polygon_begin(Wkb *w, uint32_t n_rings) {
        *w = (Wkb){0};
        wkb_begin(w, GEOMETRY_POLYGON, 2927);
        wkb_count(w, n_rings);
}

static void test_where_a_ring_begins_and_which_way_it_goes(void **state) {
        Wkb square, begun_elsewhere, reversed, moved;

        polygon_begin(&square, 1);
        wkb_line(&square, 0, 0, 4, 0, 4, 3, 0, 3, 0, 0);
        polygon_begin(&begun_elsewhere, 1);
        wkb_line(&begun_elsewhere, 4, 3, 0, 3, 0, 0, 4, 0, 4, 3);
        polygon_begin(&reversed, 1);
        wkb_line(&reversed, 0, 3, 4, 3, 4, 0, 0, 0, 0, 3);
        polygon_begin(&moved, 1);
        wkb_line(&moved, 0, 0, 4, 0, 4, 3.5, 0, 3, 0, 0);
        expect_same(&square, &begun_elsewhere);
        expect_same(&square, &reversed);
        expect_other(&square, &moved);
}

/* A ring that meets itself at its least point: each way round it is tried. */
static void test_a_ring_that_comes_by_its_least_point_twice(void **state) {
        Wkb a, b, c;

        polygon_begin(&a, 1);
        wkb_line(&a, 0, 0, 2, 1, 2, 2, 0, 0, 1, -2, 2, -2, 0, 0);
        polygon_begin(&b, 1);
        wkb_line(&b, 0, 0, 1, -2, 2, -2, 0, 0, 2, 1, 2, 2, 0, 0);
        polygon_begin(&c, 1);
        wkb_line(&c, 2, -2, 1, -2, 0, 0, 2, 2, 2, 1, 0, 0, 2, -2);
        expect_same(&a, &b);
        expect_same(&a, &c);
}

static void test_holes_and_parts(void **state) {
        Wkb a = {0}, b = {0}, swapped = {0};

        for (int i = 0; i < 2; i++) {
                Wkb *w = i ? &b : &a;

                wkb_begin(w, GEOMETRY_MULTI_POLYGON, 0);
                wkb_count(w, 1);
                wkb_begin(w, GEOMETRY_POLYGON, i ? 4326 : 0); /* a part's SRID is no matter */
                wkb_count(w, 2);
                wkb_line(w, 0, 0, 9, 0, 9, 9, 0, 0);
                if (i)
                        wkb_line(w, 4, 2, 4, 3, 3, 2, 4, 2);
                else
                        wkb_line(w, 3, 2, 4, 3, 4, 2, 3, 2);
        }
        expect_same(&a, &b);
        wkb_begin(&swapped, GEOMETRY_MULTI_POLYGON, 0);
        wkb_count(&swapped, 1);
        wkb_begin(&swapped, GEOMETRY_POLYGON, 0);
        wkb_count(&swapped, 1);
        wkb_line(&swapped, 0, 0, 9, 0, 9, 9, 0, 0);
        expect_other(&a, &swapped);
}

static void test_lines_keep_their_direction(void **state) {
        Wkb a = {0}, b = {0};

        wkb_begin(&a, GEOMETRY_LINE_STRING, 0);
        wkb_line(&a, 0, 0, 1, 1, 0, 0);
        wkb_begin(&b, GEOMETRY_LINE_STRING, 0);
        wkb_line(&b, 1, 1, 0, 0, 1, 1);
        expect_other(&a, &b);
}

static void test_byte_orders_dimensions_and_minus_zero(void **state) {
        Wkb little = {0}, iso = {0}, other_z = {0}, flat = {0};
        static const char big[] = "\x00\x80\x00\x00\x01\x3f\xf0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
                                  "\x40\x00\x00\x00\x00\x00\x00\x00";
        Wkb as_big = {.size = sizeof(big) - 1};

        memcpy(as_big.bytes, big, as_big.size);
        wkb_begin(&little, GEOMETRY_POINT | EWKB_Z, 0);
        wkb_points(&little, 1, -0.0, 2);
        wkb_begin(&iso, 1000 + GEOMETRY_POINT, 0);
        wkb_points(&iso, 1, 0, 2);
        wkb_begin(&other_z, GEOMETRY_POINT | EWKB_Z, 0);
        wkb_points(&other_z, 1, 0, 3);
        wkb_begin(&flat, GEOMETRY_POINT, 0);
        wkb_points(&flat, 1, 0);
        expect_same(&little, &iso);
        expect_same(&little, &as_big);
        expect_other(&little, &other_z);
        expect_other(&little, &flat);
}

/* A reference system that is told is part of a geometry; where it is not told it may be any, but the digests differ. */
static void test_reference_systems(void **state) {
        Wkb none = {0}, one = {0}, two = {0};

        wkb_begin(&none, GEOMETRY_POINT, 0);
        wkb_points(&none, 1, 2);
        wkb_begin(&one, GEOMETRY_POINT, 2927);
        wkb_points(&one, 1, 2);
        wkb_begin(&two, GEOMETRY_POINT, 4326);
        wkb_points(&two, 1, 2);
        assert_true(equal(&none, &one));
        assert_true(equal(&none, &two));
        expect_other(&one, &two);
}

static void test_what_is_no_geometry_is_its_bytes(void **state) {
        Wkb a = {.bytes = "abc", .size = 3}, b = {.bytes = "abd", .size = 3}, empty = {0};

        expect_same(&a, &a);
        expect_other(&a, &b);
        expect_other(&a, &empty);
        expect_same(&empty, &empty);
}

static void test_names_of_kinds(void **state) {
        assert_int_equal(geometry_kind_from_string("multipolygon", 12), GEOMETRY_MULTI_POLYGON);
        assert_int_equal(geometry_kind_from_string("geometry", 8), GEOMETRY_ANY);
        assert_int_equal(geometry_kind_from_string("polygons", 8), _GEOMETRY_KIND_INVALID);
        assert_string_equal(geometry_kind_to_string(GEOMETRY_TIN), "tin");
        assert_string_equal(geometry_kind_to_string((GeometryKind) 13), "unknown");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_where_a_ring_begins_and_which_way_it_goes),
                cmocka_unit_test(test_a_ring_that_comes_by_its_least_point_twice),
                cmocka_unit_test(test_holes_and_parts),
                cmocka_unit_test(test_lines_keep_their_direction),
                cmocka_unit_test(test_byte_orders_dimensions_and_minus_zero),
                cmocka_unit_test(test_reference_systems),
                cmocka_unit_test(test_what_is_no_geometry_is_its_bytes),
                cmocka_unit_test(test_names_of_kinds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
