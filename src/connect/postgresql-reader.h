/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A reader of their PostgreSQL servers: what the files that read by it share. In the worker. */
#include "connect/postgresql-database.h"

#define POSITION_KEY_MAX 32U /* an index of PostgreSQL has at most 32 columns */

typedef struct PgReader {
        Reader base;
        PgConnection *connection;
        PGconn *db, *own; /* own: where another reader has the connection's session */
        PgScan scan;
        PgSources sources; /* their types are used to the end */
        CopyField *fields;
        char *record;      /* libpq's, of the last one */
        Arena *arena;      /* odd values of a record */
        bool copying, begun, resumed, at_end;
        char *last; /* identity of the last row, encoded: what a position is made of */
        size_t last_size, last_capacity;
        char *position;
        ReadPlan plan; /* READ_RANGES: what its ranges are of */
} PgReader;

/* Begins to copy the records of r->scan out, which the caller made. */
_must_check_ int pg_reader_copy(PgReader *r, Error *error);
