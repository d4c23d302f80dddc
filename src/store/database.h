/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* OUR own memory: one database file with migrations, statements with named results. In syncd's store
 * thread and in workers. */
#include "basic/error.h"

typedef struct Database Database;
typedef struct Statement Statement; /* prepared once, reused; belongs to its database */

/* Opens or creates path (WAL, synchronous=full, busy_timeout 5 s, foreign keys on, cache SQLITE_CACHE_KIB)
 * and migrates it with the NULL-terminated `migrations` (user_version counts them, each in one
 * transaction). A file of a newer version is refused. ERROR_IO, ERROR_DISK_FULL, ERROR_SYSTEM_BUSY,
 * ERROR_FILE_FORMAT. */
_must_check_ int database_open(const char *path, const char *const *migrations, Database **ret,
                               Error *error);
/* The same without writing, creating or migrating: -ENOENT quietly where there is no file, or nothing in
 * it, yet. */
_must_check_ int database_open_read_only(const char *path, Database **ret, Error *error);
Database *database_close(Database *d);
DEFINE_CLEANUP(Database, database_close)
_must_check_ int database_execute(Database *d, const char *sql, Error *error);
_must_check_ int database_begin(Database *d, Error *error); /* begin immediate */
_must_check_ int database_commit(Database *d, Error *error);
void database_rollback(Database *d);
/* Gives a prepared statement, from the cache by the address of the static sql text; reset, nothing bound. */
_must_check_ int database_prepare(Database *d, const char *sql, Statement **ret, Error *error);
/* Parameters count from 1. Bytes are borrowed until the statement is stepped to its end or reset. NULL
 * text binds null. */
void statement_bind_integer(Statement *s, int parameter, int64_t value);
void statement_bind_text(Statement *s, int parameter, const char *text);
void statement_bind_bytes(Statement *s, int parameter, const void *bytes, size_t size);
void statement_bind_null(Statement *s, int parameter);
_must_check_ int statement_step(Statement *s, Error *error); /* 1: a row; 0: done (and reset) */
_must_check_ int statement_run(Statement *s, Error *error);  /* steps to the end */
void statement_reset(Statement *s);
int64_t statement_integer(Statement *s, int column);  /* columns count from 0; null is 0 */
const char *statement_text(Statement *s, int column); /* borrowed until the next step; NULL for null */
const void *statement_bytes(Statement *s, int column, size_t *ret_size);
bool statement_is_null(Statement *s, int column);
int64_t database_changes(Database *d);  /* rows of the last insert, update or delete */
int64_t database_last_row(Database *d); /* rowid of the last insert */
const char *database_path(const Database *d);
/* Errors of statements: ERROR_DISK_FULL, ERROR_SYSTEM_BUSY, ERROR_OUT_OF_MEMORY, ERROR_IO,
 * ERROR_FILE_FORMAT (not a database, damaged); a key that is there already is ERROR_CONFLICT (-EEXIST);
 * anything else is a mistake of ours: ERROR_INTERNAL. */
