/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/table.h"

#include "basic/json.h"
#include "basic/text.h"

Table *table_free(Table *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_columns; i++) {
                free(t->columns[i].name);
                free(t->columns[i].type);
        }
        for (size_t i = 0; i < t->n_indexes; i++)
                strings_free(t->indexes[i].columns);
        strings_free(t->identity);
        free(t->columns);
        free(t->indexes);
        free(t->name);
        free(t);
        return NULL;
}

const TableColumn *table_column(const Table *t, const char *name) {
        for (size_t i = 0; i < t->n_columns; i++)
                if ((t->exact_names ? text_equal : text_equal_ignoring_case)(t->columns[i].name, name))
                        return &t->columns[i];
        return NULL;
}

TableColumn *table_column_add(Table *t, const char *name) {
        char *copy;

        if (array_grow(&t->columns, &t->columns_capacity, t->n_columns + 1, sizeof(TableColumn)) < 0)
                return NULL;
        copy = strdup(name);
        if (!copy)
                return NULL;
        t->columns[t->n_columns] = (TableColumn){.name = copy};
        return &t->columns[t->n_columns++];
}

int table_index_add(Table *t, char **columns, bool unique) {
        _cleanup_strings_ char **owned = columns;
        int r;

        r = array_grow(&t->indexes, &t->indexes_capacity, t->n_indexes + 1, sizeof(TableIndex));
        if (r < 0)
                return r;
        t->indexes[t->n_indexes++] = (TableIndex){.columns = TAKE_PTR(owned), .unique = unique};
        return 0;
}

int table_column_require(const Table *t, const char *name, Error *error) {
        _cleanup_free_ const char **names = NULL;
        _cleanup_free_ char *remedy = NULL;
        const char *nearest;
        int r;

        if (table_column(t, name))
                return 0;
        names = calloc(t->n_columns + 1, sizeof(char *));
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_columns; i++)
                names[i] = t->columns[i].name;
        nearest = text_nearest(name, names, t->n_columns);
        if (nearest)
                r = asprintf(&remedy, "Did you mean \"%s\"? Correct the name in the mapping", nearest);
        else
                r = asprintf(&remedy, "Correct the name in the mapping, or add the column to \"%s\"",
                             t->name);
        if (r < 0) {
                remedy = NULL;
                return -ENOMEM;
        }
        r = error_set(error, ERROR_COLUMN_MISSING, remedy, "\"%s\" has no column \"%s\"", t->name, name);
        (void) error_field(error, name);
        return r;
}

int table_file_mapping_refuse(const Mapping *m, const Pair *pair, const char *what, Error *error) {
        const char *asked = m->n_joins > 0                    ? "join:"
                            : m->where                        ? "where:"
                            : m->strategy == DETECT_WATERMARK ? "strategy: watermark"
                                                              : NULL;
        int r;

        if (!asked)
                return 0;
        r = error_set(error, ERROR_MAPPING,
                      m->n_joins || m->where ? "Load the files into a database to join or filter them" : "Use strategy: full",
                      "Entity \"%s\" reads %s, which knows no %s", m->entity, what, asked);
        return pair ? error_at(error, pair->file, m->line, m->column) : r;
}

int table_missing(const char *what, const char *name, const char *system, char *const *names, Error *error) {
        _cleanup_free_ char *remedy = NULL;
        const char *nearest = text_nearest(name, (const char *const *) names, strings_count(names));
        int r;

        if (nearest)
                r = asprintf(&remedy, "Did you mean \"%s\"? Correct the name in the mapping", nearest);
        else
                r = asprintf(&remedy, "Correct the name in the mapping, or create the %s", what);
        if (r < 0) {
                remedy = NULL;
                return -ENOMEM;
        }
        return error_set(error, ERROR_TABLE_MISSING, remedy, "System \"%s\" has no %s \"%s\"", system, what,
                         name);
}

int table_not_loaded(int r, Error *failure, const char *name, const Pair *pair, unsigned line, unsigned column,
                     json_t *report, Error *error) {
        if (failure->id == ERROR_TABLE_MISSING && pair)
                (void) error_at(failure, pair->file, line, column);
        if (failure->id == ERROR_TABLE_MISSING && report)
                return report_add_error(report, name, failure);
        if (error)
                error_move(error, failure);
        return r;
}

static bool names_contain(const char *const *names, size_t n_names, const char *name) {
        for (size_t i = 0; i < n_names; i++)
                if (text_equal_ignoring_case(names[i], name))
                        return true;
        return false;
}

bool table_is_unique(const Table *t, const char *const *columns, size_t n_columns) {
        size_t n_key = 0, n_covered = 0;

        for (size_t i = 0; i < t->n_columns; i++) {
                if (t->columns[i].key_place == 0)
                        continue;
                n_key++;
                n_covered += names_contain(columns, n_columns, t->columns[i].name);
        }
        if (n_key > 0 && n_covered == n_key)
                return true;
        for (size_t i = 0; i < t->n_indexes; i++) {
                size_t n = strings_count(t->indexes[i].columns);

                if (!t->indexes[i].unique || n == 0)
                        continue;
                n_covered = 0;
                for (size_t j = 0; j < n; j++)
                        n_covered += names_contain(columns, n_columns, t->indexes[i].columns[j]);
                if (n_covered == n)
                        return true;
        }
        return false;
}

bool table_has_index_on(const Table *t, const char *column) {
        for (size_t i = 0; i < t->n_indexes; i++)
                if (t->indexes[i].columns && text_equal_ignoring_case(t->indexes[i].columns[0], column))
                        return true;
        /* Of "integer primary key" the table itself is the index. */
        for (size_t i = 0; i < t->n_columns; i++)
                if (t->columns[i].key_place == 1 && text_equal_ignoring_case(t->columns[i].name, column))
                        return true;
        return false;
}

int report_add(json_t *report, const char *what, bool ok, const char *message, const char *remedy) {
        json_auto_t *row = json_object();
        int r;

        r = row ? 0 : -ENOMEM;
        if (r == 0)
                r = json_put(row, "what", json_text(what));
        if (r == 0)
                r = json_put(row, "ok", json_boolean(ok));
        if (r == 0)
                r = json_put(row, "message", json_text(message));
        if (r == 0)
                r = json_put(row, "remedy", json_text(remedy));
        if (r < 0)
                return r;
        return json_array_append(report, row) < 0 ? -ENOMEM : 0;
}

int report_add_error(json_t *report, const char *what, const Error *error) {
        _cleanup_free_ char *message = NULL;

        if (error->file && error->line > 0) {
                if (asprintf(&message, "%s:%u: %s", error->file, error->line, error->detail) < 0) {
                        message = NULL;
                        return -ENOMEM;
                }
        }
        return report_add(report, what, false, message ? message : error->detail, error->remedy);
}

static int check_field(const Table *t, const MappingField *field, json_t *report) {
        _cleanup_error_ Error error = {};
        _cleanup_free_ char *message = NULL;
        const TableColumn *column = table_column(t, field->name);

        if (!column) {
                int r;

                r = table_column_require(t, field->name, &error);
                return r == -ENOMEM ? r : report_add_error(report, field->name, &error);
        }
        if (!column->generated)
                return 0;
        if (asprintf(&message, "Column \"%s\" of \"%s\" is computed by the database and cannot be written",
                     field->name, t->name) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, field->name, false, message, "Leave the field out of the mapping");
}

/* A column that must have a value and gets none would refuse every insert. */
static int check_unfilled(const Table *t, const Mapping *mapping, json_t *report) {
        for (size_t i = 0; i < t->n_columns; i++) {
                const TableColumn *column = &t->columns[i];
                _cleanup_free_ char *message = NULL;
                bool filled = !column->required || column->generated;
                int r;

                for (size_t j = 0; j < mapping->n_fields && !filled; j++)
                        filled = text_equal_ignoring_case(mapping->fields[j].name, column->name);
                if (filled)
                        continue;
                if (asprintf(&message,
                             "Column \"%s\" of \"%s\" must not be null, has no default, and no field fills "
                             "it",
                             column->name, t->name) < 0) {
                        message = NULL;
                        return -ENOMEM;
                }
                r = report_add(report, column->name, false, message,
                               "Add a field for it to the mapping, or give the column a default");
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_key(const Table *t, const Mapping *mapping, json_t *report) {
        _cleanup_free_ const char **key = NULL;
        _cleanup_free_ char *message = NULL;

        key = calloc(mapping->n_key + 1, sizeof(char *));
        if (!key)
                return -ENOMEM;
        for (size_t i = 0; i < mapping->n_key; i++)
                key[i] = mapping->fields[i].name;
        if (t->is_view || table_is_unique(t, key, mapping->n_key))
                return 0;
        if (asprintf(&message, "Nothing keeps the key of entity \"%s\" unique in \"%s\"", mapping->entity,
                     t->name) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, "key", false, message, "Create a unique index on the key's columns");
}

int table_check_target(const Table *t, const Mapping *mapping, json_t *report) {
        _cleanup_free_ char *message = NULL, *what = NULL;
        size_t n_before = json_array_size(report);
        int r;

        for (size_t i = 0; i < mapping->n_fields; i++) {
                r = check_field(t, &mapping->fields[i], report);
                if (r < 0)
                        return r;
        }
        r = check_key(t, mapping, report);
        if (r < 0)
                return r;
        r = check_unfilled(t, mapping, report);
        if (r < 0 || json_array_size(report) > n_before)
                return r;
        if (asprintf(&what, "table %s", t->name) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (asprintf(&message, "Can be written: %zu of %zu columns are mapped", mapping->n_fields,
                     t->n_columns) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, what, true, message, NULL);
}

/* What a check of the source carries through. */
typedef struct SourceCheck {
        const Pair *pair;
        json_t *report;
        Error *error;
} SourceCheck;

static int require(const SourceCheck *check, const Table *t, const char *name, unsigned line,
                   unsigned column) {
        _cleanup_error_ Error error = {};
        int r;

        if (!t || !name)
                return 0;
        r = table_column_require(t, name, &error);
        if (r == 0 || r == -ENOMEM)
                return r;
        if (check->pair)
                (void) error_at(&error, check->pair->file, line, column);
        if (check->report)
                return report_add_error(check->report, name, &error);
        if (check->error)
                error_move(check->error, &error);
        return r;
}

/* The table that "column" or "join.column" is of, and the bare column. */
static const Table *table_of_right(const Table *source, Table *const *joins, const Mapping *m,
                                   const char **right) {
        const char *dot = strchr(*right, '.');

        for (size_t i = 0; dot && i < m->n_joins; i++) {
                const char *name = m->joins[i].name;

                if (strlen(name) == (size_t) (dot - *right) && strncmp(name, *right, strlen(name)) == 0) {
                        *right = dot + 1;
                        return joins[i];
                }
        }
        if (dot && text_starts_with(*right, "source."))
                *right = dot + 1;
        return source;
}

static int check_join(const SourceCheck *check, const Table *source, Table *const *joins, const Mapping *m,
                      size_t index) {
        const MappingJoin *join = &m->joins[index];
        int r;

        for (size_t i = 0; i < join->n_by; i++) {
                const char *right = join->by[i].right;
                const Table *t = table_of_right(source, joins, m, &right);

                r = require(check, joins[index], join->by[i].left, join->line, join->column);
                if (r == 0)
                        r = require(check, t, right, join->line, join->column);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; join->order && join->order[i]; i++) {
                r = require(check, joins[index], join->order[i] + (join->order[i][0] == '-'), join->line,
                            join->column);
                if (r < 0)
                        return r;
        }
        return require(check, joins[index], join->watermark, join->line, join->column);
}

/* *ret -1: the entity's own table. -ENOENT: no such join. */
static int join_index(const Mapping *m, const char *name, ssize_t *ret) {
        *ret = -1;
        if (!name)
                return 0;
        for (size_t i = 0; i < m->n_joins; i++)
                if (text_equal(m->joins[i].name, name)) {
                        *ret = (ssize_t) i;
                        return 0;
                }
        return -ENOENT;
}

int table_check_source(const Table *source, Table *const *joins, const Pair *pair, const Mapping *mapping,
                       json_t *report, Error *error) {
        SourceCheck check = {.pair = pair, .report = report, .error = error};
        ssize_t index;
        int r;

        for (size_t i = 0; i < mapping->n_joins; i++) {
                r = check_join(&check, source, joins, mapping, i);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < mapping->n_columns; i++) {
                const MappingColumn *column = &mapping->columns[i];

                r = join_index(mapping, column->join, &index);
                if (r < 0)
                        return error_set(error, ERROR_MAPPING,
                                         "Declare it under join:", "Entity \"%s\" has no join \"%s\"",
                                         mapping->entity, column->join);
                r = require(&check, index < 0 ? source : joins[index], column->name, column->line,
                            column->column);
                if (r < 0)
                        return r;
        }
        return require(&check, source, mapping->watermark, mapping->line, mapping->column);
}
