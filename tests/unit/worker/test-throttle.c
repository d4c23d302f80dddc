/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "worker/throttle.h"

static Throttle usual(unsigned multiple, uint64_t waited_usec) {
        Throttle t = {.multiple = multiple};

        for (unsigned i = 0; i < THROTTLE_FIRST; i++)
                assert_int_equal(throttle_pause_usec(&t, i == 0 ? 9000000 : waited_usec, 1000), 0); /* the first one met a cold cache */
        return t;
}

static void test_pauses_in_proportion(void **state) {
        Throttle t = usual(3, 50000);

        assert_int_equal(throttle_pause_usec(&t, 150000, 1000), 0);
        assert_int_equal(throttle_pause_usec(&t, 150001, 1000), 1);
        assert_int_equal(throttle_pause_usec(&t, 350000, 1000), 200000);
        assert_int_equal(throttle_pause_usec(&t, 350000, 500), 275000); /* for half of the records */
        assert_int_equal(throttle_pause_usec(&t, 50000, 1000), 0);
        assert_int_equal(throttle_pause_usec(&t, 3600000000U, 1000), THROTTLE_PAUSE_MAX_USEC);
        assert_int_equal(throttle_pause_usec(&t, 350000, 0), 0);
        assert_int_equal(t.paused_usec, 1 + 200000 + 275000 + THROTTLE_PAUSE_MAX_USEC);
}

static void test_never_for_little(void **state) {
        Throttle t = usual(2, 10);

        assert_int_equal(throttle_pause_usec(&t, THROTTLE_WAIT_MIN_USEC, 1000), 0);
        assert_int_equal(throttle_pause_usec(&t, THROTTLE_WAIT_MIN_USEC + 5, 1000), 5);
        t = usual(0, 10);
        assert_int_equal(throttle_pause_usec(&t, 3600000000U, 1000), 0);
}

static void test_waiting_is_not_working(void **state) {
        Moment since = moment_now();
        uint64_t waited;

        throttle_sleep(30000);
        waited = moment_waited_usec(&since);
        assert_true(waited >= 29000);
        since = moment_now();
        for (volatile unsigned i = 0; i < 3000000; i++)
                ;
        assert_true(moment_waited_usec(&since) < 5000000); /* at least no more than passed on a busy machine */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pauses_in_proportion),
                cmocka_unit_test(test_never_for_little),
                cmocka_unit_test(test_waiting_is_not_working),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
