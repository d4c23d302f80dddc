/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the store on PostgreSQL share; inside this room only. A Session is one connection, which
 * never waits longer than it should; a PgDatabase is a schema seen through one. */
#include <libpq-fe.h>
#include "store/database-internal.h"

#define LOCK_TIMEOUT_MSEC 5000U /* as SQLite's busy_timeout */
#define PARAMETERS_MAX    32    /* of one statement: ours have 20 at most */
#define SENT_MAX          512U /* statements sent on without an answer: answers fit into a socket's buffer */

/* server.c: what PQconnectStartParams() takes. keywords and values are borrowed and NULL-terminated. */
void store_server_parameters(const char *const **ret_keywords, const char *const **ret_values);
unsigned store_server_statement_timeout_msec(void);

typedef struct Session {
        PGconn *connection;
        char *path;   /* schema, for messages */
        bool is_lost; /* nothing more will come: every call fails */
} Session;

/* Connects within connect_timeout, 10 s at most. ERROR_SYSTEM_UNAVAILABLE where waiting may help, else
 * ERROR_CONFIGURATION. path: for messages. */
_must_check_ int session_open(const char *path, Session **ret, Error *error);
Session *session_close(Session *s);
DEFINE_CLEANUP(Session, session_close)
/* Was the connection closed from the other end while nobody looked? */
bool session_is_lost(Session *s);
/* The next result of what was sent, NULL at the end of one command's. Fails only where the session is lost or
 * the server does not answer in time. */
_must_check_ int session_result(Session *s, PGresult **ret, Error *error);
/* Reads all results of what was sent and gives the last; the first failure counts. */
_must_check_ int session_collect(Session *s, PGresult **ret, Error *error);
/* One or several commands without parameters (simple protocol); gives the last result, which the caller
 * clears; ret may be NULL. */
int session_execute(Session *s, const char *sql, PGresult **ret, Error *error);
/* One command with text parameters and a text result. */
_must_check_ int session_query(Session *s, const char *sql, const char *const *values, int n_values,
                               PGresult **ret, Error *error);
/* What a failed result means for our users: one place for all SQLSTATEs. doing: "read", "write", "open". */
int session_failure(const Session *s, const PGresult *result, const char *doing, Error *error);
/* The connection could not be used: marks it lost. */
int session_lost(Session *s, Error *error);
static inline void pg_result_clearp(PGresult **r) { PQclear(*r); }
#define _cleanup_result_ _cleanup_(pg_result_clearp)

typedef struct PgParameter {
        enum { PARAMETER_NULL, PARAMETER_INTEGER, PARAMETER_TEXT, PARAMETER_BYTES } type;
        const void *bytes; /* borrowed, or number */
        size_t size;
        uint64_t number; /* big-endian */
} PgParameter;

typedef struct PgStatement {
        Statement common; /* first */
        bool is_prepared, gives_rows;
        char name[16]; /* at the server */
        char *text;    /* in PostgreSQL's words */
        PgParameter parameters[PARAMETERS_MAX];
        int n_parameters;
        PGresult *result; /* of the present execution; NULL: not executed */
        int row;
} PgStatement;

typedef struct Sent {
        PgStatement *preparing; /* this is where it is prepared; NULL: executed */
        bool one;               /* must it meet exactly one row? */
} Sent;

typedef struct PgDatabase {
        Database common; /* first */
        Session *session;
        bool in_transaction, read_only;
        Error failure; /* of what was sent on: the next call brings it */
        Sent *sent;    /* what has no answer yet */
        size_t n_sent, sent_capacity;
        int64_t n_changes;
        unsigned n_names;
} PgDatabase;

/* postgresql-send.c: what goes to the server without waiting. */
/* Sends a prepared statement on. */
_must_check_ int pg_send(PgDatabase *d, PgStatement *s, bool one, Error *error);
/* Waits for all answers; gives the first failure since the transaction began. */
_must_check_ int pg_settle(PgDatabase *d, Error *error);
void pg_forget(PgDatabase *d); /* drops answers: the transaction is going to be undone */
/* Fills what PQsendQueryPrepared() and PQprepare() take; arrays of PARAMETERS_MAX. */
void pg_parameters(const PgStatement *s, Oid *types, const char **values, int *sizes, int *formats);
/* Keeps a failure for the next call, unless there is one already. Takes error's content. */
void pg_keep_failure(PgDatabase *d, Error *failure);

/* postgresql-open.c */
/* "a\"b" → "\"a\"\"b\"". NULL without memory. */
char *pg_identifier(const char *name);
int pg_database_hold(Database *d, const char *what, const char *holder, unsigned wait_msec, Error *error);
int pg_database_open(const char *path, const Migration *migrations, Database **ret, Error *error);
int pg_database_open_read_only(const char *path, Database **ret, Error *error);
/* Names of schemas that begin with prefix, NULL-terminated, sorted, owned; NULL where there are none. */
int pg_schemas(const char *prefix, char ***ret, Error *error);

extern const DatabaseKind database_postgresql;
