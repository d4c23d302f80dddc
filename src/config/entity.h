/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One entity of a mapping file as a Mapping. In syncd and workers. */
#include "config/pair-file.h"

/* Reads what is under `entities: {name: …}` into m; what is wrong goes to the mistakes. -ENOMEM. m is done by the caller also then. */
_must_check_ int entity_read(Reading *reading, const char *name, const json_t *node, Mapping *m);
/* Reads one field, short (`name: column`) or long, and adds it to m->fields. -ENOMEM. */
_must_check_ int entity_field_read(Reading *reading, const char *name, const json_t *node, bool is_key, Mapping *m);
/* "column" or "join.column" as a column of m; the join must be known. -EINVAL after a mistake, -ENOMEM. */
_must_check_ int entity_column_read(Reading *reading, const json_t *node, Mapping *m, size_t *ret_index);
/* Reads a code table (two columns, a header line) beside the mapping file. -EINVAL after a mistake, -ENOMEM. */
_must_check_ int lookup_read(Reading *reading, const json_t *node, Lookup **ret);
