/* SPDX-License-Identifier: Apache-2.0 */
/* Records that something in the log concerns, read by their keys: what a scan would give of them now. Values stand in the query as
 * literals, as they do in a scan's. */
#include "connect/postgresql-log.h"

#include "basic/text.h"
#include "connect/sql.h"

/* ("source"."a", "source"."b") in (('1'::integer, 'x'::text), …): columns and values of a predicate. */
typedef struct Predicate {
        CopyBuffer text;
        size_t n_rows;
} Predicate;

static void predicate_done(Predicate *p) { copy_buffer_done(&p->text); }

static int put(Predicate *p, const char *text) {
        size_t size = strlen(text);
        char *at = copy_buffer_reserve(&p->text, size + 1);

        if (!at)
                return -ENOMEM;
        (void) memcpy(at, text, size + 1);
        p->text.size += size;
        return 0;
}

static int put_column(Predicate *p, const char *alias, const char *name, bool first) {
        _cleanup_free_ char *quoted_alias = sql_identifier(alias), *quoted = sql_identifier(name), *text = NULL;

        if (!quoted_alias || !quoted || asprintf(&text, "%s%s.%s", first ? "" : ", ", quoted_alias, quoted) < 0)
                return -ENOMEM;
        return put(p, text);
}

/* A row that has a null equals nothing. */
static bool row_compares(const Value *values, const bool *mask, size_t n) {
        for (size_t i = 0; i < n; i++)
                if ((!mask || mask[i]) && value_is_null(values + i))
                        return false;
        return true;
}

static int put_row(Predicate *p, const Value *values, const PgType *const *types, const bool *mask, size_t n) {
        bool first = true;
        int r = put(p, p->n_rows++ > 0 ? ", (" : "(");

        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (mask && !mask[i])
                        continue;
                r = first ? 0 : put(p, ", ");
                first = false;
                if (r >= 0)
                        r = pg_literal(types[i], values + i, &p->text);
        }
        return r < 0 ? r : put(p, ")");
}

static int put_rows(Predicate *p, const Value *const *rows, size_t n_rows, const PgType *const *types, const bool *mask, size_t n) {
        int r = put(p, ") in (");

        for (size_t i = 0; r >= 0 && i < n_rows; i++)
                if (row_compares(rows[i], mask, n))
                        r = put_row(p, rows[i], types, mask, n);
        return r < 0 ? r : put(p, ")");
}

/* ---- running it ---- */

static int row_decode(PgStream *s, const PgScan *scan, const PGresult *result, int row, size_t n, Arena *arena, Value *values,
                      Error *error) {
        for (size_t i = 0; i < n; i++) {
                const PgType *type = scan->types[i];
                int r;

                if (PQgetisnull(result, row, (int) i)) {
                        values[i] = value_null();
                        continue;
                }
                r = pg_decode(type, PQgetvalue(result, row, (int) i), (size_t) PQgetlength(result, row, (int) i),
                              s->connection->check_utf8 || type->kind == PG_OTHER, arena, values + i);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return error_set(error, ERROR_INTERNAL, "Report it, with the version of the server",
                                         "System \"%s\": %s cannot be understood", s->connection->system->name, type->name);
        }
        return 0;
}

/* places: of each value its column in what the taker is given; NULL: the same. */
static int rows_give(PgStream *s, const PgScan *scan, const PGresult *result, size_t n, const size_t *places, size_t n_given,
                     log_taker_t take, void *userdata, Error *error) {
        _cleanup_free_ Value *values = calloc(n + 1, sizeof(Value)), *given = calloc(n_given + 1, sizeof(Value));
        _cleanup_arena_ Arena *arena = NULL;
        int r = 0;

        if (!values || !given || arena_new(&arena) < 0)
                return -ENOMEM;
        for (int row = 0; r >= 0 && row < PQntuples(result); row++) {
                r = row_decode(s, scan, result, row, n, arena, values, error);
                for (size_t i = 0; r >= 0 && i < n; i++)
                        given[places ? places[i] : i] = values[i];
                if (r >= 0)
                        r = take(userdata, given, error);
                arena_reset(arena);
        }
        return r;
}

static int mapping_read(PgStream *s, const Mapping *m, const PgSources *sources, const size_t *places, size_t n_given,
                        log_taker_t take, void *userdata, Error *error) {
        const ReadPlan plan = {.pair = s->plan->pair, .mapping = m, .scope = READ_ALL};
        PgConnection *c = s->connection;
        _cleanup_(pg_scan_done) PgScan scan = {};
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_scan_make(c->db, c->system, &plan, sources, NULL, &scan, error);
        if (r < 0)
                return r;
        result = PQexecParams(c->db, scan.sql, 0, NULL, NULL, NULL, NULL, 1);
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
                return pg_fail(c->db, result, c->system, "cannot read changed records", false, error);
        return rows_give(s, &scan, result, m->n_columns, places, n_given, take, userdata, error);
}

int pg_log_read(LogStream *stream, size_t mapping, const Value *const *keys, size_t n_keys, log_taker_t take, void *userdata,
                Error *error) {
        PgStream *s = (PgStream *) stream;
        const PgFollowed *f = s->followed + mapping;
        _cleanup_free_ const PgType **types = calloc(f->mapping->n_columns + 1, sizeof(*types));
        _cleanup_(predicate_done) Predicate p = {};
        Mapping m = *f->mapping;
        bool first = true;
        int r = 0;

        if (!types)
                return -ENOMEM;
        if (m.where) {
                r = put(&p, "(\n");
                if (r >= 0)
                        r = put(&p, m.where);
                if (r >= 0)
                        r = put(&p, "\n) and ");
        }
        if (r >= 0)
                r = put(&p, "(");
        for (size_t i = 0; r >= 0 && i < m.n_columns; i++) {
                if (!f->of_key[i])
                        continue;
                types[i] = pg_table_type(f->sources.own, m.columns[i].name);
                r = put_column(&p, SQL_SOURCE, m.columns[i].name, first);
                first = false;
        }
        if (r >= 0)
                r = put_rows(&p, keys, n_keys, types, f->of_key, m.n_columns);
        if (r < 0 || p.n_rows == 0)
                return r;
        m.where = p.text.bytes;
        return mapping_read(s, &m, &f->sources, NULL, m.n_columns, take, userdata, error);
}

/* The right side of by: a column of the entity's table, or of an earlier join. */
static int put_right(Predicate *p, const Mapping *m, size_t n_earlier, const char *right, bool first) {
        const char *dot = strchr(right, '.');

        for (size_t i = 0; dot && i < n_earlier; i++) {
                const char *name = m->joins[i].name;

                if (strlen(name) == (size_t) (dot - right) && strncmp(name, right, (size_t) (dot - right)) == 0)
                        return put_column(p, name, dot + 1, first);
        }
        if (dot && text_starts_with(right, SQL_SOURCE "."))
                right = dot + 1;
        return put_column(p, SQL_SOURCE, right, first);
}

/* Records are found through the joins before this one, which are all optional here: what they lack now they may have had. */
int pg_log_read_joined(LogStream *stream, size_t mapping, size_t join, const Value *const *values, size_t n_values,
                       log_taker_t take, void *userdata, Error *error) {
        PgStream *s = (PgStream *) stream;
        const PgFollowed *f = s->followed + mapping;
        const MappingJoin *joined = &f->mapping->joins[join];
        _cleanup_free_ const PgType **types = calloc(joined->n_by + 1, sizeof(*types));
        _cleanup_free_ MappingJoin *joins = calloc(join + 1, sizeof(*joins));
        _cleanup_free_ MappingColumn *columns = calloc(f->mapping->n_columns + 1, sizeof(*columns));
        _cleanup_free_ size_t *places = calloc(f->mapping->n_columns + 1, sizeof(*places));
        _cleanup_(predicate_done) Predicate p = {};
        Mapping m = *f->mapping;
        int r;

        if (!types || !joins || !columns || !places)
                return -ENOMEM;
        for (size_t i = 0; i < join; i++) {
                joins[i] = m.joins[i];
                joins[i].optional = true;
        }
        m.joins = joins;
        m.n_joins = join;
        m.columns = columns;
        m.n_columns = 0;
        for (size_t i = 0; i < f->mapping->n_columns; i++)
                if (f->of_key[i]) {
                        places[m.n_columns] = i;
                        columns[m.n_columns++] = f->mapping->columns[i];
                }
        r = put(&p, "(");
        for (size_t i = 0; r >= 0 && i < joined->n_by; i++) {
                types[i] = pg_table_type(f->sources.joins[join], joined->by[i].left);
                r = put_right(&p, f->mapping, join, joined->by[i].right, i == 0);
        }
        if (r >= 0)
                r = put_rows(&p, values, n_values, types, NULL, joined->n_by);
        if (r < 0 || p.n_rows == 0)
                return r;
        m.where = p.text.bytes;
        return mapping_read(s, &m, &f->sources, places, f->mapping->n_columns, take, userdata, error);
}
