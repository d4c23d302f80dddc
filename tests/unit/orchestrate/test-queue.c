/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/limits.h"
#include "orchestrate/queue.h"

#define A "00000000-0000-7000-8000-00000000000a"
#define B "00000000-0000-7000-8000-00000000000b"
#define C "00000000-0000-7000-8000-00000000000c"
#define D "00000000-0000-7000-8000-00000000000d"

static Queue *queue_of(unsigned limit) {
        Queue *q = NULL;

        assert_int_equal(queue_new(limit, 42, &q), 0);
        return q;
}

static void offer(Queue *q, const char *id, const char *lane) {
        assert_int_equal(queue_offer(q, id, lane, false, 0, 0, false), 0);
}

static void expect_next(Queue *q, uint64_t now, const char *id) {
        char got[UUID_TEXT_SIZE] = "";

        assert_int_equal(queue_next(q, now, got), id ? 1 : 0);
        assert_string_equal(got, id ? id : "");
}

static void test_one_per_pair_in_order(void **state) {
        Queue *q = queue_of(4);
        uint64_t due;

        offer(q, A, "pacs_to_cama");
        offer(q, B, "pacs_to_cama");
        offer(q, C, "gis_to_cama");
        assert_int_equal(queue_offer(q, A, "x", false, 0, 0, false), -EEXIST);
        expect_next(q, 1, A);
        expect_next(q, 1, C);
        expect_next(q, 1, NULL);
        assert_string_equal(queue_waiting_for(q, B, 1), "pair");
        assert_null(queue_waiting_for(q, A, 1));
        assert_int_equal(queue_ended(q, A, QUEUE_OUTCOME_FINAL, 2, &due), QUEUE_FORGET);
        assert_false(queue_has(q, A));
        expect_next(q, 2, B);
        queue_free(q);
}

static void test_limit_of_all(void **state) {
        Queue *q = queue_of(2);
        uint64_t due;

        offer(q, A, "a");
        offer(q, B, "b");
        offer(q, C, "c");
        expect_next(q, 1, A);
        expect_next(q, 1, B);
        expect_next(q, 1, NULL);
        assert_string_equal(queue_waiting_for(q, C, 1), "worker");
        assert_int_equal(queue_n_running(q), 2);
        assert_int_equal(queue_n_waiting(q), 1);
        assert_int_equal(queue_offer(q, D, "a", true, 0, 0, false), 0);
        expect_next(q, 1, D); /* a check runs beside the limit, even of a pair that runs */
        assert_int_equal(queue_ended(q, B, QUEUE_OUTCOME_FINAL, 2, &due), QUEUE_FORGET);
        expect_next(q, 2, C);
        queue_set_limit(q, 0); /* never less than one */
        queue_free(q);
}

static void test_transient_waits_and_gives_up(void **state) {
        Queue *q = queue_of(1);
        uint64_t now = 1000, due = 0;

        offer(q, A, "a");
        for (unsigned n = 1; n < ATTEMPTS_MAX; n++) {
                expect_next(q, now, A);
                assert_int_equal(queue_n_attempts(q, A), n);
                assert_int_equal(queue_ended(q, A, QUEUE_OUTCOME_TRANSIENT, now, &due), QUEUE_RETRY);
                assert_true(due >= now && due <= now + ((uint64_t) BACKOFF_BASE_USEC << (n - 1)));
                expect_next(q, now + BACKOFF_CAP_USEC, NULL); /* its end is not on disk yet */
                queue_release(q, A);
                if (due > now) {
                        expect_next(q, due - 1, NULL);
                        assert_string_equal(queue_waiting_for(q, A, now), "attempt");
                        assert_int_equal(queue_wake_usec(q, now), due);
                }
                now = due;
        }
        expect_next(q, now, A);
        assert_int_equal(queue_ended(q, A, QUEUE_OUTCOME_TRANSIENT, now, &due), QUEUE_GIVE_UP);
        assert_false(queue_has(q, A));
        assert_true(queue_wake_usec(q, now) == UINT64_MAX);
        queue_free(q);
}

static void test_lost_starts_again_at_once(void **state) {
        Queue *q = queue_of(1);
        uint64_t due = 0;

        offer(q, A, "a");
        for (unsigned n = 0; n < LOST_AT_ONCE_MAX; n++) {
                expect_next(q, 5, A);
                assert_int_equal(queue_ended(q, A, QUEUE_OUTCOME_LOST, 5, &due), QUEUE_RETRY);
                assert_int_equal(due, 5);
                queue_release(q, A);
        }
        expect_next(q, 5, A);
        assert_int_equal(queue_ended(q, A, QUEUE_OUTCOME_LOST, 5, &due), QUEUE_RETRY);
        assert_true(due > 5); /* with this seed; a worker that dies at the same place must not spin */
        queue_free(q);
}

/* One that waits for its next attempt keeps its place before a later one of the same pair. */
static void test_retry_keeps_its_place(void **state) {
        Queue *q = queue_of(2);

        assert_int_equal(queue_offer(q, A, "a", false, 1, 100, false), 0);
        offer(q, B, "a");
        expect_next(q, 50, NULL);
        assert_string_equal(queue_waiting_for(q, B, 50), "pair");
        expect_next(q, 100, A);
        assert_int_equal(queue_n_attempts(q, A), 2);
        queue_free(q);
}

static void test_cancel(void **state) {
        Queue *q = queue_of(1);

        offer(q, A, "a");
        offer(q, B, "b");
        expect_next(q, 1, A);
        assert_int_equal(queue_cancel(q, A), 0);
        assert_int_equal(queue_cancel(q, B), 1);
        assert_int_equal(queue_cancel(q, B), -ENOENT);
        assert_true(queue_is_running(q, A));
        assert_false(queue_is_running(q, B));
        queue_free(q);
}

static void test_running_is_found_again(void **state) {
        Queue *q = queue_of(1);

        assert_int_equal(queue_offer(q, A, "a", false, 3, 0, true), 0);
        offer(q, B, "b");
        expect_next(q, 1, NULL);
        assert_int_equal(queue_n_attempts(q, A), 3);
        queue_free(q);
}

static void test_bound(void **state) {
        Queue *q = queue_of(1);
        char id[UUID_TEXT_SIZE];

        for (unsigned i = 0; i < OPERATIONS_WAITING_MAX; i++) {
                (void) snprintf(id, sizeof(id), "%u", i);
                offer(q, id, "a");
        }
        assert_int_equal(queue_offer(q, A, "a", false, 0, 0, false), -ENOBUFS);
        assert_int_equal(queue_offer(q, A, "z", false, 0, 0, true), 0); /* what runs is never refused */
        queue_free(q);
}

static void test_backoff(void **state) {
        assert_int_equal(backoff_usec(1, BACKOFF_BASE_USEC), BACKOFF_BASE_USEC);
        assert_int_equal(backoff_usec(1, BACKOFF_BASE_USEC + 1), 0);
        assert_int_equal(backoff_usec(3, 4 * BACKOFF_BASE_USEC), 4 * BACKOFF_BASE_USEC);
        assert_int_equal(backoff_usec(40, BACKOFF_CAP_USEC), BACKOFF_CAP_USEC);
        assert_true(backoff_usec(4000, UINT64_MAX) <= BACKOFF_CAP_USEC);
}

/* 2,000 random histories: never two of a lane, never more than the limit, everything ends. */
static void test_random_histories(void **state) {
        for (unsigned seed = 1; seed <= 2000; seed++) {
                unsigned random = seed;
                Queue *q = queue_of(1 + seed % 3);
                char running[8][UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
                size_t n_running = 0, n_left = 8;
                uint64_t now = 0, due;

                for (unsigned i = 0; i < 8; i++) {
                        (void) snprintf(id, sizeof(id), "%u-%u", i % 3, i);
                        assert_int_equal(queue_offer(q, id,
                                                     i % 3 == 0   ? "x"
                                                     : i % 3 == 1 ? "y"
                                                                  : "z",
                                                     false, 0, 0, false),
                                         0);
                }
                for (unsigned step = 0; n_left > 0; step++) {
                        assert_true(step < 1000);
                        while (queue_next(q, now, id) == 1) {
                                for (size_t i = 0; i < n_running; i++)
                                        assert_int_not_equal(running[i][0], id[0]);
                                memcpy(running[n_running++], id, sizeof(id));
                        }
                        assert_true(n_running <= 1 + seed % 3);
                        if (n_running > 0) {
                                size_t i = (size_t) rand_r(&random) % n_running;
                                QueueDecision d = queue_ended(
                                        q, running[i], (QueueOutcome) (rand_r(&random) % 3), now, &due);

                                n_left -= d != QUEUE_RETRY;
                                queue_release(q, running[i]);
                                memmove(running[i], running[n_running - 1], sizeof(id));
                                n_running--;
                        } else if (queue_wake_usec(q, now) != UINT64_MAX)
                                now = queue_wake_usec(q, now);
                }
                assert_int_equal(queue_n_waiting(q) + queue_n_running(q), 0);
                queue_free(q);
        }
}

static const char *gate(const char *id, void *userdata) {
        const char *held = userdata;

        return strchr(held, id[strlen(id) - 1]) ? "hours" : NULL;
}

static void test_gate(void **state) {
        char held[] = "ab";
        Queue *q = queue_of(2);
        uint64_t due = 0;

        queue_set_gate(q, gate, held);
        offer(q, A, "pacs_to_cama");
        offer(q, B, "gis_to_cama");
        offer(q, C, "pacs_to_cama"); /* may go now, and has nothing to wait for at A */
        expect_next(q, 1, C);
        assert_string_equal(queue_waiting_for(q, A, 1), "pair");
        assert_string_equal(queue_waiting_for(q, B, 1), "hours");
        assert_int_equal(queue_ended(q, C, QUEUE_OUTCOME_FINAL, 1, &due), QUEUE_FORGET);
        assert_string_equal(queue_waiting_for(q, A, 1), "hours");
        assert_int_equal(queue_wake_usec(q, 1), UINT64_MAX);
        held[0] = '-';
        expect_next(q, 2, A);
        assert_int_equal(queue_n_attempts(q, A), 1);
        /* Its hours end: the attempt does not count, its place stays, and later ones of its pair wait for it. */
        held[0] = 'a';
        assert_int_equal(queue_ended(q, A, QUEUE_OUTCOME_CLOSED, 3, &due), QUEUE_RETRY);
        assert_int_equal(due, 3);
        queue_release(q, A);
        assert_int_equal(queue_n_attempts(q, A), 0);
        offer(q, D, "pacs_to_cama");
        expect_next(q, 3, NULL);
        assert_string_equal(queue_waiting_for(q, D, 3), "pair");
        queue_free(q);
}

static void test_nights_use_up_no_attempts(void **state) {
        Queue *q = queue_of(2);
        uint64_t due;

        offer(q, A, "pacs_to_cama");
        for (unsigned night = 0; night < 2 * ATTEMPTS_MAX; night++) {
                expect_next(q, night, A);
                assert_int_equal(queue_ended(q, A, QUEUE_OUTCOME_CLOSED, night, &due), QUEUE_RETRY);
                queue_release(q, A);
        }
        expect_next(q, 99, A);
        assert_int_equal(queue_n_attempts(q, A), 1);
        /* What begun before and came back with syncd keeps its place at the gate, too. */
        assert_int_equal(queue_offer(q, B, "other", false, 0, 0, false), 0);
        queue_note_begun(q, B);
        queue_free(q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_per_pair_in_order),
                cmocka_unit_test(test_limit_of_all),
                cmocka_unit_test(test_transient_waits_and_gives_up),
                cmocka_unit_test(test_lost_starts_again_at_once),
                cmocka_unit_test(test_retry_keeps_its_place),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_running_is_found_again),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_backoff),
                cmocka_unit_test(test_random_histories),
                cmocka_unit_test(test_gate),
                cmocka_unit_test(test_nights_use_up_no_attempts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
