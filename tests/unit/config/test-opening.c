/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "config/opening.h"

#define HOUR_USEC 3600000000LL

/* Source from 20:00 to 06:00, target from 22:00 to 04:00: 22:00 to 04:00 together. */
static void test_both_systems_count(void **state) {
        System pacs = {.name = (char *) "pacs", .hours = {1200, 360}},
               cama = {.name = (char *) "cama", .hours = {1320, 240}}, gis = {.name = (char *) "gis"};
        System *systems[] = {&pacs, &cama, &gis};
        Settings s = {.systems = systems, .n_systems = 3};
        Pair pair = {.source = (char *) "pacs", .target = (char *) "cama"},
             open = {.source = (char *) "gis", .target = (char *) "no_longer_there"};

        assert_int_equal(setenv("TZ", "UTC", 1), 0);
        assert_false(pair_is_open(&s, &pair, 21 * HOUR_USEC));
        assert_ptr_equal(pair_closed_system(&s, &pair, 21 * HOUR_USEC), &cama);
        assert_ptr_equal(pair_closed_system(&s, &pair, 12 * HOUR_USEC), &pacs);
        assert_true(pair_is_open(&s, &pair, 3 * HOUR_USEC));
        assert_int_equal(pair_opens_at(&s, &pair, 12 * HOUR_USEC), 22 * HOUR_USEC);
        assert_int_equal(pair_opens_at(&s, &pair, 3 * HOUR_USEC), 3 * HOUR_USEC);
        cama.hours = (Hours){600, 660};
        assert_int_equal(pair_opens_at(&s, &pair, 3 * HOUR_USEC), -1);
        assert_true(pair_is_open(&s, &open, 12 * HOUR_USEC));
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_systems_count)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
