/* SPDX-License-Identifier: Apache-2.0 */
/* A worker as terrafusion-operation@ID.service: its own cgroup, limits and journal. Source:
 * org.freedesktop.systemd1(5), systemd 252. 1 match the unit's signals  2 StartUnit  3 JobRemoved: it was
 * started (or refused)  4 inactive or failed: read how it ended, reset the unit, tell the owner. Where the bus
 * went away in between, or systemd has read its units anew, each unit is asked for again. */
#include <signal.h>
#include <sys/wait.h>

#include "basic/log.h"
#include "basic/text.h"
#include "orchestrate/launcher-private.h"
#include "orchestrate/unit-cause.h"

#define UNIT_PATTERN "terrafusion-operation@*.service"

typedef struct UnitWatch {
        Running *running;
        char *name, *path, *active_state, *result;
        sd_bus_slot *changes, *call;
        int32_t exec_code, exec_status;
        uint32_t job; /* one that waits or runs; 0: none */
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
        free(w->result);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(UnitWatch, unit_watch_free)

static SystemManager *watch_systemd(const UnitWatch *w) {
        return w->running->launcher->systemd;
}

static int read_text(sd_bus_message *m, char **place) {
        const char *text = NULL;
        char *copy;
        int r;

        r = sd_bus_message_read(m, "v", "s", &text);
        if (r < 0)
                return r;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        free(*place);
        *place = copy;
        return 0;
}

/* Reads one "name: variant" of a{sv}; others than these are skipped. */
static int watch_read_property(UnitWatch *w, sd_bus_message *m) {
        const char *name = NULL;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (text_equal(name, "ExecMainCode"))
                return sd_bus_message_read(m, "v", "i", &w->exec_code);
        if (text_equal(name, "ExecMainStatus"))
                return sd_bus_message_read(m, "v", "i", &w->exec_status);
        if (text_equal(name, "ActiveState"))
                return read_text(m, &w->active_state);
        if (text_equal(name, "Result"))
                return read_text(m, &w->result);
        if (text_equal(name, "Job"))
                return sd_bus_message_read(m, "v", "(uo)", &w->job, NULL);
        return sd_bus_message_skip(m, "v");
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

/* A failed unit stays loaded, and its name is not free for the next attempt, until it is reset. */
static void unit_reset(SystemManager *systemd, const char *name) {
        int r = system_manager_call(systemd, NULL, "ResetFailedUnit", NULL, NULL, "s", name);

        if (r < 0)
                log_debug("%s could not be reset: %s", name, strerror(-r));
}

/* Ends the watch where the unit has ended. w may be gone afterwards. */
static void watch_settle(UnitWatch *w) {
        bool failed = text_equal(w->active_state, "failed");
        _cleanup_error_ Error cause = {};

        if (!w->started || w->job != 0 || !(failed || text_equal(w->active_state, "inactive")))
                return;
        if (failed)
                unit_reset(watch_systemd(w), w->name);
        /* Not a unit of this systemd, but a process that holds the pair's lock. */
        if (!failed && w->exec_code == 0 && w->running->pidfd >= 0 && running_watch_pidfd(w->running) >= 0)
                return;
        if (unit_cause(w->result, w->exec_code, w->exec_status, &cause))
                launcher_report(w->running, -1, &cause);
        else /* nothing is known of a unit that was unloaded meanwhile: the state store knows */
                launcher_report(w->running, w->exec_code == CLD_EXITED ? w->exec_status : -1, NULL);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitWatch *w = userdata;

        w->call = sd_bus_slot_unref(w->call);
        if (system_manager_check(watch_systemd(w), m))
                return 0; /* asked again when systemd is back */
        if (sd_bus_message_is_method_error(m, NULL) || watch_read_properties(w, m) < 0)
                launcher_report(w->running, -1, NULL); /* the state store knows better */
        else
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
static int watch_query(UnitWatch *w) {
        sd_bus *bus = system_manager_bus(watch_systemd(w));

        w->call = sd_bus_slot_unref(w->call);
        return bus ? sd_bus_call_method_async(bus, &w->call, SYSTEMD, w->path, "org.freedesktop.DBus.Properties",
                                              "GetAll", on_properties, w, "s", "")
                   : 0;
}

static int watch_match(UnitWatch *w) {
        sd_bus *bus = system_manager_bus(watch_systemd(w));

        w->changes = sd_bus_slot_unref(w->changes);
        return bus ? sd_bus_match_signal_async(bus, &w->changes, SYSTEMD, w->path,
                                               "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                               on_properties_changed, NULL, w)
                   : 0;
}

static void watch_renew(UnitWatch *w) {
        if (watch_match(w) < 0 || watch_query(w) < 0)
                launcher_report(w->running, -1, NULL);
}

void unit_on_job(const char *unit, const char *result, void *launcher) {
        Launcher *l = launcher;

        for (Running *r = l->running; r; r = r->next)
                if (r->watch && text_equal(r->watch->name, unit)) {
                        r->watch->started = true;
                        if (watch_query(r->watch) < 0)
                                launcher_report(r, -1, NULL);
                        return;
                }
}

static int on_start_answered(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        _cleanup_error_ Error cause = {};
        const sd_bus_error *refusal;
        UnitWatch *w = userdata;

        w->call = sd_bus_slot_unref(w->call);
        if (!sd_bus_message_is_method_error(m, NULL) || system_manager_check(watch_systemd(w), m))
                return 0;
        refusal = sd_bus_message_get_error(m);
        (void) refusal_cause(w->name, refusal->name, refusal->message, &cause);
        launcher_report(w->running, -1, &cause);
        return 0;
}

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to watch a worker");
}

static int watch_new(Running *running, UnitWatch **ret) {
        _cleanup_(unit_watch_freep) UnitWatch *w = calloc(1, sizeof(UnitWatch));

        if (!w || asprintf(&w->name, "terrafusion-operation@%s.service", running->id) < 0)
                return -ENOMEM;
        w->running = running;
        if (sd_bus_path_encode(SYSTEMD_PATH "/unit", w->name, &w->path) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(w);
        return 0;
}

int unit_start(Running *running, Error *error) {
        _cleanup_(unit_watch_freep) UnitWatch *w = NULL;
        SystemManager *systemd = running->launcher->systemd;
        int r;

        if (watch_new(running, &w) < 0)
                return no_memory(error);
        /* A unit left by an earlier syncd would refuse to start while failed. */
        unit_reset(systemd, w->name);
        r = watch_match(w);
        if (r >= 0)
                r = system_manager_call(systemd, &w->call, "StartUnit", on_start_answered, w, "ss", w->name, "fail");
        if (r < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Look at systemctl status dbus",
                                 "systemd could not be asked to start a worker: %s", strerror(-r));
        running->watch = TAKE_PTR(w);
        return 0;
}

int unit_adopt(Running *running, Error *error) {
        UnitWatch *w = NULL;

        if (watch_new(running, &w) < 0)
                return no_memory(error);
        w->started = true;
        running->watch = w;
        if (watch_match(w) >= 0 && watch_query(w) >= 0) /* or later, when systemd can be asked */
                return 0;
        return no_memory(error);
}

int unit_stop(Running *running) {
        return system_manager_call(running->launcher->systemd, NULL, "KillUnit", NULL, NULL, "ssi",
                                   running->watch->name, "main", (int32_t) SIGTERM);
}

static int on_leftovers(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *name = NULL;
        Launcher *l = userdata;

        l->leftovers = sd_bus_slot_unref(l->leftovers);
        if (sd_bus_message_is_method_error(m, NULL) ||
            sd_bus_message_enter_container(m, 'a', "(ssssssouso)") < 0)
                return 0;
        while (sd_bus_message_read(m, "(ssssssouso)", &name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) > 0) {
                bool is_watched = false;

                for (Running *r = l->running; r; r = r->next)
                        is_watched = is_watched || (r->watch && text_equal(r->watch->name, name));
                if (!is_watched)
                        unit_reset(l->systemd, name);
        }
        return 0;
}

/* Units that failed while nobody watched: their operations are over or waiting, what they left is only a name. */
static void leftovers_reset(Launcher *l) {
        int r;

        l->leftovers = sd_bus_slot_unref(l->leftovers);
        r = system_manager_call(l->systemd, &l->leftovers, "ListUnitsByPatterns", on_leftovers, l, "asas", 1,
                                "failed", 1, UNIT_PATTERN);
        if (r < 0)
                log_debug("Left-over units could not be listed: %s", strerror(-r));
}

void unit_on_ready(void *launcher) {
        Launcher *l = launcher;

        for (Running *r = l->running, *next; r; r = next) {
                next = r->next; /* r may end here */
                if (!r->watch)
                        continue;
                r->watch->started = true; /* whether the start was heard is told by the unit's state */
                watch_renew(r->watch);
        }
        leftovers_reset(l);
        if (l->ready)
                l->ready(l->userdata);
}
