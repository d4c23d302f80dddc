/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odata-key.h"

#include "basic/text.h"
#include "connect/rest-value.h"

/* %27 and the like; what is no escape stays. */
static char *percent_decode(const char *text, size_t size, Arena *arena) {
        char *decoded = arena_alloc(arena, size + 1), *to = decoded;
        uint8_t byte;

        for (size_t i = 0; decoded && i < size; i++) {
                char hex[2];

                if (text[i] != '%' || i + 2 >= size) {
                        *to++ = text[i];
                        continue;
                }
                for (unsigned j = 0; j < 2; j++)
                        hex[j] = text[i + 1 + j] >= 'A' && text[i + 1 + j] <= 'F' ? (char) (text[i + 1 + j] + 32) : text[i + 1 + j];
                if (hex_decode(hex, 1, &byte) < 0)
                        *to++ = '%';
                else {
                        *to++ = (char) byte;
                        i += 2;
                }
        }
        if (decoded)
                *to = '\0';
        return decoded;
}

/* Where the bracket that closes at the end was opened: a text in quotes may have brackets, too. */
static const char *predicate_begin(const char *text, const char *end) {
        const char *begin = NULL;
        bool quoted = false;

        for (const char *c = text; c < end; c++) {
                quoted ^= *c == '\'';
                if (*c == '(' && !quoted)
                        begin = c + 1;
        }
        return quoted ? NULL : begin;
}

/* A literal up to a comma or the end, as its value. */
static int literal_take(const char **at, const char *end, const ODataProperty *p, Arena *arena, Value *ret) {
        JsonItem item = {.kind = JSON_ITEM_TEXT};
        char *text = arena_alloc(arena, (size_t) (end - *at) + 1), *to = text;
        bool quoted = *at < end && **at == '\'';

        if (!text)
                return -ENOMEM;
        for (*at += quoted; *at < end && (quoted || **at != ','); (*at)++) {
                if (quoted && **at == '\'') {
                        (*at)++;
                        if (*at == end || **at != '\'')
                                break;
                }
                *to++ = **at;
        }
        *to = '\0';
        item.text = text;
        item.size = (size_t) (to - text);
        if (item.size == 0 && !quoted)
                return -EBADMSG;
        return rest_value_read(&item, p, arena, ret);
}

int odata_key_parse(const char *id, const ODataSet *set, Arena *arena, Value *ret) {
        const char *text = percent_decode(id, strlen(id), arena), *end, *at;
        size_t n_found = 0;
        int r;

        if (!text)
                return -ENOMEM;
        end = text + strlen(text);
        if (end == text || end[-1] != ')')
                return -EBADMSG;
        end--;
        at = predicate_begin(text, end);
        while (at && at < end) {
                const ODataProperty *p = set->n_key == 1 ? odata_key(set, 1) : NULL;

                for (unsigned i = 1; i <= set->n_key; i++) {
                        const char *name = odata_key(set, i)->name;

                        if (text_starts_with(at, name) && at[strlen(name)] == '=') {
                                p = odata_key(set, i);
                                at += strlen(name) + 1;
                                break;
                        }
                }
                if (!p)
                        return -EBADMSG;
                r = literal_take(&at, end, p, arena, &ret[p->key_place - 1]);
                if (r < 0)
                        return r;
                n_found++;
                if (at < end && *at != ',')
                        return -EBADMSG;
                at += at < end;
        }
        return n_found == set->n_key ? 0 : -EBADMSG;
}
