/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <signal.h>
#include <sys/wait.h>

#include "orchestrate/unit-cause.h"

static void test_units(void **state) {
        static const struct {
                const char *result;
                int code, status;
                const char *detail, *remedy; /* detail NULL: its own status says it */
        } cases[] = {
                {"success", CLD_EXITED, 0, NULL, NULL},
                {NULL, 0, 0, NULL, NULL},
                {"exit-code", CLD_EXITED, 75, NULL, NULL},
                {"exit-code", CLD_EXITED, 1, NULL, NULL},
                {"exit-code", CLD_EXITED, 226, "systemd could not set the worker up (status 226, NAMESPACE)", "ReadWritePaths="},
                {"exit-code", CLD_EXITED, 243, "systemd could not set the worker up (status 243, CREDENTIALS)", "/etc/terrafusion/credentials"},
                {"signal", CLD_KILLED, SIGKILL, "The worker was killed by signal 9 (SIGKILL)", "--log"},
                {"core-dump", CLD_DUMPED, SIGSEGV, "The worker crashed by signal 11 (SIGSEGV)", "bug"},
                {"watchdog", CLD_KILLED, SIGABRT, "The worker gave no sign of life for too long and was killed (watchdog)", "--log"},
                {"oom-kill", CLD_KILLED, SIGKILL, "The worker needed more memory than it may use and was killed (oom-kill)", "worker_memory"},
                {"timeout", CLD_KILLED, SIGKILL, "The worker did not start or stop in time (timeout)", "--log"},
                {"resources", 0, 0, "systemd ended the worker: resources", "--log"},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                _cleanup_error_ Error cause = {};

                assert_int_equal(unit_cause(cases[i].result, cases[i].code, cases[i].status, &cause), cases[i].detail != NULL);
                assert_int_equal(cause.id, cases[i].detail ? ERROR_WORKER_LOST : ERROR_NONE);
                if (!cases[i].detail)
                        continue;
                assert_string_equal(cause.detail, cases[i].detail);
                assert_non_null(strstr(cause.remedy, cases[i].remedy));
        }
}

static void test_processes(void **state) {
        _cleanup_error_ Error cause = {};

        assert_false(process_cause(CLD_EXITED, 3, &cause));
        assert_int_equal(cause.id, ERROR_NONE);
        assert_true(process_cause(CLD_DUMPED, SIGABRT, &cause));
        assert_string_equal(cause.detail, "The worker crashed by signal 6 (SIGABRT)");
}

/* A person's mistake ends the operation; what passes by itself is tried again. */
static void test_refusals(void **state) {
        static const struct {
                const char *name, *text, *detail;
                ErrorId id;
        } cases[] = {
                {"org.freedesktop.DBus.Error.AccessDenied", "Permission denied", "systemd refused to start x.service: Permission denied", ERROR_CONFIGURATION},
                {"org.freedesktop.systemd1.UnitMasked", "Unit x.service is masked.", "systemd refused to start x.service: Unit x.service is masked.", ERROR_CONFIGURATION},
                {"org.freedesktop.systemd1.NoSuchUnit", NULL, "systemd refused to start x.service: org.freedesktop.systemd1.NoSuchUnit", ERROR_CONFIGURATION},
                {"org.freedesktop.DBus.Error.LimitsExceeded", "full", "systemd did not start x.service: full", ERROR_SYSTEM_UNAVAILABLE},
                {NULL, NULL, "systemd did not start x.service: no answer", ERROR_SYSTEM_UNAVAILABLE},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                _cleanup_error_ Error cause = {};

                assert_int_equal(refusal_cause("x.service", cases[i].name, cases[i].text, &cause), error_errno(cases[i].id));
                assert_int_equal(cause.id, cases[i].id);
                assert_string_equal(cause.detail, cases[i].detail);
                assert_non_null(cause.remedy);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_units),
                cmocka_unit_test(test_processes),
                cmocka_unit_test(test_refusals),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
