/* SPDX-License-Identifier: Apache-2.0 */
#include "model/value.h"
#include "basic/json-item.h"
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "basic/uuid.h"
#include "model/geometry.h"

#define JSON_COMPARED_BYTES   (16U * 1024 * 1024) /* of trees that are compared; larger documents are compared as texts */
#define VARINT_MAX            19          /* bytes of a 128-bit number in groups of seven */
#define INTEGER_EXACT_IN_JSON (1LL << 53) /* readers hold JSON numbers as doubles */

static const char *const value_types[_VALUE_TYPE_MAX] = {
        [VALUE_ABSENT] = "absent",     [VALUE_NULL] = "null",       [VALUE_TEXT] = "text",
        [VALUE_INTEGER] = "integer",   [VALUE_DECIMAL] = "decimal", [VALUE_BOOLEAN] = "boolean",
        [VALUE_DATE] = "date",         [VALUE_TIME] = "time",       [VALUE_TIMESTAMP] = "timestamp",
        [VALUE_UUID] = "uuid",         [VALUE_JSON] = "json",       [VALUE_BYTES] = "bytes",
        [VALUE_GEOMETRY] = "geometry",
};

const char *value_type_to_string(ValueType type) {
        return type >= 0 && type < _VALUE_TYPE_MAX ? value_types[type] : "unknown";
}

ValueType value_type_from_string(const char *name) {
        for (int type = VALUE_TEXT; type < _VALUE_TYPE_MAX; type++)
                if (text_equal(name, value_types[type]))
                        return (ValueType) type;
        return _VALUE_TYPE_INVALID;
}

static bool is_number(const Value *v) { return v->type == VALUE_INTEGER || v->type == VALUE_DECIMAL; }

static Decimal value_as_decimal(const Value *v) {
        return v->type == VALUE_DECIMAL ? v->decimal : decimal_from_integer(v->integer);
}

bool value_equal(const Value *a, const Value *b) {
        if (a->type != b->type || a->type == VALUE_DECIMAL) {
                if (!is_number(a) || !is_number(b))
                        return false;
                Decimal left = value_as_decimal(a), right = value_as_decimal(b);
                return decimal_compare(&left, &right) == 0;
        }
        if (value_is_null(a))
                return true;
        if (a->type == VALUE_GEOMETRY)
                return geometry_equal(a->bytes, a->size, b->bytes, b->size);
        if (value_type_has_bytes(a->type))
                return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
        return a->integer == b->integer;
}

static size_t blanks_trim(const Value *v) {
        size_t size = v->size;

        while (size > 0 && v->bytes[size - 1] == ' ')
                size--;
        return size;
}

/* Byte by byte, a CR before an LF passed over. */
static bool lines_equal(const char *a, size_t n_a, const char *b, size_t n_b) {
        size_t i = 0, j = 0;

        for (;;) {
                i += i + 1 < n_a && a[i] == '\r' && a[i + 1] == '\n';
                j += j + 1 < n_b && b[j] == '\r' && b[j + 1] == '\n';
                if (i == n_a || j == n_b)
                        return i == n_a && j == n_b;
                if (a[i++] != b[j++])
                        return false;
        }
}

static bool uuid_read(const Value *v, uint8_t ret[static 16]) {
        bool braces = v->size == UUID_TEXT_SIZE + 1 && v->bytes[0] == '{' && v->bytes[v->size - 1] == '}';

        return uuid_parse(v->bytes + braces, v->size - 2 * braces, ret) == 0;
}

static bool texts_mean_same(const Value *a, const Value *b) {
        uint8_t one[16], other[16];

        if (lines_equal(a->bytes, blanks_trim(a), b->bytes, blanks_trim(b)))
                return true;
        return uuid_read(a, one) && uuid_read(b, other) && memcmp(one, other, sizeof(one)) == 0;
}

static bool numbers_mean_same(const JsonItem *a, const JsonItem *b) {
        Decimal one, other;

        if (a->size == b->size && memcmp(a->text, b->text, a->size) == 0)
                return true;
        return decimal_parse(a->text, a->size, &one) == 0 && decimal_parse(b->text, b->size, &other) == 0 &&
               decimal_compare(&one, &other) == 0;
}

static bool items_mean_same(const JsonItem *a, const JsonItem *b);

/* Elements in their order, members in any: a database keeps them in its own. */
static bool children_mean_same(const JsonItem *a, const JsonItem *b) {
        const JsonItem *in_order = b->first;

        for (const JsonItem *one = a->first; one; one = one->next) {
                const JsonItem *other = in_order;

                if (a->kind == JSON_ITEM_OBJECT && !(other && text_equal(one->name, other->name)))
                        other = json_item_member(b, one->name);
                if (!other || !items_mean_same(one, other))
                        return false;
                in_order = in_order ? in_order->next : NULL;
        }
        return true;
}

static bool items_mean_same(const JsonItem *a, const JsonItem *b) {
        if (a->kind != b->kind || a->n_children != b->n_children)
                return false;
        if (a->kind == JSON_ITEM_NUMBER)
                return numbers_mean_same(a, b);
        if (a->kind == JSON_ITEM_TEXT)
                return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
        return children_mean_same(a, b);
}

static bool documents_mean_same(const Value *a, const Value *b) {
        _cleanup_arena_ Arena *arena = NULL;
        const JsonItem *one, *other;

        return arena_new(&arena) == 0 && json_item_parse(a->bytes, a->size, JSON_COMPARED_BYTES, arena, &one, NULL) == 0 &&
               json_item_parse(b->bytes, b->size, JSON_COMPARED_BYTES, arena, &other, NULL) == 0 && items_mean_same(one, other);
}

bool value_means_same(const Value *a, const Value *b) {
        if (value_equal(a, b))
                return true;
        if (a->type != b->type)
                return false;
        return a->type == VALUE_TEXT ? texts_mean_same(a, b) : a->type == VALUE_JSON && documents_mean_same(a, b);
}

int value_copy(const Value *v, Arena *arena, Value *ret) {
        Value copy = *v;

        if (value_type_has_bytes(v->type)) {
                copy.bytes = arena_copy(arena, v->size > 0 ? v->bytes : "", v->size);
                if (!copy.bytes)
                        return -ENOMEM;
        }
        *ret = copy;
        return 0;
}

/* Texts. */

static const char *text_cut(const char *bytes, size_t size, Arena *arena, size_t max_bytes) {
        size_t end = size;

        if (max_bytes == 0 || size <= max_bytes)
                return arena_printf(arena, "%.*s", (int) size, size > 0 ? bytes : "");
        /* Never in the middle of a character. */
        for (end = max_bytes; end > 0 && ((unsigned char) bytes[end] & 0xC0) == 0x80; end--)
                ;
        return arena_printf(arena, "%.*s…", (int) end, bytes);
}

static void hex_write(const char *bytes, size_t size, char *hex) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < size; i++) {
                hex[2 * i] = digits[(unsigned char) bytes[i] >> 4];
                hex[2 * i + 1] = digits[(unsigned char) bytes[i] & 15];
        }
        hex[2 * size] = 0;
}

static const char *hex_cut(const char *bytes, size_t size, Arena *arena, size_t max_bytes) {
        bool cut = max_bytes > 0 && size > max_bytes / 2;
        size_t shown = cut ? max_bytes / 2 : size;
        char *hex = arena_alloc(arena, 2 * shown + 1);

        if (!hex)
                return NULL;
        hex_write(bytes, shown, hex);
        return cut ? arena_printf(arena, "%s…", hex) : hex;
}

static const char *uuid_text(const Value *v, char buffer[static UUID_TEXT_SIZE]) {
        if (v->size != 16)
                return NULL;
        uuid_format((const uint8_t *) v->bytes, buffer);
        return buffer;
}

/* Texts of the fixed-size types; NULL where v is of another. The buffer holds any of them. */
static const char *scalar_text(const Value *v, char buffer[static DECIMAL_TEXT_MAX]) {
        switch (v->type) {
        case VALUE_ABSENT:
                return "absent";
        case VALUE_NULL:
                return "null";
        case VALUE_BOOLEAN:
                return v->integer ? "true" : "false";
        case VALUE_INTEGER: {
                Decimal d = decimal_from_integer(v->integer);
                (void) decimal_format(&d, buffer);
                return buffer;
        }
        case VALUE_DECIMAL:
                (void) decimal_format(&v->decimal, buffer);
                return buffer;
        case VALUE_DATE:
                (void) date_format((int32_t) v->integer, buffer);
                return buffer;
        case VALUE_TIME:
                (void) time_format(v->integer, buffer);
                return buffer;
        case VALUE_TIMESTAMP:
                (void) timestamp_format(v->integer, buffer);
                return buffer;
        case VALUE_UUID:
                return uuid_text(v, buffer);
        default:
                return NULL;
        }
}
_Static_assert(DECIMAL_TEXT_MAX >= TIMESTAMP_TEXT_MAX && DECIMAL_TEXT_MAX >= UUID_TEXT_SIZE,
               "one buffer for all");

const char *value_to_text(const Value *v, Arena *arena, size_t max_bytes) {
        char buffer[DECIMAL_TEXT_MAX];
        const char *text = scalar_text(v, buffer);

        if (text)
                return arena_copy(arena, text, strlen(text) + 1);
        if (v->type == VALUE_TEXT || v->type == VALUE_JSON)
                return text_cut(v->bytes, v->size, arena, max_bytes);
        return hex_cut(v->bytes, v->size, arena, max_bytes);
}

static json_t *hex_to_json(const Value *v) {
        _cleanup_free_ char *hex = malloc(2 * v->size + 1);

        if (!hex)
                return NULL;
        hex_write(v->bytes, v->size, hex);
        return json_stringn(hex, 2 * v->size);
}

static json_t *document_to_json(const Value *v) {
        json_t *document = NULL;

        if (json_parse(v->bytes, v->size, &document, NULL) < 0)
                return json_text_n(v->bytes, v->size);
        return document;
}

json_t *value_to_json(const Value *v) {
        char buffer[DECIMAL_TEXT_MAX];
        const char *text;

        switch (v->type) {
        case VALUE_ABSENT:
        case VALUE_NULL:
                return json_null();
        case VALUE_BOOLEAN:
                return json_boolean(v->integer);
        case VALUE_TEXT:
                return json_text_n(v->bytes, v->size);
        case VALUE_JSON:
                return document_to_json(v);
        case VALUE_INTEGER:
                if (v->integer >= -INTEGER_EXACT_IN_JSON && v->integer <= INTEGER_EXACT_IN_JSON)
                        return json_integer(v->integer);
                break;
        default:
                break;
        }
        text = scalar_text(v, buffer);
        return text ? json_string(text) : hex_to_json(v);
}

/* The compact form: one byte of type, then for numbers a zigzag variable-length integer (decimals: scale before
 * it), for the others a length and the bytes. Scale is kept: a journal's before-image gives back what was there. */

static size_t varint_write(unsigned __int128 number, char *at) {
        size_t n = 0;

        for (; number >= 128; number >>= 7)
                at[n++] = (char) (number | 128);
        at[n++] = (char) number;
        return n;
}

static int varint_read(const char *bytes, size_t size, size_t *used, unsigned __int128 *ret) {
        unsigned __int128 number = 0;

        for (size_t n = 0; n < VARINT_MAX && *used + n < size; n++) {
                unsigned char byte = (unsigned char) bytes[*used + n];
                number |= (unsigned __int128) (byte & 127) << (7 * n);
                if (byte < 128) {
                        if (n == VARINT_MAX - 1 && byte > 3) /* 18 × 7 = 126 bits came before */
                                return -EBADMSG;
                        *used += n + 1;
                        *ret = number;
                        return 0;
                }
        }
        return -EBADMSG;
}

static unsigned __int128 zigzag(__int128 number) {
        return ((unsigned __int128) number << 1) ^ (unsigned __int128) (number >> 127);
}

static __int128 zagzig(unsigned __int128 number) {
        return (__int128) (number >> 1) ^ -(__int128) (number & 1);
}

int value_encode(const Value *v, char **buffer, size_t *size, size_t *capacity) {
        size_t need = *size + 2 + VARINT_MAX + (value_type_has_bytes(v->type) ? v->size : 0);
        char *at;
        int r;

        if (need > *capacity) {
                r = array_grow(buffer, capacity, need, 1);
                if (r < 0)
                        return r;
        }
        at = *buffer + *size;
        *at++ = (char) v->type;
        if (v->type == VALUE_DECIMAL) {
                *at++ = (char) v->decimal.scale;
                at += varint_write(zigzag(v->decimal.coefficient), at);
        } else if (value_type_has_bytes(v->type)) {
                at += varint_write(v->size, at);
                if (v->size > 0)
                        at = mempcpy(at, v->bytes, v->size);
        } else if (!value_is_null(v))
                at += varint_write(zigzag(v->integer), at);
        *size = (size_t) (at - *buffer);
        return 0;
}

static int decimal_decode(const char *bytes, size_t size, size_t *used, Value *value) {
        unsigned __int128 number;
        int r;

        if (*used >= size || (unsigned char) bytes[*used] > DECIMAL_DIGITS_MAX)
                return -EBADMSG;
        value->decimal.scale = (uint8_t) bytes[(*used)++];
        r = varint_read(bytes, size, used, &number);
        if (r < 0)
                return r;
        value->decimal.coefficient = zagzig(number);
        return decimal_digits(&value->decimal) <= DECIMAL_DIGITS_MAX ? 0 : -EBADMSG;
}

static int bytes_decode(const char *bytes, size_t size, size_t *used, Value *value) {
        unsigned __int128 number;
        int r;

        r = varint_read(bytes, size, used, &number);
        if (r < 0)
                return r;
        if (number > size - *used)
                return -EBADMSG;
        value->bytes = bytes + *used;
        value->size = (size_t) number;
        *used += value->size;
        return value->type == VALUE_UUID && value->size != 16 ? -EBADMSG : 0;
}

static int integer_decode(const char *bytes, size_t size, size_t *used, Value *value) {
        unsigned __int128 number;
        __int128 integer;
        int r;

        r = varint_read(bytes, size, used, &number);
        if (r < 0)
                return r;
        integer = zagzig(number);
        if (integer < INT64_MIN || integer > INT64_MAX)
                return -EBADMSG;
        value->integer = (int64_t) integer;
        return 0;
}

int value_decode(const char *bytes, size_t size, Value *ret, size_t *ret_used) {
        Value value = {};
        size_t used = 1;
        int r = 0;

        if (size == 0 || (unsigned char) bytes[0] >= _VALUE_TYPE_MAX)
                return -EBADMSG;
        value.type = (ValueType) bytes[0];
        if (value.type == VALUE_DECIMAL)
                r = decimal_decode(bytes, size, &used, &value);
        else if (value_type_has_bytes(value.type))
                r = bytes_decode(bytes, size, &used, &value);
        else if (!value_is_null(&value))
                r = integer_decode(bytes, size, &used, &value);
        if (r < 0)
                return r;
        *ret = value;
        *ret_used = used;
        return 0;
}
