/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A CSV file's form: what the system's options say, else what its beginning tells. Shared by connect/csv*.c. In the worker. */
#include "basic/csv-dialect.h"
#include "basic/encoding.h"
#include "connect/csv.h"
#include "connect/file.h"
#include "connect/table.h"

typedef enum CsvHeader { CSV_HEADER_DETECT, CSV_HEADER_YES, CSV_HEADER_NO } CsvHeader;

/* What the system's options fix. */
typedef struct CsvOptions {
        TextEncoding encoding;  /* _TEXT_ENCODING_INVALID: detect */
        CsvDialect dialect;
        CsvHeader header;
        char **columns;         /* names where the file has none, or other ones; NULL */
        const char *null_text;  /* borrowed; NULL: an empty field without quotes */
} CsvOptions;
_must_check_ int csv_options_take(const System *system, CsvOptions *ret, Error *error);
void csv_options_done(CsvOptions *o);

/* What one file is. */
typedef struct CsvForm {
        TextEncoding encoding;
        size_t bom_size;
        bool is_ascii;
        CsvDialect dialect;
        bool has_header;
        char **names;           /* of its columns */
        uint64_t records_at, records_line;      /* offset (of the decoded text) and line of the first record behind the header */
} CsvForm;
void csv_form_done(CsvForm *f);
/* Reads the file's beginning. names: columns that a mapping wants, which tell a header from a first record; NULL-terminated, may be NULL.
 * ERROR_FILE_FORMAT with path and remedy where it would be a guess. */
_must_check_ int csv_form_detect(const CsvOptions *o, int fd, const char *path, char *const *wanted, CsvForm *ret, Error *error);
/* "utf-8 with byte order mark, delimiter \";\", quote \"'\", lines end with CRLF, header row". Allocated; NULL without memory. */
char *csv_form_text(const CsvForm *f);
/* Records from an offset of the decoded text on, of the same open file, whatever its name leads to by now. */
_must_check_ int csv_records_open(int fd, const CsvForm *f, uint64_t offset, uint64_t line, CsvReader **ret);
/* csv_reader_next() with an error that has file, line and column. */
_must_check_ int csv_record_read(CsvReader *csv, const char *path, const CsvField **ret_fields, size_t *ret_n, Error *error);
/* The record's number of fields is not the header's. */
int csv_width_fail(const CsvReader *csv, const CsvForm *f, const char *path, const CsvField *fields, size_t n, Error *error);
bool csv_field_is_null(const CsvOptions *o, const CsvField *field);
/* A field whose bytes cannot be decoded: names byte, column, file, line and column. */
int csv_encoding_fail(const CsvReader *csv, const CsvForm *f, const char *path, size_t field, const CsvField *at, Error *error);

/* What the connector is made of, beside reading. */
typedef struct CsvConnection {
        Connection base;
        const System *system;
        CsvOptions options;
        bool is_folder, may_write, in_transaction;
        struct CsvStage *stage; /* files that the open transaction has written; NULL: none */
} CsvConnection;
int csv_scan_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error);
int csv_scan_next(Reader *reader, Value *values, Error *error);
const char *csv_scan_position(Reader *reader);
bool csv_scan_resumed(const Reader *reader);
void csv_scan_close(Reader *reader);
_must_check_ int csv_scan_check(CsvConnection *c, const Pair *pair, const Mapping *m, json_t *report, Error *error);
