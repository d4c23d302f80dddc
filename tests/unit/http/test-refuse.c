/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "http/refuse.h"
#include "http/server.h"

static int client_new(const char *path, const char *request) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(write(fd, request, strlen(request)), strlen(request));
        return fd;
}

static void test_refuse(void **state) {
        char *folder = test_folder_new(), *path = NULL, answer[2048] = "";
        _cleanup_error_ Error why = {}, error = {};
        int fd = -1, asked, silent;
        ssize_t n;

        assert_true(asprintf(&path, "%s/s", folder) > 0);
        assert_int_equal(http_listen_unix(path, 0600, &fd, &error), 0);
        asked = client_new(path, "GET /api/pairs HTTP/1.1\r\nHost: x\r\n\r\n");
        silent = client_new(path, "");
        (void) error_set(&why, ERROR_CONFIGURATION, "Mend it", "There is no kind of system \"sqllite\"");
        assert_int_equal(http_refuse_waiting(fd, &why), 2);
        n = read(asked, answer, sizeof(answer) - 1);
        assert_true(n > 0);
        assert_non_null(strstr(answer, "HTTP/1.1 503 Service Unavailable\r\n"));
        assert_non_null(strstr(answer, "\"code\":\"TF-2000\""));
        assert_non_null(strstr(answer, "\"detail\":\"There is no kind of system \\\"sqllite\\\"\""));
        assert_non_null(strstr(answer, "\"remedy\":\"Mend it\""));
        assert_int_equal(read(asked, answer, sizeof(answer)), 0); /* ended, not reset */
        assert_int_equal(read(silent, answer, sizeof(answer)), 0);
        assert_int_equal(http_refuse_waiting(fd, &why), 0); /* nobody waits any more, and nobody is waited for */
        (void) close(asked);
        asked = client_new(path, "GET / HTTP/1.1\r\n\r\n");
        assert_int_equal(http_drop_waiting(fd), 1);
        assert_true(read(asked, answer, sizeof(answer)) <= 0);
        assert_int_equal(http_drop_waiting(fd), 0);
        (void) close(asked);
        (void) close(silent);
        (void) close(fd);
        free(path);
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_refuse)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
