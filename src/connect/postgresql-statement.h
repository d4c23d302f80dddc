/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SQL that writes and fetches many records of PostgreSQL at once. Pure; in the worker. Statements are
 * allocated text.
 *
 * Inserts go by COPY. Everything else takes one array a column as its parameter, $1 for the first, and joins
 * their unnest(): one round trip, one plan, and no staging table that a DBA would have to allow and that a
 * crash would leave behind. Columns whose types go as text are cast here. */
#include "connect/postgresql-type.h"
#include "model/mapping.h"

typedef struct PgStatement {
        const Mapping *mapping;
        const char *table;           /* quoted */
        const PgType *const *types;  /* of each field */
        const bool *mask;            /* of each field: takes part; the key's fields always do where they are the where */
} PgStatement;

/* copy TABLE (masked fields) from stdin (format binary) */
_must_check_ int pg_sql_copy(const PgStatement *s, char **ret);
/* Parameters: an array of each masked field. */
_must_check_ int pg_sql_insert(const PgStatement *s, char **ret);
/* Parameters: an array of each key field, then of each masked one. */
_must_check_ int pg_sql_update(const PgStatement *s, char **ret);
/* Parameters: an array of each key field. */
_must_check_ int pg_sql_delete(const PgStatement *s, char **ret);
/* The same; gives the place in the arrays (from 1, bigint), then every field. */
_must_check_ int pg_sql_fetch(const PgStatement *s, char **ret);
