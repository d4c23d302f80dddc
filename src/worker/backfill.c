/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/backfill.h"

#include "basic/json.h"
#include "basic/text.h"

#include <errno.h>
#include <inttypes.h>

#define DEFINITION_TEXT_MAX 17

void backfill_done(Backfill *b) {
        free(b->compared);
        free(b->gained);
        free(b->columns);
        *b = (Backfill){};
}

char *column_name(const MappingColumn *c) {
        char *name;

        if (!c->join)
                return strdup(c->name);
        return asprintf(&name, "%s.%s", c->join, c->name) < 0 ? NULL : name;
}

static void definition_format(uint64_t definition, char text[static DEFINITION_TEXT_MAX]) {
        (void) snprintf(text, DEFINITION_TEXT_MAX, "%016" PRIx64, definition);
}

json_t *backfill_shape(const Pair *pair, const Mapping *m) {
        json_t *columns = json_array(), *fields = json_object();
        json_auto_t *shape = json_pack("{s:s, s:o?, s:o?}", "hash", pair->content_hash_text, "columns", columns, "fields", fields);

        for (size_t i = 0; shape && i < m->n_columns; i++) {
                _cleanup_free_ char *name = column_name(m->columns + i);

                if (!name || json_array_append_new(columns, json_text(name)) < 0)
                        return NULL;
        }
        for (size_t i = 0; shape && i < m->n_fields; i++) {
                char definition[DEFINITION_TEXT_MAX];

                definition_format(m->fields[i].definition, definition);
                if (json_put(fields, m->fields[i].name, json_string(definition)) < 0)
                        return NULL;
        }
        return TAKE_PTR(shape);
}

static ssize_t column_find(const Mapping *m, const char *wanted) {
        for (size_t i = 0; wanted && i < m->n_columns; i++) {
                _cleanup_free_ char *name = column_name(m->columns + i);

                if (!name)
                        return -ENOMEM;
                if (text_equal(name, wanted))
                        return (ssize_t) i;
        }
        return -ENOENT;
}

/* Where each column of then is still read, the digests of then can be made of today's records. */
static int before_find(const Mapping *m, const json_t *shape, Backfill *b) {
        const json_t *columns = json_object_get(shape, "columns"), *item;
        const char *hash = json_member_text(shape, "hash");
        uint8_t seed[8];
        size_t i;

        if (!hash || strlen(hash) < 2 * sizeof(seed) || hex_decode(hash, sizeof(seed), seed) < 0)
                return 0;
        b->columns = calloc(json_array_size(columns) + 1, sizeof(size_t));
        if (!b->columns)
                return -ENOMEM;
        json_array_foreach(columns, i, item) {
                ssize_t column = column_find(m, json_string_value(item));

                if (column == -ENOENT)
                        return 0;
                if (column < 0)
                        return (int) column;
                b->columns[b->n_columns++] = (size_t) column;
        }
        for (i = 0; i < sizeof(seed); i++)
                b->seed = b->seed << 8 | seed[i];
        b->has_before = true;
        return 0;
}

static int compared_find(const Mapping *m, const json_t *shape, Backfill *b) {
        const json_t *fields = json_object_get(shape, "fields");
        bool key_changed = false;

        for (size_t i = 0; i < m->n_fields; i++) {
                const char *before = json_member_text(fields, m->fields[i].name);
                char definition[DEFINITION_TEXT_MAX];

                definition_format(m->fields[i].definition, definition);
                b->gained[i] = !before;
                b->compared[i] = !text_equal(before, definition);
                key_changed = key_changed || (b->compared[i] && i < m->n_key);
        }
        return key_changed ? 0 : before_find(m, shape, b); /* under other keys nothing is as it was */
}

int backfill_make(const Pair *pair, const Mapping *m, const json_t *shape, const json_t *refill, Backfill *ret) {
        Backfill b = {.compared = calloc(m->n_fields + 1, sizeof(bool)), .gained = calloc(m->n_fields + 1, sizeof(bool))};
        const json_t *item;
        size_t i;
        int r = b.compared && b.gained ? 0 : -ENOMEM;

        if (r >= 0 && shape && !text_equal(json_member_text(shape, "hash"), pair->content_hash_text))
                r = compared_find(m, shape, &b);
        json_array_foreach(r >= 0 ? refill : NULL, i, item) {
                ssize_t field = json_string_value(item) ? mapping_field_index(m, json_string_value(item)) : -1;

                if (field >= (ssize_t) m->n_key)
                        b.compared[field] = b.gained[field] = true;
        }
        if (r < 0) {
                backfill_done(&b);
                return r;
        }
        for (i = m->n_key; i < m->n_fields; i++)
                b.is_needed = b.is_needed || b.compared[i];
        *ret = b;
        return 0;
}

bool backfill_only_fills(const Backfill *b, const Mapping *m, const Change *change) {
        if (change->kind != CHANGE_UPDATE || !change->before || !change->changed || !b->gained)
                return false;
        for (size_t i = 0; i < m->n_fields; i++)
                if (change->changed[i] && (!b->gained[i] || change->before[i].type != VALUE_NULL))
                        return false;
        return true;
}
