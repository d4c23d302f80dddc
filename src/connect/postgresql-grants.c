/* SPDX-License-Identifier: Apache-2.0 */
/* Least privilege: what a DBA has to run for what a mapping does, and whether the login has it. What cannot be asked (which columns a `where` uses)
 * is asked for more widely, and said so. */
#include "connect/postgresql-database.h"

#include "basic/json.h"
#include "basic/text.h"

typedef struct Grants {
        PgConnection *connection;
        const Mapping *mapping;
        json_t *report;
        const char *role; /* quoted */
} Grants;

static int grant_add(const Grants *g, bool ok, char *sql, const char *why) {
        _cleanup_free_ char *owned = sql, *what = NULL;
        json_t *row;

        if (!owned || asprintf(&what, "grant for system %s", g->connection->system->name) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        row = json_pack("{s:s, s:b, s:s, s:s?, s:s}", "what", what, "ok", (int) ok, "message", why, "remedy",
                        ok ? NULL : "Let the DBA run the statement", "sql", owned);
        return json_array_append_new(g->report, row) < 0 ? -ENOMEM : 0;
}

static char *sql_format(const char *format, ...) _printf_(1, 2);

static char *sql_format(const char *format, ...) {
        va_list arguments;
        char *text;
        int n;

        va_start(arguments, format);
        n = vasprintf(&text, format, arguments);
        va_end(arguments);
        return n < 0 ? NULL : text;
}

/* One question with one yes or no. */
static int ask(const Grants *g, const char *sql, const char *const *parameters, bool *ret, Error *error) {
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_query(g->connection->db, g->connection->system, sql, parameters, &result, error);
        if (r >= 0)
                *ret = PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
        return r;
}

/* ---- of a table ---- */

static int usage_grant(const Grants *g, const PgTable *t, Error *error) {
        static const char sql[] = "select n.nspname, quote_ident(n.nspname), has_schema_privilege(n.oid, 'usage') from pg_class c"
                                  " join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::oid";
        _cleanup_result_ PGresult *result = NULL;
        char oid[16];
        int r;

        (void) snprintf(oid, sizeof(oid), "%u", t->oid);
        r = pg_query(g->connection->db, g->connection->system, sql, (const char *const[]){oid, NULL}, &result, error);
        if (r < 0 || PQntuples(result) != 1)
                return r;
        return grant_add(g, PQgetvalue(result, 0, 2)[0] == 't',
                         sql_format("grant usage on schema %s to %s", PQgetvalue(result, 0, 1), g->role), "Finds the tables of the schema");
}

static int table_grant(const Grants *g, const PgTable *t, const char *privilege, const char *columns, const char *why, Error *error) {
        char oid[16];
        bool ok = false;
        int r;

        (void) snprintf(oid, sizeof(oid), "%u", t->oid);
        r = ask(g, "select has_table_privilege($1::oid, $2)", (const char *const[]){oid, privilege, NULL}, &ok, error);
        if (r < 0)
                return r;
        if (!ok && columns) { /* fewer columns are enough, and asked for */
                r = ask(g, "select bool_and(has_column_privilege($1::oid, trim(name)::name, $2)) from unnest(string_to_array($3, ', ')) name",
                        (const char *const[]){oid, privilege, columns, NULL}, &ok, error);
                if (r < 0)
                        return r;
        }
        return grant_add(g, ok, sql_format("grant %s%s%s%s on %s to %s", privilege, columns ? " (" : "", columns ? columns : "",
                                           columns ? ")" : "", t->name, g->role),
                         why);
}

static int column_add(char ***columns, const char *name) {
        return !name || strings_contain(*columns, name) ? 0 : strings_append(columns, name);
}

/* Every column that a scan names of one of its tables; NULL join: the entity's own. */
static int columns_needed(const Mapping *m, const PgTable *t, const MappingJoin *join, char ***ret) {
        int r = 0;

        for (size_t i = 0; i < m->n_columns && r >= 0; i++)
                if (text_equal(m->columns[i].join, join ? join->name : NULL))
                        r = column_add(ret, m->columns[i].name);
        for (char *const *name = t->table->identity; name && *name && r >= 0; name++)
                r = column_add(ret, *name);
        if (r >= 0)
                r = column_add(ret, join ? join->watermark : m->watermark);
        for (size_t i = 0; join && i < join->n_by && r >= 0; i++)
                r = column_add(ret, join->by[i].left);
        for (char *const *name = join ? join->order : NULL; name && *name && r >= 0; name++)
                r = column_add(ret, *name + (**name == '-'));
        for (size_t i = 0; i < m->n_joins && r >= 0; i++)
                for (size_t k = 0; k < m->joins[i].n_by && r >= 0; k++) {
                        const char *right = m->joins[i].by[k].right, *dot = strchr(right, '.');

                        if (dot ? join && strncmp(right, join->name, (size_t) (dot - right)) == 0 && !join->name[dot - right] : !join)
                                r = column_add(ret, dot ? dot + 1 : right);
                }
        return r;
}

/* "a", "B c": quoted only where needed would need the server; always quoted, it is the same. */
static char *names_join(char *const *names) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        for (size_t i = 0; f && names && names[i]; i++)
                (void) fprintf(f, "%s%s", i > 0 ? ", " : "", names[i]);
        return f && fclose(f) == 0 ? TAKE_PTR(text) : NULL;
}

static bool names_are_plain(char *const *names) {
        for (; names && *names; names++)
                if (!name_is_valid(*names) || strchr(*names, '-'))
                        return false;
        return true;
}

static int select_grant(const Grants *g, const PgTable *t, const MappingJoin *join, Error *error) {
        _cleanup_strings_ char **columns = NULL;
        _cleanup_free_ char *names = NULL;
        int r;

        r = usage_grant(g, t, error);
        if (r < 0)
                return r;
        if (g->mapping->where)
                return table_grant(g, t, "select", NULL, "Reads the table: where: may name any of its columns", error);
        r = columns_needed(g->mapping, t, join, &columns);
        if (r < 0)
                return r;
        names = names_are_plain(columns) ? names_join(columns) : NULL;
        return table_grant(g, t, "select", names, "Reads the mapped columns and the key", error);
}

/* ---- of strategies ---- */

static int replication_grants(const Grants *g, const PgTable *t, Error *error) {
        bool ok = false, logical = false, owns = false;
        char oid[16];
        int r;

        (void) snprintf(oid, sizeof(oid), "%u", t->oid);
        r = ask(g, "select rolreplication or rolsuper from pg_roles where rolname = current_user", NULL, &ok, error);
        if (r >= 0)
                r = ask(g, "select current_setting('wal_level') = 'logical'", NULL, &logical, error);
        if (r >= 0)
                r = ask(g, "select has_database_privilege(current_database(), 'create') and pg_has_role(relowner, 'usage') from pg_class"
                           " where oid = $1::oid",
                        (const char *const[]){oid, NULL}, &owns, error);
        if (r >= 0)
                r = grant_add(g, logical, sql_format("alter system set wal_level = 'logical'"), "The server's log can be decoded (after a restart)");
        if (r >= 0)
                r = grant_add(g, ok, sql_format("alter role %s replication", g->role), "Reads the server's log");
        if (r >= 0)
                r = grant_add(g, owns, sql_format("alter table %s owner to %s", t->name, g->role),
                              "Makes the publication of the table itself; or let a DBA make it: create publication");
        return r;
}

static int stats_grant(const Grants *g, bool *ret_ok, Error *error) {
        return ask(g, "select pg_has_role(current_user, 'pg_read_all_stats', 'usage') and not pg_is_in_recovery()", NULL, ret_ok, error);
}

/* The strongest that today's rights allow, whatever the mapping names. */
static int strategy_tell(const Grants *g, Error *error) {
        unsigned have = postgresql_connector.strategies;
        bool log = false, stats = false;
        DetectStrategy best = DETECT_FULL;
        json_t *row;
        const char *blind = "nothing of the records; but each run reads all of them, and what changed twice between two runs is one change";
        int r;

        r = ask(g, "select (rolreplication or rolsuper) and current_setting('wal_level') = 'logical' and not pg_is_in_recovery() from pg_roles"
                   " where rolname = current_user",
                NULL, &log, error);
        if (r >= 0)
                r = stats_grant(g, &stats, error);
        if (r < 0)
                return r;
        if (log && (have & DETECT_BIT(DETECT_LOG)))
                best = DETECT_LOG, blind = "nothing, as long as its slot lives: every insert, update, delete and truncate is told";
        else if (have & DETECT_BIT(DETECT_DIGEST))
                best = DETECT_DIGEST, blind = "nothing of the records; the database reads all of them to sum them up, and what changed twice is one change";
        else if (stats && g->mapping->watermark)
                best = DETECT_WATERMARK, blind = "deletes, and changes that do not set the column: a sweep finds them (detect: {sweep: daily})";
        row = json_pack("{s:s, s:b, s:s, s:n, s:s, s:s}", "what", "strategy", "ok", 1, "message",
                        "The strongest strategy that the rights at hand allow", "remedy", "strategy", detect_strategy_to_string(best), "blind", blind);
        return json_array_append_new(g->report, row) < 0 ? -ENOMEM : 0;
}

/* ---- a side ---- */

/* A table that is not seen: it is not there, or its schema may not be used. Which, only the DBA can tell. */
static int unseen_grants(const Grants *g, const char *table, const char *privilege) {
        const char *dot = strchr(table, '.');
        int r;

        r = grant_add(g, false, sql_format("grant usage on schema %.*s to %s", dot ? (int) (dot - table) : 6, dot ? table : "public", g->role),
                      "Finds the tables of the schema");
        return r < 0 ? r
                     : grant_add(g, false, sql_format("grant %s on %s to %s", privilege, table, g->role),
                                 "The table cannot be seen: it is not there, or its schema may not be used");
}

static int source_grants(const Grants *g, const Pair *pair, Error *error) {
        const Mapping *m = g->mapping;
        _cleanup_(pg_sources_done) PgSources sources = {};
        _cleanup_error_ Error failure = {};
        bool ok = false;
        int r;

        r = pg_sources_load(g->connection->db, g->connection->system, pair, m, NULL, &sources, &failure);
        if (r < 0 && failure.id == ERROR_TABLE_MISSING)
                return unseen_grants(g, m->from, "select");
        if (r < 0)
                error_move(error, &failure);
        if (r >= 0)
                r = select_grant(g, sources.own, NULL, error);
        for (size_t i = 0; i < m->n_joins && r >= 0; i++)
                r = select_grant(g, sources.joins[i], m->joins + i, error);
        if (r >= 0 && m->strategy == DETECT_WATERMARK) {
                r = stats_grant(g, &ok, error);
                if (r >= 0)
                        r = grant_add(g, ok, sql_format("grant pg_read_all_stats to %s", g->role),
                                      "Sees when the oldest open transaction began: no late commit is missed");
        }
        if (r >= 0 && m->strategy == DETECT_LOG)
                r = replication_grants(g, sources.own, error);
        return r < 0 ? r : strategy_tell(g, error);
}

static int target_grants(const Grants *g, Error *error) {
        _cleanup_(pg_table_freep) PgTable *t = NULL;
        _cleanup_error_ Error failure = {};
        int r;

        r = pg_table_load(g->connection->db, g->connection->system, g->mapping->to, &t, &failure);
        if (r < 0 && failure.id == ERROR_TABLE_MISSING)
                return unseen_grants(g, g->mapping->to, "select, insert, update, delete");
        if (r < 0)
                error_move(error, &failure);
        if (r >= 0)
                r = usage_grant(g, t, error);
        if (r >= 0)
                r = table_grant(g, t, "select", NULL, "Reads what is there: only what differs is written", error);
        if (r >= 0)
                r = table_grant(g, t, "insert", NULL, "Writes new records", error);
        if (r >= 0)
                r = table_grant(g, t, "update", NULL, "Writes changed fields", error);
        if (r >= 0 && g->mapping->deletes == DELETES_MIRROR)
                r = table_grant(g, t, "delete", NULL, "Deletes what is gone from the source (deletes: mirror)", error);
        return r;
}

int pg_grants(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        static const char sql[] = "select quote_ident(current_user::text), quote_ident(current_database()),"
                                  " has_database_privilege(current_database(), 'connect')";
        PgConnection *c = (PgConnection *) connection;
        _cleanup_result_ PGresult *result = NULL;
        Grants g = {.connection = c, .mapping = m, .report = report};
        int r;

        r = pg_query(c->db, c->system, sql, NULL, &result, error);
        if (r < 0)
                return r;
        g.role = PQgetvalue(result, 0, 0);
        r = grant_add(&g, PQgetvalue(result, 0, 2)[0] == 't',
                      sql_format("grant connect on database %s to %s", PQgetvalue(result, 0, 1), g.role), "Connects to the database");
        if (r < 0)
                return r;
        return target ? target_grants(&g, error) : source_grants(&g, pair, error);
}
