/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/position.h"

#include "basic/text.h"

char *position_format(int64_t schema_version, const char *bytes, size_t size) {
        char *text;
        int n;

        n = snprintf(NULL, 0, "%lld/", (long long) schema_version);
        text = malloc((size_t) n + 2 * size + 1);
        if (!text)
                return NULL;
        (void) snprintf(text, (size_t) n + 1, "%lld/", (long long) schema_version);
        hex_encode(bytes, size, text + n);
        return text;
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
        if (hex_decode(slash + 1, size / 2, bytes) < 0)
                return -EBADMSG;
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
