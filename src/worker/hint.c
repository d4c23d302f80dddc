/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/run.h"

#include "basic/json.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

void hint_open(Run *run) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/progress.sock",
                         run->settings->runtime_directory);
        _cleanup_close_ int fd = -EBADF;

        run->hint_fd = -EBADF;
        if (n < 0 || (size_t) n >= sizeof(address.sun_path))
                return;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return; /* syncd is not there: it reads the outcome from the store later */
        run->hint_fd = TAKE_FD(fd);
}

static void hint_write(Run *run, const json_t *hint) {
        _cleanup_free_ char *text = hint ? json_dumps(hint, JSON_COMPACT) : NULL;

        if (run->hint_fd < 0)
                hint_open(run);
        if (text && run->hint_fd >= 0 && send(run->hint_fd, text, strlen(text), MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
                closep(&run->hint_fd); /* syncd restarted: connect anew at the next batch */
                run->hint_fd = -EBADF;
        }
}

void hint_send(Run *run, const char *entity, uint64_t n_total) {
        const EntityResult *result = operation_result(run->operation, entity);
        json_auto_t *hint = NULL;

        if (!result)
                return;
        (void) sd_notifyf(false, "STATUS=%s: %" PRId64 " records of %s read", run->operation->sync_pair_id,
                          result->n_read, entity);
        hint = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "operation_id", run->operation->id,
                         "entity", entity, "n_read", (json_int_t) result->n_read, "n_inserted",
                         (json_int_t) result->n_inserted, "n_updated", (json_int_t) result->n_updated,
                         "n_deleted", (json_int_t) result->n_deleted, "n_unchanged",
                         (json_int_t) result->n_unchanged, "n_held", (json_int_t) result->n_held, "total",
                         (json_int_t) n_total);
        hint_write(run, hint);
}

void hint_log(Run *run, const LogHint *log) {
        char position[48];
        json_auto_t *hint = NULL;

        (void) snprintf(position, sizeof(position), "%X/%X", (unsigned) (log->position.lsn >> 32), (unsigned) log->position.lsn);
        (void) sd_notifyf(false, "STATUS=%s: follows the log, applied up to %s, %" PRId64 " ms behind", run->operation->sync_pair_id, position,
                          log->lag_usec / 1000);
        hint = json_pack("{s:s, s:s, s:{s:s, s:I, s:I, s:I, s:I, s:b}}", "operation_id", run->operation->id, "sync_pair_id",
                         run->operation->sync_pair_id, "log", "position", position, "lag_usec", (json_int_t) log->lag_usec,
                         "p50_usec", (json_int_t) log->p50_usec, "p99_usec", (json_int_t) log->p99_usec, "retained_bytes",
                         (json_int_t) log->retained_bytes, "progress", log->progress);
        hint_write(run, hint);
}

void hint_finding(Run *run, const char *entity, const Finding *finding) {
        json_auto_t *hint = json_pack("{s:s, s:s, s:{s:s, s:s?, s:s?}}", "operation_id", run->operation->id, "entity", entity, "finding",
                                      "severity", finding_severity_to_string(finding->severity), "rule", finding->rule, "field",
                                      finding->field);

        hint_write(run, hint);
}

void hint_paused(Run *run, uint64_t pause_usec) {
        json_auto_t *hint = json_pack("{s:s, s:s, s:I}", "operation_id", run->operation->id, "system", run->pair->source, "paused_usec",
                                      (json_int_t) pause_usec);

        hint_write(run, hint);
}
