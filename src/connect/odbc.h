/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The ODBC connector: databases through unixODBC and their own drivers. A module of the worker (module.h). What a
 * database can do stands in its dialect (odbc-dialect.h); databases without one are refused by name. */
#include "connect/connector.h"

extern const Connector odbc_connector;
