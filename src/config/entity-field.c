/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "config/check.h"
#include "config/entity.h"

static const char *const rings[] = {"warn", "hold", "ignore", NULL};
static const char *const accepts[] = {"rounds", "truncates", NULL};

static const char *const compares[] = {"meaning", "exactly", NULL};

static const Field field_fields[] = {
        {"from", FIELD_TEXT, .summary = "a column of the source, or join.column"},
        {"value", FIELD_ANY, .summary = "a constant"},
        {"variable", FIELD_TEXT, .summary = "the name of one of the pair's variables"},
        {"type", FIELD_TEXT, .summary = "what the target holds"},
        {"kind", FIELD_TEXT, .summary = "of geometry: point, linestring, polygon, a multi… of them, with z or m: multipolygon z"},
        {"srid", FIELD_TEXT, .summary = "coordinate system of geometry: EPSG:2927 or ESRI:102748"},
        {"invalid", FIELD_TEXT, .choices = rings, .summary = "what a wrong ring of a geometry means"},
        {"format", FIELD_ANY,
         .summary = "how dates are written at the source: %m/%d/%Y; or a list, tried in its order; hex for bytes in text"},
        {"null_values", FIELD_TEXTS, .summary = "texts of the source that mean null"},
        {"lookup", FIELD_TEXT, .summary = "a code table beside the mapping file"},
        {"otherwise", FIELD_ANY, .summary = "for codes the table lacks: error, null, keep, or a text"},
        {"trim", FIELD_BOOLEAN, .summary = "whether spaces at both ends are dropped"},
        {"compare", FIELD_TEXT, .choices = compares,
         .summary = "meaning (the default): blanks at the end, CRLF and the case of uuids are no change; or exactly"},
        {"accept", FIELD_TEXT, .choices = accepts, .summary = "a loss that is allowed"},
        {"required", FIELD_BOOLEAN, .summary = "whether null is an error"},
        {"unique", FIELD_BOOLEAN, .summary = "whether two records may not have the same value"},
        {"minimum", FIELD_SCALAR},
        {"maximum", FIELD_SCALAR},
        {"min_length", FIELD_INTEGER},
        {"max_length", FIELD_INTEGER},
        {"pattern", FIELD_TEXT, .summary = "a regular expression that the whole text matches"},
        {"enum", FIELD_TEXTS, .summary = "the texts that are allowed"},
        {"expr", FIELD_ANY, .not_yet = true},
        {"owner", FIELD_ANY, .not_yet = true},
        {"conflicts", FIELD_ANY, .not_yet = true},
        {"confidential", FIELD_ANY, .not_yet = true},
        {"script", FIELD_ANY, .not_yet = true},
        {},
};

static const char *const types[] = {
        "text",      "integer", "decimal(14,2)", "boolean", "date",     "time",
        "timestamp", "uuid",    "json",          "bytes",   "geometry",
};

/* Type. */

static int decimal_type_parse(const char *text, MappingField *f) {
        _cleanup_free_ char *precision = NULL, *scale = NULL;
        const char *comma = strchr(text, ','), *end = strchr(text, ')');
        int64_t p, s;

        if (!comma || !end || end < comma || end[1])
                return -EINVAL;
        precision = strndup(text, (size_t) (comma - text));
        comma += 1 + (comma[1] == ' ');
        scale = strndup(comma, (size_t) (end - comma));
        if (text_to_int64(precision, 1, DECIMAL_DIGITS_MAX, &p) < 0 ||
            text_to_int64(scale, 0, DECIMAL_DIGITS_MAX, &s) < 0 || s > p)
                return -EINVAL;
        f->type = VALUE_DECIMAL;
        f->precision = (uint8_t) p;
        f->scale = (uint8_t) s;
        return 0;
}

static void type_read(Reading *reading, const json_t *node, MappingField *f) {
        const char *text = json_string_value(node);
        _cleanup_free_ char *remedy = NULL;

        if (!text || yaml_is_null(reading->document, node))
                return;
        if (text_starts_with(text, "decimal(")) {
                if (!strchr(text, ')'))
                        reading_mistake_value(reading, node, "Put it in quotes: type: \"decimal(14,2)\"",
                                              "The comma within {…} cuts the type off after \"%.100s\"",
                                              text);
                else if (decimal_type_parse(text + strlen("decimal("), f) < 0)
                        reading_mistake_value(
                                reading, node,
                                "Write decimal(digits,digits after the point), 38 digits at most",
                                "There is no type \"%.100s\"", text);
                return;
        }
        f->type = value_type_from_string(text);
        if (f->type != _VALUE_TYPE_INVALID)
                return;
        f->type = VALUE_ABSENT;
        remedy = check_suggestion(text, types, ELEMENTSOF(types));
        reading_mistake_value(reading, node, remedy, "There is no type \"%.100s\"", text);
}

/* EPSG numbers end below Esri's: a bare number is one of either. */
static int srid_parse(const char *text, uint32_t *ret) {
        int64_t least = 1, most = 999999, number;

        if (text_starts_with(text, "EPSG:"))
                most = 32767;
        else if (text_starts_with(text, "ESRI:"))
                least = 32768;
        if (text_to_int64(least > 1 || most < 999999 ? text + 5 : text, least, most, &number) < 0)
                return -EINVAL;
        *ret = (uint32_t) number;
        return 0;
}

static bool geometry_member(Reading *reading, const json_t *node, const MappingField *f, const char *name) {
        if (!json_is_string(node) || yaml_is_null(reading->document, node))
                return false;
        if (f->type != VALUE_GEOMETRY)
                reading_mistake(reading, node, "Add type: geometry", "\"%s\" is for geometry only", name);
        return true;
}

static void srid_read(Reading *reading, const json_t *node, MappingField *f) {
        if (geometry_member(reading, node, f, "srid") && srid_parse(json_string_value(node), &f->srid) < 0)
                reading_mistake_value(reading, node,
                                      "Write a number of the EPSG registry or of Esri's, such as EPSG:2927 or ESRI:102748",
                                      "\"srid\" cannot be \"%.100s\"", json_string_value(node));
}

/* "multipolygon", "multipolygon z", "point zm"; "geometry z": of any kind, with Z. */
static void geometry_kind_read(Reading *reading, const json_t *node, MappingField *f) {
        const char *text = json_string_value(node), *space;
        GeometryWish wish = {0};

        if (!geometry_member(reading, node, f, "kind"))
                return;
        space = strchrnul(text, ' ');
        wish.kind = geometry_kind_from_string(text, (size_t) (space - text));
        wish.has_z = text_equal(space, " z") || text_equal(space, " zm");
        wish.has_m = text_equal(space, " m") || text_equal(space, " zm");
        if (wish.kind == _GEOMETRY_KIND_INVALID || (*space && !wish.has_z && !wish.has_m))
                reading_mistake_value(reading, node,
                                      "Write point, linestring, polygon, multipoint, multilinestring, multipolygon, "
                                      "geometrycollection, or a kind with arcs (curvepolygon, multisurface), and z, m or zm behind it",
                                      "\"kind\" cannot be \"%.100s\"", text);
        else
                f->geometry = wish;
}

static void rings_read(Reading *reading, const json_t *node, MappingField *f) {
        if (geometry_member(reading, node, f, "invalid"))
                f->invalid = text_equal(json_string_value(node), "hold")     ? RINGS_HOLD
                             : text_equal(json_string_value(node), "ignore") ? RINGS_IGNORE
                                                                             : RINGS_WARN;
}

static int format_add(Reading *reading, const json_t *node, MappingField *f) {
        const char *text = json_string_value(node);

        bool counts = (f->type == VALUE_DATE || f->type == VALUE_TIMESTAMP) &&
                      (text_equal(text, "epoch") || text_equal(text, "epoch_ms") || text_equal(text, "julian"));

        if (!text || yaml_is_null(reading->document, node) || !(counts || timestamp_format_is_valid(text))) {
                reading_mistake_value(
                        reading, node,
                        "Use %Y %y %m %d %H %M %S %f %e %b %B %p %I %j and what stands between them",
                        "\"%.100s\" is no format of dates", text ? text : "This");
                return 0;
        }
        if (f->format)
                return strings_append(&f->more_formats, text);
        f->format = strdup(text);
        return f->format ? 0 : -ENOMEM;
}

static int format_bytes(Reading *reading, const json_t *node, MappingField *f) {
        const char *text = json_string_value(node);

        if (!text_equal(text, "hex")) {
                reading_mistake_value(reading, node, "Write hex, or leave format out: then the text's own bytes are meant",
                                      "\"%.100s\" is no format of bytes", text ? text : "This");
                return 0;
        }
        f->format = strdup(text);
        return f->format ? 0 : -ENOMEM;
}

/* One format, or several where the source changed how it writes dates. */
static int format_read(Reading *reading, const json_t *object, MappingField *f) {
        const json_t *node = json_object_get(object, "format"), *item;
        size_t i;
        int r;

        if (!node)
                return 0;
        if (f->type == VALUE_BYTES)
                return format_bytes(reading, node, f);
        if (f->type != VALUE_DATE && f->type != VALUE_TIME && f->type != VALUE_TIMESTAMP)
                reading_mistake(reading, node, "Add type: date, time or timestamp",
                                "\"format\" is for dates and times only");
        if (!json_is_array(node) || json_array_size(node) == 0)
                return format_add(reading, node, f);
        json_array_foreach((json_t *) node, i, item) {
                r = format_add(reading, item, f);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Constraints. */

static bool has_order(ValueType type) {
        return type == VALUE_ABSENT || type == VALUE_INTEGER || type == VALUE_DECIMAL ||
               type == VALUE_DATE || type == VALUE_TIMESTAMP;
}

/* A bound is of the field's type; whole bounds of decimals may be any number. */
static int bound_read(Reading *reading, const json_t *object, const char *name, const MappingField *f,
                      Value *ret) {
        const json_t *node = json_object_get(object, name);
        _cleanup_free_ char *bytes = NULL;
        Value value;
        int r;

        if (!json_is_string(node) || yaml_is_null(reading->document, node))
                return 0;
        if (!has_order(f->type)) {
                reading_mistake(reading, node, "Leave it out, or give the field a type of numbers or dates",
                                "\"%s\" has no meaning for the type %s", name,
                                value_type_to_string(f->type));
                return 0;
        }
        r = constant_read(reading->document, node, f->type == VALUE_INTEGER ? VALUE_DECIMAL : f->type,
                          &value, &bytes);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || value_type_has_bytes(value.type) || value.type == VALUE_BOOLEAN)
                reading_mistake_value(
                        reading, node,
                        f->type == VALUE_ABSENT ? "Write a number, or give the field a type" : NULL,
                        "\"%s\" cannot be \"%.100s\" for the type %s", name, json_string_value(node),
                        f->type == VALUE_ABSENT ? "integer or decimal" : value_type_to_string(f->type));
        else
                *ret = value;
        return 0;
}

static void length_read(Reading *reading, const json_t *object, const char *name, const MappingField *f,
                        int64_t *ret) {
        const json_t *node = json_object_get(object, name);
        const char *text = json_string_value(node);

        if (!text || !check_scalar(node, FIELD_INTEGER))
                return;
        if (f->type != VALUE_ABSENT && f->type != VALUE_TEXT)
                reading_mistake(reading, node, "Leave it out", "\"%s\" has no meaning for the type %s", name,
                                value_type_to_string(f->type));
        else if (text_to_int64(text, 0, INT64_MAX, ret) < 0)
                reading_mistake_value(reading, node, "Write a number of characters",
                                      "\"%s\" cannot be \"%.100s\"", name, text);
}

static int pattern_read(Reading *reading, const json_t *object, MappingField *f) {
        const json_t *node = json_object_get(object, "pattern");
        _cleanup_free_ char *message = NULL;
        int r;

        r = reading_text(object, "pattern", &f->pattern_text);
        if (r < 0 || !f->pattern_text)
                return r;
        if (f->type != VALUE_ABSENT && f->type != VALUE_TEXT)
                reading_mistake(reading, node, "Leave it out", "\"pattern\" has no meaning for the type %s",
                                value_type_to_string(f->type));
        r = pattern_new(f->pattern_text, &f->pattern, &message);
        if (r == -EINVAL)
                reading_mistake_value(reading, node, "Correct the regular expression",
                                      "The pattern cannot be used: %s", message ? message : "not valid");
        return r == -EINVAL ? 0 : r;
}

static int constraints_read(Reading *reading, const json_t *object, MappingField *f) {
        int r;

        f->required = text_equal(json_member_text(object, "required"), "true");
        f->unique = text_equal(json_member_text(object, "unique"), "true");
        r = bound_read(reading, object, "minimum", f, &f->minimum);
        if (r < 0)
                return r;
        r = bound_read(reading, object, "maximum", f, &f->maximum);
        if (r < 0)
                return r;
        length_read(reading, object, "min_length", f, &f->min_length);
        length_read(reading, object, "max_length", f, &f->max_length);
        if (f->max_length >= 0 && f->min_length > f->max_length)
                reading_mistake(reading, json_object_get(object, "min_length"), "Exchange them",
                                "\"min_length\" is above \"max_length\"");
        r = pattern_read(reading, object, f);
        return r < 0 ? r : reading_texts(object, "enum", &f->enumeration);
}

/* Where the value comes from. */

static int otherwise_read(Reading *reading, const json_t *object, MappingField *f) {
        const json_t *node = json_object_get(object, "otherwise");
        const char *text = json_string_value(node);

        if (!node)
                return 0;
        if (!f->lookup || !text) {
                if (!json_object_get(object, "lookup") || !text)
                        reading_mistake(reading, node,
                                        text ? "Add a lookup, or leave it out"
                                             : "Write error, null, keep, or a text",
                                        text ? "\"otherwise\" has no meaning without \"lookup\""
                                             : "\"otherwise\" wants a single value");
                return 0;
        }
        if (yaml_is_null(reading->document, node))
                f->lookup->otherwise = LOOKUP_NULL;
        else if (yaml_node(reading->document, node).plain && text_equal(text, "error"))
                f->lookup->otherwise = LOOKUP_ERROR;
        else if (yaml_node(reading->document, node).plain && text_equal(text, "keep"))
                f->lookup->otherwise = LOOKUP_KEEP;
        else {
                f->lookup->otherwise = LOOKUP_TEXT;
                f->lookup->otherwise_text = strdup(text);
                return f->lookup->otherwise_text ? 0 : -ENOMEM;
        }
        return 0;
}

static int lookup_member_read(Reading *reading, const json_t *object, MappingField *f) {
        const json_t *node = json_object_get(object, "lookup");
        int r;

        if (json_is_string(node) && !yaml_is_null(reading->document, node)) {
                r = lookup_read(reading, node, &f->lookup);
                if (r < 0 && r != -EINVAL)
                        return r;
        }
        return otherwise_read(reading, object, f);
}

static int value_read(Reading *reading, const json_t *node, MappingField *f) {
        bool is_told = f->type != VALUE_BYTES && f->type != VALUE_GEOMETRY;
        int r;

        r = constant_read(reading->document, node, is_told ? f->type : VALUE_TEXT, &f->constant,
                          &f->constant_bytes);
        if (r == -EINVAL) {
                reading_mistake_value(reading, node, "Write a single value of that type",
                                      "\"value\" of \"%.100s\" is not of the type %s", f->name,
                                      value_type_to_string(f->type));
                return 0;
        }
        return r;
}

static int variable_use(Reading *reading, const json_t *node, MappingField *f) {
        const Pair *pair = reading->pair;
        const char *name = json_string_value(node);
        const Variable *variable = name ? pair_variable(pair, name, strlen(name)) : NULL;
        _cleanup_free_ const char **names = NULL;
        _cleanup_free_ char *remedy = NULL;

        if (!name || yaml_is_null(reading->document, node))
                return 0;
        if (!variable) {
                names = calloc(pair->n_variables + 1, sizeof *names);
                for (size_t i = 0; names && i < pair->n_variables; i++)
                        names[i] = pair->variables[i].name;
                remedy = names ? check_suggestion(name, names, pair->n_variables) : NULL;
                reading_mistake_value(reading, node, remedy ? remedy : "Add it to variables",
                                      "There is no variable \"%.100s\"", name);
                return 0;
        }
        f->constant = variable->value;
        if (variable->bytes) {
                f->constant_bytes = strdup(variable->bytes);
                f->constant.bytes = f->constant_bytes;
                return f->constant_bytes ? 0 : -ENOMEM;
        }
        return 0;
}

static int column_use(Reading *reading, const json_t *node, Mapping *m, MappingField *f) {
        size_t index;
        int r;

        r = entity_column_read(reading, node, m, &index);
        if (r == 0)
                f->column = (ssize_t) index;
        return r == -EINVAL ? 0 : r;
}

static int origin_read(Reading *reading, const json_t *object, Mapping *m, MappingField *f) {
        const json_t *from = json_object_get(object, "from"), *value = json_object_get(object, "value");
        const json_t *variable = json_object_get(object, "variable");
        int n = !!from + !!value + !!variable;

        if (n == 0 && !json_object_get(object, "expr"))
                reading_mistake(reading, object,
                                "Add from: a column, value: a constant, or variable: a name",
                                "The field \"%.100s\" comes from nowhere", f->name);
        if (n > 1)
                reading_mistake(reading, object, "Keep one of from, value and variable",
                                "The field \"%.100s\" comes from %d places", f->name, n);
        if (f->lookup && !from)
                reading_mistake(reading, json_object_get(object, "lookup"),
                                "Write what it should be as value",
                                "\"lookup\" has no meaning without \"from\"");
        if (from)
                return json_is_string(from) ? column_use(reading, from, m, f) : 0;
        return value ? value_read(reading, value, f) : variable_use(reading, variable, f);
}

static int long_form_read(Reading *reading, const json_t *object, Mapping *m, MappingField *f) {
        const char *accept = json_member_text(object, "accept");
        _cleanup_free_ char *what = NULL;
        int r;

        if (asprintf(&what, "The field \"%.100s\"", f->name) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        check_object(reading->document, object, field_fields, what, ERROR_MAPPING, reading->mistakes);
        type_read(reading, json_object_get(object, "type"), f);
        srid_read(reading, json_object_get(object, "srid"), f);
        geometry_kind_read(reading, json_object_get(object, "kind"), f);
        rings_read(reading, json_object_get(object, "invalid"), f);
        f->trim = text_equal(json_member_text(object, "trim"), "true");
        f->compare_exactly = text_equal(json_member_text(object, "compare"), "exactly");
        f->accept = text_equal(accept, "rounds")      ? ACCEPT_ROUNDS
                    : text_equal(accept, "truncates") ? ACCEPT_TRUNCATES
                                                      : ACCEPT_NOTHING;
        r = format_read(reading, object, f);
        if (r < 0)
                return r;
        r = reading_texts(object, "null_values", &f->null_values);
        if (r < 0)
                return r;
        r = lookup_member_read(reading, object, f);
        if (r < 0)
                return r;
        r = constraints_read(reading, object, f);
        return r < 0 ? r : origin_read(reading, object, m, f);
}

int entity_field_read(Reading *reading, const char *name, const json_t *node, bool is_key, Mapping *m) {
        MappingField *fields = reallocarray(m->fields, m->n_fields + 1, sizeof *fields), *f;
        Mark place = yaml_place(reading->document, node);

        if (!fields)
                return -ENOMEM;
        m->fields = fields;
        if (!*name)
                reading_mistake(reading, node, "Write the name of the target's column",
                                "A field has no name");
        if (mapping_field_index(m, name) >= 0) {
                reading_mistake(reading, node, "Keep one of them",
                                "The field \"%.100s\" is part of the key already", name);
                return 0;
        }
        f = &fields[m->n_fields];
        *f = (MappingField){.is_key = is_key,
                            .column = -1,
                            .constant = VALUE_NONE,
                            .minimum = VALUE_NONE,
                            .maximum = VALUE_NONE,
                            .min_length = -1,
                            .max_length = -1,
                            .line = place.line,
                            .column_number = place.column};
        f->name = strdup(name);
        if (!f->name)
                return -ENOMEM;
        m->n_fields++;
        m->n_key += is_key;
        return json_is_object(node) ? long_form_read(reading, node, m, f) : column_use(reading, node, m, f);
}
