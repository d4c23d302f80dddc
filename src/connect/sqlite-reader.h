/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A reader of their SQLite files: what the files that read by it share. In the worker. */
#include "connect/sqlite-database.h"
#include "connect/sqlite-loose.h"

#define POSITION_KEY_MAX 64U /* columns of a primary key that orders a scan */

typedef struct SqliteReader {
        Reader base;
        const System *system;
        sqlite3 *db; /* its own: one snapshot from open to close, whatever else the connection does */
        sqlite3_stmt *statement;
        int n_columns, n_identity;
        int *places; /* READ_KEYS: which of the mapping's columns each is; else NULL */
        bool numbered, resumed, at_end;
        int64_t schema_version;
        Value row;  /* number of the last row */
        char *last; /* identity of the last row, encoded: what a position is made of */
        size_t last_size, last_capacity;
        char *position;
        char (*real_texts)[REAL_TEXT_MAX];
        SqliteLoose loose;
        /* READ_RANGES */
        ReadPlan plan;
        SqliteSources sources;
        bool has_after, has_until; /* of the statement */
} SqliteReader;
