/* SPDX-License-Identifier: Apache-2.0 */
#include "http/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <systemd/sd-daemon.h>

#include "basic/json.h"

#define PATIENCE_USEC 50000 /* for one request to arrive: closed before it came, the answer would be lost with it */
#define TOTAL_SEC     1

static char *answer_new(const Error *why) {
        json_auto_t *problem = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s?}", "type", "about:blank", "title", error_title(why->id), "status",
                                         503, "code", error_code(why->id), "detail",
                                         why->detail ? why->detail : error_title(why->id), "remedy", why->remedy);
        _cleanup_free_ char *body = problem ? json_dumps(problem, JSON_COMPACT) : NULL;
        char *answer;

        if (!body ||
            asprintf(&answer,
                     "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
                     "Content-Length: %zu\r\nRetry-After: 10\r\nConnection: close\r\n\r\n%s",
                     strlen(body), body) < 0)
                return NULL;
        return answer;
}

static void connection_refuse(int fd, const char *answer) {
        const struct timeval patience = {.tv_usec = PATIENCE_USEC};
        char request[4096];

        (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (recv(fd, request, sizeof(request), 0) > 0 && send(fd, answer, strlen(answer), MSG_NOSIGNAL) > 0)
                (void) shutdown(fd, SHUT_WR);
}

unsigned http_refuse_waiting(int fd, const Error *why) {
        _cleanup_free_ char *answer = answer_new(why);
        time_t end = time(NULL) + TOTAL_SEC;
        int flags = fcntl(fd, F_GETFL);
        unsigned n = 0;

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return 0;
        while (time(NULL) <= end) {
                _cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

                if (peer < 0 && (errno == ECONNABORTED || errno == EINTR))
                        continue;
                if (peer < 0)
                        break;
                if (answer)
                        connection_refuse(peer, answer);
                n++;
        }
        return n;
}

unsigned http_drop_waiting(int fd) {
        int flags = fcntl(fd, F_GETFL);
        unsigned n = 0;

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return 0;
        for (; n < SOMAXCONN; n++) {
                _cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

                if (peer < 0)
                        break;
        }
        return n;
}

void http_refuse_inherited(const Error *why) {
        int n = sd_listen_fds(false);

        for (int i = 0; i < n; i++)
                (void) http_refuse_waiting(SD_LISTEN_FDS_START + i, why);
}
