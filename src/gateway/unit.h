/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A unit of systemd's, watched and managed over D-Bus. In the gateway, where systemd runs syncd.
 * The bus may be away, or go: it is tried again with growing pauses, and until then nothing is known. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <systemd/sd-bus.h>

typedef enum UnitActive {
        UNIT_UNKNOWN,           /* the bus is away */
        UNIT_INACTIVE, UNIT_ACTIVATING, UNIT_ACTIVE, UNIT_DEACTIVATING, UNIT_FAILED,
        _UNIT_ACTIVE_MAX,
} UnitActive;

typedef struct UnitState {
        UnitActive active;
        char *sub_state, *result;       /* systemd's words; "" until known */
        char *status_text;              /* what the service said last (STATUS=) */
        int code, status;               /* of its last process: CLD_…, exit status or signal */
        uint32_t n_restarts;            /* by systemd's own rule, since the unit was last started by hand */
        uint64_t inactive_enter_usec;   /* monotonic; 0: not since the boot */
        bool has_job;                   /* it is being started or stopped, or will be */
        bool was_asked_to_stop;         /* seen to be stopped by a job, since it last was active */
} UnitState;

typedef struct Unit Unit;
/* open: how to reach systemd's bus, sd_bus_open_system() outside of tests. on_change: after each news, also "unknown". */
_must_check_ int unit_new(sd_event *event, const char *name, int (*open)(sd_bus **ret), void (*on_change)(void *userdata), void *userdata, Unit **ret);
Unit *unit_free(Unit *unit);
DEFINE_CLEANUP(Unit, unit_free)
const UnitState *unit_state(const Unit *unit);
const char *unit_active_to_string(UnitActive active);
/* Asks for the present state; on_change comes in any case, soon (within a second where systemd is silent: unknown then).
 * false: there is no bus to ask, on_change does not come. */
bool unit_refresh(Unit *unit);
/* verb: "StartUnit", "RestartUnit". done, once: result is the job's ("done", "failed", …), or NULL with error's text where it could
 * not be asked for. -ENOTCONN: the bus is away, done does not come. */
typedef void (*unit_job_t)(const char *result, const char *error, void *userdata);
_must_check_ int unit_job(Unit *unit, const char *verb, unit_job_t done, void *userdata);
/* SIGKILL to its main process; its own Restart= brings it back. */
int unit_kill(Unit *unit);
