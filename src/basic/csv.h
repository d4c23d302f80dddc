/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* RFC 4180 tokenizer: no knowledge of columns or files. Used by the CSV connector and by code tables. */
#include "basic/alloc.h"
#include <stdio.h>
typedef struct CsvReader CsvReader;
/* Takes over file (opened for reading, positioned at a record's start). delimiter ',' or other; fields may be quoted with '"', doubled inside;
 * records end with LF or CRLF; a UTF-8 BOM at offset 0 is skipped. */
_must_check_ int csv_reader_new(FILE *file, char delimiter, size_t max_record_bytes, CsvReader **ret);
CsvReader *csv_reader_free(CsvReader *r);
DEFINE_CLEANUP(CsvReader, csv_reader_free)
typedef struct CsvField { const char *bytes; size_t size; bool quoted; } CsvField;
/* 1: a record, fields borrowed until the next call; 0: end. -EBADMSG: quote not closed or text after a closing quote; -EFBIG: record too long.
 * After an error every call gives it again. An empty line is a record of one empty field that is not quoted. */
_must_check_ int csv_reader_next(CsvReader *r, const CsvField **ret_fields, size_t *ret_n_fields);
uint64_t csv_reader_line(const CsvReader *r);   /* 1-based line where the last record began */
uint64_t csv_reader_next_line(const CsvReader *r);      /* 1-based line where the next record begins */
/* Tells line and offset of the next record, after a resume in the middle of a file (else they count from the file's own place). */
void csv_reader_set_place(CsvReader *r, uint64_t line, uint64_t offset);
/* Another character for quotes, before the first record; negative: none has a meaning. */
void csv_reader_set_quote(CsvReader *r, int quote);
/* 1-based byte in its line where a field of the last record begins, for messages; field n_fields: where one more would. 0: the record has several lines. */
unsigned csv_reader_column(const CsvReader *r, size_t field);
/* Whether the last record, or the quote of the one that failed, goes on to the file's very end: without an end of line it may be cut off. */
bool csv_reader_is_cut(const CsvReader *r);
uint64_t csv_reader_offset(const CsvReader *r); /* byte offset after the last record: where the next begins */
