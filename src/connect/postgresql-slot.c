/* SPDX-License-Identifier: Apache-2.0 */
/* Our slot and our publication at a source. The publication is made first: the log is read with the catalog as it was then, and a
 * publication that came later would not be there. */
#include "connect/postgresql-log.h"

#include "basic/text.h"
#include "connect/sql.h"

#define PAGE_BYTES      8192U
#define PAGE_HEAD_BYTES 40U /* at most; a place just behind it is the page's beginning */

static int64_t cell_number(const PGresult *result, int column, int64_t otherwise) {
        int64_t number = otherwise;

        if (PQgetisnull(result, 0, column) ||
            text_to_int64(PQgetvalue(result, 0, column), INT64_MIN, INT64_MAX, &number) < 0)
                return otherwise;
        return number;
}

static uint64_t cell_lsn(const PGresult *result, int row, int column) {
        uint64_t lsn = 0;

        return pg_lsn_parse(PQgetvalue(result, row, column), &lsn) < 0 ? 0 : lsn;
}

int pg_log_identify(Connection *connection, LogSlot *ret, Error *error) {
        static const char sql[] = "select s.system_identifier, c.timeline_id from pg_control_system() s, pg_control_checkpoint() c";
        PgConnection *c = (PgConnection *) connection;
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_query(c->db, c->system, sql, NULL, &result, error);
        if (r < 0)
                return r;
        (void) snprintf(ret->system_id, sizeof(ret->system_id), "%s", PQgetvalue(result, 0, 0));
        ret->timeline = cell_number(result, 1, 0);
        return 0;
}

int pg_log_now(Connection *connection, uint64_t *ret_lsn, Error *error) {
        PgConnection *c = (PgConnection *) connection;
        _cleanup_result_ PGresult *result = NULL;
        uint64_t lsn;
        int r;

        r = pg_query(c->db, c->system, "select pg_current_wal_insert_lsn()", NULL, &result, error);
        if (r < 0)
                return r;
        lsn = cell_lsn(result, 0, 0);
        if (lsn % PAGE_BYTES <= PAGE_HEAD_BYTES) /* nothing is behind the page's head yet: the log ends before it */
                lsn -= lsn % PAGE_BYTES;
        *ret_lsn = lsn;
        return 0;
}

int pg_log_state(Connection *connection, const char *name, LogState *ret, Error *error) {
        static const char sql[] =
                "select s.active, coalesce(s.wal_status, ''), coalesce(s.restart_lsn, '0/0'), coalesce(s.confirmed_flush_lsn, '0/0'),"
                " case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,"
                " case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint end,"
                " s.safe_wal_size from pg_replication_slots s"
                " where s.slot_name = $1 and s.plugin = 'pgoutput' and s.database = current_database()";
        PgConnection *c = (PgConnection *) connection;
        _cleanup_result_ PGresult *result = NULL;
        LogState state = {.retained_bytes = -1, .safe_bytes = -1};
        int r;

        r = pg_query(c->db, c->system, sql, (const char *const[]){name, NULL}, &result, error);
        if (r < 0)
                return r;
        if (PQntuples(result) > 0) {
                state.exists = true;
                state.active = PQgetvalue(result, 0, 0)[0] == 't';
                (void) snprintf(state.wal_status, sizeof(state.wal_status), "%s", PQgetvalue(result, 0, 1));
                state.restart_lsn = cell_lsn(result, 0, 2);
                state.confirmed_lsn = cell_lsn(result, 0, 3);
                state.now_lsn = cell_lsn(result, 0, 4);
                state.retained_bytes = cell_number(result, 5, -1);
                state.safe_bytes = cell_number(result, 6, -1);
                state.is_lost = text_equal(state.wal_status, "lost") || state.restart_lsn == 0;
        }
        *ret = state;
        return 0;
}

int pg_log_session(PgConnection *c, PGconn **ret, Error *error) {
        _cleanup_session_ PGconn *db = NULL;
        int r;

        r = pg_replication_open(c->system, &db, error);
        if (r >= 0) /* what must not end while a batch is applied; a peer that is gone is noticed by TCP */
                r = pg_execute(db, c->system, "set statement_timeout = 0; set lock_timeout = 0; set wal_sender_timeout = 0; "
                                              "set tcp_keepalives_idle = 60", error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(db);
        return 0;
}

/* ---- the publication ---- */

/* "county"."parcel", "county"."owner": each table that is read, once. */
static int tables_list(PgConnection *c, const LogPlan *plan, char ***ret, Error *error) {
        for (size_t i = 0; i < plan->n_mappings; i++) {
                const Mapping *m = plan->mappings[i];

                for (size_t j = 0; j <= m->n_joins; j++) {
                        _cleanup_(pg_table_freep) PgTable *t = NULL;
                        bool known = false;
                        int r = pg_table_load(c->db, c->system, j == 0 ? m->from : m->joins[j - 1].from, &t, error);

                        if (r < 0)
                                return r;
                        for (char **name = *ret; name && *name; name++)
                                known = known || text_equal(*name, t->name);
                        if (!known && strings_append(ret, t->name) < 0)
                                return -ENOMEM;
                }
        }
        return 0;
}

static int names_join(char *const *names, char **ret) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; text && names[i]; i++) {
                char *longer = NULL;

                if (asprintf(&longer, "%s%s%s", text, i > 0 ? ", " : "", names[i]) < 0)
                        longer = NULL;
                free(text);
                text = longer;
        }
        if (!text)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

/* 1: it has exactly these tables and tells all of their changes; 0: there is none; -1: it is another one. */
static int publication_look(PgConnection *c, const char *name, char *const *tables, int *ret, Error *error) {
        static const char sql[] =
                "select p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate and p.pubviaroot and not p.puballtables,"
                " (select count(*) from pg_publication_rel r where r.prpubid = p.oid),"
                " (select count(*) from pg_publication_rel r join pg_class c on c.oid = r.prrelid where r.prpubid = p.oid"
                "  and format('%I.%I', c.relnamespace::regnamespace::text, c.relname) = any ($2::text[]))"
                " from pg_publication p where p.pubname = $1";
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *array = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&array, &size);
        int64_t n;
        int r;

        if (!f)
                return -ENOMEM;
        for (size_t i = 0; tables[i]; i++) {
                (void) fputs(i > 0 ? ",\"" : "{\"", f);
                for (const char *at = tables[i]; *at; at++) {
                        if (*at == '"' || *at == '\\')
                                (void) fputc('\\', f);
                        (void) fputc(*at, f);
                }
                (void) fputc('"', f);
        }
        (void) fputc('}', f);
        if (fclose(f) != 0)
                return -ENOMEM;
        r = pg_query(c->db, c->system, sql, (const char *const[]){name, array, NULL}, &result, error);
        if (r < 0)
                return r;
        n = (int64_t) strings_count(tables);
        if (PQntuples(result) == 0)
                *ret = 0;
        else
                *ret = PQgetvalue(result, 0, 0)[0] == 't' && cell_number(result, 1, -1) == n && cell_number(result, 2, -1) == n
                               ? 1
                               : -1;
        return 0;
}

#define PUBLISH "publish = 'insert, update, delete, truncate', publish_via_partition_root = true"

/* The login of a source may read only; its session is made so, and this is the one thing that is written. */
static int ddl_execute(PgConnection *c, const char *sql, Error *error) {
        _cleanup_error_ Error failure = {};
        int r;

        r = pg_execute(c->db, c->system, "begin read write", error);
        if (r < 0)
                return r;
        r = pg_execute(c->db, c->system, sql, &failure);
        if (r >= 0)
                return pg_execute(c->db, c->system, "commit", error);
        PQclear(PQexec(c->db, "rollback"));
        if (error_class(failure.id) == ERROR_CLASS_TRANSIENT) {
                error_move(error, &failure);
                return r;
        }
        return error_set(error, ERROR_SYSTEM_REFUSED, sql, "Let the DBA run what follows; the login may not: %s", failure.detail);
}

/* Before the first table is published: of a published table without a replica identity nothing could be updated or deleted any more. */
static int publishable(PgConnection *c, const LogPlan *plan, Error *error) {
        int r = pg_log_check_server(c, plan->name, NULL, error);

        for (size_t i = 0; r >= 0 && i < plan->n_mappings; i++) {
                _cleanup_(pg_sources_done) PgSources sources = {};

                r = pg_sources_load(c->db, c->system, plan->pair, plan->mappings[i], NULL, &sources, error);
                if (r >= 0)
                        r = pg_log_check_mapping(c, plan->pair, plan->mappings[i], &sources, NULL, error);
        }
        return r;
}

int pg_log_publish(Connection *connection, const LogPlan *plan, Error *error) {
        PgConnection *c = (PgConnection *) connection;
        _cleanup_strings_ char **tables = NULL;
        _cleanup_free_ char *list = NULL, *sql = NULL;
        int found = 0, r;

        r = tables_list(c, plan, &tables, error);
        if (r >= 0)
                r = names_join(tables, &list);
        if (r >= 0)
                r = publication_look(c, plan->name, tables, &found, error);
        if (r >= 0 && found <= 0)
                r = publishable(c, plan, error);
        if (r < 0 || found > 0)
                return r;
        if (found == 0)
                r = asprintf(&sql, "create publication %s for table %s with (" PUBLISH ")", plan->name, list);
        else
                r = asprintf(&sql, "alter publication %s set table %s; alter publication %s set (" PUBLISH ")", plan->name, list,
                             plan->name);
        if (r < 0) {
                sql = NULL;
                return -ENOMEM;
        }
        return ddl_execute(c, sql, error);
}

/* ---- the slot ---- */

void pg_log_release(Connection *connection) {
        PgConnection *c = (PgConnection *) connection;

        PQfinish(TAKE_PTR(c->exporter));
        free(TAKE_PTR(c->snapshot));
}

int pg_log_make(Connection *connection, const LogPlan *plan, uint64_t *ret_lsn, Error *error) {
        PgConnection *c = (PgConnection *) connection;
        _cleanup_session_ PGconn *db = NULL;
        _cleanup_result_ PGresult *result = NULL;
        char sql[160];
        int r;

        pg_log_release(connection);
        r = pg_log_check_server(c, plan->name, NULL, error);
        if (r >= 0)
                r = pg_log_session(c, &db, error);
        if (r < 0)
                return r;
        (void) snprintf(sql, sizeof(sql), "CREATE_REPLICATION_SLOT \"%s\" LOGICAL pgoutput EXPORT_SNAPSHOT", plan->name);
        result = PQexec(db, sql);
        if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
                return pg_fail(db, result, c->system, "cannot make a replication slot", false, error);
        c->snapshot = strdup(PQgetvalue(result, 0, 2));
        if (!c->snapshot)
                return -ENOMEM;
        *ret_lsn = cell_lsn(result, 0, 1);
        c->exporter = TAKE_PTR(db); /* the snapshot is there as long as this session does nothing else */
        return 0;
}

int pg_log_drop(Connection *connection, const char *name, Error *error) {
        static const char sql[] = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1";
        PgConnection *c = (PgConnection *) connection;
        _cleanup_result_ PGresult *result = NULL;

        return pg_query(c->db, c->system, sql, (const char *const[]){name, NULL}, &result, error);
}
