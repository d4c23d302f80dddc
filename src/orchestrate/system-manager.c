/* SPDX-License-Identifier: Apache-2.0 */
/* 1 connect  2 match signals  3 Subscribe  4 answered: ready. Whatever fails: close, wait (doubling), 1. */
#include "orchestrate/system-manager.h"

#include <stdarg.h>

#include "basic/event.h"
#include "basic/log.h"
#include "basic/text.h"

#define WAIT_MIN_USEC 100000ULL
#define WAIT_MAX_USEC 5000000ULL
#define LISTENERS_MAX 4U

typedef struct Listener {
        system_manager_ready_t ready;
        system_manager_job_t job;
        void *userdata;
} Listener;

struct SystemManager {
        sd_event *event;
        sd_bus *bus;
        sd_bus_slot *slots[4]; /* JobRemoved, Reloading, Disconnected, the call of Subscribe */
        sd_event_source *wait, *lost;
        uint64_t wait_usec;
        Listener listeners[LISTENERS_MAX];
        size_t n_listeners;
        bool is_ready, was_ready;
};

static void connection_close(SystemManager *m) {
        m->is_ready = false;
        for (size_t i = 0; i < ELEMENTSOF(m->slots); i++)
                m->slots[i] = sd_bus_slot_unref(m->slots[i]);
        m->bus = sd_bus_close_unref(m->bus);
}

static void connection_open(SystemManager *m);

static int on_wait_over(sd_event_source *source, uint64_t usec, void *userdata) {
        connection_open(userdata);
        return 0;
}

static void connection_retry(SystemManager *m) {
        connection_close(m);
        if (event_timer_set(m->event, &m->wait, m->wait_usec, "systemd-again", on_wait_over, m) < 0)
                log_warning("No timer to look for systemd again; operations wait until terrafusion-syncd is "
                            "restarted.");
        m->wait_usec = m->wait_usec * 2 > WAIT_MAX_USEC ? WAIT_MAX_USEC : m->wait_usec * 2;
}

/* Deferred, since a connection is not closed within its own callbacks. */
static int on_lost(sd_event_source *source, void *userdata) {
        SystemManager *m = userdata;

        if (m->was_ready)
                log_warning("The system bus or systemd is away; running workers go on, new ones wait for it.");
        m->was_ready = false;
        connection_retry(m);
        return 0;
}

static void connection_lost(SystemManager *m) {
        m->is_ready = false;
        if (event_defer(m->event, &m->lost, "systemd-lost", on_lost, m) < 0)
                log_warning("No memory to look for systemd again.");
}

static void tell_ready(SystemManager *m) {
        for (size_t i = 0; i < m->n_listeners && m->is_ready; i++)
                if (m->listeners[i].ready)
                        m->listeners[i].ready(m->listeners[i].userdata);
}

static int on_subscribed(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
        SystemManager *m = userdata;

        if (sd_bus_message_is_method_error(answer, NULL) &&
            !sd_bus_message_is_method_error(answer, "org.freedesktop.systemd1.AlreadySubscribed")) {
                connection_lost(m); /* the bus is there before systemd is back on it */
                return 0;
        }
        m->is_ready = m->was_ready = true;
        m->wait_usec = WAIT_MIN_USEC;
        tell_ready(m);
        return 0;
}

static int on_disconnected(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error) {
        connection_lost(userdata);
        return 0;
}

static int on_reloading(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error) {
        SystemManager *m = userdata;
        int begins = 1;

        if (sd_bus_message_read(signal, "b", &begins) >= 0 && !begins)
                tell_ready(m);
        return 0;
}

static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error) {
        const char *unit = NULL, *result = NULL;
        SystemManager *m = userdata;

        if (sd_bus_message_read(signal, "uoss", NULL, NULL, &unit, &result) < 0)
                return 0;
        for (size_t i = 0; i < m->n_listeners; i++)
                if (m->listeners[i].job)
                        m->listeners[i].job(unit, result, m->listeners[i].userdata);
        return 0;
}

static int connection_match(SystemManager *m) {
        int r;

        r = sd_bus_match_signal_async(m->bus, &m->slots[0], SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
                                      on_job_removed, NULL, m);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(m->bus, &m->slots[1], SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Reloading",
                                      on_reloading, NULL, m);
        if (r < 0)
                return r;
        return sd_bus_match_signal_async(m->bus, &m->slots[2], NULL, "/org/freedesktop/DBus/Local",
                                         "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, m);
}

/* Without a subscriber systemd sends no signals. */
static int connection_begin(SystemManager *m) {
        int r;

        r = sd_bus_open_system_with_description(&m->bus, "systemd");
        if (r < 0)
                return r;
        r = sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        r = connection_match(m);
        if (r < 0)
                return r;
        return sd_bus_call_method_async(m->bus, &m->slots[3], SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe",
                                        on_subscribed, m, NULL);
}

static void connection_open(SystemManager *m) {
        int r = connection_begin(m);

        if (r < 0) {
                log_debug("The system bus cannot be reached yet: %s", strerror(-r));
                connection_retry(m);
        }
}

int system_manager_new(sd_event *event, SystemManager **ret) {
        SystemManager *m = calloc(1, sizeof(SystemManager));

        if (!m)
                return -ENOMEM;
        m->event = sd_event_ref(event);
        m->wait_usec = WAIT_MIN_USEC;
        m->was_ready = true;
        connection_open(m);
        *ret = m;
        return 0;
}

SystemManager *system_manager_free(SystemManager *m) {
        if (!m)
                return NULL;
        event_source_drop(&m->wait);
        event_source_drop(&m->lost);
        if (m->bus)
                (void) sd_bus_flush(m->bus);
        connection_close(m);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

int system_manager_listen(SystemManager *m, system_manager_ready_t ready, system_manager_job_t job, void *userdata) {
        if (m->n_listeners == LISTENERS_MAX)
                return -ENOBUFS;
        m->listeners[m->n_listeners++] = (Listener){ready, job, userdata};
        return 0;
}

bool system_manager_is_ready(const SystemManager *m) {
        return m->is_ready;
}

sd_bus *system_manager_bus(const SystemManager *m) {
        return m->is_ready ? m->bus : NULL;
}

int system_manager_call(SystemManager *m, sd_bus_slot **slot, const char *member,
                        sd_bus_message_handler_t handler, void *userdata, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        va_list arguments;
        int r;

        if (!m->is_ready)
                return -ENOTCONN;
        r = sd_bus_message_new_method_call(m->bus, &call, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, member);
        if (r < 0)
                return r;
        if (types) {
                va_start(arguments, types);
                r = sd_bus_message_appendv(call, types, arguments);
                va_end(arguments);
                if (r < 0)
                        return r;
        }
        return sd_bus_call_async(m->bus, slot, call, handler, userdata, 0);
}

bool system_manager_check(SystemManager *m, sd_bus_message *answer) {
        static const char *const away[] = {
                "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected",
                "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
                "org.freedesktop.DBus.Error.Timeout",
        };

        for (size_t i = 0; i < ELEMENTSOF(away); i++)
                if (sd_bus_message_is_method_error(answer, away[i])) {
                        connection_lost(m);
                        return true;
                }
        return false;
}
