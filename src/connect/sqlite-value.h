/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Values into what SQLite stores without loss. Pure: knows no sqlite3.h. In the worker. */
#include "basic/error.h"
#include "connect/real.h"
#include "connect/table.h"
#include "model/value.h"

#define STORED_TEXT_MAX 64  /* bytes of any text made here, with NUL */

typedef enum StoredType { STORED_NULL, STORED_INTEGER, STORED_TEXT, STORED_BLOB } StoredType;
typedef struct StoredValue {
        StoredType type;
        int64_t integer;
        const char *bytes; /* borrowed from the value, or from text */
        size_t size;
        char text[STORED_TEXT_MAX];
} StoredValue;

/* What a column declared so does to values; by the rules of "Datatypes In SQLite", 3.1. type may be NULL. */
ColumnAffinity sqlite_affinity(const char *type, bool strict);
/* Sets a table's identity: the primary key where there is no rowid, else one of rowid's names that no
 * column took. */
_must_check_ int sqlite_identity(Table *t, bool without_rowid);

/* How a value is stored in a column. ERROR_RECORD_REFUSED where the column's affinity would change it: it
 * names column, value and remedy. */
_must_check_ int value_store(const Value *v, const TableColumn *column, StoredValue *ret, Error *error);
