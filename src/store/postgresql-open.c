/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a schema of the server: session, settings, migrations, and who holds what. */
#include <time.h>
#include "basic/text.h"
#include "store/postgresql-internal.h"
#include "store/server.h"

#define HOLD_PAUSE_NSEC (50 * 1000 * 1000)

char *pg_identifier(const char *name) {
        char *quoted = malloc(strlen(name) * 2 + 3), *at = quoted;

        if (!quoted)
                return NULL;
        *at++ = '"';
        for (; *name; name++) {
                if (*name == '"')
                        *at++ = '"';
                *at++ = *name;
        }
        *at++ = '"';
        *at = 0;
        return quoted;
}

/* What a session needs to be safe whatever the server's defaults are. A transaction of ours may wait long for
 * the systems, so it is not ended for being idle; a client that vanished is noticed by its keepalives, since it
 * may hold a pair. Gives "t" where the server cannot write. */
static int session_set_up(Session *s, const char *identifier, bool read_only, Error *error) {
        static const char sql[] =
                "select pg_catalog.set_config('search_path', $1, false),"
                " pg_catalog.set_config('default_transaction_read_only', $2, false),"
                " pg_catalog.set_config('statement_timeout', $3, false),"
                " pg_catalog.set_config('lock_timeout', $4, false),"
                " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),"
                " pg_catalog.set_config('idle_session_timeout', '0', false),"
                " pg_catalog.set_config('client_min_messages', 'warning', false),"
                " pg_catalog.set_config('tcp_keepalives_idle', '15', false),"
                " pg_catalog.set_config('tcp_keepalives_interval', '5', false),"
                " pg_catalog.set_config('tcp_keepalives_count', '3', false),"
                " pg_catalog.set_config('synchronous_commit',"
                " case pg_catalog.current_setting('synchronous_commit') when 'off' then 'on'"
                " else pg_catalog.current_setting('synchronous_commit') end, false)";
        char statement_timeout[16], lock_timeout[16];
        const char *values[] = {identifier, read_only ? "on" : "off", statement_timeout, lock_timeout};

        (void) snprintf(statement_timeout, sizeof(statement_timeout), "%u",
                        store_server_statement_timeout_msec());
        (void) snprintf(lock_timeout, sizeof(lock_timeout), "%u", LOCK_TIMEOUT_MSEC);
        return session_query(s, sql, values, ELEMENTSOF(values), NULL, error);
}

static int pg_connect(const char *path, bool read_only, Database **ret, Error *error) {
        PgDatabase *made = calloc(1, sizeof(*made));
        _cleanup_(database_closep) Database *d = made ? &made->common : NULL;
        _cleanup_free_ char *identifier = pg_identifier(path);
        int r;

        if (!d)
                return database_no_memory(path, "open", error);
        d->kind = &database_postgresql;
        made->read_only = read_only;
        d->path = strdup(path);
        if (!d->path || !identifier)
                return database_no_memory(path, "open", error);
        r = session_open(path, &made->session, error);
        if (r < 0)
                return r;
        r = session_set_up(made->session, identifier, read_only, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

static Session *session_of(Database *d) { return ((PgDatabase *) d)->session; }

/* Table format has a row per migration. 0 where the schema or the table is not there. */
static int version_read(Database *d, int *ret, Error *error) {
        static const char exists[] =
                "select 1 from pg_catalog.pg_tables where schemaname = $1 and tablename = 'format'";
        static const char version[] = "select coalesce(max(version), 0) from format";
        _cleanup_result_ PGresult *found = NULL, *row = NULL;
        int64_t number;
        int r;

        r = session_query(session_of(d), exists, (const char *[]){d->path}, 1, &found, error);
        if (r < 0)
                return r;
        *ret = 0;
        if (PQntuples(found) == 0)
                return 0;
        r = session_query(session_of(d), version, NULL, 0, &row, error);
        if (r < 0)
                return r;
        if (text_to_int64(PQgetvalue(row, 0, 0), 0, INT32_MAX, &number) < 0)
                return error_set(error, ERROR_FILE_FORMAT, "Restore the schema from a backup.",
                                 "Table format of \"%s\" is damaged", d->path);
        *ret = (int) number;
        return 0;
}

/* The right to make schemas is asked for only where one is missing: it may have been made for us. */
static int schema_make(Database *d, Error *error) {
        static const char exists[] = "select 1 from pg_catalog.pg_namespace where nspname = $1";
        _cleanup_free_ char *identifier = pg_identifier(d->path), *sql = NULL;
        _cleanup_result_ PGresult *found = NULL;
        int r;

        r = session_query(session_of(d), exists, (const char *[]){d->path}, 1, &found, error);
        if (r < 0)
                return r;
        if (!identifier || asprintf(&sql, "create schema %s", identifier) < 0) {
                sql = NULL;
                return database_no_memory(d->path, "open", error);
        }
        if (PQntuples(found) == 0) {
                r = session_execute(session_of(d), sql, NULL, error);
                if (r < 0)
                        return r;
        }
        return session_execute(session_of(d),
                               "create table if not exists format (version bigint primary key)", NULL,
                               error);
}

static int migrate_apply(Database *d, const Migration *migration, int version, Error *error) {
        static const char note[] = "insert into format (version) values ($1)";
        char number[16];
        int r;

        if (version == 1) {
                r = schema_make(d, error);
                if (r < 0)
                        return r;
        }
        r = session_execute(session_of(d), migration->postgresql, NULL, error);
        if (r < 0)
                return r;
        (void) snprintf(number, sizeof(number), "%d", version);
        return session_query(session_of(d), note, (const char *[]){number}, 1, NULL, error);
}

/* Another process may have migrated while we waited for the lock: the version is read again under it. */
static int migrate_step(Database *d, const Migration *migrations, int n, Error *error) {
        static const char lock[] = "begin; select pg_catalog.pg_advisory_xact_lock("
                                   "pg_catalog.hashtextextended('terrafusion migrations', 0))";
        int version, r;

        r = session_execute(session_of(d), lock, NULL, error);
        if (r == 0)
                r = version_read(d, &version, error);
        if (r == 0 && version < n)
                r = migrate_apply(d, &migrations[version], version + 1, error);
        if (r == 0)
                r = session_execute(session_of(d), "commit", NULL, error);
        if (r < 0)
                (void) session_execute(session_of(d), "rollback", NULL, NULL);
        return r;
}

int pg_database_open(const char *path, const Migration *migrations, Database **ret, Error *error) {
        _cleanup_(database_closep) Database *d = NULL;
        int r;

        r = pg_connect(path, false, &d, error);
        if (r < 0)
                return r;
        r = database_migrate(d, migrations, version_read, migrate_step, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

int pg_database_open_read_only(const char *path, Database **ret, Error *error) {
        _cleanup_(database_closep) Database *d = NULL;
        int version, r;

        r = pg_connect(path, true, &d, error);
        if (r < 0)
                return r;
        r = version_read(d, &version, error);
        if (r < 0)
                return r;
        if (version == 0)
                return -ENOENT;
        *ret = TAKE_PTR(d);
        return 0;
}

/* Who holds it, as they named themselves, and from where. */
static int hold_refused(Database *d, const char *what, const char *key, Error *error) {
        static const char sql[] =
                "select a.application_name, coalesce(pg_catalog.host(a.client_addr), 'the server itself'), "
                "l.pid"
                " from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid"
                " where l.locktype = 'advisory' and l.granted and l.objsubid = 1"
                " and l.database = (select oid from pg_catalog.pg_database"
                " where datname = pg_catalog.current_database())"
                " and (l.classid::bigint << 32 | l.objid::bigint) = pg_catalog.hashtextextended($1, 0)";
        _cleanup_result_ PGresult *row = NULL;
        int r;

        r = session_query(session_of(d), sql, &key, 1, &row, error);
        if (r < 0)
                return r;
        if (PQntuples(row) == 0)
                return error_set(error, ERROR_ALREADY_RUNNING, "Wait until it ends.",
                                 "Another process held the %s of the state store on %s a moment ago", what,
                                 store_server_name());
        return error_set(
                error, ERROR_ALREADY_RUNNING,
                "Wait until it ends, or stop it. If it is dead, its session ends within half a minute.",
                "%s holds the %s of the state store on %s (from %s, session %s)", PQgetvalue(row, 0, 0),
                what, store_server_name(), PQgetvalue(row, 0, 1), PQgetvalue(row, 0, 2));
}

static int hold_try(Database *d, const char *key, Error *error) {
        static const char sql[] =
                "select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))";
        _cleanup_result_ PGresult *row = NULL;
        int r;

        r = session_query(session_of(d), sql, &key, 1, &row, error);
        return r < 0 ? r : text_equal(PQgetvalue(row, 0, 0), "t");
}

/* Tried again and again instead of waited for: a wait in the server's queue would keep others from it. */
int pg_database_hold(Database *d, const char *what, const char *holder, unsigned wait_msec, Error *error) {
        static const char name[] = "select pg_catalog.set_config('application_name', $1, false)";
        _cleanup_free_ char *key = NULL;
        int r;

        if (asprintf(&key, "terrafusion %s", what) < 0) {
                key = NULL;
                return database_no_memory(d->path, "open", error);
        }
        r = session_query(session_of(d), name, &holder, 1, NULL, error);
        if (r < 0)
                return r;
        for (unsigned waited = 0;; waited += HOLD_PAUSE_NSEC / 1000000) {
                r = hold_try(d, key, error);
                if (r != 0)
                        return r < 0 ? r : 0;
                if (waited >= wait_msec)
                        return hold_refused(d, what, key, error);
                (void) nanosleep(&(struct timespec){.tv_nsec = HOLD_PAUSE_NSEC}, NULL);
        }
}

/* In the order of bytes. "_" and "%" of the prefix mean themselves, so like is not for it. */
int pg_schemas(const char *prefix, char ***ret, Error *error) {
        static const char sql[] =
                "select nspname from pg_catalog.pg_namespace"
                " where pg_catalog.starts_with(nspname::text, $1) order by nspname::text collate \"C\"";
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_result_ PGresult *rows = NULL;
        _cleanup_strings_ char **names = NULL;
        int r;

        r = pg_connect(prefix, true, &d, error);
        if (r < 0)
                return r;
        r = session_query(session_of(d), sql, &prefix, 1, &rows, error);
        if (r < 0)
                return r;
        for (int i = 0; i < PQntuples(rows); i++)
                if (strings_append(&names, PQgetvalue(rows, i, 0)) < 0)
                        return database_no_memory(prefix, "read", error);
        *ret = TAKE_PTR(names);
        return 0;
}
