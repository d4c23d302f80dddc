/* SPDX-License-Identifier: Apache-2.0 */
/* What a source needs for its log to be followed: told with the SQL that a DBA has to run. That a table has a replica identity is looked
 * at before it is published: the server refuses every update and delete of a published table that has none, the county's own. */
#include "connect/postgresql-log.h"

#include "basic/text.h"

#define LOG_VERSION_MIN 140000 /* values in their binary form */

static int tell(json_t *report, const char *what, bool ok, const char *remedy, Error *error, const char *format, ...)
        _printf_(6, 7);

/* A row of the report; without one what is wrong is the error. */
static int tell(json_t *report, const char *what, bool ok, const char *remedy, Error *error, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vasprintf(&message, format, arguments);
        va_end(arguments);
        if (r < 0) {
                message = NULL;
                return -ENOMEM;
        }
        if (report)
                return report_add(report, what, ok, message, remedy);
        return ok ? 0 : error_set(error, ERROR_SYSTEM_REFUSED, remedy, "%s", message);
}

static bool cell_true(const PGresult *result, int column) { return PQgetvalue(result, 0, column)[0] == 't'; }

static int check_rights(PgConnection *c, const PGresult *result, json_t *report, Error *error) {
        _cleanup_free_ char *grant = NULL;
        const char *system = c->system->name, *login = PQgetvalue(result, 0, 2);
        int r;

        if (asprintf(&grant, "Let the DBA run: alter role %s replication", login) < 0) {
                grant = NULL;
                return -ENOMEM;
        }
        if (!text_equal(PQgetvalue(result, 0, 0), "logical")) {
                r = tell(report, "log", false, "Let the DBA run: alter system set wal_level = 'logical'; then restart the server", error,
                         "System \"%s\": the server writes a log that cannot be decoded (wal_level is %s)", system,
                         PQgetvalue(result, 0, 0));
                if (r < 0)
                        return r;
        }
        if (!cell_true(result, 1)) {
                r = tell(report, "log", false, grant, error, "System \"%s\": the login %s may not read the log", system, login);
                if (r < 0)
                        return r;
        }
        if (!cell_true(result, 4))
                return tell(report, "log", false,
                            "Let the DBA raise max_replication_slots and restart the server, or drop slots that nobody reads "
                            "(pg_replication_slots shows them)",
                            error, "System \"%s\": all %s replication slots are in use", system, PQgetvalue(result, 0, 3));
        return 0;
}

int pg_log_check_server(PgConnection *c, const char *slot, json_t *report, Error *error) {
        static const char sql[] =
                "select current_setting('wal_level'), r.rolreplication or r.rolsuper, quote_ident(current_user::text),"
                " current_setting('max_replication_slots'), exists (select 1 from pg_replication_slots where slot_name = $1) or"
                " (select count(*) from pg_replication_slots) < current_setting('max_replication_slots')::int, pg_is_in_recovery()"
                " from pg_roles r where r.rolname = current_user";
        _cleanup_result_ PGresult *result = NULL;
        int r;

        if (PQserverVersion(c->db) < LOG_VERSION_MIN)
                return tell(report, "log", false, "Use strategy: watermark or full, or a server from version 14 on", error,
                            "System \"%s\": the log of a server of version %d is not read", c->system->name,
                            PQserverVersion(c->db) / 10000);
        r = pg_query(c->db, c->system, sql, (const char *const[]){slot ? slot : "", NULL}, &result, error);
        if (r < 0)
                return r;
        if (PQntuples(result) == 1 && cell_true(result, 5))
                return tell(report, "log", false, "Name the primary server in connection:", error,
                            "System \"%s\": the server is a standby, whose log is not decoded", c->system->name);
        return PQntuples(result) == 1 ? check_rights(c, result, report, error) : 0;
}

/* The columns that the log tells of an old row: all of them where *ret is NULL and *ret_full. */
static int identity_load(PgConnection *c, const PgTable *t, char ***ret, bool *ret_full, Error *error) {
        static const char sql[] =
                "select c.relreplident = 'f', a.attname from pg_class c"
                " left join pg_index i on i.indrelid = c.oid and i.indisvalid and ((c.relreplident = 'd' and i.indisprimary) or"
                " (c.relreplident = 'i' and i.indisreplident))"
                " left join lateral unnest(i.indkey::int2[]) k (number) on true"
                " left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number where c.oid = $1::oid";
        _cleanup_result_ PGresult *result = NULL;
        char oid[16];
        int r;

        (void) snprintf(oid, sizeof(oid), "%u", t->oid);
        r = pg_query(c->db, c->system, sql, (const char *const[]){oid, NULL}, &result, error);
        *ret_full = r >= 0 && PQntuples(result) > 0 && cell_true(result, 0);
        for (int i = 0; r >= 0 && i < PQntuples(result); i++)
                if (!PQgetisnull(result, i, 1))
                        r = strings_append(ret, PQgetvalue(result, i, 1));
        return r;
}

static bool is_among(char *const *names, const char *name) {
        for (; names && *names; names++)
                if (text_equal(*names, name))
                        return true;
        return false;
}

/* needed: columns whose old values have to be told. */
static int check_identity(PgConnection *c, const PgTable *t, char *const *needed, json_t *report, Error *error) {
        _cleanup_strings_ char **identity = NULL;
        _cleanup_free_ char *remedy = NULL;
        bool full = false;
        int r;

        if (t->table->is_view)
                return tell(report, t->table->name, false, "Map the view's table, or use another strategy", error,
                            "%s is a view, and the log tells of tables", t->name);
        r = identity_load(c, t, &identity, &full, error);
        if (r < 0 || full)
                return r;
        if (asprintf(&remedy, "Let the DBA run: alter table %s replica identity full", t->name) < 0) {
                remedy = NULL;
                return -ENOMEM;
        }
        if (!identity)
                return tell(report, t->table->name, false, remedy, error,
                            "%s has no replica identity: the log would not tell which record was changed or deleted", t->name);
        for (; needed && *needed; needed++)
                if (!is_among(identity, *needed))
                        return tell(report, t->table->name, false, remedy, error,
                                    "The log does not tell the old %s of a changed record of %s", *needed, t->name);
        return 0;
}

static int type_check(const PgTable *t, const char *column, json_t *report, Error *error) {
        const PgType *type = pg_table_type(t, column);

        if (!type || type->kind != PG_OTHER)
                return 0;
        return tell(report, t->table->name, false, "Use another strategy, or another key", error,
                    "Records are found by column \"%s\" of %s, and its type %s is not read from the log", column, t->name, type->name);
}

static int check_key(const Mapping *m, const PgTable *own, char ***ret_columns, json_t *report, Error *error) {
        int r = 0;

        for (size_t i = 0; i < m->n_key && r >= 0; i++) {
                const MappingColumn *column = m->fields[i].column < 0 ? NULL : &m->columns[m->fields[i].column];

                if (!column)
                        continue;
                if (column->join)
                        return tell(report, m->entity, false, "Use strategy: watermark or full for this entity", error,
                                    "Its key has %s.%s of a joined table, and the log tells the key of its own table only",
                                    column->join, column->name);
                r = type_check(own, column->name, report, error);
                if (r >= 0 && strings_append(ret_columns, column->name) < 0)
                        return -ENOMEM;
        }
        if (r >= 0 && !table_is_unique(own->table, (const char *const *) *ret_columns, strings_count(*ret_columns)))
                return tell(report, m->entity, false, "Let key: name columns that a primary key or unique index of the source covers", error,
                            "Two records of %s may have one key: which of them counts, the log does not tell", own->name);
        return r;
}

static int check_join(PgConnection *c, const Mapping *m, size_t index, const PgTable *t, json_t *report, Error *error) {
        _cleanup_strings_ char **columns = NULL;
        int r = 0;

        for (size_t i = 0; i < m->joins[index].n_by && r >= 0; i++) {
                r = type_check(t, m->joins[index].by[i].left, report, error);
                if (r >= 0 && strings_append(&columns, m->joins[index].by[i].left) < 0)
                        return -ENOMEM;
        }
        return r < 0 ? r : check_identity(c, t, columns, report, error);
}

static int check_tables(PgConnection *c, const Mapping *m, const PgSources *sources, json_t *report, Error *error) {
        _cleanup_strings_ char **key = NULL;
        int r;

        r = check_key(m, sources->own, &key, report, error);
        if (r >= 0)
                r = check_identity(c, sources->own, key, report, error);
        for (size_t i = 0; r >= 0 && i < m->n_joins; i++)
                r = check_join(c, m, i, sources->joins[i], report, error);
        return r;
}

int pg_log_check_mapping(PgConnection *c, const Pair *pair, const Mapping *m, const PgSources *sources, json_t *report, Error *error) {
        int r = check_tables(c, m, sources, report, error);

        return r < 0 && !report && pair ? error_at(error, pair->file, m->line, m->column) : r;
}
