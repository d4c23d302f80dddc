/* SPDX-License-Identifier: Apache-2.0 */
/* pairs/PAIR.lock: held by the one worker that works on the pair; its text says which ("PID OPERATION\n").
 * The kernel lets go of it when the worker dies, however that happens. The file stays: unlinking it would
 * let two workers hold two files. */
#include "store/progress-internal.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include "basic/text.h"

#define LOCK_TRIES      20
#define LOCK_PAUSE_NSEC (10 * 1000 * 1000)

static int lock_parse(char *text, pid_t *ret_pid, char *ret_operation_id) {
        char *space = strchr(text, ' ');
        int64_t pid;

        if (!space)
                return -EBADMSG;
        *space = 0;
        space[1 + strcspn(space + 1, "\n")] = 0;
        if (text_to_int64(text, 1, INT32_MAX, &pid) < 0 || strlen(space + 1) >= UUID_TEXT_SIZE)
                return -EBADMSG;
        if (ret_pid)
                *ret_pid = (pid_t) pid;
        if (ret_operation_id)
                memcpy(ret_operation_id, space + 1, strlen(space + 1) + 1);
        return 0;
}

static int lock_read(int fd, pid_t *ret_pid, char *ret_operation_id) {
        char text[sizeof("2147483647 ") + UUID_TEXT_SIZE + 1];
        ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

        if (n < 0)
                return -errno;
        text[n] = 0;
        return lock_parse(text, ret_pid, ret_operation_id);
}

/* syncd holds the lock shared for a moment when it asks who has it, so one refusal proves nothing. */
static int lock_try(int fd) {
        for (unsigned i = 0; i < LOCK_TRIES; i++) {
                if (flock(fd, LOCK_EX | LOCK_NB) == 0)
                        return 0;
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return -errno;
                (void) nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NSEC}, NULL);
        }
        return -EWOULDBLOCK;
}

static int lock_refused(int fd, const char *path, int refusal, Error *error) {
        char operation_id[UUID_TEXT_SIZE];
        pid_t pid;

        if (refusal != -EWOULDBLOCK)
                return error_set(error, ERROR_IO,
                                 "Keep the state folder on a local disk, which can lock files.",
                                 "Cannot lock \"%s\": %s", path, strerror(-refusal));
        if (lock_read(fd, &pid, operation_id) < 0)
                return error_set(error, ERROR_ALREADY_RUNNING, "Wait until it ends.",
                                 "Another worker holds \"%s\"", path);
        return error_set(error, ERROR_ALREADY_RUNNING,
                         "Wait until it ends, or cancel it with \"terrafusionctl cancel\".",
                         "Operation %s is working on this pair (process %d)", operation_id, (int) pid);
}

static int lock_write(int fd, const char *path, const char *operation_id, Error *error) {
        _cleanup_free_ char *text = NULL;
        int size = asprintf(&text, "%d %s\n", (int) getpid(), operation_id);

        if (size < 0)
                return store_no_memory(error);
        if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t) size, 0) == size)
                return 0;
        if (errno == ENOSPC || errno == EDQUOT)
                return error_set(error, ERROR_DISK_FULL,
                                 "Make room on the disk that holds the state folder.",
                                 "Cannot write \"%s\": %m", path);
        return error_set(error, ERROR_IO, "Check the disk that holds the state folder.",
                         "Cannot write \"%s\": %m", path);
}

int pair_lock(const char *state_directory, const char *pair, const char *operation_id, int *ret_fd,
              Error *error) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *path = NULL;
        int r;

        r = store_path(state_directory, "pairs", pair, ".lock", &path, error);
        if (r < 0)
                return r;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
        if (fd < 0)
                return error_set(error, ERROR_IO,
                                 "Check that the state folder belongs to the service's user.",
                                 "Cannot open \"%s\": %m", path);
        r = lock_try(fd);
        if (r < 0)
                return lock_refused(fd, path, r, error);
        r = lock_write(fd, path, operation_id, error);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int progress_lock_holder(const char *state_directory, const char *pair, pid_t *ret_pid,
                         char *ret_operation_id) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *path = NULL;
        int r;

        r = store_path(state_directory, "pairs", pair, ".lock", &path, NULL);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (flock(fd, LOCK_SH | LOCK_NB) == 0)
                return 0; /* closing lets go of it */
        if (errno != EWOULDBLOCK)
                return -errno;
        r = lock_read(fd, ret_pid, ret_operation_id);
        /* Taken, but its text is not written yet. */
        if (r == -EBADMSG) {
                if (ret_pid)
                        *ret_pid = 0;
                if (ret_operation_id)
                        *ret_operation_id = 0;
                r = 0;
        }
        return r < 0 ? r : 1;
}
