/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "apply/writing.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

/* A target that takes a batch when it is let to. */
typedef struct FakeTarget {
        Connection base;
        Writer writer;
        sem_t let;
        pthread_t thread;
        int n_refused, n_committed, n_rolled_back;
        bool fails, takes_signals;
} FakeTarget;

static FakeTarget fake;

static int fake_begin(_unused_ Connection *c, _unused_ Error *error) { return 0; }

static int fake_write(_unused_ Writer *w, RecordWrite *writes, size_t n_writes, Error *error) {
        sigset_t blocked;

        (void) sem_wait(&fake.let);
        fake.thread = pthread_self();
        (void) pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        fake.takes_signals = sigismember(&blocked, SIGTERM) == 0;
        if (fake.fails)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Start it.", "The target went away");
        for (int i = 0; i < fake.n_refused && i < (int) n_writes; i++)
                (void) error_set(&writes[i].refusal, ERROR_RECORD_REFUSED, NULL, "CHECK failed");
        return fake.n_refused;
}

static int fake_commit(_unused_ Connection *c, _unused_ Error *error) {
        fake.n_committed++;
        return 0;
}

static int fake_rollback(_unused_ Connection *c) {
        fake.n_rolled_back++;
        return 0;
}

static const Connector fake_connector = {
        .kind = "fake",
        .capabilities = CONNECTOR_WRITES | CONNECTOR_TRANSACTS,
        .begin = fake_begin,
        .write = fake_write,
        .commit = fake_commit,
        .rollback = fake_rollback,
};

static Change changes[2];
static Batch batch;

static int setup(_unused_ void **state) {
        fake = (FakeTarget){.base = {&fake_connector}, .writer = {&fake_connector}};
        changes[0] = changes[1] = (Change){.kind = CHANGE_INSERT};
        batch = (Batch){.changes = changes, .n_changes = 2, .capacity = 2};
        return sem_init(&fake.let, 0, 0) < 0 ? -1 : arena_new(&batch.arena);
}

static int teardown(_unused_ void **state) {
        batch.arena = arena_free(batch.arena);
        return sem_destroy(&fake.let);
}

/* It returns before the target has taken anything, else this would wait for ever. */
static void test_the_caller_goes_on(_unused_ void **state) {
        Writing *w = NULL;
        Error error = {};

        assert_int_equal(writing_begin(&fake.base, &fake.writer, &batch, &w, &error), 0);
        assert_int_equal(fake.n_committed, 0);
        (void) sem_post(&fake.let);
        assert_int_equal(writing_end(w, &error), 0);
        assert_int_equal(fake.n_committed, 1);
        assert_false(pthread_equal(fake.thread, pthread_self()));
        assert_false(fake.takes_signals);
}

static void test_refused_records(_unused_ void **state) {
        Writing *w = NULL;
        Error error = {};

        fake.n_refused = 1;
        assert_int_equal(writing_begin(&fake.base, &fake.writer, &batch, &w, &error), 0);
        (void) sem_post(&fake.let);
        assert_int_equal(writing_end(w, &error), 1);
        assert_int_equal(changes[0].kind, CHANGE_HELD);
        assert_int_equal(changes[1].kind, CHANGE_INSERT);
        assert_int_equal(fake.n_rolled_back, 1);
        assert_int_equal(error.id, ERROR_NONE);
}

static void test_a_failure_comes_with_its_error(_unused_ void **state) {
        Writing *w = NULL;
        Error error = {};

        fake.fails = true;
        for (unsigned told = 0; told < 2; told++) {
                (void) sem_post(&fake.let);
                assert_int_equal(writing_begin(&fake.base, &fake.writer, &batch, &w, &error), 0);
                assert_true(writing_end(w, told ? &error : NULL) < 0);
        }
        assert_int_equal(error.id, ERROR_SYSTEM_UNAVAILABLE);
        assert_string_equal(error.remedy, "Start it.");
        error_done(&error);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_the_caller_goes_on, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused_records, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_failure_comes_with_its_error, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
