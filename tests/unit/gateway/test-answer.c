/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "gateway/answer.h"

static void test_whole(void **state) {
        const char *text = "HTTP/1.1 200 OK\r\nContent-Type: application/json \r\ncontent-length:\t2\r\nX-Empty:\r\n\r\n{}HTTP/1.1 404";
        size_t head_size = strstr(text, "{}") - text;
        Answer a;

        assert_int_equal(answer_parse(text, strlen(text), &a), 1);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.head_size, head_size);
        assert_int_equal(a.body_size, 2);
        assert_false(a.close);
        assert_int_equal(a.n_headers, 3);
        assert_memory_equal(text + a.headers[0].name, "Content-Type", a.headers[0].name_size);
        assert_int_equal(a.headers[0].value_size, strlen("application/json"));
        assert_memory_equal(text + a.headers[0].value, "application/json", a.headers[0].value_size);
        assert_int_equal(a.headers[2].value_size, 0);
        /* Each shorter piece asks for more, none is mistaken for an answer. */
        for (size_t n = 0; n < head_size; n++)
                assert_int_equal(answer_parse(text, n, &a), 0);
}

static void test_without_body(void **state) {
        const char *text = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", *cached = "HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n";
        Answer a;

        assert_int_equal(answer_parse(text, strlen(text), &a), 1);
        assert_int_equal(a.body_size, 0);
        assert_true(a.close);
        assert_int_equal(answer_parse(cached, strlen(cached), &a), 1);
        assert_int_equal(a.body_size, 0);
}

static void test_refused(void **state) {
        static const char *const cases[] = {
                "garbage", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\nx",
                "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: b\nX-C: d\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 0\r\n\r\n",
        };
        Answer a;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (answer_parse(cases[i], strlen(cases[i]), &a) != -EBADMSG)
                        fail_msg("taken: %s", cases[i]);
}

static void test_limits(void **state) {
        _cleanup_free_ char *text = calloc(1, ANSWER_HEAD_BYTES_MAX + 100);
        size_t n = 0;
        Answer a;

        n += (size_t) snprintf(text, 100, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
        for (unsigned i = 1; i < ANSWER_HEADERS_MAX; i++)
                n += (size_t) snprintf(text + n, 100, "X-%u: a\r\n", i);
        memcpy(text + n, "\r\n", 2);
        assert_int_equal(answer_parse(text, n + 2, &a), 1);
        n += (size_t) snprintf(text + n, 100, "X-More: a\r\n\r\n");
        assert_int_equal(answer_parse(text, n, &a), -EBADMSG);
        memset(text + 17, 'a', ANSWER_HEAD_BYTES_MAX);
        assert_int_equal(answer_parse(text, ANSWER_HEAD_BYTES_MAX - 1, &a), 0);
        assert_int_equal(answer_parse(text, ANSWER_HEAD_BYTES_MAX, &a), -EBADMSG);
}

static void test_hop(void **state) {
        assert_true(header_is_of_hop("content-LENGTH", 14));
        assert_true(header_is_of_hop("Connection", 10));
        assert_false(header_is_of_hop("Connection2", 11));
        assert_false(header_is_of_hop("Content-Type", 12));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_whole), cmocka_unit_test(test_without_body), cmocka_unit_test(test_refused),
                                            cmocka_unit_test(test_limits), cmocka_unit_test(test_hop) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
