/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* HTTP words: status lines, problem documents (RFC 9457), percent-decoding, tokens. In both daemons. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <jansson.h>

#define HTTP_PROBLEM_TYPE "application/problem+json"
#define HTTP_JSON_TYPE "application/json"

const char *http_status_text(int status);       /* "Not Found"; "Unknown" for others */
bool http_token_is_valid(const char *bytes, size_t size);       /* RFC 9110 token: header names, methods */
bool http_method_is_known(const char *method);  /* GET HEAD POST PUT PATCH DELETE OPTIONS */
bool http_method_is_idempotent(const char *method);     /* those that may be sent again: GET HEAD OPTIONS */

/* {"type","title","status","detail","instance","code","field","remedy"}: members unknown are left out. instance may be NULL. */
_must_check_ int http_problem_new(const Error *error, const char *instance, json_t **ret);

/* Decodes %XX (and + as space where plus is true). Allocated. -EINVAL: a broken escape, a NUL, or no UTF-8. */
_must_check_ int http_percent_decode(const char *bytes, size_t size, bool plus, char **ret);
/* "a=1&b=x+y" → {"a": "1", "b": "x y"}. ERROR_BAD_REQUEST for broken escapes, ERROR_ARGUMENT for a name given twice. */
_must_check_ int http_query_parse(const char *query, json_t **ret, Error *error);
