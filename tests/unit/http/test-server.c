/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include "basic/event.h"
#include "http/server.h"

static HttpRequest *later;

static int on_later(sd_event_source *source, uint64_t usec, void *userdata) {
        http_reply_text(later, 200, "text/plain", "later");
        later = http_request_unref(later);
        return 0;
}

static sd_event *event;
static sd_event_source *timer;

static void handle(HttpRequest *q, void *userdata) {
        if (strcmp(http_request_path(q), "/later") == 0) {
                later = http_request_ref(q);
                assert_int_equal(event_timer_set(event, &timer, 20000, "later", on_later, NULL), 0);
        } else
                http_reply_text(q, 200, "text/plain", "now");
}

/* Sends text to a fresh server and gives the first bytes of its answer. */
static void ask(const char *text, char answer[static 1024]) {
        _cleanup_(http_server_freep) HttpServer *server = NULL;
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        _cleanup_close_ int fd = -EBADF;
        int listener;
        ssize_t n = -1;

        assert_int_equal(http_server_new(event, handle, NULL, &server), 0);
        assert_int_equal(http_listen_tcp("127.0.0.1", 0, &listener, NULL), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *) &address, &size), 0);
        assert_int_equal(http_server_listen(server, listener, NULL), 0);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &address, size), 0);
        assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t) strlen(text));
        for (unsigned i = 0; i < 100 && n < 0; i++) {
                assert_true(sd_event_run(event, 10000) >= 0);
                n = recv(fd, answer, 1023, MSG_DONTWAIT);
        }
        assert_true(n > 0);
        answer[n] = '\0';
}

static void test_answers(void **state) {
        char answer[1024];

        ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", answer);
        assert_non_null(strstr(answer, "200 OK"));
        assert_non_null(strstr(answer, "\r\n\r\nnow"));
        ask("GET /later HTTP/1.1\r\nHost: a\r\n\r\n", answer);
        assert_non_null(strstr(answer, "\r\n\r\nlater"));
        ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", answer);
        assert_non_null(strstr(answer, "Content-Length: 3"));
        assert_null(strstr(answer, "now"));
}

static void test_smuggling(void **state) {
        static const char *const cases[] = {
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
                "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n",
                "GET / HTTP/1.9\r\nHost: a\r\n\r\n",
        };
        char answer[1024];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ask(cases[i], answer);
                if (!strstr(answer, " 400 "))
                        fail_msg("case %zu was let through: %.80s", i, answer);
        }
        ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n", answer);
        assert_non_null(strstr(answer, " 413 "));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_answers), cmocka_unit_test(test_smuggling) };
        int r;

        if (sd_event_new(&event) < 0)
                return 1;
        r = cmocka_run_group_tests(tests, NULL, NULL);
        event_source_drop(&timer);
        (void) sd_event_unref(event);
        return r;
}
