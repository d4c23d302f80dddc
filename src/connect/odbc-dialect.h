/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the databases behind ODBC do each in their own way: one row per database. Pure. */
#include "connect/odbc-error.h"

typedef struct OdbcDialect {
        OdbcFamily family;
        const char *name;              /* "MariaDB", for people */
        const char *const *dbms_names; /* beginnings of SQL_DBMS_NAME */
        const char *options;        /* of the connection, where it does not name them itself; NULL: none */
        const char *const *session; /* statements at its beginning; %llu: the statement timeout, ms */
        const char *read_only;      /* of a session that only reads; NULL: the driver's access mode alone */
} OdbcDialect;

/* By what the driver calls the database; NULL where there is none. */
const OdbcDialect *odbc_dialect_find(const char *dbms_name);
