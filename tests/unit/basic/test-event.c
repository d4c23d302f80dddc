/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/event.h"
#include "../testing.h"
#include <signal.h>

static sd_event_source *again;

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), *(int *) userdata);
}

static int on_deferred(sd_event_source *source, void *userdata) {
        sd_event *event = sd_event_source_get_event(source);

        if (++*(int *) userdata == 3)
                return sd_event_exit(event, 33);
        return event_defer(event, &again, "again", on_deferred,
                           userdata); /* replaces itself while it runs */
}

static void test_timer_replaces(void **state) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        sd_event_source *source = NULL;
        const char *description;
        int early = 1, late = 2;

        assert_int_equal(event_new(&event), 0);
        assert_int_equal(event_timer_set(event, &source, 1000, "early", on_timer, &early), 0);
        assert_int_equal(event_timer_set(event, &source, 2000, "late", on_timer, &late), 0);
        assert_true(sd_event_source_get_description(source, &description) >= 0);
        assert_string_equal(description, "late");
        assert_int_equal(sd_event_loop(event), 2);
        event_source_drop(&source);
        assert_null(source);
        event_source_drop(&source);
}

static void test_defer(void **state) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        int n = 0;

        assert_int_equal(event_new(&event), 0);
        assert_int_equal(event_defer(event, &again, "again", on_deferred, &n), 0);
        assert_int_equal(sd_event_loop(event), 33);
        assert_int_equal(n, 3);
        event_source_drop(&again);
}

static void test_signal_ends_loop(void **state) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;

        assert_int_equal(event_new(&event), 0);
        assert_int_equal(kill(getpid(), SIGTERM), 0);
        assert_int_equal(sd_event_loop(event), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_timer_replaces),
                cmocka_unit_test(test_defer),
                cmocka_unit_test(test_signal_ends_loop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
