/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rows of a query, fetched in blocks: an array for each column, of as many rows as fit. Columns whose values may be long
 * are fetched in pieces, and then rows one by one. In the worker; calls block. */
#include "connect/odbc-database.h"
#include "connect/odbc-type.h"

typedef struct OdbcColumn {
        const OdbcType *type;
        SQLSMALLINT c_type;
        size_t width; /* bytes of a value in its array; 0: long, it has none */
        bool bound;
        char *values;
        SQLLEN *lengths;
} OdbcColumn;

typedef struct OdbcResult {
        OdbcConnection *connection;
        SQLHSTMT statement;
        OdbcColumn *columns;
        size_t n_columns, n_block;
        SQLULEN n_rows, row; /* of the present block */
        bool open;
        char *pieces; /* of a long value */
        size_t pieces_capacity;
} OdbcResult;

/* Types of the columns that its queries give; they must outlive it. */
_must_check_ int odbc_result_init(OdbcResult *r, OdbcConnection *c, const OdbcType *const *types,
                                  size_t n_types, Error *error);
void odbc_result_done(OdbcResult *r);
_must_check_ int odbc_result_query(OdbcResult *r, const char *sql, Error *error);
/* The same for its statement, which was prepared and bound by the caller. */
_must_check_ int odbc_result_execute(OdbcResult *r, Error *error);
/* 1: a row, its values in the arena or borrowed until the next call; 0: the end. */
_must_check_ int odbc_result_next(OdbcResult *r, Arena *arena, Value *values, Error *error);
void odbc_result_close(OdbcResult *r); /* the query; another may follow */
