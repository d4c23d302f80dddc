/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Values into what SQLite stores without loss, and its binary floats back into decimals. Pure: knows no
 * sqlite3.h. In the worker. */
#include "basic/error.h"
#include "connect/table.h"
#include "model/value.h"

#define STORED_TEXT_MAX   64  /* bytes of any text made here, with NUL */
#define REAL_TEXT_MAX     32  /* of any double, with NUL */
#define REAL_DIGITS_EXACT 15U /* decimal digits that a double carries there and back */

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
/* A binary float as the shortest decimal that gives it back: DECIMAL, or TEXT (borrowed from text) where
 * a decimal cannot hold it. */
void value_from_real(double number, char text[static REAL_TEXT_MAX], Value *ret);
