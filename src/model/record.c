/* SPDX-License-Identifier: Apache-2.0 */
#include "model/record.h"
#include "model/geometry.h"
#include <endian.h>
#include <xxhash.h>

/* Digests. */

static int scratch_reserve(DigestScratch *scratch, size_t need) {
        if (scratch->capacity >= need)
                return 0;
        return array_grow(&scratch->bytes, &scratch->capacity, need, 1);
}

static char *put_word(char *at, uint64_t word) {
        word = htole64(word);
        memcpy(at, &word, sizeof word);
        return at + sizeof word;
}

static char *put_decimal(char *at, Decimal d) {
        d = decimal_trim(d);
        if (d.scale == 0 && d.coefficient >= INT64_MIN && d.coefficient <= INT64_MAX) {
                /* As an integer: what value_equal() holds equal has one digest. */
                *at++ = VALUE_INTEGER;
                return put_word(at, (uint64_t) (int64_t) d.coefficient);
        }
        *at++ = VALUE_DECIMAL;
        *at++ = (char) d.scale;
        at = put_word(at, (uint64_t) d.coefficient);
        return put_word(at, (uint64_t) (d.coefficient >> 64));
}

static void digest_of(const void *bytes, size_t size, uint64_t seed, Digest *ret) {
        XXH128_canonical_t canonical;

        XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(bytes, size, seed));
        memcpy(ret->bytes, canonical.digest, DIGEST_SIZE);
}

void bytes_digest(const void *bytes, size_t size, Digest *ret) { digest_of(bytes, size, 0, ret); }

/* Where rings begin and which way they go is no difference. What is no geometry is its bytes. */
static char *put_geometry(char *at, const Value *v) {
        size_t size;

        if (geometry_normalize(v->bytes, v->size, at + sizeof(uint64_t), &size) < 0) {
                at = put_word(at, v->size);
                return v->size > 0 ? mempcpy(at, v->bytes, v->size) : at;
        }
        return put_word(at, size) + size;
}

int values_digest(const Value *values, size_t n_values, uint64_t seed, DigestScratch *scratch, Digest *ret) {
        size_t need = n_values * 18; /* the widest fixed part, a decimal's */
        char *at;
        int r;

        for (size_t i = 0; i < n_values; i++)
                if (value_type_has_bytes(values[i].type))
                        need += values[i].size;
        r = scratch_reserve(scratch, need + 1);
        if (r < 0)
                return r;

        at = scratch->bytes;
        for (const Value *v = values; v < values + n_values; v++) {
                if (v->type == VALUE_DECIMAL) {
                        at = put_decimal(at, v->decimal);
                        continue;
                }
                *at++ = (char) v->type;
                if (value_is_null(v))
                        continue;
                if (v->type == VALUE_GEOMETRY)
                        at = put_geometry(at, v);
                else if (value_type_has_bytes(v->type)) {
                        at = put_word(at, v->size);
                        if (v->size > 0)
                                at = mempcpy(at, v->bytes, v->size);
                } else
                        at = put_word(at, (uint64_t) v->integer);
        }
        digest_of(scratch->bytes, (size_t) (at - scratch->bytes), seed, ret);
        return 0;
}

/* Keys. Each value is a tag and bytes whose order is the values' order:
 *   numbers     0x10 … 0x30: 0x20 is zero, 0x20 + n a positive number in n big-endian bytes, 0x20 - n a negative
 *               one with its bytes inverted; a fraction follows as 0xFE, its decimal digits and 0. So 5 < 5.5 < 6
 *               also inside a longer key, as 0xFE is above every tag. Of negative numbers the floor is written.
 *   boolean, date, time, timestamp: a tag of their own and a number
 *   texts, bytes: 0 is written as 0 0xFF, and 0 ends it. */
enum {
        TAG_ZERO = 0x20,
        TAG_NUMBER_MIN = 0x10,
        TAG_NUMBER_MAX = 0x30,
        TAG_SCALAR = 0x40, /* + ValueType */
        TAG_BYTES = 0x60,  /* + ValueType */
        TAG_FRACTION = 0xFE,
        ESCAPE = 0xFF,
        NUMBER_SIZE_MAX = 1 + 16 + 1 + DECIMAL_DIGITS_MAX + 1,
};

static uint8_t *put_number(uint8_t *at, __int128 number) {
        unsigned __int128 magnitude = number < 0 ? -(unsigned __int128) number : (unsigned __int128) number;
        uint8_t flip = number < 0 ? 0xFF : 0;
        int n = 0;

        while (n < 16 && magnitude >> (8 * n))
                n++;
        *at++ = (uint8_t) (number < 0 ? TAG_ZERO - n : TAG_ZERO + n);
        for (int i = n - 1; i >= 0; i--)
                *at++ = (uint8_t) (magnitude >> (8 * i)) ^ flip;
        return at;
}

static uint8_t *put_key_decimal(uint8_t *at, Decimal d) {
        __int128 unit = 1, whole, fraction;

        d = decimal_trim(d);
        for (unsigned i = 0; i < d.scale; i++)
                unit *= 10;
        whole = d.coefficient / unit;
        fraction = d.coefficient % unit;
        if (fraction < 0) {
                fraction += unit;
                whole--;
        }
        at = put_number(at, whole);
        if (d.scale == 0)
                return at;
        *at++ = TAG_FRACTION;
        for (unit /= 10; unit > 0; unit /= 10)
                *at++ = (uint8_t) ('0' + (int) (fraction / unit % 10));
        *at++ = 0;
        return at;
}

static uint8_t *put_escaped(uint8_t *at, const char *bytes, size_t size) {
        for (size_t i = 0; i < size; i++) {
                *at++ = (uint8_t) bytes[i];
                if (bytes[i] == 0)
                        *at++ = ESCAPE;
        }
        *at++ = 0;
        return at;
}

static size_t key_size_max(const Value *values, size_t n_values) {
        size_t size = 1;

        for (size_t i = 0; i < n_values; i++)
                size += value_type_has_bytes(values[i].type) ? 2 * values[i].size + 2 : NUMBER_SIZE_MAX + 1;
        return size;
}

/* at has room for key_size_max(). */
static int key_write(const Value *values, size_t n_values, uint8_t *at, Key *ret) {
        const uint8_t *start = at;

        for (const Value *v = values; v < values + n_values; v++) {
                if (value_is_null(v))
                        return -EINVAL;
                if (v->type == VALUE_INTEGER)
                        at = put_number(at, v->integer);
                else if (v->type == VALUE_DECIMAL)
                        at = put_key_decimal(at, v->decimal);
                else if (value_type_has_bytes(v->type)) {
                        *at++ = (uint8_t) (TAG_BYTES + (int) v->type);
                        at = put_escaped(at, v->bytes, v->size);
                } else {
                        *at++ = (uint8_t) (TAG_SCALAR + (int) v->type);
                        at = put_number(at, v->integer);
                }
        }
        *ret = (Key){start, (size_t) (at - start)};
        return 0;
}

int key_encode(const Value *values, size_t n_values, Arena *arena, Key *ret) {
        uint8_t *bytes = arena_alloc(arena, key_size_max(values, n_values));

        return bytes ? key_write(values, n_values, bytes, ret) : -ENOMEM;
}

int key_encode_scratch(const Value *values, size_t n_values, DigestScratch *scratch, Key *ret) {
        int r;

        r = scratch_reserve(scratch, key_size_max(values, n_values));
        return r < 0 ? r : key_write(values, n_values, (uint8_t *) scratch->bytes, ret);
}

static int get_number(const uint8_t **at, const uint8_t *end, __int128 *ret) {
        unsigned __int128 magnitude = 0;
        bool negative;
        int n;

        if (*at >= end || **at < TAG_NUMBER_MIN || **at > TAG_NUMBER_MAX)
                return -EBADMSG;
        n = **at - TAG_ZERO;
        negative = n < 0;
        n = abs(n);
        (*at)++;
        if (end - *at < n)
                return -EBADMSG;
        for (int i = 0; i < n; i++)
                magnitude = magnitude << 8 | (uint8_t) (*(*at)++ ^ (negative ? 0xFF : 0));
        if (magnitude >> 127)
                return -EBADMSG;
        *ret = negative ? -(__int128) magnitude : (__int128) magnitude;
        return 0;
}

static int get_fraction(const uint8_t **at, const uint8_t *end, __int128 whole, Value *ret) {
        Decimal d = {whole, 0};

        for (; *at < end && **at != 0; (*at)++) {
                __int128 coefficient;
                if (**at < '0' || **at > '9' || d.scale >= DECIMAL_DIGITS_MAX ||
                    __builtin_mul_overflow((__int128) d.coefficient, (__int128) 10, &coefficient) ||
                    __builtin_add_overflow(coefficient, (__int128) (**at - '0'), &coefficient))
                        return -EBADMSG;
                d.coefficient = coefficient;
                d.scale++;
        }
        if (*at >= end)
                return -EBADMSG;
        (*at)++;
        *ret = (Value){.type = VALUE_DECIMAL, .decimal = d};
        return 0;
}

static int get_key_number(const uint8_t **at, const uint8_t *end, Value *ret) {
        __int128 number;
        int r;

        r = get_number(at, end, &number);
        if (r < 0)
                return r;
        if (*at < end && **at == TAG_FRACTION) {
                (*at)++;
                return get_fraction(at, end, number, ret);
        }
        if (number >= INT64_MIN && number <= INT64_MAX)
                *ret = value_integer((int64_t) number);
        else
                *ret = (Value){.type = VALUE_DECIMAL, .decimal = {number, 0}};
        return 0;
}

static int get_scalar(const uint8_t **at, const uint8_t *end, Value *ret) {
        ValueType type = (ValueType) (*(*at)++ - TAG_SCALAR);
        __int128 number;
        int r;

        if (type != VALUE_BOOLEAN && type != VALUE_DATE && type != VALUE_TIME && type != VALUE_TIMESTAMP)
                return -EBADMSG;
        r = get_number(at, end, &number);
        if (r < 0)
                return r;
        if (number < INT64_MIN || number > INT64_MAX)
                return -EBADMSG;
        *ret = (Value){.type = type, .integer = (int64_t) number};
        return 0;
}

static int get_escaped(const uint8_t **at, const uint8_t *end, Arena *arena, Value *ret) {
        ValueType type = (ValueType) (*(*at)++ - TAG_BYTES);
        size_t size = 0;
        char *bytes;

        if (type >= _VALUE_TYPE_MAX || !value_type_has_bytes(type))
                return -EBADMSG;
        bytes = arena_alloc(arena, (size_t) (end - *at) + 1);
        if (!bytes)
                return -ENOMEM;
        for (; *at < end; (*at)++) {
                if (**at == 0) {
                        if (*at + 1 == end || (*at)[1] != ESCAPE)
                                break;
                        (*at)++;
                        bytes[size++] = 0;
                        continue;
                }
                bytes[size++] = (char) **at;
        }
        if (*at >= end)
                return -EBADMSG;
        (*at)++;
        if (type == VALUE_UUID && size != 16)
                return -EBADMSG;
        *ret = (Value){.type = type, .bytes = bytes, .size = size};
        return 0;
}

static int get_value(const uint8_t **at, const uint8_t *end, Arena *arena, Value *ret) {
        if (*at >= end)
                return -EBADMSG;
        if (**at <= TAG_NUMBER_MAX)
                return get_key_number(at, end, ret);
        if (**at >= TAG_BYTES)
                return get_escaped(at, end, arena, ret);
        return **at >= TAG_SCALAR ? get_scalar(at, end, ret) : -EBADMSG;
}

int key_decode(Key key, Arena *arena, Value *ret_values, size_t n_values) {
        const uint8_t *at = key.bytes, *end = key.bytes + key.size;
        Value *values = arena_alloc(arena, (n_values + 1) * sizeof *values);
        int r;

        if (!values)
                return -ENOMEM;
        for (size_t i = 0; i < n_values; i++) {
                r = get_value(&at, end, arena, &values[i]);
                if (r < 0)
                        return r;
        }
        if (at != end)
                return -EBADMSG;
        memcpy(ret_values, values, n_values * sizeof *values);
        return 0;
}

int key_compare(Key a, Key b) {
        size_t shorter = a.size < b.size ? a.size : b.size;
        int r = shorter > 0 ? memcmp(a.bytes, b.bytes, shorter) : 0;

        if (r != 0)
                return r;
        return (a.size > b.size) - (a.size < b.size);
}

const char *key_to_text(Key key, Arena *arena) {
        const uint8_t *at = key.bytes, *end = key.bytes + key.size;
        const char *text = "";

        while (at < end) {
                const char *part;
                Value v;
                if (get_value(&at, end, arena, &v) < 0)
                        return arena_printf(arena, "%s%s?", text, *text ? "|" : "");
                part = value_to_text(&v, arena, 200);
                text = part ? arena_printf(arena, "%s%s%s", text, *text ? "|" : "", part) : NULL;
                if (!text)
                        return NULL;
        }
        return text;
}

static const char *const change_kinds[_CHANGE_KIND_MAX] = {
        [CHANGE_UNDECIDED] = "undecided", [CHANGE_NONE] = "none",     [CHANGE_INSERT] = "insert",
        [CHANGE_UPDATE] = "update",       [CHANGE_DELETE] = "delete", [CHANGE_HELD] = "held",
};

const char *change_kind_to_string(ChangeKind kind) {
        return kind >= 0 && kind < _CHANGE_KIND_MAX ? change_kinds[kind] : "unknown";
}
