/* SPDX-License-Identifier: Apache-2.0 */
#include "config/entity.h"
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "config/check.h"
#include "config/definition.h"
#include "model/system-kind.h"

static const char *const takes[] = {"first", NULL};

static const Field join_fields[] = {
        {"from", FIELD_TEXT, .required = true, .summary = "the table that is joined"},
        {"by", FIELD_OBJECT, .required = true,
         .summary = "its columns and what they equal: {prop_id: prop_id}"},
        {"order", FIELD_TEXTS, .summary = "columns, with - before it the greatest first"},
        {"take", FIELD_TEXT, .choices = takes, .summary = "first: one row only, the first by order"},
        {"optional", FIELD_BOOLEAN, .summary = "whether the row may be missing"},
        {"watermark", FIELD_TEXT, .summary = "its own column of last changes"},
        {},
};

static const Field detect_fields[] = {
        {"strategy", FIELD_TEXT,
         .summary = "full, watermark, digest, log, file or feed, as the source's kind has them"},
        {"column", FIELD_TEXT, .summary = "the column of last changes"},
        {"sweep", FIELD_TEXT,
         .summary = "how often everything is compared: hourly, daily, weekly or a duration"},
        {"allow_scan", FIELD_BOOLEAN, .summary = "whether a query may sort or scan a large table"},
        {"sweep_keys", FIELD_TEXT,
         .summary = "how often deletes are looked for by reading keys: always, hourly, daily, weekly or a duration"},
        {},
};

static const Field entity_fields[] = {
        {"aliases", FIELD_TEXTS, .summary = "other names of the entity"},
        {"from", FIELD_TEXT, .required = true, .summary = "the table or file that is read"},
        {"join", FIELD_OBJECT, .summary = "further tables of the source"},
        {"where", FIELD_TEXT, .summary = "a condition in the source's own SQL"},
        {"to", FIELD_TEXT, .summary = "the table that is written; the entity's name by default"},
        {"depends_on", FIELD_TEXTS, .summary = "entities that are written before"},
        {"key", FIELD_OBJECT, .required = true,
         .summary = "the target's fields that tell its records apart"},
        {"detect", FIELD_OBJECT, .members = detect_fields},
        {"deletes", FIELD_ANY, .summary = "mirror, ignore, or {mark: {field: value}}"},
        {"conflicts", FIELD_TEXT, .summary = "source"},
        {"fields", FIELD_OBJECT, .summary = "the target's fields and where they come from"},
        {"query", FIELD_ANY, .not_yet = true},
        {"confidential", FIELD_ANY, .not_yet = true},
        {"script", FIELD_ANY, .not_yet = true},
        {"rules", FIELD_ANY, .not_yet = true},
        {"write", FIELD_ANY, .not_yet = true},
        {"group", FIELD_ANY, .not_yet = true},
        {"corrections", FIELD_ANY, .not_yet = true},
        {"owner", FIELD_ANY, .not_yet = true},
        {"roll", FIELD_ANY, .not_yet = true},
        {"approval", FIELD_ANY, .not_yet = true},
        {},
};

static void not_yet(Reading *reading, const json_t *node, const char *remedy, const char *what,
                    const char *value) {
        mistake_add(reading->mistakes, ERROR_NOT_YET, yaml_file(reading->document),
                    yaml_node(reading->document, node).place, remedy, "\"%s: %.100s\" is not there yet",
                    what, value);
}

/* Joins. */

static bool join_is_known(const Mapping *m, const char *name, size_t size) {
        for (size_t i = 0; i < m->n_joins; i++)
                if (strlen(m->joins[i].name) == size && memcmp(m->joins[i].name, name, size) == 0)
                        return true;
        return false;
}

static char *join_suggestion(const Mapping *m, const char *name) {
        _cleanup_free_ const char **names = calloc(m->n_joins + 1, sizeof *names);

        for (size_t i = 0; names && i < m->n_joins; i++)
                names[i] = m->joins[i].name;
        return names ? check_suggestion(name, names, m->n_joins) : NULL;
}

/* Is what stands before a point a join? Tells the mistake where it is none. */
static bool column_is_valid(Reading *reading, const Mapping *m, const json_t *node, const char *text) {
        const char *point = strchr(text, '.');
        _cleanup_free_ char *name = NULL, *remedy = NULL;

        if (!*text || (point && (point == text || !point[1]))) {
                reading_mistake_value(reading, node, "Write a column, or join.column",
                                      "\"%s\" names no column", text);
                return false;
        }
        if (!point || join_is_known(m, text, (size_t) (point - text)))
                return true;
        name = strndup(text, (size_t) (point - text));
        remedy = name ? join_suggestion(m, name) : NULL;
        reading_mistake_value(reading, node, remedy ? remedy : "Add the join under join",
                              "There is no join \"%.100s\" before this", name ? name : text);
        return false;
}

int entity_column_read(Reading *reading, const json_t *node, Mapping *m, size_t *ret_index) {
        const char *text = json_string_value(node), *point;
        _cleanup_free_ char *join = NULL;
        Mark place = yaml_node(reading->document, node).place;

        if (!text || yaml_is_null(reading->document, node)) {
                reading_mistake(reading, node, "Write the column of the source", "A column is missing");
                return -EINVAL;
        }
        if (!column_is_valid(reading, m, node, text))
                return -EINVAL;
        point = strchr(text, '.');
        if (!point)
                return mapping_column_add(m, NULL, text, place.line, place.column, ret_index);
        join = strndup(text, (size_t) (point - text));
        return join ? mapping_column_add(m, join, point + 1, place.line, place.column, ret_index) : -ENOMEM;
}

static int join_by_read(Reading *reading, const json_t *by, const Mapping *m, MappingJoin *join) {
        const char *left;
        json_t *node;

        if (!json_is_object(by))
                return 0;
        if (json_object_size(by) == 0)
                reading_mistake(reading, by, "Write {column of the joined table: column}",
                                "\"by\" is empty");
        join->by = calloc(json_object_size(by) + 1, sizeof *join->by);
        if (!join->by)
                return -ENOMEM;
        json_object_foreach((json_t *) by, left, node) {
                const char *right = json_string_value(node);
                MappingPair *pair = &join->by[join->n_by];
                if (!right || yaml_is_null(reading->document, node)) {
                        reading_mistake(reading, node, "Write {column of the joined table: column}",
                                        "\"%.100s\" equals no column", left);
                        continue;
                }
                if (!column_is_valid(reading, m, node, right))
                        continue;
                join->n_by++;
                pair->left = strdup(left);
                pair->right = strdup(right);
                if (!pair->left || !pair->right)
                        return -ENOMEM;
        }
        return 0;
}

static int join_read(Reading *reading, const char *name, const json_t *node, Mapping *m) {
        MappingJoin *join = &m->joins[m->n_joins];
        _cleanup_free_ char *what = NULL;
        Mark place = yaml_place(reading->document, node);
        int r;

        if (asprintf(&what, "The join \"%.100s\"", name) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (!name_is_valid(name))
                reading_mistake(reading, node,
                                "Names begin with a lower-case letter and go on with a-z, 0-9, _ and -",
                                "A join cannot be named \"%.100s\"", name);
        check_object(reading->document, node, join_fields, what, ERROR_MAPPING, reading->mistakes);
        *join = (MappingJoin){.line = place.line, .column = place.column};
        /* Joined by those before it only: it is counted after its own columns are read. */
        r = join_by_read(reading, json_object_get(node, "by"), m, join);
        m->n_joins++;
        join->name = strdup(name);
        if (r < 0 || !join->name)
                return -ENOMEM;
        r = reading_text(node, "from", &join->from);
        if (r < 0)
                return r;
        r = reading_text(node, "watermark", &join->watermark);
        if (r < 0)
                return r;
        join->optional = text_equal(json_member_text(node, "optional"), "true");
        join->take_first = text_equal(json_member_text(node, "take"), "first");
        r = reading_texts(node, "order", &join->order);
        if (r < 0)
                return r;
        if (join->take_first && !join->order)
                reading_mistake(reading, json_object_get(node, "take"),
                                "Add order: which row is the first is chance without it",
                                "\"take: first\" wants an order");
        else if (join->order && !join->take_first)
                reading_mistake(reading, json_object_get(node, "order"),
                                "Add take: first, or leave the order out",
                                "\"order\" has no meaning without \"take: first\"");
        return 0;
}

static int joins_read(Reading *reading, const json_t *joins, Mapping *m) {
        const char *name;
        json_t *node;
        int r;

        if (!json_is_object(joins))
                return 0;
        m->joins = calloc(json_object_size(joins) + 1, sizeof *m->joins);
        if (!m->joins)
                return -ENOMEM;
        json_object_foreach((json_t *) joins, name, node) {
                r = join_read(reading, name, node, m);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* where: which variables does it name? */

static const char *quoted_end(const char *at) {
        char quote = *at == '[' ? ']' : *at;
        const char *end = strchr(at + 1, quote);

        return end ? end : at + strlen(at) - 1;
}

static void where_variable_check(Reading *reading, const json_t *node, const char *name, size_t size) {
        const Pair *pair = reading->pair;
        _cleanup_free_ const char **names = NULL;
        _cleanup_free_ char *remedy = NULL, *text = NULL;

        if (pair_variable(pair, name, size))
                return;
        names = calloc(pair->n_variables + 1, sizeof *names);
        text = strndup(name, size);
        for (size_t i = 0; names && i < pair->n_variables; i++)
                names[i] = pair->variables[i].name;
        remedy = names && text ? check_suggestion(text, names, pair->n_variables) : NULL;
        reading_mistake_value(reading, node, remedy ? remedy : "Add it to variables",
                              "There is no variable \"%.100s\"", text ? text : "");
}

static void where_check(Reading *reading, const json_t *node) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
        const char *text = json_string_value(node);

        for (const char *at = text; at && *at; at++) {
                size_t size;
                if (*at == '\'' || *at == '"' || *at == '[' || *at == '`')
                        at = quoted_end(at);
                else if (*at == ':' && at[1] == ':')
                        at++;
                else if (*at == ':' && (size = strspn(at + 1, letters)) > 0) {
                        where_variable_check(reading, node, at + 1, size);
                        at += size;
                }
        }
}

/* detect, deletes. */

static int sweep_parse(const char *text, uint64_t *ret_usec) {
        static const struct {
                const char *name;
                uint64_t hours;
        } names[] = {{"hourly", 1}, {"daily", 24}, {"weekly", 168}};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (text_equal(names[i].name, text)) {
                        *ret_usec = names[i].hours * 3600000000ULL;
                        return 0;
                }
        return text_to_duration(text, ret_usec);
}

/* The strategy that a mapping names has to be one of those that its source's kind has. */
static void strategy_check(Reading *reading, const json_t *node, const SystemKind *kind, DetectStrategy strategy) {
        _cleanup_free_ char *choices = NULL, *remedy = NULL;

        if (!kind || kind->strategies & DETECT_BIT(strategy))
                return;
        choices = detect_strategies_to_text(kind->strategies);
        if (!choices || asprintf(&remedy, "Use %s", choices) < 0)
                remedy = NULL;
        mistake_add(reading->mistakes, ERROR_NOT_YET, yaml_file(reading->document),
                    yaml_node(reading->document, node).place, remedy,
                    "A source of kind \"%s\" has no strategy \"%s\"", kind->name,
                    detect_strategy_to_string(strategy));
}

static void strategy_read(Reading *reading, const json_t *detect, Mapping *m) {
        const System *source = reading->pair->source ? settings_system(reading->settings, reading->pair->source) : NULL;
        const SystemKind *kind = source ? system_kind_find(source->kind) : NULL;
        const json_t *node = json_object_get(detect, "strategy");
        const char *text = json_string_value(node), *names[_DETECT_STRATEGY_MAX];
        _cleanup_free_ char *remedy = NULL;
        DetectStrategy strategy;

        m->strategy = kind ? kind->default_strategy : DETECT_FULL;
        if (!text)
                return;
        strategy = detect_strategy_from_string(text);
        if (strategy != _DETECT_STRATEGY_INVALID) {
                m->strategy = strategy;
                strategy_check(reading, node, kind, strategy);
                return;
        }
        for (int i = 0; i < _DETECT_STRATEGY_MAX; i++)
                names[i] = detect_strategy_to_string(i);
        remedy = check_suggestion(text, names, ELEMENTSOF(names));
        reading_mistake_value(reading, node, remedy, "\"strategy\" cannot be \"%.100s\"", text);
}

static void watermark_check(Reading *reading, const json_t *entity, const json_t *detect, const Mapping *m) {
        const json_t *joins = json_object_get(entity, "join");

        if (!m->watermark)
                reading_mistake(reading, detect, "Add column: the source's column of last changes",
                                "The strategy \"watermark\" wants a column");
        for (size_t i = 0; i < m->n_joins; i++)
                if (!m->joins[i].watermark && m->sweep_usec == 0)
                        reading_mistake(reading, json_object_get(joins, m->joins[i].name),
                                        "Add sweep: daily under detect, or a watermark to the join",
                                        "Changes in the joined table of \"%s\" would go unseen by the "
                                        "strategy \"watermark\"",
                                        m->joins[i].name);
}

static void sweep_keys_read(Reading *reading, const json_t *detect, Mapping *m) {
        const json_t *node = json_object_get(detect, "sweep_keys");
        const char *text = json_string_value(node);

        if (!text)
                return;
        m->sweeps_keys = true;
        if (!text_equal(text, "always") && sweep_parse(text, &m->sweep_keys_usec) < 0)
                reading_mistake_value(reading, node,
                                      "Write always, hourly, daily, weekly, or a duration such as 12h",
                                      "\"sweep_keys\" cannot be \"%.100s\"", text);
        else if (m->strategy != DETECT_WATERMARK && m->strategy != DETECT_FEED)
                reading_mistake(reading, node, "Leave it out",
                                "\"sweep_keys\" has no meaning with the strategy \"%s\", which finds deletes itself",
                                detect_strategy_to_string(m->strategy));
}

static int detect_read(Reading *reading, const json_t *entity, Mapping *m) {
        const json_t *detect = json_object_get(entity, "detect"), *sweep = json_object_get(detect, "sweep");
        const char *text = json_string_value(sweep);
        int r;

        strategy_read(reading, detect, m);
        m->allow_scan = text_equal(json_member_text(detect, "allow_scan"), "true");
        r = reading_text(detect, "column", &m->watermark);
        if (r < 0)
                return r;
        if (text && sweep_parse(text, &m->sweep_usec) < 0)
                reading_mistake_value(reading, sweep,
                                      "Write hourly, daily, weekly, or a duration such as 12h",
                                      "\"sweep\" cannot be \"%.100s\"", text);
        sweep_keys_read(reading, detect, m);
        if (m->strategy == DETECT_WATERMARK)
                watermark_check(reading, entity, detect, m);
        else if (m->watermark)
                reading_mistake(reading, json_object_get(detect, "column"),
                                "Add strategy: watermark, or leave the column out",
                                "\"column\" has no meaning with the strategy \"%s\"",
                                detect_strategy_to_string(m->strategy));
        return 0;
}

static char *field_suggestion(const Mapping *m, const char *name) {
        _cleanup_free_ const char **names = calloc(m->n_fields + 1, sizeof *names);

        for (size_t i = 0; names && i < m->n_fields; i++)
                names[i] = m->fields[i].name;
        return names ? check_suggestion(name, names, m->n_fields) : NULL;
}

static int mark_read(Reading *reading, const char *name, const json_t *node, Mapping *m) {
        ssize_t index = mapping_field_index(m, name);
        _cleanup_free_ char *remedy = NULL;
        int r;

        if (index < 0) {
                /* Else a record that comes back would keep its mark. */
                remedy = field_suggestion(m, name);
                reading_mistake(reading, node, remedy,
                                "What is marked has to be a field that living records fill too; there is no "
                                "\"%.100s\"",
                                name);
                return 0;
        }
        if (m->fields[index].is_key) {
                reading_mistake(reading, node, "Mark another field",
                                "The key's field \"%.100s\" cannot be marked", name);
                return 0;
        }
        r = constant_read(reading->document, node, m->fields[index].type, &m->mark_values[m->n_marks],
                          &m->mark_bytes[m->n_marks]);
        if (r == -EINVAL) {
                reading_mistake_value(reading, node, NULL, "The mark of \"%.100s\" is not of the type %s",
                                      name, value_type_to_string(m->fields[index].type));
                return 0;
        }
        if (r < 0)
                return r;
        m->mark_fields[m->n_marks++] = (size_t) index;
        return 0;
}

static int marks_read(Reading *reading, const json_t *marks, Mapping *m) {
        size_t n = json_object_size(marks);
        const char *name;
        json_t *node;
        int r;

        m->mark_fields = calloc(n + 1, sizeof *m->mark_fields);
        m->mark_values = calloc(n + 1, sizeof *m->mark_values);
        m->mark_bytes = calloc(n + 1, sizeof *m->mark_bytes);
        if (!m->mark_fields || !m->mark_values || !m->mark_bytes)
                return -ENOMEM;
        json_object_foreach((json_t *) marks, name, node) {
                r = mark_read(reading, name, node, m);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int deletes_read(Reading *reading, const json_t *node, Mapping *m) {
        const json_t *marks = json_object_get(node, "mark");
        const char *text = json_string_value(node);

        if (!node || text_equal(text, "mirror"))
                return 0;
        if (text_equal(text, "ignore"))
                m->deletes = DELETES_IGNORE;
        else if (json_is_object(marks) && json_object_size(marks) > 0 && json_object_size(node) == 1) {
                m->deletes = DELETES_MARK;
                return marks_read(reading, marks, m);
        } else
                reading_mistake_value(reading, node, "Write mirror, ignore, or {mark: {field: value}}",
                                      "\"deletes\" cannot be so");
        return 0;
}

/* The entity. */

static int fields_read(Reading *reading, const json_t *fields, bool is_key, Mapping *m) {
        const char *name;
        json_t *node;
        int r;

        if (!json_is_object(fields))
                return 0;
        if (is_key && json_object_size(fields) == 0)
                reading_mistake(reading, fields, "Name the fields that tell records apart",
                                "\"key\" is empty");
        if (m->n_fields + json_object_size(fields) > MAPPING_FIELDS_MAX) {
                reading_mistake(reading, fields, "Split the entity", "There are more than %u fields",
                                MAPPING_FIELDS_MAX);
                return 0;
        }
        json_object_foreach((json_t *) fields, name, node) {
                r = entity_field_read(reading, name, node, is_key, m);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int entity_texts_read(Reading *reading, const char *name, const json_t *node, Mapping *m) {
        Mark place = yaml_place(reading->document, node);
        int r;

        m->line = place.line;
        m->column = place.column;
        m->entity = strdup(name);
        m->to = strdup(name);
        if (!m->entity || !m->to)
                return -ENOMEM;
        r = reading_text(node, "to", &m->to);
        if (r < 0)
                return r;
        r = reading_text(node, "from", &m->from);
        if (r < 0)
                return r;
        r = reading_text(node, "where", &m->where);
        if (r < 0)
                return r;
        r = reading_texts(node, "aliases", &m->aliases);
        return r < 0 ? r : reading_texts(node, "depends_on", &m->depends_on);
}

static void conflicts_check(Reading *reading, const json_t *node) {
        const char *text = json_string_value(node);

        if (text && !text_equal(text, "source"))
                not_yet(reading, node, "Write source, or leave it out for now", "conflicts", text);
}

int entity_read(Reading *reading, const char *name, const json_t *node, Mapping *m) {
        _cleanup_free_ char *what = NULL;
        int r;

        if (asprintf(&what, "The entity \"%.100s\"", name) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (!name_is_valid(name))
                reading_mistake(reading, node,
                                "Names begin with a lower-case letter and go on with a-z, 0-9, _ and -",
                                "An entity cannot be named \"%.100s\"", name);
        check_object(reading->document, node, entity_fields, what, ERROR_MAPPING, reading->mistakes);
        r = entity_texts_read(reading, name, node, m);
        if (r < 0)
                return r;
        where_check(reading, json_object_get(node, "where"));
        conflicts_check(reading, json_object_get(node, "conflicts"));
        r = joins_read(reading, json_object_get(node, "join"), m);
        if (r < 0)
                return r;
        r = fields_read(reading, json_object_get(node, "key"), true, m);
        if (r < 0)
                return r;
        r = fields_read(reading, json_object_get(node, "fields"), false, m);
        if (r < 0)
                return r;
        r = detect_read(reading, node, m);
        if (r < 0)
                return r;
        r = deletes_read(reading, json_object_get(node, "deletes"), m);
        return r < 0 ? r : definitions_set(reading, node, m);
}
