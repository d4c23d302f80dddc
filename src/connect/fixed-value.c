/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/fixed-value.h"

#include "basic/timestamp.h"

#define USEC_PER_DAY 86400000000LL

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static Value trimmed(const char *bytes, size_t size) {
        while (size > 0 && is_blank(bytes[size - 1]))
                size--;
        while (size > 0 && is_blank(*bytes)) {
                bytes++;
                size--;
        }
        return value_text(bytes, size);
}

static bool means_null(const LayoutField *field, const Value *text) {
        if (text->size == 0)
                return true;
        for (char *const *null = field->null_values; null && *null; null++)
                if (strlen(*null) == text->size && memcmp(*null, text->bytes, text->size) == 0)
                        return true;
        return false;
}

/* Digits with a sign before or behind them, as mainframes print it. */
static int number_parse(const Value *text, Decimal *ret) {
        bool behind = text->size > 1 && (text->bytes[text->size - 1] == '-' || text->bytes[text->size - 1] == '+') &&
                      text->bytes[0] != '-' && text->bytes[0] != '+';
        int r;

        for (size_t i = 0; i < text->size; i++)
                if (!strchr("0123456789+-.", text->bytes[i]) || text->bytes[i] == '\0')
                        return -EINVAL;
        r = decimal_parse(text->bytes, text->size - behind, ret);
        if (r == 0 && behind && text->bytes[text->size - 1] == '-')
                ret->coefficient = -ret->coefficient;
        return r;
}

static FixedFault to_decimal(const LayoutField *field, const Value *text, Value *ret) {
        Decimal number;

        if (field->has_decimals && memchr(text->bytes, '.', text->size))
                return FIXED_POINT;
        if (number_parse(text, &number) < 0)
                return FIXED_FINE;
        if (field->has_decimals)
                number.scale = field->decimals;
        *ret = (Value){.type = VALUE_DECIMAL, .decimal = number};
        return FIXED_FINE;
}

static void to_integer(const Value *text, Value *ret) {
        Decimal number;
        int64_t integer;

        if (number_parse(text, &number) == 0 && number.scale == 0 && decimal_to_integer(&number, &integer) == 0)
                *ret = value_integer(integer);
}

static void to_date(const LayoutField *field, const Value *text, Value *ret) {
        int64_t usec, days;

        if (timestamp_parse_format(text->bytes, text->size, field->format, &usec) < 0)
                return;
        days = usec / USEC_PER_DAY - (usec % USEC_PER_DAY < 0);
        if (days * USEC_PER_DAY == usec)
                *ret = (Value){.type = VALUE_DATE, .integer = days};
}

static FixedFault to_text(TextEncoding encoding, char *text, Value *ret) {
        size_t n;

        for (size_t i = 0; i < ret->size; i++)
                if ((unsigned char) ret->bytes[i] >= 0x80) {
                        if (encoding == ENCODING_UTF8)
                                return text_is_utf8(ret->bytes, ret->size) ? FIXED_FINE : FIXED_ENCODING;
                        n = encoding_read_bytes(encoding, ret->bytes, ret->size, text);
                        *ret = value_text(text, n);
                        return text_is_utf8(text, n) ? FIXED_FINE : FIXED_ENCODING;
                }
        return FIXED_FINE;
}

FixedFault fixed_value(const LayoutField *field, TextEncoding encoding, const char *bytes, char *text, Value *ret) {
        size_t size = field->to - field->from;
        Value inner = trimmed(bytes, size), value = inner;
        FixedFault fault = FIXED_FINE;

        if (means_null(field, &inner)) {
                *ret = value_null();
                return FIXED_FINE;
        }
        if (field->type == VALUE_DECIMAL)
                fault = to_decimal(field, &inner, &value);
        else if (field->type == VALUE_INTEGER)
                to_integer(&inner, &value);
        else if (field->type == VALUE_DATE)
                to_date(field, &inner, &value);
        else if (!field->trim)
                value = value_text(bytes, size);
        if (fault == FIXED_FINE && value.type == VALUE_TEXT)
                fault = to_text(encoding, text, &value);
        *ret = value;
        return fault;
}
