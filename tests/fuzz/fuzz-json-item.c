/* SPDX-License-Identifier: Apache-2.0 */
/* What we read of JSON jansson reads too, with the same texts; numbers keep their very digits; writing a text and
 * reading it gives the text. */
#include "fuzz.h"

#include "basic/json-item.h"
#include "basic/text-buffer.h"
#include "basic/text.h"
#include <jansson.h>

static void same(const JsonItem *item, const json_t *value, const char *bytes, size_t size) {
        const JsonItem *child = item->first;
        size_t n = 0;

        switch (item->kind) {
        case JSON_ITEM_NULL: CHECK(json_is_null(value)); break;
        case JSON_ITEM_TRUE: CHECK(json_is_true(value)); break;
        case JSON_ITEM_FALSE: CHECK(json_is_false(value)); break;
        case JSON_ITEM_NUMBER:
                CHECK(json_is_number(value) && item->text >= bytes && item->text + item->size <= bytes + size);
                break;
        case JSON_ITEM_TEXT:
                CHECK(json_string_length(value) == item->size &&
                      memcmp(json_string_value(value), item->text, item->size) == 0);
                break;
        case JSON_ITEM_ARRAY:
                for (; child; child = child->next)
                        same(child, json_array_get(value, n++), bytes, size);
                CHECK(json_is_array(value) && n == json_array_size(value) && n == item->n_children);
                break;
        case JSON_ITEM_OBJECT:
                for (; child; child = child->next, n++)
                        same(child, json_object_get(value, child->name), bytes, size);
                CHECK(json_is_object(value) && n == json_object_size(value) && n == item->n_children);
                break;
        }
}

static void document_check(const char *bytes, size_t size, Arena *arena) {
        _cleanup_error_ Error error = {};
        const JsonItem *item;
        json_auto_t *value = NULL;

        if (json_item_parse(bytes, size, 1 << 24, arena, &item, &error) < 0) {
                CHECK(error.id == ERROR_FILE_FORMAT);
                return;
        }
        if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
                bytes += 3;
                size -= 3;
        }
        value = json_loadb(bytes, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (value) /* jansson refuses numbers beyond 64 bits or a double */
                same(item, value, bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_text_buffer_ TextBuffer b = {};
        const JsonItem *item;

        CHECK(arena_new(&arena) == 0);
        document_check((const char *) bytes, size, arena);
        if (text_is_utf8((const char *) bytes, size)) {
                CHECK(text_buffer_add_json(&b, (const char *) bytes, size) == 0);
                CHECK(json_item_parse(b.bytes, b.size, 1 << 24, arena, &item, NULL) == 0);
                CHECK(item->kind == JSON_ITEM_TEXT && item->size == size &&
                      (size == 0 || memcmp(item->text, bytes, size) == 0));
        }
        return 0;
}
