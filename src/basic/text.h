/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Strings: comparing, splitting, parsing numbers, finding the nearest name. In every process. */
#include "basic/alloc.h"

static inline bool text_equal(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }
bool text_starts_with(const char *text, const char *prefix);
bool text_equal_ignoring_case(const char *a, const char *b);    /* ASCII only */
/* Whole text as a number in range; -EINVAL, -ERANGE. */
_must_check_ int text_to_int64(const char *text, int64_t minimum, int64_t maximum, int64_t *ret);
/* "512M", "4K", "3G", "100" → bytes. "10min", "30s", "400d", "2h", "250ms", "7y" → microseconds. -EINVAL, -ERANGE. */
_must_check_ int text_to_size(const char *text, uint64_t *ret_bytes);
_must_check_ int text_to_duration(const char *text, uint64_t *ret_usec);
/* The candidate with the smallest edit distance to text, NULL where none is near (distance ≤ 1 + length/3). */
const char *text_nearest(const char *text, const char *const *candidates, size_t n_candidates);
bool text_is_utf8(const char *bytes, size_t n_bytes);
size_t text_utf8_length(const char *bytes, size_t n_bytes);     /* characters of valid UTF-8 */
/* Lower-case hex of size bytes: 2 × size digits and a NUL. */
void hex_encode(const void *bytes, size_t size, char *ret);
/* size bytes from 2 × size lower-case digits; -EBADMSG where one is none. */
_must_check_ int hex_decode(const char *hex, size_t size, void *ret);
bool name_is_valid(const char *name);   /* [a-z][a-z0-9_-]{0,62}: pairs, systems, entities */

/* NULL-terminated arrays of strings, owned. */
char **strings_free(char **strings);
DEFINE_CLEANUP(char *, strings_free)
#define _cleanup_strings_ _cleanup_(strings_freep)
size_t strings_count(char *const *strings);
bool strings_contain(char *const *strings, const char *text);
_must_check_ int strings_append(char ***strings, const char *text);     /* copies text */
_must_check_ int file_read(const char *path, size_t max_bytes, char **ret_bytes, size_t *ret_size);     /* NUL-terminated; -EFBIG */
/* Writes path anew, atomically: a file beside it, fsync, rename, fsync of the folder. */
_must_check_ int file_write_atomic(const char *path, const void *bytes, size_t size, unsigned mode);
