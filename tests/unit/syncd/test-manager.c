/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <signal.h>
#include <sys/stat.h>

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "store/operations.h"
#include "syncd/syncd.h"

/* A syncd without faces, its store in a folder, its workers a shell script that writes nothing to the store.
 */
typedef struct Bench {
        Syncd s;
        char *folder, *worker, id[UUID_TEXT_SIZE];
        Settings settings;
} Bench;

static void bench_begin(Bench *b, const char *script) {
        sigset_t child;

        *b = (Bench){.folder = test_folder_new()};
        b->worker = test_file_write(b->folder, "worker", script);
        assert_int_equal(chmod(b->worker, 0755), 0);
        (void) sigemptyset(&child);
        (void) sigaddset(&child, SIGCHLD);
        assert_int_equal(sigprocmask(SIG_BLOCK, &child, NULL), 0);
        b->settings.state_directory = b->folder;
        b->s.settings = &b->settings;
        assert_true(sd_event_new(&b->s.event) >= 0);
        assert_int_equal(
                health_new(&b->s.health) | metric_set_new(&b->s.metrics) | queue_new(2, 1, &b->s.queue), 0);
        assert_int_equal(store_thread_new(b->s.event, b->folder, &b->s.store), 0);
        assert_int_equal(
                launcher_new_child(b->s.event, b->worker, manager_worker_ended, &b->s, &b->s.launcher), 0);
}

static void bench_end(Bench *b) {
        b->s.is_stopping = true;
        store_thread_free(b->s.store);
        live_done(&b->s.live);
        launcher_free(b->s.launcher);
        queue_free(b->s.queue);
        event_source_drop(&b->s.wake);
        event_source_drop(&b->s.recover);
        health_free(b->s.health);
        metric_set_free(b->s.metrics);
        sd_event_unref(b->s.event);
        free(b->worker);
        test_folder_remove(b->folder);
}

static Database *bench_state(Bench *b) {
        _cleanup_error_ Error error = {};
        Database *state = NULL;

        assert_int_equal(state_open(b->folder, &state, &error), 0);
        return state;
}

/* What an earlier syncd left: an operation in the store; `running`: with an attempt begun. */
static void bench_leave(Bench *b, bool running, bool cancelled) {
        _cleanup_error_ Error error = {};
        Database *state = bench_state(b);
        Operation *o = operation_new();
        char existing[UUID_TEXT_SIZE];
        int64_t attempt;

        assert_int_equal(uuid_new_v7(o->id), 0);
        o->sync_pair_id = strdup("pacs_to_cama");
        o->created_at = timestamp_now();
        memcpy(b->id, o->id, sizeof(b->id));
        assert_int_equal(operation_insert(state, o, existing, &error), 1);
        if (running)
                assert_int_equal(operation_attempt_begin(state, o->id, &attempt, &error), 0);
        if (cancelled)
                assert_int_equal(operation_cancel(state, o->id, &error), 0);
        operation_free(o);
        database_close(state);
}

/* Turns the loop until the operation is in the wanted status, 3 s at most. */
static Operation *bench_until(Bench *b, OperationStatus wanted, int64_t n_attempts) {
        Database *state = bench_state(b);

        for (unsigned i = 0; i < 300; i++) {
                _cleanup_error_ Error error = {};
                Operation *o = NULL;

                assert_true(sd_event_run(b->s.event, 10000) >= 0);
                assert_int_equal(operation_load(state, b->id, &o, &error), 0);
                if (o->status == wanted && o->n_attempts >= n_attempts &&
                    (!operation_status_is_final(wanted) || b->s.live.n == 0)) {
                        database_close(state);
                        return o;
                }
                operation_free(o);
        }
        database_close(state);
        fail_msg("the operation did not become %s", operation_status_to_string(wanted));
        return NULL;
}

static void test_worker_with_a_configuration_error(void **state) {
        _cleanup_error_ Error error = {};
        Database *state_db;
        json_t *newest;
        Operation *o;
        Bench b;

        bench_begin(&b, "#!/bin/sh\nexit 78\n");
        bench_leave(&b, false, false);
        assert_int_equal(manager_start(&b.s), 0);
        o = bench_until(&b, OPERATION_FAILED, 0);
        assert_int_equal(o->error.id, ERROR_CONFIGURATION);
        assert_non_null(strstr(o->error.detail, "status 78"));
        assert_non_null(o->error.remedy);
        newest = operation_newest(state_db = bench_state(&b), "pacs_to_cama", false, OPERATION_FAILED,
                                  &error);
        assert_string_equal(json_member_text(newest, "id"), b.id);
        assert_non_null(strstr(json_member_text(newest, "error"), "status 78"));
        json_decref(newest);
        newest = operation_newest(state_db, "pacs_to_cama", true, -1, &error);
        assert_true(json_is_null(newest)); /* no check among them */
        database_close(state_db);
        assert_false(queue_has(b.s.queue, b.id));
        assert_true(health_is_up(b.s.health, "sync_tracker"));
        operation_free(o);
        bench_end(&b);
}

static void test_missing_worker_fails_with_remedy(void **state) {
        Operation *o;
        Bench b;

        bench_begin(&b, "#!/bin/sh\n");
        assert_int_equal(unlink(b.worker), 0);
        bench_leave(&b, false, false);
        assert_int_equal(manager_start(&b.s), 0);
        o = bench_until(&b, OPERATION_FAILED, 0);
        assert_non_null(strstr(o->error.detail, b.worker));
        assert_non_null(strstr(o->error.remedy, "TERRAFUSION_WORKER"));
        operation_free(o);
        bench_end(&b);
}

static void test_transient_is_postponed(void **state) {
        Operation *o;
        Bench b;

        bench_begin(&b, "#!/bin/sh\nexit 75\n");
        bench_leave(&b, false, false);
        assert_int_equal(manager_start(&b.s), 0);
        for (unsigned i = 0; i < 200 && queue_n_attempts(b.s.queue, b.id) < 2; i++)
                assert_true(sd_event_run(b.s.event, 10000) >= 0);
        assert_true(queue_n_attempts(b.s.queue, b.id) >= 2);
        o = bench_until(&b, OPERATION_PENDING, 0);
        assert_string_equal(o->waiting_for, "attempt");
        assert_true(o->next_attempt_at > 0);
        operation_free(o);
        bench_end(&b);
}

/* The store says RUNNING and nobody does: the attempt is written off, and the next begins at once. */
static void test_lost_worker_is_replaced(void **state) {
        _cleanup_error_ Error error = {};
        json_t *attempts = NULL;
        Database *d;
        Bench b;

        bench_begin(&b, "#!/bin/sh\nexec sleep 5\n");
        bench_leave(&b, true, false);
        assert_int_equal(manager_start(&b.s), 0);
        for (unsigned i = 0; i < 200 && !launcher_is_running(b.s.launcher, b.id); i++)
                assert_true(sd_event_run(b.s.event, 10000) >= 0);
        assert_true(launcher_is_running(b.s.launcher, b.id));
        assert_int_equal(queue_n_attempts(b.s.queue, b.id), 2);
        d = bench_state(&b);
        assert_int_equal(operation_attempts(d, b.id, &attempts, &error), 0);
        assert_string_equal(json_member_text(json_object_get(json_array_get(attempts, 0), "error"), "code"),
                            error_code(ERROR_WORKER_LOST));
        json_decref(attempts);
        database_close(d);
        assert_true(launcher_stop(b.s.launcher, b.id) >= 0);
        bench_end(&b);
}

/* Cancelled while RUNNING, the worker gone without a word: CANCELLED, not another attempt. */
static void test_cancelled_and_lost(void **state) {
        Bench b;

        bench_begin(&b, "#!/bin/sh\nkill -9 $$\n");
        bench_leave(&b, true, true);
        assert_int_equal(manager_start(&b.s), 0);
        operation_free(bench_until(&b, OPERATION_CANCELLED, 0));
        assert_false(queue_has(b.s.queue, b.id));
        bench_end(&b);
}

/* Cancelled while its attempt is being put off: how that one ended makes no attempt of its own. */
static void test_cancelled_while_put_off(void **state) {
        Operation *o;
        Bench b;

        bench_begin(&b, "#!/bin/sh\nkill -9 $$\n");
        bench_leave(&b, false, false);
        assert_int_equal(manager_start(&b.s), 0);
        for (unsigned i = 0; i < 300 && !(b.s.live.first && b.s.live.first->has_decision); i++)
                assert_true(sd_event_run(b.s.event, 10000) >= 0);
        assert_true(b.s.live.first->is_settling);
        b.s.live.first->cancel_requested = true;
        o = bench_until(&b, OPERATION_CANCELLED, 0);
        assert_int_equal(o->n_attempts, 1);
        operation_free(o);
        bench_end(&b);
}

/* The end cannot be written at first: it is decided once, and giving up names its attempts. */
static void test_an_end_that_is_written_late(void **state) {
        static const char refuse[] =
                "create trigger refuse before update on operation when new.status = 'FAILED'"
                " begin select raise(abort, 'not now'); end";
        _cleanup_error_ Error error = {};
        int64_t attempt = 0;
        Database *d;
        Operation *o;
        Bench b;

        bench_begin(&b, "#!/bin/sh\nkill -9 $$\n");
        bench_leave(&b, true, false);
        d = bench_state(&b);
        while (attempt < ATTEMPTS_MAX - 1)
                assert_int_equal(operation_attempt_begin(d, b.id, &attempt, &error), 0);
        assert_int_equal(database_execute(d, refuse, &error), 0);
        assert_int_equal(manager_start(&b.s), 0);
        for (unsigned i = 0; i < 300 && !(b.s.live.first && b.s.live.first->retry); i++)
                assert_true(sd_event_run(b.s.event, 10000) >= 0);
        assert_non_null(b.s.live.first->retry); /* refused once */
        assert_int_equal(database_execute(d, "drop trigger refuse", &error), 0);
        database_close(d);
        o = bench_until(&b, OPERATION_FAILED, 0);
        assert_int_equal(o->error.id, ERROR_WORKER_LOST);
        assert_non_null(strstr(o->error.detail, "after 8 attempts"));
        operation_free(o);
        bench_end(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_worker_with_a_configuration_error),
                cmocka_unit_test(test_missing_worker_fails_with_remedy),
                cmocka_unit_test(test_transient_is_postponed),
                cmocka_unit_test(test_lost_worker_is_replaced),
                cmocka_unit_test(test_cancelled_and_lost),
                cmocka_unit_test(test_cancelled_while_put_off),
                cmocka_unit_test(test_an_end_that_is_written_late),
        };

        (void) signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
