/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of PostgreSQL's log share: postgresql-log.c (the session), -slot.c (slot and publication), -log-record.c (from a
 * message to events) and -log-read.c (records by key). In the worker; inside this room only. */
#include "connect/source-log.h"
#include "connect/pgoutput.h"
#include "connect/postgresql-database.h"

/* What one mapping makes of one table of the log. */
typedef struct PgUse {
        size_t mapping;
        ssize_t join;        /* -1: it is the entity's own table */
        ssize_t *attributes; /* of each mapped column, or of each left column of by:, its place in the table's rows; -1: it is of
                              * another table */
        const PgType **types; /* of the same */
        bool reread;         /* values cannot be taken from the row */
} PgUse;

/* A table as the server last described it. */
typedef struct PgRelation {
        uint32_t id;
        PgUse *uses;
        size_t n_uses;
} PgRelation;

typedef struct PgFollowed {
        const Mapping *mapping;
        PgSources sources;
        bool *of_key;  /* of each mapped column: a field of the key is made of it */
        bool reread;   /* joins or a where: what a row becomes is not told by the row alone */
} PgFollowed;

typedef struct PgStream {
        LogStream base;
        PgConnection *connection;
        const LogPlan *plan;
        PGconn *db; /* the replication session */
        PgFollowed *followed;
        PgSources *retired; /* of tables that were altered meanwhile */
        size_t n_retired, retired_capacity;
        Pgoutput decoder;
        char *message; /* libpq's, of the last one */
        PgRelation *relations;
        size_t n_relations, relations_capacity;
        Arena *arena; /* values of the events of the last message */
        LogEvent *events;
        size_t n_events, event_at, events_capacity;
        uint64_t commit_lsn, n_changes; /* of the transaction that is told */
        int64_t commit_usec;
        bool in_transaction;
        uint64_t reached, flushed;
        bool has_moved; /* reached did since it was last looked at */
        int64_t told_msec; /* when flushed was last told */
} PgStream;

/* postgresql-log-record.c */
_must_check_ int pg_log_message(PgStream *s, const char *bytes, size_t size, Error *error);
void pg_relation_done(PgRelation *relation);
/* Of each mapped column: is a field of the key made of it? Allocated. */
bool *pg_log_key_columns(const Mapping *m);
bool pg_log_rereads(const Mapping *m);

/* postgresql-slot.c */
int pg_log_identify(Connection *c, LogSlot *ret, Error *error);
int pg_log_state(Connection *c, const char *name, LogState *ret, Error *error);
int pg_log_make(Connection *c, const LogPlan *plan, uint64_t *ret_lsn, Error *error);
int pg_log_publish(Connection *c, const LogPlan *plan, Error *error);
void pg_log_release(Connection *c);
int pg_log_drop(Connection *c, const char *name, Error *error);
int pg_log_now(Connection *c, uint64_t *ret_lsn, Error *error);
/* A replication session of the connection's system. */
_must_check_ int pg_log_session(PgConnection *c, PGconn **ret, Error *error);

/* postgresql-log-check.c: what the server, its login and a mapping's tables lack for being followed. With report rows are
 * appended for it, else the first is the error. */
_must_check_ int pg_log_check_server(PgConnection *c, const char *slot, json_t *report, Error *error);
_must_check_ int pg_log_check_mapping(PgConnection *c, const Pair *pair, const Mapping *m, const PgSources *sources, json_t *report,
                                      Error *error);

/* postgresql-log-read.c */
int pg_log_read(LogStream *s, size_t mapping, const Value *const *keys, size_t n_keys, log_taker_t take, void *userdata,
                Error *error);
int pg_log_read_joined(LogStream *s, size_t mapping, size_t join, const Value *const *values, size_t n_values, log_taker_t take,
                       void *userdata, Error *error);

extern const LogConnector postgresql_log;
