/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/cast.h"

#include <strings.h>

#include "basic/json-item.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "basic/uuid.h"
#include "transform/cast-time.h"
#include "transform/geometry-shape.h"

static int number_from(const Value *value, Decimal *ret) {
        int r;

        switch (value->type) {
        case VALUE_TEXT:
                r = decimal_parse(value->bytes, value->size, ret);
                return r == -ERANGE ? CAST_DIGITS : r < 0 ? CAST_FORM : CAST_EXACT;
        case VALUE_INTEGER:
        case VALUE_BOOLEAN: *ret = decimal_from_integer(value->integer); return CAST_EXACT;
        case VALUE_DECIMAL: *ret = value->decimal; return CAST_EXACT;
        default: return CAST_KIND;
        }
}

/* Brings d to the scale as far as accept allows. */
static int number_fit(Decimal d, uint8_t scale, FieldAccept accept, Decimal *ret) {
        bool exact;
        int r;

        if (accept == ACCEPT_TRUNCATES)
                for (; d.scale > scale; d.scale--)
                        d.coefficient /= 10;
        r = decimal_round(&d, scale, &d, &exact);
        if (r < 0)
                return CAST_DIGITS;
        if (!exact && accept != ACCEPT_ROUNDS)
                return CAST_FRACTION;
        *ret = d;
        return CAST_EXACT;
}

static int to_integer(const Value *value, const CastShape *shape, Value *ret) {
        Decimal d;
        int64_t integer;
        int r;

        if (value->type == VALUE_INTEGER) {
                *ret = *value;
                return CAST_EXACT;
        }
        r = number_from(value, &d);
        if (r != CAST_EXACT)
                return r;
        r = number_fit(d, 0, shape->accept, &d);
        if (r != CAST_EXACT)
                return r;
        if (decimal_to_integer(&d, &integer) < 0)
                return CAST_DIGITS;
        *ret = value_integer(integer);
        return CAST_EXACT;
}

static int to_decimal(const Value *value, const CastShape *shape, Value *ret) {
        Decimal d;
        int r;

        r = number_from(value, &d);
        if (r != CAST_EXACT)
                return r;
        if (shape->precision > 0) {
                r = number_fit(d, shape->scale, shape->accept, &d);
                if (r != CAST_EXACT)
                        return r;
                if (decimal_digits(&d) > shape->precision)
                        return CAST_DIGITS;
        }
        *ret = (Value){ .type = VALUE_DECIMAL, .decimal = d };
        return CAST_EXACT;
}

static bool is_word(const Value *value, const char *word) {
        return value->size == strlen(word) && strncasecmp(value->bytes, word, value->size) == 0;
}

static int boolean_from_text(const Value *value, bool *ret) {
        static const char *const words[][2] = {
                { "0", "1" }, { "false", "true" }, { "f", "t" }, { "n", "y" }, { "no", "yes" },
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                for (unsigned truth = 0; truth < 2; truth++)
                        if (is_word(value, words[i][truth])) {
                                *ret = truth;
                                return CAST_EXACT;
                        }
        return CAST_FORM;
}

static int to_boolean(const Value *value, Value *ret) {
        bool truth;
        Decimal d;
        int64_t integer;
        int r;

        if (value->type == VALUE_TEXT) {
                r = boolean_from_text(value, &truth);
                if (r != CAST_EXACT)
                        return r;
        } else {
                r = number_from(value, &d);
                if (r != CAST_EXACT)
                        return r;
                if (decimal_to_integer(&d, &integer) < 0 || integer < 0 || integer > 1)
                        return CAST_FORM;
                truth = integer == 1;
        }
        *ret = (Value){ .type = VALUE_BOOLEAN, .integer = truth };
        return CAST_EXACT;
}

static int to_uuid(const Value *value, Arena *arena, Value *ret) {
        const char *text = value->bytes;
        size_t size = value->size;
        uint8_t *bytes;

        if ((value->type == VALUE_UUID || value->type == VALUE_BYTES) && size == 16) {
                *ret = (Value){ .type = VALUE_UUID, .bytes = text, .size = size };
                return CAST_EXACT;
        }
        if (value->type == VALUE_BYTES || value->type == VALUE_UUID)
                return CAST_FORM;
        if (value->type != VALUE_TEXT)
                return CAST_KIND;
        if (size == UUID_TEXT_SIZE + 1 && text[0] == '{' && text[size - 1] == '}') {
                text++;
                size -= 2;
        }
        bytes = arena_alloc(arena, 16);
        if (!bytes)
                return -ENOMEM;
        if (uuid_parse(text, size, bytes) < 0)
                return CAST_FORM;
        *ret = (Value){ .type = VALUE_UUID, .bytes = (const char *) bytes, .size = 16 };
        return CAST_EXACT;
}

static int text_check(const char *bytes, size_t size) {
        if (!text_is_utf8(bytes, size))
                return CAST_ENCODING;
        return size > 0 && memchr(bytes, '\0', size) ? CAST_NUL : CAST_EXACT;
}

/* Writes a scalar as text into buffer. */
static int scalar_format(const Value *value, char buffer[static DECIMAL_TEXT_MAX], size_t *ret_size) {
        static_assert(DECIMAL_TEXT_MAX >= TIMESTAMP_TEXT_MAX && DECIMAL_TEXT_MAX >= UUID_TEXT_SIZE,
                      "one buffer for all");
        Decimal d;

        switch (value->type) {
        case VALUE_INTEGER:
                d = decimal_from_integer(value->integer);
                *ret_size = decimal_format(&d, buffer);
                return CAST_EXACT;
        case VALUE_DECIMAL: *ret_size = decimal_format(&value->decimal, buffer); return CAST_EXACT;
        case VALUE_BOOLEAN:
                *ret_size = (size_t) (stpcpy(buffer, value->integer ? "true" : "false") - buffer);
                return CAST_EXACT;
        case VALUE_DATE:
                if (value->integer < CAST_DAYS_MIN || value->integer > CAST_DAYS_MAX)
                        return CAST_MICROSECONDS;
                *ret_size = date_format((int32_t) value->integer, buffer);
                return CAST_EXACT;
        case VALUE_TIME:
                if (value->integer < 0 || value->integer >= CAST_USEC_PER_DAY)
                        return CAST_MICROSECONDS;
                *ret_size = time_format(value->integer, buffer);
                return CAST_EXACT;
        case VALUE_TIMESTAMP: *ret_size = timestamp_format(value->integer, buffer); return CAST_EXACT;
        case VALUE_UUID:
                if (value->size != 16)
                        return CAST_FORM;
                uuid_format((const uint8_t *) value->bytes, buffer);
                *ret_size = UUID_TEXT_SIZE - 1;
                return CAST_EXACT;
        default: return CAST_KIND;
        }
}

static int to_text(const Value *value, Arena *arena, Value *ret) {
        char buffer[DECIMAL_TEXT_MAX], *copy;
        size_t size;
        int r;

        if (value->type == VALUE_TEXT || value->type == VALUE_JSON || value->type == VALUE_BYTES) {
                *ret = value_text(value->bytes, value->size);
                return text_check(value->bytes, value->size);
        }
        r = scalar_format(value, buffer, &size);
        if (r != CAST_EXACT)
                return r;
        copy = arena_copy(arena, buffer, size);
        if (!copy)
                return -ENOMEM;
        *ret = value_text(copy, size);
        return CAST_EXACT;
}

static int to_json(const Value *value, Arena *arena, Value *ret) {
        _cleanup_arena_ Arena *tree = NULL;
        const JsonItem *document;
        Value text;
        int r;

        switch (value->type) {
        case VALUE_JSON:
        case VALUE_TEXT:
        case VALUE_BYTES:
        case VALUE_INTEGER:
        case VALUE_DECIMAL:
        case VALUE_BOOLEAN: break;
        default: return CAST_KIND;
        }
        r = to_text(value, arena, &text);
        if (r != CAST_EXACT)
                return r;
        r = arena_new(&tree);
        if (r < 0)
                return r;
        r = json_item_parse(text.bytes, text.size, RECORD_BYTES_MAX, tree, &document, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return CAST_FORM;
        *ret = (Value){ .type = VALUE_JSON, .bytes = text.bytes, .size = text.size };
        return CAST_EXACT;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}

static int bytes_from_hex(const Value *text, Arena *arena, Value *ret) {
        char *bytes;

        if (text->size % 2 != 0)
                return CAST_WKB;
        bytes = arena_alloc(arena, text->size / 2);
        if (!bytes)
                return -ENOMEM;
        for (size_t i = 0; i < text->size / 2; i++) {
                int high = hex_digit(text->bytes[2 * i]), low = hex_digit(text->bytes[2 * i + 1]);

                if (high < 0 || low < 0)
                        return CAST_WKB;
                bytes[i] = (char) (high << 4 | low);
        }
        *ret = (Value){ .type = VALUE_BYTES, .bytes = bytes, .size = text->size / 2 };
        return CAST_EXACT;
}

static int to_geometry(const Value *value, const CastShape *shape, Arena *arena, Value *ret) {
        const char *reason = NULL;
        Value wkb = *value;
        int r;

        if (value->type == VALUE_TEXT) {
                r = bytes_from_hex(value, arena, &wkb);
                if (r != CAST_EXACT)
                        return r;
        } else if (value->type != VALUE_BYTES && value->type != VALUE_GEOMETRY)
                return CAST_KIND;
        r = geometry_shape(wkb.bytes, wkb.size, shape, arena, ret, &reason);
        if (shape->ret_reason)
                *shape->ret_reason = reason;
        return r;
}

/* Text that names bytes by their hexadecimal digits, as files do; PostgreSQL writes \x before them. */
static int bytes_from_text(const Value *text, Arena *arena, Value *ret) {
        Value digits = *text;

        if (digits.size >= 2 && digits.bytes[0] == '\\' && digits.bytes[1] == 'x') {
                digits.bytes += 2;
                digits.size -= 2;
        }
        switch (bytes_from_hex(&digits, arena, ret)) {
        case CAST_EXACT: return CAST_EXACT;
        case -ENOMEM: return -ENOMEM;
        default: return CAST_FORM;
        }
}

static int to_bytes(const Value *value, const CastShape *shape, Arena *arena, Value *ret) {
        if (!value_type_has_bytes(value->type))
                return CAST_KIND;
        if (value->type == VALUE_TEXT && shape->format)
                return bytes_from_text(value, arena, ret);
        *ret = (Value){ .type = VALUE_BYTES, .bytes = value->bytes, .size = value->size };
        return CAST_EXACT;
}

static int cast_type(const Value *value, const CastShape *shape, Arena *arena, Value *ret) {
        switch (shape->type) {
        case VALUE_TEXT: return to_text(value, arena, ret);
        case VALUE_INTEGER: return to_integer(value, shape, ret);
        case VALUE_DECIMAL: return to_decimal(value, shape, ret);
        case VALUE_BOOLEAN: return to_boolean(value, ret);
        case VALUE_DATE: return cast_date(value, shape, arena, ret);
        case VALUE_TIME: return cast_time(value, shape, arena, ret);
        case VALUE_TIMESTAMP: return cast_timestamp(value, shape, arena, ret);
        case VALUE_UUID: return to_uuid(value, arena, ret);
        case VALUE_JSON: return to_json(value, arena, ret);
        case VALUE_BYTES: return to_bytes(value, shape, arena, ret);
        case VALUE_GEOMETRY: return to_geometry(value, shape, arena, ret);
        default:
                *ret = *value;
                return value->type == VALUE_TEXT ? text_check(value->bytes, value->size) : CAST_EXACT;
        }
}

int cast_value(const Value *value, const CastShape *shape, Arena *arena, Value *ret) {
        Value cast;
        int r;

        if (value_is_null(value)) {
                *ret = *value;
                return CAST_EXACT;
        }
        r = cast_type(value, shape, arena, &cast);
        if (r == CAST_EXACT)
                *ret = cast;
        return r;
}
