/* SPDX-License-Identifier: Apache-2.0 */
/* A sync service that does nothing: answers every request on the unix socket it was handed (descriptor 4) with 478 bytes of JSON,
 * pipelined or not, so that a proxy before it is what a benchmark measures. Requests have no bodies. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTENER 4
#define BODY_BYTES 478
#define IN_BYTES 65536

typedef struct Client {
        int fd;
        size_t n_in;
        char in[IN_BYTES];
} Client;

static char answer[1024];
static size_t answer_size;

static void answer_make(void) {
        char body[BODY_BYTES + 1];

        memset(body, 'x', BODY_BYTES);
        body[BODY_BYTES] = '\0';
        memcpy(body, "{\"status\":\"UP\",\"filler\":\"", 25);
        memcpy(body + BODY_BYTES - 2, "\"}", 2);
        answer_size = (size_t) snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                                        BODY_BYTES, body);
}

static void write_all(int fd, const char *bytes, size_t size) {
        while (size > 0) {
                ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

                if (n < 0 && errno != EINTR)
                        return;         /* the reader sees its end, too */
                if (n > 0) {
                        bytes += n;
                        size -= (size_t) n;
                }
        }
}

/* One send for all that was asked in one read. 0: the client is gone. */
static int serve(Client *c) {
        static char out[IN_BYTES * 16];
        ssize_t n = recv(c->fd, c->in + c->n_in, sizeof(c->in) - c->n_in, 0);
        size_t at = 0, n_out = 0;
        char *end;

        if (n <= 0)
                return 0;
        c->n_in += (size_t) n;
        while ((end = memmem(c->in + at, c->n_in - at, "\r\n\r\n", 4))) {
                at = (size_t) (end + 4 - c->in);
                if (n_out + answer_size > sizeof(out)) {
                        write_all(c->fd, out, n_out);
                        n_out = 0;
                }
                memcpy(out + n_out, answer, answer_size);
                n_out += answer_size;
        }
        memmove(c->in, c->in + at, c->n_in - at);
        c->n_in -= at;
        write_all(c->fd, out, n_out);
        return 1;
}

static void notify_ready(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (path && fd >= 0 && strlen(path) < sizeof(address.sun_path)) {
                memcpy(address.sun_path, path, strlen(path));
                (void) sendto(fd, "READY=1\n", 8, MSG_NOSIGNAL, (struct sockaddr *) &address, sizeof(address));
        }
}

int main(void) {
        int epoll = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = { .events = EPOLLIN }, events[64];

        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        answer_make();
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, LISTENER, &event) < 0)
                return 1;
        notify_ready();
        for (;;) {
                int n = epoll_wait(epoll, events, 64, 10000);

                if (n == 0)
                        notify_ready();         /* a sign of life */
                for (int i = 0; i < n; i++) {
                        Client *c = events[i].data.ptr;

                        if (!c) {
                                c = calloc(1, sizeof(Client));
                                if (!c || (c->fd = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC)) < 0) {
                                        free(c);
                                        continue;
                                }
                                event = (struct epoll_event) { .events = EPOLLIN, .data.ptr = c };
                                (void) epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
                        } else if (!serve(c)) {
                                (void) close(c->fd);
                                free(c);
                        }
                }
        }
}
