/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of a Launcher, shared by launcher.c (processes) and launcher-unit.c (systemd). In syncd. */
#include "orchestrate/launcher.h"

#include "basic/uuid.h"

typedef struct Running {
        Launcher *launcher;
        struct Running *next;
        char id[UUID_TEXT_SIZE];
        sd_event_source *source; /* child or pidfd; NULL with units */
        int pidfd;               /* of one taken over, or -EBADF */
        struct UnitWatch *watch; /* with units */
} Running;

struct Launcher {
        sd_event *event;
        char *worker;          /* NULL: units */
        struct UnitBus *units; /* NULL: children */
        launcher_ended_t ended;
        void *userdata;
        Running *running;
};

_must_check_ int launcher_new(sd_event *event, launcher_ended_t ended, void *userdata, Launcher **ret);
Running *launcher_find(const Launcher *l, const char *operation_id);
_must_check_ int launcher_add(Launcher *l, const char *operation_id, Running **ret, Error *error);
/* Takes r out, then tells the owner. */
void launcher_report(Running *r, int exit_status);

_must_check_ int unit_bus_new(Launcher *l, struct UnitBus **ret, Error *error);
struct UnitBus *unit_bus_free(struct UnitBus *u);
_must_check_ int unit_bus_start(struct UnitBus *u, Running *r, Error *error);
_must_check_ int unit_bus_stop(struct UnitBus *u, Running *r);
struct UnitWatch *unit_watch_free(struct UnitWatch *w);
