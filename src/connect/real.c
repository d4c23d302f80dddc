/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/real.h"

#include <math.h>

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof(a)) == 0; }

/* Money in a REAL column is m / 10^k with few digits. Both are exact as floats, so their quotient is the
 * float nearest to that decimal; and no two decimals of up to 15 digits share a float. So where it gives
 * the number back it is what %.15g would print, far cheaper. */
static bool real_is_short(double number, Decimal *ret) {
        static const double powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

        for (uint8_t scale = 0; scale < ELEMENTSOF(powers); scale++) {
                double shifted = number * powers[scale];
                int64_t coefficient;

                if (!(shifted < 1e15 && shifted > -1e15))
                        return false;
                coefficient = (int64_t) (shifted + (shifted < 0 ? -0.5 : 0.5));
                if (same_bits((double) coefficient / powers[scale], number)) {
                        *ret = (Decimal){.coefficient = coefficient, .scale = scale};
                        return true;
                }
        }
        return false;
}

static void value_from_text(bool finite, const char *text, size_t size, Value *ret) {
        Decimal decimal;

        if (finite && decimal_parse(text, size, &decimal) == 0)
                *ret = (Value){.type = VALUE_DECIMAL, .decimal = decimal};
        else
                *ret = value_text(text, size);
}

void value_from_real(double number, char text[static REAL_TEXT_MAX], Value *ret) {
        Decimal decimal;
        int n;

        if (real_is_short(number, &decimal)) {
                *ret = (Value){.type = VALUE_DECIMAL, .decimal = decimal};
                return;
        }
        n = snprintf(text, REAL_TEXT_MAX, "%.15g", number);
        if (isfinite(number) && !same_bits(strtod(text, NULL), number))
                n = snprintf(text, REAL_TEXT_MAX, "%.17g", number);
        value_from_text(isfinite(number), text, (size_t) n, ret);
}

void value_from_real4(float number, char text[static REAL_TEXT_MAX], Value *ret) {
        int n = 0;

        for (int digits = (int) REAL4_DIGITS_EXACT; digits <= 9; digits++) {
                float back;

                n = snprintf(text, REAL_TEXT_MAX, "%.*g", digits, (double) number);
                back = strtof(text, NULL);
                if (!isfinite(number) || memcmp(&back, &number, sizeof(back)) == 0)
                        break;
        }
        value_from_text(isfinite(number), text, (size_t) n, ret);
}
