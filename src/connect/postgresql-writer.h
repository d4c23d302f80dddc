/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One table of a PostgreSQL target: what writing and fetching share. Only connect/postgresql-*.c include
 * this. In the worker. */
#include "connect/postgresql-database.h"
#include "connect/postgresql-statement.h"

typedef struct PgWriter {
        Writer base;
        PgConnection *connection;
        const Mapping *mapping;
        PgTable *table;
        const PgType **types; /* of each field */
        char *fetch_sql;
        CopyBuffer out; /* what goes into a COPY */
        Arena *arena; /* of decoded keys */
        Value *key;
} PgWriter;

/* What goes into arrays, a column of values each. */
typedef struct PgArrays {
        PgWriter *writer;
        CopyBuffer *buffers;
        const PgType **types;
        size_t n_columns, n_columns_max, n_records;
        bool *has_null;
} PgArrays;
_must_check_ int pg_arrays_init(PgArrays *a, PgWriter *w, size_t n_columns_max);
void pg_arrays_done(PgArrays *a);
/* Begins anew, with no columns. */
void pg_arrays_reset(PgArrays *a);
_must_check_ int pg_arrays_column(PgArrays *a, const PgType *type);
/* Adds one value of one column; the caller adds the same number to each, then counts n_records. */
_must_check_ int pg_arrays_add(PgArrays *a, size_t column, const char *name, const Value *value, Error *error);
/* Takes back what was added of a record that is not whole. */
void pg_arrays_mark(const PgArrays *a, size_t *marks);
void pg_arrays_rewind(PgArrays *a, const size_t *marks);
/* Runs the statement with the arrays as its parameters; rows come in binary form. */
_must_check_ int pg_arrays_run(PgArrays *a, const char *sql, PGresult **ret);

/* The key of the record that is there: as it was read where that is known. */
_must_check_ int pg_change_key(PgWriter *w, const Change *change, const Value **ret);
