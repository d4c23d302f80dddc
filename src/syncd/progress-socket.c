/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "basic/json.h"
#include "basic/limits.h"
#include "syncd/syncd.h"

#define HINTS_PER_TURN_MAX 64U /* so that chatty workers do not keep requests waiting */

/* How far behind a pair is that follows its source's log, and what the source keeps for it. */
static void log_gauges(Syncd *s, const json_t *hint) {
        const json_t *log = json_object_get(hint, "log");
        const char *pair = json_member_text(hint, "sync_pair_id");

        if (!log || !pair)
                return;
        metric_gauge(s->metrics, "terrafusion_source_retained_bytes", "pair", pair,
                     (double) json_member_integer(log, "retained_bytes", 0));
        metric_gauge(s->metrics, "terrafusion_log_lag_seconds", "pair", pair,
                     (double) json_member_integer(log, "lag_usec", 0) / 1e6);
        metric_gauge(s->metrics, "terrafusion_log_latency_p50_seconds", "pair", pair,
                     (double) json_member_integer(log, "p50_usec", 0) / 1e6);
        metric_gauge(s->metrics, "terrafusion_log_latency_p99_seconds", "pair", pair,
                     (double) json_member_integer(log, "p99_usec", 0) / 1e6);
}

static int on_hints(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        static char bytes[DATAGRAM_BYTES_MAX]; /* the loop is one thread, and hints are read one by one */
        Syncd *s = userdata;

        for (unsigned i = 0; i < HINTS_PER_TURN_MAX; i++) {
                ssize_t size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);
                json_auto_t *hint = NULL;

                if (size < 0)
                        break;
                if ((size_t) size > sizeof(bytes) || json_parse(bytes, (size_t) size, &hint, NULL) < 0)
                        metric_add(s->metrics, "terrafusion_hints_dropped_total", NULL, NULL, 1);
                else if (json_object_get(hint, "paused_usec"))
                        metric_add(s->metrics, "terrafusion_source_paused_seconds_total", "system",
                                   json_member_text(hint, "system") ?: "",
                                   (double) json_member_integer(hint, "paused_usec", 0) / 1000000);
                else if (json_object_get(hint, "finding"))
                        publish_finding(s, hint);
                else if (live_hint(&s->live, hint)) {
                        log_gauges(s, hint);
                        publish_progress(s);
                }
                else
                        metric_add(s->metrics, "terrafusion_hints_dropped_total", NULL, NULL, 1);
        }
        return 0;
}

int progress_socket_open(Syncd *s, Error *error) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (asprintf(&path, "%s/progress.sock", s->settings->runtime_directory) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the progress socket");
        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(error, ERROR_CONFIGURATION, "Set RUNTIME_DIRECTORY to a shorter path",
                                 "The path \"%s\" is too long for a socket", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return error_set(error, ERROR_IO, NULL, "No socket for progress: %s", strerror(errno));
        (void) unlink(path); /* of an earlier syncd; the lock says that none lives */
        if (bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 || chmod(path, 0600) < 0)
                return error_set(error, ERROR_CONFIGURATION,
                                 "Make the runtime directory writable for the service",
                                 "Cannot listen on \"%s\": %s", path, strerror(errno));
        r = sd_event_add_io(s->event, &s->progress, fd, EPOLLIN, on_hints, s);
        if (r < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Cannot watch the progress socket: %s",
                                 strerror(-r));
        (void) sd_event_source_set_description(s->progress, "progress");
        s->progress_fd = TAKE_FD(fd);
        return 0;
}
