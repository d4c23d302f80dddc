/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The query of a scan: which columns with which types, and the SQL of a page of it. In the worker. */
#include "connect/odbc-table.h"

typedef struct OdbcScan {
        const OdbcDialect *dialect;
        const ReadPlan *plan;
        const OdbcSources *sources;
        const OdbcType **types; /* of the mapping's columns, then of the identity's */
        const OdbcType **read;  /* what the query gives of each */
        const char **forms;     /* what is read of the mapping's columns: see odbc_column_form() */
        size_t n_columns, n_identity;
        bool ordered; /* in the order of the identity, so that it is read in pages behind the last key */
        char *where;  /* the mapping's, with its variables filled in; NULL: none */
        char *low, *high;
        const char *expression; /* selected instead of all columns, in no order; NULL: none */
} OdbcScan;
void odbc_scan_done(OdbcScan *s);
/* plan and sources must outlive it. ordered: where the sources' own table has an identity. */
_must_check_ int odbc_scan_init(OdbcScan *s, const OdbcDialect *dialect, const ReadPlan *plan,
                                const OdbcSources *sources, Error *error);
/* The query, or its next page of n_page records (0: all). after, until: values of the identity or NULL; the page has
 * after < identity ≤ until. Allocated. */
_must_check_ int odbc_scan_sql(const OdbcScan *s, const Value *after, const Value *until, size_t n_page,
                               char **ret, Error *error);
/* after < identity as SQL that an index answers, at any number of columns; less: identity ≤ until. Allocated. */
_must_check_ int odbc_key_condition(OdbcFamily family, char *const *identity, const OdbcType *const *types,
                                    const Value *values, bool until, char **ret);
