/* SPDX-License-Identifier: Apache-2.0 */
/* terrafusion-generator makes timers and a drop-in of the configuration whenever systemd reads its units. This sees to it that
 * systemd has what our configuration says: 1 compare  2 Reload where they differ, once for each configuration  3 list the
 * timers  4 start those that are missing (a generated timer is loaded, but not started), stop those that nobody wants any more. */
#include <glob.h>

#include "basic/log.h"
#include "basic/text.h"
#include "config/unit-files.h"
#include "syncd/syncd.h"

#define TIMERS            "terrafusion-sync@*.timer"
#define UNIT_FILE_MAX     65536U

struct Schedule {
        Syncd *syncd;
        sd_bus_slot *reload, *list;
        bool is_asked; /* systemd was asked to read its units for this configuration */
        bool is_told;  /* that it made nothing of it */
};

static bool file_is_there(const UnitFile *file) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t size;

        if (!file->text)
                return true; /* a link comes with its timer */
        if (asprintf(&path, GENERATED_FOLDER "/%s", file->path) < 0) {
                path = NULL;
                return false;
        }
        return file_read(path, UNIT_FILE_MAX, &text, &size) >= 0 && text_equal(text, file->text);
}

static bool files_are_there(const UnitFiles *wanted) {
        size_t n_timers = 0, n_found;
        glob_t found = {};

        for (size_t i = 0; i < wanted->n_files; i++) {
                if (!file_is_there(wanted->files + i))
                        return false;
                n_timers += unit_file_is_timer(wanted->files + i);
        }
        n_found = glob(GENERATED_FOLDER "/" TIMERS, GLOB_NOSORT, NULL, &found) == 0 ? found.gl_pathc : 0;
        globfree(&found);
        return n_found == n_timers;
}

static const UnitFile *timer_find(const UnitFiles *wanted, const char *name) {
        for (size_t i = 0; i < wanted->n_files; i++)
                if (unit_file_is_timer(wanted->files + i) && text_equal(wanted->files[i].path, name))
                        return wanted->files + i;
        return NULL;
}

static int on_timer_answered(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        if (sd_bus_message_is_method_error(m, NULL))
                log_warning("systemd did not start or stop a timer of a schedule: %s. See `systemctl list-timers 'terrafusion-*'`.",
                            sd_bus_message_get_error(m)->message);
        return 0;
}

static void timer_ask(Schedule *c, const char *member, const char *name) {
        int r = system_manager_call(c->syncd->systemd, NULL, member, on_timer_answered, c, "ss", name, "replace");

        if (r < 0)
                log_debug("%s of %s: %s", member, name, strerror(-r));
}

/* A timer whose file went away fails at systemd's reload, and would be listed as failed for ever. */
static void timer_reset(Schedule *c, const char *name) {
        int r = system_manager_call(c->syncd->systemd, NULL, "ResetFailedUnit", NULL, NULL, "s", name);

        if (r < 0)
                log_debug("%s could not be reset: %s", name, strerror(-r));
}

static void timer_drop(UnitFiles *wanted, const UnitFile *timer) {
        UnitFile *dropped = wanted->files + (timer - wanted->files);

        free(dropped->text);
        dropped->text = NULL;
}

/* What is active is dropped from wanted; the rest is started. */
static void timers_settle(Schedule *c, sd_bus_message *m, UnitFiles *wanted) {
        const char *name = NULL, *state = NULL;

        while (sd_bus_message_read(m, "(ssssssouso)", &name, NULL, NULL, &state, NULL, NULL, NULL, NULL, NULL, NULL) > 0) {
                const UnitFile *timer = timer_find(wanted, name);

                if (!timer && text_equal(state, "failed"))
                        timer_reset(c, name);
                else if (!timer && text_equal(state, "active"))
                        timer_ask(c, "StopUnit", name);
                else if (timer && text_equal(state, "active"))
                        timer_drop(wanted, timer);
        }
        for (size_t i = 0; i < wanted->n_files; i++)
                if (unit_file_is_timer(wanted->files + i))
                        timer_ask(c, "StartUnit", wanted->files[i].path);
}

static int on_list(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        _cleanup_unit_files_ UnitFiles wanted = {};
        Schedule *c = userdata;

        c->list = sd_bus_slot_unref(c->list);
        if (system_manager_check(c->syncd->systemd, m) || sd_bus_message_is_method_error(m, NULL) ||
            sd_bus_message_enter_container(m, 'a', "(ssssssouso)") < 0 ||
            unit_files_make(c->syncd->settings, c->syncd->pairs, &wanted) < 0)
                return 0;
        timers_settle(c, m, &wanted);
        return 0;
}

static int on_reloaded(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Schedule *c = userdata;

        c->reload = sd_bus_slot_unref(c->reload);
        if (sd_bus_message_is_method_error(m, NULL) && !system_manager_check(c->syncd->systemd, m))
                log_warning("systemd did not read its units anew: %s. Schedules and limits of workers stay as they were; run `systemctl daemon-reload`.",
                            sd_bus_message_get_error(m)->message);
        schedule_apply(c, false);
        return 0;
}

void schedule_apply(Schedule *c, bool is_new) {
        _cleanup_unit_files_ UnitFiles wanted = {};
        bool is_there;

        if (!c)
                return;
        if (is_new)
                c->is_asked = c->is_told = false;
        if (!system_manager_is_ready(c->syncd->systemd) || c->reload || c->syncd->is_stopping ||
            unit_files_make(c->syncd->settings, c->syncd->pairs, &wanted) < 0)
                return;
        is_there = files_are_there(&wanted);
        if (!is_there && !c->is_asked &&
            system_manager_call(c->syncd->systemd, &c->reload, "Reload", on_reloaded, c, NULL) >= 0) {
                c->is_asked = true;
                return;
        }
        if (!is_there && !c->is_told) {
                log_warning("systemd has not the timers and limits that the configuration asks for. Is terrafusion-generator installed, "
                            "and what does it say? `journalctl -t terrafusion-generator`");
                c->is_told = true;
        }
        c->list = sd_bus_slot_unref(c->list);
        if (system_manager_call(c->syncd->systemd, &c->list, "ListUnitsByPatterns", on_list, c, "asas", 0, 1, TIMERS) < 0)
                log_debug("The timers could not be listed.");
}

static void on_ready(void *userdata) {
        schedule_apply(userdata, false);
}

int schedule_new(Syncd *s, Schedule **ret) {
        Schedule *c = calloc(1, sizeof(Schedule));
        int r;

        if (!c)
                return -ENOMEM;
        c->syncd = s;
        r = system_manager_listen(s->systemd, on_ready, NULL, c);
        if (r < 0) {
                free(c);
                return r;
        }
        *ret = c;
        return 0;
}

Schedule *schedule_free(Schedule *c) {
        if (!c)
                return NULL;
        sd_bus_slot_unref(c->reload);
        sd_bus_slot_unref(c->list);
        free(c);
        return NULL;
}
