/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SQL text: quoting and the statements of a mapping. Knows no database; in the worker. Statements are
 * allocated text, the caller frees. */
#include "basic/error.h"
#include "model/mapping.h"

#define SQL_SOURCE "source" /* alias of the entity's own table in `where` */
/* Our own parameters; a mapping's variables are :name, so none can clash. Position parameters are
 * @tf_after_0, … */
#define SQL_PARAMETER_LOW   "@tf_low"
#define SQL_PARAMETER_HIGH  "@tf_high"
#define SQL_PARAMETER_AFTER "@tf_after_"
#define SQL_PARAMETER_UNTIL "@tf_until_"

/* Quotes one name: a"b → "a""b". Every name in a statement passes through here. NULL without memory. */
char *sql_identifier(const char *name);
/* The same for a table that may be named with its schema: main.parcel → "main"."parcel". */
char *sql_table(const char *name);

typedef enum SqlDialect { SQL_SQLITE, SQL_POSTGRESQL, SQL_MARIADB, SQL_SQLSERVER } SqlDialect;

typedef struct SqlSelect {
        SqlDialect dialect;
        const Mapping *mapping;
        char *const
                *identity; /* columns that order the scan and are selected after the mapping's; NULL: none */
        char *const *const
                *join_identity; /* the same of each join's table (only looked at for take: first) */
        bool by_watermark;
        bool has_low; /* else from the beginning, rows without a stamp too */
        bool after;   /* resume after @tf_after_0 … */
        bool until;   /* up to @tf_until_0 …, and no further */
        bool keys_only;  /* of the columns only those that the key's fields are made of; the identity orders, but is not selected */
        const char *expression; /* selected instead of columns and identity, and in no order; NULL: none */
        /* Where statements cannot have parameters (COPY): SQL that stands for them; NULL: the parameter. */
        const char *low, *high, *where;    /* where: the mapping's, with its variables filled in */
        const char *const *after_values, *const *until_values; /* one of each identity column */
        const char *const *casts;          /* of each mapped column: the type it is read as, or NULL */
        const char *const *forms;          /* the same: what is read of it, "quote(@)", or NULL */
} SqlSelect;

/* A mapping's where with each :variable replaced by find()'s value as a literal, elsewhere than in texts,
 * quoted names, comments and casts (::). ERROR_MAPPING: no such variable, or a text or comment has no end. */
typedef const Value *(*sql_find_t)(const void *context, const char *name, size_t size);
_must_check_ int sql_fill(const char *where, sql_find_t find, const void *context, char **ret, Error *error);

/* The one select of a scan. ERROR_MAPPING: a join reaches for what is not there yet. */
_must_check_ int sql_select(const SqlSelect *select, char **ret, Error *error);

/* Writing. mask: n_fields flags of the fields that take part; the key's fields are the where of update,
 * delete and fetch. Parameters are anonymous and in the order of the fields: for update first those of
 * the mask, then the key. */
_must_check_ int sql_insert(const Mapping *mapping, const bool *mask, char **ret);
_must_check_ int sql_update(const Mapping *mapping, const bool *mask, char **ret);
_must_check_ int sql_delete(const Mapping *mapping, char **ret);
_must_check_ int sql_fetch(const Mapping *mapping, char **ret);
_must_check_ int sql_count(const char *table, char **ret);
/* The least and the greatest value of a column, NULLs where there is none: an index answers each. */
_must_check_ int sql_extremes(const char *table, const char *column, char **ret);
