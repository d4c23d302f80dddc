/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "http/server.h"

static uint16_t port_of(int fd) {
        struct sockaddr_in address;
        socklen_t size = sizeof(address);

        assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        return ntohs(address.sin_port);
}

static void test_tcp(void **state) {
        _cleanup_close_ int fd = -EBADF, second = -EBADF;
        _cleanup_error_ Error e = {};
        char port[16];

        assert_int_equal(http_listen_tcp("127.0.0.1", 0, &fd, &e), 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(http_listen_tcp("127.0.0.1", port_of(fd), &second, &e), -EADDRINUSE);
        assert_int_equal(second, -EBADF);
        (void) snprintf(port, sizeof(port), "%u", (unsigned) port_of(fd));
        assert_int_equal(e.id, ERROR_ADDRESS_IN_USE);
        assert_non_null(strstr(e.detail, port));
        assert_non_null(strstr(e.remedy, "ss -ltnp"));
}

static void test_no_address(void **state) {
        _cleanup_error_ Error e = {};
        int fd = -EBADF;

        assert_true(http_listen_tcp("localhost", 0, &fd, &e) < 0);
        assert_non_null(strstr(e.detail, "localhost"));
        assert_int_equal(fd, -EBADF);
}

static void test_unix(void **state) {
        char *folder = test_folder_new();
        _cleanup_free_ char *path = NULL;
        _cleanup_error_ Error e = {};
        int fd = -EBADF, second = -EBADF;
        struct stat st;

        assert_true(asprintf(&path, "%s/s", folder) > 0);
        assert_int_equal(http_listen_unix(path, 0640, &fd, &e), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        assert_int_equal(http_listen_unix(path, 0600, &second, &e), -EADDRINUSE);
        assert_non_null(strstr(e.detail, path));
        /* Who listened is dead: its file is in nobody's way. */
        (void) close(fd);
        error_done(&e);
        assert_int_equal(http_listen_unix(path, 0600, &second, &e), 0);
        (void) close(second);
        test_folder_remove(folder);
}

static void test_a_file_is_not_removed(void **state) {
        char *folder = test_folder_new(), *path = test_file_write(folder, "s", "precious");
        _cleanup_error_ Error e = {};
        int fd = -EBADF;

        assert_int_equal(http_listen_unix(path, 0600, &fd, &e), -EADDRINUSE);
        assert_int_equal(access(path, F_OK), 0);
        free(path);
        test_folder_remove(folder);
}

static void test_long_path(void **state) {
        char path[200];
        _cleanup_error_ Error e = {};
        int fd = -EBADF;

        memset(path, 'a', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        assert_true(http_listen_unix(path, 0600, &fd, &e) < 0);
        assert_int_equal(e.id, ERROR_CONFIGURATION);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_tcp), cmocka_unit_test(test_no_address), cmocka_unit_test(test_unix),
                                            cmocka_unit_test(test_a_file_is_not_removed), cmocka_unit_test(test_long_path) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
