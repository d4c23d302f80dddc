/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* OUR own memory: one database with migrations, statements with named results. In syncd's store thread and in
 * workers. Two implementations, chosen by where the store is: a file each with SQLite, a schema each of one
 * database with PostgreSQL (server.h). SQL is what both understand: parameters are ? or ?N, no rowid, and
 * nothing goes on after a statement failed inside a transaction. */
#include "basic/error.h"

typedef struct Database Database;
typedef struct Statement Statement; /* prepared once, reused; belongs to its database */

/* A step of the format, in the SQL of each; ends an array where sqlite is NULL. Made from
 * migrations/KIND-NNN-WHAT.sql by embed-migrations.py. */
typedef struct Migration {
        const char *sqlite, *postgresql;
} Migration;

/* Opens or creates path (see store_path()) and migrates it, each step in one transaction; several processes
 * may do so at a time. What a newer version wrote is refused.
 * SQLite: WAL, synchronous=full, busy_timeout 5 s, foreign keys on, cache SQLITE_CACHE_KIB.
 * PostgreSQL: a session of its own. */
_must_check_ int database_open(const char *path, const Migration *migrations, Database **ret, Error *error);
/* The same without writing, creating or migrating: -ENOENT quietly where there is nothing yet. */
_must_check_ int database_open_read_only(const char *path, Database **ret, Error *error);
/* Paths of all there are on the server, NULL-terminated, sorted, owned; NULL where there are none. Files are
 * found in their folders. */
_must_check_ int database_list(char ***ret, Error *error);
Database *database_close(Database *d);
DEFINE_CLEANUP(Database, database_close)
/* Is the server behind d gone, or did it end our session? Then d is of no more use. A file is never lost. */
bool database_is_lost(Database *d);
/* Until d is closed nobody else gets to hold `what`, a name of our own ("pair pacs_to_cama"). With SQLite
 * there is nothing to do: the lock file next to it is enough, since both are on one machine. With PostgreSQL
 * waits that long for a holder that is just going. holder: what others are told holds it.
 * ERROR_ALREADY_RUNNING names the holder. */
_must_check_ int database_hold(Database *d, const char *what, const char *holder, unsigned wait_msec,
                               Error *error);
_must_check_ int database_execute(Database *d, const char *sql, Error *error);
/* One writer at a time: begin immediate, or a lock of the schema that ends with the transaction. */
_must_check_ int database_begin(Database *d, Error *error);
/* Durable when it returns 0. After a failure the transaction is rolled back, or, where the server was lost
 * before it answered, nobody knows: whoever opens the database next reads what is true. */
_must_check_ int database_commit(Database *d, Error *error);
void database_rollback(Database *d);
/* Gives a prepared statement, from the cache by the address of the static sql text; reset, nothing bound. */
_must_check_ int database_prepare(Database *d, const char *sql, Statement **ret, Error *error);
/* Parameters count from 1. Bytes are borrowed until the statement is stepped to its end, run or reset. NULL
 * text binds null. A parameter that is always null first and bytes later is bound with
 * statement_bind_null(). */
void statement_bind_integer(Statement *s, int parameter, int64_t value);
void statement_bind_text(Statement *s, int parameter, const char *text);
void statement_bind_bytes(Statement *s, int parameter, const void *bytes, size_t size);
void statement_bind_null(Statement *s, int parameter);
_must_check_ int statement_step(Statement *s, Error *error); /* 1: a row; 0: done (and reset) */
/* Steps to the end. Inside a transaction an insert, update or delete that returns nothing may be sent without
 * waiting for its answer: its failure then comes from a later statement or from the commit, and
 * database_changes() waits. */
_must_check_ int statement_run(Statement *s, Error *error);
/* The same for an update or delete that must meet exactly one row: another number is ERROR_INTERNAL. */
_must_check_ int statement_run_one(Statement *s, Error *error);
void statement_reset(Statement *s);
int64_t statement_integer(Statement *s, int column);  /* columns count from 0; null is 0 */
const char *statement_text(Statement *s, int column); /* borrowed until the next step; NULL for null */
const void *statement_bytes(Statement *s, int column, size_t *ret_size);
bool statement_is_null(Statement *s, int column);
int64_t database_changes(Database *d); /* rows of the last insert, update or delete; -1: it failed */
const char *database_path(const Database *d);
/* Errors of statements: ERROR_DISK_FULL, ERROR_SYSTEM_BUSY, ERROR_SYSTEM_UNAVAILABLE (the server is away),
 * ERROR_OUT_OF_MEMORY, ERROR_IO, ERROR_FILE_FORMAT (not a database, damaged), ERROR_CONFIGURATION (the server
 * does not let us); a key that is there already is ERROR_CONFLICT (-EEXIST); anything else is a mistake of
 * ours: ERROR_INTERNAL. */
