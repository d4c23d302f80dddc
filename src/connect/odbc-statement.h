/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The statements that write and fetch records: their SQL, by dialect. Pure; in the worker. Texts are allocated. */
#include "connect/odbc-dialect.h"
#include "connect/odbc-type.h"

typedef struct OdbcStatement {
        const OdbcDialect *dialect;
        const Mapping *mapping;
        const OdbcType *const *types; /* of each field's column */
        const bool *mask;             /* fields that take part */
} OdbcStatement;

/* Parameters in the order of the fields: of insert the masked ones, of update these and then the key, of delete the key. */
_must_check_ int odbc_sql_insert(const OdbcStatement *s, char **ret);
_must_check_ int odbc_sql_update(const OdbcStatement *s, char **ret);
_must_check_ int odbc_sql_delete(const OdbcStatement *s, char **ret);
/* The records of n_keys keys: their number from 0 on, then all fields. Each key is compared by itself, by the database's own
 * rules, and finds its row by the index: what one statement with all keys would give has to be told apart by us. */
_must_check_ int odbc_sql_fetch(const OdbcStatement *s, size_t n_keys, char **ret);
