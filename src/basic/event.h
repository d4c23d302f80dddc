/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* sd-event conveniences: deferred work, relative timers, described sources. In the daemons. */
#include "basic/alloc.h"
#include <systemd/sd-event.h>
/* A one-shot timer from now on CLOCK_MONOTONIC; replaces *source. */
_must_check_ int event_timer_set(sd_event *event, sd_event_source **source, uint64_t delay_usec, const char *description,
                                 sd_event_time_handler_t handler, void *userdata);
/* Runs handler once in the next turn of the loop; replaces *source. */
_must_check_ int event_defer(sd_event *event, sd_event_source **source, const char *description, sd_event_handler_t handler, void *userdata);
static inline void event_source_drop(sd_event_source **source) { *source = sd_event_source_disable_unref(*source); }
/* Loop with SIGTERM and SIGINT blocked and ending it with 0, watchdog on; other signals are the caller's. */
_must_check_ int event_new(sd_event **ret);
