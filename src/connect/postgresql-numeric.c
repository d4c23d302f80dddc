/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-numeric.h"

#include "connect/copy-binary.h"

#define HEADER_SIZE    8
#define BASE           10000U
#define BASE_DIGITS    4
#define GROUPS_MAX     12   /* of a Decimal: 38 digits on both sides of a point in any place */
#define SIGN_POSITIVE  0x0000U
#define SIGN_NEGATIVE  0x4000U
#define SIGN_NAN       0xC000U
#define SIGN_INFINITE  0xD000U
#define SIGN_MINUS_INF 0xF000U

typedef unsigned __int128 uint128;

#define POWER_MAX (DECIMAL_POWERS - 1)

typedef struct Numeric {
        unsigned n_groups, sign, scale;
        int weight; /* of the first group: it counts BASE^weight */
        const char *groups;
} Numeric;

static int numeric_parse(const char *bytes, size_t size, Numeric *ret) {
        Numeric n;

        if (size < HEADER_SIZE)
                return -EBADMSG;
        n = (Numeric){
                .n_groups = copy_get16(bytes),
                .weight = (int16_t) copy_get16(bytes + 2),
                .sign = copy_get16(bytes + 4),
                .scale = copy_get16(bytes + 6),
                .groups = bytes + HEADER_SIZE,
        };
        if (size != HEADER_SIZE + 2 * (size_t) n.n_groups)
                return -EBADMSG;
        for (unsigned i = 0; i < n.n_groups; i++)
                if (copy_get16(n.groups + (size_t) 2 * i) >= BASE)
                        return -EBADMSG;
        *ret = n;
        return 0;
}

static bool shift_up(uint128 *number, int digits) {
        for (; digits > 0; digits -= POWER_MAX) {
                uint64_t power = decimal_powers[digits < POWER_MAX ? digits : POWER_MAX];

                if (__builtin_mul_overflow(*number, (uint128) power, number))
                        return false;
        }
        return true;
}

static bool decimal_has_room(uint128 number) {
        uint128 limit = (uint128) decimal_powers[18] * decimal_powers[18] * 100; /* 10^38 */

        return number < limit;
}

/* Groups and scale put together. Of the last group some digits may lie behind the scale: they are zeros by the
 * format's own rule, and left out before they could make the number too long. */
static int magnitude_make(const Numeric *n, uint128 *ret) {
        int shift = (n->weight - (int) n->n_groups + 1) * BASE_DIGITS + (int) n->scale;
        uint128 number = 0;

        if (n->n_groups > 0 && shift <= -BASE_DIGITS)
                return -EBADMSG;
        for (unsigned i = 0; i < n->n_groups; i++) {
                uint64_t cut = i + 1 == n->n_groups && shift < 0 ? decimal_powers[-shift] : 1;
                uint64_t group = copy_get16(n->groups + (size_t) 2 * i);

                if (group % cut != 0)
                        return -EBADMSG;
                if (__builtin_mul_overflow(number, (uint128) (BASE / cut), &number) ||
                    __builtin_add_overflow(number, (uint128) (group / cut), &number))
                        return -ERANGE;
        }
        if (number != 0 && shift > 0 && !shift_up(&number, shift))
                return -ERANGE;
        if (!decimal_has_room(number))
                return -ERANGE;
        *ret = number;
        return 0;
}

/* Money: all in 64 bits. false: the number needs more, or is not well formed. */
static bool decode_small(const Numeric *n, Decimal *ret) {
        int shift = (n->weight - (int) n->n_groups + 1) * BASE_DIGITS + (int) n->scale;
        uint64_t number = 0;

        if (n->n_groups > 4 || shift < -3 || shift + (int) n->n_groups * BASE_DIGITS > POWER_MAX ||
            n->scale > DECIMAL_DIGITS_MAX ||
            (n->sign != SIGN_POSITIVE && n->sign != SIGN_NEGATIVE))
                return false;
        for (unsigned i = 0; i < n->n_groups; i++)
                number = number * BASE + copy_get16(n->groups + (size_t) 2 * i);
        if (shift >= 0)
                number *= decimal_powers[shift];
        else {
                if (number % decimal_powers[-shift] != 0)
                        return false;
                number /= decimal_powers[-shift];
        }
        ret->coefficient = n->sign == SIGN_NEGATIVE ? -(int64_t) number : (int64_t) number;
        ret->scale = (uint8_t) n->scale;
        return true;
}

int pg_numeric_decode(const char *bytes, size_t size, Decimal *ret) {
        uint128 magnitude;
        Numeric n;
        int r;

        r = numeric_parse(bytes, size, &n);
        if (r < 0)
                return r;
        if (decode_small(&n, ret))
                return 0;
        if (n.sign == SIGN_NAN || n.sign == SIGN_INFINITE || n.sign == SIGN_MINUS_INF)
                return -ERANGE;
        if (n.sign != SIGN_POSITIVE && n.sign != SIGN_NEGATIVE)
                return -EBADMSG;
        if (n.scale > DECIMAL_DIGITS_MAX)
                return -ERANGE;
        r = magnitude_make(&n, &magnitude);
        if (r < 0)
                return r;
        ret->coefficient = n.sign == SIGN_NEGATIVE ? -(__int128) magnitude : (__int128) magnitude;
        ret->scale = (uint8_t) n.scale;
        return 0;
}

static unsigned group_at(const Numeric *n, int weight) {
        int index = n->weight - weight;

        return index >= 0 && index < (int) n->n_groups ? copy_get16(n->groups + (size_t) 2 * (size_t) index)
                                                       : 0;
}

const char *pg_numeric_text(const char *bytes, size_t size, Arena *arena) {
        size_t n_bytes;
        char *text, *at;
        Numeric n;

        if (numeric_parse(bytes, size, &n) < 0)
                return arena_copy(arena, "NaN", sizeof("NaN"));
        if (n.sign == SIGN_NAN)
                return arena_copy(arena, "NaN", sizeof("NaN"));
        if (n.sign == SIGN_INFINITE)
                return arena_copy(arena, "Infinity", sizeof("Infinity"));
        if (n.sign == SIGN_MINUS_INF)
                return arena_copy(arena, "-Infinity", sizeof("-Infinity"));
        n_bytes = (size_t) (n.weight > 0 ? n.weight + 1 : 1) * BASE_DIGITS + n.scale + BASE_DIGITS + 8;
        text = at = arena_alloc(arena, n_bytes);
        if (!text)
                return NULL;
        if (n.sign == SIGN_NEGATIVE)
                *at++ = '-';
        at += snprintf(at, n_bytes - 1, "%u", n.weight >= 0 ? group_at(&n, n.weight) : 0);
        for (int weight = n.weight - 1; weight >= 0; weight--)
                at += snprintf(at, BASE_DIGITS + 1, "%04u", group_at(&n, weight));
        if (n.scale > 0) {
                char *point = at++;

                *point = '.';
                for (int weight = -1; at - point - 1 < (ssize_t) n.scale; weight--)
                        at += snprintf(at, BASE_DIGITS + 1, "%04u", group_at(&n, weight));
                at = point + 1 + n.scale;
        }
        *at = '\0';
        return text;
}

static size_t groups_write(const uint16_t *groups, int n_groups, int weight, unsigned sign, unsigned scale,
                           char *bytes) {
        char *at = bytes;

        while (n_groups > 0 && groups[0] == 0) {
                groups++;
                n_groups--;
                weight--;
        }
        while (n_groups > 0 && groups[n_groups - 1] == 0)
                n_groups--;
        if (n_groups == 0) {
                weight = 0;
                sign = SIGN_POSITIVE;
        }
        at = copy_set16(at, (uint16_t) n_groups);
        at = copy_set16(at, (uint16_t) (int16_t) weight);
        at = copy_set16(at, (uint16_t) sign);
        at = copy_set16(at, (uint16_t) scale);
        for (int i = 0; i < n_groups; i++)
                at = copy_set16(at, groups[i]);
        return (size_t) (at - bytes);
}

/* Digits before the point fill groups from the right, digits behind it from the left. Gives the weight of the first group. */
static int whole_split(uint128 whole, uint16_t *groups, int *n_groups) {
        uint16_t reversed[GROUPS_MAX];
        int n = 0;

        while (whole > 0) {
                reversed[n++] = (uint16_t) (whole % BASE);
                whole /= BASE;
        }
        for (int i = 0; i < n; i++)
                groups[i] = reversed[n - 1 - i];
        *n_groups = n;
        return n - 1;
}

static uint128 power_of(unsigned digits) {
        uint128 power = 1;

        (void) shift_up(&power, (int) digits);
        return power;
}

static int fraction_split(uint128 fraction, unsigned scale, uint16_t *groups) {
        int n = 0;

        for (; scale >= BASE_DIGITS; scale -= BASE_DIGITS) {
                uint128 unit = power_of(scale - BASE_DIGITS);

                groups[n++] = (uint16_t) (fraction / unit);
                fraction %= unit;
        }
        if (scale > 0)
                groups[n++] = (uint16_t) (fraction * decimal_powers[BASE_DIGITS - scale]);
        return n;
}

static size_t encode_small(uint64_t number, unsigned sign, unsigned scale, char *bytes) {
        uint16_t groups[GROUPS_MAX];
        int n_fraction = (int) (scale + BASE_DIGITS - 1) / BASE_DIGITS, n = GROUPS_MAX;

        number *= decimal_powers[(unsigned) n_fraction * BASE_DIGITS - scale];
        while (number > 0) {
                groups[--n] = (uint16_t) (number % BASE);
                number /= BASE;
        }
        return groups_write(groups + n, GROUPS_MAX - n, GROUPS_MAX - n - 1 - n_fraction, sign, scale, bytes);
}

size_t pg_numeric_encode(const Decimal *d, char bytes[static PG_NUMERIC_SIZE_MAX]) {
        unsigned sign = d->coefficient < 0 ? SIGN_NEGATIVE : SIGN_POSITIVE;
        uint128 magnitude = d->coefficient < 0 ? -(uint128) d->coefficient : (uint128) d->coefficient;
        uint16_t groups[2 * GROUPS_MAX];
        int n_groups, weight;
        uint128 unit;

        static_assert(PG_NUMERIC_SIZE_MAX >= HEADER_SIZE + 2 * (GROUPS_MAX + 2), "groups must fit");
        if (magnitude < decimal_powers[16])
                return encode_small((uint64_t) magnitude, sign, d->scale, bytes);
        unit = power_of(d->scale);
        weight = whole_split(magnitude / unit, groups, &n_groups);
        n_groups += fraction_split(magnitude % unit, d->scale, groups + n_groups);
        return groups_write(groups, n_groups, weight, sign, d->scale, bytes);
}

int pg_numeric_encode_word(const char *word, size_t n, char bytes[static PG_NUMERIC_SIZE_MAX],
                           size_t *ret_size) {
        static const struct {
                const char *name;
                unsigned sign;
        } words[] = {{"NaN", SIGN_NAN}, {"Infinity", SIGN_INFINITE}, {"-Infinity", SIGN_MINUS_INF}};

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strlen(words[i].name) == n && memcmp(words[i].name, word, n) == 0) {
                        char *at = copy_set32(bytes, 0);

                        at = copy_set16(at, (uint16_t) words[i].sign);
                        (void) copy_set16(at, 0);
                        *ret_size = HEADER_SIZE;
                        return 0;
                }
        return -EINVAL;
}
