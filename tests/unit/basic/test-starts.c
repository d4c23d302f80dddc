/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <time.h>

#include "basic/starts.h"

#define SECOND 1000000ULL

/* It dies 10 ms after each start, without having been ready. */
static void test_dying_at_start(void **state) {
        static const uint64_t waits[] = {0, 0, 0, 0, 0, 100000, 200000, 400000, 800000, 1600000, 3200000, 6400000, 10000000, 10000000};
        Starts starts = {};
        uint64_t now = 50 * SECOND;

        for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
                assert_int_equal(starts_next(&starts, now), waits[i]);
                assert_int_equal(starts.started_usec, now + waits[i]);
                now = starts.started_usec + 10000;
        }
        starts.n_short = UINT64_MAX / 2; /* never shifted away */
        assert_int_equal(starts_next(&starts, now), STARTS_WAIT_MAX_USEC);
}

/* Killed twice a second for a minute while it served: that is no broken start. */
static void test_killed_while_it_served(void **state) {
        Starts starts = {};
        uint64_t now = 50 * SECOND;

        for (unsigned i = 0; i < 120; i++) {
                assert_int_equal(starts_next(&starts, now), 0);
                starts.ready_usec = now + 15000;
                now += SECOND / 2;
        }
}

/* Ready, and dead at once: it would spin as well. */
static void test_dying_when_ready(void **state) {
        Starts starts = {};
        uint64_t now = 50 * SECOND, wait = 0;

        for (unsigned i = 0; i < 8; i++) {
                wait = starts_next(&starts, now);
                starts.ready_usec = starts.started_usec + 15000;
                now = starts.ready_usec + 20000;
        }
        assert_int_equal(wait, 400000);
        assert_int_equal(starts_next(&starts, now + SECOND), 0); /* once it stays, all is forgotten */
        assert_int_equal(starts.n_short, 0);
}

static void test_long_ago_and_another_clock(void **state) {
        Starts starts = {.n_short = 9, .started_usec = 50 * SECOND};

        assert_int_equal(starts_next(&starts, 61 * SECOND), 0);
        starts = (Starts) {.n_short = 9, .started_usec = 50 * SECOND};
        assert_int_equal(starts_next(&starts, 40 * SECOND), 0);
}

static void test_file(void **state) {
        char *folder = test_folder_new();
        struct timespec before, after;

        assert_int_equal(setenv("RUNTIME_DIRECTORY", folder, 1), 0);
        (void) clock_gettime(CLOCK_MONOTONIC, &before);
        for (unsigned i = 0; i < 7; i++)
                starts_begin("daemon"); /* the last two wait 100 and 200 ms */
        (void) clock_gettime(CLOCK_MONOTONIC, &after);
        assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 299);
        starts_ready("daemon");
        free(test_file_write(folder, "daemon.starts", "rubbish"));
        starts_begin("daemon");
        test_folder_remove(folder);
        starts_begin("daemon"); /* no folder: no reason not to start */
        starts_ready("daemon");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dying_at_start), cmocka_unit_test(test_killed_while_it_served),
                cmocka_unit_test(test_dying_when_ready), cmocka_unit_test(test_long_ago_and_another_clock),
                cmocka_unit_test(test_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
