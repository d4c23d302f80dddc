/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A session with one of their databases through unixODBC: opening, statements, failures. Only connect/odbc*.c include
 * this, which includes the driver manager's headers. In the worker; calls block. */
#include <sql.h>
#include <sqlext.h>

#include "connect/odbc-dialect.h"
#include "connect/odbc.h"

typedef struct OdbcConnection {
        Connection base;
        const System *system;
        SQLHENV environment;
        SQLHDBC db;
        bool connected;
        const OdbcDialect *dialect;
        char *driver;        /* name and version, for reports */
        bool scanning;       /* a reader has the session */
        bool writes, locked; /* opened for writing; the lock of the pair is ours */
        bool in_transaction;
        bool no_arrays; /* the driver does not do what it says of parameter arrays */
        bool checked;   /* what is said of the system once, not of each entity */
        Arena *arena;   /* of horizons */
} OdbcConnection;

/* Opens a session: within 10 s, with timeouts and modes set. Never tells a secret. */
_must_check_ int odbc_session_open(const System *system, bool write, OdbcConnection **ret, Error *error);
void odbc_session_close(OdbcConnection *c);

/* Turns the newest diagnosis of a handle into a row of error-codes.h. what: "cannot read on". of_record: see odbc-error.h.
 * Gives the negative errno. */
int odbc_fail(const OdbcConnection *c, SQLSMALLINT type, SQLHANDLE handle, const char *what, bool of_record,
              Error *error);

static inline void odbc_statement_free(SQLHSTMT *statement) {
        if (*statement != SQL_NULL_HSTMT)
                (void) SQLFreeHandle(SQL_HANDLE_STMT, *statement);
}
#define _cleanup_odbc_statement_ _cleanup_(odbc_statement_free)
_must_check_ int odbc_statement_new(OdbcConnection *c, SQLHSTMT *ret, Error *error);
/* A statement without rows. */
_must_check_ int odbc_execute(OdbcConnection *c, const char *sql, Error *error);
/* Where it fails, the next statement says why. */
static inline void odbc_rollback_always(OdbcConnection *c) {
        int r _unused_ = odbc_execute(c, "rollback", NULL);
}
/* The same where it decides about records that were written. */
_must_check_ int odbc_execute_of_record(OdbcConnection *c, const char *sql, Error *error);
/* A statement whose rows are few and texts: rows × columns of allocated texts, NULL for null. */
typedef struct OdbcRows {
        char **cells;
        size_t n_rows, n_columns, capacity;
} OdbcRows;
void odbc_rows_done(OdbcRows *rows);
static inline const char *odbc_cell(const OdbcRows *rows, size_t row, size_t column) {
        return rows->cells[row * rows->n_columns + column];
}
_must_check_ int odbc_query(OdbcConnection *c, const char *sql, OdbcRows *ret, Error *error);
/* The same with one text parameter. */
_must_check_ int odbc_query_with(OdbcConnection *c, const char *sql, const char *parameter, OdbcRows *ret,
                                 Error *error);
