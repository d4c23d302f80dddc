/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The connection to systemd over the system bus, made anew whenever the bus or systemd went away. In syncd. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define SYSTEMD         "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

typedef struct SystemManager SystemManager;
/* systemd can be asked (again), or has read its units anew: what was known of units may be old. From the loop. */
typedef void (*system_manager_ready_t)(void *userdata);
/* A job has ended: "done", "failed", "canceled", … */
typedef void (*system_manager_job_t)(const char *unit, const char *result, void *userdata);

/* Begins to connect; ready comes later. -ENOMEM only: a bus that is away is waited for. */
_must_check_ int system_manager_new(sd_event *event, SystemManager **ret);
SystemManager *system_manager_free(SystemManager *m);
DEFINE_CLEANUP(SystemManager, system_manager_free)
/* Up to 4 listeners; either callback may be NULL. Slots of an earlier connection are dead when ready is called. */
_must_check_ int system_manager_listen(SystemManager *m, system_manager_ready_t ready, system_manager_job_t job,
                                       void *userdata);
bool system_manager_is_ready(const SystemManager *m);
sd_bus *system_manager_bus(const SystemManager *m); /* NULL while away */
/* A method of systemd's Manager; the answer goes to handler (may be NULL). -ENOTCONN while away. */
_must_check_ int system_manager_call(SystemManager *m, sd_bus_slot **slot, const char *member,
                                     sd_bus_message_handler_t handler, void *userdata, const char *types, ...);
/* True where the failure says that nobody is there rather than that the question was wrong; then the connection is made anew. */
bool system_manager_check(SystemManager *m, sd_bus_message *answer);
