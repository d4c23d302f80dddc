/* SPDX-License-Identifier: Apache-2.0 */
/* Two numbers, a line each. What parses formats to itself; order, sums and rounding agree with one another.
 */
#include "fuzz.h"

#include "basic/decimal.h"

static void one_check(const Decimal *d) {
        char text[DECIMAL_TEXT_MAX];
        Decimal back, rounded;
        bool exact;
        size_t n;

        n = decimal_format(d, text);
        CHECK(n == strlen(text) && n < DECIMAL_TEXT_MAX);
        CHECK(decimal_parse(text, n, &back) == 0);
        CHECK(back.coefficient == d->coefficient && back.scale == d->scale);
        CHECK(decimal_digits(d) >= 1 && decimal_digits(d) <= DECIMAL_DIGITS_MAX);
        back = decimal_trim(*d);
        CHECK(decimal_compare(&back, d) == 0);
        for (uint8_t scale = 0; scale <= DECIMAL_DIGITS_MAX; scale++) {
                if (decimal_round(d, scale, &rounded, &exact) < 0) {
                        CHECK(scale > d->scale);
                        continue;
                }
                CHECK(rounded.scale == scale);
                CHECK(exact == (decimal_compare(&rounded, d) == 0));
                CHECK((decimal_rescale(d, scale, &back) == 0) == exact);
        }
}

static void both_check(const Decimal *a, const Decimal *b) {
        Decimal sum, other, negative = *b;
        int order = decimal_compare(a, b);

        CHECK(decimal_compare(b, a) == -order);
        CHECK(decimal_add(a, b, &sum) == decimal_add(b, a, &other));
        if (decimal_add(a, b, &sum) == 0) {
                negative.coefficient = -negative.coefficient;
                CHECK(decimal_add(&sum, &negative, &other) == 0);
                CHECK(decimal_compare(&other, a) == 0);
        }
        if (decimal_multiply(a, b, &sum) == 0) {
                CHECK(decimal_multiply(b, a, &other) == 0);
                CHECK(decimal_compare(&sum, &other) == 0);
                one_check(&sum);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        const char *text = (const char *) bytes, *end = size > 0 ? memchr(text, '\n', size) : NULL;
        size_t first = end ? (size_t) (end - text) : size, second = size - first;
        Decimal a, b;
        bool has_a, has_b;

        has_a = decimal_parse(text, first, &a) == 0;
        if (has_a)
                one_check(&a);
        if (second < 2)
                return 0;
        second -= 1 + (text[size - 1] == '\n');
        has_b = decimal_parse(text + first + 1, second, &b) == 0;
        if (has_b)
                one_check(&b);
        if (has_a && has_b)
                both_check(&a, &b);
        return 0;
}
