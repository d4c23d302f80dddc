/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A session with one of their PostgreSQL servers: opening, failures, tables. Only connect/postgresql*.c
 * include this, which includes libpq-fe.h. In the worker; calls block. */
#include <libpq-fe.h>

#include "connect/postgresql-type.h"
#include "connect/postgresql.h"
#include "connect/table.h"

#define PG_VERSION_MIN    120000
#define PG_NAME_OF_WORKER "terrafusion-worker"

typedef struct PgConnection {
        Connection base;
        const System *system;
        PGconn *db;
        char *begin;     /* of a transaction that writes */
        char *holder;    /* the oldest transaction when the horizon was taken last; NULL: there was none */
        int64_t holder_age_usec;
        Arena *arena;    /* of horizons */
        bool check_utf8; /* the database holds text of an unknown encoding */
        bool scanning;   /* a reader has the session */
        bool checked;    /* what is said of the system once, not of each entity */
        PGconn *exporter; /* holds `snapshot`, which every scan reads until it is released; NULL: scans take their own */
        char *snapshot;
} PgConnection;

static inline void pg_result_clearp(PGresult **result) { PQclear(*result); }
static inline void pg_finishp(PGconn **db) { PQfinish(*db); }
#define _cleanup_result_ _cleanup_(pg_result_clearp)
#define _cleanup_session_ _cleanup_(pg_finishp)

/* Opens a session: within 10 s, with timeouts, application_name, encoding and modes set. Waits for no more
 * than that. Never tells a secret. */
_must_check_ int pg_session_open(const System *system, bool write, PGconn **ret, Error *error);
/* The same, with a server process that can send the log. */
_must_check_ int pg_replication_open(const System *system, PGconn **ret, Error *error);

/* Turns what the server (or libpq) said into a row of error-codes.h. result may be NULL: what the session
 * says. what: "cannot read on". of_record: see sqlstate.h. Gives the negative errno. */
int pg_fail(PGconn *db, const PGresult *result, const System *system, const char *what, bool of_record,
            Error *error);
/* One or several statements without rows. */
_must_check_ int pg_execute(PGconn *db, const System *system, const char *sql, Error *error);
/* One statement whose rows are texts; parameters are texts, ended by NULL. */
_must_check_ int pg_query(PGconn *db, const System *system, const char *sql, const char *const *parameters,
                          PGresult **ret, Error *error);

typedef struct PgTable {
        Table *table;
        PgType *types; /* of table->columns */
        size_t n_types;
        uint32_t oid;
        bool plain;      /* COPY may write into it: no view, no row-level security, no rules */
        bool has_heirs;  /* other tables inherit from it: its own key is not unique among all its rows */
        bool hides_rows; /* row-level security keeps some from this login */
        unsigned events; /* what can be written: see pg_relation_is_updatable() */
        char *name; /* quoted, with its schema */
} PgTable;
PgTable *pg_table_free(PgTable *t);
DEFINE_CLEANUP(PgTable, pg_table_free)
/* Name as in the mapping: "parcel" or "schema.parcel". ERROR_TABLE_MISSING with the nearest name. */
_must_check_ int pg_table_load(PGconn *db, const System *system, const char *name, PgTable **ret,
                               Error *error);
/* By exact name; NULL. */
const PgType *pg_table_type(const PgTable *t, const char *column);

/* The tables of a mapping's scan. */
typedef struct PgSources {
        PgTable *own, **joins;
        size_t n_joins;
} PgSources;
void pg_sources_done(PgSources *s);
/* Loads them and checks that every column is there. With report, what is missing is appended and left
 * NULL. */
_must_check_ int pg_sources_load(PGconn *db, const System *system, const Pair *pair, const Mapping *m,
                                 json_t *report, PgSources *s, Error *error);

/* Whether the columns that a mapping reads, or writes, are of types that it can; and whether the target's table can be written at all.
 * What cannot be is appended to report. -ENOMEM. */
_must_check_ int pg_check_source_columns(const PgSources *sources, const Mapping *m, json_t *report);
_must_check_ int pg_check_target_columns(const PgTable *t, const Mapping *m, json_t *report);
_must_check_ int pg_check_target_table(const PgTable *t, const Mapping *m, json_t *report);

/* What postgresql_connector consists of, beside connection and check. */
int pg_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error);
int pg_grants(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error);
int pg_explain(Connection *connection, const ReadPlan *plan, json_t *report, Error *error);
int pg_horizon(Connection *connection, const Mapping *m, Value *ret_high, Error *error);
bool pg_horizon_holder(const Connection *connection, const char **ret_who, int64_t *ret_age_usec);
int pg_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error);
int pg_reader_next(Reader *reader, Value *values, Error *error);
const char *pg_reader_position(Reader *reader);
bool pg_reader_resumed(const Reader *reader);
void pg_reader_close(Reader *reader);
int pg_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error);
void pg_writer_close(Writer *writer);
int pg_count(Writer *writer, uint64_t *ret, Error *error);
int pg_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
int pg_begin(Connection *connection, Error *error);
int pg_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error);
int pg_commit(Connection *connection, Error *error);
int pg_rollback(Connection *connection);

/* The select of a scan, and whether the server gives it in the order of the identity without a sort. after: values of the position, or NULL. */
typedef struct PgScan {
        char *sql;
        const PgType **types; /* of the mapping's columns, then of the identity's */
        size_t n_columns, n_identity;
        size_t *places; /* which of the mapping's columns each is; NULL: all of them, in their order */
} PgScan;
/* What of a table is read (NULL: all of it): after < identity ≤ until, each NULL or values; or SQL that stands for them (columns of a table that the
 * select is joined with). */
typedef struct PgBounds {
        const Value *after, *until;
        const char *const *after_columns, *const *until_columns;
        const char *expression; /* instead of columns */
} PgBounds;
void pg_scan_done(PgScan *s);
_must_check_ int pg_scan_make(PGconn *db, const System *system, const ReadPlan *plan, const PgSources *sources,
                              const PgBounds *within, PgScan *ret, Error *error);

/* postgresql-ranges.c */
int pg_ranges_plan(Reader *reader, const KeyRange *within, uint64_t n_records, KeyRanges *ret, Error *error);
int pg_ranges_sum(Reader *reader, KeyRange *ranges, size_t n_ranges, Error *error);
int pg_reader_range(Reader *reader, const KeyRange *range, Error *error);
bool pg_reader_ranges_by_key(const Reader *reader);
