/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/json-item.h"

#include "basic/text.h"

#define DEPTH_MAX       64U
#define MEMBERS_MAX     4096U /* of one object: each new name is compared with those before it */

typedef struct Parser {
        const char *begin, *at, *end;
        Arena *arena;
        size_t memory_max, memory_before;
        const char *fault; /* what is wrong at `at`; NULL: nothing yet */
} Parser;

static int fault(Parser *p, const char *what) {
        p->fault = what;
        return -EBADMSG;
}

static void blanks_skip(Parser *p) {
        while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
                p->at++;
}

static int cut_off(Parser *p) { return fault(p, "ends in the middle"); }

static int item_new(Parser *p, JsonItem **ret) {
        if (arena_size_bytes(p->arena) - p->memory_before > p->memory_max)
                return -EFBIG;
        *ret = arena_alloc_zero(p->arena, sizeof(JsonItem));
        return *ret ? 0 : -ENOMEM;
}

/* ---- numbers and words ---- */

static size_t digits_skip(Parser *p) {
        const char *from = p->at;

        while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
                p->at++;
        return (size_t) (p->at - from);
}

static int number_parse(Parser *p, JsonItem *item) {
        const char *from = p->at;

        p->at += *p->at == '-';
        if (p->at < p->end && *p->at == '0') {
                p->at++;
                if (p->at < p->end && *p->at >= '0' && *p->at <= '9')
                        return fault(p, "has a number that begins with 0");
        } else if (digits_skip(p) == 0)
                return p->at == p->end ? cut_off(p) : fault(p, "has no digit where a number is");
        if (p->at < p->end && *p->at == '.') {
                p->at++;
                if (digits_skip(p) == 0)
                        return p->at == p->end ? cut_off(p) : fault(p, "has no digit behind a point");
        }
        if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
                p->at++;
                p->at += p->at < p->end && (*p->at == '+' || *p->at == '-');
                if (digits_skip(p) == 0)
                        return p->at == p->end ? cut_off(p) : fault(p, "has no digit in an exponent");
        }
        item->kind = JSON_ITEM_NUMBER;
        item->text = from;
        item->size = (size_t) (p->at - from);
        return 0;
}

static int word_parse(Parser *p, JsonItem *item) {
        static const struct { const char *word; JsonKind kind; } words[] = {
                {"null", JSON_ITEM_NULL}, {"true", JSON_ITEM_TRUE}, {"false", JSON_ITEM_FALSE}};
        size_t left = (size_t) (p->end - p->at);

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                size_t size = strlen(words[i].word), have = left < size ? left : size;

                if (have == 0 || memcmp(p->at, words[i].word, have) != 0)
                        continue;
                if (have < size)
                        return cut_off(p);
                p->at += size;
                item->kind = words[i].kind;
                return 0;
        }
        return fault(p, "has something that is no JSON value");
}

/* ---- texts ---- */

static int hex4_parse(Parser *p, unsigned *ret) {
        unsigned number = 0;

        for (unsigned i = 0; i < 4; i++, p->at++) {
                static const char digits[] = "0123456789abcdef";
                const char *digit;

                if (p->at == p->end)
                        return cut_off(p);
                digit = *p->at ? strchr(digits, *p->at >= 'A' && *p->at <= 'F' ? *p->at + 32 : *p->at) : NULL;
                if (!digit)
                        return fault(p, "has \\u without four hexadecimal digits");
                number = number << 4 | (unsigned) (digit - digits);
        }
        *ret = number;
        return 0;
}

static char *utf8_write(char *to, unsigned c) {
        if (c < 0x80)
                *to++ = (char) c;
        else if (c < 0x800) {
                *to++ = (char) (0xC0 | c >> 6);
                *to++ = (char) (0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
                *to++ = (char) (0xE0 | c >> 12);
                *to++ = (char) (0x80 | (c >> 6 & 0x3F));
                *to++ = (char) (0x80 | (c & 0x3F));
        } else {
                *to++ = (char) (0xF0 | c >> 18);
                *to++ = (char) (0x80 | (c >> 12 & 0x3F));
                *to++ = (char) (0x80 | (c >> 6 & 0x3F));
                *to++ = (char) (0x80 | (c & 0x3F));
        }
        return to;
}

/* Behind "\u": one character, of two halves where it is beyond the 16 bits. */
static int character_parse(Parser *p, char **to) {
        unsigned high, low;
        int r;

        r = hex4_parse(p, &high);
        if (r < 0)
                return r;
        if (high >= 0xDC00 && high <= 0xDFFF)
                return fault(p, "has half a character (\\uDC00 to \\uDFFF)");
        if (high >= 0xD800 && high <= 0xDBFF) {
                if (p->end - p->at < 2 || p->at[0] != '\\' || p->at[1] != 'u')
                        return fault(p, "has half a character (\\uD800 to \\uDBFF)");
                p->at += 2;
                r = hex4_parse(p, &low);
                if (r < 0)
                        return r;
                if (low < 0xDC00 || low > 0xDFFF)
                        return fault(p, "has half a character (\\uD800 to \\uDBFF)");
                high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        }
        *to = utf8_write(*to, high);
        return 0;
}

static int escape_parse(Parser *p, char **to) {
        static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
        const char *place;

        p->at++;
        if (p->at == p->end)
                return cut_off(p);
        if (*p->at == 'u') {
                p->at++;
                return character_parse(p, to);
        }
        place = *p->at ? strchr(from, *p->at) : NULL;
        if (!place)
                return fault(p, "has an unknown escape in a text");
        *(*to)++ = into[place - from];
        p->at++;
        return 0;
}

/* Where the text that begins at `at` ends: its closing quote, or NULL. */
static const char *text_end(const Parser *p) {
        for (const char *c = p->at; c < p->end; c++) {
                if (*c == '"')
                        return c;
                if (*c == '\\')
                        c++;
        }
        return NULL;
}

static int text_parse(Parser *p, const char **ret, size_t *ret_size, bool *ret_has_nul) {
        const char *end;
        char *text, *to;
        int r;

        p->at++;
        end = text_end(p);
        if (!end) {
                p->at = p->end;
                return cut_off(p);
        }
        text = to = arena_alloc(p->arena, (size_t) (end - p->at) + 1); /* an escape is never shorter than what it means */
        if (!text)
                return -ENOMEM;
        while (p->at < end) {
                if (*p->at == '\\') {
                        r = escape_parse(p, &to);
                        if (r < 0)
                                return r;
                } else if ((unsigned char) *p->at < 0x20)
                        return fault(p, "has a control character in a text");
                else
                        *to++ = *p->at++;
        }
        *to = '\0';
        *ret_size = (size_t) (to - text);
        if (!text_is_utf8(text, *ret_size))
                return fault(p, "has a text that is not UTF-8");
        *ret_has_nul = memchr(text, '\0', *ret_size) != NULL;
        p->at = end + 1;
        *ret = text;
        return 0;
}

/* ---- values ---- */

static int value_parse(Parser *p, unsigned depth, JsonItem *item);

static int name_parse(Parser *p, const JsonItem *object, const char **ret) {
        bool has_nul;
        size_t size;
        int r;

        if (p->at == p->end)
                return cut_off(p);
        if (*p->at != '"')
                return fault(p, "has no name where a member begins");
        r = text_parse(p, ret, &size, &has_nul);
        if (r < 0)
                return r;
        if (has_nul)
                return fault(p, "has a NUL character in a member's name");
        if (object->n_children >= MEMBERS_MAX)
                return fault(p, "has an object of more than 4096 members");
        /* Which of two would count is anyone's guess. */
        if (json_item_member(object, *ret))
                return fault(p, "names a member of an object twice");
        blanks_skip(p);
        if (p->at == p->end)
                return cut_off(p);
        if (*p->at != ':')
                return fault(p, "has no colon behind a member's name");
        p->at++;
        return 0;
}

/* Objects and arrays: what is between the brackets. */
static int children_parse(Parser *p, unsigned depth, JsonItem *item) {
        const char *from = p->at;
        char close = *p->at == '{' ? '}' : ']';
        const JsonItem **place = &item->first;
        int r;

        item->kind = close == '}' ? JSON_ITEM_OBJECT : JSON_ITEM_ARRAY;
        p->at++;
        blanks_skip(p);
        while (p->at < p->end && (*p->at != close || item->first)) {
                JsonItem *child;
                const char *name = NULL;

                r = close == '}' ? name_parse(p, item, &name) : 0;
                if (r == 0)
                        r = item_new(p, &child);
                if (r == 0)
                        r = value_parse(p, depth + 1, child);
                if (r < 0)
                        return r;
                child->name = name;
                *place = child;
                place = &child->next;
                item->n_children++;
                blanks_skip(p);
                if (p->at == p->end)
                        return cut_off(p);
                if (*p->at == close)
                        break;
                if (*p->at != ',')
                        return fault(p, "has no comma between two values");
                p->at++;
                blanks_skip(p);
        }
        if (p->at == p->end)
                return cut_off(p);
        p->at++;
        item->text = from;
        item->size = (size_t) (p->at - from);
        return 0;
}

static int value_parse(Parser *p, unsigned depth, JsonItem *item) {
        if (depth > DEPTH_MAX)
                return fault(p, "is nested deeper than 64");
        blanks_skip(p);
        if (p->at == p->end)
                return cut_off(p);
        switch (*p->at) {
        case '{':
        case '[': return children_parse(p, depth, item);
        case '"':
                item->kind = JSON_ITEM_TEXT;
                return text_parse(p, &item->text, &item->size, &item->has_nul);
        case '-':
        case '0' ... '9': return number_parse(p, item);
        default: return word_parse(p, item);
        }
}

int json_item_parse(const char *bytes, size_t size, size_t memory_max, Arena *arena, const JsonItem **ret,
                    Error *error) {
        Parser p = {.begin = bytes, .at = bytes, .end = bytes + size, .arena = arena, .memory_max = memory_max,
                    .memory_before = arena_size_bytes(arena)};
        JsonItem *item;
        int r;

        if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
                p.at += 3;
        r = item_new(&p, &item);
        if (r == 0)
                r = value_parse(&p, 0, item);
        if (r == 0) {
                blanks_skip(&p);
                if (p.at < p.end)
                        r = fault(&p, "goes on behind its end");
        }
        if (r == -EFBIG)
                return error_set(error, ERROR_FILE_FORMAT, "Ask for smaller pages",
                                 "The JSON document needs more than %zu KiB of memory", memory_max >> 10);
        if (r == -EBADMSG)
                return error_set(error, ERROR_FILE_FORMAT, NULL, "The JSON document %s (byte %zu of %zu)", p.fault,
                                 (size_t) (p.at - p.begin) + (p.at < p.end), size);
        if (r < 0)
                return r;
        *ret = item;
        return 0;
}

/* ---- looking ---- */

const JsonItem *json_item_member(const JsonItem *item, const char *name) {
        if (!item || item->kind != JSON_ITEM_OBJECT)
                return NULL;
        for (const JsonItem *child = item->first; child; child = child->next)
                if (text_equal(child->name, name))
                        return child;
        return NULL;
}

/* One name of a pointer against a member's: ~1 is a slash, ~0 a tilde. */
static bool name_matches(const char *name, const char *token, size_t size) {
        for (size_t i = 0; i < size; i++, name++) {
                char c = token[i];

                if (c == '~' && i + 1 < size && (token[i + 1] == '0' || token[i + 1] == '1'))
                        c = token[++i] == '1' ? '/' : '~';
                if (*name == '\0' || *name != c)
                        return false;
        }
        return *name == '\0';
}

static const JsonItem *child_find(const JsonItem *item, const char *token, size_t size) {
        size_t index = 0;

        if (item->kind == JSON_ITEM_OBJECT) {
                for (const JsonItem *child = item->first; child; child = child->next)
                        if (name_matches(child->name, token, size))
                                return child;
                return NULL;
        }
        if (item->kind != JSON_ITEM_ARRAY || size == 0 || size > 9)
                return NULL;
        for (size_t i = 0; i < size; i++) {
                if (token[i] < '0' || token[i] > '9')
                        return NULL;
                index = index * 10 + (size_t) (token[i] - '0');
        }
        for (const JsonItem *child = item->first; child; child = child->next)
                if (index-- == 0)
                        return child;
        return NULL;
}

const JsonItem *json_item_at(const JsonItem *item, const char *pointer) {
        if (*pointer == '\0')
                return item;
        pointer += *pointer == '/';
        while (item) {
                size_t size = strcspn(pointer, "/");

                item = child_find(item, pointer, size);
                if (pointer[size] == '\0')
                        return item;
                pointer += size + 1;
        }
        return NULL;
}

const char *json_item_text(const JsonItem *item) {
        return json_item_is(item, JSON_ITEM_TEXT) ? item->text : NULL;
}
