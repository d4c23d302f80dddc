/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-type.h"

#include <math.h>

#include "basic/text.h"
#include "basic/timestamp.h"
#include "connect/postgresql-numeric.h"
#include "connect/real.h"

#define DAYS_OF_2000  10957               /* since 1970, from where PostgreSQL counts */
#define USEC_OF_2000  946684800000000LL
#define USEC_PER_DAY  86400000000LL
#define DAYS_MIN      (-719528)           /* 0000-01-01 */
#define DAYS_MAX      2932896             /* 9999-12-31 */
#define JSONB_VERSION 1

/* Of the types in pg_type.dat: these numbers are PostgreSQL's own for ever. */
static const struct {
        uint32_t oid;
        PgKind kind;
} kinds[] = {
        {16, PG_BOOLEAN}, {17, PG_BYTEA},     {19, PG_TEXT},    {20, PG_BIGINT},       {21, PG_SMALLINT},
        {23, PG_INTEGER}, {25, PG_TEXT},      {114, PG_JSON},   {700, PG_REAL},        {701, PG_DOUBLE},
        {1042, PG_CHAR},  {1043, PG_TEXT},    {1082, PG_DATE},  {1083, PG_TIME},       {1114, PG_TIMESTAMP},
        {1700, PG_NUMERIC}, {2950, PG_UUID},  {3802, PG_JSONB}, {1184, PG_TIMESTAMPTZ}, {790, PG_MONEY},
        {5069, PG_XID8},
};

PgKind pg_kind_of(uint32_t oid, bool is_enum, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].oid == oid)
                        return kinds[i].kind;
        if (is_enum)
                return PG_TEXT;
        return text_equal(name, "geometry") || text_equal(name, "geography") ? PG_GEOMETRY : PG_OTHER;
}

const char *pg_compound_of(char type, char category) {
        if (category == 'A')
                return "an array";
        return type == 'c' ? "a composite type" : type == 'r' ? "a range" : type == 'm' ? "a multirange" : NULL;
}

const char *pg_cast_of(const PgType *type) {
        switch (type->kind) {
        case PG_OTHER:
        case PG_XID8: return "text";
        case PG_MONEY: return "numeric";
        default: return NULL;
        }
}

static int odd_text(Arena *arena, const char *text, Value *ret) {
        size_t size = strlen(text);
        const char *copy = arena_copy(arena, text, size);

        if (!copy)
                return -ENOMEM;
        *ret = value_text(copy, size);
        return 0;
}

/* As the server writes a day outside the years 0000 to 9999; time: behind it, or "". */
static int odd_day(Arena *arena, int64_t days, const char *time, Value *ret) {
        char text[96];
        unsigned month, day;
        int year;

        civil_from_days((int32_t) days, &year, &month, &day);
        if (year > 0)
                (void) snprintf(text, sizeof(text), "%04d-%02u-%02u%s", year, month, day, time);
        else
                (void) snprintf(text, sizeof(text), "%04d-%02u-%02u%s BC", 1 - year, month, day, time);
        return odd_text(arena, text, ret);
}

static int decode_date(int32_t days, Arena *arena, Value *ret) {
        int64_t unix_days = (int64_t) days + DAYS_OF_2000;

        if (unix_days >= DAYS_MIN && unix_days <= DAYS_MAX) {
                *ret = (Value){.type = VALUE_DATE, .integer = unix_days};
                return 0;
        }
        if (days == INT32_MAX || days == INT32_MIN)
                return odd_text(arena, days > 0 ? "infinity" : "-infinity", ret);
        return unix_days > INT32_MAX ? -EBADMSG : odd_day(arena, unix_days, "", ret);
}

static int decode_timestamp(int64_t usec, bool zoned, Arena *arena, Value *ret) {
        int64_t days = usec / USEC_PER_DAY, rest = usec % USEC_PER_DAY;
        char time[TIMESTAMP_TEXT_MAX + 8] = " ";

        if (rest < 0) {
                rest += USEC_PER_DAY;
                days--;
        }
        days += DAYS_OF_2000;
        if (days >= DAYS_MIN && days <= DAYS_MAX) {
                *ret = (Value){.type = VALUE_TIMESTAMP, .integer = usec + USEC_OF_2000};
                return 0;
        }
        if (usec == INT64_MAX || usec == INT64_MIN)
                return odd_text(arena, usec > 0 ? "infinity" : "-infinity", ret);
        (void) snprintf(time + 1 + time_format(rest, time + 1), 4, "%s", zoned ? "+00" : "");
        return odd_day(arena, days, time, ret);
}

static int decode_time(int64_t usec, Arena *arena, Value *ret) {
        if (usec < 0 || usec > USEC_PER_DAY)
                return -EBADMSG;
        if (usec == USEC_PER_DAY)
                return odd_text(arena, "24:00:00", ret);
        *ret = (Value){.type = VALUE_TIME, .integer = usec};
        return 0;
}

static int decode_numeric(const char *bytes, size_t size, Arena *arena, Value *ret) {
        const char *text;
        int r;

        ret->type = VALUE_DECIMAL;
        r = pg_numeric_decode(bytes, size, &ret->decimal);
        if (r != -ERANGE)
                return r;
        text = pg_numeric_text(bytes, size, arena);
        if (!text)
                return -ENOMEM;
        *ret = value_text(text, strlen(text));
        return 0;
}

static int decode_real(double number, bool four_bytes, Arena *arena, Value *ret) {
        char text[REAL_TEXT_MAX];

        if (isnan(number))
                return odd_text(arena, "NaN", ret);
        if (isinf(number))
                return odd_text(arena, number > 0 ? "Infinity" : "-Infinity", ret);
        if (four_bytes)
                value_from_real4((float) number, text, ret);
        else
                value_from_real(number, text, ret);
        return ret->type == VALUE_TEXT ? odd_text(arena, text, ret) : 0;
}

static int decode_text(const char *bytes, size_t size, ValueType type, bool check_utf8, Value *ret) {
        ret->type = check_utf8 && !text_is_utf8(bytes, size) ? VALUE_BYTES : type;
        ret->bytes = bytes;
        ret->size = size;
        return 0;
}

static int decode_bytes(const char *bytes, size_t size, ValueType type, Value *ret) {
        *ret = (Value){.type = type, .bytes = bytes, .size = size};
        return 0;
}

static size_t fixed_size(PgKind kind) {
        switch (kind) {
        case PG_BOOLEAN: return 1;
        case PG_SMALLINT: return 2;
        case PG_INTEGER:
        case PG_DATE:
        case PG_REAL: return 4;
        case PG_BIGINT:
        case PG_TIME:
        case PG_TIMESTAMP:
        case PG_TIMESTAMPTZ:
        case PG_DOUBLE: return 8;
        case PG_UUID: return 16;
        default: return 0;
        }
}

static int decode_fixed(PgKind kind, const char *bytes, Arena *arena, Value *ret) {
        uint32_t word;
        uint64_t long_word;
        double number;
        float small;

        switch (kind) {
        case PG_BOOLEAN: *ret = (Value){.type = VALUE_BOOLEAN, .integer = bytes[0] != 0}; return 0;
        case PG_SMALLINT: *ret = value_integer((int16_t) copy_get16(bytes)); return 0;
        case PG_INTEGER: *ret = value_integer((int32_t) copy_get32(bytes)); return 0;
        case PG_BIGINT: *ret = value_integer((int64_t) copy_get64(bytes)); return 0;
        case PG_DATE: return decode_date((int32_t) copy_get32(bytes), arena, ret);
        case PG_TIME: return decode_time((int64_t) copy_get64(bytes), arena, ret);
        case PG_TIMESTAMP:
        case PG_TIMESTAMPTZ:
                return decode_timestamp((int64_t) copy_get64(bytes), kind == PG_TIMESTAMPTZ, arena, ret);
        case PG_UUID: return decode_bytes(bytes, 16, VALUE_UUID, ret);
        case PG_REAL:
                word = copy_get32(bytes);
                memcpy(&small, &word, sizeof(small));
                return decode_real((double) small, true, arena, ret);
        default:
                long_word = copy_get64(bytes);
                memcpy(&number, &long_word, sizeof(number));
                return decode_real(number, false, arena, ret);
        }
}

int pg_decode(const PgType *type, const char *bytes, size_t size, bool check_utf8, Arena *arena,
              Value *ret) {
        size_t fixed = fixed_size(type->kind);

        if (fixed > 0)
                return size == fixed ? decode_fixed(type->kind, bytes, arena, ret) : -EBADMSG;
        switch (type->kind) {
        case PG_NUMERIC:
        case PG_MONEY: return decode_numeric(bytes, size, arena, ret);
        case PG_CHAR:
                while (size > 0 && bytes[size - 1] == ' ')
                        size--;
                return decode_text(bytes, size, VALUE_TEXT, check_utf8, ret);
        case PG_JSON: return decode_text(bytes, size, VALUE_JSON, check_utf8, ret);
        case PG_JSONB:
                if (size < 1 || bytes[0] != JSONB_VERSION)
                        return -EBADMSG;
                return decode_text(bytes + 1, size - 1, VALUE_JSON, check_utf8, ret);
        case PG_BYTEA: return decode_bytes(bytes, size, VALUE_BYTES, ret);
        case PG_GEOMETRY: return decode_bytes(bytes, size, VALUE_GEOMETRY, ret);
        default: return decode_text(bytes, size, VALUE_TEXT, check_utf8, ret);
        }
}

/* ---- literals ---- */

static int literal_text(const Value *v, char buffer[static DECIMAL_TEXT_MAX], const char **ret_bytes,
                        size_t *ret_size) {
        static_assert(DECIMAL_TEXT_MAX >= TIMESTAMP_TEXT_MAX, "a time's text must fit");
        Decimal integer;

        *ret_bytes = buffer;
        switch (v->type) {
        case VALUE_INTEGER:
        case VALUE_BOOLEAN:
                integer = decimal_from_integer(v->integer);
                *ret_size = decimal_format(&integer, buffer);
                return 0;
        case VALUE_DECIMAL: *ret_size = decimal_format(&v->decimal, buffer); return 0;
        case VALUE_DATE: *ret_size = date_format((int32_t) v->integer, buffer); return 0;
        case VALUE_TIME: *ret_size = time_format(v->integer, buffer); return 0;
        case VALUE_TIMESTAMP: *ret_size = timestamp_format(v->integer, buffer); return 0;
        case VALUE_TEXT:
        case VALUE_JSON:
                *ret_bytes = v->bytes;
                *ret_size = v->size;
                return 0;
        default: return -EINVAL;
        }
}

static int put_hex(const Value *v, CopyBuffer *b) {
        char *at = copy_buffer_reserve(b, 2 * v->size + 8);

        if (!at)
                return -ENOMEM;
        if (v->type == VALUE_UUID) {
                at = mempcpy(at, "'", 1);
                hex_encode(v->bytes, v->size, at);
        } else {
                at = mempcpy(at, "'\\x", 3);
                hex_encode(v->bytes, v->size, at);
        }
        at += 2 * v->size;
        *at++ = '\'';
        b->size = (size_t) (at - b->bytes);
        return 0;
}

static int put_quoted(const char *bytes, size_t size, CopyBuffer *b) {
        char *at = copy_buffer_reserve(b, 2 * size + 2);

        if (!at)
                return -ENOMEM;
        *at++ = '\'';
        for (size_t i = 0; i < size; i++) {
                if (bytes[i] == '\'')
                        *at++ = '\'';
                *at++ = bytes[i];
        }
        *at++ = '\'';
        b->size = (size_t) (at - b->bytes);
        return 0;
}

int pg_literal(const PgType *type, const Value *v, CopyBuffer *b) {
        char buffer[DECIMAL_TEXT_MAX], *at;
        const char *bytes;
        size_t size;
        int r;

        if (literal_text(v, buffer, &bytes, &size) == 0) {
                /* The offset of a timestamp's text is UTC's: one without a zone must not be moved by it. */
                if (v->type == VALUE_TIMESTAMP && type->kind == PG_TIMESTAMP)
                        size -= strlen("+00:00");
                r = put_quoted(bytes, size, b);
        } else
                r = put_hex(v, b);
        if (r < 0)
                return r;
        size = strlen(type->name);
        at = copy_buffer_reserve(b, size + 3);
        if (!at)
                return -ENOMEM;
        (void) snprintf(at, size + 3, "::%s", type->name);
        b->size += size + 2;
        return 0;
}
