/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the two implementations of database.h have in common; inside this room only. */
#include "store/database.h"

/* One row per implementation. Those without a comment are the functions of database.h. Statements are opened
 * anew, since the cache is database.c's; what else a function of database.h promises is its own. */
typedef struct DatabaseKind {
        int (*open)(const char *path, const Migration *migrations, Database **ret, Error *error);
        int (*open_read_only)(const char *path, Database **ret, Error *error);
        int (*list)(const char *prefix, char ***ret, Error *error); /* NULL for files */
        void (*done)(Database *d); /* all but what struct Database holds; frees d */
        bool (*is_lost)(Database *d);
        int (*hold)(Database *d, const char *what, const char *holder, unsigned wait_msec, Error *error);
        int (*execute)(Database *d, const char *sql, Error *error);
        int (*begin)(Database *d, Error *error);
        int (*commit)(Database *d, Error *error);
        void (*rollback)(Database *d); /* statements are reset already */
        int64_t (*changes)(Database *d);

        int (*prepare)(Database *d, const char *sql, Statement **ret, Error *error);
        void (*statement_done)(Statement *s); /* frees s */
        void (*clear)(Statement *s);          /* resets and forgets what is bound */
        void (*bind_integer)(Statement *s, int parameter, int64_t value);
        void (*bind_text)(Statement *s, int parameter, const char *text);
        void (*bind_bytes)(Statement *s, int parameter, const void *bytes, size_t size);
        void (*bind_null)(Statement *s, int parameter);
        int (*step)(Statement *s, Error *error);
        int (*run)(Statement *s, bool one, Error *error);
        void (*reset)(Statement *s);
        int64_t (*integer)(Statement *s, int column);
        const char *(*text)(Statement *s, int column);
        const void *(*bytes)(Statement *s, int column, size_t *ret_size);
        bool (*is_null)(Statement *s, int column);
} DatabaseKind;

/* The first member of each implementation's own. */
struct Statement {
        Database *database;
        const char *sql; /* static: its address is the cache's key */
};

struct Database {
        const DatabaseKind *kind;
        char *path;
        Statement **statements;
        size_t n_statements, statements_capacity;
};

extern const DatabaseKind database_sqlite, database_postgresql;

/* ERROR_OUT_OF_MEMORY that names the database; doing: "read", "write", "open". */
_must_check_ int database_no_memory(const char *path, const char *doing, Error *error);
int database_not_one(const Database *d, int64_t n, Error *error); /* for statement_run_one() */
/* Brings the tables to the newest format, a step at a time; a newer one is ERROR_FILE_FORMAT. version: how many migrations were made;
 * step: makes the next of n in a transaction, where another process has not. */
_must_check_ int database_migrate(Database *d, const Migration *migrations, int (*version)(Database *d, int *ret, Error *error),
                                  int (*step)(Database *d, const Migration *migrations, int n, Error *error), Error *error);
