/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/text-buffer.h"

#include <stdarg.h>

void text_buffer_done(TextBuffer *b) {
        free(b->bytes);
        *b = (TextBuffer){};
}

int text_buffer_add(TextBuffer *b, const char *bytes, size_t size) {
        int r;

        r = array_grow(&b->bytes, &b->capacity, b->size + size + 1, 1);
        if (r < 0)
                return r;
        if (size > 0)
                (void) memcpy(b->bytes + b->size, bytes, size);
        b->size += size;
        b->bytes[b->size] = '\0';
        return 0;
}

int text_buffer_printf(TextBuffer *b, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (n < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return text_buffer_add(b, text, (size_t) n);
}

int text_buffer_add_json(TextBuffer *b, const char *bytes, size_t size) {
        size_t from = 0;
        int r;

        r = text_buffer_add(b, "\"", 1);
        for (size_t i = 0; i < size && r == 0; i++) {
                unsigned char c = (unsigned char) bytes[i];

                if (c >= 0x20 && c != '"' && c != '\\')
                        continue;
                r = text_buffer_add(b, bytes + from, i - from);
                if (r == 0)
                        r = c == '"' || c == '\\' ? text_buffer_printf(b, "\\%c", c)
                                                  : text_buffer_printf(b, "\\u%04x", c);
                from = i + 1;
        }
        if (r == 0)
                r = text_buffer_add(b, bytes + from, size - from);
        return r < 0 ? r : text_buffer_add(b, "\"", 1);
}

int text_buffer_add_url(TextBuffer *b, const char *bytes, size_t size) {
        int r = text_buffer_add(b, "", 0);

        for (size_t i = 0; i < size && r == 0; i++) {
                unsigned char c = (unsigned char) bytes[i];

                if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    (c != '\0' && strchr("-._~", c)))
                        r = text_buffer_add(b, bytes + i, 1);
                else
                        r = text_buffer_printf(b, "%%%02X", c);
        }
        return r;
}
