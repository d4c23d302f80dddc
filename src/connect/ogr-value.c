/* SPDX-License-Identifier: Apache-2.0 */
/* One value of a feature, both ways. What GDAL holds as a binary float is the shortest decimal that gives it back; what a field of
 * a layer cannot hold exactly is refused. */
#include "connect/ogr-database.h"

#include <endian.h>
#include <math.h>

#include "basic/timestamp.h"

#define TIMEZONE_UTC 100 /* of GDAL: 0 unknown, 1 local, 100 UTC, then quarters of an hour */

static uint32_t count_take(char **p) {
        uint32_t n;

        memcpy(&n, *p, sizeof(n));
        *p += sizeof(n);
        return le32toh(n);
}

/* GDAL's own bytes, little-endian and whole: the thousands of ISO become the flags of EWKB, in place, of the parts, too. Gives where it ends. */
static char *flags_put(char *wkb) {
        char *p = wkb + 1;
        Geometry g = {};
        uint32_t number, n;
        size_t vertex;

        (void) geometry_kind_split(count_take(&p), &g);
        number = htole32(g.kind | (g.has_z ? EWKB_Z : 0) | (g.has_m ? EWKB_M : 0));
        memcpy(wkb + 1, &number, sizeof(number));
        vertex = (2U + g.has_z + g.has_m) * sizeof(double);
        if (g.kind == GEOMETRY_POINT)
                return p + vertex;
        n = count_take(&p);
        if (g.kind == GEOMETRY_LINE_STRING || g.kind == GEOMETRY_CIRCULAR_STRING)
                return p + n * vertex;
        for (; n > 0; n--)
                if (g.kind == GEOMETRY_POLYGON || g.kind == GEOMETRY_TRIANGLE) {
                        uint32_t n_vertices = count_take(&p);

                        p += n_vertices * vertex;
                } else
                        p = flags_put(p);
        return p;
}

static int geometry_read(OGRFeatureH feature, uint32_t srid, OgrWkb *wkb, Value *ret) {
        OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
        bool measured;
        uint32_t type;
        size_t size;
        OGRErr e;

        if (!geometry) {
                *ret = value_null();
                return 0;
        }
        size = OGR_G_WkbSizeEx(geometry);
        if (array_grow(&wkb->bytes, &wkb->capacity, size + 4, 1) < 0)
                return -ENOMEM;
        measured = OGR_G_IsMeasured(geometry);
        /* Behind room for the SRID. The old form marks Z as EWKB does; only the new one knows M and arcs. */
        e = measured || OGR_G_HasCurveGeometry(geometry, FALSE)
                    ? OGR_G_ExportToIsoWkb(geometry, wkbNDR, (unsigned char *) wkb->bytes + 4)
                    : OGR_G_ExportToWkb(geometry, wkbNDR, (unsigned char *) wkb->bytes + 4);
        if (e != OGRERR_NONE)
                return -EBADMSG;
        (void) flags_put(wkb->bytes + 4);
        memcpy(&type, wkb->bytes + 5, sizeof(type));
        type = htole32(le32toh(type) | EWKB_SRID);
        wkb->bytes[0] = 1;
        memcpy(wkb->bytes + 1, &type, sizeof(type));
        type = htole32(srid);
        memcpy(wkb->bytes + 5, &type, sizeof(type));
        *ret = (Value){.type = VALUE_GEOMETRY, .bytes = wkb->bytes, .size = size + 4};
        return 0;
}

/* GDAL's seconds are a float of four bytes: thousandths are exact, and no format here has finer ones. */
static int time_read(OGRFeatureH feature, const OgrColumn *c, Value *ret) {
        int year, month, day, hour, minute, zone;
        float seconds;
        int32_t days;
        int64_t usec;

        if (!OGR_F_GetFieldAsDateTimeEx(feature, c->index, &year, &month, &day, &hour, &minute, &seconds, &zone)) {
                *ret = value_null();
                return 0;
        }
        usec = (hour * 3600LL + minute * 60LL) * USEC_PER_SEC + llround((double) seconds * 1000) * 1000;
        if (c->type == OFTTime) {
                *ret = (Value){.type = VALUE_TIME, .integer = usec};
                return 0;
        }
        if (days_from_civil(year, (unsigned) month, (unsigned) day, &days) < 0)
                return -EBADMSG;
        if (c->type == OFTDate) {
                *ret = (Value){.type = VALUE_DATE, .integer = days};
                return 0;
        }
        if (zone > 1)
                usec -= (zone - TIMEZONE_UTC) * 15LL * 60 * USEC_PER_SEC;
        *ret = (Value){.type = VALUE_TIMESTAMP, .integer = days * 86400LL * USEC_PER_SEC + usec};
        return 0;
}

static int field_read(OGRFeatureH feature, OgrColumn *c, Value *ret) {
        const char *text;
        int size;

        switch (c->type) {
        case OFTInteger:
        case OFTInteger64:
                *ret = value_integer(OGR_F_GetFieldAsInteger64(feature, c->index));
                if (c->subtype == OFSTBoolean)
                        ret->type = VALUE_BOOLEAN;
                return 0;
        case OFTReal:
                if (c->subtype == OFSTFloat32)
                        value_from_real4((float) OGR_F_GetFieldAsDouble(feature, c->index), c->text, ret);
                else
                        value_from_real(OGR_F_GetFieldAsDouble(feature, c->index), c->text, ret);
                return 0;
        case OFTDate:
        case OFTTime:
        case OFTDateTime:
                return time_read(feature, c, ret);
        case OFTBinary:
                text = (const char *) OGR_F_GetFieldAsBinary(feature, c->index, &size);
                *ret = (Value){.type = VALUE_BYTES, .bytes = text ? text : "", .size = text ? (size_t) size : 0};
                return 0;
        default:
                text = OGR_F_GetFieldAsString(feature, c->index);
                *ret = value_text(text, strlen(text));
                return 0;
        }
}

int ogr_value_read(OGRFeatureH feature, OgrColumn *c, uint32_t srid, OgrWkb *wkb, DbfFile *dbf, Value *ret) {
        int column;

        if (c->place == OGR_PLACE_FID) {
                *ret = value_integer(OGR_F_GetFID(feature));
                return 0;
        }
        if (c->place == OGR_PLACE_GEOMETRY)
                return geometry_read(feature, srid, wkb, ret);
        if (!OGR_F_IsFieldSetAndNotNull(feature, c->index)) {
                *ret = value_null();
                return 0;
        }
        if (dbf && (c->type == OFTReal || c->type == OFTInteger64)) {
                column = dbf_number_column(dbf, OGR_Fld_GetNameRef(OGR_F_GetFieldDefnRef(feature, c->index)));
                if (column >= 0)
                        return dbf_number_read(dbf, (uint64_t) OGR_F_GetFID(feature), column, ret);
        }
        return field_read(feature, c, ret);
}

/* ---- writing ---- */

static int refuse(const char *name, const char *why, const char *remedy, Error *error) {
        int r;

        r = error_set(error, ERROR_RECORD_REFUSED, remedy, "Column \"%s\": %s", name, why);
        (void) error_field(error, name);
        return r;
}

static bool type_holds(OGRwkbGeometryType layer, OGRwkbGeometryType geometry) {
        OGRwkbGeometryType flat = wkbFlatten(layer), part = wkbFlatten(geometry);

        return flat == wkbUnknown || flat == part || OGR_GT_IsSubClassOf(part, flat) ||
               (flat == wkbMultiSurface && part == wkbMultiPolygon) || (flat == wkbMultiCurve && part == wkbMultiLineString);
}

/* GDAL reads no SRID within WKB: it stands apart there. */
static OGRErr geometry_create(const Value *v, const Geometry *g, OGRGeometryH *ret) {
        _cleanup_free_ char *plain = NULL;
        uint32_t type;

        if (g->srid == 0 || v->bytes[0] != 1)
                return OGR_G_CreateFromWkb(v->bytes, NULL, ret, (int) v->size);
        plain = malloc(v->size);
        if (!plain)
                return OGRERR_NOT_ENOUGH_MEMORY;
        memcpy(&type, v->bytes + 1, sizeof(type));
        type = htole32(le32toh(type) & ~EWKB_SRID);
        plain[0] = 1;
        memcpy(plain + 1, &type, sizeof(type));
        memcpy(plain + 5, v->bytes + 9, v->size - 9);
        return OGR_G_CreateFromWkb(plain, NULL, ret, (int) v->size - 4);
}

static int geometry_write(OGRFeatureH feature, const OgrLayer *l, const char *name, const Value *v, Error *error) {
        OGRGeometryH geometry = NULL;
        OGRwkbGeometryType type;
        Geometry g;

        if (v->type != VALUE_GEOMETRY && v->type != VALUE_BYTES)
                return refuse(name, "the value is no geometry", "Give the field type: geometry", error);
        if (geometry_check(v->bytes, v->size, &g) < 0)
                return refuse(name, "the value is no whole geometry", "Correct it at the source", error);
        if (g.srid != 0 && g.srid != l->srid)
                return refuse(name, "the geometry has another coordinate system than the layer", "Give the field the layer's srid:", error);
        if (geometry_create(v, &g, &geometry) != OGRERR_NONE)
                return refuse(name, "GDAL cannot read the geometry", "Correct it at the source", error);
        type = OGR_G_GetGeometryType(geometry);
        if (!type_holds(l->geometry, type) || (wkbHasZ(type) && !wkbHasZ(l->geometry) && wkbFlatten(l->geometry) != wkbUnknown) ||
            (wkbHasM(type) && !wkbHasM(l->geometry) && wkbFlatten(l->geometry) != wkbUnknown)) {
                OGR_G_DestroyGeometry(geometry);
                return refuse(name, "the layer holds another kind of geometry", "Give the field the layer's kind:, such as kind: multipolygon", error);
        }
        (void) OGR_F_SetGeometryDirectly(feature, geometry);
        return 0;
}

/* A decimal goes into a binary float where the float gives it back. */
static int real_write(OGRFeatureH feature, const OgrColumn *c, const char *name, const Value *v, Error *error) {
        Decimal d = v->type == VALUE_DECIMAL ? v->decimal : decimal_from_integer(v->integer);
        char text[DECIMAL_TEXT_MAX], back_text[REAL_TEXT_MAX];
        double number;
        Value back;

        (void) decimal_format(&d, text);
        number = strtod(text, NULL);
        value_from_real(number, back_text, &back);
        if (back.type != VALUE_DECIMAL || decimal_compare(&back.decimal, &d) != 0)
                return refuse(name, "a binary float does not hold all digits of the number",
                              "Let the layer hold it as text, or round it in the mapping (accept: rounds)", error);
        OGR_F_SetFieldDouble(feature, c->index, number);
        return 0;
}

static int integer_write(OGRFeatureH feature, const OgrColumn *c, const char *name, const Value *v, Error *error) {
        int64_t number = v->integer;

        if (v->type == VALUE_DECIMAL && decimal_to_integer(&v->decimal, &number) < 0)
                return refuse(name, "the layer's column holds whole numbers", "Give the field type: integer, or the layer a REAL column", error);
        if ((c->type == OFTInteger && (number < INT32_MIN || number > INT32_MAX)) ||
            (c->subtype == OFSTInt16 && (number < INT16_MIN || number > INT16_MAX)) ||
            (c->subtype == OFSTBoolean && number != 0 && number != 1))
                return refuse(name, "the number is beyond what the layer's column holds", "Give the layer a wider column", error);
        OGR_F_SetFieldInteger64(feature, c->index, number);
        return 0;
}

static int time_write(OGRFeatureH feature, const OgrColumn *c, const char *name, const Value *v, Error *error) {
        int64_t day = 86400LL * USEC_PER_SEC, usec = v->integer, days = 0, second;
        unsigned month, date;
        int year;

        if (v->type == VALUE_DATE)
                days = usec, usec = 0;
        else {
                days = usec >= 0 ? usec / day : -((day - 1 - usec) / day);
                usec -= days * day;
        }
        if (usec % 1000 != 0)
                return refuse(name, "the layer holds no fractions finer than thousandths of a second", "Round it in the mapping", error);
        if (c->type == OFTDate && usec != 0)
                return refuse(name, "the layer's column is a date, and the value has a time of day", "Give the field type: date", error);
        civil_from_days((int32_t) days, &year, &month, &date);
        second = usec / USEC_PER_SEC;
        OGR_F_SetFieldDateTimeEx(feature, c->index, year, (int) month, (int) date, (int) (second / 3600), (int) (second / 60 % 60),
                                 (float) (second % 60) + (float) (usec % USEC_PER_SEC / 1000) / 1000.0F,
                                 v->type == VALUE_TIMESTAMP ? TIMEZONE_UTC : 0);
        return 0;
}

static int64_t n_characters(const char *bytes, size_t size) {
        int64_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += ((unsigned char) bytes[i] & 0xC0) != 0x80;
        return n;
}

static int text_write(OGRFeatureH feature, const OgrColumn *c, const char *name, const Value *v, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        const char *text;

        if (arena_new(&arena) < 0)
                return -ENOMEM;
        text = v->type == VALUE_TEXT || v->type == VALUE_JSON ? arena_printf(arena, "%.*s", (int) v->size, v->bytes)
                                                              : value_to_text(v, arena, 0);
        if (!text)
                return -ENOMEM;
        if ((v->type == VALUE_TEXT || v->type == VALUE_JSON) && strlen(text) != v->size)
                return refuse(name, "a text with a NUL character cannot be held", "Remove it at the source", error);
        if (c->width > 0 && n_characters(text, strlen(text)) > c->width)
                return refuse(name, "the text is longer than the layer's column", "Shorten it, or let accept: truncates and max_length: do so", error);
        OGR_F_SetFieldString(feature, c->index, text);
        return 0;
}

static bool is_number(const Value *v) {
        return v->type == VALUE_INTEGER || v->type == VALUE_DECIMAL || v->type == VALUE_BOOLEAN;
}

static bool is_time(const Value *v, OGRFieldType type) {
        return type == OFTTime ? v->type == VALUE_TIME : v->type == VALUE_DATE || v->type == VALUE_TIMESTAMP;
}

int ogr_value_write(OGRFeatureH feature, const OgrLayer *l, const OgrColumn *c, const char *name, const Value *v, Error *error) {
        const char *other = "the layer's column is of another type", *remedy = "Give the field the column's type";

        if (c->place == OGR_PLACE_FID) {
                if (v->type != VALUE_INTEGER)
                        return refuse(name, "a feature's number is a whole number", "Give the field type: integer", error);
                return OGR_F_SetFID(feature, v->integer) == OGRERR_NONE ? 0 : refuse(name, other, remedy, error);
        }
        if (value_is_null(v)) {
                if (c->place == OGR_PLACE_GEOMETRY)
                        (void) OGR_F_SetGeometryDirectly(feature, NULL);
                else
                        OGR_F_SetFieldNull(feature, c->index);
                return 0;
        }
        if (c->place == OGR_PLACE_GEOMETRY)
                return geometry_write(feature, l, name, v, error);
        switch (c->type) {
        case OFTInteger:
        case OFTInteger64:
                return is_number(v) ? integer_write(feature, c, name, v, error) : refuse(name, other, remedy, error);
        case OFTReal:
                return is_number(v) ? real_write(feature, c, name, v, error) : refuse(name, other, remedy, error);
        case OFTDate:
        case OFTTime:
        case OFTDateTime:
                return is_time(v, c->type) ? time_write(feature, c, name, v, error) : refuse(name, other, remedy, error);
        case OFTBinary:
                if (!value_type_has_bytes(v->type) || v->type == VALUE_TEXT)
                        return refuse(name, other, remedy, error);
                OGR_F_SetFieldBinary(feature, c->index, (int) v->size, v->bytes);
                return 0;
        default:
                return text_write(feature, c, name, v, error);
        }
}
