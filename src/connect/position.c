/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/position.h"

#include "basic/text.h"

static const char hex_digits[] = "0123456789abcdef";

char *position_format(int64_t schema_version, const char *bytes, size_t size) {
        char *text, *p;
        int n;

        n = snprintf(NULL, 0, "%lld/", (long long) schema_version);
        text = malloc((size_t) n + 2 * size + 1);
        if (!text)
                return NULL;
        (void) snprintf(text, (size_t) n + 1, "%lld/", (long long) schema_version);
        p = text + n;
        for (size_t i = 0; i < size; i++) {
                *p++ = hex_digits[(unsigned char) bytes[i] >> 4];
                *p++ = hex_digits[(unsigned char) bytes[i] & 15];
        }
        *p = '\0';
        return text;
}

static int hex_digit(char c) {
        const char *place = c ? strchr(hex_digits, c) : NULL;

        return place ? (int) (place - hex_digits) : -EBADMSG;
}

int position_parse(const char *text, int64_t *ret_schema_version, char **ret_bytes, size_t *ret_size) {
        _cleanup_free_ char *version = NULL, *bytes = NULL;
        const char *slash = strchr(text, '/');
        int64_t number;
        size_t size;

        if (!slash)
                return -EBADMSG;
        version = strndup(text, (size_t) (slash - text));
        size = strlen(slash + 1);
        bytes = malloc(size / 2 + 1);
        if (!version || !bytes)
                return -ENOMEM;
        if (text_to_int64(version, INT64_MIN, INT64_MAX, &number) < 0 || size % 2 != 0)
                return -EBADMSG;
        for (size_t i = 0; i < size / 2; i++) {
                int high = hex_digit(slash[1 + 2 * i]), low = hex_digit(slash[2 + 2 * i]);

                if (high < 0 || low < 0)
                        return -EBADMSG;
                bytes[i] = (char) (high << 4 | low);
        }
        *ret_schema_version = number;
        *ret_bytes = TAKE_PTR(bytes);
        *ret_size = size / 2;
        return 0;
}

int position_values(const char *bytes, size_t size, Value *ret_values, size_t n_values) {
        for (size_t i = 0; i < n_values; i++) {
                size_t used = 0;

                if (value_decode(bytes, size, &ret_values[i], &used) < 0)
                        return -EBADMSG;
                bytes += used;
                size -= used;
        }
        return size == 0 ? 0 : -EBADMSG;
}
