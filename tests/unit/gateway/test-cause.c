/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include <signal.h>
#include "gateway/cause.h"

static void is(const char *result, int code, int status, const char *expected) {
        _cleanup_free_ char *text = cause_text(result, code, status);

        assert_string_equal(text, expected);
}

static void test_words(void **state) {
        is("signal", CLD_KILLED, 9, "signal 9 (KILL)");
        is("core-dump", CLD_DUMPED, 11, "signal 11 (SEGV), with a core dump");
        is("signal", CLD_KILLED, 999, "signal 999 (unknown)");
        is("exit-code", CLD_EXITED, 1, "exit status 1");
        is("exit-code", CLD_EXITED, 78, "exit status 78: it refuses its configuration");
        is("success", CLD_EXITED, 0, "it was asked to end");
        is("watchdog", CLD_KILLED, 6, "the watchdog: it hung");
        is("oom-kill", CLD_KILLED, 9, "out of memory");
        is("timeout", CLD_KILLED, 9, "it took too long to start or to stop");
        is("start-limit-hit", 0, 0, "too many starts in a short time");
        is("something-new", 0, 0, "something-new");
}

static void test_result_of_wait(void **state) {
        assert_string_equal(cause_result(CLD_EXITED, 0), "success");
        assert_string_equal(cause_result(CLD_EXITED, 75), "exit-code");
        assert_string_equal(cause_result(CLD_KILLED, 15), "signal");
        assert_string_equal(cause_result(CLD_DUMPED, 6), "core-dump");
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_result_of_wait) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
