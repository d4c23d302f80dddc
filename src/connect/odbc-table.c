/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-table.h"

#include "basic/text.h"

OdbcTable *odbc_table_free(OdbcTable *t) {
        if (!t)
                return NULL;
        table_free(t->table);
        free(t->types);
        free(t->engine);
        free(t);
        return NULL;
}

const OdbcType *odbc_table_type(const OdbcTable *t, const char *column) {
        const TableColumn *found = table_column(t->table, column);

        return found ? &t->types[found - t->table->columns] : NULL;
}

static int catalog_query(OdbcConnection *c, const char *sql, const char *table, OdbcRows *ret,
                         Error *error) {
        _cleanup_free_ char *text = odbc_dialect_fill(c->dialect, sql, table, NULL);

        return text ? odbc_query(c, text, ret, error) : -ENOMEM;
}

static int missing(OdbcConnection *c, const char *name, Error *error) {
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        _cleanup_strings_ char **names = NULL;
        int r;

        r = odbc_query(c, c->dialect->names_sql, &rows, error);
        for (size_t i = 0; r >= 0 && i < rows.n_rows; i++)
                r = strings_append(&names, odbc_cell(&rows, i, 0));
        return r < 0 ? r : table_missing("table", name, c->system->name, names, error);
}

static bool cell_true(const OdbcRows *rows, size_t row, size_t column) {
        const char *cell = odbc_cell(rows, row, column);

        return cell && cell[0] == '1';
}

static int columns_load(OdbcConnection *c, const char *name, OdbcTable *t, Error *error) {
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        int r;

        r = catalog_query(c, c->dialect->columns_sql, name, &rows, error);
        if (r < 0)
                return r;
        t->types = calloc(rows.n_rows + 1, sizeof(OdbcType));
        if (!t->types)
                return -ENOMEM;
        for (size_t i = 0; i < rows.n_rows; i++) {
                const char *type = odbc_cell(&rows, i, 1), *place = odbc_cell(&rows, i, 4);
                TableColumn *column = table_column_add(t->table, odbc_cell(&rows, i, 0));

                if (!column)
                        return -ENOMEM;
                column->type = strdup(type ? type : "");
                if (!column->type)
                        return -ENOMEM;
                column->required = cell_true(&rows, i, 2);
                column->generated = cell_true(&rows, i, 3);
                column->key_place = place ? (unsigned) strtoul(place, NULL, 10)
                                          : 0; /* a small number of the catalog's */
                odbc_type_parse(c->dialect->family, column->type, &t->types[i]);
        }
        return 0;
}

static int indexes_load(OdbcConnection *c, const char *name, Table *t, Error *error) {
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        const char *last = NULL;
        int r;

        r = catalog_query(c, c->dialect->indexes_sql, name, &rows, error);
        for (size_t i = 0; r >= 0 && i < rows.n_rows; i++) {
                const char *index = odbc_cell(&rows, i, 0);

                if (!index || !odbc_cell(&rows, i, 2))
                        continue;
                if (!last || !text_equal(index, last))
                        r = table_index_add(t, NULL, cell_true(&rows, i, 1));
                last = index;
                if (r >= 0)
                        r = strings_append(&t->indexes[t->n_indexes - 1].columns, odbc_cell(&rows, i, 2));
        }
        return r;
}

/* The primary key, where every column of it can be compared exactly by a literal. */
static int identity_make(OdbcFamily family, OdbcTable *t) {
        size_t n = 0;

        for (size_t i = 0; i < t->table->n_columns; i++) {
                OdbcKind kind = t->types[i].kind;

                if (t->table->columns[i].key_place == 0)
                        continue;
                n++;
                if (kind == ODBC_OTHER || kind == ODBC_REAL || kind == ODBC_DOUBLE ||
                    kind == ODBC_GEOMETRY || kind == ODBC_JSON ||
                    (family == ODBC_SQLITE && kind == ODBC_BYTES))
                        return 0;
        }
        for (unsigned place = 1; place <= n; place++)
                for (size_t i = 0; i < t->table->n_columns; i++)
                        if (t->table->columns[i].key_place == place &&
                            strings_append(&t->table->identity, t->table->columns[i].name) < 0)
                                return -ENOMEM;
        return 0;
}

int odbc_table_load(OdbcConnection *c, const char *name, OdbcTable **ret, Error *error) {
        _cleanup_(odbc_table_freep) OdbcTable *t = calloc(1, sizeof(*t));
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        int r;

        if (!t || !(t->table = calloc(1, sizeof(*t->table))) || !(t->table->name = strdup(name)))
                return -ENOMEM;
        r = catalog_query(c, c->dialect->table_sql, name, &rows, error);
        if (r < 0)
                return r;
        if (rows.n_rows == 0)
                return missing(c, name, error);
        t->table->is_view = cell_true(&rows, 0, 0);
        t->table->exact_names = c->dialect->family == ODBC_POSTGRESQL;
        if (odbc_cell(&rows, 0, 1) && !(t->engine = strdup(odbc_cell(&rows, 0, 1))))
                return -ENOMEM;
        r = columns_load(c, name, t, error);
        if (r >= 0)
                r = indexes_load(c, name, t->table, error);
        if (r >= 0)
                r = identity_make(c->dialect->family, t);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

/* ---- the tables of a scan ---- */

void odbc_sources_done(OdbcSources *s) {
        odbc_table_free(s->own);
        for (size_t i = 0; i < s->n_joins; i++)
                odbc_table_free(s->joins[i]);
        free(s->joins);
        *s = (OdbcSources){};
}

static int source_load(OdbcConnection *c, const Pair *pair, const char *name, unsigned line, unsigned column,
                       json_t *report, OdbcTable **ret, Error *error) {
        _cleanup_error_ Error failure = {};
        int r;

        r = odbc_table_load(c, name, ret, &failure);
        return r < 0 ? table_not_loaded(r, &failure, name, pair, line, column, report, error) : r;
}

int odbc_sources_load(OdbcConnection *c, const Pair *pair, const Mapping *m, json_t *report, OdbcSources *s,
                      Error *error) {
        _cleanup_free_ Table **joins = calloc(m->n_joins + 1, sizeof(Table *));
        int r;

        s->joins = calloc(m->n_joins + 1, sizeof(OdbcTable *));
        if (!s->joins || !joins)
                return -ENOMEM;
        s->n_joins = m->n_joins;
        r = source_load(c, pair, m->from, m->line, m->column, report, &s->own, error);
        for (size_t i = 0; i < m->n_joins && r >= 0; i++) {
                r = source_load(c, pair, m->joins[i].from, m->joins[i].line, m->joins[i].column, report,
                                &s->joins[i], error);
                joins[i] = s->joins[i] ? s->joins[i]->table : NULL;
        }
        return r < 0 ? r : table_check_source(s->own ? s->own->table : NULL, joins, pair, m, report, error);
}
