/* SPDX-License-Identifier: Apache-2.0 */
/* What a request makes of the headers that libmicrohttpd found: its reader of headers is ours here. */
#include "../testing.h"
#include <microhttpd.h>
#include <strings.h>
#include "basic/json.h"
#include "basic/limits.h"
#include "http/message.h"
#include "http/request.h"

typedef struct Given { const char *name, *value; } Given;
static const Given *given;
static size_t n_given;

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind, MHD_KeyValueIteratorN iterator, void *userdata) {
        int n = 0;

        for (size_t i = 0; i < n_given; i++, n++)
                if (iterator(userdata, kind, given[i].name, strlen(given[i].name), given[i].value,
                             given[i].value ? strlen(given[i].value) : 0) != MHD_YES)
                        break;
        return n;
}

static HttpConnection connection = { .peer = "127.0.0.1", .is_loopback = true };

static HttpRequest *begin(const char *uri, const char *method, const char *version, const Given *headers, size_t n_headers) {
        HttpRequest *q = NULL;

        given = headers;
        n_given = n_headers;
        assert_int_equal(http_request_new(uri, &connection, NULL, &q), 0);
        assert_int_equal(http_request_begin(q, method, version), 0);
        return q;
}

static void test_whole(void **state) {
        const Given headers[] = { { "Host", "a" }, { "X-Request-Id", "0123456789" }, { "X-Thing", NULL } };
        _cleanup_http_request_ HttpRequest *q = begin("/api/x?limit=3", "GET", "HTTP/1.1", headers, ELEMENTSOF(headers));
        const char *name, *value;
        uid_t uid;
        size_t size;

        assert_int_equal(q->status, 0);
        assert_string_equal(http_request_path(q), "/api/x");
        assert_string_equal(http_request_query(q), "limit=3");
        assert_string_equal(http_request_method(q), "GET");
        assert_string_equal(http_request_peer(q), "127.0.0.1");
        assert_true(http_request_is_loopback(q));
        assert_false(http_request_peer_uid(q, &uid));
        assert_string_equal(http_request_id(q), "0123456789");
        assert_string_equal(http_request_header(q, "x-thing"), "");
        assert_null(http_request_header(q, "X-Other"));
        http_request_header_at(q, 0, &name, &value);
        assert_string_equal(name, "Host");
        assert_int_equal(http_request_append(q, "ab", 2), 0);
        assert_int_equal(http_request_append(q, "c", 1), 0);
        assert_string_equal(http_request_body(q, &size), "abc");
        assert_int_equal(size, 3);
}

/* An id that could forge log lines is replaced by one of ours. */
static void test_ids(void **state) {
        const Given headers[] = { { "Host", "a" }, { "X-Request-Id", "short" } };
        _cleanup_http_request_ HttpRequest *q = begin("/", "GET", "HTTP/1.1", headers, ELEMENTSOF(headers));

        assert_int_equal(strlen(http_request_id(q)), 36);
}

static void refused(const char *uri, const char *method, const char *version, const Given *headers, size_t n, int status, const char *words) {
        _cleanup_http_request_ HttpRequest *q = begin(uri, method, version, headers, n);

        if (q->status != status || !strstr(q->answer, words))
                fail_msg("%s %s %s: %d %.*s", method, uri, version, q->status, (int) q->answer_size, q->answer ?: "");
        assert_true(q->close_after);
}

#define REFUSED(status, words, ...) do { \
        const Given _headers[] = { { "Host", "a" }, __VA_ARGS__ }; \
        refused("/", "POST", "HTTP/1.1", _headers, ELEMENTSOF(_headers), status, words); \
} while (0)

static void test_refused(void **state) {
        const Given host[] = { { "Host", "a" } }, many[] = { { "Host", "a" }, { "Host", "b" } };

        REFUSED(400, "more than once", { "Content-Length", "3" }, { "content-length", "3" });
        REFUSED(400, "not a number", { "Content-Length", "+3" });
        REFUSED(400, "not a number", { "Content-Length", "" });
        REFUSED(400, "both given", { "Content-Length", "3" }, { "Transfer-Encoding", "chunked" });
        REFUSED(400, "chunked", { "Transfer-Encoding", "gzip" });
        REFUSED(400, "chunked", { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "chunked" });
        REFUSED(400, "token", { "X-A ", "b" });
        REFUSED(400, "control", { "X-A", "b\x01" });
        REFUSED(400, "expectation", { "Expect", "tea" });
        REFUSED(413, "too large", { "Content-Length", "1048577" });
        REFUSED(413, "too large", { "Content-Length", "99999999999" });
        refused("/", "GET", "HTTP/1.1", many, 2, 400, "Host");
        refused("/", "GET", "HTTP/1.1", NULL, 0, 400, "Host");
        refused("/", "GET", "HTTP/1.9", host, 1, 400, "HTTP/1.1");
        refused("/", "BREW", "HTTP/1.1", host, 1, 400, "method");
        refused("http://b/", "GET", "HTTP/1.1", host, 1, 400, "path");
        refused("/a\x01", "GET", "HTTP/1.1", host, 1, 400, "control");
        refused("/a?b\rc", "GET", "HTTP/1.1", host, 1, 400, "control");
}

static void test_too_many_headers(void **state) {
        Given headers[120];

        headers[0] = (Given) { "Host", "a" };
        for (size_t i = 1; i < ELEMENTSOF(headers); i++)
                headers[i] = (Given) { "X-A", "b" };
        refused("/", "GET", "HTTP/1.1", headers, ELEMENTSOF(headers), 400, "100 headers");
}

/* Heads larger than the room within the request, and bodies that grow past the limit. */
static void test_large(void **state) {
        _cleanup_free_ char *large = malloc(8001), *megabyte = calloc(1, REQUEST_BODY_BYTES_MAX);
        _cleanup_http_request_ HttpRequest *q = NULL;
        Given headers[] = { { "Host", "a" }, { "Transfer-Encoding", "chunked" }, { "Cookie", large }, { "X-After", "z" } };

        memset(large, 'c', 8000);
        large[8000] = '\0';
        q = begin("/", "POST", "HTTP/1.1", headers, ELEMENTSOF(headers));
        assert_int_equal(q->status, 0);
        assert_string_equal(http_request_header(q, "Cookie"), large);
        assert_string_equal(http_request_header(q, "X-After"), "z");
        assert_int_equal(http_request_append(q, megabyte, REQUEST_BODY_BYTES_MAX), 0);
        assert_int_equal(q->status, 0);
        assert_int_equal(http_request_append(q, "x", 1), 0);
        assert_int_equal(q->status, 413);
}

static const char *reply_header(const HttpRequest *q, const char *name) {
        for (size_t i = 0; i < q->n_reply_headers; i++)
                if (strcasecmp(q->reply_headers[i].name, name) == 0)
                        return q->reply_headers[i].value;
        return NULL;
}

static void test_replies(void **state) {
        const Given headers[] = { { "Host", "a" }, { "X-Request-Id", "0123456789" } };
        _cleanup_http_request_ HttpRequest *q = begin("/p", "GET", "HTTP/1.1", headers, ELEMENTSOF(headers));
        _cleanup_error_ Error e = {};

        http_reply_header(q, "X-Bad", "a\r\nX-Forged: b");
        http_reply_header(q, "Bad Name", "a");
        http_reply_header_sized(q, "X-Good!!", 6, "valuexx", 5);
        (void) error_set(&e, ERROR_TOO_MANY, "Wait.", "Too many came");
        http_reply_problem(q, &e);
        http_reply_text(q, 200, "text/plain", "a second answer");
        assert_int_equal(q->status, 429);
        assert_null(reply_header(q, "X-Bad"));
        assert_string_equal(reply_header(q, "X-Good"), "value");
        assert_string_equal(reply_header(q, "Retry-After"), "60");
        assert_string_equal(reply_header(q, "X-Request-Id"), "0123456789");
        assert_string_equal(reply_header(q, "Content-Type"), HTTP_PROBLEM_TYPE);
        assert_string_equal(reply_header(q, "Cache-Control"), "no-store");
        assert_non_null(memmem(q->answer, q->answer_size, "Too many came", 13));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_whole), cmocka_unit_test(test_ids), cmocka_unit_test(test_refused),
                                            cmocka_unit_test(test_too_many_headers), cmocka_unit_test(test_large), cmocka_unit_test(test_replies) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
