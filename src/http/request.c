/* SPDX-License-Identifier: Apache-2.0 */
#include "http/request.h"

#include <errno.h>
#include <microhttpd.h>
#include <strings.h>

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "basic/uuid.h"
#include "http/message.h"

#define HEADERS_MAX 100U        /* of one request: browsers send 20 */

struct HttpText {
        HttpText *next;
        char bytes[];
};

int http_request_new(const char *uri, HttpConnection *connection, struct Listener *listener, HttpRequest **ret) {
        _cleanup_http_request_ HttpRequest *q = malloc(sizeof(HttpRequest));
        size_t n = strcspn(uri, "?");

        if (!q)
                return -ENOMEM;
        memset(q, 0, offsetof(HttpRequest, text));
        q->n_ref = 1;
        q->connection = connection;
        q->listener = listener;
        q->is_unix = connection->is_unix;
        q->is_loopback = connection->is_loopback;
        q->uid = connection->uid;
        q->path = http_request_text(q, uri, n);
        q->query = uri[n] ? http_request_text(q, uri + n + 1, strlen(uri + n + 1)) : "";
        q->peer = http_request_text(q, connection->peer, strlen(connection->peer));
        if (!q->path || !q->query || !q->peer)
                return -ENOMEM;
        *ret = TAKE_PTR(q);
        return 0;
}

const char *http_request_text(HttpRequest *q, const char *text, size_t size) {
        char *copy = q->text + q->n_text;
        HttpText *block;

        if (size < sizeof(q->text) - q->n_text)
                q->n_text += size + 1;
        else {
                block = malloc(sizeof(HttpText) + size + 1);
                if (!block)
                        return NULL;
                block->next = q->texts;
                q->texts = block;
                copy = block->bytes;
        }
        memcpy(copy, text, size);
        copy[size] = '\0';
        return copy;
}

HttpRequest *http_request_ref(HttpRequest *q) {
        q->n_ref++;
        return q;
}

HttpRequest *http_request_unref(HttpRequest *q) {
        if (!q)
                return NULL;
        assert(q->n_ref > 0);
        if (--q->n_ref > 0) {
                /* Only the connection's own reference is left and it waits: the handler forgot to answer. */
                if (q->n_ref == 1 && q->suspended && q->status == 0)
                        http_reply_text(q, 500, "text/plain", "Nobody answered.\n");
                return NULL;
        }
        for (HttpText *block = q->texts, *next; block; block = next) {
                next = block->next;
                free(block);
        }
        free(q->headers);
        free(q->reply_headers);
        free(q->body);
        free(q->answer);
        free(q);
        return NULL;
}

static int headers_add(HttpHeader **headers, size_t *n, size_t *capacity, HttpHeader header) {
        int r;

        if (!header.name || !header.value)
                return -ENOMEM;
        r = array_grow(headers, capacity, *n + 1, sizeof(HttpHeader));
        if (r < 0)
                return r;
        (*headers)[(*n)++] = header;
        return 0;
}

typedef struct HeaderCheck {
        HttpRequest *request;
        const char *mistake;
        int r;
} HeaderCheck;

static bool value_is_clean(const char *value, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (((unsigned char) value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
                        return false;
        return true;
}

static enum MHD_Result on_header(void *userdata, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                 const char *value, size_t value_size) {
        HeaderCheck *check = userdata;
        HttpRequest *q = check->request;

        if (!http_token_is_valid(name, name_size))
                check->mistake = "A header's name is not a token";
        else if (!value_is_clean(value ?: "", value_size))
                check->mistake = "A header's value has control characters";
        else if (q->n_headers >= HEADERS_MAX)
                check->mistake = "There are more than 100 headers";
        else
                check->r = headers_add(&q->headers, &q->n_headers, &q->headers_capacity,
                                       (HttpHeader) { http_request_text(q, name, name_size), http_request_text(q, value ?: "", value_size) });
        return check->mistake || check->r < 0 ? MHD_NO : MHD_YES;
}

static size_t header_count(const HttpRequest *q, const char *name) {
        size_t n = 0;

        for (size_t i = 0; i < q->n_headers; i++)
                n += strcasecmp(q->headers[i].name, name) == 0;
        return n;
}

static bool target_is_clean(const char *target) {
        for (const char *c = target; *c; c++)
                if ((unsigned char) *c <= 0x20 || *c == 0x7f)
                        return false;
        return true;
}

/* What libmicrohttpd lets pass and a second server on the way might read otherwise: the ways of request smuggling. */
static const char *framing_mistake(const HttpRequest *q, const char *version) {
        const char *length = http_request_header(q, "Content-Length");
        const char *encoding = http_request_header(q, "Transfer-Encoding");
        const char *expect = http_request_header(q, "Expect");

        if (!text_equal(version, "HTTP/1.1") && !text_equal(version, "HTTP/1.0"))
                return "Only HTTP/1.0 and HTTP/1.1 are spoken here";
        if (header_count(q, "Content-Length") > 1)
                return "Content-Length is given more than once";
        if (length && (length[0] == '\0' || strspn(length, "0123456789") != strlen(length)))
                return "Content-Length is not a number";
        if (length && encoding)
                return "Content-Length and Transfer-Encoding are both given";
        if (header_count(q, "Transfer-Encoding") > 1 || (encoding && strcasecmp(encoding, "chunked") != 0))
                return "The only transfer encoding is \"chunked\"";
        if (encoding && text_equal(version, "HTTP/1.0"))
                return "HTTP/1.0 has no transfer encodings";
        if (header_count(q, "Host") > 1 || (header_count(q, "Host") == 0 && text_equal(version, "HTTP/1.1")))
                return "Host must be given once";
        if (expect && strcasecmp(expect, "100-continue") != 0)
                return "The only expectation is \"100-continue\"";
        if (!http_method_is_known(q->method))
                return "The method is not known";
        if (q->path[0] != '/' && !text_equal(q->method, "OPTIONS"))
                return "The target must be a path";
        if (!target_is_clean(q->path) || !target_is_clean(q->query))
                return "The target has spaces or control characters";
        return NULL;
}

static void request_refuse(HttpRequest *q, ErrorId id, const char *remedy, const char *detail) {
        _cleanup_error_ Error e = {};

        (void) error_set(&e, id, remedy, "%s", detail);
        q->close_after = true;
        http_reply_problem(q, &e);
}

static bool id_is_sane(const char *id) {
        size_t n = id ? strlen(id) : 0;

        return n >= 8 && n <= 64 && strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

static int request_read_id(HttpRequest *q) {
        const char *id = http_request_header(q, "X-Request-Id");
        char uuid[UUID_TEXT_SIZE];
        int r;

        if (!id_is_sane(id)) {
                r = uuid_new_v7(uuid);
                if (r < 0)
                        return r;
                id = uuid;
        }
        q->id = http_request_text(q, id, strlen(id));
        return q->id ? 0 : -ENOMEM;
}

int http_request_begin(HttpRequest *q, const char *method, const char *version) {
        HeaderCheck check = { .request = q };
        const char *length;
        int r;

        q->method = http_request_text(q, method, strlen(method));
        if (!q->method)
                return -ENOMEM;
        (void) MHD_get_connection_values_n(q->connection->connection, MHD_HEADER_KIND, on_header, &check);
        if (check.r < 0)
                return check.r;
        r = request_read_id(q);
        if (r < 0)
                return r;
        if (!check.mistake)
                check.mistake = framing_mistake(q, version);
        if (check.mistake) {
                request_refuse(q, ERROR_BAD_REQUEST, "Send one well-formed HTTP/1.1 request.", check.mistake);
                return 0;
        }
        length = http_request_header(q, "Content-Length");
        if (length && (strlen(length) > 9 || strtol(length, NULL, 10) > (long) REQUEST_BODY_BYTES_MAX))
                request_refuse(q, ERROR_TOO_LARGE, "Send at most 1 MiB (REQUEST_BODY_BYTES_MAX).", "The request's body is too large");
        return 0;
}

int http_request_append(HttpRequest *q, const char *bytes, size_t size) {
        int r;

        if (q->body_size + size > REQUEST_BODY_BYTES_MAX) {
                request_refuse(q, ERROR_TOO_LARGE, "Send at most 1 MiB (REQUEST_BODY_BYTES_MAX).", "The request's body is too large");
                return 0;
        }
        r = array_grow(&q->body, &q->body_capacity, q->body_size + size + 1, 1);
        if (r < 0)
                return r;
        memcpy(q->body + q->body_size, bytes, size);
        q->body_size += size;
        q->body[q->body_size] = '\0';
        return 0;
}

const char *http_request_method(const HttpRequest *q) { return q->method; }
const char *http_request_path(const HttpRequest *q) { return q->path; }
const char *http_request_query(const HttpRequest *q) { return q->query; }
const char *http_request_peer(const HttpRequest *q) { return q->peer; }
const char *http_request_id(const HttpRequest *q) { return q->id; }
bool http_request_is_loopback(const HttpRequest *q) { return q->is_loopback; }
bool http_request_is_answered(const HttpRequest *q) { return q->status != 0; }
size_t http_request_n_headers(const HttpRequest *q) { return q->n_headers; }

const char *http_request_header(const HttpRequest *q, const char *name) {
        for (size_t i = 0; i < q->n_headers; i++)
                if (strcasecmp(q->headers[i].name, name) == 0)
                        return q->headers[i].value;
        return NULL;
}

void http_request_header_at(const HttpRequest *q, size_t i, const char **ret_name, const char **ret_value) {
        *ret_name = q->headers[i].name;
        *ret_value = q->headers[i].value;
}

const char *http_request_body(const HttpRequest *q, size_t *ret_size) {
        *ret_size = q->body_size;
        return q->body ?: "";
}

bool http_request_peer_uid(const HttpRequest *q, uid_t *ret_uid) {
        if (!q->is_unix)
                return false;
        *ret_uid = q->uid;
        return true;
}

static bool reply_has(const HttpRequest *q, const char *name) {
        for (size_t i = 0; i < q->n_reply_headers; i++)
                if (strcasecmp(q->reply_headers[i].name, name) == 0)
                        return true;
        return false;
}

void http_reply_header_sized(HttpRequest *q, const char *name, size_t name_size, const char *value, size_t value_size) {
        HttpHeader header;

        if (q->status != 0 || !http_token_is_valid(name, name_size) || !value_is_clean(value, value_size))
                return;
        header = (HttpHeader) { http_request_text(q, name, name_size), http_request_text(q, value, value_size) };
        if (headers_add(&q->reply_headers, &q->n_reply_headers, &q->reply_headers_capacity, header) < 0)
                return;         /* an answer without it is better than none */
}

void http_reply_header(HttpRequest *q, const char *name, const char *value) {
        http_reply_header_sized(q, name, strlen(name), value, strlen(value));
}

void http_reply_take(HttpRequest *q, int status, const char *content_type, char *bytes, size_t size) {
        _cleanup_free_ char *taken = bytes;

        if (q->status != 0)
                return;
        if (content_type && !reply_has(q, "Content-Type"))
                http_reply_header(q, "Content-Type", content_type);
        if (!reply_has(q, "X-Request-Id"))
                http_reply_header(q, "X-Request-Id", q->id ?: "");
        if (!reply_has(q, "X-Content-Type-Options"))
                http_reply_header(q, "X-Content-Type-Options", "nosniff");
        if (!reply_has(q, "Cache-Control"))
                http_reply_header(q, "Cache-Control", "no-store");
        q->answer_size = taken ? size : 0;
        q->answer = TAKE_PTR(taken);
        q->status = q->answer ? status : 503;
        http_request_wake(q);
}

void http_reply_bytes(HttpRequest *q, int status, const char *content_type, const void *bytes, size_t size) {
        char *copy;

        if (q->status != 0)
                return;
        copy = malloc(size + 1);
        if (copy)
                memcpy(copy, bytes, size);
        http_reply_take(q, status, content_type, copy, size);
}

void http_reply_text(HttpRequest *q, int status, const char *content_type, const char *text) {
        http_reply_bytes(q, status, content_type, text, strlen(text));
}

static void reply_dump(HttpRequest *q, int status, const char *content_type, const json_t *value) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

        if (!text)
                http_reply_text(q, 503, "text/plain", "Out of memory.\n");
        else
                http_reply_take(q, status, content_type, text, strlen(text));
}

void http_reply_json(HttpRequest *q, int status, const json_t *value) {
        reply_dump(q, status, HTTP_JSON_TYPE, value);
}

void http_reply_problem(HttpRequest *q, const Error *error) {
        json_auto_t *problem = NULL;
        int status = error_http_status(error->id);

        if (http_problem_new(error, q->path, &problem) < 0) {
                http_reply_text(q, 503, "text/plain", "Out of memory.\n");
                return;
        }
        if ((status == 429 || status == 503) && !reply_has(q, "Retry-After"))
                http_reply_header(q, "Retry-After", status == 429 ? "60" : "1");
        reply_dump(q, status, HTTP_PROBLEM_TYPE, problem);
}

void http_reply_redirect(HttpRequest *q, const char *location) {
        http_reply_header(q, "Location", location);
        http_reply_text(q, 302, "text/plain", "");
}
