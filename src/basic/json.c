/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/json.h"

#include <errno.h>

#include "basic/text.h"
#include "basic/timestamp.h"

#define DEPTH_MAX 64U

int json_put(json_t *object, const char *name, json_t *value) {
        if (!value)
                return -ENOMEM;
        return json_object_set_new(object, name, value) < 0 ? -ENOMEM : 0;
}

json_t *json_text(const char *text) {
        return text ? json_text_n(text, strlen(text)) : json_null();
}

/* The longest valid piece at the start of bytes. A sequence has at most 4 bytes, so its end is found by
 * trying. */
static size_t sequence_size(const char *bytes, size_t size) {
        for (size_t n = 1; n <= 4 && n <= size; n++)
                if (text_is_utf8(bytes, n))
                        return n;
        return 0;
}

json_t *json_text_n(const char *bytes, size_t size) {
        static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */
        _cleanup_free_ char *text = NULL;
        size_t n_bytes, n = 0;

        if (text_is_utf8(bytes, size) && (size == 0 || !memchr(bytes, '\0', size)))
                return json_stringn_nocheck(bytes, size);
        if (__builtin_mul_overflow(size, sizeof(replacement) - 1, &n_bytes))
                return NULL;
        text = malloc(n_bytes);
        if (!text)
                return NULL;
        for (size_t i = 0; i < size;) {
                size_t step = bytes[i] == '\0' ? 0 : sequence_size(bytes + i, size - i);

                memcpy(text + n, step > 0 ? bytes + i : replacement,
                       step > 0 ? step : sizeof(replacement) - 1);
                n += step > 0 ? step : sizeof(replacement) - 1;
                i += step > 0 ? step : 1;
        }
        return json_stringn_nocheck(text, n);
}

json_t *json_timestamp(int64_t timestamp_usec) {
        char buffer[TIMESTAMP_TEXT_MAX];

        if (timestamp_usec == 0)
                return json_null();
        return json_stringn(buffer, timestamp_format(timestamp_usec, buffer));
}

const char *json_member_text(const json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

int64_t json_member_integer(const json_t *object, const char *name, int64_t otherwise) {
        const json_t *member = json_object_get(object, name);

        return json_is_integer(member) ? (int64_t) json_integer_value(member) : otherwise;
}

bool json_member_true(const json_t *object, const char *name) {
        return json_is_true(json_object_get(object, name));
}

/* Jansson goes 2048 levels deep, which is more stack than a request deserves. */
static int depth_check(const char *bytes, size_t size, Error *error) {
        unsigned depth = 0, line = 1, column = 0;
        bool quoted = false;

        for (size_t i = 0; i < size; i++) {
                column++;
                if (bytes[i] == '\n') {
                        line++;
                        column = 0;
                } else if (quoted && bytes[i] == '\\') {
                        i++;
                        column++;
                } else if (bytes[i] == '"')
                        quoted = !quoted;
                else if (!quoted && (bytes[i] == '{' || bytes[i] == '['))
                        depth++;
                else if (!quoted && depth > 0 && (bytes[i] == '}' || bytes[i] == ']'))
                        depth--;
                if (depth > DEPTH_MAX) {
                        error_set(error, ERROR_BAD_REQUEST, "Send a document of fewer levels.",
                                  "JSON is nested deeper than %u levels", DEPTH_MAX);
                        error_at(error, NULL, line, column);
                        return error_errno(ERROR_BAD_REQUEST);
                }
        }
        return 0;
}

int json_parse(const char *bytes, size_t size, json_t **ret, Error *error) {
        json_error_t mistake;
        json_t *document;
        int r;

        assert(ret);
        r = depth_check(bytes, size, error);
        if (r < 0)
                return r;
        document = json_loadb(bytes ? bytes : "", size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &mistake);
        if (!document) {
                error_set(error, ERROR_BAD_REQUEST, "Send one valid JSON document in UTF-8.",
                          "JSON is not valid: %s", mistake.text);
                error_at(error, NULL, mistake.line > 0 ? (unsigned) mistake.line : 1,
                         mistake.column > 0 ? (unsigned) mistake.column : 1);
                return error_errno(ERROR_BAD_REQUEST);
        }
        *ret = document;
        return 0;
}
