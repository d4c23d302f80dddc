/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a database scan is, as text that survives in a checkpoint: the schema's version and the last
 * row's identity. Pure; in the worker. */
#include "basic/error.h"
#include "model/value.h"

/* Allocated text; NULL without memory. bytes: values one behind the other in value_encode()'s form. */
char *position_format(int64_t schema_version, const char *bytes, size_t size);
/* -EBADMSG: not a position. ret_bytes: allocated. */
_must_check_ int position_parse(const char *text, int64_t *ret_schema_version, char **ret_bytes,
                                size_t *ret_size);
/* Takes exactly n_values out of bytes, borrowed from them. -EBADMSG: others are there. */
_must_check_ int position_values(const char *bytes, size_t size, Value *ret_values, size_t n_values);
