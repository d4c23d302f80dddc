/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Conveniences over jansson. In every process. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <jansson.h>
/* Sets a member, taking over value also on failure; a NULL value is -ENOMEM. */
_must_check_ int json_put(json_t *object, const char *name, json_t *value);
json_t *json_text(const char *text);            /* a string, or null for NULL; invalid UTF-8 and NUL become U+FFFD */
json_t *json_text_n(const char *bytes, size_t size);
json_t *json_timestamp(int64_t timestamp_usec); /* RFC 3339 text; 0 gives null */
const char *json_member_text(const json_t *object, const char *name);   /* borrowed; NULL where absent or no text */
int64_t json_member_integer(const json_t *object, const char *name, int64_t otherwise);
bool json_member_true(const json_t *object, const char *name);
/* Parses a document. ERROR_BAD_REQUEST with line and column; duplicate members and depth over 64 are refused,
 * as is \u0000, which a C string cannot hold. Any JSON value is a document, not only an object. */
_must_check_ int json_parse(const char *bytes, size_t size, json_t **ret, Error *error);
