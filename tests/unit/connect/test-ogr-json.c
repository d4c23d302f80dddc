/* SPDX-License-Identifier: Apache-2.0 */
#include "../wkb.h"

#include "connect/ogr-json.h"

static Arena *arena;
static TextBuffer wkb;

static const JsonItem *parse(const char *text) {
        const JsonItem *item = NULL;

        assert_int_equal(json_item_parse(text, strlen(text), 1 << 20, arena, &item, NULL), 0);
        return item;
}

static void test_values(void **state) {
        char text[DECIMAL_TEXT_MAX];
        Value v;

        assert_int_equal(json_value(NULL).type, VALUE_NULL);
        assert_int_equal(json_value(parse("null")).type, VALUE_NULL);
        v = json_value(parse("true"));
        assert_int_equal(v.type, VALUE_BOOLEAN);
        assert_int_equal(v.integer, 1);
        v = json_value(parse("9007199254740993"));
        assert_int_equal(v.type, VALUE_INTEGER);
        assert_int_equal(v.integer, 9007199254740993);
        v = json_value(parse("0.12345678901234567890"));
        assert_int_equal(v.type, VALUE_DECIMAL);
        (void) decimal_format(&v.decimal, text);
        assert_string_equal(text, "0.12345678901234567890");
        v = json_value(parse("1e999"));
        assert_int_equal(v.type, VALUE_TEXT);
        v = json_value(parse("\"a\\n\""));
        assert_int_equal(v.type, VALUE_TEXT);
        assert_int_equal(v.size, 2);
        v = json_value(parse("{\"a\": [1]}"));
        assert_int_equal(v.type, VALUE_JSON);
        assert_memory_equal(v.bytes, "{\"a\": [1]}", v.size);
}

static void expect_same(const char *text, const Wkb *w) {
        assert_int_equal(geojson_geometry(parse(text), 4326, &wkb), 0);
        assert_int_equal(wkb.size, w->size);
        assert_memory_equal(wkb.bytes, w->bytes, w->size);
}

static void test_geometries(void **state) {
        Wkb point = {0}, area = {0}, many = {0}, all = {0};

        wkb_begin(&point, GEOMETRY_POINT, 4326);
        wkb_points(&point, -71.1, 42.5);
        expect_same("{\"type\":\"Point\",\"coordinates\":[-71.1,42.5]}", &point);
        wkb_begin(&area, GEOMETRY_POLYGON, 4326);
        wkb_count(&area, 1);
        wkb_line(&area, 0, 0, 1, 0, 1, 1, 0, 0);
        expect_same("{\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]],\"type\":\"Polygon\"}", &area);
        wkb_begin(&many, GEOMETRY_MULTI_LINE_STRING | EWKB_Z, 4326);
        wkb_count(&many, 1);
        wkb_begin(&many, GEOMETRY_LINE_STRING | EWKB_Z, 0);
        wkb_count(&many, 2);
        wkb_points(&many, 0, 0, 5, 1, 1, 6);
        expect_same("{\"type\":\"MultiLineString\",\"coordinates\":[[[0,0,5],[1,1,6]]]}", &many);
        wkb_begin(&all, GEOMETRY_COLLECTION, 4326);
        wkb_count(&all, 1);
        wkb_begin(&all, GEOMETRY_MULTI_POINT, 0);
        wkb_count(&all, 0);
        expect_same("{\"type\":\"GeometryCollection\",\"geometries\":[{\"type\":\"MultiPoint\",\"coordinates\":[]}]}", &all);
}

static void test_empty_ones(void **state) {
        Geometry g;

        assert_int_equal(geojson_geometry(parse("{\"type\":\"Point\",\"coordinates\":[]}"), 4326, &wkb), 0);
        assert_int_equal(geometry_check(wkb.bytes, wkb.size, &g), 0);
        assert_int_equal(geojson_geometry(parse("{\"type\":\"MultiPolygon\",\"coordinates\":[]}"), 4326, &wkb), 0);
        assert_int_equal(geometry_check(wkb.bytes, wkb.size, &g), 0);
        assert_int_equal(g.kind, GEOMETRY_MULTI_POLYGON);
}

static void test_bad_ones(void **state) {
        static const char *const texts[] = {
                "{}",
                "[]",
                "{\"type\":\"Circle\",\"coordinates\":[1,2]}",
                "{\"type\":\"Point\",\"coordinates\":[1]}",
                "{\"type\":\"Point\",\"coordinates\":[1,\"2\"]}",
                "{\"type\":\"Point\",\"coordinates\":[1,2,3,4]}",
                "{\"type\":\"Point\",\"coordinates\":[1,1e999]}",
                "{\"type\":\"LineString\",\"coordinates\":[[1,2],[1,2,3]]}",
                "{\"type\":\"Polygon\",\"coordinates\":[[1,2]]}",
                "{\"type\":\"GeometryCollection\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(geojson_geometry(parse(texts[i]), 4326, &wkb), -EBADMSG);
}

static void test_reference_systems(void **state) {
#define CRS(name) parse("{\"type\":\"name\",\"properties\":{\"name\":\"" name "\"}}")
        assert_int_equal(geojson_srid(CRS("urn:ogc:def:crs:OGC:1.3:CRS84")), 4326);
        assert_int_equal(geojson_srid(CRS("urn:ogc:def:crs:EPSG::2927")), 2927);
        assert_int_equal(geojson_srid(CRS("ESRI:102748")), 102748);
        assert_int_equal(geojson_srid(CRS("somewhere")), 0);
        assert_int_equal(geojson_srid(parse("{}")), 0);
        assert_int_equal(geojson_srid(NULL), 0);
}

static int setup(void **state) { return arena_new(&arena); }

static int teardown(void **state) {
        arena = arena_free(arena);
        text_buffer_done(&wkb);
        return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_values),   TEST(test_geometries),        TEST(test_empty_ones),
                TEST(test_bad_ones), TEST(test_reference_systems),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
