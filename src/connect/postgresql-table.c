/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-database.h"

#include "basic/text.h"
#include "connect/sql.h"

#define TEXT_ARRAY_OID    1009
#define NUMERIC_ARRAY_OID 1231
#define MODIFIER_HEADER   4 /* of numeric's modifiers */

PgTable *pg_table_free(PgTable *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_types; i++)
                free(t->types[i].name);
        free(t->types);
        table_free(t->table);
        free(t->name);
        free(t);
        return NULL;
}

const PgType *pg_table_type(const PgTable *t, const char *column) {
        const TableColumn *found = table_column(t->table, column);

        return found ? &t->types[found - t->table->columns] : NULL;
}

static const char *cell(const PGresult *result, int row, int column) {
        return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

static bool cell_true(const PGresult *result, int row, int column) {
        return PQgetvalue(result, row, column)[0] == 't';
}

static int64_t cell_number(const PGresult *result, int row, int column) {
        int64_t number = 0;

        return text_to_int64(PQgetvalue(result, row, column), INT64_MIN, INT64_MAX, &number) < 0 ? 0 : number;
}

static int missing(PGconn *db, const System *system, const char *name, Error *error) {
        static const char sql[] =
                "select case when pg_table_is_visible(oid) then relname else relnamespace::regnamespace || '.' "
                "|| relname end from pg_class where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace not "
                "in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) order by 1 limit 10000";
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_strings_ char **names = NULL;
        int r;

        r = pg_query(db, system, sql, NULL, &result, error);
        for (int i = 0; r >= 0 && i < PQntuples(result); i++)
                r = strings_append(&names, PQgetvalue(result, i, 0));
        return r < 0 ? r : table_missing("table", name, system->name, names, error);
}

/* A schema that the login may not use hides all that is in it. */
static int lookup_fail(PGconn *db, const PGresult *result, const System *system, const char *table, Error *error) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE), *dot = strstr(table, "\".\"");
        _cleanup_free_ char *remedy = NULL;
        int r;

        if (!state || !text_equal(state, "42501") || !dot)
                return pg_fail(db, result, system, "cannot look it up", false, error);
        r = asprintf(&remedy, "Let the DBA run: grant usage on schema %.*s to %s", (int) (dot + 1 - table), table, PQuser(db));
        if (r < 0) {
                remedy = NULL;
                return -ENOMEM;
        }
        return error_set(error, ERROR_TABLE_MISSING, remedy, "System \"%s\": the login %s may not look into the schema of %s",
                         system->name, PQuser(db), table);
}

/* Types below their domains, with the modifier that counts. Their names are for casts: with -1 it is bpchar, without
 * it "character", which is one character. */
static const char columns_sql[] =
        "with recursive resolved (number, type, modifier) as ("
        " select attnum, atttypid, atttypmod from pg_attribute"
        " where attrelid = $1::oid and attnum > 0 and not attisdropped"
        " union all"
        " select r.number, t.typbasetype, case when r.modifier >= 0 then r.modifier else t.typtypmod end"
        " from resolved r join pg_type t on t.oid = r.type where t.typtype = 'd')"
        " select a.attname, t.oid, t.typtype = 'e', t.typname, t.typarray, r.modifier,"
        " format_type(t.oid, -1), format_type(a.atttypid, a.atttypmod),"
        " a.attnotnull and not a.atthasdef and a.attidentity = '' and a.attgenerated = '', a.attgenerated <> '',"
        " coalesce(k.place, 0), t.typtype, t.typcategory, scale(0::money::numeric), a.attidentity = 'a'"
        " from pg_attribute a join resolved r on r.number = a.attnum"
        " join pg_type t on t.oid = r.type and t.typtype <> 'd'"
        " left join (select part.number, part.place from pg_index i"
        " cross join lateral unnest(i.indkey::int2[]) with ordinality as part (number, place)"
        " where i.indrelid = $1::oid and i.indisprimary and part.place <= i.indnkeyatts) k on k.number = a.attnum"
        " where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum";

static int type_fill(PgType *type, const PGresult *result, int row) {
        *type = (PgType){
                .kind = pg_kind_of((uint32_t) cell_number(result, row, 1), cell_true(result, row, 2),
                                   cell(result, row, 3)),
                .oid = (uint32_t) cell_number(result, row, 1),
                .array_oid = (uint32_t) cell_number(result, row, 4),
                .modifier = (int32_t) cell_number(result, row, 5),
                .category = PQgetvalue(result, row, 12)[0],
                .always_identity = cell_true(result, row, 14),
                .compound = pg_compound_of(PQgetvalue(result, row, 11)[0], PQgetvalue(result, row, 12)[0]),
                .name = strdup(cell(result, row, 6)),
        };
        /* Without an array of its own (a type from before version 8.3, or made by hand) it goes as text. */
        if (type->array_oid == 0)
                type->kind = PG_OTHER;
        if (type->kind == PG_MONEY) /* numeric(19,s), so that nothing is rounded on the way into it */
                type->modifier = (19 << 16 | (int32_t) cell_number(result, row, 13)) + MODIFIER_HEADER;
        if (pg_cast_of(type))
                type->array_oid = type->kind == PG_MONEY ? NUMERIC_ARRAY_OID : TEXT_ARRAY_OID;
        return type->name ? 0 : -ENOMEM;
}

static int columns_load(PGconn *db, const System *system, const char *oid, PgTable *t, Error *error) {
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_query(db, system, columns_sql, (const char *const[]){oid, NULL}, &result, error);
        if (r < 0)
                return r;
        t->types = calloc((size_t) PQntuples(result) + 1, sizeof(PgType));
        if (!t->types)
                return -ENOMEM;
        for (int i = 0; i < PQntuples(result); i++) {
                TableColumn *column = table_column_add(t->table, cell(result, i, 0));

                if (!column)
                        return -ENOMEM;
                column->type = strdup(cell(result, i, 7));
                if (!column->type)
                        return -ENOMEM;
                column->required = cell_true(result, i, 8);
                column->generated = cell_true(result, i, 9);
                column->key_place = (unsigned) cell_number(result, i, 10);
                t->n_types++;
                r = type_fill(&t->types[i], result, i);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int indexes_load(PGconn *db, const System *system, const char *oid, Table *t, Error *error) {
        static const char sql[] =
                "select i.indexrelid, i.indisunique, a.attname from pg_index i"
                " cross join lateral unnest(i.indkey::int2[]) with ordinality as part (number, place)"
                " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.number"
                " where i.indrelid = $1::oid and i.indisvalid and i.indpred is null and i.indexprs is null"
                " and part.place <= i.indnkeyatts order by i.indexrelid, part.place";
        _cleanup_result_ PGresult *result = NULL;
        int64_t last = 0;
        int r;

        r = pg_query(db, system, sql, (const char *const[]){oid, NULL}, &result, error);
        for (int i = 0; r >= 0 && i < PQntuples(result); i++) {
                if (cell_number(result, i, 0) != last)
                        r = table_index_add(t, NULL, cell_true(result, i, 1));
                last = cell_number(result, i, 0);
                if (r >= 0)
                        r = strings_append(&t->indexes[t->n_indexes - 1].columns, cell(result, i, 2));
        }
        return r;
}

/* The primary key, where every column of it has a kind whose literal is exact. The children of a table that others inherit from have keys
 * of their own: there the same key may come twice. */
static int identity_make(PgTable *t) {
        if (t->has_heirs)
                return 0;
        for (size_t i = 0; i < t->table->n_columns; i++)
                if (t->table->columns[i].key_place > 0 &&
                    (pg_cast_of(&t->types[i]) || t->types[i].kind == PG_REAL ||
                     t->types[i].kind == PG_DOUBLE || t->types[i].kind == PG_GEOMETRY))
                        return 0;
        for (unsigned place = 1; place <= t->table->n_columns; place++)
                for (size_t i = 0; i < t->table->n_columns; i++)
                        if (t->table->columns[i].key_place == place &&
                            strings_append(&t->table->identity, t->table->columns[i].name) < 0)
                                return -ENOMEM;
        return 0;
}

static int table_fill(PGconn *db, const System *system, const char *name, const PGresult *found,
                      PgTable *t, Error *error) {
        const char *oid = PQgetvalue(found, 0, 0);
        int r;

        t->table = calloc(1, sizeof(*t->table));
        if (!t->table)
                return -ENOMEM;
        t->table->exact_names = true;
        t->table->name = strdup(name);
        t->name = strdup(PQgetvalue(found, 0, 1));
        if (!t->table->name || !t->name)
                return -ENOMEM;
        t->oid = (uint32_t) cell_number(found, 0, 0);
        t->plain = cell_true(found, 0, 2);
        t->table->is_view = cell_true(found, 0, 3);
        t->has_heirs = cell_true(found, 0, 4);
        t->events = (unsigned) cell_number(found, 0, 5);
        t->hides_rows = cell_true(found, 0, 6);
        r = columns_load(db, system, oid, t, error);
        if (r >= 0)
                r = indexes_load(db, system, oid, t->table, error);
        return r < 0 ? r : identity_make(t);
}

int pg_table_load(PGconn *db, const System *system, const char *name, PgTable **ret, Error *error) {
        static const char sql[] =
                "select c.oid, format('%I.%I', c.relnamespace::regnamespace::text, c.relname),"
                " c.relkind in ('r', 'p', 'f') and not c.relrowsecurity and not exists (select 1 from pg_rewrite r"
                " where r.ev_class = c.oid), c.relkind in ('v', 'm', 'f'), c.relkind = 'r' and exists (select 1 from"
                " pg_inherits h where h.inhparent = c.oid), pg_relation_is_updatable(c.oid, true),"
                " c.relrowsecurity and row_security_active(c.oid)"
                " from pg_class c where c.oid = to_regclass($1) and c.relkind in ('r', 'p', 'v', 'm', 'f')";
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_(pg_table_freep) PgTable *t = NULL;
        _cleanup_free_ char *quoted = sql_table(name);
        int r;

        if (!quoted)
                return -ENOMEM;
        result = PQexecParams(db, sql, 1, NULL, (const char *const[]){quoted}, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
                return lookup_fail(db, result, system, quoted, error);
        if (PQntuples(result) == 0)
                return missing(db, system, name, error);
        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        r = table_fill(db, system, name, result, t, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

/* ---- the tables of a scan ---- */

void pg_sources_done(PgSources *s) {
        pg_table_free(s->own);
        for (size_t i = 0; i < s->n_joins; i++)
                pg_table_free(s->joins[i]);
        free(s->joins);
}

static int source_load(PGconn *db, const System *system, const Pair *pair, const char *name, unsigned line,
                       unsigned column, json_t *report, PgTable **ret, Error *error) {
        _cleanup_error_ Error failure = {};
        int r;

        r = pg_table_load(db, system, name, ret, &failure);
        return r < 0 ? table_not_loaded(r, &failure, name, pair, line, column, report, error) : r;
}

int pg_sources_load(PGconn *db, const System *system, const Pair *pair, const Mapping *m, json_t *report,
                    PgSources *s, Error *error) {
        _cleanup_free_ Table **joins = calloc(m->n_joins + 1, sizeof(Table *));
        int r;

        s->joins = calloc(m->n_joins + 1, sizeof(PgTable *));
        if (!s->joins || !joins)
                return -ENOMEM;
        s->n_joins = m->n_joins;
        r = source_load(db, system, pair, m->from, m->line, m->column, report, &s->own, error);
        for (size_t i = 0; i < m->n_joins && r == 0; i++) {
                r = source_load(db, system, pair, m->joins[i].from, m->joins[i].line, m->joins[i].column,
                                report, &s->joins[i], error);
                joins[i] = s->joins[i] ? s->joins[i]->table : NULL;
        }
        return r < 0 ? r : table_check_source(s->own ? s->own->table : NULL, joins, pair, m, report, error);
}
