/* SPDX-License-Identifier: Apache-2.0 */
/* A worker as terrafusion-operation@ID.service: its own cgroup, limits and journal. Source:
 * org.freedesktop.systemd1(5), systemd 252. 1 match the unit's signals  2 StartUnit  3 JobRemoved: it was
 * started (or refused)  4 inactive or failed: read how it ended, reset the unit, tell the owner. */
#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "basic/text.h"
#include "orchestrate/launcher-private.h"

#define SYSTEMD         "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

typedef struct UnitBus {
        sd_bus *bus;
        sd_bus_slot *jobs;
        Launcher *launcher;
} UnitBus;

typedef struct UnitWatch {
        Running *running;
        UnitBus *units;
        char *name, *path, *active_state;
        sd_bus_slot *changes, *call;
        int32_t exec_code, exec_status;
        bool started; /* its job is done: an inactive unit has ended, not not-yet begun */
} UnitWatch;

UnitWatch *unit_watch_free(UnitWatch *w) {
        if (!w)
                return NULL;
        sd_bus_slot_unref(w->changes);
        sd_bus_slot_unref(w->call);
        free(w->name);
        free(w->path);
        free(w->active_state);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(UnitWatch, unit_watch_free)

UnitBus *unit_bus_free(UnitBus *u) {
        if (!u)
                return NULL;
        sd_bus_slot_unref(u->jobs);
        sd_bus_flush_close_unref(u->bus);
        free(u);
        return NULL;
}
DEFINE_CLEANUP(UnitBus, unit_bus_free)

/* Reads one "name: variant" of a{sv}; others than the three are skipped. */
static int watch_read_property(UnitWatch *w, sd_bus_message *m) {
        const char *name = NULL, *text = NULL;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (text_equal(name, "ExecMainCode"))
                return sd_bus_message_read(m, "v", "i", &w->exec_code);
        if (text_equal(name, "ExecMainStatus"))
                return sd_bus_message_read(m, "v", "i", &w->exec_status);
        if (!text_equal(name, "ActiveState"))
                return sd_bus_message_skip(m, "v");
        r = sd_bus_message_read(m, "v", "s", &text);
        if (r < 0)
                return r;
        free(w->active_state);
        w->active_state = strdup(text);
        return w->active_state ? 0 : -ENOMEM;
}

static int watch_read_properties(UnitWatch *w, sd_bus_message *m) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = watch_read_property(w, m);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Ends the watch where the unit has ended. w may be gone afterwards. */
static void watch_settle(UnitWatch *w) {
        bool failed = text_equal(w->active_state, "failed");

        if (!w->started || !(failed || text_equal(w->active_state, "inactive")))
                return;
        if (failed) /* a failed unit stays loaded, and its name is not free for the next attempt, until it is
                       reset */
                (void) sd_bus_call_method_async(w->units->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                                "ResetFailedUnit", NULL, NULL, "s", w->name);
        launcher_report(w->running, w->exec_code == CLD_EXITED ? w->exec_status : -1);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitWatch *w = userdata;

        if (sd_bus_message_is_method_error(m, NULL) || watch_read_properties(w, m) < 0) {
                launcher_report(w->running, -1); /* the state store knows better */
                return 0;
        }
        watch_settle(w);
        return 0;
}

static int on_properties_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitWatch *w = userdata;

        if (sd_bus_message_skip(m, "s") < 0 || watch_read_properties(w, m) < 0)
                return 0;
        watch_settle(w);
        return 0;
}

/* Asks for all interfaces' properties at once (an empty name), since state and exit status are in two. */
static void watch_query(UnitWatch *w) {
        w->call = sd_bus_slot_unref(w->call);
        if (sd_bus_call_method_async(w->units->bus, &w->call, SYSTEMD, w->path,
                                     "org.freedesktop.DBus.Properties", "GetAll", on_properties, w, "s",
                                     "") < 0)
                launcher_report(w->running, -1);
}

static UnitWatch *watch_by_unit(UnitBus *u, const char *name) {
        for (Running *r = u->launcher->running; r; r = r->next)
                if (r->watch && text_equal(r->watch->name, name))
                        return r->watch;
        return NULL;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *unit = NULL, *result = NULL;
        UnitWatch *w;

        if (sd_bus_message_read(m, "uoss", NULL, NULL, &unit, &result) < 0)
                return 0;
        w = watch_by_unit(userdata, unit);
        if (!w || w->started)
                return 0;
        w->started = true;
        watch_query(w);
        return 0;
}

static int on_start_answered(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitWatch *w = userdata;

        w->call = sd_bus_slot_unref(w->call);
        if (sd_bus_message_is_method_error(m, NULL))
                launcher_report(w->running, -1);
        return 0;
}

static int bus_error(int r, const char *what, Error *error) {
        return error_set(error, ERROR_SYSTEM_UNAVAILABLE,
                         "Look at `systemctl status dbus terrafusion-syncd`",
                         "The system manager could not be asked to %s: %s", what, strerror(-r));
}

int unit_bus_new(Launcher *l, UnitBus **ret, Error *error) {
        _cleanup_(unit_bus_freep) UnitBus *u = calloc(1, sizeof(UnitBus));
        int r;

        if (!u)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the launcher");
        u->launcher = l;
        r = sd_bus_open_system(&u->bus);
        if (r < 0)
                return bus_error(r, "start workers", error);
        r = sd_bus_attach_event(u->bus, l->event, 0);
        if (r < 0)
                return bus_error(r, "start workers", error);
        r = sd_bus_match_signal_async(u->bus, &u->jobs, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
                                      on_job_removed, NULL, u);
        if (r < 0)
                return bus_error(r, "tell when jobs end", error);
        /* Without a subscriber the manager sends no signals. */
        r = sd_bus_call_method_async(u->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", NULL,
                                     NULL, NULL);
        if (r < 0)
                return bus_error(r, "send signals", error);
        *ret = TAKE_PTR(u);
        return 0;
}

int unit_bus_start(UnitBus *u, Running *running, Error *error) {
        _cleanup_(unit_watch_freep) UnitWatch *w = calloc(1, sizeof(UnitWatch));
        int r;

        if (!w || asprintf(&w->name, "terrafusion-operation@%s.service", running->id) < 0 ||
            sd_bus_path_encode(SYSTEMD_PATH "/unit", w->name, &w->path) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to start a worker");
        w->running = running;
        w->units = u;
        r = sd_bus_match_signal_async(u->bus, &w->changes, SYSTEMD, w->path,
                                      "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                      on_properties_changed, NULL, w);
        if (r < 0)
                return bus_error(r, "watch a worker", error);
        /* A unit left by an earlier syncd would refuse to start while failed. */
        (void) sd_bus_call_method_async(u->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                        "ResetFailedUnit", NULL, NULL, "s", w->name);
        r = sd_bus_call_method_async(u->bus, &w->call, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartUnit",
                                     on_start_answered, w, "ss", w->name, "fail");
        if (r < 0)
                return bus_error(r, "start a worker", error);
        running->watch = TAKE_PTR(w);
        return 0;
}

int unit_bus_stop(UnitBus *u, Running *running) {
        return sd_bus_call_method_async(u->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "KillUnit",
                                        NULL, NULL, "ssi", running->watch->name, "main", (int32_t) SIGTERM);
}
