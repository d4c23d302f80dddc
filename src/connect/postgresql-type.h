/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* PostgreSQL's types in their binary form, into values and back without loss. Pure: knows no libpq-fe.h. In
 * the worker. Source: the …send() and …recv() functions of PostgreSQL 15, src/backend/utils/adt. */
#include "basic/arena.h"
#include "basic/error.h"
#include "connect/copy-binary.h"
#include "model/value.h"

typedef enum PgKind {
        PG_OTHER, /* goes as its text, both ways */
        PG_TEXT,  /* text, varchar, name, enums: UTF-8 as it is */
        PG_CHAR,  /* char(n): blanks at its end mean nothing and are left out */
        PG_SMALLINT,
        PG_INTEGER,
        PG_BIGINT,
        PG_NUMERIC,
        PG_BOOLEAN,
        PG_DATE,
        PG_TIME,
        PG_TIMESTAMP,
        PG_TIMESTAMPTZ,
        PG_UUID,
        PG_JSON,
        PG_JSONB,
        PG_BYTEA,
        PG_REAL,
        PG_DOUBLE,
        PG_MONEY,    /* goes as numeric, since its digits after the point are the locale's */
        PG_XID8,     /* a transaction's number, as its text */
        PG_GEOMETRY, /* of PostGIS, geography too: EWKB */
        _PG_KIND_MAX,
} PgKind;

typedef struct PgType {
        PgKind kind;
        uint32_t oid;       /* of the type below its domains; elements of arrays have it */
        uint32_t array_oid; /* of the array that carries its values: of text for OTHER */
        int32_t modifier;   /* atttypmod: length, precision and scale; -1: none */
        char category;      /* pg_type.typcategory */
        bool always_identity; /* generated always: an insert may give it, an update may not */
        const char *compound; /* "an array": more than the one value that a field has; NULL */
        char *name;         /* as SQL writes it, quoted where it must be */
} PgType;

/* Which kind a type is. is_enum: its values are labels. */
PgKind pg_kind_of(uint32_t oid, bool is_enum, const char *name);
/* What a type of more than one value is, by pg_type's typtype and typcategory: "an array"; NULL. */
const char *pg_compound_of(char type, char category);
/* Has a scan or a statement to cast it, and to what? NULL: it goes in its own binary form. */
const char *pg_cast_of(const PgType *type);

/* A value's binary form, borrowed by *ret where it has bytes (odd ones live in the arena). Infinite dates,
 * times outside the years 0000 to 9999, 24:00:00, NaN and numbers of more than 38 digits come as TEXT: a
 * conversion to the field's type then tells. check_utf8: the server does not know encodings.
 * -EBADMSG: not of that type; -ENOMEM. */
_must_check_ int pg_decode(const PgType *type, const char *bytes, size_t size, bool check_utf8, Arena *arena,
                           Value *ret);

/* Appends a value's length and binary form (NULL and ABSENT: null). ERROR_RECORD_REFUSED, nothing appended,
 * where the column would change the value or cannot hold its kind; it names column, value, remedy. */
_must_check_ int pg_encode(const PgType *type, const char *column, const Value *v, CopyBuffer *b, Error *error);

/* A value as SQL text for a comparison at the server: 'text'::type, appended NUL-terminated. The value is one
 * that pg_decode() gave for the type. -ENOMEM. */
_must_check_ int pg_literal(const PgType *type, const Value *v, CopyBuffer *b);
