/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/text.h"
#include "basic/timestamp.h"
#include "basic/uuid.h"
#include "config/pair-file.h"

static int constant_text(ValueType type, const char *text, size_t size, Value *ret, char **ret_bytes) {
        char *bytes = malloc(size + 1);

        if (!bytes)
                return -ENOMEM;
        memcpy(bytes, text, size);
        bytes[size] = 0;
        *ret = (Value){.type = type, .bytes = bytes, .size = size};
        *ret_bytes = bytes;
        return 0;
}

static int constant_scalar(ValueType type, const char *text, Value *ret) {
        Value value = {.type = type};
        int32_t days;
        bool has_zone;
        int r = 0;

        switch (type) {
        case VALUE_INTEGER:
                r = text_to_int64(text, INT64_MIN, INT64_MAX, &value.integer);
                break;
        case VALUE_DECIMAL:
                r = decimal_parse(text, strlen(text), &value.decimal);
                break;
        case VALUE_BOOLEAN:
                value.integer = text_equal(text, "true");
                r = value.integer || text_equal(text, "false") ? 0 : -EINVAL;
                break;
        case VALUE_DATE:
                r = date_parse(text, strlen(text), &days);
                if (r == 0)
                        value.integer = days;
                break;
        case VALUE_TIME:
                r = time_parse(text, strlen(text), &value.integer);
                break;
        case VALUE_TIMESTAMP:
                r = timestamp_parse(text, strlen(text), &value.integer, &has_zone);
                break;
        default:
                r = -EINVAL;
        }
        if (r < 0)
                return -EINVAL;
        *ret = value;
        return 0;
}

static int constant_uuid(const char *text, Value *ret, char **ret_bytes) {
        uint8_t bytes[16];

        if (uuid_parse(text, strlen(text), bytes) < 0)
                return -EINVAL;
        return constant_text(VALUE_UUID, (const char *) bytes, sizeof bytes, ret, ret_bytes);
}

/* Is it written as a number is: no sign but -, no leading zero, no exponent? */
static bool is_plain_number(const char *text) {
        const char *digits = text + (*text == '-');

        if (*digits < '0' || *digits > '9' || (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'))
                return false;
        return digits[strspn(digits, "0123456789.")] == 0 && digits[strlen(digits) - 1] != '.';
}

int constant_read(const YamlDocument *d, const json_t *node, ValueType type, Value *ret, char **ret_bytes) {
        const char *text = json_string_value(node);

        *ret_bytes = NULL;
        if (yaml_is_null(d, node)) {
                *ret = value_null();
                return 0;
        }
        if (!text)
                return -EINVAL;
        if (type == VALUE_UUID)
                return constant_uuid(text, ret, ret_bytes);
        if (type == VALUE_TEXT || type == VALUE_JSON)
                return constant_text(type, text, strlen(text), ret, ret_bytes);
        if (type != VALUE_ABSENT)
                return constant_scalar(type, text, ret);
        if (yaml_node(d, node).plain) {
                if (is_plain_number(text) && (constant_scalar(VALUE_INTEGER, text, ret) == 0 ||
                                              constant_scalar(VALUE_DECIMAL, text, ret) == 0))
                        return 0;
                if (constant_scalar(VALUE_BOOLEAN, text, ret) == 0)
                        return 0;
        }
        return constant_text(VALUE_TEXT, text, strlen(text), ret, ret_bytes);
}
