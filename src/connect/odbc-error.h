/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a driver's diagnosis means for us: SQLSTATE, and the server's own number where SQLSTATE says too little. Pure. */
#include "basic/error.h"

typedef enum OdbcFamily {
        ODBC_MARIADB,
        ODBC_POSTGRESQL,
        ODBC_SQLITE,
        ODBC_SQLSERVER,
        _ODBC_FAMILY_MAX,
        ODBC_UNKNOWN = -1
} OdbcFamily;

/* The row of error-codes.h, and what the user does (never NULL). of_record: one record was being written. */
ErrorId odbc_error(OdbcFamily family, const char *sqlstate, long native, bool of_record,
                   const char **ret_remedy);
/* Before a session is open: whose driver speaks, by what stands before its messages. */
OdbcFamily odbc_family_of_message(const char *message);
/* Debian's package of a driver, by the name that a connection gives it; NULL where it is not known. */
const char *odbc_driver_package(const char *driver);
/* A driver's message without what stands before it ("[unixODBC][MariaDB]…"), on one line, without the record's values
 * that some servers put into it. Allocated; NULL without memory. */
char *odbc_message_clean(OdbcFamily family, long native, const char *message);
