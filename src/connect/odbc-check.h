/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What check says of an ODBC system: all that can be missing, with its remedy. In the worker. */
#include "connect/odbc-table.h"

int odbc_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report,
               Error *error);
int odbc_describe(Connection *connection, const Mapping *m, const char *table, bool target, Table **ret,
                  Error *error);
