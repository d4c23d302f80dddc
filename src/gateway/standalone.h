/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where systemd is not PID 1: starts syncd with its sockets, watches it, starts it again. In the gateway. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <systemd/sd-event.h>

typedef struct StandaloneState {
        bool running, ready;            /* a process is there; it said READY=1 */
        bool given_up;                  /* it refused its configuration, and is not started again by itself */
        int code, status;               /* of the last end: CLD_…, exit status or signal; code 0: none yet */
        unsigned n_restarts;            /* by itself, since the gateway's start */
        char *status_text;              /* what it said last (STATUS=), or NULL */
} StandaloneState;

typedef struct Standalone Standalone;
/* sync_fds: the TCP and the unix listening sockets, taken over on success. */
_must_check_ int standalone_new(sd_event *event, const char *runtime, const char *syncd_path, const int sync_fds[static 2], Standalone **ret, Error *error);
/* SIGTERM to syncd, SIGKILL after 10 s, and waits for its end. */
Standalone *standalone_free(Standalone *s);
DEFINE_CLEANUP(Standalone, standalone_free)
_must_check_ int standalone_start(Standalone *s);       /* 0 also when it runs already */
void standalone_restart(Standalone *s);                 /* SIGTERM; it comes back by itself */
void standalone_kill(Standalone *s);                    /* SIGKILL; it comes back by itself */
const StandaloneState *standalone_state(const Standalone *s);
/* Called when it is ready, and when it ended. */
void standalone_watch(Standalone *s, void (*on_change)(void *userdata), void *userdata);
