/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/unit.h"

#include <errno.h>
#include <signal.h>

#include "basic/event.h"
#include "basic/text.h"

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define PAUSE_FIRST_USEC 500000U
#define PAUSE_MAX_USEC 30000000U
#define ANSWER_USEC 1000000U            /* PID 1 answers at once, or something is very wrong */

typedef struct Job {
        Unit *unit;
        unit_job_t done;
        void *userdata;
        char *path;                     /* NULL: not yet told */
        sd_bus_slot *call;
        struct Job *next;
} Job;

struct Unit {
        sd_event *event;
        char *name, *path;
        int (*open)(sd_bus **ret);
        void (*on_change)(void *userdata);
        void *userdata;
        UnitState state;
        sd_bus *bus;
        sd_bus_slot *refresh;
        sd_event_source *again;
        uint64_t pause_usec;
        Job *jobs;
};

static const char *const active_names[_UNIT_ACTIVE_MAX] = {
        "unknown", "inactive", "activating", "active", "deactivating", "failed",
};

const char *unit_active_to_string(UnitActive active) {
        return active_names[active];
}

static UnitActive active_from_string(const char *text) {
        if (text_equal(text, "reloading"))
                return UNIT_ACTIVE;
        for (int i = 0; i < _UNIT_ACTIVE_MAX; i++)
                if (text_equal(text, active_names[i]))
                        return (UnitActive) i;
        return UNIT_UNKNOWN;
}

static void job_end(Job *job, const char *result, const char *error) {
        for (Job **place = &job->unit->jobs; *place; place = &(*place)->next)
                if (*place == job) {
                        *place = job->next;
                        break;
                }
        (void) sd_bus_slot_unref(job->call);
        job->done(result, error, job->userdata);
        free(job->path);
        free(job);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata);

/* Nothing is known any more; tried again later. */
static void unit_lose(Unit *u) {
        if (event_timer_set(u->event, &u->again, u->pause_usec, "bus-again", on_again, u) < 0)
                u->again = NULL;        /* no memory: the unit stays unknown, requests go on */
        u->pause_usec = u->pause_usec * 2 > PAUSE_MAX_USEC ? PAUSE_MAX_USEC : u->pause_usec * 2;
        u->state.active = UNIT_UNKNOWN;
        u->refresh = sd_bus_slot_unref(u->refresh);
        while (u->jobs)
                job_end(u->jobs, NULL, "the connection to systemd broke");
        u->on_change(u->userdata);
}

static void text_set(char **text, const char *value) {
        char *copy = strdup(value);

        if (!copy)
                return;         /* the old one stays */
        free(*text);
        *text = copy;
}

static void active_set(UnitState *state, const char *value) {
        state->active = active_from_string(value);
        if (state->active == UNIT_ACTIVE || state->active == UNIT_ACTIVATING)
                state->was_asked_to_stop = false;
}

/* A stop by a job sends the stop signal; the ways of a crash have other names. */
static void sub_set(UnitState *state, const char *value) {
        text_set(&state->sub_state, value);
        if (text_equal(value, "stop") || text_equal(value, "stop-sigterm") || text_equal(value, "stop-sigkill"))
                state->was_asked_to_stop = true;
}

/* One property of the variant under the cursor. */
static int property_read(UnitState *state, sd_bus_message *m, const char *name) {
        static const struct { const char *name, *type; } known[] = {
                { "ActiveState", "s" }, { "SubState", "s" }, { "Result", "s" }, { "StatusText", "s" }, { "NRestarts", "u" },
                { "ExecMainCode", "i" }, { "ExecMainStatus", "i" }, { "InactiveEnterTimestampMonotonic", "t" }, { "Job", "(uo)" },
        };
        const char *text = NULL;
        uint32_t job;
        size_t i;
        int r;

        for (i = 0; i < ELEMENTSOF(known) && !text_equal(name, known[i].name); i++)
                ;
        if (i == ELEMENTSOF(known))
                return sd_bus_message_skip(m, "v");
        switch (i) {
        case 4: return sd_bus_message_read(m, "v", "u", &state->n_restarts);
        case 5: return sd_bus_message_read(m, "v", "i", &state->code);
        case 6: return sd_bus_message_read(m, "v", "i", &state->status);
        case 7: return sd_bus_message_read(m, "v", "t", &state->inactive_enter_usec);
        case 8:
                r = sd_bus_message_read(m, "v", "(uo)", &job, &text);
                if (r >= 0)
                        state->has_job = job != 0;
                return r;
        default: break;
        }
        r = sd_bus_message_read(m, "v", known[i].type, &text);
        if (r < 0)
                return r;
        if (i == 0)
                active_set(state, text);
        else if (i == 1)
                sub_set(state, text);
        else
                text_set(i == 2 ? &state->result : &state->status_text, text);
        return 0;
}

/* a{sv} */
static int properties_read(UnitState *state, sd_bus_message *m) {
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0 || (r = property_read(state, m, name)) < 0 || (r = sd_bus_message_exit_container(m)) < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Unit *u = userdata;
        const char *interface;

        if (sd_bus_message_read(m, "s", &interface) < 0)
                return 0;
        if ((text_equal(interface, UNIT_INTERFACE) || text_equal(interface, SERVICE_INTERFACE)) && properties_read(&u->state, m) >= 0 &&
            u->state.active != UNIT_UNKNOWN && !u->refresh)
                u->on_change(u->userdata);
        return 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Unit *u = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        for (Job *job = u->jobs, *next; job; job = next) {
                next = job->next;
                if (job->path && text_equal(job->path, path))
                        job_end(job, result, NULL);
        }
        return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        unit_lose(userdata);
        return 0;
}

static int on_all(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Unit *u = userdata;

        if (sd_bus_message_is_method_error(m, NULL)) {
                if (u->bus && sd_bus_is_open(u->bus) > 0)
                        unit_lose(u);
                return 0;
        }
        u->pause_usec = PAUSE_FIRST_USEC;
        /* While a refresh is under way the other half of the state comes with its answer. */
        if (properties_read(&u->state, m) >= 0 && u->state.active != UNIT_UNKNOWN && !u->refresh)
                u->on_change(u->userdata);
        return 0;
}

static int all_ask(Unit *u, const char *interface) {
        return sd_bus_call_method_async(u->bus, NULL, DESTINATION, u->path, PROPERTIES, "GetAll", on_all, u, "s", interface);
}

static int match(Unit *u, const char *path, const char *interface, const char *member, sd_bus_message_handler_t handler) {
        return sd_bus_match_signal_async(u->bus, NULL, DESTINATION, path, interface, member, handler, NULL, u);
}

static int unit_connect(Unit *u) {
        int r;

        u->bus = sd_bus_flush_close_unref(u->bus);
        r = u->open(&u->bus);
        if (r < 0)
                return r;
        if ((r = sd_bus_set_exit_on_disconnect(u->bus, false)) < 0 || (r = sd_bus_attach_event(u->bus, u->event, SD_EVENT_PRIORITY_NORMAL)) < 0)
                return r;
        r = sd_bus_match_signal_async(u->bus, NULL, NULL, "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", "Disconnected",
                                      on_disconnected, NULL, u);
        if (r < 0 || (r = match(u, u->path, PROPERTIES, "PropertiesChanged", on_properties)) < 0 ||
            (r = match(u, MANAGER_PATH, MANAGER, "JobRemoved", on_job_removed)) < 0)
                return r;
        /* Without it systemd sends no signals. */
        r = sd_bus_call_method_async(u->bus, NULL, DESTINATION, MANAGER_PATH, MANAGER, "Subscribe", NULL, NULL, NULL);
        if (r < 0 || (r = all_ask(u, SERVICE_INTERFACE)) < 0)
                return r;
        return all_ask(u, UNIT_INTERFACE);      /* last: with it the state is known */
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        Unit *u = userdata;

        event_source_drop(&u->again);
        if (unit_connect(u) < 0)
                unit_lose(u);
        return 0;
}

int unit_new(sd_event *event, const char *name, int (*open)(sd_bus **ret), void (*on_change)(void *userdata), void *userdata, Unit **ret) {
        _cleanup_(unit_freep) Unit *u = calloc(1, sizeof(Unit));
        int r;

        if (!u)
                return -ENOMEM;
        u->event = sd_event_ref(event);
        u->open = open;
        u->on_change = on_change;
        u->userdata = userdata;
        u->pause_usec = PAUSE_FIRST_USEC;
        u->name = strdup(name);
        text_set(&u->state.sub_state, "");
        text_set(&u->state.result, "");
        text_set(&u->state.status_text, "");
        if (!u->name || !u->state.sub_state || !u->state.result || !u->state.status_text)
                return -ENOMEM;
        r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &u->path);
        if (r < 0)
                return r;
        if (unit_connect(u) < 0 &&
            (r = event_timer_set(u->event, &u->again, u->pause_usec, "bus-again", on_again, u)) < 0)
                return r;
        *ret = TAKE_PTR(u);
        return 0;
}

Unit *unit_free(Unit *u) {
        if (!u)
                return NULL;
        while (u->jobs)
                job_end(u->jobs, NULL, "the gateway is stopping");
        event_source_drop(&u->again);
        u->refresh = sd_bus_slot_unref(u->refresh);
        u->bus = sd_bus_flush_close_unref(u->bus);
        free(u->state.sub_state);
        free(u->state.result);
        free(u->state.status_text);
        free(u->name);
        free(u->path);
        (void) sd_event_unref(u->event);
        free(u);
        return NULL;
}

const UnitState *unit_state(const Unit *u) {
        return &u->state;
}

static int on_refreshed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Unit *u = userdata;

        u->refresh = sd_bus_slot_unref(u->refresh);
        if (sd_bus_message_is_method_error(m, NULL) || properties_read(&u->state, m) < 0)
                u->state.active = UNIT_UNKNOWN;
        u->on_change(u->userdata);
        return 0;
}

/* All of it, since a signal about one property may still be on its way when the answer about another is here already. */
bool unit_refresh(Unit *u) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        if (u->refresh)
                return true;
        if (!u->bus || sd_bus_is_open(u->bus) <= 0 || all_ask(u, SERVICE_INTERFACE) < 0 ||
            sd_bus_message_new_method_call(u->bus, &m, DESTINATION, u->path, PROPERTIES, "GetAll") < 0 ||
            sd_bus_message_append(m, "s", UNIT_INTERFACE) < 0)
                return false;
        return sd_bus_call_async(u->bus, &u->refresh, m, on_refreshed, u, ANSWER_USEC) >= 0;
}

static int on_job_made(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Job *job = userdata;
        const sd_bus_error *refused = sd_bus_message_get_error(m);
        const char *path;

        if (refused)
                job_end(job, NULL, refused->message ?: refused->name);
        else if (sd_bus_message_read(m, "o", &path) < 0 || !(job->path = strdup(path)))
                job_end(job, NULL, "systemd's answer is not understood");
        return 0;
}

int unit_job(Unit *u, const char *verb, unit_job_t done, void *userdata) {
        Job *job;
        int r;

        if (!u->bus || sd_bus_is_open(u->bus) <= 0)
                return -ENOTCONN;
        job = calloc(1, sizeof(Job));
        if (!job)
                return -ENOMEM;
        *job = (Job) { .unit = u, .done = done, .userdata = userdata };
        r = sd_bus_call_method_async(u->bus, &job->call, DESTINATION, MANAGER_PATH, MANAGER, verb, on_job_made, job, "ss", u->name, "replace");
        if (r < 0) {
                free(job);
                return r;
        }
        job->next = u->jobs;
        u->jobs = job;
        return 0;
}

int unit_kill(Unit *u) {
        if (!u->bus || sd_bus_is_open(u->bus) <= 0)
                return -ENOTCONN;
        return sd_bus_call_method_async(u->bus, NULL, DESTINATION, MANAGER_PATH, MANAGER, "KillUnit", NULL, NULL, "ssi", u->name, "main", SIGKILL);
}
