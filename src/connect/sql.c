/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sql.h"

#include "basic/text.h"

/* A statement is written into a memory stream; finished() turns its sticky error into one answer. */
typedef struct Statement {
        FILE *stream;
        char *text;
        size_t size;
} Statement;

static void statement_done(Statement *s) {
        if (s->stream)
                (void) fclose(s->stream);
        free(s->text);
}

static int statement_begin(Statement *s) {
        s->stream = open_memstream(&s->text, &s->size);
        return s->stream ? 0 : -ENOMEM;
}

static int statement_finish(Statement *s, char **ret) {
        bool failed = ferror(s->stream) != 0;

        if (fclose(TAKE_PTR(s->stream)) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(s->text);
        return 0;
}

static void put(Statement *s, const char *text) { (void) fputs(text, s->stream); }

static void put_name_n(Statement *s, const char *name, size_t size) {
        (void) fputc('"', s->stream);
        for (size_t i = 0; i < size; i++) {
                if (name[i] == '"')
                        (void) fputc('"', s->stream);
                (void) fputc(name[i], s->stream);
        }
        (void) fputc('"', s->stream);
}

static void put_name(Statement *s, const char *name) { put_name_n(s, name, strlen(name)); }

static void put_table(Statement *s, const char *name) {
        const char *dot = strchr(name, '.');

        if (dot && dot > name && dot[1] != '\0') {
                put_name_n(s, name, (size_t) (dot - name));
                put(s, ".");
                name = dot + 1;
        }
        put_name(s, name);
}

static void put_column(Statement *s, const char *alias, const char *name) {
        put_name(s, alias);
        put(s, ".");
        put_name(s, name);
}

char *sql_identifier(const char *name) {
        _cleanup_(statement_done) Statement s = {};
        char *text = NULL;

        if (statement_begin(&s) < 0)
                return NULL;
        put_name(&s, name);
        return statement_finish(&s, &text) < 0 ? NULL : text;
}

char *sql_table(const char *name) {
        _cleanup_(statement_done) Statement s = {};
        char *text = NULL;

        if (statement_begin(&s) < 0)
                return NULL;
        put_table(&s, name);
        return statement_finish(&s, &text) < 0 ? NULL : text;
}

/* The right side of `by`: a column of the entity's table, or "join.column" of an earlier join. */
static void put_right(Statement *s, const Mapping *m, size_t n_earlier, const char *right) {
        const char *dot = strchr(right, '.');

        for (size_t i = 0; dot && i < n_earlier; i++) {
                const char *name = m->joins[i].name;

                if (strlen(name) == (size_t) (dot - right) &&
                    strncmp(name, right, (size_t) (dot - right)) == 0) {
                        put_column(s, name, dot + 1);
                        return;
                }
        }
        if (dot && text_starts_with(right, SQL_SOURCE "."))
                right = dot + 1;
        put_column(s, SQL_SOURCE, right);
}

/* alias.left = right and … */
static void put_by(Statement *s, const Mapping *m, size_t index, const char *alias) {
        const MappingJoin *join = &m->joins[index];

        for (size_t i = 0; i < join->n_by; i++) {
                put(s, i > 0 ? " and " : "");
                put_column(s, alias, join->by[i].left);
                put(s, " = ");
                put_right(s, m, index, join->by[i].right);
        }
}

/* alias.a, alias.b; in parentheses where there are several, as a row value needs. */
static void put_row(Statement *s, const char *alias, char *const *columns, bool parentheses) {
        parentheses = parentheses && strings_count(columns) > 1;
        put(s, parentheses ? "(" : "");
        for (size_t i = 0; columns[i]; i++) {
                put(s, i > 0 ? ", " : "");
                put_column(s, alias, columns[i]);
        }
        put(s, parentheses ? ")" : "");
}

static void put_first_order(Statement *s, const SqlSelect *select, size_t index) {
        char *const *identity = select->join_identity[index];
        const MappingJoin *join = &select->mapping->joins[index];

        put(s, " order by ");
        for (size_t i = 0; join->order && join->order[i]; i++) {
                bool descending = join->order[i][0] == '-';

                put_column(s, "tf_first", join->order[i] + descending);
                put(s, descending ? " desc, " : ", ");
        }
        put_row(s, "tf_first", identity, false);
        put(s, select->dialect == SQL_SQLSERVER ? "" : " limit 1");
}

/* The first row by order, ties broken by the row's identity, so that the same data always gives the same
 * row. */
static void put_first(Statement *s, const SqlSelect *select, size_t index) {
        char *const *identity = select->join_identity[index];
        const Mapping *m = select->mapping;
        const MappingJoin *join = &m->joins[index];

        put_row(s, join->name, identity, true);
        put(s, " = (select ");
        put_row(s, "tf_first", identity, false);
        put(s, " from ");
        put_table(s, join->from);
        put(s, " as \"tf_first\" where ");
        put_by(s, m, index, "tf_first");
        put_first_order(s, select, index);
        put(s, ")");
}

static void put_on(Statement *s, const SqlSelect *select, size_t i) {
        const Mapping *m = select->mapping;
        const MappingJoin *join = &m->joins[i];

        put_table(s, join->from);
        put(s, " as ");
        put_name(s, join->name);
        put(s, " on ");
        if (join->take_first)
                put_first(s, select, i);
        else
                put_by(s, m, i, join->name);
}

/* The first row as a table of its own: PostgreSQL and SQL Server look it up once for each row of the entity. */
static void put_lateral(Statement *s, const SqlSelect *select, size_t i) {
        const Mapping *m = select->mapping;
        bool sqlserver = select->dialect == SQL_SQLSERVER;

        put(s, sqlserver ? "(select top (1) \"tf_first\".* from " : "lateral (select \"tf_first\".* from ");
        put_table(s, m->joins[i].from);
        put(s, " as \"tf_first\" where ");
        put_by(s, m, i, "tf_first");
        put_first_order(s, select, i);
        put(s, ") as ");
        put_name(s, m->joins[i].name);
        put(s, sqlserver ? "" : " on true");
}

/* In SQLite a cross join, in MariaDB a straight one keeps the entity's table outermost: rows stream in its
 * order, nothing is sorted. */
static const char *join_word(SqlDialect dialect, const MappingJoin *join) {
        if (join->take_first && dialect == SQL_SQLSERVER)
                return join->optional ? "\n outer apply " : "\n cross apply ";
        if (join->optional)
                return "\n left join ";
        return dialect == SQL_SQLITE ? "\n cross join " : dialect == SQL_MARIADB ? "\n straight_join " : "\n join ";
}

static int put_joins(Statement *s, const SqlSelect *select, Error *error) {
        const Mapping *m = select->mapping;

        for (size_t i = 0; i < m->n_joins; i++) {
                const MappingJoin *join = &m->joins[i];

                if (join->n_by == 0)
                        return error_set(error, ERROR_MAPPING, "Name the columns that join it in by:",
                                         "Join \"%s\" has no by:", join->name);
                if (join->take_first && !select->join_identity[i])
                        return error_set(
                                error, ERROR_NOT_YET, "Join the view's tables instead",
                                "Join \"%s\" takes the first row of view \"%s\", which is not there yet",
                                join->name, join->from);
                put(s, join_word(select->dialect, join));
                if (join->take_first && (select->dialect == SQL_POSTGRESQL || select->dialect == SQL_SQLSERVER))
                        put_lateral(s, select, i);
                else
                        put_on(s, select, i);
        }
        return 0;
}

/* In SQLite a plus keeps the planner from an index that would only help to read nearly everything in the
 * wrong order. */
static void put_window(Statement *s, const SqlSelect *select, const char *alias, const char *column) {
        const char *high = select->high ? select->high : SQL_PARAMETER_HIGH;

        if (select->has_low) {
                put_column(s, alias, column);
                put(s, " >= ");
                put(s, select->low ? select->low : SQL_PARAMETER_LOW);
                put(s, " and ");
                put_column(s, alias, column);
                put(s, " < ");
                put(s, high);
                return;
        }
        put(s, select->dialect == SQL_SQLITE ? "+" : "");
        put_column(s, alias, column);
        put(s, " < ");
        put(s, high);
        put(s, " or ");
        put_column(s, alias, column);
        put(s, " is null");
}

/* Of a join that takes the first row, any row that it chooses from may have changed the choice. */
static void put_join_window(Statement *s, const SqlSelect *select, size_t index) {
        const Mapping *m = select->mapping;
        const MappingJoin *join = &m->joins[index];

        if (!join->take_first) {
                put(s, "(");
                put_window(s, select, join->name, join->watermark);
                put(s, ")");
                return;
        }
        put(s, "exists (select 1 from ");
        put_table(s, join->from);
        put(s, " as \"tf_any\" where ");
        put_by(s, m, index, "tf_any");
        put(s, " and (");
        put_window(s, select, "tf_any", join->watermark);
        put(s, "))");
}

static void put_watermark(Statement *s, const SqlSelect *select) {
        const Mapping *m = select->mapping;

        put(s, "\n and (");
        if (m->watermark) {
                put(s, "(");
                put_window(s, select, SQL_SOURCE, m->watermark);
                put(s, ")");
        }
        for (size_t i = 0, n = m->watermark ? 1 : 0; i < m->n_joins; i++) {
                if (!m->joins[i].watermark)
                        continue;
                put(s, n++ > 0 ? " or " : "");
                put_join_window(s, select, i);
        }
        put(s, ")");
}

static bool has_watermark(const Mapping *m) {
        bool found = m->watermark != NULL;

        for (size_t i = 0; i < m->n_joins; i++)
                found = found || m->joins[i].watermark;
        return found;
}

/* Where the scan begins (" > ") or ends (" <= "): values, or parameters of that name. */
static void put_bound(Statement *s, const SqlSelect *select, const char *relation, const char *const *values,
                      const char *parameter) {
        size_t n = strings_count(select->identity);

        put(s, "\n and ");
        put_row(s, SQL_SOURCE, select->identity, true);
        put(s, relation);
        put(s, n > 1 ? "(" : "");
        for (size_t i = 0; i < n; i++) {
                put(s, i > 0 ? ", " : "");
                if (values)
                        put(s, values[i]);
                else
                        (void) fprintf(s->stream, "%s%zu", parameter, i);
        }
        put(s, n > 1 ? ")" : "");
}

static void put_key_columns(Statement *s, const SqlSelect *select) {
        const Mapping *m = select->mapping;
        size_t n = 0;

        for (size_t i = 0; i < m->n_columns; i++) {
                if (!mapping_column_is_of_key(m, i))
                        continue;
                put(s, n++ > 0 ? ", " : "");
                put_column(s, m->columns[i].join ? m->columns[i].join : SQL_SOURCE, m->columns[i].name);
                if (select->casts && select->casts[i]) {
                        put(s, "::");
                        put(s, select->casts[i]);
                }
        }
        put(s, n == 0 ? "null" : "");
}

static void put_columns(Statement *s, const SqlSelect *select) {
        const Mapping *m = select->mapping;

        put(s, "select ");
        if (select->expression) {
                put(s, select->expression);
                return;
        }
        if (select->keys_only) {
                put_key_columns(s, select);
                return;
        }
        for (size_t i = 0; i < m->n_columns; i++) {
                put(s, i > 0 ? ", " : "");
                if (select->forms && select->forms[i])
                        (void) fwrite(select->forms[i], 1, strcspn(select->forms[i], "@"), s->stream);
                put_column(s, m->columns[i].join ? m->columns[i].join : SQL_SOURCE, m->columns[i].name);
                if (select->forms && select->forms[i])
                        put(s, strchr(select->forms[i], '@') + 1);
                if (select->casts && select->casts[i]) {
                        put(s, "::");
                        put(s, select->casts[i]);
                }
        }
        if (m->n_columns > 0 && select->identity)
                put(s, ", ");
        if (select->identity)
                put_row(s, SQL_SOURCE, select->identity, false);
        else if (m->n_columns == 0)
                put(s, "null");
}

static void put_where(Statement *s, const SqlSelect *select) {
        const char *where = select->where ? select->where : select->mapping->where;

        if (where) {
                /* On lines of its own: a comment at its end must not swallow what follows. */
                put(s, "(\n");
                put(s, where);
                put(s, "\n)");
        } else
                put(s, select->dialect == SQL_SQLITE      ? "1"
                       : select->dialect == SQL_SQLSERVER ? "1 = 1"
                                                          : "true");
}

int sql_select(const SqlSelect *select, char **ret, Error *error) {
        _cleanup_(statement_done) Statement s = {};
        const Mapping *m = select->mapping;
        int r;

        if (select->by_watermark && !has_watermark(m))
                return error_set(error, ERROR_WATERMARK, "Name one in detect: column, or use strategy: full",
                                 "Entity \"%s\" has no watermark column", m->entity);
        r = statement_begin(&s);
        if (r < 0)
                return r;
        put_columns(&s, select);
        put(&s, "\n from ");
        put_table(&s, m->from);
        put(&s, " as \"" SQL_SOURCE "\"");
        r = put_joins(&s, select, error);
        if (r < 0)
                return r;
        put(&s, "\n where ");
        put_where(&s, select);
        if (select->by_watermark)
                put_watermark(&s, select);
        if (select->after)
                put_bound(&s, select, " > ", select->after_values, SQL_PARAMETER_AFTER);
        if (select->until)
                put_bound(&s, select, " <= ", select->until_values, SQL_PARAMETER_UNTIL);
        if (select->identity && !select->expression) {
                put(&s, "\n order by ");
                put_row(&s, SQL_SOURCE, select->identity, false);
        }
        return statement_finish(&s, ret);
}

static void put_key(Statement *s, const Mapping *m) {
        put(s, " where ");
        for (size_t i = 0; i < m->n_key; i++) {
                put(s, i > 0 ? " and " : "");
                put_name(s, m->fields[i].name);
                put(s, " = ?");
        }
}

int sql_insert(const Mapping *mapping, const bool *mask, char **ret) {
        _cleanup_(statement_done) Statement s = {};
        size_t n = 0;
        int r;

        r = statement_begin(&s);
        if (r < 0)
                return r;
        put(&s, "insert into ");
        put_table(&s, mapping->to);
        put(&s, " (");
        for (size_t i = 0; i < mapping->n_fields; i++) {
                if (!mask[i])
                        continue;
                put(&s, n++ > 0 ? ", " : "");
                put_name(&s, mapping->fields[i].name);
        }
        put(&s, ") values (");
        for (size_t i = 0; i < n; i++)
                put(&s, i > 0 ? ", ?" : "?");
        put(&s, ")");
        return statement_finish(&s, ret);
}

int sql_update(const Mapping *mapping, const bool *mask, char **ret) {
        _cleanup_(statement_done) Statement s = {};
        size_t n = 0;
        int r;

        r = statement_begin(&s);
        if (r < 0)
                return r;
        put(&s, "update ");
        put_table(&s, mapping->to);
        put(&s, " set ");
        for (size_t i = 0; i < mapping->n_fields; i++) {
                if (!mask[i])
                        continue;
                put(&s, n++ > 0 ? ", " : "");
                put_name(&s, mapping->fields[i].name);
                put(&s, " = ?");
        }
        put_key(&s, mapping);
        return statement_finish(&s, ret);
}

int sql_delete(const Mapping *mapping, char **ret) {
        _cleanup_(statement_done) Statement s = {};
        int r;

        r = statement_begin(&s);
        if (r < 0)
                return r;
        put(&s, "delete from ");
        put_table(&s, mapping->to);
        put_key(&s, mapping);
        return statement_finish(&s, ret);
}

int sql_fetch(const Mapping *mapping, char **ret) {
        _cleanup_(statement_done) Statement s = {};
        int r;

        r = statement_begin(&s);
        if (r < 0)
                return r;
        put(&s, "select ");
        for (size_t i = 0; i < mapping->n_fields; i++) {
                put(&s, i > 0 ? ", " : "");
                put_name(&s, mapping->fields[i].name);
        }
        put(&s, " from ");
        put_table(&s, mapping->to);
        put_key(&s, mapping);
        return statement_finish(&s, ret);
}

int sql_count(const char *table, char **ret) {
        _cleanup_(statement_done) Statement s = {};
        int r;

        r = statement_begin(&s);
        if (r < 0)
                return r;
        put(&s, "select count(*) from ");
        put_table(&s, table);
        return statement_finish(&s, ret);
}

int sql_extremes(const char *table, const char *column, char **ret) {
        _cleanup_(statement_done) Statement s = {};
        int r;

        r = statement_begin(&s);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < 2; i++) {
                put(&s, i == 0 ? "select (select min(" : ", (select max(");
                put_name(&s, column);
                put(&s, ") from ");
                put_table(&s, table);
                put(&s, ")");
        }
        return statement_finish(&s, ret);
}
