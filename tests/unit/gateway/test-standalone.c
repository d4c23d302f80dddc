/* SPDX-License-Identifier: Apache-2.0 */
/* The sync service is played by /bin/true, which ends at once, and processes are had as the test says. */
#include "../testing.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "gateway/standalone.h"

static unsigned n_forks, failing_fork;

/* In place of libc's. */
pid_t fork(void) {
        if (++n_forks == failing_fork) {
                errno = EAGAIN;
                return -1;
        }
        return (pid_t) syscall(SYS_fork);
}

static Standalone *standalone_make(sd_event *event, const char *folder) {
        const int fds[2] = {open("/dev/null", O_RDONLY | O_CLOEXEC), open("/dev/null", O_RDONLY | O_CLOEXEC)};
        Standalone *s = NULL;

        assert_int_equal(standalone_new(event, folder, "/bin/true", fds, &s, NULL), 0);
        return s;
}

/* There may be no process to be had for a moment: the next one is tried for all the same. */
static void test_no_process_to_be_had(void **state) {
        char *folder = test_folder_new();
        sd_event *event = NULL;
        sigset_t child;
        Standalone *s;

        assert_int_equal(sigemptyset(&child) + sigaddset(&child, SIGCHLD) + sigprocmask(SIG_BLOCK, &child, NULL), 0);
        assert_int_equal(sd_event_new(&event), 0);
        s = standalone_make(event, folder);
        n_forks = 0;
        failing_fork = 2;
        assert_int_equal(standalone_start(s), 0);
        for (unsigned i = 0; i < 100 && n_forks < 3; i++)
                assert_true(sd_event_run(event, 100000) >= 0);
        assert_int_equal(n_forks, 3);
        assert_true(standalone_state(s)->running);
        assert_int_equal(standalone_state(s)->n_restarts, 1);
        assert_null(standalone_free(s));
        assert_null(sd_event_unref(event));
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_process_to_be_had),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
