/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* PostgreSQL's numeric in its binary form: base-10000 digits. Pure; in the worker. Source: numeric_send() of
 * PostgreSQL 15, src/backend/utils/adt/numeric.c. */
#include "basic/arena.h"
#include "basic/decimal.h"

#define PG_NUMERIC_SIZE_MAX 40 /* bytes that any Decimal needs */

/* -EBADMSG: no numeric; -ERANGE: more than 38 digits, or NaN or infinite: pg_numeric_text() has it. */
_must_check_ int pg_numeric_decode(const char *bytes, size_t size, Decimal *ret);
/* Any numeric as the server writes it ("NaN", "-Infinity", digits without end), in the arena. NULL: no
 * memory. bytes must be what pg_numeric_decode() called -ERANGE. */
const char *pg_numeric_text(const char *bytes, size_t size, Arena *arena);
/* Gives the number of bytes. */
size_t pg_numeric_encode(const Decimal *d, char bytes[static PG_NUMERIC_SIZE_MAX]);
/* NaN and the infinities by their names; -EINVAL: neither. */
_must_check_ int pg_numeric_encode_word(const char *word, size_t n, char bytes[static PG_NUMERIC_SIZE_MAX],
                                        size_t *ret_size);
