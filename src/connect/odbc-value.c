/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the databases behind ODBC, into ours and back without loss. */
#include "connect/odbc-type.h"

#include "basic/text.h"
#include "basic/timestamp.h"
#include "basic/uuid.h"
#include "connect/real.h"

#include <math.h>

#define MESSAGE_TEXT_MAX 60 /* bytes of a value in a message */

/* ---- reading ---- */

static int timestamp_from_text(const char *text, size_t size, Value *ret) {
        bool has_zone;
        int64_t usec;

        if (timestamp_parse(text, size, &usec, &has_zone) < 0)
                return -EINVAL;
        *ret = (Value){.type = VALUE_TIMESTAMP, .integer = usec};
        return 0;
}

static int number_from_text(const char *text, size_t size, Value *ret) {
        char copy[24];
        int64_t number;

        if (size == 0 || size >= sizeof(copy))
                return -EINVAL;
        memcpy(copy, text, size);
        copy[size] = '\0';
        if (text_to_int64(copy, INT64_MIN, INT64_MAX, &number) < 0)
                return -EINVAL;
        *ret = value_integer(number);
        return 0;
}

static int uuid_from_text(const char *text, size_t size, Arena *arena, Value *ret) {
        uint8_t *bytes = arena_alloc(arena, 16);

        if (!bytes)
                return -ENOMEM;
        if (uuid_parse(text, size, bytes) < 0)
                return -EINVAL;
        *ret = (Value){.type = VALUE_UUID, .bytes = (char *) bytes, .size = 16};
        return 0;
}

/* SQLite's literals: 12, -1.5e10, 'it''s', X'00ff', NULL. */
static int value_from_quoted(const char *text, size_t size, Arena *arena, Value *ret) {
        char *copy, *out, number[REAL_TEXT_MAX + 32];

        if (size == 4 && memcmp(text, "NULL", 4) == 0) {
                *ret = value_null();
                return 0;
        }
        copy = out = arena_alloc(arena, size + REAL_TEXT_MAX);
        if (!copy)
                return -ENOMEM;
        if (size >= 2 && text[0] == '\'') {
                for (size_t i = 1; i + 1 < size; i++) {
                        *out++ = text[i];
                        i += text[i] == '\''; /* the second of two */
                }
                *ret = value_text(copy, (size_t) (out - copy));
                return 0;
        }
        if (size >= 3 && (text[0] == 'X' || text[0] == 'x') && text[1] == '\'') {
                for (size_t i = 2; i + 1 < size; i++)
                        copy[i - 2] = (char) (text[i] | 0x20); /* digits and a-f */
                *ret = (Value){.type = VALUE_BYTES, .bytes = copy, .size = (size - 3) / 2};
                return hex_decode(copy, ret->size, copy);
        }
        if (number_from_text(text, size, ret) == 0 || size >= sizeof(number))
                return size >= sizeof(number) ? -EBADMSG : 0;
        memcpy(number, text, size);
        number[size] = '\0';
        value_from_real(strtod(number, NULL), copy, ret);
        return 0;
}

int odbc_value_from_text(const OdbcType *type, const char *text, size_t size, Arena *arena, Value *ret) {
        int32_t days;
        int r = -EINVAL;

        if (type->kind == ODBC_CHAR)
                while (size > 0 && text[size - 1] == ' ')
                        size--;
        switch (type->kind) {
        case ODBC_QUOTED:
                return value_from_quoted(text, size, arena, ret);
        case ODBC_INTEGER:
                r = number_from_text(text, size, ret);
                break;
        case ODBC_BIGINT_UNSIGNED:
                r = number_from_text(text, size, ret);
                if (r == 0)
                        break;
                __attribute__((fallthrough));
        case ODBC_DECIMAL:
        case ODBC_DOUBLE: /* of SQLite, which tells numbers as text */
                r = decimal_parse(text, size, &ret->decimal);
                if (r == 0)
                        ret->type = VALUE_DECIMAL;
                break;
        case ODBC_DATE:
                r = date_parse(text, size, &days);
                if (r == 0)
                        *ret = (Value){.type = VALUE_DATE, .integer = days};
                break;
        case ODBC_TIME: {
                int64_t usec;

                r = time_parse(text, size, &usec);
                if (r == 0)
                        *ret = (Value){.type = VALUE_TIME, .integer = usec};
                break;
        }
        case ODBC_TIMESTAMP:
        case ODBC_TIMESTAMPTZ:
                r = timestamp_from_text(text, size, ret);
                break;
        case ODBC_UUID:
                r = uuid_from_text(text, size, arena, ret);
                break;
        default:
                break;
        }
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                *ret = value_text(text, size);
        if (r < 0 && type->kind == ODBC_JSON)
                ret->type = VALUE_JSON;
        return 0;
}

static size_t utf8_put(uint32_t code, char *at) {
        if (code < 0x80) {
                at[0] = (char) code;
                return 1;
        }
        if (code < 0x800) {
                at[0] = (char) (0xC0 | code >> 6);
                at[1] = (char) (0x80 | (code & 0x3F));
                return 2;
        }
        if (code < 0x10000) {
                at[0] = (char) (0xE0 | code >> 12);
                at[1] = (char) (0x80 | (code >> 6 & 0x3F));
                at[2] = (char) (0x80 | (code & 0x3F));
                return 3;
        }
        at[0] = (char) (0xF0 | code >> 18);
        at[1] = (char) (0x80 | (code >> 12 & 0x3F));
        at[2] = (char) (0x80 | (code >> 6 & 0x3F));
        at[3] = (char) (0x80 | (code & 0x3F));
        return 4;
}

int odbc_value_from_utf16(const uint16_t *units, size_t n_units, Arena *arena, Value *ret) {
        char *text = arena_alloc(arena, 3 * n_units + 1);
        size_t size = 0;

        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < n_units; i++) {
                uint32_t code = units[i];

                if (code < 0x80) {
                        text[size++] = (char) code;
                        continue;
                }
                if (code >= 0xD800 && code < 0xDC00 && i + 1 < n_units && units[i + 1] >= 0xDC00 &&
                    units[i + 1] < 0xE000)
                        code = 0x10000 + ((code - 0xD800) << 10) + (units[++i] - 0xDC00U);
                else if (code >= 0xD800 && code < 0xE000) {
                        *ret = (Value){
                                .type = VALUE_BYTES, .bytes = (const char *) units, .size = 2 * n_units};
                        return 0;
                }
                size += utf8_put(code, text + size);
        }
        *ret = value_text(text, size);
        return 0;
}

size_t odbc_utf16_from_text(const char *text, size_t size, uint16_t *ret_units) {
        const unsigned char *at = (const unsigned char *) text, *end = at + size;
        size_t n = 0;

        while (at < end) {
                unsigned more = *at >= 0xF0 ? 3 : *at >= 0xE0 ? 2 : *at >= 0xC0 ? 1 : 0;
                uint32_t code = more == 3   ? *at & 0x07
                                : more == 2 ? *at & 0x0F
                                : more == 1 ? *at & 0x1F
                                            : *at;

                for (at++; more > 0 && at < end; more--, at++)
                        code = code << 6 | (*at & 0x3F);
                if (code >= 0x10000) {
                        ret_units[n++] = (uint16_t) (0xD800 + ((code - 0x10000) >> 10));
                        ret_units[n++] = (uint16_t) (0xDC00 + ((code - 0x10000) & 0x3FF));
                } else
                        ret_units[n++] = (uint16_t) code;
        }
        return n;
}

/* ---- literals ---- */

char *odbc_text_literal(OdbcFamily family, const char *text, size_t size) {
        char *literal = malloc(2 * size + 4), *at = literal;

        if (!literal)
                return NULL;
        if (family == ODBC_SQLSERVER)
                *at++ = 'N';
        *at++ = '\'';
        for (size_t i = 0; i < size; i++) {
                if (text[i] == '\'')
                        *at++ = '\'';
                *at++ = text[i];
        }
        *at++ = '\'';
        *at = '\0';
        return literal;
}

static int bytes_literal(OdbcFamily family, const Value *v, char **ret) {
        char *literal = malloc(2 * v->size + 16), *at;

        if (!literal)
                return -ENOMEM;
        at = stpcpy(literal, family == ODBC_SQLSERVER ? "0x" : family == ODBC_POSTGRESQL ? "'\\x" : "x'");
        hex_encode(v->bytes, v->size, at);
        at += 2 * v->size;
        (void) stpcpy(at, family == ODBC_SQLSERVER ? "" : family == ODBC_POSTGRESQL ? "'::bytea" : "'");
        *ret = literal;
        return 0;
}

int odbc_literal(OdbcFamily family, const OdbcType *type, const Value *v, char **ret) {
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ char *quoted = NULL;
        const char *text;
        int r;

        if (v->type == VALUE_BYTES)
                return bytes_literal(family, v, ret);
        r = arena_new(&arena);
        if (r < 0)
                return r;
        text = value_to_text(v, arena, 0);
        if (!text)
                return -ENOMEM;
        if (v->type == VALUE_INTEGER || v->type == VALUE_DECIMAL || v->type == VALUE_BOOLEAN) {
                *ret = v->type == VALUE_BOOLEAN ? strdup(v->integer ? "1" : "0") : strdup(text);
                return *ret ? 0 : -ENOMEM;
        }
        if (v->type == VALUE_TIMESTAMP) { /* our text ends with the zone, which most columns do not know */
                char stamp[TIMESTAMP_TEXT_MAX];
                size_t size = timestamp_format(v->integer, stamp);

                if (type->kind != ODBC_TIMESTAMPTZ)
                        size -= strlen("+00:00");
                quoted = odbc_text_literal(family, stamp, size);
        } else
                quoted = odbc_text_literal(family, text,
                                           v->type == VALUE_TEXT || v->type == VALUE_JSON ? v->size
                                                                                          : strlen(text));
        if (!quoted)
                return -ENOMEM;
        if (type->kind == ODBC_TIMESTAMP || type->kind == ODBC_TIMESTAMPTZ || type->kind == ODBC_DATE ||
            type->kind == ODBC_TIME) {
                static const char *const names[_ODBC_FAMILY_MAX][4] = {
                        [ODBC_MARIADB] = {"datetime(6)", "datetime(6)", "date", "time(6)"},
                        [ODBC_POSTGRESQL] = {"timestamp", "timestamptz", "date", "time"},
                        [ODBC_SQLITE] = {"text", "text", "text", "text"},
                        [ODBC_SQLSERVER] = {"datetime2(7)", "datetimeoffset(7)", "date", "time(7)"},
                };
                unsigned i = type->kind == ODBC_TIMESTAMP     ? 0
                             : type->kind == ODBC_TIMESTAMPTZ ? 1
                             : type->kind == ODBC_DATE        ? 2
                                                              : 3;

                return asprintf(ret, "cast(%s as %s)", quoted, names[family][i]) < 0 ? -ENOMEM : 0;
        }
        *ret = TAKE_PTR(quoted);
        return 0;
}

/* ---- writing ---- */

typedef struct Storing {
        const OdbcType *type;
        const char *column;
        const Value *value;
        Arena *arena;
        Error *error;
} Storing;

static int refuse(const Storing *s, const char *why, const char *remedy) {
        const char *text = value_to_text(s->value, s->arena, MESSAGE_TEXT_MAX);
        int r;

        r = error_set(s->error, ERROR_RECORD_REFUSED, remedy,
                      "Column \"%s\" of type %s cannot hold \"%s\": %s", s->column, s->type->declared,
                      text ? text : "it", why);
        (void) error_field(s->error, s->column);
        return r;
}

static int refuse_kind(const Storing *s) {
        return refuse(s, "it is of another kind",
                      "Map another column, or give the field the type of the target's column");
}

/* 1: a number; 0: none. */
static int number_of(const Value *v, Decimal *ret) {
        if (v->type == VALUE_DECIMAL)
                *ret = v->decimal;
        else if (v->type == VALUE_INTEGER || v->type == VALUE_BOOLEAN)
                *ret = decimal_from_integer(v->integer);
        else if (v->type != VALUE_TEXT || decimal_parse(v->bytes, v->size, ret) < 0)
                return 0;
        return 1;
}

static int store_integer(const Storing *s, const char **ret) {
        Decimal number;
        int64_t integer;

        if (!number_of(s->value, &number))
                return refuse_kind(s);
        if (s->type->kind == ODBC_BIGINT_UNSIGNED) {
                static const Decimal maximum = {.coefficient = UINT64_MAX};
                Decimal trimmed = decimal_trim(number);

                if (trimmed.scale > 0 || trimmed.coefficient < 0 || decimal_compare(&trimmed, &maximum) > 0)
                        return refuse(s, "it is out of range",
                                      "Correct the value at the source, or widen the column");
        } else if (decimal_to_integer(&number, &integer) < 0)
                return refuse(s, "it has a fraction, or too many digits",
                              "Give the field type: integer with accept: rounds, or widen the column");
        else if (integer < s->type->minimum || integer > s->type->maximum)
                return refuse(s, "it is out of range",
                              "Correct the value at the source, or widen the column");
        number = decimal_trim(number);
        *ret = arena_alloc(s->arena, DECIMAL_TEXT_MAX);
        if (!*ret)
                return -ENOMEM;
        (void) decimal_format(&number, (char *) *ret);
        return 0;
}

/* The server would round without a word, or refuse with one that names no value. */
static int store_decimal(const Storing *s, const char **ret) {
        Decimal number;

        if (!number_of(s->value, &number))
                return refuse_kind(s);
        if (s->type->scale >= 0) {
                Decimal exact;

                if (decimal_rescale(&number, (uint8_t) s->type->scale, &exact) < 0)
                        return refuse(s, "digits behind the point would be lost",
                                      "Give the field a decimal type of the column's scale with accept: "
                                      "rounds, or widen the column");
                number = exact;
                if (s->type->precision >= 0 && (int) decimal_digits(&number) > s->type->precision)
                        return refuse(s, "it has too many digits",
                                      "Correct the value at the source, or widen the column");
        }
        *ret = arena_alloc(s->arena, DECIMAL_TEXT_MAX);
        if (!*ret)
                return -ENOMEM;
        (void) decimal_format(&number, (char *) *ret);
        return 0;
}

/* Floats beyond 38 digits were read as TEXT: that must be the very text of the float. */
static int store_real(const Storing *s, const char **ret) {
        char text[DECIMAL_TEXT_MAX] = "", back[REAL_TEXT_MAX];
        bool is_text = s->value->type == VALUE_TEXT;
        Decimal number = {};
        Value read;
        double real;

        if (is_text && s->value->size < sizeof(text))
                memcpy(text, s->value->bytes, s->value->size);
        if (number_of(s->value, &number)) {
                (void) decimal_format(&number, text);
                is_text = false;
        }
        real = strtod(text, NULL);
        if (!*text || !isfinite(real))
                return refuse_kind(s);
        if (s->type->kind == ODBC_REAL)
                value_from_real4((float) real, back, &read);
        else
                value_from_real(real, back, &read);
        if (is_text ? read.type != VALUE_TEXT || !value_equal(&read, s->value)
                    : read.type != VALUE_DECIMAL || decimal_compare(&read.decimal, &number) != 0)
                return refuse(s, "a binary float would change it",
                              "Let the DBA give the column a decimal type");
        /* In its shortest form a float of four bytes may be larger than the largest: told as the double it is. */
        if (is_text && s->type->kind == ODBC_REAL)
                (void) snprintf(text, sizeof(text), "%.17g", (double) (float) real);
        *ret = arena_copy(s->arena, text, strlen(text) + 1);
        return *ret ? 0 : -ENOMEM;
}

static bool fraction_fits(const OdbcType *type, int64_t usec) {
        int64_t step = 1;

        for (int i = type->scale; i < 6; i++)
                step *= 10;
        return type->scale < 0 || usec % step == 0;
}

static int refuse_fraction(const Storing *s) {
        return refuse(s, "its fraction of a second would be rounded",
                      "Give the column a finer precision, or cut the value at the source");
}

/* SQL Server's datetime counts 1/300 s: .000, .003, .007. */
static bool is_datetime_step(int64_t usec) {
        int64_t digit = usec / 1000 % 10;

        return usec % 1000 == 0 && (digit == 0 || digit == 3 || digit == 7);
}

static int store_time(const Storing *s, const char **ret) {
        char text[TIMESTAMP_TEXT_MAX];
        const Value *v = s->value;
        size_t size;

        if (s->type->kind == ODBC_TIME) {
                if (v->type != VALUE_TIME)
                        return refuse_kind(s);
                if (!fraction_fits(s->type, v->integer))
                        return refuse_fraction(s);
                size = time_format(v->integer, text);
        } else if (s->type->kind == ODBC_DATE) {
                if (v->type != VALUE_DATE &&
                    !(v->type == VALUE_TIMESTAMP && v->integer % (86400 * USEC_PER_SEC) == 0))
                        return v->type == VALUE_TIMESTAMP
                                       ? refuse(s, "its time of day would be lost",
                                                "Give the field type: date with accept: truncates")
                                       : refuse_kind(s);
                size = date_format(
                        (int32_t) (v->type == VALUE_DATE ? v->integer : v->integer / (86400 * USEC_PER_SEC)),
                        text);
        } else {
                if (v->type != VALUE_TIMESTAMP && v->type != VALUE_DATE)
                        return refuse_kind(s);
                if (v->type == VALUE_TIMESTAMP && !fraction_fits(s->type, v->integer))
                        return refuse_fraction(s);
                if (v->type == VALUE_TIMESTAMP && text_equal(s->type->declared, "datetime") &&
                    s->type->scale == 3 && !is_datetime_step(v->integer))
                        return refuse_fraction(s);
                size = timestamp_format(
                        v->type == VALUE_DATE ? v->integer * 86400 * USEC_PER_SEC : v->integer, text);
                if (s->type->kind == ODBC_TIMESTAMP)
                        text[size - strlen("+00:00")] = '\0';
        }
        *ret = arena_copy(s->arena, text, strlen(text) + 1);
        return *ret ? 0 : -ENOMEM;
}

static int store_text(const Storing *s, const char **ret, size_t *ret_size) {
        const Value *v = s->value;

        if (v->type == VALUE_BYTES || v->type == VALUE_GEOMETRY)
                return refuse_kind(s);
        if (v->type == VALUE_TEXT || v->type == VALUE_JSON) {
                *ret = v->bytes;
                *ret_size = v->size;
        } else {
                *ret = value_to_text(v, s->arena, 0);
                *ret_size = *ret ? strlen(*ret) : 0;
        }
        if (!*ret)
                return -ENOMEM;
        if (s->type->length > 0 && text_utf8_length(*ret, *ret_size) > s->type->length)
                return refuse(
                        s, "it is too long",
                        "Shorten the value at the source, give the field max_length:, or widen the column");
        return 0;
}

static int store_uuid(const Storing *s, const char **ret) {
        char *text = arena_alloc(s->arena, UUID_TEXT_SIZE);

        if (s->value->type != VALUE_UUID)
                return refuse_kind(s);
        if (!text)
                return -ENOMEM;
        uuid_format((const uint8_t *) s->value->bytes, text);
        *ret = text;
        return 0;
}

int odbc_value_to_text(OdbcFamily family, const OdbcType *type, const char *column, const Value *v,
                       Arena *arena, const char **ret, size_t *ret_size, Error *error) {
        const Storing s = {type, column, v, arena, error};
        int r;

        *ret = NULL;
        *ret_size = 0;
        if (value_is_null(v))
                return 0;
        switch (type->kind) {
        case ODBC_INTEGER:
        case ODBC_BIGINT_UNSIGNED:
                r = store_integer(&s, ret);
                break;
        case ODBC_DECIMAL:
                r = store_decimal(&s, ret);
                break;
        case ODBC_REAL:
        case ODBC_DOUBLE:
                r = store_real(&s, ret);
                break;
        case ODBC_BOOLEAN:
                if (v->type != VALUE_BOOLEAN &&
                    !(v->type == VALUE_INTEGER && (v->integer == 0 || v->integer == 1)))
                        return refuse_kind(&s);
                *ret = v->integer ? "1" : "0";
                r = 0;
                break;
        case ODBC_DATE:
        case ODBC_TIME:
        case ODBC_TIMESTAMP:
        case ODBC_TIMESTAMPTZ:
                r = store_time(&s, ret);
                break;
        case ODBC_UUID:
                r = store_uuid(&s, ret);
                break;
        case ODBC_BYTES:
                if (v->type != VALUE_BYTES && v->type != VALUE_GEOMETRY)
                        return refuse_kind(&s);
                if (family == ODBC_SQLITE && v->size > 0)
                        return refuse(&s, "SQLite's driver does not write bytes", "Use kind: sqlite");
                *ret = v->bytes;
                *ret_size = v->size;
                return type->length > 0 && v->size > type->length
                               ? refuse(&s, "it is too long",
                                        "Shorten the value at the source, or widen the column")
                               : 0;
        case ODBC_ROWVERSION:
        case ODBC_GEOMETRY:
                return refuse_kind(&s);
        default:
                return store_text(&s, ret, ret_size);
        }
        if (r == 0)
                *ret_size = strlen(*ret);
        return r;
}
