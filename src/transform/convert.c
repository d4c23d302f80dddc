/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/convert.h"

#include "basic/text.h"
#include "transform/cast.h"
#include "transform/geometry-valid.h"
#include "transform/project.h"

/* Of a value in a message; the whole of it is at the source. */
#define MESSAGE_VALUE_BYTES_MAX 200

static bool is_blank(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static Value text_trim(Value text) {
        while (text.size > 0 && is_blank(text.bytes[text.size - 1]))
                text.size--;
        while (text.size > 0 && is_blank(*text.bytes)) {
                text.bytes++;
                text.size--;
        }
        return text;
}

static bool text_is_among(const char *bytes, size_t size, char *const *texts) {
        for (; *texts; texts++)
                if (strlen(*texts) == size && memcmp(*texts, bytes, size) == 0)
                        return true;
        return false;
}

/* 1, 0, or -ENOMEM. */
static int means_null(const Value *value, char *const *null_values, Arena *arena) {
        const char *text;

        if (value->type == VALUE_TEXT)
                return text_is_among(value->bytes, value->size, null_values);
        if (value_type_has_bytes(value->type))
                return false;
        /* A column of numbers may say 0 or -1 for nothing. */
        text = value_to_text(value, arena, MESSAGE_VALUE_BYTES_MAX);
        return text ? text_is_among(text, strlen(text), null_values) : -ENOMEM;
}

int convert_prepare(const Value *value, const MappingField *field, Arena *arena, Value *ret) {
        Value prepared = *value;
        int r;

        if (field->trim && prepared.type == VALUE_TEXT)
                prepared = text_trim(prepared);
        if (field->null_values && !value_is_null(&prepared)) {
                r = means_null(&prepared, field->null_values, arena);
                if (r < 0)
                        return r;
                if (r > 0)
                        prepared = value_null();
        }
        *ret = prepared;
        return 0;
}

static const char *type_name(const MappingField *field, Arena *arena) {
        if (field->type == VALUE_DECIMAL && field->precision > 0)
                return arena_printf(arena, "decimal(%u,%u)", field->precision, field->scale);
        return field->type == VALUE_ABSENT ? "text" : value_type_to_string(field->type);
}

static const char *form_of_time(const MappingField *field, Arena *arena) {
        const char *form = arena_printf(arena, "a %s of the form %s", value_type_to_string(field->type),
                                        field->format);

        for (char *const *more = field->more_formats; form && more && *more; more++)
                form = arena_printf(arena, "%s or %s", form, *more);
        return form;
}

/* What a text of the type looks like, for the sentence "… is not …". */
static const char *form_of(const MappingField *field, Arena *arena) {
        if (field->format &&
            (field->type == VALUE_DATE || field->type == VALUE_TIMESTAMP || field->type == VALUE_TIME))
                return form_of_time(field, arena);
        switch (field->type) {
        case VALUE_INTEGER: return "a whole number";
        case VALUE_DECIMAL: return "a number";
        case VALUE_BOOLEAN: return "a boolean (0, 1, true, false, t, f, yes, no, y, n)";
        case VALUE_DATE: return "a date (YYYY-MM-DD)";
        case VALUE_TIME: return "a time of day (hh:mm:ss)";
        case VALUE_TIMESTAMP: return "a timestamp (YYYY-MM-DDThh:mm:ss)";
        case VALUE_UUID: return "a uuid";
        case VALUE_JSON: return "valid JSON";
        case VALUE_BYTES: return "an even number of hexadecimal digits";
        default: return arena_printf(arena, "of type %s", type_name(field, arena));
        }
}

/* The end of the sentence "Field 'x': VALUE …". */
static const char *fault_text(CastFault fault, const Value *value, const MappingField *field, Arena *arena) {
        switch (fault) {
        case CAST_KIND:
                return arena_printf(arena, "is of type %s and cannot become %s",
                                    value_type_to_string(value->type), type_name(field, arena));
        case CAST_FORM: return arena_printf(arena, "is not %s", form_of(field, arena));
        case CAST_FRACTION:
                return arena_printf(arena, "has more digits after the point than %s holds",
                                    type_name(field, arena));
        case CAST_DIGITS:
                return field->type == VALUE_INTEGER ? "is out of the range of integers "
                                                      "(-9223372036854775808 to 9223372036854775807)"
                                                    : arena_printf(arena, "has more digits than %s holds",
                                                                   type_name(field, arena));
        case CAST_TIME_OF_DAY: return "has a time of day or a time zone that a date cannot hold";
        case CAST_MICROSECONDS:
                return arena_printf(arena, "is finer than microseconds or out of the range that a %s holds",
                                    type_name(field, arena));
        case CAST_ENCODING: return "is not valid UTF-8";
        case CAST_NUL: return "holds a NUL character";
        case CAST_WKB: return "is not a whole geometry in WKB or EWKB";
        case CAST_SRID:
                return arena_printf(arena, "is a geometry of another reference system than %s:%u",
                                    field->srid <= SRID_EPSG_MAX ? "EPSG" : "ESRI", field->srid);
        case CAST_GEOMETRY_KIND:
                return arena_printf(arena, "is a geometry of another kind than %s",
                                    geometry_kind_to_string(field->geometry.kind));
        case CAST_PARTS:
                return arena_printf(arena, "has several parts, and a %s holds one",
                                    geometry_kind_to_string(field->geometry.kind));
        case CAST_DIMENSIONS: return "has other dimensions (Z, M) than the field's kind";
        case CAST_CURVE: return "has arcs, which straight lines only approximate";
        default: return "cannot be converted";
        }
}

static const char *fault_remedy(CastFault fault, const MappingField *field) {
        switch (fault) {
        case CAST_KIND: return "Change the field's type in the mapping, or map another column.";
        case CAST_FORM:
                return field->type == VALUE_DATE || field->type == VALUE_TIMESTAMP ||
                                       field->type == VALUE_TIME
                               ? "Correct the value at the source, give the field a format, or list the "
                                 "value in null_values."
                               : "Correct the value at the source, or list it in the field's null_values.";
        case CAST_FRACTION:
                return "Correct the value at the source, give the field's type more digits after the point, "
                       "or allow the loss with accept: rounds or accept: truncates.";
        case CAST_DIGITS:
                return "Correct the value at the source, or give the field a type with more digits.";
        case CAST_TIME_OF_DAY:
                return "Make the field a timestamp, or allow the loss with accept: truncates.";
        case CAST_MICROSECONDS:
                return "Correct the value at the source, or allow the loss of digits with accept: rounds or "
                       "accept: truncates.";
        case CAST_ENCODING:
                return "Correct the value at the source, give its system the right encoding, or make the "
                       "field's type bytes.";
        case CAST_NUL: return "Remove the NUL character at the source, or make the field's type bytes.";
        case CAST_WKB:
                return "Let the source give the geometry as WKB (for example with ST_AsBinary), or correct "
                       "the value there.";
        case CAST_SRID: return "Correct the field's srid, or transform the geometry at the source.";
        case CAST_GEOMETRY_KIND: return "Correct the field's kind, or the geometry at the source.";
        case CAST_PARTS:
                return "Let the target hold the multi kind and say so (kind: multipolygon), or split the record at "
                       "the source.";
        case CAST_DIMENSIONS:
                return "Name them (kind: \"multipolygon z\"), or let Z and M be dropped with accept: truncates.";
        case CAST_CURVE:
                return "Let the target hold curves and say so (kind: curvepolygon), or let them be straightened with "
                       "accept: rounds.";
        default: return NULL;
        }
}

/* why: what the library said, or NULL. */
static int fault_report(CastFault fault, const Value *value, const MappingField *field, const char *why,
                        Arena *arena, Finding **findings) {
        const char *text, *reason, *message;

        /* Text that is no UTF-8 cannot stand in a message either; its bytes can. */
        if (value->type == VALUE_TEXT &&
            (fault == CAST_ENCODING || !text_is_utf8(value->bytes, value->size))) {
                const Value bytes = { .type = VALUE_BYTES, .bytes = value->bytes, .size = value->size };

                text = value_to_text(&bytes, arena, MESSAGE_VALUE_BYTES_MAX);
        } else
                text = value_to_text(value, arena, MESSAGE_VALUE_BYTES_MAX);
        reason = fault_text(fault, value, field, arena);
        if (!text || !reason)
                return -ENOMEM;
        message = arena_printf(arena,
                               value->type == VALUE_TEXT ? "Field '%s': '%s' %s%s%s." : "Field '%s': %s %s%s%s.",
                               field->name, text, reason, why ? ": " : "", why ? why : "");
        if (!message)
                return -ENOMEM;
        return finding_add(findings, arena, FINDING_ERROR, "type", field->name, text, message,
                           fault_remedy(fault, field));
}

/* What is wrong with its rings, at the place where the source has it. */
static int rings_report(const Value *value, const Value *geometry, const MappingField *field, Arena *arena,
                        Finding **findings) {
        RingFault fault;
        RingPlace place;
        const char *message, *text;
        int r;

        /* The source's own coordinates, where it gave them: what can be found there again. */
        if (value->type != VALUE_GEOMETRY)
                value = geometry;
        r = geometry_rings_check(value->bytes, value->size, &fault, &place);
        if (r < 0 || fault == RING_VALID)
                return r;
        message = arena_printf(arena, "Field '%s': ring %u of polygon %u %s, at %.15g %.15g.", field->name, place.ring,
                               place.polygon, ring_fault_text(fault), place.x, place.y);
        text = value_to_text(geometry, arena, MESSAGE_VALUE_BYTES_MAX);
        if (!message || !text)
                return -ENOMEM;
        return finding_add(findings, arena,
                           field->invalid == RINGS_HOLD && fault != RING_UNKNOWN && fault != RING_ORIENTATION
                                   ? FINDING_ERROR
                                   : FINDING_WARNING,
                           "ring", field->name, text, message,
                           "Mend the ring at the source (ST_MakeValid, or Repair Geometry in ArcGIS).");
}

/* Where the first max_length characters of a valid UTF-8 text end. */
static size_t text_cut(const char *bytes, size_t size, int64_t max_length) {
        size_t at = 0;

        for (int64_t n = 0; at < size; at++)
                if (((unsigned char) bytes[at] & 0xC0) != 0x80 && n++ == max_length)
                        break;
        return at;
}

/* By the field's formats in their order: the first that fits, as sources change how they write dates. */
static int cast_by_formats(const Value *value, CastShape *shape, char *const *more_formats, Arena *arena,
                           Value *ret) {
        int r;

        r = cast_value(value, shape, arena, ret);
        for (; (r == CAST_FORM || r == CAST_KIND) && more_formats && *more_formats; more_formats++) {
                shape->format = *more_formats;
                r = cast_value(value, shape, arena, ret);
        }
        return r;
}

int convert_prepared(const Value *value, const MappingField *field, Arena *arena, Value *ret,
                     Finding **findings) {
        CastShape shape = {
                .type = field->type,
                .precision = field->precision,
                .scale = field->scale,
                .srid = field->srid,
                .geometry = field->geometry,
                .accept = field->accept,
                .format = field->format,
        };
        const char *why = NULL;
        Value cast;
        int r;

        shape.ret_reason = &why;
        r = cast_by_formats(value, &shape, field->more_formats, arena, &cast);
        if (r < 0)
                return r;
        if (r != CAST_EXACT) {
                r = fault_report((CastFault) r, value, field, why, arena, findings);
                if (r < 0)
                        return r;
                cast = value_null();
        } else if (cast.type == VALUE_GEOMETRY && field->invalid != RINGS_IGNORE) {
                r = rings_report(value, &cast, field, arena, findings);
                if (r < 0)
                        return r;
        }
        if (field->accept == ACCEPT_TRUNCATES && field->max_length >= 0 && cast.type == VALUE_TEXT)
                cast.size = text_cut(cast.bytes, cast.size, field->max_length);
        *ret = cast;
        return 0;
}

int convert_value(const Value *value, const MappingField *field, Arena *arena, Value *ret,
                  Finding **findings) {
        Value prepared;
        int r;

        r = convert_prepare(value, field, arena, &prepared);
        if (r < 0)
                return r;
        return convert_prepared(&prepared, field, arena, ret, findings);
}

int convert_fetched_like(const Value *raw, const MappingField *field, const Value *like, Arena *arena, Value *ret) {
        bool has_type = field->type != VALUE_ABSENT || !like || value_is_null(like);
        const CastShape shape = { .type = has_type ? field->type : like->type,
                                  .precision = field->precision,
                                  .scale = field->scale,
                                  /* A layer may tell one part from many parts of one; never what it has lost. */
                                  .geometry.kind = field->geometry.kind,
                                  .geometry.has_z = field->geometry.has_z,
                                  .geometry.has_m = field->geometry.has_m };
        Value cast;
        int r;

        r = cast_value(raw, &shape, arena, &cast);
        if (r < 0)
                return r;
        *ret = r == CAST_EXACT ? cast : *raw;
        return 0;
}

int convert_fetched(const Value *raw, const MappingField *field, Arena *arena, Value *ret) {
        return convert_fetched_like(raw, field, NULL, arena, ret);
}
