/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a CSV file's delimiter, quote and line ends are, found out from its beginning. Pure. */
#include "basic/csv.h"

#define CSV_QUOTE_NONE   (-1)
#define CSV_QUOTE_DETECT (-2)

typedef enum CsvEnds { CSV_ENDS_LF, CSV_ENDS_CRLF, CSV_ENDS_MIXED, CSV_ENDS_NONE } CsvEnds;
const char *csv_ends_to_string(CsvEnds ends);   /* "CRLF and LF" */

typedef struct CsvDialect {
        char delimiter;         /* '\0': to be detected */
        int quote;              /* a character, CSV_QUOTE_NONE or CSV_QUOTE_DETECT */
        CsvEnds ends;           /* found, as the sample has them */
        size_t n_columns;       /* of the first record */
        size_t n_records;       /* whole ones in the sample */
} CsvDialect;

/* Why it cannot be told. */
typedef enum CsvDoubt {
        CSV_DOUBT_NONE,
        CSV_DOUBT_DELIMITER,    /* two of them divide every record alike */
        CSV_DOUBT_QUOTE,        /* fields stand in single quotes: part of the text, or not? */
        CSV_DOUBT_ENDS,         /* lines end with CR alone */
} CsvDoubt;

/* sample: the file's first bytes, as UTF-8; whole: all of them (else the last record is left out, as it may be cut). What `wanted`
 * fixes is not detected. A delimiter is one that divides every record into as many fields as the first, at least two; where none does,
 * the only one that is in the first record (its wrong records are found when they are read), and for a single column the comma.
 * ret_delimiters: the two in doubt. -EILSEQ with *ret_doubt, -ENOMEM. */
_must_check_ int csv_dialect_detect(const char *sample, size_t size, bool whole, const CsvDialect *wanted, CsvDialect *ret,
                                    CsvDoubt *ret_doubt, char ret_delimiters[static 2]);
