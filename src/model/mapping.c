/* SPDX-License-Identifier: Apache-2.0 */
#include "model/mapping.h"
#include "basic/text.h"

static const char *const strategies[_DETECT_STRATEGY_MAX] = {
        [DETECT_FULL] = "full", [DETECT_WATERMARK] = "watermark", [DETECT_DIGEST] = "digest",
        [DETECT_LOG] = "log",   [DETECT_FILE] = "file",           [DETECT_FEED] = "feed"};

const char *detect_strategy_to_string(DetectStrategy strategy) {
        return strategy >= 0 && strategy < _DETECT_STRATEGY_MAX ? strategies[strategy] : "unknown";
}

DetectStrategy detect_strategy_from_string(const char *name) {
        for (int i = 0; i < _DETECT_STRATEGY_MAX; i++)
                if (text_equal(strategies[i], name))
                        return i;
        return _DETECT_STRATEGY_INVALID;
}

static void lookup_free(Lookup *l) {
        if (!l)
                return;
        for (size_t i = 0; i < l->n_rows; i++) {
                free(l->rows[i].code);
                free(l->rows[i].value);
        }
        free(l->rows);
        free(l->path);
        free(l->otherwise_text);
        free(l);
}

static void join_done(MappingJoin *join) {
        for (size_t i = 0; i < join->n_by; i++) {
                free(join->by[i].left);
                free(join->by[i].right);
        }
        free(join->by);
        free(join->name);
        free(join->from);
        strings_free(join->order);
        free(join->watermark);
}

static void field_done(MappingField *f) {
        free(f->name);
        free(f->constant_bytes);
        free(f->format);
        strings_free(f->more_formats);
        strings_free(f->null_values);
        lookup_free(f->lookup);
        free(f->pattern_text);
        pattern_free(f->pattern);
        strings_free(f->enumeration);
}

static void columns_done(Mapping *m) {
        for (size_t i = 0; i < m->n_columns; i++) {
                free(m->columns[i].join);
                free(m->columns[i].name);
        }
        free(m->columns);
}

static void marks_done(Mapping *m) {
        for (size_t i = 0; m->mark_bytes && i < m->n_marks; i++)
                free(m->mark_bytes[i]);
        free(m->mark_bytes);
        free(m->mark_fields);
        free(m->mark_values);
}

void mapping_done(Mapping *m) {
        if (!m)
                return;
        for (size_t i = 0; i < m->n_joins; i++)
                join_done(&m->joins[i]);
        free(m->joins);
        for (size_t i = 0; i < m->n_fields; i++)
                field_done(&m->fields[i]);
        free(m->fields);
        columns_done(m);
        marks_done(m);
        free(m->entity);
        strings_free(m->aliases);
        free(m->from);
        free(m->to);
        free(m->where);
        free(m->watermark);
        strings_free(m->depends_on);
        *m = (Mapping){};
}

ssize_t mapping_field_index(const Mapping *m, const char *name) {
        for (size_t i = 0; i < m->n_fields; i++)
                if (text_equal(m->fields[i].name, name))
                        return (ssize_t) i;
        return -1;
}

bool mapping_column_is_of_key(const Mapping *m, size_t column) {
        for (size_t i = 0; i < m->n_key; i++)
                if (m->fields[i].column == (ssize_t) column)
                        return true;
        return false;
}

int mapping_column_add(Mapping *m, const char *join, const char *name, unsigned line, unsigned column,
                       size_t *ret_index) {
        _cleanup_free_ char *join_copy = NULL, *name_copy = NULL;
        MappingColumn *columns;

        for (size_t i = 0; i < m->n_columns; i++)
                if (text_equal(m->columns[i].join, join) && text_equal(m->columns[i].name, name)) {
                        *ret_index = i;
                        return 0;
                }
        columns = reallocarray(m->columns, m->n_columns + 1, sizeof *columns);
        if (!columns)
                return -ENOMEM;
        m->columns = columns;
        name_copy = strdup(name);
        join_copy = join ? strdup(join) : NULL;
        if (!name_copy || (join && !join_copy))
                return -ENOMEM;
        columns[m->n_columns] = (MappingColumn){TAKE_PTR(join_copy), TAKE_PTR(name_copy), line, column};
        *ret_index = m->n_columns++;
        return 0;
}

const char *lookup_find(const Lookup *l, const char *code, size_t size) {
        size_t low = 0, high = l->n_rows;

        /* By hand: a code is not NUL-terminated, so bsearch() would need a copy of it. */
        while (low < high) {
                size_t middle = low + (high - low) / 2, length = strlen(l->rows[middle].code);
                int order = memcmp(code, l->rows[middle].code, size < length ? size : length);
                if (order == 0)
                        order = (size > length) - (size < length);
                if (order == 0)
                        return l->rows[middle].value;
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}
