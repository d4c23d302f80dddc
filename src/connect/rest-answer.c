/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-answer.h"

#include <strings.h>

#include "basic/limits.h"
#include "basic/text.h"

#define WORDS_BYTES_MAX   160U
#define ERROR_BYTES_MAX   65536U /* of an answer that is looked through for a message */
#define MEMORY_PER_BYTE   12U    /* of a JSON document: small values cost more than their text */

char *rest_url_shown(const char *url) {
        const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : url;

        return path ? strndup(path, strcspn(path, "?#")) : strdup("/");
}

/* What stands between < and > is passed over, and all of a script or style. */
static const char *tag_skip(const char *at, const char *end) {
        static const char *const closed[] = {"script", "style"};

        for (size_t i = 0; i < ELEMENTSOF(closed); i++) {
                size_t n = strlen(closed[i]);

                if ((size_t) (end - at) <= n || strncasecmp(at + 1, closed[i], n) != 0)
                        continue;
                for (at++; at < end; at++)
                        if (end - at > (ptrdiff_t) n + 2 && at[0] == '<' && at[1] == '/' && strncasecmp(at + 2, closed[i], n) == 0)
                                break;
        }
        while (at < end && *at != '>')
                at++;
        return at < end ? at + 1 : end;
}

char *rest_words(const char *body, size_t size) {
        const char *at = body, *end = body + size;
        char *words = malloc(WORDS_BYTES_MAX + 8);
        size_t n = 0;

        if (!words)
                return NULL;
        while (at < end && n < WORDS_BYTES_MAX) {
                unsigned char c = (unsigned char) *at;

                if (c == '<' && end - at > 1 && (at[1] == '/' || at[1] == '!' || at[1] == '?' || (at[1] | 32) >= 'a')) {
                        at = tag_skip(at, end);
                        c = ' ';
                } else
                        at++;
                if (c <= ' ' || c == 0x7F) {
                        if (n > 0 && words[n - 1] != ' ')
                                words[n++] = ' ';
                } else
                        words[n++] = (char) c;
        }
        while (n > 0 && words[n - 1] == ' ')
                n--;
        for (size_t i = 0; i < 4 && n > 0 && !text_is_utf8(words, n); i++) /* cut in a character, perhaps */
                n--;
        if (!text_is_utf8(words, n))
                n = 0;
        if (at < end && n > 0)
                n = (size_t) (stpcpy(words + n, "…") - words);
        words[n] = '\0';
        return words;
}

/* {"error": {"message": …}} of OData, {"error": "…"}, {"detail": …}, {"title": …}, {"message": …}. */
static char *message_find(const char *body, size_t size) {
        static const char *const places[] = {"/error/message", "/error/message/value", "/error_description", "/detail",
                                             "/message", "/error", "/title"};
        _cleanup_arena_ Arena *arena = NULL;
        const JsonItem *document;
        const char *text;

        if (size > ERROR_BYTES_MAX || arena_new(&arena) < 0 ||
            json_item_parse(body, size, 1U << 20, arena, &document, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                text = json_item_text(json_item_at(document, places[i]));
                if (text && *text)
                        return rest_words(text, strlen(text));
        }
        return NULL;
}

static const struct { long status; ErrorId id; const char *remedy; } meanings[] = {
        {401, ERROR_SYSTEM_REFUSED, "Check auth: and the secret in the file of its credential"},
        {403, ERROR_SYSTEM_REFUSED, "Ask for the right to do this for the account of auth:"},
        {404, ERROR_SYSTEM_REFUSED, "Check url:, and the name in the mapping"},
        {405, ERROR_SYSTEM_REFUSED, "The service does not allow this; look at its documentation"},
        {408, ERROR_SYSTEM_UNAVAILABLE, NULL},
        {429, ERROR_SYSTEM_BUSY, "Ask for the limits of the service"},
};

int rest_status_error(const RestClient *c, const char *method, const char *url, long status, const char *body, size_t size,
                      Error *error) {
        _cleanup_free_ char *shown = rest_url_shown(url), *words = message_find(body, size);
        ErrorId id = status >= 500 && status != 501 ? ERROR_SYSTEM_UNAVAILABLE : ERROR_SYSTEM_REFUSED;
        const char *remedy = status >= 500 ? "Look at the service" : status / 100 == 3
                ? "Write the address it leads to in url:, or the auth: that a login page wants" : NULL;

        if (!words)
                words = rest_words(body, size);
        if (!shown || !words)
                return -ENOMEM;
        rest_client_mask(c, words);
        for (size_t i = 0; i < ELEMENTSOF(meanings); i++)
                if (meanings[i].status == status) {
                        id = meanings[i].id;
                        remedy = meanings[i].remedy;
                }
        return error_set(error, id, remedy, "System \"%s\": %s %s is answered with %ld%s%s", rest_client_options(c)->system->name,
                         method, shown, status, *words ? ": " : "", words);
}

int rest_response_error(const RestClient *c, const RestRequest *q, const RestResponse *response, Error *error) {
        _cleanup_free_ char *shown = response->location ? rest_url_shown(response->location) : NULL;
        _cleanup_free_ char *from = rest_url_shown(q->url);

        if (response->status / 100 == 3 && shown && from)
                return error_set(error, ERROR_SYSTEM_REFUSED,
                                 "Write the address it leads to in url:, or the auth: that a login page wants",
                                 "System \"%s\": %s %s is answered with %ld, it leads to %s", rest_client_options(c)->system->name,
                                 q->method, from, response->status, shown);
        return rest_status_error(c, q->method, q->url, response->status, response->body, response->size, error);
}

static bool is_page(const RestResponse *r) {
        const char *at = r->body + strspn(r->body, " \t\r\n");

        return *at == '<' || (r->content_type && strncasecmp(r->content_type, "text/html", 9) == 0);
}

int rest_response_json(const RestClient *c, const RestRequest *q, const RestResponse *response, Arena *arena, const JsonItem **ret,
                       Error *error) {
        _cleanup_free_ char *shown = rest_url_shown(q->url), *words = rest_words(response->body, response->size);
        const char *system = rest_client_options(c)->system->name;
        size_t memory = response->size * MEMORY_PER_BYTE + 65536;
        int r;

        if (!shown || !words)
                return -ENOMEM;
        rest_client_mask(c, words);
        if (is_page(response))
                return error_set(error, ERROR_SYSTEM_REFUSED,
                                 "Check url: and auth:; a login page or a proxy may have answered instead of the service",
                                 "System \"%s\": %s %s is answered with a page instead of JSON: %s", system, q->method, shown, words);
        r = json_item_parse(response->body, response->size, memory < REST_PAGE_MEMORY_MAX ? memory : REST_PAGE_MEMORY_MAX, arena,
                            ret, error);
        if (r < 0 && error && error->id != ERROR_NONE) {
                error_prefix(error, "System \"%s\": %s %s is answered with \"%s\"", system, q->method, shown, words);
                if (!error->remedy)
                        error->remedy = strdup("Look at the service, or at a proxy before it");
        }
        return r;
}
