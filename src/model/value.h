/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One typed value of a record. Plain data; text, bytes and geometry are borrowed from the batch's arena or the connector.
 * ABSENT (not told, leave as it is) is a third state beside a value and NULL. */
#include "basic/alloc.h"
#include "basic/arena.h"
#include "basic/decimal.h"
#include <jansson.h>

typedef enum ValueType {
        VALUE_ABSENT, VALUE_NULL, VALUE_TEXT, VALUE_INTEGER, VALUE_DECIMAL, VALUE_BOOLEAN, VALUE_DATE, VALUE_TIME,
        VALUE_TIMESTAMP, VALUE_UUID, VALUE_JSON, VALUE_BYTES, VALUE_GEOMETRY,
        _VALUE_TYPE_MAX, _VALUE_TYPE_INVALID = -1,
} ValueType;

typedef struct Value {
        ValueType type;
        union {
                int64_t integer;        /* INTEGER; BOOLEAN 0/1; DATE days since 1970; TIME, TIMESTAMP µs (UTC) */
                Decimal decimal;
                struct {
                        const char *bytes;      /* TEXT, JSON: UTF-8, not NUL-terminated; GEOMETRY: WKB; UUID: 16 bytes */
                        size_t size;
                };
        };
} Value;

#define VALUE_NONE ((Value) { .type = VALUE_ABSENT })
static inline Value value_null(void) { return (Value) { .type = VALUE_NULL }; }
static inline Value value_integer(int64_t integer) { return (Value) { .type = VALUE_INTEGER, .integer = integer }; }
static inline Value value_text(const char *bytes, size_t size) { return (Value) { .type = VALUE_TEXT, .bytes = bytes, .size = size }; }
static inline bool value_is_null(const Value *v) { return v->type <= VALUE_NULL; }
static inline bool value_type_has_bytes(ValueType t) {
        return t == VALUE_TEXT || t == VALUE_UUID || t == VALUE_JSON || t == VALUE_BYTES || t == VALUE_GEOMETRY;
}

const char *value_type_to_string(ValueType type);       /* "decimal" */
ValueType value_type_from_string(const char *name);     /* only types a mapping may name; _VALUE_TYPE_INVALID */
/* Same type and same value; decimals by number (1.50 = 1.5); NULL equals NULL. INTEGER and DECIMAL compare by number, geometries as
 * geometry_equal() does. */
bool value_equal(const Value *a, const Value *b);
/* Do both mean the same, though they are written differently? As value_equal(), and: texts that differ in trailing blanks (char(n) pads), in CRLF
 * for LF, or in the letter case or braces of a uuid; JSON that differs in blanks, in how numbers are written, or in the order of members. (Numbers are compared as numbers, times as
 * instants, uuids as bytes already.) */
bool value_means_same(const Value *a, const Value *b);
/* Deep copy into the arena. -ENOMEM. */
_must_check_ int value_copy(const Value *v, Arena *arena, Value *ret);
/* As people and CSV files write it (max_bytes 0: whole); NULL → "null" only in messages. Allocated in the arena, NUL-terminated; NULL without memory.
 * Bytes and geometry as hex, cut to max_bytes with "…". */
const char *value_to_text(const Value *v, Arena *arena, size_t max_bytes);
/* JSON: decimals and 64-bit beyond 2^53 as strings, times as RFC 3339, bytes and geometry as hex. */
json_t *value_to_json(const Value *v);

/* Compact binary form for journal, baseline and quarantine: tag, length, bytes. Appends to *buffer (malloc'd, grown). */
_must_check_ int value_encode(const Value *v, char **buffer, size_t *size, size_t *capacity);
/* Reads one back; bytes are borrowed from `bytes`. *ret_used: how many were read. -EBADMSG. */
_must_check_ int value_decode(const char *bytes, size_t size, Value *ret, size_t *ret_used);
