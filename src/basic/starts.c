/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/starts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/text.h"

#define NOTE_MAX 128U

static uint64_t now_usec(void) {
        struct timespec now = {};

        (void) clock_gettime(CLOCK_BOOTTIME, &now);
        return (uint64_t) now.tv_sec * 1000000U + (uint64_t) now.tv_nsec / 1000U;
}

static bool was_short(const Starts *last, uint64_t now) {
        if (last->started_usec == 0 || now < last->started_usec)
                return false;
        if (last->ready_usec >= last->started_usec)
                return now - last->ready_usec < STARTS_SETTLED_USEC;
        return now - last->started_usec < STARTS_WINDOW_USEC;
}

uint64_t starts_next(Starts *starts, uint64_t now) {
        uint64_t wait = 0;

        starts->n_short = was_short(starts, now) ? starts->n_short + 1 : 0;
        if (starts->n_short >= STARTS_FREE_MAX) {
                uint64_t doublings = starts->n_short - STARTS_FREE_MAX;

                wait = doublings > 7 ? STARTS_WAIT_MAX_USEC : STARTS_WAIT_MIN_USEC << doublings;
                if (wait > STARTS_WAIT_MAX_USEC)
                        wait = STARTS_WAIT_MAX_USEC;
        }
        starts->started_usec = now + wait;
        starts->ready_usec = 0;
        return wait;
}

/* NULL without memory. */
static char *note_path(const char *name) {
        const char *folder = getenv("RUNTIME_DIRECTORY");
        char *path;

        if (!folder || !*folder)
                folder = "/run/terrafusion";
        return asprintf(&path, "%.*s/%s.starts", (int) strcspn(folder, ":"), folder, name) < 0 ? NULL : path;
}

static Starts note_read(const char *path) {
        _cleanup_free_ char *text = NULL;
        Starts starts = {};
        size_t size;

        if (file_read(path, NOTE_MAX, &text, &size) < 0 ||
            sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &starts.n_short, &starts.started_usec, &starts.ready_usec) != 3)
                return (Starts) {};
        return starts;
}

static void note_write(const char *path, const Starts *starts) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0 || dprintf(fd, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", starts->n_short, starts->started_usec, starts->ready_usec) < 0)
                log_debug("\"%s\" cannot be written: %s", path, strerror(errno));
}

void starts_begin(const char *name) {
        _cleanup_free_ char *path = note_path(name);
        Starts starts;
        uint64_t wait;

        if (!path)
                return;
        starts = note_read(path);
        wait = starts_next(&starts, now_usec());
        note_write(path, &starts);
        if (wait == 0)
                return;
        log_warning("Ended at its start %" PRIu64 " times in a row, so this one waits %" PRIu64 " ms. The lines before tell why it ended.",
                    starts.n_short, wait / 1000);
        (void) sd_notifyf(false, "STATUS=Waits %" PRIu64 " ms, since it ended at its start %" PRIu64 " times in a row", wait / 1000,
                          starts.n_short);
        while (wait > 0) { /* usleep() takes less than a second */
                useconds_t step = wait > 500000 ? 500000 : (useconds_t) wait;

                (void) usleep(step);
                wait -= step;
        }
}

void starts_ready(const char *name) {
        _cleanup_free_ char *path = note_path(name);
        Starts starts;

        if (!path)
                return;
        starts = note_read(path);
        starts.ready_usec = now_usec();
        note_write(path, &starts);
}
