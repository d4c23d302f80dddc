/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Records written as a CSV file has them: its delimiter, quote, encoding and line ends. In the worker. */
#include "basic/text-buffer.h"
#include "connect/csv-file.h"

typedef struct CsvOutput {
        FILE *file;             /* owned */
        const CsvForm *form;
        const CsvOptions *options;
        TextBuffer record;      /* in UTF-8 */
        TextBuffer encoded;
        size_t n_fields;
        bool failed;            /* a write did: told by csv_output_close() */
} CsvOutput;

/* Can the file hold this text? 0, or ERROR_RECORD_REFUSED that names column, character and remedy: the encoding lacks a character; without
 * quotes (quote: none) a text is empty, means null, or has the delimiter, a quote or an end of line in it. bytes: UTF-8. */
_must_check_ int csv_output_check(const CsvOutput *o, const char *column, const char *bytes, size_t size, Error *error);
/* Adds a field to the record. quoted: also where it needs no quotes. -ENOMEM. */
_must_check_ int csv_output_text(CsvOutput *o, const char *bytes, size_t size, bool quoted);
_must_check_ int csv_output_null(CsvOutput *o);
_must_check_ int csv_output_end(CsvOutput *o);  /* of the record */
/* Writes the names of the form as the header row, after the byte order mark where the form has one. */
_must_check_ int csv_output_header(CsvOutput *o);
/* All is on disk when it gives 0; else the negative errno. Frees what the output holds. */
_must_check_ int csv_output_close(CsvOutput *o);
