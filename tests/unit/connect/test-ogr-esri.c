/* SPDX-License-Identifier: Apache-2.0 */
#include "../wkb.h"

#include "connect/ogr-esri.h"

static Arena *arena;
static TextBuffer wkb, text;

static int make(const char *json, bool has_z) {
        const JsonItem *item = NULL;

        assert_int_equal(json_item_parse(json, strlen(json), 1 << 20, arena, &item, NULL), 0);
        return esri_geometry(item, 3857, has_z, false, &wkb);
}

static void expect(const char *json, bool has_z, const Wkb *w) {
        assert_int_equal(make(json, has_z), 0);
        assert_int_equal(wkb.size, w->size);
        assert_memory_equal(wkb.bytes, w->bytes, w->size);
}

/* Shells go round clockwise; a hole belongs to the smallest shell that it lies in. */
static void test_rings(void **state) {
        Wkb one = {0}, two = {0};

        wkb_begin(&one, GEOMETRY_POLYGON, 3857);
        wkb_count(&one, 2);
        wkb_line(&one, 0, 0, 0, 9, 9, 9, 9, 0, 0, 0);
        wkb_line(&one, 1, 1, 2, 1, 2, 2, 1, 1);
        expect("{\"rings\":[[[1,1],[2,1],[2,2],[1,1]],[[0,0],[0,9],[9,9],[9,0],[0,0]]]}", false, &one);
        wkb_begin(&two, GEOMETRY_MULTI_POLYGON, 3857);
        wkb_count(&two, 2);
        wkb_begin(&two, GEOMETRY_POLYGON, 0);
        wkb_count(&two, 1);
        wkb_line(&two, 0, 0, 0, 9, 9, 9, 9, 0, 0, 0);
        wkb_begin(&two, GEOMETRY_POLYGON, 0);
        wkb_count(&two, 1);
        wkb_line(&two, 20, 0, 20, 9, 29, 9, 20, 0);
        expect("{\"rings\":[[[0,0],[0,9],[9,9],[9,0],[0,0]],[[20,0],[20,9],[29,9],[20,0]]]}", false, &two);
}

static void test_points_and_paths(void **state) {
        Wkb point = {0}, line = {0}, many = {0};

        wkb_begin(&point, GEOMETRY_POINT | EWKB_Z, 3857);
        wkb_points(&point, 1.5, 2, 3);
        expect("{\"x\":1.5,\"y\":2,\"z\":3}", true, &point);
        wkb_begin(&line, GEOMETRY_LINE_STRING, 3857);
        wkb_line(&line, 0, 0, 1, 1);
        expect("{\"paths\":[[[0,0],[1,1]]]}", false, &line);
        wkb_begin(&many, GEOMETRY_MULTI_POINT, 3857);
        wkb_count(&many, 1);
        wkb_begin(&many, GEOMETRY_POINT, 0);
        wkb_points(&many, 7, 8);
        expect("{\"points\":[[7,8]]}", false, &many);
}

static void test_none_and_bad_ones(void **state) {
        assert_int_equal(make("null", false), 1);
        assert_int_equal(make("{\"x\":\"NaN\",\"y\":\"NaN\"}", false), 1);
        assert_int_equal(make("{\"curveRings\":[]}", false), -EBADMSG);
        assert_int_equal(make("{\"rings\":[[[1]]]}", false), -EBADMSG);
        assert_int_equal(make("{\"rings\":7}", false), -EBADMSG);
}

static void expect_text(const Wkb *w, const char *expected) {
        text_buffer_reset(&text);
        assert_int_equal(esri_geometry_put(w->bytes, w->size, &text), 0);
        assert_string_equal(text.bytes, expected);
}

static void test_writing(void **state) {
        Wkb area = {0}, points = {0}, arc = {0};

        wkb_begin(&area, GEOMETRY_POLYGON, 3857);
        wkb_count(&area, 1);
        wkb_line(&area, 0, 0, 9, 0, 9, 9, 0, 0); /* the other way round there */
        expect_text(&area, "{\"rings\":[[[0,0],[9,9],[9,0],[0,0]]],\"spatialReference\":{\"wkid\":3857}}");
        wkb_begin(&points, GEOMETRY_MULTI_POINT | EWKB_Z, 0);
        wkb_count(&points, 2);
        for (int i = 0; i < 2; i++) {
                wkb_begin(&points, GEOMETRY_POINT | EWKB_Z, 0);
                wkb_points(&points, 0.1 + i, 2, 3);
        }
        expect_text(&points, "{\"hasZ\":true,\"points\":[[0.1,2,3],[1.1,2,3]]}");
        wkb_begin(&arc, GEOMETRY_CIRCULAR_STRING, 0);
        wkb_line(&arc, 1, 0, 0, 1, -1, 0);
        assert_int_equal(esri_geometry_put(arc.bytes, arc.size, &text), -EOPNOTSUPP);
}

static int setup(void **state) { return arena_new(&arena); }

static int teardown(void **state) {
        arena = arena_free(arena);
        text_buffer_done(&wkb);
        text_buffer_done(&text);
        return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {TEST(test_rings), TEST(test_points_and_paths), TEST(test_none_and_bad_ones), TEST(test_writing)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
