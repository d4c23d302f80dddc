/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/ogr-esri.h"

#include <endian.h>
#include <math.h>

#include "basic/text.h"
#include "connect/real.h"

typedef struct Ring {
        double *points; /* n of them, n_dimensions numbers each */
        size_t n;
        double area; /* twice, signed: clockwise is less than 0 */
        size_t shell; /* index of the shell it lies in; its own: it is one */
} Ring;

typedef struct Esri {
        TextBuffer *wkb;
        unsigned n_dimensions;
        uint32_t flags, srid;
} Esri;

static int put(Esri *e, uint32_t number) {
        number = htole32(number);
        return text_buffer_add(e->wkb, (const char *) &number, sizeof(number));
}

static int header(Esri *e, uint32_t kind, bool whole) {
        static const char little = 1;
        int r;

        r = text_buffer_add(e->wkb, &little, 1);
        if (r == 0)
                r = put(e, kind | e->flags | (whole && e->srid ? EWKB_SRID : 0));
        return r == 0 && whole && e->srid ? put(e, e->srid) : r;
}

static int put_points(Esri *e, const double *points, size_t n) {
        for (size_t i = 0; i < n * e->n_dimensions; i++) {
                uint64_t word;
                int r;

                memcpy(&word, points + i, sizeof(word));
                word = htole64(word);
                r = text_buffer_add(e->wkb, (const char *) &word, sizeof(word));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A number; null and "NaN" are an absent Z or M. */
static int number_of(const JsonItem *item, double *ret) {
        char text[64];

        *ret = NAN;
        if (!item || item->kind == JSON_ITEM_NULL || (item->kind == JSON_ITEM_TEXT && text_equal(item->text, "NaN")))
                return 0;
        if (item->kind != JSON_ITEM_NUMBER || item->size >= sizeof(text))
                return -EBADMSG;
        memcpy(text, item->text, item->size);
        text[item->size] = '\0';
        *ret = strtod(text, NULL);
        return isfinite(*ret) ? 0 : -EBADMSG;
}

static int point_of(const Esri *e, const JsonItem *item, double *ret) {
        const JsonItem *child = json_item_is(item, JSON_ITEM_ARRAY) ? item->first : NULL;
        int r = child ? 0 : -EBADMSG;

        for (unsigned i = 0; r == 0 && i < e->n_dimensions; i++, child = child ? child->next : NULL) {
                if (!child && i < 2)
                        return -EBADMSG;
                r = number_of(child, ret + i);
        }
        return r == 0 && (isnan(ret[0]) || isnan(ret[1])) ? -EBADMSG : r;
}

static int points_of(const Esri *e, const JsonItem *item, Ring *ret) {
        size_t n = 0;
        int r = 0;

        if (!json_item_is(item, JSON_ITEM_ARRAY))
                return -EBADMSG;
        ret->points = calloc(item->n_children + 1, e->n_dimensions * sizeof(double));
        if (!ret->points)
                return -ENOMEM;
        for (const JsonItem *child = item->first; r == 0 && child; child = child->next, n++)
                r = point_of(e, child, ret->points + n * e->n_dimensions);
        ret->n = n;
        return r;
}

static double area_of(const Ring *ring, unsigned stride) {
        const double *p = ring->points;
        double area = 0;

        for (size_t i = 0; i + 1 < ring->n; i++)
                area += (p[i * stride] - p[0]) * (p[(i + 1) * stride + 1] - p[1]) - (p[(i + 1) * stride] - p[0]) * (p[i * stride + 1] - p[1]);
        return area;
}

static bool contains(const Ring *ring, unsigned stride, const double *at) {
        bool inside = false;

        for (size_t i = 0; i + 1 < ring->n; i++) {
                const double *a = ring->points + i * stride, *b = a + stride;

                if ((a[1] > at[1]) != (b[1] > at[1]) && at[0] < (b[0] - a[0]) * (at[1] - a[1]) / (b[1] - a[1]) + a[0])
                        inside = !inside;
        }
        return inside;
}

/* The smallest shell around a hole's first point. */
static void shells_find(Ring *rings, size_t n, unsigned stride) {
        for (size_t i = 0; i < n; i++) {
                rings[i].shell = i;
                for (size_t j = 0; j < n && rings[i].area > 0 && rings[i].n > 0; j++)
                        if (rings[j].area <= 0 && contains(rings + j, stride, rings[i].points) &&
                            (rings[i].shell == i || rings[j].area > rings[rings[i].shell].area))
                                rings[i].shell = j;
        }
}

static int polygon_put(Esri *e, const Ring *rings, size_t n, size_t shell, bool whole) {
        uint32_t n_rings = 0;
        int r;

        for (size_t i = 0; i < n; i++)
                n_rings += rings[i].shell == shell;
        r = header(e, GEOMETRY_POLYGON, whole);
        if (r == 0)
                r = put(e, n_rings);
        for (size_t turn = 0; turn < 2; turn++) /* the shell first */
                for (size_t i = 0; r == 0 && i < n; i++)
                        if (rings[i].shell == shell && (i == shell) == (turn == 0)) {
                                r = put(e, (uint32_t) rings[i].n);
                                if (r == 0)
                                        r = put_points(e, rings[i].points, rings[i].n);
                        }
        return r;
}

static int rings_put(Esri *e, Ring *rings, size_t n) {
        size_t n_shells = 0;
        int r = 0;

        for (size_t i = 0; i < n; i++)
                rings[i].area = area_of(rings + i, e->n_dimensions);
        shells_find(rings, n, e->n_dimensions);
        for (size_t i = 0; i < n; i++)
                n_shells += rings[i].shell == i;
        if (n_shells != 1) {
                r = header(e, GEOMETRY_MULTI_POLYGON, true);
                if (r == 0)
                        r = put(e, (uint32_t) n_shells);
        }
        for (size_t i = 0; r == 0 && i < n; i++)
                if (rings[i].shell == i)
                        r = polygon_put(e, rings, n, i, n_shells == 1);
        return r;
}

static int paths_put(Esri *e, const Ring *paths, size_t n) {
        int r = 0;

        if (n != 1) {
                r = header(e, GEOMETRY_MULTI_LINE_STRING, true);
                if (r == 0)
                        r = put(e, (uint32_t) n);
        }
        for (size_t i = 0; r == 0 && i < n; i++) {
                r = header(e, GEOMETRY_LINE_STRING, n == 1);
                if (r == 0)
                        r = put(e, (uint32_t) paths[i].n);
                if (r == 0)
                        r = put_points(e, paths[i].points, paths[i].n);
        }
        return r;
}

static int parts_put(Esri *e, const JsonItem *list, int (*write)(Esri *, Ring *, size_t)) {
        Ring *parts = json_item_is(list, JSON_ITEM_ARRAY) ? calloc(list->n_children + 1, sizeof(*parts)) : NULL;
        size_t n = 0;
        int r = parts ? 0 : json_item_is(list, JSON_ITEM_ARRAY) ? -ENOMEM : -EBADMSG;

        for (const JsonItem *part = parts ? list->first : NULL; r == 0 && part; part = part->next)
                r = points_of(e, part, parts + n++);
        if (r == 0)
                r = write(e, parts, n);
        for (size_t i = 0; parts && i < n; i++)
                free(parts[i].points);
        free(parts);
        return r;
}

static int lines_write(Esri *e, Ring *paths, size_t n) { return paths_put(e, paths, n); }

static int points_put(Esri *e, const JsonItem *list) {
        double point[4];
        int r;

        if (!json_item_is(list, JSON_ITEM_ARRAY))
                return -EBADMSG;
        r = header(e, GEOMETRY_MULTI_POINT, true);
        if (r == 0)
                r = put(e, (uint32_t) list->n_children);
        for (const JsonItem *child = list->first; r == 0 && child; child = child->next) {
                r = header(e, GEOMETRY_POINT, false);
                if (r == 0)
                        r = point_of(e, child, point);
                if (r == 0)
                        r = put_points(e, point, 1);
        }
        return r;
}

static int point_put(Esri *e, const JsonItem *item) {
        static const char *const names[] = {"x", "y", "z", "m"};
        double point[4];
        unsigned n = 0;
        int r;

        for (unsigned i = 0; i < ELEMENTSOF(names); i++) {
                if ((i == 2 && !(e->flags & EWKB_Z)) || (i == 3 && !(e->flags & EWKB_M)))
                        continue;
                r = number_of(json_item_member(item, names[i]), point + n++);
                if (r < 0)
                        return r;
        }
        if (isnan(point[0]))
                return 1;
        r = header(e, GEOMETRY_POINT, true);
        return r == 0 ? put_points(e, point, 1) : r;
}

int esri_geometry(const JsonItem *item, uint32_t srid, bool has_z, bool has_m, TextBuffer *wkb) {
        Esri e = {.wkb = wkb, .n_dimensions = 2U + has_z + has_m, .srid = srid, .flags = (has_z ? EWKB_Z : 0) | (has_m ? EWKB_M : 0)};
        const JsonItem *list;

        text_buffer_reset(wkb);
        if (!item || item->kind == JSON_ITEM_NULL)
                return 1;
        if ((list = json_item_member(item, "rings")))
                return parts_put(&e, list, rings_put);
        if ((list = json_item_member(item, "paths")))
                return parts_put(&e, list, lines_write);
        if ((list = json_item_member(item, "points")))
                return points_put(&e, list);
        return json_item_member(item, "x") ? point_put(&e, item) : -EBADMSG;
}

/* ---- writing ---- */

typedef struct Walk {
        const char *p;
        TextBuffer *out;
        unsigned n_dimensions;
        bool has_z, has_m;
        bool any; /* a part stands before */
} Walk;

static uint32_t take(Walk *w) {
        uint32_t number;

        memcpy(&number, w->p, sizeof(number));
        w->p += sizeof(number);
        return le32toh(number);
}

static double take_double(const char *p) {
        uint64_t word;
        double number;

        memcpy(&word, p, sizeof(word));
        word = le64toh(word);
        memcpy(&number, &word, sizeof(number));
        return number;
}

static int real_put(TextBuffer *out, double number) {
        char text[REAL_TEXT_MAX], decimal[DECIMAL_TEXT_MAX];
        Value v;

        if (isnan(number))
                return text_buffer_add(out, "null", 4);
        value_from_real(number, text, &v);
        if (v.type != VALUE_DECIMAL)
                return text_buffer_add(out, v.bytes, v.size);
        return text_buffer_add(out, decimal, decimal_format(&v.decimal, decimal));
}

/* n points from w->p on, backwards where they shall go round the other way. */
static int line_put(Walk *w, uint32_t n, bool backward) {
        size_t size = w->n_dimensions * sizeof(double);
        int r;

        r = text_buffer_printf(w->out, "%s[", w->any ? "," : "");
        w->any = true;
        for (uint32_t i = 0; r == 0 && i < n; i++) {
                const char *point = w->p + (backward ? n - 1 - i : i) * size;

                r = text_buffer_printf(w->out, "%s[", i ? "," : "");
                for (unsigned k = 0; r == 0 && k < w->n_dimensions; k++) {
                        r = k ? text_buffer_add(w->out, ",", 1) : 0;
                        if (r == 0)
                                r = real_put(w->out, take_double(point + k * sizeof(double)));
                }
                if (r == 0)
                        r = text_buffer_add(w->out, "]", 1);
        }
        w->p += n * size;
        return r == 0 ? text_buffer_add(w->out, "]", 1) : r;
}

static bool is_clockwise(const Walk *w, uint32_t n) {
        size_t size = w->n_dimensions * sizeof(double);
        double x0 = take_double(w->p), y0 = take_double(w->p + 8), area = 0;

        for (uint32_t i = 0; i + 1 < n; i++) {
                const char *a = w->p + i * size, *b = a + size;

                area += (take_double(a) - x0) * (take_double(b + 8) - y0) - (take_double(b) - x0) * (take_double(a + 8) - y0);
        }
        return area < 0;
}

static int polygon_rings_put(Walk *w) {
        uint32_t n = take(w);
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < n; i++) {
                uint32_t n_points = take(w);

                r = line_put(w, n_points, n_points > 0 && is_clockwise(w, n_points) != (i == 0));
        }
        return r;
}

static uint32_t header_take(Walk *w) {
        Geometry g = {0};
        uint32_t number;

        w->p++;
        number = take(w);
        if (number & EWKB_SRID)
                (void) take(w);
        (void) geometry_kind_split(number, &g);
        w->has_z = g.has_z;
        w->has_m = g.has_m;
        w->n_dimensions = 2U + g.has_z + g.has_m;
        return g.kind;
}

static int part_put(Walk *w, uint32_t kind) {
        uint32_t n;

        if (kind == GEOMETRY_POLYGON)
                return polygon_rings_put(w);
        n = take(w);
        return line_put(w, n, false);
}

static int point_write(Walk *w) {
        int r;

        r = text_buffer_add(w->out, "\"x\":", 4);
        for (unsigned k = 0; r == 0 && k < w->n_dimensions; k++) {
                if (k > 0)
                        r = text_buffer_printf(w->out, ",\"%s\":", k == 1 ? "y" : k == 2 && w->has_z ? "z" : "m");
                if (r == 0)
                        r = real_put(w->out, take_double(w->p + k * sizeof(double)));
        }
        return r;
}

/* A multi point's parts are points, each with a header; they stand as bare positions. */
static int multi_point_put(Walk *w, uint32_t n) {
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < n; i++) {
                size_t begin;

                (void) header_take(w);
                begin = w->out->size;
                r = line_put(w, 1, false); /* "[[x,y]]": the outer brackets are not wanted */
                if (r == 0) {
                        size_t skip = w->out->bytes[begin] == ',' ? 1 : 0;

                        memmove(w->out->bytes + begin + skip, w->out->bytes + begin + skip + 1, w->out->size - begin - skip - 1);
                        w->out->size -= 2;
                }
        }
        return r;
}

int esri_geometry_put(const char *wkb, size_t size, TextBuffer *ret) {
        Walk w = {.p = wkb, .out = ret};
        uint32_t kind, n;
        Geometry g;
        int r;

        r = geometry_check(wkb, size, &g);
        if (r < 0 || !g.little_endian)
                return -EOPNOTSUPP;
        kind = header_take(&w);
        if (kind > GEOMETRY_MULTI_POLYGON)
                return -EOPNOTSUPP;
        r = text_buffer_printf(ret, "{%s%s", w.has_z ? "\"hasZ\":true," : "", w.has_m ? "\"hasM\":true," : "");
        if (r == 0 && kind == GEOMETRY_POINT)
                r = point_write(&w);
        else if (r == 0) {
                r = text_buffer_printf(ret, "\"%s\":[", kind == GEOMETRY_MULTI_POINT ? "points" : kind == GEOMETRY_POLYGON || kind == GEOMETRY_MULTI_POLYGON ? "rings" : "paths");
                if (r == 0 && (kind == GEOMETRY_LINE_STRING || kind == GEOMETRY_POLYGON))
                        r = part_put(&w, kind);
                else if (r == 0) {
                        n = take(&w);
                        if (kind == GEOMETRY_MULTI_POINT)
                                r = multi_point_put(&w, n);
                        for (; r == 0 && kind != GEOMETRY_MULTI_POINT && n > 0; n--)
                                r = part_put(&w, header_take(&w));
                }
                if (r == 0)
                        r = text_buffer_add(ret, "]", 1);
        }
        if (r == 0 && g.srid)
                r = text_buffer_printf(ret, ",\"spatialReference\":{\"wkid\":%u}", g.srid);
        return r == 0 ? text_buffer_add(ret, "}", 1) : r;
}
