/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One of their tables, as its catalog has it, and the tables of a scan. In the worker; calls block. */
#include "connect/odbc-database.h"
#include "connect/odbc-type.h"
#include "connect/table.h"

typedef struct OdbcTable {
        Table *table;
        OdbcType *types; /* of table->columns */
        char *engine;    /* MariaDB: a storage engine without transactions; else NULL */
} OdbcTable;
OdbcTable *odbc_table_free(OdbcTable *t);
DEFINE_CLEANUP(OdbcTable, odbc_table_free)
/* Name as in the mapping: "parcel" or "schema.parcel". ERROR_TABLE_MISSING with the nearest name. */
_must_check_ int odbc_table_load(OdbcConnection *c, const char *name, OdbcTable **ret, Error *error);
const OdbcType *odbc_table_type(const OdbcTable *t, const char *column); /* NULL: no such column */

typedef struct OdbcSources {
        OdbcTable *own, **joins;
        size_t n_joins;
} OdbcSources;
void odbc_sources_done(OdbcSources *s);
/* Loads them and checks that every column is there. With report, what is missing is appended and left NULL. */
_must_check_ int odbc_sources_load(OdbcConnection *c, const Pair *pair, const Mapping *m, json_t *report,
                                   OdbcSources *s, Error *error);
