/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pair.h"
#include "basic/json.h"
#include "basic/text.h"

Pair *pair_free(Pair *p) {
        if (!p)
                return NULL;
        for (size_t i = 0; i < p->n_mappings; i++)
                mapping_done(&p->mappings[i]);
        free(p->mappings);
        for (size_t i = 0; i < p->n_variables; i++) {
                free(p->variables[i].name);
                free(p->variables[i].bytes);
        }
        free(p->variables);
        free(p->name);
        free(p->description);
        strings_free(p->aliases);
        free(p->source);
        free(p->target);
        free(p->schedule_incremental);
        free(p->schedule_full);
        free(p->schedule_continuous);
        strings_free(p->depends_on);
        free(p->file);
        free(p);
        return NULL;
}

bool pair_is_named(const Pair *p, const char *name_or_alias) {
        return name_or_alias && (text_equal(p->name, name_or_alias) ||
                                 (p->aliases && strings_contain(p->aliases, name_or_alias)));
}

const Mapping *pair_mapping(const Pair *p, const char *entity) {
        if (!entity)
                return NULL;
        for (size_t i = 0; i < p->n_mappings; i++)
                if (text_equal(p->mappings[i].entity, entity) ||
                    (p->mappings[i].aliases && strings_contain(p->mappings[i].aliases, entity)))
                        return &p->mappings[i];
        return NULL;
}

const Variable *pair_variable(const Pair *p, const char *name, size_t size) {
        for (size_t i = 0; i < p->n_variables; i++)
                if (strlen(p->variables[i].name) == size && memcmp(p->variables[i].name, name, size) == 0)
                        return &p->variables[i];
        return NULL;
}

const Field pair_document_fields[] = {
        {"name", FIELD_TEXT, .summary = "The pair's name."},
        {"description", FIELD_TEXT, .summary = "What it is for."},
        {"aliases", FIELD_TEXTS, .summary = "Other names it answers to."},
        {"source", FIELD_TEXT, .summary = "The system it reads."},
        {"target", FIELD_TEXT, .summary = "The system it writes."},
        {"status", FIELD_TEXT, .summary = "ACTIVE, WAITING, RUNNING, or BROKEN where its file has mistakes."},
        {"error", FIELD_OBJECT, .summary = "Of a BROKEN one: the first mistake."},
        {"entities", FIELD_ARRAY, .summary = "Its entities in the order in which they run."},
        {"guards", FIELD_OBJECT, .summary = "What stops a run before it writes too much."},
        {"schedule", FIELD_OBJECT, .summary = "Calendar expressions by kind."},
        {"depends_on", FIELD_TEXTS, .summary = "Pairs that run before it."},
        {"mapping_hash", FIELD_TEXT, .summary = "Of the mapping file and its tables."},
        {"file", FIELD_TEXT, .summary = "The mapping file."},
        {},
};

static json_t *texts_to_json(char *const *texts) {
        json_auto_t *array = json_array();

        for (size_t i = 0; texts && texts[i]; i++)
                if (json_array_append_new(array, json_text(texts[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

/* As the mapping file has it: 100, or "2%". */
static json_t *guard_to_json(const GuardLimit *limit) {
        _cleanup_free_ char *text = NULL;
        unsigned whole = (unsigned) (limit->amount / 100), hundredths = (unsigned) (limit->amount % 100);
        int n;

        if (!limit->is_percent)
                return json_integer((json_int_t) limit->amount);
        if (hundredths == 0)
                n = asprintf(&text, "%u%%", whole);
        else if (hundredths % 10 == 0)
                n = asprintf(&text, "%u.%u%%", whole, hundredths / 10);
        else
                n = asprintf(&text, "%u.%02u%%", whole, hundredths);
        if (n < 0) {
                text = NULL;
                return NULL;
        }
        return json_string(text);
}

static json_t *entity_to_json(const Mapping *m) {
        json_auto_t *object = json_object();

        if (json_put(object, "name", json_text(m->entity)) < 0 ||
            json_put(object, "aliases", texts_to_json(m->aliases)) < 0 ||
            json_put(object, "from", json_text(m->from)) < 0 ||
            json_put(object, "to", json_text(m->to)) < 0 ||
            json_put(object, "strategy", json_string(detect_strategy_to_string(m->strategy))) < 0 ||
            json_put(object, "fields", json_integer((json_int_t) m->n_fields)) < 0 ||
            json_put(object, "depends_on", texts_to_json(m->depends_on)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static json_t *entities_to_json(const Pair *p) {
        json_auto_t *array = json_array();

        for (size_t i = 0; i < p->n_mappings; i++)
                if (json_array_append_new(array, entity_to_json(&p->mappings[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *guards_to_json(const Pair *p) {
        json_auto_t *object = json_object();

        if (json_put(object, "max_deletes", guard_to_json(&p->max_deletes)) < 0 ||
            json_put(object, "max_changes", guard_to_json(&p->max_changes)) < 0 ||
            json_put(object, "max_errors", guard_to_json(&p->max_errors)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static json_t *schedule_to_json(const Pair *p) {
        json_auto_t *object = json_object();

        if (json_put(object, "incremental", json_text(p->schedule_incremental)) < 0 ||
            json_put(object, "full", json_text(p->schedule_full)) < 0 ||
            json_put(object, "continuous", json_text(p->schedule_continuous)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

json_t *pair_to_json(const Pair *p) {
        json_auto_t *object = json_object();

        if (json_put(object, "name", json_text(p->name)) < 0 ||
            json_put(object, "description", json_text(p->description)) < 0 ||
            json_put(object, "aliases", texts_to_json(p->aliases)) < 0 ||
            json_put(object, "source", json_text(p->source)) < 0 ||
            json_put(object, "target", json_text(p->target)) < 0 ||
            json_put(object, "entities", entities_to_json(p)) < 0 ||
            json_put(object, "guards", guards_to_json(p)) < 0 ||
            json_put(object, "schedule", schedule_to_json(p)) < 0 ||
            json_put(object, "depends_on", texts_to_json(p->depends_on)) < 0 ||
            json_put(object, "mapping_hash", json_string(p->content_hash_text)) < 0 ||
            json_put(object, "file", json_text(p->file)) < 0)
                return NULL;
        return TAKE_PTR(object);
}
