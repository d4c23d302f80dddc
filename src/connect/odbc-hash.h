/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A record's hash as SQL, which the database makes: strategy digest. Pure; in the worker. */
#include "connect/odbc-scan.h"

/* "md5(…) as tf_hash" of all mapped columns, injective: of each 'N' where it is null, else 'V', its size, its bytes;
 * of a long one 'H' and the md5 of these. Allocated. */
_must_check_ int odbc_hash_sql(const OdbcScan *s, char **ret);
/* The statement of n_ranges rows: the range's number, its records, those that have a hash, both sums modulo 2^60.
 * selects: the queries of each range's hashes. Allocated. */
_must_check_ int odbc_sums_sql(const OdbcDialect *dialect, char *const *selects, size_t n_ranges, char **ret);
