/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Types of the databases behind ODBC as these declare them, texts of theirs into values, and values as literals of their
 * SQL. Pure; in the worker. */
#include "basic/arena.h"
#include "basic/error.h"
#include "basic/text-buffer.h"
#include "connect/odbc-error.h"
#include "model/value.h"

typedef enum OdbcKind {
        ODBC_OTHER, /* goes as its text */
        ODBC_TEXT,
        ODBC_CHAR, /* char(n): blanks at its end mean nothing and are left out */
        ODBC_INTEGER,
        ODBC_BIGINT_UNSIGNED,
        ODBC_DECIMAL,
        ODBC_REAL,
        ODBC_DOUBLE,
        ODBC_BOOLEAN,
        ODBC_DATE,
        ODBC_TIME,
        ODBC_TIMESTAMP,
        ODBC_TIMESTAMPTZ,
        ODBC_UUID,
        ODBC_JSON,
        ODBC_BYTES,
        ODBC_ROWVERSION, /* of SQL Server: 8 bytes that the server counts up */
        ODBC_GEOMETRY,
        ODBC_ANY,    /* of SQLite: a column stores what it is given */
        ODBC_QUOTED, /* what SQLite's quote() gives: the value as a literal */
        _ODBC_KIND_MAX,
} OdbcKind;

typedef struct OdbcType {
        OdbcKind kind;
        unsigned length;          /* characters or bytes; 0: no limit that counts */
        int precision, scale;     /* of decimals; scale: of times the digits of a second, too. -1: none */
        int64_t minimum, maximum; /* of integers */
        const char *declared;     /* borrowed */
} OdbcType;

/* What a declaration means: "decimal(14,2)", "datetime2(7)", "bigint(20) unsigned". */
void odbc_type_parse(OdbcFamily family, const char *declared, OdbcType *ret);

/* A text of the database for a value of the type, into the arena where it has to be changed. What a value cannot hold
 * (0000-00-00, 25:00:00, a tenth of a microsecond, more than 38 digits) stays TEXT: the conversion to the field's type
 * tells. -ENOMEM. */
_must_check_ int odbc_value_from_text(const OdbcType *type, const char *text, size_t size, Arena *arena,
                                      Value *ret);
/* UTF-16 (this machine's order) as UTF-8 text in the arena; BYTES where a surrogate stands alone. -ENOMEM. */
_must_check_ int odbc_value_from_utf16(const uint16_t *units, size_t n_units, Arena *arena, Value *ret);
/* UTF-16 of UTF-8 text: room for size units. Gives how many. */
size_t odbc_utf16_from_text(const char *text, size_t size, uint16_t *ret_units);

/* A value as SQL for a comparison with a column of the type. The value is one that was read from it. -ENOMEM. */
_must_check_ int odbc_literal(OdbcFamily family, const OdbcType *type, const Value *v, char **ret);
/* A text as SQL. NULL without memory. */
char *odbc_text_literal(OdbcFamily family, const char *text, size_t size);

/* The text that stores a value in a column of the type exactly, into the arena; *ret NULL: null. ERROR_RECORD_REFUSED where
 * the database would change the value or the column cannot hold its kind; it names column, value, remedy. */
_must_check_ int odbc_value_to_text(OdbcFamily family, const OdbcType *type, const char *column,
                                    const Value *v, Arena *arena, const char **ret, size_t *ret_size,
                                    Error *error);
/* What is read of a column, "@" for its name; NULL: itself. What that gives is of the type that *ret_type is set to. */
const char *odbc_column_form(OdbcFamily family, const OdbcType *type, const OdbcType **ret_type);
/* Can a column of the kind hold values of the field's type at all? */
bool odbc_kind_takes(OdbcKind kind, ValueType type);
