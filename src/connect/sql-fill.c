/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/text.h"
#include "connect/sql.h"

/* Where the text that begins at `at` ends: behind the closing quote, which is doubled inside. With escapes
 * (E'…') a backslash keeps the next character. NULL: it does not end. */
static const char *quoted_end(const char *at, bool escapes) {
        char quote = *at;

        for (at++; *at; at++) {
                if (escapes && *at == '\\' && at[1])
                        at++;
                else if (*at == quote && at[1] == quote)
                        at++;
                else if (*at == quote)
                        return at + 1;
        }
        return NULL;
}

static const char *line_end(const char *at) { return at + strcspn(at, "\n"); }

/* Comments nest. */
static const char *comment_end(const char *at) {
        unsigned depth = 0;

        for (; *at; at++) {
                if (at[0] == '/' && at[1] == '*') {
                        depth++;
                        at++;
                } else if (at[0] == '*' && at[1] == '/') {
                        at++;
                        if (--depth == 0)
                                return at + 1;
                }
        }
        return NULL;
}

static bool is_name_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80); }

static bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '$'; }

/* $tag$ … $tag$. at itself where no tag begins here; NULL: it does not end. */
static const char *dollar_end(const char *at) {
        const char *p = at + 1;
        _cleanup_free_ char *tag = NULL;

        if (is_name_start(*p))
                while (is_name(*p) && *p != '$')
                        p++;
        if (*p != '$')
                return at;
        tag = strndup(at, (size_t) (p - at) + 1);
        if (!tag)
                return NULL;
        p = strstr(p + 1, tag);
        return p ? p + strlen(tag) : NULL;
}

/* The end of what must be left as it is; at where nothing such begins. */
static const char *opaque_end(const char *begin, const char *at) {
        switch (*at) {
        case '\'':
                return quoted_end(at, at > begin && (at[-1] == 'E' || at[-1] == 'e') &&
                                              (at - 1 == begin || !is_name(at[-2])));
        case '"': return quoted_end(at, false);
        case '-': return at[1] == '-' ? line_end(at) : at;
        case '/': return at[1] == '*' ? comment_end(at) : at;
        case '$': return at > begin && is_name(at[-1]) ? at : dollar_end(at);
        default: return at;
        }
}

static void literal_write(FILE *stream, const Value *v) {
        char text[DECIMAL_TEXT_MAX];
        Decimal number;

        if (v->type == VALUE_TEXT) {
                (void) fputc('\'', stream);
                for (size_t i = 0; i < v->size; i++) {
                        if (v->bytes[i] == '\'')
                                (void) fputc('\'', stream);
                        (void) fputc(v->bytes[i], stream);
                }
                (void) fputc('\'', stream);
                return;
        }
        if (v->type == VALUE_INTEGER)
                number = decimal_from_integer(v->integer);
        else if (v->type == VALUE_DECIMAL)
                number = v->decimal;
        else {
                (void) fputs("null", stream);
                return;
        }
        (void) decimal_format(&number, text);
        (void) fprintf(stream, "(%s)", text);
}

/* Gives the place behind a :name that was replaced; at where none stands; NULL: no such variable. */
static const char *variable_write(FILE *stream, const char *at, sql_find_t find, const void *context) {
        const char *end = at + 1;
        const Value *value;

        if (at[1] == ':' || !is_name_start(at[1]))
                return at;
        while (is_name(*end) && *end != '$')
                end++;
        value = find(context, at + 1, (size_t) (end - at - 1));
        if (!value)
                return NULL;
        literal_write(stream, value);
        return end;
}

static int fill(FILE *stream, const char *where, sql_find_t find, const void *context, Error *error) {
        for (const char *at = where; *at;) {
                const char *end = opaque_end(where, at);

                if (!end)
                        return error_set(error, ERROR_MAPPING, "Close the quote or the comment",
                                         "where: has no end of what begins at \"%.20s\"", at);
                if (end == at && at[0] == ':' && at[1] == ':')
                        end = at + 2; /* a cast */
                else if (end == at && at[0] == ':') {
                        end = variable_write(stream, at, find, context);
                        if (!end)
                                return error_set(error, ERROR_MAPPING,
                                                 "Write :NAME and declare NAME under variables:",
                                                 "where: names \"%.*s\", which is no variable",
                                                 (int) (1 + strcspn(at + 1, " \t\r\n)(,;=<>+-*/'\"")), at);
                        if (end != at) {
                                at = end;
                                continue;
                        }
                }
                if (end == at)
                        end++;
                (void) fwrite(at, 1, (size_t) (end - at), stream);
                at = end;
        }
        return 0;
}

int sql_fill(const char *where, sql_find_t find, const void *context, char **ret, Error *error) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        size_t size = 0;
        int r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        r = fill(stream, where, find, context, error);
        if (r < 0)
                return r;
        if (fclose(TAKE_PTR(stream)) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}
