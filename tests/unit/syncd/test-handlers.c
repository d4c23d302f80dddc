/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "syncd/syncd.h"

static void test_no_hole(void **state) {
        for (int id = 0; id < _COMMAND_MAX; id++) {
                if (commands[id].daemon != DAEMON_SYNCD) {
                        assert_null(handlers[id]);
                        continue;
                }
                if (!handlers[id])
                        print_error("no handler for the command \"%s\"\n", commands[id].name);
                assert_non_null(handlers[id]);
                for (int other = 0; other < id; other++)
                        assert_ptr_not_equal(handlers[id], handlers[other]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_hole)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
