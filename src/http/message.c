/* SPDX-License-Identifier: Apache-2.0 */
#include "http/message.h"

#include <ctype.h>
#include <errno.h>

#include "basic/json.h"
#include "basic/text.h"

const char *http_status_text(int status) {
        static const struct { int status; const char *text; } texts[] = {
                { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 302, "Found" },
                { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
                { 405, "Method Not Allowed" }, { 409, "Conflict" }, { 413, "Content Too Large" },
                { 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
                { 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" },
                { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (texts[i].status == status)
                        return texts[i].text;
        return "Unknown";
}

bool http_token_is_valid(const char *bytes, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (!isalnum((unsigned char) bytes[i]) && (bytes[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", bytes[i])))
                        return false;
        return size > 0;
}

bool http_method_is_known(const char *method) {
        static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (text_equal(method, known[i]))
                        return true;
        return false;
}

bool http_method_is_idempotent(const char *method) {
        return text_equal(method, "GET") || text_equal(method, "HEAD") || text_equal(method, "OPTIONS");
}

int http_problem_new(const Error *error, const char *instance, json_t **ret) {
        json_auto_t *problem = json_object();
        int r;

        if (!problem)
                return -ENOMEM;
        r = json_put(problem, "type", json_sprintf("urn:terrafusion:error:%s", error_code(error->id)));
        if (r < 0)
                return r;
        if ((r = json_put(problem, "title", json_text(error_title(error->id)))) < 0 ||
            (r = json_put(problem, "status", json_integer(error_http_status(error->id)))) < 0 ||
            (r = json_put(problem, "detail", json_text(error->detail ?: error_title(error->id)))) < 0 ||
            (r = json_put(problem, "code", json_text(error_code(error->id)))) < 0)
                return r;
        if (instance && (r = json_put(problem, "instance", json_text(instance))) < 0)
                return r;
        if (error->field && (r = json_put(problem, "field", json_text(error->field))) < 0)
                return r;
        if (error->line > 0 && ((r = json_put(problem, "line", json_integer(error->line))) < 0 ||
                                (r = json_put(problem, "column", json_integer(error->column))) < 0))
                return r;
        if (error->remedy && (r = json_put(problem, "remedy", json_text(error->remedy))) < 0)
                return r;
        *ret = TAKE_PTR(problem);
        return 0;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char) (c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int http_percent_decode(const char *bytes, size_t size, bool plus, char **ret) {
        _cleanup_free_ char *decoded = malloc(size + 1);
        size_t n = 0;

        if (!decoded)
                return -ENOMEM;
        for (size_t i = 0; i < size; i++)
                if (bytes[i] == '%') {
                        int high = i + 2 < size ? hex_digit(bytes[i + 1]) : -1;
                        int low = high >= 0 ? hex_digit(bytes[i + 2]) : -1;

                        if (low < 0 || (high == 0 && low == 0))
                                return -EINVAL;
                        decoded[n++] = (char) (high << 4 | low);
                        i += 2;
                } else if (bytes[i] == '\0')
                        return -EINVAL;
                else
                        decoded[n++] = plus && bytes[i] == '+' ? ' ' : bytes[i];
        if (!text_is_utf8(decoded, n))
                return -EINVAL;
        decoded[n] = '\0';
        *ret = TAKE_PTR(decoded);
        return 0;
}

static int query_add(json_t *query, const char *item, size_t size, Error *error) {
        _cleanup_free_ char *name = NULL, *value = NULL;
        const char *equals = memchr(item, '=', size);
        size_t name_size = equals ? (size_t) (equals - item) : size;
        int r;

        r = http_percent_decode(item, name_size, true, &name);
        if (r >= 0)
                r = equals ? http_percent_decode(equals + 1, size - name_size - 1, true, &value) :
                             http_percent_decode("", 0, true, &value);
        if (r == -EINVAL)
                return error_set(error, ERROR_BAD_REQUEST, "Encode the query as UTF-8 with %XX escapes.",
                                 "Query parameter \"%.*s\" is not validly encoded", (int) (size > 80 ? 80 : size), item);
        if (r < 0)
                return r;
        if (json_object_get(query, name)) {
                r = error_set(error, ERROR_ARGUMENT, "Give it once.", "Query parameter \"%s\" is given twice", name);
                (void) error_field(error, name);
                return r;
        }
        return json_put(query, name, json_text(value));
}

int http_query_parse(const char *query, json_t **ret, Error *error) {
        json_auto_t *object = json_object();
        int r;

        if (!object)
                return -ENOMEM;
        for (const char *p = query; *p;) {
                size_t size = strcspn(p, "&");

                if (size > 0) {
                        r = query_add(object, p, size, error);
                        if (r < 0)
                                return r;
                }
                p += size + (p[size] == '&');
        }
        *ret = TAKE_PTR(object);
        return 0;
}
