/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pair-file.h"
#include "basic/limits.h"
#include "basic/json.h"
#include "basic/text.h"
#include "config/calendar.h"
#include "config/check.h"
#include "config/entity.h"
#include "config/order.h"
#include <stdarg.h>

static const Field schedule_fields[] = {
        {"incremental", FIELD_TEXT, .summary = "when increments run, a systemd calendar expression"},
        {"full", FIELD_TEXT, .summary = "when full runs start, a systemd calendar expression"},
        {"continuous", FIELD_TEXT, .summary = "when the operation that follows the log starts, where it does not run"},
        {},
};

static const Field guard_fields[] = {
        {"max_deletes", FIELD_SCALAR, .summary = "a count or a percentage"},
        {"max_changes", FIELD_SCALAR, .summary = "a count or a percentage"},
        {"max_errors", FIELD_SCALAR, .summary = "a count or a percentage"},
        {},
};

static const char *const drift_policies[] = {"report", "stop", NULL};

static const Field drift_fields[] = {
        {"added", FIELD_TEXT, .choices = drift_policies, .summary = "a column appeared"},
        {"widened", FIELD_TEXT, .choices = drift_policies, .summary = "a column's type holds more"},
        {"narrowed", FIELD_TEXT, .choices = drift_policies, .summary = "a column's type holds less, or is another one"},
        {"removed", FIELD_TEXT, .choices = drift_policies, .summary = "a column is gone"},
        {},
};

static const Field slot_guard_fields[] = {
        {"warn", FIELD_TEXT, .summary = "a size such as 4G, from which on a warning is logged"},
        {"act", FIELD_TEXT, .summary = "a size such as 20G, from which on the slot is dropped, and everything compared by the next run"},
        {},
};

static const Field pair_fields[] = {
        {"pair", FIELD_NAME, .required = true, .summary = "the name by which the pair is run"},
        {"description", FIELD_TEXT, .summary = "one sentence for people"},
        {"aliases", FIELD_TEXTS, .summary = "other names of the pair"},
        {"source", FIELD_NAME, .required = true, .summary = "the system that is read"},
        {"target", FIELD_NAME, .required = true, .summary = "the system that is written"},
        {"variables", FIELD_OBJECT, .summary = "names and values for where, variable"},
        {"schedule", FIELD_OBJECT, .members = schedule_fields},
        {"depends_on", FIELD_TEXTS, .summary = "pairs that run before"},
        {"guards", FIELD_OBJECT, .members = guard_fields},
        {"slot_guard", FIELD_OBJECT, .members = slot_guard_fields},
        {"drift", FIELD_OBJECT, .members = drift_fields},
        {"entities", FIELD_OBJECT, .required = true,
         .summary = "what is read from where and written to where"},
        {"use", FIELD_ANY, .not_yet = true},
        {"transaction", FIELD_ANY, .not_yet = true},
        {"roll", FIELD_ANY, .not_yet = true},
        {"approval", FIELD_ANY, .not_yet = true},
        {"parallel", FIELD_ANY, .not_yet = true},
        {"rules", FIELD_ANY, .not_yet = true},
        {"write", FIELD_ANY, .not_yet = true},
        {"script", FIELD_ANY, .not_yet = true},
        {"conflicts", FIELD_ANY, .not_yet = true},
        {"confidential", FIELD_ANY, .not_yet = true},
        {},
};

/* What the readers of a file's parts call. */

static void reading_mistake_at(Reading *reading, Mark place, const char *remedy, const char *format,
                               va_list arguments) __attribute__((format(printf, 4, 0)));

static void reading_mistake_at(Reading *reading, Mark place, const char *remedy, const char *format,
                               va_list arguments) {
        _cleanup_free_ char *detail = NULL;

        if (vasprintf(&detail, format, arguments) < 0)
                detail = NULL;
        mistake_add(reading->mistakes, ERROR_MAPPING, yaml_file(reading->document), place, remedy, "%s",
                    detail ? detail : "Out of memory");
}

void reading_mistake(Reading *reading, const json_t *node, const char *remedy, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        reading_mistake_at(reading, yaml_place(reading->document, node), remedy, format, arguments);
        va_end(arguments);
}

void reading_mistake_value(Reading *reading, const json_t *node, const char *remedy, const char *format,
                           ...) {
        va_list arguments;

        va_start(arguments, format);
        reading_mistake_at(reading, yaml_node(reading->document, node).place, remedy, format, arguments);
        va_end(arguments);
}

int reading_text(const json_t *object, const char *name, char **ret) {
        const char *text = json_member_text(object, name);
        char *copy;

        if (!text)
                return 0;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

int reading_texts(const json_t *object, const char *name, char ***ret) {
        _cleanup_strings_ char **texts = NULL;
        size_t i;
        json_t *item;
        int r;

        json_array_foreach(json_object_get(object, name), i, item) {
                if (!json_is_string(item))
                        continue;
                r = strings_append(&texts, json_string_value(item));
                if (r < 0)
                        return r;
        }
        if (texts) {
                strings_free(*ret);
                *ret = TAKE_PTR(texts);
        }
        return 0;
}

int reading_hash(Reading *reading, const char *bytes, size_t size) {
        _cleanup_free_ char *encoded = NULL;
        DigestScratch scratch = {};
        Value text = value_text(bytes, size);
        int r;

        r = array_grow(&reading->hashed, &reading->hashed_capacity, reading->n_hashed + 1,
                       sizeof *reading->hashed);
        if (r < 0)
                return r;
        r = values_digest(&text, 1, 0, &scratch, &reading->hashed[reading->n_hashed]);
        encoded = scratch.bytes;
        if (r < 0)
                return r;
        reading->n_hashed++;
        return 0;
}

static int content_hash_set(Reading *reading) {
        _cleanup_free_ char *encoded = NULL;
        DigestScratch scratch = {};
        Value all = {.type = VALUE_BYTES,
                     .bytes = (const char *) reading->hashed,
                     .size = reading->n_hashed * sizeof *reading->hashed};
        Digest digest;
        int r;

        r = values_digest(&all, 1, 0, &scratch, &digest);
        encoded = scratch.bytes;
        if (r < 0)
                return r;
        reading->pair->content_hash = 0;
        for (size_t i = 0; i < 8; i++)
                reading->pair->content_hash = reading->pair->content_hash << 8 | digest.bytes[i];
        hex_encode(digest.bytes, DIGEST_SIZE, reading->pair->content_hash_text);
        return 0;
}

/* The parts of a pair. */

static const System *system_get(Reading *reading, const char *member) {
        const json_t *node = json_object_get(yaml_root(reading->document), member);
        const char *name = json_string_value(node);
        _cleanup_free_ const char **names = NULL;
        _cleanup_free_ char *remedy = NULL;
        const System *system;

        if (!name || !name_is_valid(name))
                return NULL;
        system = settings_system(reading->settings, name);
        if (system)
                return system;
        names = calloc(reading->settings->n_systems + 1, sizeof *names);
        for (size_t i = 0; names && i < reading->settings->n_systems; i++)
                names[i] = reading->settings->systems[i]->name;
        remedy = names ? check_suggestion(name, names, reading->settings->n_systems) : NULL;
        reading_mistake_value(reading, node, remedy ? remedy : "Add it to systems in terrafusion.yaml",
                              "There is no system \"%s\"", name);
        return NULL;
}

static void systems_check(Reading *reading) {
        const System *source = system_get(reading, "source"), *target = system_get(reading, "target");
        const json_t *node = json_object_get(yaml_root(reading->document), "target");
        _cleanup_free_ char *remedy = NULL;

        if (target && !target->may_write) {
                if (asprintf(&remedy, "Set access: write of \"%s\" in %s, line %u, if it may be written",
                             target->name, target->file, target->line) < 0)
                        remedy = NULL;
                reading_mistake_value(reading, node, remedy, "The target \"%s\" may only be read",
                                      target->name);
        } else if (target && source == target)
                reading_mistake_value(reading, node, "Name two systems",
                                      "Source and target are the same system");
        else if (target && source && !hours_overlap(&source->hours, &target->hours))
                reading_mistake_value(reading, node, "Widen the hours of one of them in terrafusion.yaml",
                                      "The hours of \"%s\" and \"%s\" have no minute in common, so the pair would never run",
                                      source->name, target->name);
}

static bool is_variable_name(const char *name) { return name_is_valid(name) && !strchr(name, '-'); }

static int variable_read(Reading *reading, const char *name, const json_t *node) {
        Pair *pair = reading->pair;
        Variable variable = {};
        Variable *variables;
        int r;

        if (!is_variable_name(name))
                reading_mistake(reading, node,
                                "Names begin with a lower-case letter and go on with a-z, 0-9 and _",
                                "A variable cannot be named \"%.100s\"", name);
        r = constant_read(reading->document, node, VALUE_ABSENT, &variable.value, &variable.bytes);
        if (r == -EINVAL || (r == 0 && variable.value.type == VALUE_NULL)) {
                reading_mistake_value(reading, node, "Write one number or text",
                                      "The variable \"%.100s\" has no value", name);
                return 0;
        }
        if (r < 0)
                return r;
        if (variable.value.type == VALUE_BOOLEAN) /* databases differ in what true is: bound as a number */
                variable.value.type = VALUE_INTEGER;
        variable.name = strdup(name);
        variables = reallocarray(pair->variables, pair->n_variables + 1, sizeof *variables);
        if (variables)
                pair->variables = variables;
        if (!variables || !variable.name) {
                free(variable.name);
                free(variable.bytes);
                return -ENOMEM;
        }
        pair->variables[pair->n_variables++] = variable;
        return 0;
}

static int variables_read(Reading *reading, const json_t *variables) {
        const char *name;
        json_t *node;
        int r;

        json_object_foreach((json_t *) variables, name, node) {
                r = variable_read(reading, name, node);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "100" or "2%" or "0.5%". */
static int guard_parse(const char *text, GuardLimit *ret) {
        size_t size = strlen(text);
        Decimal percent;
        int64_t amount;
        int r;

        if (size == 0 || text[size - 1] != '%') {
                r = text_to_int64(text, 0, INT64_MAX, &amount);
                if (r < 0)
                        return r;
                *ret = (GuardLimit){false, (uint64_t) amount};
                return 0;
        }
        r = decimal_parse(text, size - 1, &percent);
        if (r < 0)
                return r;
        r = decimal_rescale(&percent, 2, &percent);
        if (r < 0 || percent.coefficient < 0 || percent.coefficient > 10000)
                return -EINVAL;
        *ret = (GuardLimit){true, (uint64_t) percent.coefficient};
        return 0;
}

static void guard_read(Reading *reading, const json_t *guards, const char *name, GuardLimit *limit) {
        const json_t *node = json_object_get(guards, name);
        const char *text = json_string_value(node);

        if (text && !yaml_is_null(reading->document, node) && guard_parse(text, limit) < 0)
                reading_mistake_value(
                        reading, node,
                        "Write a count such as 100, or a percentage from 0% to 100% such as 2% or 0.5%",
                        "\"%s\" cannot be \"%.100s\"", name, text);
}

static void guards_read(Reading *reading, const json_t *guards) {
        Pair *pair = reading->pair;

        pair->max_deletes = (GuardLimit){true, 200};
        pair->max_changes = (GuardLimit){true, 1000};
        pair->max_errors = (GuardLimit){false, 100};
        guard_read(reading, guards, "max_deletes", &pair->max_deletes);
        guard_read(reading, guards, "max_changes", &pair->max_changes);
        guard_read(reading, guards, "max_errors", &pair->max_errors);
}

static void drift_read(const json_t *drift, Pair *pair) {
        pair->drift_stops[DRIFT_NARROWED] = pair->drift_stops[DRIFT_REMOVED] = true;
        for (int kind = 0; kind < _DRIFT_KIND_MAX; kind++) {
                const char *policy = json_member_text(drift, drift_kind_to_string((DriftKind) kind));

                if (policy)
                        pair->drift_stops[kind] = text_equal(policy, "stop");
        }
}

/* Entities. */

static int entities_read(Reading *reading, const json_t *entities) {
        Pair *pair = reading->pair;
        const char *name;
        json_t *node;
        int r;

        if (!json_is_object(entities))
                return 0;
        if (json_object_size(entities) == 0)
                reading_mistake(reading, entities, "Name at least one entity", "\"entities\" is empty");
        if (json_object_size(entities) > MAPPING_ENTITIES_MAX) {
                reading_mistake(reading, entities, "Split the pair", "There are more than %u entities",
                                MAPPING_ENTITIES_MAX);
                return 0;
        }
        pair->mappings = calloc(json_object_size(entities) + 1, sizeof *pair->mappings);
        if (!pair->mappings)
                return -ENOMEM;
        json_object_foreach((json_t *) entities, name, node) {
                r = entity_read(reading, name, node, &pair->mappings[pair->n_mappings++]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const json_t *depends_on_node(Reading *reading, const char *entity) {
        const json_t *entities = json_object_get(yaml_root(reading->document), "entities");

        return json_object_get(json_object_get(entities, entity), "depends_on");
}

static void depends_on_check(Reading *reading, const Mapping *m) {
        const Pair *pair = reading->pair;
        const char *names[MAPPING_ENTITIES_MAX];
        size_t n_names = 0;

        for (size_t i = 0; i < pair->n_mappings; i++)
                if (&pair->mappings[i] != m)
                        names[n_names++] = pair->mappings[i].entity;
        for (size_t i = 0; m->depends_on && m->depends_on[i]; i++) {
                _cleanup_free_ char *remedy = NULL;
                bool found = text_equal(m->depends_on[i], m->entity); /* a cycle of one: told as such */
                for (size_t j = 0; j < n_names; j++)
                        found = found || text_equal(m->depends_on[i], names[j]);
                if (found)
                        continue;
                remedy = check_suggestion(m->depends_on[i], names, n_names);
                reading_mistake_value(reading, json_array_get(depends_on_node(reading, m->entity), i),
                                      remedy, "There is no entity \"%.100s\" in this pair",
                                      m->depends_on[i]);
        }
}

static void aliases_check(Reading *reading, const Mapping *m) {
        const json_t *entities = json_object_get(yaml_root(reading->document), "entities");
        const json_t *node = json_object_get(json_object_get(entities, m->entity), "aliases");

        for (size_t i = 0; m->aliases && m->aliases[i]; i++)
                if (pair_mapping(reading->pair, m->aliases[i]) != m)
                        reading_mistake_value(reading, json_array_get(node, i), "Give it another alias",
                                              "The name \"%.100s\" belongs to another entity already",
                                              m->aliases[i]);
}

static int mappings_sort(Pair *pair, const size_t *order) {
        Mapping *sorted = calloc(pair->n_mappings + 1, sizeof *sorted);

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < pair->n_mappings; i++)
                sorted[i] = pair->mappings[order[i]];
        free(pair->mappings);
        pair->mappings = sorted;
        return 0;
}

static int entities_order(Reading *reading) {
        _cleanup_free_ OrderNode *nodes = NULL;
        _cleanup_free_ size_t *order = NULL;
        _cleanup_free_ char *cycle = NULL;
        Pair *pair = reading->pair;
        int r;

        nodes = calloc(pair->n_mappings + 1, sizeof *nodes);
        if (!nodes)
                return -ENOMEM;
        for (size_t i = 0; i < pair->n_mappings; i++) {
                nodes[i] = (OrderNode){pair->mappings[i].entity, pair->mappings[i].depends_on};
                depends_on_check(reading, &pair->mappings[i]);
                aliases_check(reading, &pair->mappings[i]);
        }
        r = order_sort(nodes, pair->n_mappings, &order, &cycle);
        if (r == -ELOOP) {
                _cleanup_free_ char *first = strndup(cycle, strcspn(cycle, " "));
                if (!first)
                        return -ENOMEM;
                reading_mistake(reading, depends_on_node(reading, first), "Remove one of these dependencies",
                                "Entities depend on each other in a circle: %s", cycle);
                return 0;
        }
        return r < 0 ? r : mappings_sort(pair, order);
}

/* A schedule that systemd would not take must not become a timer that is silently never due. */
static int schedule_read(Reading *reading, const json_t *schedule, const char *kind, char **ret) {
        const json_t *node = json_object_get(schedule, kind);
        const char *text = json_string_value(node);

        if (text && !calendar_is_valid(text))
                reading_mistake_value(reading, node,
                                      "Write a calendar expression such as \"*:0/15\" or \"Sun 02:00\"; "
                                      "`systemd-analyze calendar` explains one",
                                      "The schedule \"%.100s\" is none", text);
        return reading_text(schedule, kind, ret);
}

static int pair_read_texts(Reading *reading, const json_t *root) {
        const json_t *schedule = json_object_get(root, "schedule");
        Pair *pair = reading->pair;
        int r;

        r = reading_text(root, "pair", &pair->name);
        if (r < 0)
                return r;
        r = reading_text(root, "description", &pair->description);
        if (r < 0)
                return r;
        r = reading_texts(root, "aliases", &pair->aliases);
        if (r < 0)
                return r;
        r = reading_text(root, "source", &pair->source);
        if (r < 0)
                return r;
        r = reading_text(root, "target", &pair->target);
        if (r < 0)
                return r;
        r = reading_texts(root, "depends_on", &pair->depends_on);
        if (r < 0)
                return r;
        r = schedule_read(reading, schedule, "incremental", &pair->schedule_incremental);
        if (r >= 0)
                r = schedule_read(reading, schedule, "full", &pair->schedule_full);
        return r < 0 ? r : schedule_read(reading, schedule, "continuous", &pair->schedule_continuous);
}

static void slot_guard_read(Reading *reading, const json_t *guard, const char *name, uint64_t *ret) {
        const json_t *node = json_object_get(guard, name);
        const char *text = json_string_value(node);

        if (text && (text_to_size(text, ret) < 0 || *ret == 0))
                reading_mistake_value(reading, node, "Write a size such as 4G", "\"%s\" cannot be \"%.100s\"", name, text);
}

static int pair_read(Reading *reading, const char *bytes, size_t size) {
        const json_t *root = yaml_root(reading->document);
        int r;

        r = reading_hash(reading, bytes, size);
        if (r < 0)
                return r;
        check_object(reading->document, root, pair_fields, "The pair", ERROR_MAPPING, reading->mistakes);
        r = pair_read_texts(reading, root);
        if (r < 0)
                return r;
        systems_check(reading);
        guards_read(reading, json_object_get(root, "guards"));
        slot_guard_read(reading, json_object_get(root, "slot_guard"), "warn", &reading->pair->slot_warn_bytes);
        slot_guard_read(reading, json_object_get(root, "slot_guard"), "act", &reading->pair->slot_act_bytes);
        drift_read(json_object_get(root, "drift"), reading->pair);
        r = variables_read(reading, json_object_get(root, "variables"));
        if (r < 0)
                return r;
        r = entities_read(reading, json_object_get(root, "entities"));
        if (r < 0)
                return r;
        r = entities_order(reading);
        return r < 0 ? r : content_hash_set(reading);
}

/* What the YAML reader found is a mistake of a mapping here. */
static void mistakes_settle(Mistakes *mistakes, size_t from) {
        for (size_t i = from; i < mistakes->n_errors; i++)
                if (mistakes->errors[i].id == ERROR_CONFIGURATION)
                        mistakes->errors[i].id = ERROR_MAPPING;
        mistakes_sort(mistakes, from);
}

int pair_parse(const char *bytes, size_t size, const char *file, const Settings *settings, Pair **ret,
               PairPlaces *ret_places, Mistakes *mistakes) {
        _cleanup_yaml_document_ YamlDocument *document = NULL;
        _cleanup_pair_ Pair *pair = calloc(1, sizeof *pair);
        size_t before = mistakes_count(mistakes), first = mistakes->n_errors;
        Reading reading = {.settings = settings, .pair = pair, .mistakes = mistakes};
        int r;

        if (!pair || !(pair->file = strdup(file)))
                return -ENOMEM;
        r = yaml_parse(bytes, size, file, &document, mistakes);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                mistakes_settle(mistakes, first);
                *ret = NULL;
                *ret_places = (PairPlaces){};
                return 0;
        }
        reading.document = document;
        r = pair_read(&reading, bytes, size);
        free(reading.hashed);
        if (r < 0)
                return r;
        mistakes_settle(mistakes, first);
        ret_places->pair = yaml_place(document, json_object_get(yaml_root(document), "pair"));
        ret_places->depends_on = yaml_place(document, json_object_get(yaml_root(document), "depends_on"));
        *ret = TAKE_PTR(pair);
        return mistakes_count(mistakes) == before;
}
