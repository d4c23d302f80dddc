/* SPDX-License-Identifier: Apache-2.0 */
/* Where nobody answers; with a real systemd it is tested in tests/system. */
#include "../testing.h"

#include <errno.h>

#include "basic/event.h"
#include "orchestrate/system-manager.h"

static int n_ready;

static void on_ready(void *userdata) { n_ready++; }

static int on_over(sd_event_source *source, uint64_t usec, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), 7);
}

static void test_no_bus(void **state) {
        _cleanup_(system_manager_freep) SystemManager *m = NULL;
        sd_event_source *over = NULL;
        sd_event *event = NULL;

        assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1), 0);
        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(system_manager_new(event, &m), 0); /* it is waited for */
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(system_manager_listen(m, on_ready, NULL, NULL), 0);
        assert_int_equal(system_manager_listen(m, on_ready, NULL, NULL), -ENOBUFS);
        assert_true(event_timer_set(event, &over, 350000, "over", on_over, NULL) >= 0);
        assert_int_equal(sd_event_loop(event), 7); /* tries again meanwhile, at 0.1 and 0.3 s, and blocks nothing */
        assert_false(system_manager_is_ready(m));
        assert_null(system_manager_bus(m));
        assert_int_equal(system_manager_call(m, NULL, "StartUnit", NULL, NULL, "ss", "x.service", "fail"), -ENOTCONN);
        assert_int_equal(n_ready, 0);
        event_source_drop(&over);
        m = system_manager_free(m);
        sd_event_unref(event);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_bus)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
