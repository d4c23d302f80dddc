/* SPDX-License-Identifier: Apache-2.0 */
#include "model/layout.h"

static const char *const ends[_LAYOUT_END_MAX] = {
        [LAYOUT_END_CRLF] = "crlf",
        [LAYOUT_END_LF] = "lf",
        [LAYOUT_END_NONE] = "none",
};

const char *layout_end_to_string(LayoutEnd end) { return end >= 0 && end < _LAYOUT_END_MAX ? ends[end] : "unknown"; }

LayoutEnd layout_end_from_string(const char *name) {
        for (LayoutEnd e = 0; name && e < _LAYOUT_END_MAX; e++)
                if (text_equal(name, ends[e]))
                        return e;
        return _LAYOUT_END_INVALID;
}

size_t layout_end_size(LayoutEnd end) { return end == LAYOUT_END_CRLF ? 2 : end == LAYOUT_END_LF ? 1 : 0; }

static void table_done(LayoutTable *t) {
        for (size_t i = 0; i < t->n_fields; i++) {
                free(t->fields[i].name);
                free(t->fields[i].format);
                strings_free(t->fields[i].null_values);
        }
        free(t->fields);
        free(t->name);
        free(t->file);
}

Layout *layout_free(Layout *l) {
        if (!l)
                return NULL;
        for (size_t i = 0; i < l->n_tables; i++)
                table_done(&l->tables[i]);
        free(l->tables);
        free(l->path);
        free(l);
        return NULL;
}

const LayoutTable *layout_table(const Layout *l, const char *name) {
        for (size_t i = 0; i < l->n_tables; i++)
                if (text_equal(l->tables[i].name, name))
                        return &l->tables[i];
        return NULL;
}
