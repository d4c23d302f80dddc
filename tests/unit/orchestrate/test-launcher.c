/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "orchestrate/launcher.h"

#define A "00000000-0000-7000-8000-00000000000a"

typedef struct Seen {
        sd_event *event;
        Launcher *launcher;
        char id[64], cause[128];
        int exit_status, n_ends;
} Seen;

static void on_ended(const char *id, int exit_status, const Error *cause, void *userdata) {
        Seen *seen = userdata;

        (void) snprintf(seen->id, sizeof(seen->id), "%s", id);
        (void) snprintf(seen->cause, sizeof(seen->cause), "%s", cause ? cause->detail : "");
        seen->exit_status = exit_status;
        seen->n_ends++;
        assert_false(
                launcher_is_running(seen->launcher, id)); /* so that it may be started again from here */
        assert_int_equal(sd_event_exit(seen->event, 0), 0);
}

static char *worker_write(const char *folder, const char *script) {
        char *path = test_file_write(folder, "worker", script);

        assert_int_equal(chmod(path, 0755), 0);
        return path;
}

static void seen_begin(Seen *seen, const char *worker) {
        sigset_t child;

        (void) sigemptyset(&child);
        (void) sigaddset(&child, SIGCHLD);
        assert_int_equal(sigprocmask(SIG_BLOCK, &child, NULL), 0);
        *seen = (Seen){.exit_status = -99};
        assert_true(sd_event_new(&seen->event) >= 0);
        assert_int_equal(launcher_new_child(seen->event, worker, on_ended, seen, &seen->launcher), 0);
}

static void seen_end(Seen *seen) {
        launcher_free(seen->launcher);
        sd_event_unref(seen->event);
}

static void test_exit_status_and_environment(void **state) {
        char *folder = test_folder_new();
        /* 75 only when id, session and environment are as a worker needs them */
        char *worker = worker_write(
                folder, "#!/bin/sh\n[ \"$1\" = " A
                        " ] || exit 1\n[ -z \"$NOTIFY_SOCKET$LISTEN_FDS$WATCHDOG_USEC\" ] || exit 2\n"
                        "[ \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$ ] || exit 3\n[ \"$KEPT\" = yes ] || "
                        "exit 4\nexit 75\n");
        _cleanup_error_ Error error = {};
        Seen seen;

        assert_int_equal(setenv("NOTIFY_SOCKET", "@x", 1) | setenv("LISTEN_FDS", "1", 1) |
                                 setenv("WATCHDOG_USEC", "1", 1) | setenv("KEPT", "yes", 1),
                         0);
        seen_begin(&seen, worker);
        assert_int_equal(launcher_start(seen.launcher, A, &error), 0);
        assert_true(launcher_is_running(seen.launcher, A));
        assert_int_equal(launcher_start(seen.launcher, A, &error), error_errno(ERROR_ALREADY_RUNNING));
        assert_int_equal(launcher_n_running(seen.launcher), 1);
        assert_true(sd_event_loop(seen.event) >= 0);
        assert_string_equal(seen.id, A);
        assert_int_equal(seen.exit_status, 75);
        assert_string_equal(seen.cause, "");
        assert_true(launcher_is_ready(seen.launcher));
        seen_end(&seen);
        assert_int_equal(unsetenv("NOTIFY_SOCKET") | unsetenv("LISTEN_FDS") | unsetenv("WATCHDOG_USEC"), 0);
        free(worker);
        test_folder_remove(folder);
}

static void test_stop_and_death(void **state) {
        char *folder = test_folder_new();
        char *worker = worker_write(folder, "#!/bin/sh\nexec sleep 60\n");
        _cleanup_error_ Error error = {};
        Seen seen;

        seen_begin(&seen, worker);
        assert_int_equal(launcher_start(seen.launcher, A, &error), 0);
        assert_int_equal(launcher_stop(seen.launcher, "other"), -ESRCH);
        assert_true(launcher_stop(seen.launcher, A) >= 0);
        assert_true(sd_event_loop(seen.event) >= 0);
        assert_int_equal(seen.exit_status, -1); /* by a signal: no status */
        assert_string_equal(seen.cause, "The worker was killed by signal 15 (SIGTERM)");
        assert_int_equal(seen.n_ends, 1);
        seen_end(&seen);
        free(worker);
        test_folder_remove(folder);
}

static void test_missing_worker(void **state) {
        _cleanup_error_ Error error = {};
        Seen seen;

        seen_begin(&seen, "/nonexistent/terrafusion-worker");
        assert_int_equal(launcher_start(seen.launcher, A, &error), error_errno(ERROR_CONFIGURATION));
        assert_non_null(strstr(error.detail, "/nonexistent/terrafusion-worker"));
        assert_non_null(strstr(error.remedy, "TERRAFUSION_WORKER"));
        assert_int_equal(launcher_n_running(seen.launcher), 0);
        seen_end(&seen);
}

/* What a restarted syncd does: the process is somebody else's child as far as the launcher knows. */
static void test_adopted(void **state) {
        _cleanup_error_ Error error = {};
        Seen seen;
        pid_t pid;
        int fd;

        seen_begin(&seen, "/bin/true");
        pid = fork();
        if (pid == 0) {
                (void) pause();
                _exit(0);
        }
        assert_true(pid > 0);
        fd = (int) syscall(SYS_pidfd_open, pid, 0);
        assert_true(fd >= 0);
        assert_int_equal(launcher_adopt(seen.launcher, A, fd, &error), 0);
        assert_true(launcher_is_running(seen.launcher, A));
        assert_int_equal(launcher_stop(seen.launcher, A), 0);
        assert_true(sd_event_loop(seen.event) >= 0);
        assert_int_equal(seen.exit_status, -1);
        assert_string_equal(seen.id, A);
        seen_end(&seen);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A launcher that goes leaves its workers alive. */
static void test_free_leaves_workers(void **state) {
        char *folder = test_folder_new(), *script = NULL, *worker, *mark = NULL;
        _cleanup_error_ Error error = {};
        Seen seen;

        assert_true(asprintf(&mark, "%s/done", folder) > 0);
        assert_true(asprintf(&script, "#!/bin/sh\nsleep 0.1\n: > %s\n", mark) > 0);
        worker = worker_write(folder, script);
        seen_begin(&seen, worker);
        assert_int_equal(launcher_start(seen.launcher, A, &error), 0);
        seen_end(&seen);
        assert_true(waitpid(-1, NULL, 0) > 0);
        assert_int_equal(access(mark, F_OK), 0);
        free(mark);
        free(script);
        free(worker);
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exit_status_and_environment),
                cmocka_unit_test(test_stop_and_death),
                cmocka_unit_test(test_missing_worker),
                cmocka_unit_test(test_adopted),
                cmocka_unit_test(test_free_leaves_workers),
        };

        (void) signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
