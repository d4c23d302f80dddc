/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Exact decimal numbers: coefficient / 10^scale, up to 38 digits. Money and measures never are binary floats. */
#include "basic/alloc.h"

#define DECIMAL_DIGITS_MAX 38
#define DECIMAL_TEXT_MAX 48     /* bytes that any decimal's text needs, with NUL */

typedef __int128 int128_packed __attribute__((aligned(8)));

typedef struct Decimal {
        int128_packed coefficient;
        uint8_t scale;          /* digits after the point, 0 … 38 */
} Decimal;

#define DECIMAL_POWERS 19
extern const uint64_t decimal_powers[DECIMAL_POWERS]; /* 10^0 … 10^18: what fits into 64 bits, signed */

/* Parses [+-]digits[.digits][e[+-]digits] in exactly n_bytes bytes; no spaces, no thousands separators.
 * -EINVAL: not a number; -ERANGE: more than 38 digits. Scale is as written.
 * The digits before the point may be missing (".5", as some databases export), those after it not. */
_must_check_ int decimal_parse(const char *text, size_t n_bytes, Decimal *ret);
Decimal decimal_from_integer(int64_t integer);
/* Writes plain notation ("-12.50", never an exponent, never "-0") and gives the length without NUL. */
size_t decimal_format(const Decimal *d, char buffer[static DECIMAL_TEXT_MAX]);
int decimal_compare(const Decimal *a, const Decimal *b);        /* by number: 1.50 equals 1.5 */
/* Exactly the same number with the given scale. -ERANGE when digits would be lost or there are more than 38. */
_must_check_ int decimal_rescale(const Decimal *d, uint8_t scale, Decimal *ret);
/* The same, rounding half to even; *ret_exact tells whether nothing was lost. -ERANGE only above 38 digits. */
_must_check_ int decimal_round(const Decimal *d, uint8_t scale, Decimal *ret, bool *ret_exact);
/* Scale of the sum is the larger one, of the product the sum of both (less where 38 digits demand it and only trailing
 * zeros go). -ERANGE: more than 38 digits. */
_must_check_ int decimal_add(const Decimal *a, const Decimal *b, Decimal *ret);
_must_check_ int decimal_multiply(const Decimal *a, const Decimal *b, Decimal *ret);
_must_check_ int decimal_to_integer(const Decimal *d, int64_t *ret);    /* -ERANGE: has a fraction or does not fit */
unsigned decimal_digits(const Decimal *d);      /* digits of the coefficient; 0 has 1 */
Decimal decimal_trim(Decimal d);                /* without trailing zeros after the point */
