/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* PostgreSQL's binary COPY as bytes: a header, records of fields, a trailer. Pure: knows no libpq-fe.h. In
 * the worker. Source: PostgreSQL 15 manual, COPY, "Binary Format". */
#include <endian.h>

#include "basic/alloc.h"

typedef struct CopyField {
        const char *bytes; /* borrowed from the record */
        int32_t size;      /* -1: null */
} CopyField;

/* How long the header is at the beginning of a stream. -EBADMSG: it is none, or one with object ids. */
_must_check_ int copy_header_skip(const char *bytes, size_t size, size_t *ret_used);
/* Splits one record, which must fill size. 1; 0: it is the trailer. -EBADMSG: broken, or another number of
 * fields. */
_must_check_ int copy_record_split(const char *bytes, size_t size, CopyField *fields, size_t n_fields);

/* What is sent: also of arrays and single parameters, whose elements have the same form. */
typedef struct CopyBuffer {
        char *bytes;
        size_t size, capacity;
} CopyBuffer;
void copy_buffer_done(CopyBuffer *b);
/* Room for n more bytes; NULL without memory. The caller adds what it wrote to size. */
char *copy_buffer_reserve(CopyBuffer *b, size_t n);
_must_check_ int copy_put_header(CopyBuffer *b);
_must_check_ int copy_put_count(CopyBuffer *b, size_t n_fields); /* begins a record */
_must_check_ int copy_put_field(CopyBuffer *b, const void *bytes, size_t size);
_must_check_ int copy_put_null(CopyBuffer *b);
_must_check_ int copy_put_trailer(CopyBuffer *b);

static inline uint16_t copy_get16(const char *at) {
        uint16_t word;

        memcpy(&word, at, sizeof(word));
        return be16toh(word);
}

static inline uint32_t copy_get32(const char *at) {
        uint32_t word;

        memcpy(&word, at, sizeof(word));
        return be32toh(word);
}

static inline uint64_t copy_get64(const char *at) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        return be64toh(word);
}

static inline char *copy_set16(char *at, uint16_t word) {
        word = htobe16(word);
        memcpy(at, &word, sizeof(word));
        return at + sizeof(word);
}

static inline char *copy_set32(char *at, uint32_t word) {
        word = htobe32(word);
        memcpy(at, &word, sizeof(word));
        return at + sizeof(word);
}

static inline char *copy_set64(char *at, uint64_t word) {
        word = htobe64(word);
        memcpy(at, &word, sizeof(word));
        return at + sizeof(word);
}
