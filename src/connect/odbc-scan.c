/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-scan.h"

#include "basic/text.h"

void odbc_scan_done(OdbcScan *s) {
        free(s->types);
        free(s->read);
        free(s->forms);
        free(s->where);
        free(s->low);
        free(s->high);
        *s = (OdbcScan){};
}

static const Value *find_variable(const void *context, const char *name, size_t size) {
        const Variable *variable = context ? pair_variable(context, name, size) : NULL;

        return variable ? &variable->value : NULL;
}

static int types_find(OdbcScan *s) {
        const Mapping *m = s->plan->mapping;
        char *const *identity = s->sources->own->table->identity;

        s->n_columns = m->n_columns;
        s->n_identity = strings_count(identity);
        s->types = calloc(s->n_columns + s->n_identity + 1, sizeof(*s->types));
        s->read = calloc(s->n_columns + s->n_identity + 1, sizeof(*s->read));
        s->forms = calloc(s->n_columns + 1, sizeof(*s->forms));
        if (!s->types || !s->read || !s->forms)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_columns; i++) {
                const OdbcTable *t = s->sources->own;

                for (size_t j = 0; m->columns[i].join && j < m->n_joins; j++)
                        if (text_equal(m->joins[j].name, m->columns[i].join))
                                t = s->sources->joins[j];
                s->types[i] = odbc_table_type(t, m->columns[i].name);
        }
        for (size_t i = 0; i < s->n_columns; i++)
                s->forms[i] = odbc_column_form(s->dialect->family, s->types[i], &s->read[i]);
        for (size_t i = 0; i < s->n_identity; i++)
                s->types[m->n_columns + i] = s->read[m->n_columns + i] = odbc_table_type(s->sources->own,
                                                                                         identity[i]);
        return 0;
}

/* A watermark's literal has the type of the column that it was taken for. */
static const OdbcType *watermark_type(const OdbcScan *s) {
        const Mapping *m = s->plan->mapping;

        if (m->watermark)
                return odbc_table_type(s->sources->own, m->watermark);
        for (size_t i = 0; i < m->n_joins; i++)
                if (m->joins[i].watermark)
                        return odbc_table_type(s->sources->joins[i], m->joins[i].watermark);
        return NULL;
}

static int watermark_fill(OdbcScan *s) {
        const OdbcType *type = watermark_type(s);
        int r = 0;

        if (s->plan->scope != READ_WATERMARK || !type)
                return 0;
        if (!value_is_null(&s->plan->low))
                r = odbc_literal(s->dialect->family, type, &s->plan->low, &s->low);
        return r < 0 ? r : odbc_literal(s->dialect->family, type, &s->plan->high, &s->high);
}

int odbc_scan_init(OdbcScan *s, const OdbcDialect *dialect, const ReadPlan *plan, const OdbcSources *sources,
                   Error *error) {
        const Mapping *m = plan->mapping;
        int r;

        *s = (OdbcScan){.dialect = dialect, .plan = plan, .sources = sources};
        r = types_find(s);
        if (r < 0)
                return r;
        s->ordered = s->n_identity > 0;
        for (size_t i = 0; i < s->n_columns; i++)
                if (s->types[i]->kind == ODBC_GEOMETRY)
                        return error_set(
                                error, ERROR_NOT_YET, "Read the table by kind: postgresql or kind: ogr",
                                "Column \"%s\" is of type %s: shapes through ODBC are not there yet",
                                m->columns[i].name, s->types[i]->declared);
        if (m->where) {
                r = sql_fill(m->where, find_variable, plan->pair, &s->where, error);
                if (r < 0)
                        return plan->pair ? error_at(error, plan->pair->file, m->line, m->column) : r;
        }
        return watermark_fill(s);
}

static int literals_make(OdbcFamily family, const OdbcType *const *types, const Value *values, size_t n,
                         char **ret) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = odbc_literal(family, types[i], &values[i], &ret[i]);
        return r;
}

static int column_add(TextBuffer *b, const char *name) {
        _cleanup_free_ char *quoted = sql_identifier(name);

        return quoted ? text_buffer_printf(b, "\"" SQL_SOURCE "\".%s", quoted) : -ENOMEM;
}

/* a > x or (a = x and (b > y or (b = y and c > z))): not every database has row values, and those that have
 * do not use an index for them. For until the last column may be equal. */
static int condition_add(TextBuffer *b, char *const *identity, char *const *literals, bool until) {
        bool last = !identity[1];
        int r;

        r = column_add(b, identity[0]);
        if (r >= 0)
                r = text_buffer_printf(b, " %s %s", until ? last ? "<=" : "<" : ">", literals[0]);
        if (r < 0 || last)
                return r;
        r = text_buffer_printf(b, " or (");
        if (r >= 0)
                r = column_add(b, identity[0]);
        if (r >= 0)
                r = text_buffer_printf(b, " = %s and (", literals[0]);
        if (r >= 0)
                r = condition_add(b, identity + 1, literals + 1, until);
        return r < 0 ? r : text_buffer_printf(b, "))");
}

int odbc_key_condition(OdbcFamily family, char *const *identity, const OdbcType *const *types,
                       const Value *values, bool until, char **ret) {
        size_t n = strings_count(identity);
        _cleanup_strings_ char **literals = calloc(n + 1, sizeof(char *));
        _cleanup_text_buffer_ TextBuffer b = {};
        int r;

        if (!literals)
                return -ENOMEM;
        r = literals_make(family, types, values, n, literals);
        /* What bounds the first column alone stands first: with the rest behind "or" no index would be seen. */
        if (r >= 0 && n > 1)
                r = column_add(&b, identity[0]);
        if (r >= 0 && n > 1)
                r = text_buffer_printf(&b, " %s %s and (", until ? "<=" : ">=", literals[0]);
        if (r >= 0)
                r = condition_add(&b, identity, literals, until);
        if (r >= 0 && n > 1)
                r = text_buffer_printf(&b, ")");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b.bytes);
        return 0;
}

static int bound_add(const OdbcScan *s, const Value *values, bool until, TextBuffer *where) {
        _cleanup_free_ char *condition = NULL;
        int r;

        if (!values)
                return 0;
        r = odbc_key_condition(s->dialect->family, s->sources->own->table->identity, s->types + s->n_columns,
                               values, until, &condition);
        return r < 0 ? r : text_buffer_printf(where, "%s(%s)", where->size > 0 ? "\n and " : "", condition);
}

static int page_add(const OdbcScan *s, size_t n_page, char **sql) {
        const char *page = s->dialect->page, *place = strstr(page, ":n");
        char *longer;

        if (n_page == 0)
                return 0;
        if (asprintf(&longer, "%s%.*s%zu%s", *sql, (int) (place - page), page, n_page,
                     place + strlen(":n")) < 0)
                return -ENOMEM;
        free(*sql);
        *sql = longer;
        return 0;
}

int odbc_scan_sql(const OdbcScan *s, const Value *after, const Value *until, size_t n_page, char **ret,
                  Error *error) {
        const Mapping *m = s->plan->mapping;
        _cleanup_free_ char *const **join_identity = calloc(m->n_joins + 1, sizeof(*join_identity));
        _cleanup_text_buffer_ TextBuffer where = {};
        SqlSelect select = {
                .dialect = s->dialect->sql,
                .mapping = m,
                .by_watermark = s->plan->scope == READ_WATERMARK,
                .has_low = s->low != NULL,
                .low = s->low,
                .high = s->high,
                .expression = s->expression,
        };
        int r = 0;

        if (!join_identity)
                return -ENOMEM;
        select.forms = s->forms;
        for (size_t i = 0; i < m->n_joins; i++)
                join_identity[i] = s->sources->joins[i]->table->identity;
        select.join_identity = join_identity;
        if (s->ordered)
                select.identity = s->sources->own->table->identity;
        if (s->where) /* on lines of its own: a comment at its end must not swallow what follows */
                r = text_buffer_printf(&where, "(\n%s\n)", s->where);
        if (r >= 0)
                r = bound_add(s, after, false, &where);
        if (r >= 0)
                r = bound_add(s, until, true, &where);
        select.where = where.size > 0 ? where.bytes : NULL;
        if (r >= 0)
                r = sql_select(&select, ret, error);
        return r < 0 ? r : page_add(s, n_page, ret);
}
