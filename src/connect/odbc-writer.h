/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One table of an ODBC target: what writing and fetching share. In the worker. */
#include "connect/odbc-arrays.h"
#include "connect/odbc-result.h"
#include "connect/odbc-statement.h"
#include "connect/odbc-table.h"

#define ODBC_RECORDS_MAX 1000U /* of one execution */

typedef struct OdbcWriter {
        Writer base;
        OdbcConnection *connection;
        const Mapping *mapping;
        OdbcTable *table;
        const OdbcType **types; /* of each field */
        OdbcArrays arrays;
        Arena *arena; /* of decoded keys */
        Value *key;
        OdbcResult fetched; /* of the fetch; its statement is prepared once */
        const OdbcType **fetch_types;
        Value *fetch_values;
        OdbcArrays fetch_keys;
} OdbcWriter;

int odbc_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error);
void odbc_writer_close(Writer *writer);
int odbc_count(Writer *writer, uint64_t *ret, Error *error);
int odbc_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
int odbc_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error);
/* The key of the record that is there: as it was read where that is known. */
_must_check_ int odbc_change_key(OdbcWriter *w, const Change *change, const Value **ret);

int odbc_begin(Connection *connection, Error *error);
int odbc_commit(Connection *connection, Error *error);
int odbc_rollback(Connection *connection);
