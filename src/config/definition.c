/* SPDX-License-Identifier: Apache-2.0 */
#include "config/definition.h"

static void node_write(FILE *f, const json_t *node) {
        if (node)
                (void) json_dumpf(node, f, JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_COMPACT);
        (void) fputc('\0', f);
}

/* All that all fields of an entity share. A member that is new to mapping files counts, so that who adds one need not think of this. */
static void entity_write(FILE *f, const Reading *reading, const json_t *entity) {
        static const char *const others[] = {"key", "fields", "aliases", "depends_on", "where", "join", "detect", "deletes"};
        json_auto_t *rest = json_copy((json_t *) entity);

        for (size_t i = 0; rest && i < ELEMENTSOF(others); i++)
                (void) json_object_del(rest, others[i]);
        node_write(f, rest);
        node_write(f, json_object_get(yaml_root(reading->document), "variables"));
        node_write(f, json_object_get(yaml_root(reading->document), "source"));
        node_write(f, json_object_get(yaml_root(reading->document), "target"));
}

static void lookup_write(FILE *f, const Lookup *lookup) {
        for (size_t i = 0; lookup && i < lookup->n_rows; i++) {
                (void) fwrite(lookup->rows[i].code, 1, strlen(lookup->rows[i].code) + 1, f);
                (void) fwrite(lookup->rows[i].value, 1, strlen(lookup->rows[i].value) + 1, f);
        }
}

static int definition_set(const Reading *reading, const json_t *entity, const json_t *node, MappingField *field) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        Digest digest;

        if (!f)
                return -ENOMEM;
        entity_write(f, reading, entity);
        node_write(f, node);
        lookup_write(f, field->lookup);
        if (fclose(f) != 0)
                return -ENOMEM;
        bytes_digest(text, size, &digest);
        field->definition = 0;
        for (size_t i = 0; i < 8; i++)
                field->definition = field->definition << 8 | digest.bytes[i];
        return 0;
}

int definitions_set(Reading *reading, const json_t *entity, Mapping *m) {
        for (size_t i = 0; i < m->n_fields; i++) {
                const json_t *fields = json_object_get(entity, m->fields[i].is_key ? "key" : "fields");
                int r;

                r = definition_set(reading, entity, json_object_get(fields, m->fields[i].name), &m->fields[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}
