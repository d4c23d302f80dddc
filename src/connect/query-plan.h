/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What connectors say of how a database will run a query: one row of connection_explain()'s report. In the worker; knows no database. */
#include "basic/error.h"
#include "model/mapping.h"
#include <jansson.h>

/* {"query", "plan", "sorts": false, "sorted": 0, "scans": []}; NULL without memory. sorted: records that it sorts, as statistics have them. */
json_t *query_plan_new(const char *query, const char *plan);
/* It sorts so many records; the largest counts. -ENOMEM. */
_must_check_ int query_plan_sorts(json_t *plan, int64_t n_records);
/* It reads the whole of a table; repeated: again for each record of another one. alias: as the query calls the table (SQL_SOURCE, or a join's
 * name), or NULL. -ENOMEM. */
_must_check_ int query_plan_scans(json_t *plan, const Mapping *m, const char *alias, const char *table, int64_t n_records, bool repeated);
/* The index that would help: on the watermark, or on a join's by: (with its order). Allocated SQL, NULL where none is known. alias as above. */
char *query_plan_index(const Mapping *m, const char *alias);
