/* SPDX-License-Identifier: Apache-2.0 */
/* MHD_get_connection_info() is ours here: it gives the descriptor that a test set. */
#include "../testing.h"
#include <arpa/inet.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include "http/connection.h"

static union MHD_ConnectionInfo info;

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection, enum MHD_ConnectionInfoType type, ...) {
        if (connection)
                info.connect_fd = *(int *) (void *) connection;
        return &info;
}

static struct MHD_Connection *of(int *fd) {
        return (struct MHD_Connection *) (void *) fd;
}

static void test_unix_peer(void **state) {
        _cleanup_(http_connection_freep) HttpConnection *c = NULL;
        _cleanup_free_ char *expected = NULL;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        assert_int_equal(http_connection_new(of(&fds[0]), &c), 0);
        assert_true(asprintf(&expected, "unix:%u", (unsigned) getuid()) > 0);
        assert_string_equal(c->peer, expected);
        assert_true(c->is_unix && c->is_loopback);
        assert_int_equal(c->uid, getuid());
        (void) close(fds[0]);
        (void) close(fds[1]);
}

/* A client of address, accepted by a socket that listens on listen_on. */
static void peer_is(int family, const struct sockaddr *listen_on, socklen_t size, const char *peer) {
        _cleanup_(http_connection_freep) HttpConnection *c = NULL;
        struct sockaddr_storage bound;
        socklen_t bound_size = sizeof(bound);
        int listener = socket(family, SOCK_STREAM, 0), client, accepted;
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        assert_true(listener >= 0);
        assert_int_equal(bind(listener, listen_on, size), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *) &bound, &bound_size), 0);
        to.sin_port = ((struct sockaddr_in *) (void *) &bound)->sin_port;
        client = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(client, (struct sockaddr *) &to, sizeof(to)), 0);
        accepted = accept(listener, NULL, NULL);
        assert_int_equal(http_connection_new(of(&accepted), &c), 0);
        assert_string_equal(c->peer, peer);
        assert_true(c->is_loopback && !c->is_unix);
        (void) close(accepted);
        (void) close(client);
        (void) close(listener);
}

static void test_tcp_peers(void **state) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
        int probe = socket(AF_INET6, SOCK_STREAM, 0);

        peer_is(AF_INET, (struct sockaddr *) &in, sizeof(in), "127.0.0.1");
        if (probe >= 0)         /* the mapped address of an IPv4 client is told as the IPv4 address it is */
                peer_is(AF_INET6, (struct sockaddr *) &any, sizeof(any), "127.0.0.1");
        (void) close(probe);
}

static bool is_cut(int fd) {
        char byte;

        return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_patience(void **state) {
        HttpConnection *c[3];
        HttpPatience patience;
        sd_event *event;
        int fds[3][2];

        assert_int_equal(sd_event_new(&event), 0);
        http_patience_init(&patience, event);
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
                assert_int_equal(http_connection_new(of(&fds[i][0]), &c[i]), 0);
                http_patience_begin(&patience, c[i]);
                c[i]->since_usec = 100 * (i + 1);
        }
        assert_int_equal(http_patience_cut(&patience, 150, 1000), 950);
        http_patience_end(c[0]);                                /* it sent what it owed */
        assert_int_equal(http_patience_cut(&patience, 1200, 1000), 100);
        assert_false(is_cut(fds[0][1]));
        assert_true(is_cut(fds[1][1]));
        assert_false(is_cut(fds[2][1]));
        http_patience_begin(&patience, c[2]);                   /* a new request */
        c[2]->since_usec = 5000;
        assert_int_equal(http_patience_cut(&patience, 5500, 1000), 500);
        assert_ptr_equal(patience.first, c[2]);
        assert_ptr_equal(patience.last, c[2]);
        c[2] = http_connection_free(c[2]);                      /* leaves the list */
        assert_int_equal(http_patience_cut(&patience, 9000, 1000), 0);
        http_patience_done(&patience);
        for (unsigned i = 0; i < 3; i++) {
                (void) http_connection_free(c[i]);
                (void) close(fds[i][0]);
                (void) close(fds[i][1]);
        }
        assert_null(sd_event_unref(event));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_unix_peer), cmocka_unit_test(test_tcp_peers), cmocka_unit_test(test_patience) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
