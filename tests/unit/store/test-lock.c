/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <fcntl.h>

static void test_who_holds_it(void **state) {
        Fixture *f = *state;
        char operation_id[UUID_TEXT_SIZE] = "";
        pid_t pid = 0;

        assert_int_equal(progress_lock_holder(f->folder, "pair", &pid, operation_id), 1);
        assert_int_equal(pid, getpid());
        assert_string_equal(operation_id, OPERATION_1);
        assert_int_equal(progress_lock_holder(f->folder, "pair", NULL, NULL), 1);
        assert_int_equal(progress_lock_holder(f->folder, "other", &pid, operation_id), 0);
        f->progress = progress_close(f->progress);
        assert_int_equal(progress_lock_holder(f->folder, "pair", &pid, operation_id), 0);
}

static void test_a_second_worker(void **state) {
        Fixture *f = *state;
        Progress *second = NULL;

        assert_int_equal(progress_open(f->folder, "pair", OPERATION_2, &second, &f->error), -EEXIST);
        assert_null(second);
        assert_int_equal(f->error.id, ERROR_ALREADY_RUNNING);
        assert_non_null(strstr(f->error.detail, OPERATION_1));
        assert_non_null(strstr(f->error.remedy, "cancel"));
        error_done(&f->error);
        f->progress = progress_close(f->progress);
        assert_ok(f, progress_open(f->folder, "pair", OPERATION_2, &second, &f->error));
        progress_close(second);
}

static void test_other_pairs_are_free(void **state) {
        Fixture *f = *state;
        Progress *second = NULL;

        assert_ok(f, progress_open(f->folder, "other", OPERATION_2, &second, &f->error));
        progress_close(second);
}

/* A worker killed without warning holds nothing any more. */
static void test_a_dead_worker(void **state) {
        Fixture *f = *state;
        int ready[2];
        char byte;
        pid_t child;

        f->progress = progress_close(f->progress);
        assert_int_equal(pipe(ready), 0);
        child = fork();
        if (child == 0) {
                Progress *p;
                if (progress_open(f->folder, "pair", OPERATION_2, &p, NULL) < 0 ||
                    write(ready[1], "x", 1) != 1)
                        _exit(1);
                for (;;)
                        (void) pause();
        }
        (void) close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void) close(ready[0]);
        assert_int_equal(progress_lock_holder(f->folder, "pair", NULL, NULL), 1);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(progress_lock_holder(f->folder, "pair", NULL, NULL), 0);
        fixture_open(f);
}

/* Who only looks holds the lock shared for a moment: a worker that starts then is not turned away. */
static void test_a_look_does_not_turn_a_worker_away(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *path = NULL;
        int fd;

        f->progress = progress_close(f->progress);
        assert_true(asprintf(&path, "%s/pairs/pair.lock", f->folder) > 0);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
        if (fork() == 0) {
                (void) usleep(50 * 1000); /* shares the lock until here */
                _exit(0);
        }
        (void) close(fd);
        fixture_open(f);
        (void) wait(NULL);
}

static void test_names_that_lead_elsewhere(void **state) {
        Fixture *f = *state;
        Progress *p;

        assert_int_equal(progress_lock_holder(f->folder, "../pair", NULL, NULL), -EINVAL);
        assert_int_equal(progress_open(f->folder, "../../etc/x", OPERATION_1, &p, &f->error), -EINVAL);
        assert_int_equal(f->error.id, ERROR_ARGUMENT);
        assert_non_null(strstr(f->error.detail, "../../etc/x"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_who_holds_it),
                TEST(test_a_second_worker),
                TEST(test_other_pairs_are_free),
                TEST(test_a_dead_worker),
                TEST(test_a_look_does_not_turn_a_worker_away),
                TEST(test_names_that_lead_elsewhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
