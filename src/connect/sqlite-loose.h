/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SQLite lets any value into any column. A text or a blob in a column that is declared for numbers, or bytes in one for texts, is a finding that names table, column, row
 * and value: a mapping without types would pass it on. In the worker. */
#include "connect/sqlite-database.h"
#include "model/finding.h"

typedef struct SqliteLoose {
        const Mapping *mapping;
        struct LooseColumn *columns; /* mapping->n_columns */
} SqliteLoose;
/* Notes which columns are declared so (INT…, REAL, FLOAT, DOUBLE, DECIMAL, NUMERIC; not dates, booleans and what has no type). A column is passed over
 * whose every field has a type that is no number, as then the text is meant. -ENOMEM. */
_must_check_ int sqlite_loose_init(const Mapping *m, const SqliteSources *sources, SqliteLoose *ret);
void sqlite_loose_done(SqliteLoose *l);
/* Appends a word about each decimal field whose column holds binary floats. */
_must_check_ int sqlite_reals_report(const Mapping *m, const SqliteSources *sources, json_t *report);
/* Is there anything to look at? Asked of each record that goes on, before its row is put into words. */
bool sqlite_loose_any(const SqliteLoose *l, const Value *values);
/* Adds what is wrong with a record. row: "rowid 17". -ENOMEM. */
_must_check_ int sqlite_loose_findings(const SqliteLoose *l, const Value *values, const char *row, Arena *arena, Finding **findings);
