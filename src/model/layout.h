/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where the fields of fixed-width records lie, as config/layout.c reads it from a layout file. Plain data, owned by its system. */
#include "basic/encoding.h"
#include "basic/text.h"
#include "model/value.h"

typedef enum LayoutEnd { LAYOUT_END_CRLF, LAYOUT_END_LF, LAYOUT_END_NONE, _LAYOUT_END_MAX, _LAYOUT_END_INVALID = -EINVAL } LayoutEnd;
const char *layout_end_to_string(LayoutEnd end);        /* "crlf" */
LayoutEnd layout_end_from_string(const char *name);

/* Bytes [from, to) of a record. */
typedef struct LayoutField {
        char *name;
        uint32_t from, to;
        ValueType type;         /* TEXT, INTEGER, DECIMAL or DATE */
        bool trim;              /* without the blanks around it; a field of nothing but blanks is null either way */
        uint8_t decimals;       /* implied: the last digits stand behind a point that is not written */
        bool has_decimals;      /* false: a decimal has its point written */
        char *format;           /* of dates, as strptime(3) */
        char **null_values;     /* texts that mean null */
        bool inferred;          /* nobody's documentation says so */
} LayoutField;

typedef struct LayoutTable {
        char *name;
        char *file;             /* pattern of the file's name, as fnmatch(3), in any case */
        uint32_t record_length; /* bytes, without the end of line */
        LayoutField *fields;
        size_t n_fields;
        unsigned line;
} LayoutTable;

typedef struct Layout {
        char *path;             /* of the layout file */
        TextEncoding encoding;  /* UTF-8, LATIN1 or WINDOWS1252: offsets are bytes */
        LayoutEnd end;          /* of each record */
        LayoutTable *tables;
        size_t n_tables;
        uint64_t hash;          /* of the layout file: another layout, other records */
} Layout;

Layout *layout_free(Layout *l);
DEFINE_CLEANUP(Layout, layout_free)
/* NULL where there is none. */
const LayoutTable *layout_table(const Layout *l, const char *name);
size_t layout_end_size(LayoutEnd end);
