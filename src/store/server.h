/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where the store of this process is: files under the state folder, or a PostgreSQL server (SYNC_SERVICE_DB_URL).
 * In syncd and workers. */
#include "basic/error.h"

/* Says that the store is on the server of url ("postgresql://USER@HOST/DATABASE"), for all databases opened
 * from now on; NULL or "": in files. Called once, before the first database and before any thread. A password
 * that the URL does not have is taken from the credential "store-password", where there is one.
 * statement_timeout_msec: no statement runs longer. Only looks at the text: connects to nothing.
 * ERROR_CONFIGURATION, which never repeats the URL. */
_must_check_ int store_server_use(const char *url, unsigned statement_timeout_msec, Error *error);
void store_server_done(void);
bool store_server_is_used(void);
/* "HOST:PORT/DATABASE", never a password; "" where the store is in files. */
const char *store_server_name(void);
