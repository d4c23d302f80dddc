/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* systemd as a unit's watcher sees it: one service on a bus of a socket pair, in the same loop. Tests set its state and say so. */
#include "../testing.h"
#include <errno.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>
#include "basic/alloc.h"

typedef struct FakeSystemd {
        sd_event *event;
        sd_bus *bus;                    /* NULL: nobody there */
        const char *active, *sub, *result, *words;
        uint32_t n_restarts, job;
        int32_t code, status;
        uint64_t inactive_enter;
        char last_call[64];             /* "StartUnit terrafusion-syncd.service" */
        const char *refuse;             /* the text of an error for the next calls, or NULL */
        unsigned n_calls, n_opened;
        bool away;                      /* nobody can connect */
} FakeSystemd;

static FakeSystemd *fake_systemd;
#define FAKE_UNIT_PATH "/org/freedesktop/systemd1/unit/terrafusion_2dsyncd_2eservice"
#define FAKE_JOB_PATH "/org/freedesktop/systemd1/job/7"

static int fake_append_unit(sd_bus_message *m) {
        FakeSystemd *f = fake_systemd;

        return sd_bus_message_append(m, "a{sv}", 5, "Id", "s", "terrafusion-syncd.service", "ActiveState", "s", f->active, "SubState", "s", f->sub,
                                     "InactiveEnterTimestampMonotonic", "t", f->inactive_enter, "Job", "(uo)", f->job, f->job ? FAKE_JOB_PATH : "/");
}

static int fake_append_service(sd_bus_message *m) {
        FakeSystemd *f = fake_systemd;

        return sd_bus_message_append(m, "a{sv}", 6, "Result", "s", f->result, "StatusText", "s", f->words, "NRestarts", "u", f->n_restarts,
                                     "ExecMainCode", "i", f->code, "ExecMainStatus", "i", f->status, "MemoryMax", "t", UINT64_MAX);
}

static int fake_on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        FakeSystemd *f = fake_systemd;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *member = sd_bus_message_get_member(m), *text = "";

        if (!member || sd_bus_message_is_signal(m, NULL, NULL))
                return 0;
        f->n_calls++;
        (void) sd_bus_message_read(m, "s", &text);
        if (f->refuse)
                return sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.AccessDenied", "%s", f->refuse);
        assert_true(sd_bus_message_new_method_return(m, &reply) >= 0);
        if (strcmp(member, "GetAll") == 0)
                assert_true((strcmp(text, "org.freedesktop.systemd1.Unit") == 0 ? fake_append_unit(reply) : fake_append_service(reply)) >= 0);
        else if (strcmp(member, "StartUnit") == 0 || strcmp(member, "RestartUnit") == 0)
                assert_true(sd_bus_message_append(reply, "o", FAKE_JOB_PATH) >= 0);
        if (strcmp(member, "GetAll") != 0 && strcmp(member, "Subscribe") != 0)
                (void) snprintf(f->last_call, sizeof(f->last_call), "%s %s", member, text);
        assert_true(sd_bus_send(f->bus, reply, NULL) >= 0);
        return 1;
}

/* sd_bus_open_system()'s stand-in. */
static int fake_open(sd_bus **ret) {
        FakeSystemd *f = fake_systemd;
        sd_id128_t id;
        int fds[2];

        f->n_opened++;
        if (f->away)
                return -ECONNREFUSED;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        f->bus = sd_bus_flush_close_unref(f->bus);
        assert_int_equal(sd_id128_randomize(&id), 0);
        assert_true(sd_bus_new(&f->bus) >= 0 && sd_bus_set_fd(f->bus, fds[0], fds[0]) >= 0 && sd_bus_set_server(f->bus, 1, id) >= 0 &&
                    sd_bus_set_anonymous(f->bus, 1) >= 0 && sd_bus_start(f->bus) >= 0 &&
                    sd_bus_add_filter(f->bus, NULL, fake_on_call, f) >= 0 && sd_bus_attach_event(f->bus, f->event, 0) >= 0);
        assert_true(sd_bus_new(ret) >= 0 && sd_bus_set_fd(*ret, fds[1], fds[1]) >= 0 && sd_bus_start(*ret) >= 0);
        return 0;
}

/* Says what changed of both interfaces, as systemd does. */
static void fake_say_state(void) {
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

                assert_true(sd_bus_message_new_signal(fake_systemd->bus, &m, FAKE_UNIT_PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged") >= 0);
                assert_true(sd_bus_message_set_sender(m, "org.freedesktop.systemd1") >= 0);
                assert_true(sd_bus_message_append(m, "s", i == 0 ? "org.freedesktop.systemd1.Service" : "org.freedesktop.systemd1.Unit") >= 0);
                assert_true((i == 0 ? fake_append_service(m) : fake_append_unit(m)) >= 0);
                assert_true(sd_bus_message_append(m, "as", 0) >= 0);
                assert_true(sd_bus_send(fake_systemd->bus, m, NULL) >= 0);
        }
}

static void fake_end_job(const char *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_signal(fake_systemd->bus, &m, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved") >= 0);
        assert_true(sd_bus_message_set_sender(m, "org.freedesktop.systemd1") >= 0);
        assert_true(sd_bus_message_append(m, "uoss", 7, FAKE_JOB_PATH, "terrafusion-syncd.service", result) >= 0);
        assert_true(sd_bus_send(fake_systemd->bus, m, NULL) >= 0);
}

static void fake_start(FakeSystemd *f) {
        *f = (FakeSystemd) { .active = "active", .sub = "running", .result = "success", .words = "" };
        assert_int_equal(sd_event_new(&f->event), 0);
        fake_systemd = f;
}

static void fake_stop(FakeSystemd *f) {
        f->bus = sd_bus_flush_close_unref(f->bus);
        f->event = sd_event_unref(f->event);
}

static void fake_turn(unsigned n) {
        for (unsigned i = 0; i < n; i++)
                assert_true(sd_event_run(fake_systemd->event, 3000) >= 0);
}
