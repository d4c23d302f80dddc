/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Text that grows: statements, URLs, JSON bodies. In the worker. */
#include "basic/alloc.h"

typedef struct TextBuffer { char *bytes; /* NUL-terminated, NULL while empty */ size_t size, capacity; } TextBuffer;
void text_buffer_done(TextBuffer *b);   /* frees, and leaves it empty */
#define _cleanup_text_buffer_ _cleanup_(text_buffer_done)
static inline void text_buffer_reset(TextBuffer *b) { b->size = 0; }   /* keeps the memory */
_must_check_ int text_buffer_add(TextBuffer *b, const char *bytes, size_t size);       /* -ENOMEM */
_must_check_ int text_buffer_printf(TextBuffer *b, const char *format, ...) _printf_(2, 3);
/* A JSON text with its quotes and escapes. bytes: UTF-8. */
_must_check_ int text_buffer_add_json(TextBuffer *b, const char *bytes, size_t size);
/* As a part of a URL: everything but letters, digits and -._~ as %XX (RFC 3986). */
_must_check_ int text_buffer_add_url(TextBuffer *b, const char *bytes, size_t size);
