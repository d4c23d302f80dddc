/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd's reader of headers is ours here. */
#include "../testing.h"
#include <microhttpd.h>
#include "gateway/frame.h"
#include "http/request.h"

static const char *const given[][2] = {
        { "Host", "county.example" }, { "Content-Length", "3" }, { "Accept", "*/*" }, { "X-API-Key", "secret" },
        { "Authorization", "Bearer secret" }, { "x-terrafusion-identity", "root;admin" }, { "X-Forwarded-For", "10.0.0.1" },
        { "Connection", "keep-alive, X-Thing" }, { "X-Request-Id", "0123456789" }, { "X-Thing", "kept" },
};

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind, MHD_KeyValueIteratorN iterator, void *userdata) {
        for (size_t i = 0; i < ELEMENTSOF(given); i++)
                (void) iterator(userdata, kind, given[i][0], strlen(given[i][0]), given[i][1], strlen(given[i][1]));
        return (int) ELEMENTSOF(given);
}

static char *framed(const char *method, const char *body) {
        HttpConnection connection = { .peer = "192.0.2.7" };
        _cleanup_http_request_ HttpRequest *q = NULL;
        _cleanup_free_ char *bytes = NULL;
        size_t size;

        assert_int_equal(http_request_new("/asked?a=1", &connection, NULL, &q), 0);
        assert_int_equal(http_request_begin(q, method, "HTTP/1.1"), 0);
        assert_int_equal(q->status, 0);
        assert_int_equal(http_request_append(q, body, strlen(body)), 0);
        assert_int_equal(frame_request(q, "/path", "api-key;read", &bytes, &size), 0);
        return strndup(bytes, size);
}

static void test_request(void **state) {
        _cleanup_free_ char *post = framed("POST", "abc"), *head = framed("HEAD", "");

        assert_string_equal(post, "POST /path?a=1 HTTP/1.1\r\nHost: terrafusion\r\nAccept: */*\r\nX-Thing: kept\r\n"
                                  "X-TerraFusion-Identity: api-key;read\r\nX-Request-Id: 0123456789\r\nX-Forwarded-For: 192.0.2.7\r\n"
                                  "Content-Length: 3\r\n\r\nabc");
        assert_memory_equal(head, "GET /path?a=1 HTTP/1.1\r\n", 24);
        assert_null(strstr(head, "Content-Length"));
}

static void test_question(void **state) {
        _cleanup_free_ char *bytes = NULL;
        size_t size;

        assert_int_equal(frame_question("/health/live", &bytes, &size), 0);
        assert_memory_equal(bytes, "GET /health/live HTTP/1.1\r\nHost: terrafusion\r\nX-TerraFusion-Identity: gateway;read\r\n\r\n", size);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_request), cmocka_unit_test(test_question) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
