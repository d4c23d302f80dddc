/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Binary floats of systems into exact decimals and back. Pure; in the worker. */
#include "model/value.h"

#define REAL_TEXT_MAX      32  /* of any double, with NUL */
#define REAL_DIGITS_EXACT  15U /* decimal digits that a double carries there and back */
#define REAL4_DIGITS_EXACT 6U  /* the same of a float of four bytes */

/* A binary float as the shortest decimal that gives it back: DECIMAL, or TEXT (borrowed from text) where
 * a decimal cannot hold it. */
void value_from_real(double number, char text[static REAL_TEXT_MAX], Value *ret);
void value_from_real4(float number, char text[static REAL_TEXT_MAX], Value *ret);
