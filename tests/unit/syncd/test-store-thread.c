/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <pthread.h>

#include "basic/limits.h"
#include "syncd/store-thread.h"

typedef struct Probe {
        sd_event *event;
        pthread_t worked_in;
        unsigned n_done, n_refused, stop_at;
        int r;
        bool had_state;
        ErrorId id;
} Probe;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int work(Database *state, void *job, Error *error) {
        Probe *p = job;

        (void) pthread_mutex_lock(&gate);
        (void) pthread_mutex_unlock(&gate);
        p->worked_in = pthread_self();
        p->had_state = state;
        return 0;
}

static int work_failing(Database *state, void *job, Error *error) {
        return error_set(error, ERROR_NOT_FOUND, "look elsewhere", "nothing here");
}

static void done(void *job, int r, Error *error) {
        Probe *p = job;

        p->r = r;
        p->id = error->id;
        p->n_refused += error->id == ERROR_UNAVAILABLE;
        if (++p->n_done == p->stop_at)
                assert_true(sd_event_exit(p->event, 0) >= 0);
}

static void test_runs_elsewhere_ends_here(void **state) {
        char *folder = test_folder_new();
        _cleanup_error_ Error error = {};
        Probe p = {.stop_at = 1};
        StoreThread *t = NULL;

        assert_true(sd_event_new(&p.event) >= 0);
        assert_int_equal(store_thread_new(p.event, folder, &t), 0);
        assert_int_equal(store_submit(t, STORE_STATE, work, done, &p, &error), 0);
        assert_int_equal(store_thread_n_waiting(t), 1);
        assert_true(sd_event_loop(p.event) >= 0);
        assert_int_equal(p.r, 0);
        assert_true(p.had_state);
        assert_false(pthread_equal(p.worked_in, pthread_self()));
        assert_int_equal(store_thread_n_waiting(t), 0);
        assert_null(store_thread_failure(t));
        store_thread_free(t);
        sd_event_unref(p.event);
        test_folder_remove(folder);
}

static void test_failures(void **state) {
        _cleanup_error_ Error error = {};
        Probe away = {}, files = {.stop_at = 1};
        StoreThread *t = NULL;

        assert_true(sd_event_new(&files.event) >= 0);
        assert_int_equal(store_thread_new(files.event, "/proc/nonexistent", &t), 0);
        assert_int_equal(store_submit(t, STORE_STATE, work, done, &away, &error), 0);
        assert_int_equal(store_submit(t, STORE_FILES, work_failing, done, &files, &error), 0);
        assert_true(sd_event_loop(files.event) >= 0);
        assert_true(away.r < 0); /* its work never ran: there is no state.db */
        assert_false(away.had_state);
        assert_non_null(store_thread_failure(t));
        assert_int_equal(files.id, ERROR_NOT_FOUND);
        store_thread_free(t);
        sd_event_unref(files.event);
}

static void test_bound_and_stop(void **state) {
        _cleanup_error_ Error error = {};
        Probe p = {};
        StoreThread *t = NULL;

        assert_true(sd_event_new(&p.event) >= 0);
        assert_int_equal(store_thread_new(p.event, "/proc/nonexistent", &t), 0);
        assert_int_equal(pthread_mutex_lock(&gate), 0);
        for (unsigned i = 0; i < STORE_JOBS_MAX; i++)
                assert_int_equal(store_submit(t, STORE_FILES, work, done, &p, &error), 0);
        assert_int_equal(store_submit(t, STORE_FILES, work, done, &p, &error),
                         error_errno(ERROR_UNAVAILABLE));
        assert_non_null(strstr(error.detail, "256"));
        assert_non_null(strstr(error.detail, "STORE_JOBS_MAX"));
        assert_int_equal(pthread_mutex_unlock(&gate), 0);
        store_thread_free(t);
        assert_int_equal(p.n_done, STORE_JOBS_MAX); /* each once, run or refused */
        sd_event_unref(p.event);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_runs_elsewhere_ends_here),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_bound_and_stop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
