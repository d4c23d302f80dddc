/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/decimal.h"

#include <errno.h>

typedef __int128 Wide;
typedef unsigned __int128 UWide;

/* Up to so many bytes of text hold no number that a uint64_t cannot. */
#define SHORT_TEXT_MAX 19
#define EXPONENT_MAX 100000 /* beyond it every number but 0 is out of range */
#define TEN_18 1000000000000000000ULL

const uint64_t decimal_powers[DECIMAL_POWERS] = {
        1ULL,
        10ULL,
        100ULL,
        1000ULL,
        10000ULL,
        100000ULL,
        1000000ULL,
        10000000ULL,
        100000000ULL,
        1000000000ULL,
        10000000000ULL,
        100000000000ULL,
        1000000000000ULL,
        10000000000000ULL,
        100000000000000ULL,
        1000000000000000ULL,
        10000000000000000ULL,
        100000000000000000ULL,
        TEN_18,
};

/* 10^exponent, exponent 0 … 38. */
static Wide power_of_ten(unsigned exponent) {
        if (exponent <= 18)
                return (Wide) decimal_powers[exponent];
        if (exponent <= 36)
                return (Wide) decimal_powers[exponent - 18] * (Wide) TEN_18;
        return (Wide) decimal_powers[exponent - 36] * (Wide) TEN_18 * (Wide) TEN_18;
}

static UWide magnitude(Wide number) {
        return number < 0 ? -(UWide) number : (UWide) number;
}

static bool fits(Wide number) {
        return magnitude(number) < (UWide) power_of_ten(DECIMAL_DIGITS_MAX);
}

static bool is_digit(char c) {
        return (unsigned char) (c - '0') < 10;
}

static int exponent_parse(const char *p, const char *end, int *ret) {
        bool negative = false;
        int exponent = 0;

        if (p < end && (*p == '+' || *p == '-'))
                negative = *p++ == '-';
        if (p == end)
                return -EINVAL;
        for (; p < end; p++) {
                if (!is_digit(*p))
                        return -EINVAL;
                if (exponent < EXPONENT_MAX)
                        exponent = exponent * 10 + (*p - '0');
        }
        *ret = negative ? -exponent : exponent;
        return 0;
}

/* Gives the number coefficient / 10^places, where places may be beyond what a scale can be. */
static int decimal_make(UWide coefficient, long places, bool negative, Decimal *ret) {
        Wide number = (Wide) coefficient;

        if (places < 0 && coefficient == 0)
                places = 0;
        if (places > DECIMAL_DIGITS_MAX || places < -DECIMAL_DIGITS_MAX)
                return -ERANGE;
        if (places < 0) {
                if (__builtin_mul_overflow(number, power_of_ten((unsigned) -places), &number) ||
                    !fits(number))
                        return -ERANGE;
                places = 0;
        }
        *ret = (Decimal) { .coefficient = negative ? -number : number, .scale = (uint8_t) places };
        return 0;
}

static int parse_long(const char *p, const char *end, bool negative, Decimal *ret) {
        UWide coefficient = 0;
        unsigned n_significant = 0;
        bool point = false, digit = false, digit_last = false;
        long places = 0;
        int exponent = 0, r;

        for (; p < end && *p != 'e' && *p != 'E'; p++) {
                digit_last = is_digit(*p);
                if (!digit_last) {
                        if (*p != '.' || point)
                                return -EINVAL;
                        point = true;
                        continue;
                }
                digit = true;
                places += point;
                if (n_significant > 0 || *p != '0')
                        n_significant++;
                if (n_significant <= DECIMAL_DIGITS_MAX)
                        coefficient = coefficient * 10 + (unsigned) (*p - '0');
        }
        if (!digit || !digit_last)
                return -EINVAL;
        if (p < end) {
                r = exponent_parse(p + 1, end, &exponent);
                if (r < 0)
                        return r;
        }
        if (n_significant > DECIMAL_DIGITS_MAX)
                return -ERANGE;
        return decimal_make(coefficient, places - exponent, negative, ret);
}

int decimal_parse(const char *text, size_t n_bytes, Decimal *ret) {
        const char *p = text, *end = text + n_bytes, *point = NULL;
        uint64_t coefficient = 0;
        bool negative = false;
        unsigned scale = 0;

        if (n_bytes == 0)
                return -EINVAL;
        if (*p == '-' || *p == '+')
                negative = *p++ == '-';
        if (end - p > SHORT_TEXT_MAX)
                return parse_long(p, end, negative, ret);
        /* Nearly every number of a table is short: one multiplication per digit, no counting. */
        for (; p < end && is_digit(*p); p++)
                coefficient = coefficient * 10 + (unsigned) (*p - '0');
        if (p < end && *p == '.') {
                point = p;
                for (p++; p < end && is_digit(*p); p++)
                        coefficient = coefficient * 10 + (unsigned) (*p - '0');
                scale = (unsigned) (p - point - 1);
        }
        if (p < end) {
                p = text + (*text == '-' || *text == '+');
                return parse_long(p, end, negative, ret);
        }
        if (!is_digit(end[-1]))
                return -EINVAL;
        *ret = (Decimal) {
                .coefficient = negative ? -(Wide) coefficient : (Wide) coefficient,
                .scale = (uint8_t) scale,
        };
        return 0;
}

Decimal decimal_from_integer(int64_t integer) {
        return (Decimal) { .coefficient = integer };
}

/* Writes the digits of number so that they end before end; gives where they begin. */
static char *digits_write(uint64_t number, char *end) {
        do {
                *--end = (char) ('0' + number % 10);
                number /= 10;
        } while (number > 0);
        return end;
}

size_t decimal_format(const Decimal *d, char buffer[static DECIMAL_TEXT_MAX]) {
        char digits[DECIMAL_DIGITS_MAX + 2], *end = digits + sizeof(digits), *p = end, *out = buffer;
        UWide rest;
        size_t n, n_integer;

        assert(d->scale <= DECIMAL_DIGITS_MAX);
        rest = magnitude(d->coefficient);
        assert(rest < (UWide) power_of_ten(DECIMAL_DIGITS_MAX));
        while (rest >= TEN_18) {
                char *place = p - 18;

                p = digits_write((uint64_t) (rest % TEN_18), p);
                while (p > place)
                        *--p = '0';
                rest /= TEN_18;
        }
        p = digits_write((uint64_t) rest, p);
        while (end - p <= d->scale)
                *--p = '0';
        if (d->coefficient < 0)
                *out++ = '-';
        n = (size_t) (end - p);
        n_integer = n - d->scale;
        memcpy(out, p, n_integer);
        out += n_integer;
        if (d->scale > 0) {
                *out++ = '.';
                memcpy(out, p + n_integer, d->scale);
                out += d->scale;
        }
        *out = '\0';
        return (size_t) (out - buffer);
}

/* The sign of a × 10^up − b, exact. */
static int compare_raised(Wide a, unsigned up, Wide b) {
        Wide raised;

        /* What overflows here is beyond every coefficient, so its sign decides. */
        if (__builtin_mul_overflow(a, power_of_ten(up), &raised))
                return a < 0 ? -1 : 1;
        return (raised > b) - (raised < b);
}

int decimal_compare(const Decimal *a, const Decimal *b) {
        if (a->scale <= b->scale)
                return compare_raised(a->coefficient, (unsigned) (b->scale - a->scale), b->coefficient);
        return -compare_raised(b->coefficient, (unsigned) (a->scale - b->scale), a->coefficient);
}

int decimal_round(const Decimal *d, uint8_t scale, Decimal *ret, bool *ret_exact) {
        Wide power, number, rest;

        if (scale > DECIMAL_DIGITS_MAX)
                return -ERANGE;
        if (scale >= d->scale) {
                if (__builtin_mul_overflow((Wide) d->coefficient,
                                           power_of_ten((unsigned) (scale - d->scale)), &number) ||
                    !fits(number))
                        return -ERANGE;
                rest = 0;
        } else {
                power = power_of_ten((unsigned) (d->scale - scale));
                number = d->coefficient / power;
                rest = d->coefficient % power;
                if (magnitude(rest) > (UWide) power / 2 ||
                    (magnitude(rest) == (UWide) power / 2 && number % 2 != 0))
                        number += rest < 0 ? -1 : 1;
        }
        *ret = (Decimal) { .coefficient = number, .scale = scale };
        if (ret_exact)
                *ret_exact = rest == 0;
        return 0;
}

int decimal_rescale(const Decimal *d, uint8_t scale, Decimal *ret) {
        Decimal rounded;
        bool exact;
        int r;

        r = decimal_round(d, scale, &rounded, &exact);
        if (r < 0)
                return r;
        if (!exact)
                return -ERANGE;
        *ret = rounded;
        return 0;
}

int decimal_add(const Decimal *a, const Decimal *b, Decimal *ret) {
        uint8_t scale = a->scale > b->scale ? a->scale : b->scale;
        Decimal left, right;
        Wide sum;
        int r;

        r = decimal_rescale(a, scale, &left);
        if (r < 0)
                return r;
        r = decimal_rescale(b, scale, &right);
        if (r < 0)
                return r;
        /* Two numbers below 10^38 may pass 2^127 when added. */
        if (__builtin_add_overflow((Wide) left.coefficient, (Wide) right.coefficient, &sum) || !fits(sum))
                return -ERANGE;
        *ret = (Decimal) { .coefficient = sum, .scale = scale };
        return 0;
}

static int multiply_plain(const Decimal *a, const Decimal *b, Decimal *ret) {
        unsigned scale = (unsigned) a->scale + b->scale;
        Wide product;

        if (scale > DECIMAL_DIGITS_MAX ||
            __builtin_mul_overflow((Wide) a->coefficient, (Wide) b->coefficient, &product) || !fits(product))
                return -ERANGE;
        *ret = (Decimal) { .coefficient = product, .scale = (uint8_t) scale };
        return 0;
}

int decimal_multiply(const Decimal *a, const Decimal *b, Decimal *ret) {
        Decimal left, right;

        if (multiply_plain(a, b, ret) == 0)
                return 0;
        /* 38 digits may do without the zeros that both carry behind the point. */
        left = decimal_trim(*a);
        right = decimal_trim(*b);
        return multiply_plain(&left, &right, ret);
}

int decimal_to_integer(const Decimal *d, int64_t *ret) {
        Decimal whole;
        int r;

        r = decimal_rescale(d, 0, &whole);
        if (r < 0)
                return r;
        if (whole.coefficient > INT64_MAX || whole.coefficient < INT64_MIN)
                return -ERANGE;
        *ret = (int64_t) whole.coefficient;
        return 0;
}

unsigned decimal_digits(const Decimal *d) {
        UWide whole = magnitude(d->coefficient);
        uint64_t rest;
        unsigned n = 1;

        /* Divisions of 128 bits are slow: one at most. */
        if (whole >= (UWide) power_of_ten(19)) {
                n += 19;
                whole /= (UWide) power_of_ten(19);
        }
        rest = (uint64_t) whole;
        for (uint64_t limit = 10; rest >= limit; n++) /* rest < 10^19, so it stays in 64 bits */
                limit *= 10;
        return n;
}

Decimal decimal_trim(Decimal d) {
        while (d.scale > 0 && d.coefficient % 10 == 0) {
                d.coefficient /= 10;
                d.scale--;
        }
        return d;
}
