/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A CSV file as a target. The file is the table, and its only truth: there is no index beside it that could disagree. A transaction writes the
 * whole file anew beside it (".NAME.terrafusion"), and commit renames that into place, so that readers see the old file or the new one, and kill -9
 * leaves one of them. Fetching and writing each read the file once, whatever the number of records: bounded memory, and a cost that grows with the file
 * and the number of batches. Only connect/csv*.c include this. In the worker. */
#include "connect/csv-file.h"

/* The file that an open transaction has written so far. */
typedef struct CsvStage {
        char *path, *staged_path;
        FileIdentity base;      /* of the file when the transaction first read it */
        bool has_base;          /* false: there was none */
        struct CsvStage *next;
} CsvStage;

int csv_begin(Connection *connection, Error *error);
int csv_commit(Connection *connection, Error *error);
int csv_rollback(Connection *connection);
/* .NAME.terrafusion beside it: hidden from who lists tables, and written over by the next one where kill -9 left it.
 * Allocated; NULL without memory. */
char *csv_staged_path(const char *path);
/* The stage of a path; made where the transaction has none yet. */
_must_check_ int csv_stage_find(CsvConnection *c, const char *path, CsvStage **ret, Error *error);

int csv_writer_open(Connection *connection, const Mapping *m, Writer **ret, Error *error);
void csv_writer_close(Writer *writer);
int csv_count(Writer *writer, uint64_t *ret, Error *error);
int csv_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
int csv_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error);
int csv_target_check(CsvConnection *c, const Mapping *m, json_t *report);
