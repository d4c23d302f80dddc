/* SPDX-License-Identifier: Apache-2.0 */
/* The other end is played by hand: a listening unix socket, read and written in blocking turns. */
#include "../testing.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "gateway/upstream.h"
#include "http/server.h"

#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" body

typedef struct Asked {
        Exchange exchange;
        int status;             /* -1: none yet; -2 - EXCHANGE_…: broken */
        char body;
        
} Asked;

typedef struct Fixture {
        char *folder, *path;
        sd_event *event;
        Plane *plane;
        Upstream *upstream;
        int listener;
} Fixture;

static void on_answered(Exchange *exchange, const Answer *answer, const char *bytes) {
        Asked *asked = (Asked *) (void *) exchange;

        assert_int_equal(asked->status, -1);
        asked->status = answer->status;
        asked->body = answer->body_size > 0 ? bytes[answer->head_size] : '-';
}

static void on_broken(Exchange *exchange, ExchangeEnd how) {
        Asked *asked = (Asked *) (void *) exchange;

        assert_int_equal(asked->status, -1);
        asked->status = -2 - (int) how;
}

static Asked ask(const char *text, bool again) {
        return (Asked) { .exchange = { .bytes = text, .size = strlen(text), .again = again, .answered = on_answered, .broken = on_broken },
                         .status = -1 };
}

static void run(Fixture *f) {
        for (unsigned i = 0; i < 5; i++)
                assert_true(sd_event_run(f->event, 2000) >= 0);
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        f->folder = test_folder_new();
        assert_true(asprintf(&f->path, "%s/s", f->folder) > 0);
        assert_int_equal(http_listen_unix(f->path, 0600, &f->listener, NULL), 0);
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(plane_new(f->event, &f->plane), 0);
        assert_int_equal(upstream_new(f->plane, f->path, &f->upstream), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        assert_null(upstream_free(f->upstream));
        assert_null(plane_free(f->plane));
        assert_null(sd_event_unref(f->event));
        if (f->listener >= 0)
                (void) close(f->listener);
        free(f->path);
        test_folder_remove(f->folder);
        free(f);
        return 0;
}

/* Accepts a connection, -1: there is none. */
static int meet(Fixture *f) {
        return accept(f->listener, NULL, NULL);
}

static void expect(int fd, const char *text) {
        char got[4096] = "";
        ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

        assert_int_equal(n, (ssize_t) strlen(text));
        assert_string_equal(got, text);
}

static void say(int fd, const char *text) {
        assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t) strlen(text));
}

/* What is asked in one turn goes out in one send, and the answers come back in order, however they are cut. */
static void test_pipeline(void **state) {
        Fixture *f = *state;
        Asked a = ask("a", true), b = ask("b", true), c = ask("c", true), d = ask("d", true);
        int first, second;

        assert_int_equal(upstream_send(f->upstream, &a.exchange), 0);
        assert_int_equal(upstream_send(f->upstream, &b.exchange), 0);  /* a second connection, while the first is busy */
        assert_int_equal(upstream_send(f->upstream, &c.exchange), 0);
        assert_int_equal(upstream_send(f->upstream, &d.exchange), 0);
        assert_int_equal(upstream_n_connections(f->upstream), 2);
        run(f);
        first = meet(f);
        second = meet(f);
        assert_int_equal(meet(f), -1);
        expect(first, a.exchange.pipe == c.exchange.pipe ? "ac" : "ad");
        say(first, OK("1") "HTTP/1.1 20");
        run(f);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.body, '1');
        assert_true(c.status == -1 && d.status == -1);
        say(first, "2 Accepted\r\nContent-Length: 1\r\n\r\n");
        run(f);
        assert_true(c.status == -1 && d.status == -1);
        say(first, "2");
        run(f);
        assert_true((c.status == 202 && c.body == '2') != (d.status == 202 && d.body == '2'));
        (void) close(second);
        run(f);
        assert_int_equal(b.status, -2 - EXCHANGE_LOST);
        (void) close(first);
        run(f);
        assert_int_equal(upstream_n_connections(f->upstream), 0);
}

/* However much is asked of syncd: whether it lives can be asked besides. */
static void test_a_question_of_ours_always_has_room(void **state) {
        _cleanup_free_ Asked *many = calloc(UPSTREAM_SINGLES_MAX, sizeof(Asked));
        Asked one_more = ask("p", false), ours = ask("ours", false);
        Fixture *f = *state;

        assert_non_null(many);
        for (size_t i = 0; i < UPSTREAM_SINGLES_MAX; i++) {
                many[i] = ask("p", false);
                assert_int_equal(upstream_send(f->upstream, &many[i].exchange), 0);
        }
        assert_int_equal(upstream_send(f->upstream, &one_more.exchange), -EAGAIN);
        ours.exchange.ours = true;
        assert_int_equal(upstream_send(f->upstream, &ours.exchange), 0);
        assert_int_equal(upstream_n_connections(f->upstream), UPSTREAM_SINGLES_MAX + 1);
        f->upstream = upstream_free(f->upstream);
        assert_int_equal(ours.status, -2 - EXCHANGE_NOT_SENT);
}

static void test_alone(void **state) {
        Fixture *f = *state;
        Asked a = ask("a", true), post = ask("post", false);
        int first, second;

        assert_int_equal(upstream_send(f->upstream, &a.exchange), 0);
        run(f);
        first = meet(f);
        say(first, OK("1"));
        run(f);
        assert_int_equal(a.status, 200);
        /* The kept connection is free, and not for this one. */
        assert_int_equal(upstream_send(f->upstream, &post.exchange), 0);
        run(f);
        second = meet(f);
        expect(second, "post");
        say(second, OK("2"));
        run(f);
        assert_int_equal(post.body, '2');
        assert_int_equal(upstream_n_connections(f->upstream), 1);
        (void) close(first);
        (void) close(second);
}

static void test_broken(void **state) {
        Fixture *f = *state;
        Asked a = ask("a", false), b = ask("b", false), late = ask("l", true);
        int fd;

        assert_int_equal(upstream_send(f->upstream, &a.exchange), 0);
        run(f);
        fd = meet(f);
        (void) close(fd);
        run(f);
        assert_int_equal(a.status, -2 - EXCHANGE_LOST);
        assert_int_equal(upstream_send(f->upstream, &b.exchange), 0);
        fd = meet(f);
        (void) close(fd);                                       /* before a byte left */
        run(f);
        assert_int_equal(b.status, -2 - EXCHANGE_NOT_SENT);
        (void) close(f->listener);
        f->listener = -1;
        assert_int_equal(upstream_send(f->upstream, &late.exchange), -ECONNREFUSED);
        assert_int_equal(late.status, -1);
}

/* Garbage, bytes nobody asked for, and an end that syncd announces. */
static void test_garbage(void **state) {
        Fixture *f = *state;
        Asked a = ask("a", true), b = ask("b", true), c = ask("c", false);
        int fd;

        assert_int_equal(upstream_send(f->upstream, &a.exchange), 0);
        run(f);
        fd = meet(f);
        say(fd, "220 smtp.example ESMTP\r\n");
        run(f);
        assert_int_equal(a.status, -2 - EXCHANGE_NOT_UNDERSTOOD);
        (void) close(fd);
        assert_int_equal(upstream_send(f->upstream, &b.exchange), 0);
        run(f);
        fd = meet(f);
        say(fd, OK("1") OK("2"));                               /* one too many: the connection is not kept */
        run(f);
        assert_int_equal(b.body, '1');
        assert_int_equal(upstream_n_connections(f->upstream), 0);
        (void) close(fd);
        assert_int_equal(upstream_send(f->upstream, &c.exchange), 0);
        run(f);
        fd = meet(f);
        say(fd, "HTTP/1.1 503 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        run(f);
        assert_int_equal(c.status, 503);
        (void) close(fd);
}

static void test_abandoned(void **state) {
        Fixture *f = *state;
        Asked a = ask("a", true), b = ask("b", true), c = ask("c", true);
        int first, second;

        assert_int_equal(upstream_send(f->upstream, &a.exchange), 0);
        assert_int_equal(upstream_send(f->upstream, &b.exchange), 0);
        assert_int_equal(upstream_send(f->upstream, &c.exchange), 0);
        run(f);
        first = meet(f);
        second = meet(f);
        upstream_abandon(&a.exchange);
        say(first, OK("1"));
        say(second, OK("2"));
        run(f);
        assert_int_equal(a.status, -1);
        assert_int_equal(b.body, '2');
        assert_int_equal(c.status, -1);
        upstream_abandon(&c.exchange);
        (void) close(first);
        (void) close(second);
        run(f);
        assert_int_equal(c.status, -1);
}

/* Behind one that takes its time nobody waits: a further connection is opened. */
static void test_slow_first(void **state) {
        Fixture *f = *state;
        Asked slow[2] = { ask("s", true), ask("s", true) }, quick = ask("q", true);
        int fds[3];

        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(upstream_send(f->upstream, &slow[i].exchange), 0);
        run(f);
        (void) usleep(10000);
        run(f);
        assert_int_equal(upstream_send(f->upstream, &quick.exchange), 0);
        run(f);
        for (unsigned i = 0; i < 3; i++)
                fds[i] = meet(f);
        expect(fds[2], "q");
        say(fds[2], OK("1"));
        run(f);
        assert_int_equal(quick.body, '1');
        for (unsigned i = 0; i < 3; i++)
                (void) close(fds[i]);
        run(f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_pipeline, setup, teardown), cmocka_unit_test_setup_teardown(test_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_broken, setup, teardown), cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
                cmocka_unit_test_setup_teardown(test_abandoned, setup, teardown), cmocka_unit_test_setup_teardown(test_slow_first, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_question_of_ours_always_has_room, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
