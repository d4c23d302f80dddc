/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A scan of one of their tables: in one snapshot, in pages behind the last key. In the worker. */
#include "connect/odbc-result.h"
#include "connect/odbc-scan.h"

#define ODBC_KEY_MAX 32U /* columns of an identity */

typedef struct OdbcReader {
        Reader base;
        OdbcConnection *connection, *own; /* own: where another reader has the connection's session */
        OdbcConnection *db;               /* the one of both that is read with */
        ReadPlan plan;
        OdbcSources sources; /* their types are used to the end */
        OdbcScan scan;
        OdbcResult result;
        Arena *arena;  /* values of a record */
        Value *values; /* columns, then identity */
        bool in_snapshot, resumed, at_end, opened;
        size_t n_page, n_in_page; /* records that a page may have, and has given */
        uint64_t page_bytes;
        char *last; /* identity of the last row, encoded: what a position is made of */
        size_t last_size, last_capacity;
        char *position;
        char *until; /* bound of the range that is read, as key-range.h has it; NULL: none */
} OdbcReader;

int odbc_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error);
int odbc_reader_next(Reader *reader, Value *values, Error *error);
const char *odbc_reader_position(Reader *reader);
bool odbc_reader_resumed(const Reader *reader);
bool odbc_reader_keys_are_unique(const Reader *reader);
void odbc_reader_close(Reader *reader);
/* Strategy digest: see connector.h. ERROR_NOT_YET unless the database hashes, in a snapshot, and there is a key to cut by. */
_must_check_ int odbc_ranges_require(const OdbcDialect *dialect, const OdbcSources *sources, Error *error);
int odbc_ranges_plan(Reader *reader, const KeyRange *within, uint64_t n_records, KeyRanges *ret,
                     Error *error);
int odbc_ranges_sum(Reader *reader, KeyRange *ranges, size_t n_ranges, Error *error);
int odbc_reader_range(Reader *reader, const KeyRange *range, Error *error);
bool odbc_reader_ranges_by_key(const Reader *reader);
