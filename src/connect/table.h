/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a system says of one of its tables: columns, key, indexes. Plain data, owned; in the worker. Any
 * kind of system can fill it. */
#include "basic/error.h"
#include "model/pair.h"

/* What a column does to a value that is stored in it. */
typedef enum ColumnAffinity {
        COLUMN_ANY,     /* stores what it is given */
        COLUMN_TEXT,    /* numbers become text */
        COLUMN_NUMERIC, /* text that is a number becomes one: 64-bit integer, else binary float */
        COLUMN_REAL,    /* every number becomes a binary float */
} ColumnAffinity;

typedef struct TableColumn {
        char *name;
        char *type; /* as declared, in the system's own words: "numeric(14,2)"; NULL: it has none */
        ColumnAffinity affinity;
        unsigned key_place; /* 1-based place in the primary key; 0: not of it */
        bool required;      /* not null, without a default */
        bool generated;     /* can be read, not written */
} TableColumn;

typedef struct TableIndex {
        char **columns;
        bool unique;
} TableIndex; /* whole columns only, no partial index */

typedef struct Table {
        char *name; /* as the mapping names it */
        TableColumn *columns;
        size_t n_columns, columns_capacity;
        TableIndex *indexes; /* the primary key too, where the system has an index for it */
        size_t n_indexes, indexes_capacity;
        char **identity; /* what tells rows apart and orders the scan; NULL: a view has none */
        bool numbered; /* identity is one 64-bit number */
        bool is_view;     /* has no index: that its key is unique is its owner's word */
        bool exact_names; /* the system tells columns apart by case */
} Table;

Table *table_free(Table *t);
DEFINE_CLEANUP(Table, table_free)
/* By name, in any case unless the table has exact_names; NULL. */
const TableColumn *table_column(const Table *t, const char *name);
/* Adds a column (then fill the struct) or an index (takes over columns, also on failure). NULL and
 * -ENOMEM without memory. */
TableColumn *table_column_add(Table *t, const char *name);
_must_check_ int table_index_add(Table *t, char **columns, bool unique);

/* ERROR_COLUMN_MISSING unless the table has the column; the remedy names the nearest one. */
_must_check_ int table_column_require(const Table *t, const char *name, Error *error);
/* ERROR_MAPPING where a mapping asks a plain file for what SQL would do, which is refused rather than left out. what: "a CSV file". pair, for
 * the place, may be NULL. */
_must_check_ int table_file_mapping_refuse(const Mapping *m, const Pair *pair, const char *what, Error *error);
/* ERROR_TABLE_MISSING with the nearest of the names there are. what: "table", "file". */
int table_missing(const char *what, const char *name, const char *system, char *const *names, Error *error);
/* What comes of a table of a source that could not be loaded: where it is missing it gets its place in the mapping and, with report, is
 * appended there (then 0, and the table stays NULL); else failure becomes the error and r is given back. pair may be NULL. */
_must_check_ int table_not_loaded(int r, Error *failure, const char *name, const Pair *pair, unsigned line,
                                  unsigned column, json_t *report, Error *error);
/* Whether at most one row can have given values in these columns: a primary key or a unique index lies
 * within them. */
bool table_is_unique(const Table *t, const char *const *columns, size_t n_columns);
bool table_has_index_on(const Table *t, const char *column); /* as an index's or the key's first column */

/* Whether every column that the mapping reads, joins, orders or watches is there; a table that is NULL is
 * passed over. With report, what is missing is appended and 0 given; else the first is the error, with
 * its place in the mapping. */
_must_check_ int table_check_source(const Table *source, Table *const *joins, const Pair *pair,
                                    const Mapping *mapping, json_t *report, Error *error);
/* Reports about a table that is to be written: each field's column, the key, columns that nothing fills.
 * Appends rows to report. */
_must_check_ int table_check_target(const Table *t, const Mapping *mapping, json_t *report);
/* Appends {"what", "ok", "message", "remedy"}; remedy may be NULL. -ENOMEM. */
_must_check_ int report_add(json_t *report, const char *what, bool ok, const char *message,
                            const char *remedy);
/* Appends an error as a row that is not ok, with its place where it has one. -ENOMEM. */
_must_check_ int report_add_error(json_t *report, const char *what, const Error *error);
