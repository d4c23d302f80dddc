/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/csv.h"

#include <errno.h>

/* One pass over a record's bytes notes where its fields are; a second one, over the fields only, makes the
 * pointers and takes doubled quotes apart, once the record is whole in the buffer and nothing moves any
 * more. */

#define READ_BYTES (256U * 1024)
#define FIELDS_MAX 65536U /* a line of delimiters only must not become a field each of 16 MiB */

typedef struct Span {
        size_t begin, size; /* from the record's first byte, without quotes */
        bool quoted, doubled;
} Span;

struct CsvReader {
        FILE *file;
        char *buffer; /* one byte longer than capacity: a line feed stops every scan */
        size_t capacity, begin, end, max_record_bytes;
        Span *spans;
        CsvField *fields;
        size_t spans_capacity, fields_capacity, n_fields;
        uint64_t offset, line, next_line;
        bool at_end, is_cut;
        int failed, quote;
        bool stops[256], stops_quoted[256];
};

int csv_reader_new(FILE *file, char delimiter, size_t max_record_bytes, CsvReader **ret) {
        _cleanup_fclose_ FILE *owned = file;
        _cleanup_(csv_reader_freep) CsvReader *r = NULL;
        off_t offset;

        assert(file && ret);
        if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || max_record_bytes == 0)
                return -EINVAL;
        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->buffer = malloc(READ_BYTES + 1);
        if (!r->buffer)
                return -ENOMEM;
        offset = ftello(file);
        r->file = TAKE_PTR(owned);
        r->capacity = READ_BYTES;
        r->max_record_bytes = max_record_bytes;
        r->offset = offset > 0 ? (uint64_t) offset : 0; /* a pipe has no place */
        r->line = r->next_line = 1;
        r->stops[(unsigned char) delimiter] = r->stops['\n'] = true;
        r->stops_quoted['\n'] = true;
        csv_reader_set_quote(r, '"');
        *ret = TAKE_PTR(r);
        return 0;
}

CsvReader *csv_reader_free(CsvReader *r) {
        if (!r)
                return NULL;
        if (r->file)
                (void) fclose(r->file);
        free(r->buffer);
        free(r->spans);
        free(r->fields);
        free(r);
        return NULL;
}

uint64_t csv_reader_line(const CsvReader *r) {
        return r->line;
}

uint64_t csv_reader_next_line(const CsvReader *r) {
        return r->next_line;
}

uint64_t csv_reader_offset(const CsvReader *r) {
        return r->offset;
}

void csv_reader_set_place(CsvReader *r, uint64_t line, uint64_t offset) {
        r->line = r->next_line = line;
        r->offset = offset;
}

void csv_reader_set_quote(CsvReader *r, int quote) {
        memset(r->stops_quoted, 0, sizeof(r->stops_quoted));
        r->stops_quoted['\n'] = true;
        if (quote >= 0)
                r->stops_quoted[(unsigned char) quote] = true;
        r->quote = quote;
}

unsigned csv_reader_column(const CsvReader *r, size_t field) {
        bool one_line = r->next_line <= r->line + 1;

        if (!one_line || r->n_fields == 0)
                return 0;
        if (field < r->n_fields)
                return (unsigned) (r->spans[field].begin + 1 - r->spans[field].quoted);
        return (unsigned) (r->spans[r->n_fields - 1].begin + r->spans[r->n_fields - 1].size +
                           r->spans[r->n_fields - 1].quoted + 1);
}

bool csv_reader_is_cut(const CsvReader *r) { return r->is_cut; }

/* Reads more behind what is there, after moving the unfinished record to the front. 1: more bytes, 0: the
 * file's end. */
static int buffer_fill(CsvReader *r) {
        size_t n;

        if (r->at_end)
                return 0;
        if (r->begin > 0) {
                memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
                r->end -= r->begin;
                r->begin = 0;
        }
        if (r->end == r->capacity) {
                char *grown;

                if (r->end > r->max_record_bytes)
                        return -EFBIG;
                grown = realloc(r->buffer, r->capacity * 2 + 1);
                if (!grown)
                        return -ENOMEM;
                r->buffer = grown;
                r->capacity *= 2;
        }
        n = fread(r->buffer + r->end, 1, r->capacity - r->end, r->file);
        if (n == 0 && ferror(r->file))
                return errno > 0 ? -errno : -EIO;
        r->at_end = n == 0;
        r->end += n;
        r->buffer[r->end] = '\n';
        return n > 0;
}

/* Whether the byte at position (from the record's begin) is there; it may take a read. */
static int byte_available(CsvReader *r, size_t position) {
        if (r->begin + position < r->end)
                return 1;
        return buffer_fill(r);
}

/* Moves *position to the first byte that stops a scan, or to the file's end (0). */
static int stop_find(CsvReader *r, const bool stops[static 256], size_t *position) {
        for (;;) {
                const unsigned char *p = (const unsigned char *) r->buffer + r->begin + *position;
                int q;

                while (!stops[*p])
                        p++;
                *position = (size_t) ((const char *) p - r->buffer) - r->begin;
                q = byte_available(r, *position);
                if (q <= 0)
                        return q;
                /* The stop may have been the sentinel; what was read since is in its place. */
                if (stops[(unsigned char) r->buffer[r->begin + *position]])
                        return 1;
        }
}

/* Scans the field that begins at *position and leaves *position at the byte that ended it. 1: that byte is
 * there; 0: file's end. */
static int quoted_scan(CsvReader *r, size_t *position, Span *span) {
        size_t p = *position + 1;
        int q;

        span->begin = p;
        span->quoted = true;
        for (;;) {
                q = stop_find(r, r->stops_quoted, &p);
                if (q <= 0) {
                        r->is_cut = q == 0;
                        return q < 0 ? q : -EBADMSG;
                }
                if (r->buffer[r->begin + p] == '\n') {
                        r->next_line++;
                        p++;
                        continue;
                }
                q = byte_available(r, p + 1);
                if (q < 0)
                        return q;
                if (q == 0 || (unsigned char) r->buffer[r->begin + p + 1] != r->quote)
                        break;
                span->doubled = true;
                p += 2;
        }
        span->size = p - span->begin;
        p++;
        if (q > 0 && r->buffer[r->begin + p] == '\r') {
                q = byte_available(r, p + 1);
                if (q < 0)
                        return q;
                if (q > 0 && r->buffer[r->begin + p + 1] == '\n')
                        p++;
                q = 1;
        }
        *position = p;
        if (q > 0 && !r->stops[(unsigned char) r->buffer[r->begin + p]])
                return -EBADMSG;
        return q;
}

static int plain_scan(CsvReader *r, size_t *position, Span *span) {
        size_t p = *position;
        int q;

        span->begin = p;
        q = stop_find(r, r->stops, &p);
        if (q < 0)
                return q;
        span->size = p - span->begin;
        if (q > 0 && r->buffer[r->begin + p] == '\n' && span->size > 0 &&
            r->buffer[r->begin + p - 1] == '\r')
                span->size--;
        *position = p;
        return q;
}

/* Notes the fields of the record at begin; *ret_size is its size with the line's end. */
static int record_scan(CsvReader *r, size_t *ret_size) {
        size_t position = 0;

        for (r->n_fields = 0;;) {
                Span span = {};
                int q;

                q = byte_available(r, position);
                if (q < 0)
                        return q;
                if (q > 0 && (unsigned char) r->buffer[r->begin + position] == r->quote)
                        q = quoted_scan(r, &position, &span);
                else if (q > 0)
                        q = plain_scan(r, &position, &span);
                else
                        span.begin = position;
                if (q < 0)
                        return q;
                if (r->n_fields >= FIELDS_MAX)
                        return -EFBIG;
                if (r->n_fields >= r->spans_capacity &&
                    array_grow(&r->spans, &r->spans_capacity, r->n_fields + 1, sizeof(Span)) < 0)
                        return -ENOMEM;
                r->spans[r->n_fields++] = span;
                if (position > r->max_record_bytes)
                        return -EFBIG;
                if (q == 0 || r->buffer[r->begin + position] == '\n') {
                        *ret_size = position + (q > 0);
                        r->next_line += q > 0;
                        r->is_cut = q == 0;
                        return 0;
                }
                position++;
        }
}

/* "a""b" is a"b: closes the gaps in place and gives the new size. */
static size_t quotes_undouble(char *bytes, size_t size, char quote) {
        char *out = memchr(bytes, quote, size);
        const char *in = out, *end = bytes + size;

        while (in < end) {
                in += *in == quote;
                *out++ = *in++;
        }
        return (size_t) (out - bytes);
}

static int fields_make(CsvReader *r) {
        if (r->n_fields > r->fields_capacity &&
            array_grow(&r->fields, &r->fields_capacity, r->n_fields, sizeof(CsvField)) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < r->n_fields; i++) {
                const Span *span = &r->spans[i];
                char *bytes = r->buffer + r->begin + span->begin;

                r->fields[i] = (CsvField) {
                        .bytes = bytes,
                        .size = span->doubled ? quotes_undouble(bytes, span->size, (char) r->quote) : span->size,
                        .quoted = span->quoted,
                };
        }
        return 0;
}

static int bom_skip(CsvReader *r) {
        int q;

        /* Three bytes may come in three reads from a pipe. */
        for (size_t i = 0; i < 3; i++) {
                q = byte_available(r, i);
                if (q <= 0)
                        return q;
                if ((unsigned char) r->buffer[r->begin + i] != (unsigned char) "\xEF\xBB\xBF"[i])
                        return 0;
        }
        r->begin += 3;
        r->offset += 3;
        return 0;
}

static int record_next(CsvReader *r) {
        size_t size;
        int q;

        if (r->offset == 0) {
                q = bom_skip(r);
                if (q < 0)
                        return q;
        }
        q = byte_available(r, 0);
        if (q <= 0)
                return q;
        r->line = r->next_line;
        q = record_scan(r, &size);
        if (q < 0)
                return q;
        q = fields_make(r);
        if (q < 0)
                return q;
        r->begin += size;
        r->offset += size;
        return 1;
}

int csv_reader_next(CsvReader *r, const CsvField **ret_fields, size_t *ret_n_fields) {
        int q;

        assert(r && ret_fields && ret_n_fields);
        /* What follows a mistake is not to be trusted: the next quote could open or close. */
        q = r->failed < 0 ? r->failed : record_next(r);
        if (q < 0)
                r->failed = q;
        if (q <= 0)
                return q;
        *ret_fields = r->fields;
        *ret_n_fields = r->n_fields;
        return 1;
}
