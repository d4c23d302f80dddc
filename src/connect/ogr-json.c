/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/ogr-json.h"

#include <endian.h>
#include <math.h>

#include "basic/text.h"

#define WGS84 4326U

Value json_value(const JsonItem *item) {
        Decimal decimal;
        int64_t integer;

        if (!item || item->kind == JSON_ITEM_NULL)
                return value_null();
        switch (item->kind) {
        case JSON_ITEM_FALSE:
        case JSON_ITEM_TRUE:
                return (Value){.type = VALUE_BOOLEAN, .integer = item->kind == JSON_ITEM_TRUE};
        case JSON_ITEM_NUMBER:
                if (decimal_parse(item->text, item->size, &decimal) < 0)
                        return value_text(item->text, item->size);
                if (decimal.scale == 0 && decimal_to_integer(&decimal, &integer) == 0)
                        return value_integer(integer);
                return (Value){.type = VALUE_DECIMAL, .decimal = decimal};
        case JSON_ITEM_TEXT:
                return value_text(item->text, item->size);
        default:
                return (Value){.type = VALUE_JSON, .bytes = item->text, .size = item->size};
        }
}

/* ---- WKB ---- */

typedef struct Make {
        TextBuffer *wkb;
        unsigned n_dimensions; /* 0: no position was met yet */
        unsigned depth;
} Make;

static int put(Make *m, uint32_t number) {
        number = htole32(number);
        return text_buffer_add(m->wkb, (const char *) &number, sizeof(number));
}

static int header(Make *m, uint32_t kind, uint32_t srid) {
        static const char little = 1;
        int r;

        r = text_buffer_add(m->wkb, &little, 1);
        if (r == 0)
                r = put(m, kind | (srid ? EWKB_SRID : 0));
        return r == 0 && srid ? put(m, srid) : r;
}

static int number_of(const JsonItem *item, double *ret) {
        char text[64];

        if (!json_item_is(item, JSON_ITEM_NUMBER) || item->size >= sizeof(text))
                return -EBADMSG;
        memcpy(text, item->text, item->size);
        text[item->size] = '\0';
        *ret = strtod(text, NULL);
        return isfinite(*ret) ? 0 : -EBADMSG;
}

static int position(Make *m, const JsonItem *item) {
        uint64_t word;
        double number;
        int r = 0;

        if (!json_item_is(item, JSON_ITEM_ARRAY) || item->n_children < 2 || item->n_children > 3)
                return -EBADMSG;
        if (m->n_dimensions == 0)
                m->n_dimensions = (unsigned) item->n_children;
        if (m->n_dimensions != item->n_children)
                return -EBADMSG;
        for (const JsonItem *child = item->first; r == 0 && child; child = child->next) {
                r = number_of(child, &number);
                memcpy(&word, &number, sizeof(word));
                word = htole64(word);
                if (r == 0)
                        r = text_buffer_add(m->wkb, (const char *) &word, sizeof(word));
        }
        return r;
}

static int positions(Make *m, const JsonItem *item) {
        int r;

        if (!json_item_is(item, JSON_ITEM_ARRAY))
                return -EBADMSG;
        r = put(m, (uint32_t) item->n_children);
        for (const JsonItem *child = item->first; r == 0 && child; child = child->next)
                r = position(m, child);
        return r;
}

static int coordinates(Make *m, uint32_t kind, const JsonItem *item);

/* Parts of a multi kind are whole geometries, rings are not. */
static int list(Make *m, uint32_t part, const JsonItem *item) {
        int r;

        if (!json_item_is(item, JSON_ITEM_ARRAY))
                return -EBADMSG;
        r = put(m, (uint32_t) item->n_children);
        for (const JsonItem *child = item->first; r == 0 && child; child = child->next) {
                if (part == GEOMETRY_ANY) {
                        r = positions(m, child);
                        continue;
                }
                r = header(m, part, 0);
                if (r == 0)
                        r = coordinates(m, part, child);
        }
        return r;
}

static int coordinates(Make *m, uint32_t kind, const JsonItem *item) {
        static const uint64_t nan_word = UINT64_C(0x7FF8) << 48;
        const uint64_t empty[2] = {htole64(nan_word), htole64(nan_word)};

        switch (kind) {
        case GEOMETRY_POINT:
                if (json_item_is(item, JSON_ITEM_ARRAY) && item->n_children == 0)
                        return text_buffer_add(m->wkb, (const char *) empty, sizeof(empty));
                return position(m, item);
        case GEOMETRY_LINE_STRING:
                return positions(m, item);
        case GEOMETRY_POLYGON:
                return list(m, GEOMETRY_ANY, item);
        case GEOMETRY_MULTI_POINT:
                return list(m, GEOMETRY_POINT, item);
        case GEOMETRY_MULTI_LINE_STRING:
                return list(m, GEOMETRY_LINE_STRING, item);
        case GEOMETRY_MULTI_POLYGON:
                return list(m, GEOMETRY_POLYGON, item);
        default:
                return -EBADMSG;
        }
}

static uint32_t kind_of(const char *type) {
        static const char *const types[] = {[GEOMETRY_POINT] = "Point", [GEOMETRY_LINE_STRING] = "LineString", [GEOMETRY_POLYGON] = "Polygon",
                                            [GEOMETRY_MULTI_POINT] = "MultiPoint", [GEOMETRY_MULTI_LINE_STRING] = "MultiLineString",
                                            [GEOMETRY_MULTI_POLYGON] = "MultiPolygon", [GEOMETRY_COLLECTION] = "GeometryCollection"};

        for (uint32_t kind = GEOMETRY_POINT; kind < ELEMENTSOF(types); kind++)
                if (text_equal(types[kind], type))
                        return kind;
        return GEOMETRY_ANY;
}

static int geometry(Make *m, const JsonItem *item, uint32_t srid) {
        uint32_t kind = kind_of(json_item_text(json_item_member(item, "type")));
        const JsonItem *parts = json_item_member(item, "geometries");
        int r;

        if (kind == GEOMETRY_ANY || ++m->depth > GEOMETRY_DEPTH_MAX)
                return -EBADMSG;
        r = header(m, kind, srid);
        if (r < 0)
                return r;
        if (kind != GEOMETRY_COLLECTION)
                r = coordinates(m, kind, json_item_member(item, "coordinates"));
        else {
                if (!json_item_is(parts, JSON_ITEM_ARRAY))
                        return -EBADMSG;
                r = put(m, (uint32_t) parts->n_children);
                for (const JsonItem *part = parts->first; r == 0 && part; part = part->next)
                        r = geometry(m, part, 0);
        }
        m->depth--;
        return r;
}

/* Whether positions have Z is known behind them: each header of the whole gets the mark then. Gives where the geometry ends. */
static char *headers_mark(char *p) {
        uint32_t number, n;

        memcpy(&number, p + 1, sizeof(number));
        number = le32toh(number);
        n = htole32(number | EWKB_Z);
        memcpy(p + 1, &n, sizeof(n));
        p += number & EWKB_SRID ? 9 : 5;
        number &= ~EWKB_SRID;
        if (number == GEOMETRY_POINT)
                return p + 24;
        memcpy(&n, p, sizeof(n));
        p += 4;
        if (number == GEOMETRY_LINE_STRING)
                return p + (size_t) le32toh(n) * 24;
        for (n = le32toh(n); n > 0; n--) {
                uint32_t points;

                if (number != GEOMETRY_POLYGON) {
                        p = headers_mark(p);
                        continue;
                }
                memcpy(&points, p, sizeof(points));
                p += 4 + (size_t) le32toh(points) * 24;
        }
        return p;
}

int geojson_geometry(const JsonItem *item, uint32_t srid, TextBuffer *wkb) {
        Make m = {.wkb = wkb};
        Geometry g;
        int r;

        text_buffer_reset(wkb);
        r = geometry(&m, item, srid);
        if (r < 0)
                return r;
        if (m.n_dimensions == 3)
                (void) headers_mark(wkb->bytes);
        return geometry_check(wkb->bytes, wkb->size, &g);
}

uint32_t geojson_srid(const JsonItem *crs) {
        const char *name = json_item_text(json_item_at(crs, "/properties/name")), *code;
        int64_t number;

        if (!name)
                return 0;
        if (strstr(name, "CRS84"))
                return WGS84;
        code = strrchr(name, ':');
        if (!code || (!strstr(name, "EPSG") && !strstr(name, "ESRI")) || text_to_int64(code + 1, 1, 999999, &number) < 0)
                return 0;
        return (uint32_t) number;
}
