/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Regular expressions (PCRE2) with match limits against catastrophic patterns; the only file that knows pcre2.h is pattern.c. */
#include "basic/alloc.h"
typedef struct Pattern Pattern;
/* Compiles; the whole text must match (anchored at both ends), UTF-8. -EINVAL with *ret_message (allocated, may be NULL to ignore). */
_must_check_ int pattern_new(const char *expression, Pattern **ret, char **ret_message);
Pattern *pattern_free(Pattern *p);
DEFINE_CLEANUP(Pattern, pattern_free)
/* 1 matches, 0 does not; -E2BIG: gave up at the match limit. */
_must_check_ int pattern_match(const Pattern *p, const char *bytes, size_t size);
