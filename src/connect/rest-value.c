/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-value.h"

#include <sodium.h>

#include "basic/text.h"
#include "basic/timestamp.h"
#include "basic/uuid.h"
#include "connect/real.h"

/* ---- reading ---- */

static Value text_of(const JsonItem *item) { return value_text(item->text, item->size); }

static bool number_read(const JsonItem *item, Value *ret) {
        Decimal d;

        if (decimal_parse(item->text, item->size, &d) < 0)
                return false;
        *ret = (Value){.type = VALUE_DECIMAL, .decimal = d};
        return true;
}

static bool integer_read(const JsonItem *item, Value *ret) {
        int64_t integer;
        Value number;

        if (!number_read(item, &number) || decimal_to_integer(&number.decimal, &integer) < 0)
                return false;
        *ret = value_integer(integer);
        return true;
}

static bool date_read(const JsonItem *item, Value *ret) {
        int32_t days;

        if (date_parse(item->text, item->size, &days) < 0)
                return false;
        *ret = (Value){.type = VALUE_DATE, .integer = days};
        return true;
}

static bool time_read(const JsonItem *item, Value *ret) {
        int64_t usec;

        if (time_parse(item->text, item->size, &usec) < 0)
                return false;
        *ret = (Value){.type = VALUE_TIME, .integer = usec};
        return true;
}

static bool timestamp_read(const JsonItem *item, Value *ret) {
        bool has_zone;
        int64_t usec;

        if (timestamp_parse(item->text, item->size, &usec, &has_zone) < 0)
                return false;
        *ret = (Value){.type = VALUE_TIMESTAMP, .integer = usec};
        return true;
}

/* 1, 0: it is none, -ENOMEM. */
static int guid_read(const JsonItem *item, Arena *arena, Value *ret) {
        uint8_t *bytes = arena_alloc(arena, 16);

        if (!bytes)
                return -ENOMEM;
        if (uuid_parse(item->text, item->size, bytes) < 0)
                return 0;
        *ret = (Value){.type = VALUE_UUID, .bytes = (const char *) bytes, .size = 16};
        return 1;
}

/* Services write both alphabets, with and without padding. */
static int binary_read(const JsonItem *item, Arena *arena, Value *ret) {
        size_t size = item->size, n;
        char *text, *bytes;

        while (size > 0 && item->text[size - 1] == '=')
                size--;
        text = arena_copy(arena, item->text, size);
        bytes = arena_alloc(arena, size);
        if (!text || !bytes)
                return -ENOMEM;
        for (size_t i = 0; i < size; i++)
                text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
        if (sodium_base642bin((unsigned char *) bytes, size, text, size, NULL, &n, NULL,
                              sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
                return 0;
        *ret = (Value){.type = VALUE_BYTES, .bytes = bytes, .size = n};
        return 1;
}

/* Texts (and numbers of numeric types); false where it is not of the type. */
static int typed_read(const JsonItem *item, EdmType type, Arena *arena, Value *ret) {
        bool is_text = item->kind == JSON_ITEM_TEXT;

        switch (type) {
        case EDM_INTEGER:
        case EDM_INT64: return integer_read(item, ret);
        case EDM_DECIMAL:
        case EDM_DOUBLE: return number_read(item, ret);
        case EDM_DATE: return is_text && date_read(item, ret);
        case EDM_TIME_OF_DAY: return is_text && time_read(item, ret);
        case EDM_DATE_TIME_OFFSET: return is_text && timestamp_read(item, ret);
        case EDM_GUID: return is_text ? guid_read(item, arena, ret) : 0;
        case EDM_BINARY: return is_text ? binary_read(item, arena, ret) : 0;
        default: return 0;
        }
}

static int structure_read(const JsonItem *item, Arena *arena, Value *ret) {
        TextBuffer b = {};
        const char *text;
        int r;

        if (item->kind != JSON_ITEM_TEXT) {
                *ret = (Value){.type = VALUE_JSON, .bytes = item->text, .size = item->size};
                return 0;
        }
        r = text_buffer_add_json(&b, item->text, item->size);
        text = r == 0 ? arena_copy(arena, b.bytes, b.size) : NULL;
        if (text)
                *ret = (Value){.type = VALUE_JSON, .bytes = text, .size = b.size};
        text_buffer_done(&b);
        return text ? 0 : -ENOMEM;
}

int rest_value_read(const JsonItem *item, const ODataProperty *property, Arena *arena, Value *ret) {
        int r;

        switch (item->kind) {
        case JSON_ITEM_NULL: *ret = value_null(); return 0;
        case JSON_ITEM_TRUE:
        case JSON_ITEM_FALSE:
                *ret = (Value){.type = VALUE_BOOLEAN, .integer = item->kind == JSON_ITEM_TRUE};
                return 0;
        case JSON_ITEM_ARRAY:
        case JSON_ITEM_OBJECT: return structure_read(item, arena, ret);
        default: break;
        }
        if (property && property->type == EDM_STRUCTURE)
                return structure_read(item, arena, ret);
        r = property ? typed_read(item, property->type, arena, ret)
                     : item->kind == JSON_ITEM_NUMBER && (integer_read(item, ret) || number_read(item, ret));
        if (r == 0)
                *ret = text_of(item);
        /* 1.0 stands for a number with a fraction, if one of 0: a column of such numbers is no column of integers. */
        if (!property && r > 0 && ret->type == VALUE_INTEGER && memchr(item->text, '.', item->size))
                (void) number_read(item, ret);
        return r < 0 ? r : 0;
}

/* ---- writing ---- */

static int text_write(const Value *v, Arena *arena, TextBuffer *b) {
        const char *text;

        if (v->type == VALUE_TEXT || v->type == VALUE_JSON)
                return text_buffer_add_json(b, v->bytes, v->size);
        text = value_to_text(v, arena, 0);
        return text ? text_buffer_add_json(b, text, strlen(text)) : -ENOMEM;
}

static int timestamp_write(int64_t usec, TextBuffer *b) {
        char text[TIMESTAMP_TEXT_MAX];
        size_t n = timestamp_format(usec, text);

        return text_buffer_printf(b, "%.*sZ", (int) n - 6, text); /* without +00:00 */
}

static int time_write(int64_t usec, TextBuffer *b) {
        char text[TIMESTAMP_TEXT_MAX];

        return text_buffer_add(b, text, time_format(usec, text));
}

static int date_write(int64_t days, TextBuffer *b) {
        char text[TIMESTAMP_TEXT_MAX];

        return text_buffer_add(b, text, date_format((int32_t) days, text));
}

static int number_write(const Value *v, TextBuffer *b) {
        char text[DECIMAL_TEXT_MAX];

        if (v->type == VALUE_INTEGER)
                return text_buffer_printf(b, "%lld", (long long) v->integer);
        return text_buffer_add(b, text, decimal_format(&v->decimal, text));
}

static int uuid_write(const Value *v, TextBuffer *b) {
        char text[UUID_TEXT_SIZE];

        uuid_format((const uint8_t *) v->bytes, text);
        return text_buffer_add(b, text, strlen(text));
}

static int binary_write(const Value *v, TextBuffer *b) {
        size_t size = sodium_base64_encoded_len(v->size, sodium_base64_VARIANT_URLSAFE);
        _cleanup_free_ char *text = malloc(size);

        if (!text)
                return -ENOMEM;
        (void) sodium_bin2base64(text, size, (const unsigned char *) v->bytes, v->size, sodium_base64_VARIANT_URLSAFE);
        return text_buffer_add(b, text, strlen(text));
}

static bool is_number(const Value *v) { return v->type == VALUE_INTEGER || v->type == VALUE_DECIMAL; }

/* Would a binary float, or the property's digits, change it? */
static bool number_fits(const Value *v, const ODataProperty *p) {
        Decimal d = v->type == VALUE_INTEGER ? decimal_from_integer(v->integer) : v->decimal;

        d = decimal_trim(d);
        if (p->type == EDM_DOUBLE)
                return decimal_digits(&d) <= REAL_DIGITS_EXACT;
        if (p->scale >= 0 && d.scale > p->scale)
                return false;
        return p->precision < 0 || p->scale < 0 || (int) decimal_digits(&d) - d.scale <= p->precision - p->scale;
}

static bool fraction_fits(int64_t usec, int precision) {
        int64_t step = USEC_PER_SEC;

        for (int i = 0; i < precision; i++)
                step = step >= 10 ? step / 10 : 1;
        return precision < 0 || usec % step == 0;
}

/* What both forms share: a value of the property's type without quotes. *ret_quoted: JSON wants quotes around it. */
static int typed_write(const Value *v, const ODataProperty *p, TextBuffer *b, bool *ret_quoted) {
        int64_t integer = v->integer;

        *ret_quoted = p->type != EDM_BOOLEAN && p->type != EDM_INTEGER && p->type != EDM_DOUBLE;
        if (p->type == EDM_BOOLEAN && v->type == VALUE_BOOLEAN)
                return text_buffer_printf(b, "%s", v->integer ? "true" : "false");
        if (p->type == EDM_INTEGER || p->type == EDM_INT64) {
                if (v->type != VALUE_INTEGER && (v->type != VALUE_DECIMAL || decimal_to_integer(&v->decimal, &integer) < 0))
                        return -ERANGE;
                return text_buffer_printf(b, "%lld", (long long) integer);
        }
        if (p->type == EDM_DECIMAL || p->type == EDM_DOUBLE)
                return is_number(v) && number_fits(v, p) ? number_write(v, b) : -ERANGE;
        if (p->type == EDM_DATE && v->type == VALUE_DATE)
                return date_write(v->integer, b);
        if (p->type == EDM_TIME_OF_DAY && v->type == VALUE_TIME && fraction_fits(v->integer, p->precision))
                return time_write(v->integer, b);
        if (p->type == EDM_DATE_TIME_OFFSET && v->type == VALUE_TIMESTAMP && fraction_fits(v->integer, p->precision))
                return timestamp_write(v->integer, b);
        if (p->type == EDM_GUID && v->type == VALUE_UUID)
                return uuid_write(v, b);
        if (p->type == EDM_BINARY && v->type == VALUE_BYTES)
                return binary_write(v, b);
        return -ERANGE;
}

static int quoted_write(const Value *v, int (*write)(const Value *, TextBuffer *), TextBuffer *b) {
        int r;

        r = text_buffer_add(b, "\"", 1);
        if (r == 0)
                r = write(v, b);
        return r < 0 ? r : text_buffer_add(b, "\"", 1);
}

static int timestamp_value_write(const Value *v, TextBuffer *b) { return timestamp_write(v->integer, b); }

/* Of no declared type. */
static int plain_write(const Value *v, Arena *arena, TextBuffer *b) {
        switch (v->type) {
        case VALUE_INTEGER:
        case VALUE_DECIMAL: return number_write(v, b);
        case VALUE_BOOLEAN: return text_buffer_printf(b, "%s", v->integer ? "true" : "false");
        case VALUE_JSON: return text_buffer_add(b, v->bytes, v->size);
        case VALUE_BYTES: return quoted_write(v, binary_write, b);
        case VALUE_TIMESTAMP: return quoted_write(v, timestamp_value_write, b);
        case VALUE_GEOMETRY: return -ERANGE;
        default: return text_write(v, arena, b);
        }
}

int rest_value_write(const Value *v, const ODataProperty *p, Arena *arena, TextBuffer *b) {
        TextBuffer text = {};
        bool quoted;
        int r;

        if (value_is_null(v))
                return text_buffer_add(b, "null", 4);
        if (!p)
                return plain_write(v, arena, b);
        if (p->type == EDM_STRING && v->type != VALUE_GEOMETRY && v->type != VALUE_BYTES)
                return text_write(v, arena, b);
        if ((p->type == EDM_ENUM || p->type == EDM_DURATION) && v->type == VALUE_TEXT)
                return text_write(v, arena, b);
        if (p->type == EDM_STRUCTURE && v->type == VALUE_JSON)
                return text_buffer_add(b, v->bytes, v->size);
        r = typed_write(v, p, &text, &quoted);
        if (r == 0)
                r = text_buffer_printf(b, quoted ? "\"%s\"" : "%s", text.bytes);
        text_buffer_done(&text);
        return r;
}

int odata_literal(const Value *v, const ODataProperty *p, Arena *arena, TextBuffer *b) {
        const char *text;
        bool quoted;
        int r;

        if (value_is_null(v))
                return text_buffer_add(b, "null", 4);
        if (p->type != EDM_STRING)
                return p->type == EDM_BINARY ? -ERANGE : typed_write(v, p, b, &quoted);
        if (v->type == VALUE_GEOMETRY || v->type == VALUE_BYTES)
                return -ERANGE;
        text = value_to_text(v, arena, 0);
        if (!text)
                return -ENOMEM;
        r = text_buffer_add(b, "'", 1);
        for (; *text && r == 0; text++)
                r = *text == '\'' ? text_buffer_add(b, "''", 2) : text_buffer_add(b, text, 1);
        return r < 0 ? r : text_buffer_add(b, "'", 1);
}

bool rest_value_same(const Value *written, const JsonItem *present, const ODataProperty *property, Arena *arena) {
        _cleanup_text_buffer_ TextBuffer b = {};
        const JsonItem *expected;
        Value a, c;

        if (!present || present->kind == JSON_ITEM_NULL)
                return value_is_null(written);
        if (rest_value_write(written, property, arena, &b) < 0 ||
            json_item_parse(b.bytes, b.size, b.size * 64 + 4096, arena, &expected, NULL) < 0 ||
            rest_value_read(expected, property, arena, &a) < 0 || rest_value_read(present, property, arena, &c) < 0)
                return false;
        return value_equal(&a, &c) ||
               (a.type == VALUE_TEXT && c.type == VALUE_TEXT && !property && timestamp_read(expected, &a) &&
                timestamp_read(present, &c) && value_equal(&a, &c));
}
