/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-type.h"

#include <strings.h>

#include "basic/text.h"
#include "basic/timestamp.h"
#include "basic/uuid.h"
#include "connect/postgresql-numeric.h"
#include "connect/real.h"

#define DAYS_OF_2000     10957
#define USEC_OF_2000     946684800000000LL
#define USEC_PER_DAY     86400000000LL
#define MODIFIER_HEADER  4 /* of numeric's and the texts' modifiers */
#define MESSAGE_TEXT_MAX 80

/* What one value is encoded with. */
typedef struct Encoding {
        const PgType *type;
        const char *column;
        const Value *value;
        CopyBuffer *buffer;
        Error *error;
} Encoding;

/* A scalar's text for columns of texts, and for messages; bytes borrow value or buffer. -EINVAL: it has none. */
static int scalar_text(const Value *v, char buffer[static DECIMAL_TEXT_MAX], const char **ret_bytes,
                       size_t *ret_size) {
        static_assert(DECIMAL_TEXT_MAX >= UUID_TEXT_SIZE, "a uuid's text must fit");
        Decimal integer;

        *ret_bytes = buffer;
        switch (v->type) {
        case VALUE_TEXT:
        case VALUE_JSON:
                *ret_bytes = v->bytes;
                *ret_size = v->size;
                return 0;
        case VALUE_BOOLEAN: *ret_size = (size_t) (stpcpy(buffer, v->integer ? "true" : "false") - buffer); return 0;
        case VALUE_INTEGER:
                integer = decimal_from_integer(v->integer);
                *ret_size = decimal_format(&integer, buffer);
                return 0;
        case VALUE_DECIMAL: *ret_size = decimal_format(&v->decimal, buffer); return 0;
        case VALUE_DATE: *ret_size = date_format((int32_t) v->integer, buffer); return 0;
        case VALUE_TIME: *ret_size = time_format(v->integer, buffer); return 0;
        case VALUE_TIMESTAMP:
                /* In UTC, the form of the server's own texts. */
                *ret_size = timestamp_format(v->integer, buffer) - strlen("+00:00");
                buffer[10] = ' ';
                return 0;
        case VALUE_UUID:
                uuid_format((const uint8_t *) v->bytes, buffer);
                *ret_size = UUID_TEXT_SIZE - 1;
                return 0;
        default: return -EINVAL;
        }
}

static int refuse(const Encoding *e, const char *why, const char *remedy) {
        char buffer[DECIMAL_TEXT_MAX];
        const char *text;
        size_t size;
        int r;

        if (scalar_text(e->value, buffer, &text, &size) < 0)
                r = error_set(e->error, ERROR_RECORD_REFUSED, remedy,
                              "Column \"%s\" of type %s cannot hold the value (%s): %s", e->column,
                              e->type->name, value_type_to_string(e->value->type), why);
        else {
                int shown = (int) size;

                if (size > MESSAGE_TEXT_MAX)
                        for (shown = MESSAGE_TEXT_MAX; shown > 0 && ((unsigned char) text[shown] & 0xC0) == 0x80;)
                                shown--;
                r = error_set(e->error, ERROR_RECORD_REFUSED, remedy,
                              "Column \"%s\" of type %s cannot hold \"%.*s\": %s", e->column, e->type->name,
                              shown, text, why);
        }
        (void) error_field(e->error, e->column);
        return r;
}

static int refuse_kind(const Encoding *e) {
        return refuse(e, "it is of another kind",
                      "Map another column, or give the field the type of the target's column");
}

/* Is the value one of the words that stand for what no number or day is? */
static bool is_word(const Value *v, const char *word) {
        return v->type == VALUE_TEXT && v->size == strlen(word) && strncasecmp(v->bytes, word, v->size) == 0;
}

static int put_word16(CopyBuffer *b, uint16_t word) {
        word = htobe16(word);
        return copy_put_field(b, &word, sizeof(word));
}

static int put_word32(CopyBuffer *b, uint32_t word) {
        word = htobe32(word);
        return copy_put_field(b, &word, sizeof(word));
}

static int put_word64(CopyBuffer *b, uint64_t word) {
        word = htobe64(word);
        return copy_put_field(b, &word, sizeof(word));
}

/* 1: a number; 0: none; -ERANGE: more than 38 digits. */
static int number_of(const Value *v, Decimal *ret) {
        int r;

        switch (v->type) {
        case VALUE_INTEGER:
        case VALUE_BOOLEAN: *ret = decimal_from_integer(v->integer); return 1;
        case VALUE_DECIMAL: *ret = v->decimal; return 1;
        case VALUE_TEXT:
                r = decimal_parse(v->bytes, v->size, ret);
                return r == 0 ? 1 : r == -ERANGE ? r : 0;
        default: return 0;
        }
}

static int encode_integer(const Encoding *e, int64_t minimum, int64_t maximum) {
        int64_t integer = 0;
        Decimal number;
        int r;

        if (e->value->type == VALUE_INTEGER)
                integer = e->value->integer;
        else {
                r = number_of(e->value, &number);
                if (r == 0)
                        return refuse_kind(e);
                if (r < 0 || decimal_to_integer(&number, &integer) < 0)
                        return refuse(e, "it is no whole number in the column's range",
                                      "Correct the value at the source, or widen the column");
        }
        if (integer < minimum || integer > maximum)
                return refuse(e, "it is out of the column's range",
                              "Correct the value at the source, or widen the column");
        if (e->type->kind == PG_SMALLINT)
                return put_word16(e->buffer, (uint16_t) integer);
        if (e->type->kind == PG_INTEGER)
                return put_word32(e->buffer, (uint32_t) integer);
        return put_word64(e->buffer, (uint64_t) integer);
}

/* The server would round to the column's scale without a word. */
static bool scale_fits(const PgType *type, const Decimal *number) {
        int32_t modifier = type->modifier - MODIFIER_HEADER;
        int scale = ((modifier & 0x7ff) ^ 1024) - 1024;
        Decimal trimmed;

        if (type->modifier < MODIFIER_HEADER || (int) number->scale <= scale)
                return true;
        trimmed = decimal_trim(*number);
        if (scale >= 0)
                return (int) trimmed.scale <= scale;
        for (; scale < 0 && trimmed.scale == 0 && trimmed.coefficient % 10 == 0; scale++)
                trimmed.coefficient /= 10;
        return scale == 0;
}

static int encode_numeric(const Encoding *e) {
        char bytes[PG_NUMERIC_SIZE_MAX];
        Decimal number;
        size_t size;
        int r;

        r = number_of(e->value, &number);
        if (r < 0)
                return refuse(e, "it has more than 38 digits", "Correct the value at the source");
        if (r == 0) {
                if (e->value->type != VALUE_TEXT ||
                    pg_numeric_encode_word(e->value->bytes, e->value->size, bytes, &size) < 0)
                        return refuse_kind(e);
                return copy_put_field(e->buffer, bytes, size);
        }
        if (!scale_fits(e->type, &number))
                return refuse(e, "it would be rounded",
                              "Give the field a decimal type of the column's scale with accept: rounds, or "
                              "the column more digits after the point");
        size = pg_numeric_encode(&number, bytes);
        return copy_put_field(e->buffer, bytes, size);
}

/* A number as text that strtod() reads; false: it is none. */
static bool is_real_word(const Value *v) {
        return is_word(v, "NaN") || is_word(v, "Infinity") || is_word(v, "-Infinity");
}

static bool real_text(const Value *v, char text[static DECIMAL_TEXT_MAX]) {
        Decimal decimal;

        if (number_of(v, &decimal) == 1)
                (void) decimal_format(&decimal, text);
        else if (v->type == VALUE_TEXT && v->size < DECIMAL_TEXT_MAX &&
                 (is_real_word(v) || decimal_parse(v->bytes, v->size, &decimal) == -ERANGE))
                (void) snprintf(text, DECIMAL_TEXT_MAX, "%.*s", (int) v->size, v->bytes); /* 1e-300 */
        else
                return false;
        return true;
}

/* Is what will be read back the very number? */
static bool real_is_same(const Value *v, const Value *back) {
        Decimal given, stored;

        if (number_of(v, &given) == 1)
                return number_of(back, &stored) == 1 && decimal_compare(&given, &stored) == 0;
        return back->type == VALUE_TEXT && back->size == v->size && memcmp(back->bytes, v->bytes, v->size) == 0;
}

static int encode_real(const Encoding *e) {
        bool four_bytes = e->type->kind == PG_REAL;
        char text[DECIMAL_TEXT_MAX], back_text[REAL_TEXT_MAX];
        uint64_t word;
        uint32_t small_word;
        double number;
        float small;
        Value back;

        if (!real_text(e->value, text))
                return refuse_kind(e);
        small = strtof(text, NULL);
        number = strtod(text, NULL);
        if (four_bytes)
                value_from_real4(small, back_text, &back);
        else
                value_from_real(number, back_text, &back);
        if (!is_real_word(e->value) && !real_is_same(e->value, &back))
                return refuse(e, four_bytes ? "it keeps 6 digits of a number" : "it keeps 15 digits of a number",
                              "Declare the column numeric, which keeps every digit");
        memcpy(&small_word, &small, sizeof(small));
        memcpy(&word, &number, sizeof(number));
        return four_bytes ? put_word32(e->buffer, small_word) : put_word64(e->buffer, word);
}

static int encode_boolean(const Encoding *e) {
        static const char *const words[][2] = {
                {"false", "true"}, {"f", "t"}, {"no", "yes"}, {"n", "y"}, {"0", "1"},
        };
        int64_t integer;
        Decimal number;
        char truth;

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                for (truth = 0; truth < 2; truth++)
                        if (is_word(e->value, words[i][(int) truth]))
                                return copy_put_field(e->buffer, &truth, 1);
        if (number_of(e->value, &number) != 1 || decimal_to_integer(&number, &integer) < 0 || integer < 0 ||
            integer > 1)
                return refuse(e, "it is neither true nor false",
                              "Give the field the type boolean, or map another column");
        truth = (char) integer;
        return copy_put_field(e->buffer, &truth, 1);
}

/* ---- days and times ---- */

static bool infinity_of(const Value *v, int *ret_sign) {
        *ret_sign = is_word(v, "infinity") ? 1 : is_word(v, "-infinity") ? -1 : 0;
        return *ret_sign != 0;
}

/* µs since 1970 UTC of what can be a point of time. */
static bool usec_of(const Value *v, int64_t *ret) {
        bool has_zone;
        int32_t days;

        if (v->type == VALUE_TIMESTAMP) {
                *ret = v->integer;
                return true;
        }
        if (v->type == VALUE_DATE)
                return !__builtin_mul_overflow(v->integer, USEC_PER_DAY, ret);
        if (v->type != VALUE_TEXT)
                return false;
        if (date_parse(v->bytes, v->size, &days) == 0) {
                *ret = days * USEC_PER_DAY;
                return true;
        }
        return timestamp_parse(v->bytes, v->size, ret, &has_zone) == 0;
}

static int encode_date(const Encoding *e) {
        int64_t usec, days;
        int sign;

        if (infinity_of(e->value, &sign))
                return put_word32(e->buffer, (uint32_t) (sign > 0 ? INT32_MAX : INT32_MIN));
        if (!usec_of(e->value, &usec))
                return refuse(e, "it is no date", "Give the field the type date, or map another column");
        if (usec % USEC_PER_DAY != 0)
                return refuse(e, "it would lose its time of day",
                              "Give the field the type date with accept: truncates, or the column timestamp");
        days = usec / USEC_PER_DAY - DAYS_OF_2000;
        return put_word32(e->buffer, (uint32_t) (int32_t) days);
}

/* timestamp(p) would round. */
static bool fraction_fits(const PgType *type, int64_t usec) {
        int64_t unit = USEC_PER_SEC;

        if (type->modifier < 0)
                return true;
        for (int32_t i = 0; i < type->modifier && unit > 1; i++)
                unit /= 10;
        return usec % unit == 0;
}

static int refuse_fraction(const Encoding *e) {
        return refuse(e, "its fraction of a second would be rounded",
                      "Give the column a finer precision, or cut the value at the source");
}

static int encode_timestamp(const Encoding *e) {
        int64_t usec;
        int sign;

        if (infinity_of(e->value, &sign))
                return put_word64(e->buffer, (uint64_t) (sign > 0 ? INT64_MAX : INT64_MIN));
        if (!usec_of(e->value, &usec))
                return refuse(e, "it is no timestamp",
                              "Give the field the type timestamp, or map another column");
        if (!fraction_fits(e->type, usec))
                return refuse_fraction(e);
        if (__builtin_sub_overflow(usec, USEC_OF_2000, &usec))
                return refuse(e, "it is out of the column's range", "Correct the value at the source");
        return put_word64(e->buffer, (uint64_t) usec);
}

static int encode_time(const Encoding *e) {
        int64_t usec;

        if (e->value->type == VALUE_TIME)
                usec = e->value->integer;
        else if (is_word(e->value, "24:00:00"))
                usec = USEC_PER_DAY;
        else if (e->value->type != VALUE_TEXT || time_parse(e->value->bytes, e->value->size, &usec) < 0)
                return refuse(e, "it is no time of day", "Give the field the type time, or map another column");
        return fraction_fits(e->type, usec) ? put_word64(e->buffer, (uint64_t) usec) : refuse_fraction(e);
}

/* ---- bytes ---- */

static int encode_uuid(const Encoding *e) {
        uint8_t bytes[16];

        if (e->value->type == VALUE_UUID && e->value->size == 16)
                return copy_put_field(e->buffer, e->value->bytes, 16);
        if (e->value->type != VALUE_TEXT || uuid_parse(e->value->bytes, e->value->size, bytes) < 0)
                return refuse(e, "it is no uuid", "Give the field the type uuid, or map another column");
        return copy_put_field(e->buffer, bytes, sizeof(bytes));
}

static int encode_text(const Encoding *e) {
        char buffer[DECIMAL_TEXT_MAX];
        const char *bytes;
        size_t size;

        if (scalar_text(e->value, buffer, &bytes, &size) < 0)
                return refuse_kind(e);
        if (size > 0 && memchr(bytes, '\0', size))
                return refuse(e, "it has a NUL character, which no text of PostgreSQL can hold",
                              "Remove it at the source");
        return copy_put_field(e->buffer, bytes, size);
}

static int encode_json(const Encoding *e) {
        char buffer[DECIMAL_TEXT_MAX], *at;
        const char *bytes;
        size_t size;

        if (e->value->type != VALUE_JSON && e->value->type != VALUE_TEXT &&
            e->value->type != VALUE_BOOLEAN && e->value->type != VALUE_INTEGER &&
            e->value->type != VALUE_DECIMAL)
                return refuse_kind(e);
        (void) scalar_text(e->value, buffer, &bytes, &size);
        if (e->type->kind == PG_JSON)
                return copy_put_field(e->buffer, bytes, size);
        at = copy_buffer_reserve(e->buffer, size + 5);
        if (!at)
                return -ENOMEM;
        at = copy_set32(at, (uint32_t) size + 1);
        *at++ = 1; /* jsonb's version */
        if (size > 0)
                memcpy(at, bytes, size);
        e->buffer->size += size + 5;
        return 0;
}

static int encode_bytes(const Encoding *e) {
        ValueType type = e->value->type;

        if (e->type->kind == PG_GEOMETRY ? type != VALUE_GEOMETRY && type != VALUE_BYTES
                                         : !value_type_has_bytes(type))
                return refuse_kind(e);
        return copy_put_field(e->buffer, e->value->bytes, e->value->size);
}

static int encode(const Encoding *e) {
        switch (e->type->kind) {
        case PG_SMALLINT: return encode_integer(e, INT16_MIN, INT16_MAX);
        case PG_INTEGER: return encode_integer(e, INT32_MIN, INT32_MAX);
        case PG_BIGINT: return encode_integer(e, INT64_MIN, INT64_MAX);
        case PG_NUMERIC:
        case PG_MONEY: return encode_numeric(e);
        case PG_BOOLEAN: return encode_boolean(e);
        case PG_DATE: return encode_date(e);
        case PG_TIME: return encode_time(e);
        case PG_TIMESTAMP:
        case PG_TIMESTAMPTZ: return encode_timestamp(e);
        case PG_UUID: return encode_uuid(e);
        case PG_JSON:
        case PG_JSONB: return encode_json(e);
        case PG_BYTEA:
        case PG_GEOMETRY: return encode_bytes(e);
        case PG_REAL:
        case PG_DOUBLE: return encode_real(e);
        default: return encode_text(e);
        }
}

int pg_encode(const PgType *type, const char *column, const Value *v, CopyBuffer *b, Error *error) {
        const Encoding e = {type, column, v, b, error};
        int r;

        if (value_is_null(v))
                return copy_put_null(b);
        r = encode(&e);
        if (r == -ENOMEM && error && error->id == ERROR_NONE)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to write a record");
        return r;
}
