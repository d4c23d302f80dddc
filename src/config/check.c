/* SPDX-License-Identifier: Apache-2.0 */
#include "config/check.h"
#include "basic/text.h"

typedef struct Check {
        const YamlDocument *document;
        Mistakes *mistakes;
        ErrorId id;
} Check;

static const char *const booleans[] = {"true", "false", NULL};

char *check_suggestion(const char *name, const char *const *candidates, size_t n_candidates) {
        const char *nearest = text_nearest(name, candidates, n_candidates);
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *stream;

        if (n_candidates == 0)
                return NULL;
        stream = open_memstream(&text, &size);
        if (!stream)
                return NULL;
        if (nearest)
                (void) fprintf(stream, "Did you mean \"%s\"?", nearest);
        else
                for (size_t i = 0; i < n_candidates && i < 20; i++)
                        (void) fprintf(stream, "%s%s", i == 0 ? "Use one of " : ", ", candidates[i]);
        return fclose(stream) == 0 ? TAKE_PTR(text) : NULL;
}

static const Field *field_find(const Field *fields, const char *name) {
        for (; fields->type != FIELD_NONE; fields++)
                if (text_equal(fields->name, name))
                        return fields;
        return NULL;
}

static char *field_suggestion(const Field *fields, const char *name) {
        _cleanup_free_ const char **names = NULL;
        size_t n_fields = 0, n_names = 0;

        while (fields[n_fields].type != FIELD_NONE)
                n_fields++;
        names = calloc(n_fields + 1, sizeof *names);
        if (!names)
                return NULL;
        for (size_t i = 0; i < n_fields; i++)
                if (!fields[i].not_yet)
                        names[n_names++] = fields[i].name;
        return check_suggestion(name, names, n_names);
}

/* {type: decimal(14,2)} without quotes is type: "decimal(14" and a member "2)". Who reads the type says so;
 * the second half is no mistake of its own. */
static bool is_half_of_decimal(const json_t *object, const char *name) {
        const char *type = json_string_value(json_object_get(object, "type"));
        size_t size = strlen(name);

        return size > 0 && name[size - 1] == ')' && !strchr(name, '(') && type && strchr(type, '(') &&
               !strchr(type, ')');
}

bool check_scalar(const json_t *node, FieldType type) {
        const char *text = json_string_value(node);
        uint64_t amount;
        int64_t integer;

        if (!text)
                return false;
        switch (type) {
        case FIELD_NAME:
                return name_is_valid(text);
        case FIELD_INTEGER:
                return text_to_int64(text, INT64_MIN, INT64_MAX, &integer) == 0;
        case FIELD_BOOLEAN:
                return text_equal(text, "true") || text_equal(text, "false");
        case FIELD_DURATION:
                return text_to_duration(text, &amount) == 0;
        case FIELD_SIZE:
                return text_to_size(text, &amount) == 0;
        case FIELD_TEXT:
        case FIELD_SCALAR:
        case FIELD_ANY:
                return true;
        default:
                return false;
        }
}

static const char *shape_of(const json_t *node) {
        return json_is_object(node)  ? "members with names"
               : json_is_array(node) ? "a list"
                                     : "a single value";
}

static const char *remedy_of(const Field *field) {
        switch (field->type) {
        case FIELD_NAME:
                return "Names begin with a lower-case letter and go on with a-z, 0-9, _ and -, 63 "
                       "characters at most";
        case FIELD_BOOLEAN:
                return "Write true or false";
        case FIELD_DURATION:
                return "Write a number with one of us ms s min h d w y, such as 10min";
        case FIELD_SIZE:
                return "Write a number with one of K M G T, such as 512M";
        case FIELD_TEXTS:
                return "Write a list in brackets: [one, two]";
        default:
                return NULL;
        }
}

static void mistake_of_type(Check *check, const json_t *node, const Field *field) {
        const char *text = json_string_value(node), *remedy = remedy_of(field);
        Mark place = yaml_node(check->document, node).place;
        _cleanup_free_ char *example = NULL;

        if (field->type == FIELD_OBJECT && field->members && field->members[0].name &&
            asprintf(&example, "Write members, such as %s: {%s: …}", field->name, field->members[0].name) < 0)
                example = NULL;
        if (example)
                remedy = example;
        if (text)
                mistake_add(check->mistakes, check->id, yaml_file(check->document), place, remedy,
                            "\"%s\" wants %s, not \"%.100s\"", field->name,
                            field_type_to_string(field->type), text);
        else
                mistake_add(check->mistakes, check->id, yaml_file(check->document), place, remedy,
                            "\"%s\" wants %s, not %s", field->name, field_type_to_string(field->type),
                            shape_of(node));
}

static void check_choice(Check *check, const json_t *node, const Field *field, const char *const *choices) {
        const char *text = json_string_value(node);
        _cleanup_free_ char *remedy = NULL;
        size_t n_choices = 0;

        for (; choices[n_choices]; n_choices++)
                if (text_equal(choices[n_choices], text))
                        return;
        remedy = check_suggestion(text, choices, n_choices);
        mistake_add(check->mistakes, check->id, yaml_file(check->document),
                    yaml_node(check->document, node).place, remedy, "\"%s\" cannot be \"%.100s\"",
                    field->name, text);
}

static void check_members(Check *check, const json_t *object, const Field *fields, const char *what);

static void check_map(Check *check, const json_t *map, const Field *field) {
        const char *name;
        json_t *value;

        json_object_foreach((json_t *) map, name, value) {
                _cleanup_free_ char *what = NULL;
                if (asprintf(&what, "\"%s\" of \"%s\"", name, field->name) < 0) {
                        what = NULL;
                        continue;
                }
                if (json_is_object(value))
                        check_members(check, value, field->members, what);
                else
                        mistake_add(check->mistakes, check->id, yaml_file(check->document),
                                    yaml_place(check->document, value), "Write members: name, colon, value",
                                    "%s wants members with names, not %s", what,
                                    yaml_is_null(check->document, value) ? "nothing" : shape_of(value));
        }
}

static bool is_list_of_scalars(const json_t *node) {
        size_t i;
        json_t *item;

        json_array_foreach((json_t *) node, i, item) if (!json_is_string(item)) return false;
        return json_is_array(node);
}

static void check_value(Check *check, const json_t *node, const Field *field) {
        bool fits;

        switch (field->type) {
        case FIELD_TEXTS:
                fits = is_list_of_scalars(node);
                break;
        case FIELD_ARRAY:
                fits = json_is_array(node);
                break;
        case FIELD_OBJECT:
        case FIELD_MAP:
                fits = json_is_object(node);
                break;
        case FIELD_ANY:
                fits = true;
                break;
        default:
                fits = check_scalar(node, field->type);
        }
        if (!fits)
                mistake_of_type(check, node, field);
        else if (field->type == FIELD_BOOLEAN)
                check_choice(check, node, field, booleans);
        else if (field->choices && json_is_string(node))
                check_choice(check, node, field, field->choices);
        else if (field->type == FIELD_OBJECT && field->members)
                check_members(check, node, field->members, field->name);
        else if (field->type == FIELD_MAP && field->members)
                check_map(check, node, field);
}

static void check_member(Check *check, const json_t *object, const char *name, const json_t *node,
                         const Field *fields, const char *what) {
        const Field *field = field_find(fields, name);
        _cleanup_free_ char *remedy = NULL;
        Mark place = yaml_place(check->document, node);

        if (!field) {
                if (is_half_of_decimal(object, name))
                        return;
                remedy = field_suggestion(fields, name);
                mistake_add(check->mistakes, check->id, yaml_file(check->document), place, remedy,
                            "%s has no member \"%.100s\"", what, name);
        } else if (field->not_yet)
                mistake_add(check->mistakes, ERROR_NOT_YET, yaml_file(check->document), place,
                            "Leave it out for now", "\"%s\" is not there yet", name);
        else if (field->type != FIELD_ANY && yaml_is_null(check->document, node))
                mistake_add(check->mistakes, check->id, yaml_file(check->document), place,
                            "Write a value, or leave the member out", "\"%s\" has no value; it wants %s",
                            name, field_type_to_string(field->type));
        else
                check_value(check, node, field);
}

static void mistake_of_absence(Check *check, const json_t *object, const Field *field, const char *what) {
        _cleanup_free_ char *remedy = NULL;

        if (asprintf(&remedy, "Add %s: %s", field->name, field->summary ? field->summary : "") < 0)
                remedy = NULL;
        mistake_add(check->mistakes, check->id, yaml_file(check->document),
                    yaml_place(check->document, object), remedy, "%s lacks the member \"%s\"", what,
                    field->name);
}

static void check_members(Check *check, const json_t *object, const Field *fields, const char *what) {
        const char *name;
        json_t *node;

        json_object_foreach((json_t *) object, name, node)
                check_member(check, object, name, node, fields, what);
        for (const Field *field = fields; field->type != FIELD_NONE; field++)
                if (field->required && !json_object_get(object, field->name))
                        mistake_of_absence(check, object, field, what);
}

void check_object(const YamlDocument *d, const json_t *object, const Field *fields, const char *what,
                  ErrorId id, Mistakes *mistakes) {
        Check check = {d, mistakes, id};

        if (json_is_object(object))
                check_members(&check, object, fields, what);
        else
                mistake_add(mistakes, id, yaml_file(d), yaml_place(d, object),
                            "Write members: name, colon, value", "%s wants members with names, not %s", what,
                            yaml_is_null(d, object) ? "nothing" : shape_of(object));
}
