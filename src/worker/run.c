/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/run.h"

#include "basic/text.h"
#include "basic/timestamp.h"
#include "config/opening.h"

#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

static volatile sig_atomic_t stop_requested;

void run_request_stop(int signal_number) { stop_requested = signal_number; }

int run_check_hours(const Run *run, Error *error) {
        const System *closed = run->guards.allowed[GUARD_HOURS]
                                       ? NULL
                                       : pair_closed_system(run->settings, run->pair, timestamp_now());
        char hours[HOURS_TEXT_MAX];

        if (!closed)
                return 0;
        hours_format(&closed->hours, hours);
        return error_set(error, ERROR_HOURS,
                         "Nothing: the operation goes on from its checkpoint when they begin; to have it now: terrafusionctl run "
                         "PAIR --now",
                         "The hours of system \"%s\" (%s) are over", closed->name, hours);
}

int run_check_stop(Run *run, Error *error) {
        bool cancelled = false;
        int r;

        (void) sd_notify(false, "WATCHDOG=1"); /* between two batches: one that hangs is ended by its unit */
        r = operation_is_cancel_requested(run->state, run->operation->id, &cancelled, error);
        if (r < 0)
                return r;
        if (cancelled)
                return error_set(error, ERROR_CANCELLED, NULL,
                                 "Cancelled on request; what was committed before stays");
        if (stop_requested)
                return error_set(error, ERROR_UNAVAILABLE,
                                 "Nothing: the operation goes on from its checkpoint.",
                                 "The worker was told to stop (signal %d)", (int) stop_requested);
        return run_check_hours(run, error);
}

bool run_has_entity(const Run *run, const Mapping *mapping) {
        char *const *wanted = run->operation->entity_types;

        if (!wanted)
                return true;
        for (; *wanted; wanted++)
                if (pair_mapping(run->pair, *wanted) == mapping)
                        return true;
        return false;
}

static int run_open_system(const Run *run, const char *name, bool write, Connection **ret, Error *error) {
        const System *system = settings_system(run->settings, name);

        if (!system)
                return error_set(error, ERROR_CONFIGURATION, "Add it under 'systems:' in terrafusion.yaml.",
                                 "System '%s' of pair '%s' is not configured", name, run->pair->name);
        return connection_open(system, write, ret, error);
}

int run_lock(Run *run, Error *error) {
        return progress_open(run->settings->state_directory, run->pair->name, run->operation->id, &run->progress, error);
}

int run_open(Run *run, Error *error) {
        int r;

        connector_pair_set(run->pair->name);
        r = journal_open(run->settings->state_directory, run->pair->name, &run->journal, error);
        if (r < 0)
                return r;
        r = run_open_system(run, run->pair->source, false, &run->source, error);
        if (r < 0)
                return r;
        return run_open_system(run, run->pair->target, true, &run->target, error);
}

void run_done(Run *run) {
        run->source = connection_close(run->source);
        run->target = connection_close(run->target);
        run->journal = journal_close(run->journal);
        run->progress = progress_close(run->progress);
        closep(&run->hint_fd);
        run->hint_fd = -EBADF;
}
