/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The horizon of a watermark, by database: proved on PostgreSQL and for SQL Server's rowversion, bounded on MariaDB. In the worker. */
#include "connect/odbc-table.h"

int odbc_horizon(Connection *connection, const Mapping *m, Value *ret_high, Error *error);
bool odbc_horizon_is_exact(const Connection *connection, const Mapping *m);
