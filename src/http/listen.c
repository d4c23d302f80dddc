/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "http/server.h"

#define LISTEN_BACKLOG 4096

static int listen_failed(Error *error, int r, const char *address, uint16_t port) {
        _cleanup_free_ char *remedy = NULL;

        if (r != -EADDRINUSE)
                return error_set(error, error_from_errno(r), NULL, "Listening on %s port %u failed: %s",
                                 address, (unsigned) port, strerror(-r));
        if (asprintf(&remedy, "See who has it with \"ss -ltnp 'sport = :%u'\", stop that, and start again.", (unsigned) port) < 0)
                return -ENOMEM;
        return error_set(error, ERROR_ADDRESS_IN_USE, remedy, "Port %u on %s is taken by another program", (unsigned) port, address);
}

int http_listen_tcp(const char *address, uint16_t port, int *ret_fd, Error *error) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        bool is_4 = inet_pton(AF_INET, address, &in.sin_addr) == 1;
        _cleanup_close_ int fd = -EBADF;
        int one = 1, zero = 0;

        if (!is_4 && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
                return listen_failed(error, -EINVAL, address, port);
        fd = socket(is_4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return listen_failed(error, -errno, address, port);
        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (!is_4)
                (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
        if (bind(fd, is_4 ? (const struct sockaddr *) &in : (const struct sockaddr *) &in6, is_4 ? sizeof(in) : sizeof(in6)) < 0 ||
            listen(fd, LISTEN_BACKLOG) < 0)
                return listen_failed(error, -errno, address, port);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* A socket file that nobody listens on is left over from a killed process. */
static bool socket_is_dead(const struct sockaddr_un *address) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct stat st;

        /* Connecting to a plain file is refused, too, and it is somebody's. */
        if (lstat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
                return false;
        return fd >= 0 && connect(fd, (const struct sockaddr *) address, sizeof(*address)) < 0 && errno == ECONNREFUSED;
}

int http_listen_unix(const char *path, unsigned mode, int *ret_fd, Error *error) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        bool bound = false;

        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(error, ERROR_CONFIGURATION, "Use a shorter runtime directory.", "The socket's path \"%s\" is too long", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (fd >= 0)
                bound = bind(fd, (const struct sockaddr *) &address, sizeof(address)) == 0;
        if (fd >= 0 && !bound && errno == EADDRINUSE) {
                bound = socket_is_dead(&address) && unlink(path) == 0 &&
                        bind(fd, (const struct sockaddr *) &address, sizeof(address)) == 0;
                if (!bound)
                        errno = EADDRINUSE;
        }
        if (!bound && errno == EADDRINUSE)
                return error_set(error, ERROR_ADDRESS_IN_USE, "Stop the other instance first, or give another RUNTIME_DIRECTORY.",
                                 "Another program listens on \"%s\"", path);
        if (!bound)
                return error_set(error, error_from_errno(-errno), NULL, "Binding \"%s\" failed: %s", path, strerror(errno));
        if (chmod(path, mode) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
                return error_set(error, error_from_errno(-errno), NULL, "Listening on \"%s\" failed: %s", path, strerror(errno));
        *ret_fd = TAKE_FD(fd);
        return 0;
}
