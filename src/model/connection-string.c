/* SPDX-License-Identifier: Apache-2.0 */
#include "model/connection-string.h"

#include "basic/text.h"

#include <strings.h>

/* The place behind a value: at the ";" or the end. NULL: a brace is not closed. */
static const char *value_end(const char *at) {
        if (*at != '{')
                return at + strcspn(at, ";");
        for (at++; *at; at++)
                if (*at == '}') {
                        if (at[1] != '}')
                                return at + 1 + strcspn(at + 1, ";");
                        at++;
                }
        return NULL;
}

int connection_part_next(const char **at, ConnectionPart *ret) {
        const char *begin = *at + strspn(*at, "; \t\r\n"), *sign = strpbrk(begin, "=;"), *end;

        if (!*begin)
                return 0;
        if (!sign || *sign != '=')
                return -EBADMSG;
        *ret = (ConnectionPart){
                .keyword = begin, .keyword_size = (size_t) (sign - begin), .value = sign + 1};
        ret->value += strspn(ret->value, " \t");
        while (ret->keyword_size > 0 && strchr(" \t", begin[ret->keyword_size - 1]))
                ret->keyword_size--;
        end = value_end(ret->value);
        if (!end)
                return -EBADMSG;
        *at = end;
        while (end > ret->value && strchr(" \t\r\n", end[-1]))
                end--;
        ret->value_size = (size_t) (end - ret->value);
        return 1;
}

bool connection_part_is(const ConnectionPart *part, const char *keyword) {
        return part->keyword_size == strlen(keyword) &&
               strncasecmp(part->keyword, keyword, part->keyword_size) == 0;
}

char *connection_string_find(const char *text, const char *keyword) {
        ConnectionPart part;

        while (connection_part_next(&text, &part) > 0) {
                bool braced = part.value_size >= 2 && part.value[0] == '{';
                char *value, *end;

                if (!connection_part_is(&part, keyword))
                        continue;
                value = end = malloc(part.value_size + 1);
                if (!value)
                        return NULL;
                for (size_t i = braced; i < part.value_size - braced; i++) {
                        *end++ = part.value[i];
                        if (braced && part.value[i] == '}')
                                i++; /* the second of two */
                }
                *end = '\0';
                return value;
        }
        return NULL;
}

char *connection_string_add(const char *text, const char *keyword, const char *value) {
        size_t size = strlen(text) + strlen(keyword) + 2 * strlen(value) + 5;
        char *added = malloc(size), *at;

        if (!added)
                return NULL;
        at = stpcpy(added, text);
        if (at > added && at[-1] != ';')
                *at++ = ';';
        at = stpcpy(stpcpy(at, keyword), "={");
        for (; *value; value++) {
                if (*value == '}')
                        *at++ = '}';
                *at++ = *value;
        }
        *at++ = '}';
        *at = '\0';
        return added;
}

char *connection_string_shown(const char *text) {
        /* A list of what may, never of what may not. */
        static const char *const shown[] = {"dsn",     "driver", "server",  "servername", "host",
                                            "address", "port",   "socket",  "database",   "db",
                                            "uid",     "user",   "username"};
        char *found = malloc(strlen(text) + 1), *at = found;
        ConnectionPart part;

        if (!found)
                return NULL;
        *at = '\0';
        while (connection_part_next(&text, &part) > 0)
                for (size_t i = 0; i < ELEMENTSOF(shown); i++)
                        if (connection_part_is(&part, shown[i])) {
                                if (at > found)
                                        *at++ = ';';
                                at = mempcpy(at, part.keyword, part.keyword_size);
                                *at++ = '=';
                                at = mempcpy(at, part.value, part.value_size);
                                *at = '\0';
                                break;
                        }
        return found;
}
