/* SPDX-License-Identifier: Apache-2.0 */
#include "model/system.h"

#include "basic/json.h"
#include "basic/text.h"
#include "model/connection-string.h"

const Field system_document_fields[] = {
        {"name", FIELD_TEXT, .summary = "The system's name."},
        {"kind", FIELD_TEXT, .summary = "Which connector it needs."},
        {"access", FIELD_TEXT, .summary = "read or write."},
        {"path", FIELD_TEXT, .summary = "File or folder."},
        {"hours", FIELD_TEXT, .summary = "When it may be used, in local time; empty: always."},
        {"source_of", FIELD_TEXTS, .summary = "Pairs that read it."},
        {"target_of", FIELD_TEXTS, .summary = "Pairs that write it."},
        {},
};

System *system_free(System *s) {
        if (!s)
                return NULL;
        free(s->name);
        free(s->kind);
        free(s->path);
        free(s->connection);
        free(s->credential);
        free(s->file);
        json_decref(s->options);
        layout_free(s->layout);
        free(s);
        return NULL;
}

static const char *const shown[] = {"host", "port", "dbname", "user"}; /* a list of what may, never of what may not */
enum { SHOWN_HOST, SHOWN_PORT, SHOWN_DBNAME, SHOWN_USER };

/* One value behind "name =": bare up to a blank, or in single quotes; a backslash keeps the next character.
 * Gives the place behind it. */
static const char *value_end(const char *at) {
        bool quoted = *at == '\'';

        for (at += quoted; *at && (quoted ? *at != '\'' : *at != ' '); at++)
                if (*at == '\\' && at[1])
                        at++;
        return *at && quoted ? at + 1 : at;
}

static void pairs_find(const char *at, const char **begins, size_t *sizes) {
        while (*(at += strspn(at, " \t\r\n"))) {
                size_t n_name = strcspn(at, "= \t\r\n");
                const char *value = at + n_name, *end;

                value += strspn(value, " \t\r\n");
                if (*value != '=')
                        return;
                value++;
                value += strspn(value, " \t\r\n");
                end = value_end(value);
                for (size_t i = 0; i < ELEMENTSOF(shown); i++)
                        if (strlen(shown[i]) == n_name && memcmp(shown[i], at, n_name) == 0) {
                                begins[i] = value;
                                sizes[i] = (size_t) (end - value);
                        }
                at = end;
        }
}

static void part_set(const char **begins, size_t *sizes, unsigned part, const char *begin, const char *end) {
        begins[part] = begin;
        sizes[part] = (size_t) (end - begin);
}

/* scheme://[user[:password]@]host[:port][,…][/dbname][?…] */
static void uri_find(const char *at, const char **begins, size_t *sizes) {
        const char *end = at + strcspn(at, "/?#"), *host = at, *sign = NULL;

        for (const char *c = at; c < end; c++)
                if (*c == '@')
                        sign = c; /* the last one: a password that is not encoded may have others */
        if (sign) {
                const char *colon = memchr(at, ':', (size_t) (sign - at));

                part_set(begins, sizes, SHOWN_USER, at, colon ? colon : sign);
                host = sign + 1;
        }
        part_set(begins, sizes, SHOWN_HOST, host, end);
        if (*end == '/' && !memchr(end, '@', strlen(end))) /* else the password had a slash, and all is in doubt */
                part_set(begins, sizes, SHOWN_DBNAME, end + 1, end + 1 + strcspn(end + 1, "?#"));
        else if (*end == '/')
                (void) memset(sizes, 0, ELEMENTSOF(shown) * sizeof(*sizes));
}

char *connection_shown(const char *connection) {
        const char *begins[ELEMENTSOF(shown)] = {}, *scheme = strstr(connection, "://");
        size_t sizes[ELEMENTSOF(shown)] = {}, size = 1;
        char *text, *at;

        if (scheme && (text_starts_with(connection, "postgresql://") || text_starts_with(connection, "postgres://")))
                uri_find(scheme + 3, begins, sizes);
        else
                pairs_find(connection, begins, sizes);
        for (size_t i = 0; i < ELEMENTSOF(shown); i++)
                size += strlen(shown[i]) + sizes[i] + 2;
        text = at = malloc(size);
        if (!text)
                return NULL;
        *at = '\0';
        for (size_t i = 0; i < ELEMENTSOF(shown); i++)
                if (sizes[i] > 0) {
                        at = stpcpy(stpcpy(stpcpy(at, at > text ? " " : ""), shown[i]), "=");
                        at = mempcpy(at, begins[i], sizes[i]);
                        *at = '\0';
                }
        return text;
}

json_t *system_to_json(const System *s) {
        json_auto_t *object = json_object();
        _cleanup_free_ char *connection = !s->connection                  ? NULL
                                          : text_equal(s->kind, "odbc") ? connection_string_shown(s->connection)
                                                                        : connection_shown(s->connection);
        char hours[HOURS_TEXT_MAX];

        if (s->connection && (!connection || json_put(object, "connection", json_text(connection)) < 0 ||
                              json_put(object, "credential", json_text(s->credential)) < 0))
                return NULL;
        if (json_put(object, "name", json_text(s->name)) < 0 ||
            json_put(object, "kind", json_text(s->kind)) < 0 ||
            json_put(object, "access", json_string(s->may_write ? "write" : "read")) < 0 ||
            json_put(object, "path", json_text(s->path)) < 0)
                return NULL;
        hours_format(&s->hours, hours);
        if (json_put(object, "hours", hours_are_set(&s->hours) ? json_string(hours) : json_null()) < 0)
                return NULL;
        return TAKE_PTR(object);
}
