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
        char *worker;           /* NULL: units */
        SystemManager *systemd; /* NULL: children; not owned */
        sd_bus_slot *leftovers; /* the question for failed units */
        launcher_ended_t ended;
        launcher_ready_t ready;
        void *userdata;
        Running *running;
};

_must_check_ int launcher_new(sd_event *event, launcher_ended_t ended, void *userdata, Launcher **ret);
Running *launcher_find(const Launcher *l, const char *operation_id);
_must_check_ int launcher_add(Launcher *l, const char *operation_id, Running **ret, Error *error);
/* Takes r out, then tells the owner. cause may be NULL. */
void launcher_report(Running *r, int exit_status, const Error *cause);
/* Watches a process that is not our child. */
_must_check_ int running_watch_pidfd(Running *r);

_must_check_ int unit_start(Running *r, Error *error);
_must_check_ int unit_adopt(Running *r, Error *error);
_must_check_ int unit_stop(Running *r);
struct UnitWatch *unit_watch_free(struct UnitWatch *w);
/* Listeners of the SystemManager. */
void unit_on_ready(void *launcher);
void unit_on_job(const char *unit, const char *result, void *launcher);
