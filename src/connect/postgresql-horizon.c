/* SPDX-License-Identifier: Apache-2.0 */
/* Stamps come from now(), which is a transaction's start. So nothing older can still be committed than the start of
 * the oldest transaction that is open: of any session, since one that has not written yet still may. A
 * prepared transaction's start is not known, so it holds the horizon.
 * A column of type xid8 that a trigger sets to pg_current_xact_id() needs neither clocks nor sight of other sessions: whatever is still to be
 * committed, prepared or not, has at least the number that the snapshot calls xmin. */
#include "connect/postgresql-database.h"

#include "basic/text.h"
#include "basic/timestamp.h"

#define MARGIN "2 seconds" /* between a transaction's start and its being seen in pg_stat_activity */

static int refuse(const System *system, const char *why, const char *remedy, Error *error) {
        return error_set(error, ERROR_WATERMARK, remedy, "System \"%s\": no horizon can be proved: %s",
                         system->name, why);
}

/* Can this session see what it must? by_number: it needs to see no other session. */
static int sight_check(PgConnection *c, bool by_number, Error *error) {
        static const char sql[] =
                "select pg_is_in_recovery(),"
                " pg_has_role(current_user, 'pg_read_all_stats', 'usage'), quote_ident(current_user::text),"
                " current_setting('track_activities') = 'on' and not exists (select 1 from pg_stat_activity"
                " where datname = current_database() and state = 'disabled')";
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *remedy = NULL;
        int r;

        r = pg_query(c->db, c->system, sql, NULL, &result, error);
        if (r < 0)
                return r;
        if (PQgetvalue(result, 0, 0)[0] == 't')
                return refuse(c->system, "the server is a replica, which does not see the sessions that write",
                              "Name the primary server in connection:, or use strategy: full", error);
        if (by_number)
                return 0;
        if (PQgetvalue(result, 0, 1)[0] != 't') {
                if (asprintf(&remedy,
                             "Let the DBA run: grant pg_read_all_stats to %s; or use strategy: full",
                             PQgetvalue(result, 0, 2)) < 0)
                        remedy = NULL;
                return refuse(c->system, "the login may not see other sessions' transactions", remedy, error);
        }
        if (PQgetvalue(result, 0, 3)[0] != 't')
                return refuse(c->system, "track_activities is off in some session",
                              "Let the DBA switch track_activities on, or use strategy: full", error);
        return 0;
}

static int prepared_check(PgConnection *c, Error *error) {
        static const char sql[] = "select gid, prepared from pg_prepared_xacts where database = "
                                  "current_database() order by prepared limit 1";
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_query(c->db, c->system, sql, NULL, &result, error);
        if (r < 0 || PQntuples(result) == 0)
                return r;
        return error_set(error, ERROR_SYSTEM_BUSY,
                         "Nothing if it ends soon: it is tried again; else let the DBA decide it: commit prepared "
                         "or rollback prepared",
                         "System \"%s\": the prepared transaction \"%s\" of %s holds the horizon",
                         c->system->name, PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
}

/* The kind of the watermark columns, which must be one. */
static int kind_learn(PgConnection *c, const char *table, const char *column, PgKind *kind, Error *error) {
        _cleanup_(pg_table_freep) PgTable *t = NULL;
        const PgType *type;
        int r;

        r = pg_table_load(c->db, c->system, table, &t, error);
        if (r >= 0)
                r = table_column_require(t->table, column, error);
        if (r < 0)
                return r;
        type = pg_table_type(t, column);
        if (type->kind != PG_TIMESTAMP && type->kind != PG_TIMESTAMPTZ && type->kind != PG_XID8)
                return error_set(error, ERROR_WATERMARK,
                                 "Name a column of type timestamp or timestamptz that is set to now(), or one of type "
                                 "xid8 that a trigger sets to pg_current_xact_id(), or use strategy: full",
                                 "Watermark \"%s\".\"%s\" is of type %s", table, column, type->name);
        if (*kind != PG_OTHER && *kind != type->kind)
                return error_set(error, ERROR_WATERMARK, "Use columns of one type, or strategy: full",
                                 "Watermark \"%s\".\"%s\" is of type %s, another one is not", table, column,
                                 type->name);
        *kind = type->kind;
        return 0;
}

/* Whose transaction is the oldest; of those that have a number where numbers count. */
static int holder_learn(PgConnection *c, bool by_number, Error *error) {
        static const char sql[] =
                "select format('session %s of %s (%s, %s)', pid, coalesce(usename, '?'), coalesce(nullif(application_name, ''), 'nameless'),"
                " coalesce(state, '?')), (extract(epoch from clock_timestamp() - xact_start) * 1000000)::bigint from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null"
                " and (not $1::boolean or backend_xid is not null) order by xact_start limit 1";
        _cleanup_result_ PGresult *result = NULL;
        int r;

        free(TAKE_PTR(c->holder));
        r = pg_query(c->db, c->system, sql, (const char *const[]){by_number ? "t" : "f", NULL}, &result, error);
        if (r < 0 || PQntuples(result) == 0)
                return r;
        c->holder = strdup(PQgetvalue(result, 0, 0));
        if (!c->holder)
                return -ENOMEM;
        return text_to_int64(PQgetvalue(result, 0, 1), INT64_MIN, INT64_MAX, &c->holder_age_usec);
}

static int number_take(PgConnection *c, int64_t *ret_number, Error *error) {
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_query(c->db, c->system, "select pg_snapshot_xmin(pg_current_snapshot())", NULL, &result, error);
        return r < 0 ? r : text_to_int64(PQgetvalue(result, 0, 0), 0, INT64_MAX, ret_number);
}

static int moment_take(PgConnection *c, PgKind kind, int64_t *ret_usec, Error *error) {
        /* Local stamps run an hour twice when summer ends: the least local time from the horizon on counts. */
        static const char sql[] =
                "with proved (h) as (select least(clock_timestamp(), (select min(xact_start) from "
                "pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()))"
                " - interval '" MARGIN "')"
                " select (extract(epoch from h) * 1000000)::bigint,"
                " (extract(epoch from least(h::timestamp, (select min(m::timestamp) from generate_series("
                "date_trunc('minute', h) + interval '1 minute', h + interval '3 hours', interval '1 minute') m)))"
                " * 1000000)::bigint from proved";
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_query(c->db, c->system, sql, NULL, &result, error);
        if (r < 0)
                return r;
        return text_to_int64(PQgetvalue(result, 0, kind == PG_TIMESTAMP), INT64_MIN, INT64_MAX, ret_usec);
}

/* Order counts: who begins meanwhile is above what is taken. */
static int stamp_take(PgConnection *c, PgKind kind, int64_t *ret_usec, Error *error) {
        int r;

        r = holder_learn(c, false, error);
        if (r >= 0)
                r = moment_take(c, kind, ret_usec, error);
        if (r >= 0) /* after it: one that is prepared meanwhile was an open one before, and in neither list if asked first */
                r = prepared_check(c, error);
        return r;
}

bool pg_horizon_holder(const Connection *connection, const char **ret_who, int64_t *ret_age_usec) {
        const PgConnection *c = (const PgConnection *) connection;

        *ret_who = c->holder;
        *ret_age_usec = c->holder_age_usec;
        return c->holder != NULL;
}

int pg_horizon(Connection *connection, const Mapping *m, Value *ret_high, Error *error) {
        PgConnection *c = (PgConnection *) connection;
        PgKind kind = PG_OTHER;
        int64_t number = 0;
        bool by_number;
        int r = 0;

        if (m->watermark)
                r = kind_learn(c, m->from, m->watermark, &kind, error);
        for (size_t i = 0; i < m->n_joins && r >= 0; i++)
                if (m->joins[i].watermark)
                        r = kind_learn(c, m->joins[i].from, m->joins[i].watermark, &kind, error);
        by_number = kind == PG_XID8;
        if (r >= 0)
                r = sight_check(c, by_number, error);
        if (r >= 0 && by_number)
                r = holder_learn(c, true, error);
        if (r >= 0)
                r = by_number ? number_take(c, &number, error) : stamp_take(c, kind, &number, error);
        if (r < 0)
                return r;
        *ret_high = by_number ? (Value){.type = VALUE_DECIMAL, .decimal = decimal_from_integer(number)}
                              : (Value){.type = VALUE_TIMESTAMP, .integer = number};
        return 0;
}
