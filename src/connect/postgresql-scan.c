/* SPDX-License-Identifier: Apache-2.0 */
/* The one query of a scan. COPY takes no parameters, so values stand in it as literals: variables are put in
 * where a mapping's `where` names them, outside of texts and comments, and positions and watermarks in the
 * exact form of their column's type. The alternative, a cursor with parameters, costs a round trip per fetch
 * and a copy of each batch. */
#include "connect/postgresql-database.h"

#include "basic/json.h"
#include "basic/text.h"
#include "connect/sql.h"

void pg_scan_done(PgScan *s) {
        free(s->sql);
        free(s->types);
        free(s->places);
        *s = (PgScan){};
}

static const Value *find_variable(const void *context, const char *name, size_t size) {
        const Variable *variable = context ? pair_variable(context, name, size) : NULL;

        return variable ? &variable->value : NULL;
}

/* One literal after the other in one buffer; ret holds offsets until it stays where it is. */
static int literal_add(const PgType *type, const Value *v, CopyBuffer *b, size_t *ret_offset) {
        *ret_offset = b->size;
        return pg_literal(type, v, b) < 0 || !copy_buffer_reserve(b, 1) ? -ENOMEM
                                                                        : (b->bytes[b->size++] = '\0', 0);
}

/* A watermark's literal has the type of the column that it was proved for. */
static const PgType *watermark_type(const Mapping *m, const PgSources *sources) {
        if (m->watermark)
                return pg_table_type(sources->own, m->watermark);
        for (size_t i = 0; i < m->n_joins; i++)
                if (m->joins[i].watermark)
                        return pg_table_type(sources->joins[i], m->joins[i].watermark);
        return NULL;
}

/* Only the key's columns come, one behind the other, and no identity. */
static int scan_narrow(const Mapping *m, PgScan *scan) {
        size_t n = 0;

        scan->places = calloc(m->n_columns + 1, sizeof(*scan->places));
        if (!scan->places)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_columns; i++)
                if (mapping_column_is_of_key(m, i)) {
                        scan->types[n] = scan->types[i];
                        scan->places[n++] = i;
                }
        scan->n_columns = n;
        scan->n_identity = 0;
        return 0;
}

static int types_find(const Mapping *m, const PgSources *sources, PgScan *scan) {
        char *const *identity = sources->own->table->identity;

        scan->n_columns = m->n_columns;
        scan->n_identity = strings_count(identity);
        scan->types = calloc(scan->n_columns + scan->n_identity + 1, sizeof(*scan->types));
        if (!scan->types)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_columns; i++) {
                const PgTable *t = sources->own;

                for (size_t j = 0; m->columns[i].join && j < m->n_joins; j++)
                        if (text_equal(m->joins[j].name, m->columns[i].join))
                                t = sources->joins[j];
                scan->types[i] = pg_table_type(t, m->columns[i].name);
        }
        for (size_t i = 0; i < scan->n_identity; i++)
                scan->types[m->n_columns + i] = pg_table_type(sources->own, identity[i]);
        return 0;
}

/* Does the plan sort? A node of its tree is a Sort, at any depth. */
static bool plan_sorts(const json_t *node) {
        const char *type = json_member_text(node, "Node Type");
        const json_t *child;
        size_t i;

        if (type && strstr(type, "Sort"))
                return true;
        json_array_foreach(json_object_get(node, "Plans"), i, child) {
                if (plan_sorts(child))
                        return true;
        }
        return false;
}

/* The mapping's where is all that can still be wrong when tables and columns are known to be there. */
static int explain_fail(PGconn *db, const PGresult *result, const System *system, const ReadPlan *plan,
                        Error *error) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        int r;

        if (!state || (strncmp(state, "42", 2) != 0 && strncmp(state, "22", 2) != 0) ||
            text_equal(state, "42501") || !plan->mapping->where)
                return pg_fail(db, result, system, "cannot read", false, error);
        r = error_set(error, ERROR_MAPPING, "Correct where: in the mapping; it is the server's own SQL",
                      "%s: Entity \"%s\": PostgreSQL refuses where: %s (SQLSTATE %s)", plan->mapping->where,
                      plan->mapping->entity, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), state);
        return plan->pair ? error_at(error, plan->pair->file, plan->mapping->line, plan->mapping->column) : r;
}

static int explain(PGconn *db, const System *system, const ReadPlan *plan, const char *sql, bool *ret_sorts,
                   Error *error) {
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *question = NULL;
        json_auto_t *document = NULL;

        if (asprintf(&question, "explain (format json) %s", sql) < 0) {
                question = NULL;
                return -ENOMEM;
        }
        result = PQexecParams(db, question, 0, NULL, NULL, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
                return explain_fail(db, result, system, plan, error);
        document = json_loads(PQgetvalue(result, 0, 0), 0, NULL);
        *ret_sorts = !document ||
                     plan_sorts(json_object_get(json_array_get(document, 0), "Plan"));
        return 0;
}

/* Everything that select borrows. */
typedef struct Pieces {
        CopyBuffer literals;
        char *where;
        const char **after, **until, **casts;
        char *const **identities;
} Pieces;

static void pieces_done(Pieces *p) {
        copy_buffer_done(&p->literals);
        free(p->where);
        free(p->after);
        free(p->until);
        free(p->casts);
        free(p->identities);
}

/* Literals of an identity; offsets until the buffer stays where it is. */
static int bound_add(const Value *values, const PgScan *scan, CopyBuffer *b, size_t *offsets) {
        int r = 0;

        for (size_t i = 0; values && r >= 0 && i < scan->n_identity; i++)
                r = literal_add(scan->types[scan->n_columns + i], &values[i], b, &offsets[i]);
        return r;
}

static int literals_make(const ReadPlan *plan, const PgSources *sources, const PgBounds *bounds,
                         const PgScan *scan, Pieces *p, SqlSelect *select) {
        const PgType *stamp = plan->scope == READ_WATERMARK ? watermark_type(plan->mapping, sources) : NULL;
        _cleanup_free_ size_t *offsets = calloc(scan->n_identity * 2 + 1, sizeof(size_t));
        size_t low = 0, high = 0;
        int r = 0;

        if (!offsets)
                return -ENOMEM;
        if (stamp)
                r = literal_add(stamp, &plan->high, &p->literals, &high);
        if (stamp && r >= 0 && select->has_low)
                r = literal_add(stamp, &plan->low, &p->literals, &low);
        if (r >= 0)
                r = bound_add(bounds->after, scan, &p->literals, offsets);
        if (r >= 0)
                r = bound_add(bounds->until, scan, &p->literals, offsets + scan->n_identity);
        if (r < 0)
                return r;
        if (stamp) {
                select->high = p->literals.bytes + high;
                select->low = p->literals.bytes + low;
        }
        for (size_t i = 0; i < scan->n_identity; i++) {
                p->after[i] = bounds->after ? p->literals.bytes + offsets[i] : NULL;
                p->until[i] = bounds->until ? p->literals.bytes + offsets[scan->n_identity + i] : NULL;
        }
        return 0;
}

static int pieces_make(const ReadPlan *plan, const PgSources *sources, const PgBounds *bounds,
                       const PgScan *scan, Pieces *p, SqlSelect *select, Error *error) {
        const Mapping *m = plan->mapping;
        int r;

        p->after = calloc(scan->n_identity + 1, sizeof(char *));
        p->until = calloc(scan->n_identity + 1, sizeof(char *));
        p->casts = calloc(m->n_columns + 1, sizeof(char *));
        p->identities = calloc(m->n_joins + 1, sizeof(char **));
        if (!p->after || !p->until || !p->casts || !p->identities)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_joins; i++)
                p->identities[i] = sources->joins[i]->table->identity;
        for (size_t i = 0; i < m->n_columns; i++)
                p->casts[i] = pg_cast_of(scan->types[i]);
        if (m->where) {
                r = sql_fill(m->where, find_variable, plan->pair, &p->where, error);
                if (r < 0)
                        return plan->pair ? error_at(error, plan->pair->file, m->line, m->column) : r;
        }
        return literals_make(plan, sources, bounds, scan, p, select);
}

/* Where no index gives the order of the key, reading in any order beats a sort of the whole table. */
static int scan_choose(PGconn *db, const System *system, const ReadPlan *plan, SqlSelect *select,
                       PgScan *scan, Error *error) {
        bool sorts = false;
        int r = 0;

        /* A scan that had the order goes on in it, though what is left might be sorted faster than looked up. */
        if (select->after)
                r = pg_execute(db, system, "set local enable_sort = off", error);
        if (r >= 0)
                r = sql_select(select, &scan->sql, error);
        if (r >= 0)
                r = explain(db, system, plan, scan->sql, &sorts, error);
        if (r < 0 || !sorts || !select->identity || select->after)
                return r;
        free(TAKE_PTR(scan->sql));
        scan->n_identity = 0;
        select->identity = NULL;
        return sql_select(select, &scan->sql, error);
}

int pg_scan_make(PGconn *db, const System *system, const ReadPlan *plan, const PgSources *sources,
                 const PgBounds *within, PgScan *ret, Error *error) {
        const PgBounds *bounds = within ? within : &(PgBounds){};
        _cleanup_(pg_scan_done) PgScan scan = {};
        _cleanup_(pieces_done) Pieces pieces = {};
        SqlSelect select = {
                .dialect = SQL_POSTGRESQL,
                .mapping = plan->mapping,
                .identity = sources->own->table->identity,
                .by_watermark = plan->scope == READ_WATERMARK,
                .has_low = !value_is_null(&plan->low),
                .after = bounds->after || bounds->after_columns,
                .until = bounds->until || bounds->until_columns,
                .keys_only = plan->scope == READ_KEYS,
                .expression = bounds->expression,
        };
        int r;

        r = types_find(plan->mapping, sources, &scan);
        if (r >= 0)
                r = pieces_make(plan, sources, bounds, &scan, &pieces, &select, error);
        if (r < 0)
                return r;
        select.join_identity = pieces.identities;
        select.where = pieces.where;
        select.casts = pieces.casts;
        select.after_values = bounds->after_columns ? bounds->after_columns : pieces.after;
        select.until_values = bounds->until_columns ? bounds->until_columns : pieces.until;
        if (plan->scope == READ_RANGES) /* always in the identity's order */
                r = sql_select(&select, &scan.sql, error);
        else
                r = scan_choose(db, system, plan, &select, &scan, error);
        if (r >= 0 && plan->scope == READ_KEYS)
                r = scan_narrow(plan->mapping, &scan);
        if (r < 0)
                return r;
        *ret = scan;
        scan = (PgScan){};
        return 0;
}
