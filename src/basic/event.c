/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/event.h"

#include <signal.h>

/* sd-event's default accuracy of 250 ms suits long waits only. */
static uint64_t delay_accuracy(uint64_t delay_usec) {
        uint64_t accuracy = delay_usec / 16;

        return accuracy < 1000 ? 1000 : accuracy > 250000 ? 250000 : accuracy;
}

int event_timer_set(sd_event *event, sd_event_source **source, uint64_t delay_usec, const char *description,
                    sd_event_time_handler_t handler, void *userdata) {
        sd_event_source *timer;
        int r;

        assert(event && source && handler);
        r = sd_event_add_time_relative(event, &timer, CLOCK_MONOTONIC, delay_usec,
                                       delay_accuracy(delay_usec), handler, userdata);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(timer, description);
        event_source_drop(source);
        *source = timer;
        return 0;
}

int event_defer(sd_event *event, sd_event_source **source, const char *description,
                sd_event_handler_t handler, void *userdata) {
        sd_event_source *deferred;
        int r;

        assert(event && source && handler);
        r = sd_event_add_defer(event, &deferred, handler, userdata);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(deferred, description);
        event_source_drop(source);
        *source = deferred;
        return 0;
}

int event_new(sd_event **ret) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        sigset_t signals;
        int r;

        assert(ret);
        r = sd_event_default(&event);
        if (r < 0)
                return r;
        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        /* Without a handler sd-event ends the loop, with the userdata as its status. */
        r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        if (r < 0)
                return r;
        r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
        if (r < 0)
                return r;
        r = sd_event_set_watchdog(event, true);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(event);
        return 0;
}
