/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Parameters of a statement, an array of values for each: one execution for many records where the driver can, else one
 * each; a single large value goes in pieces. In the worker; calls block. */
#include "connect/odbc-database.h"
#include "connect/odbc-type.h"

typedef struct OdbcArray {
        const OdbcType *type;
        const char *column; /* of the target, for messages */
        SQLSMALLINT c_type, sql_type;
        const char **texts; /* of each record, borrowed; NULL: null */
        size_t *sizes;
        char *values; /* as the driver takes them */
        size_t width;
        SQLLEN *lengths;
} OdbcArray;

typedef struct OdbcArrays {
        OdbcConnection *connection;
        Arena *arena; /* of texts that were made */
        OdbcArray *arrays;
        size_t n_arrays, arrays_max, n_records, n_records_max;
} OdbcArrays;

_must_check_ int odbc_arrays_init(OdbcArrays *a, OdbcConnection *c, size_t n_arrays_max,
                                  size_t n_records_max);
void odbc_arrays_done(OdbcArrays *a);
void odbc_arrays_reset(OdbcArrays *a); /* begins anew, with no columns */
void odbc_arrays_column(OdbcArrays *a, const OdbcType *type, const char *column);
/* The value of a column of the record n_records, which counts when the caller adds one to it. ERROR_RECORD_REFUSED. */
_must_check_ int odbc_arrays_put(OdbcArrays *a, size_t column, const Value *value, Error *error);
/* Executes the prepared statement with them and gives how many rows it met in all. */
_must_check_ int odbc_arrays_run(OdbcArrays *a, SQLHSTMT statement, const char *what, uint64_t *ret_n_met,
                                 Error *error);
/* Binds record after record as the parameters of one execution (for odbc_sql_fetch()). They stay bound until reset. */
_must_check_ int odbc_arrays_bind_flat(OdbcArrays *a, SQLHSTMT statement, Error *error);
