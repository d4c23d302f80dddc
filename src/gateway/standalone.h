/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where systemd is not PID 1: starts syncd with its sockets, watches it, starts it again. In the gateway. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <systemd/sd-event.h>

typedef struct Standalone Standalone;
/* sync_fds: the TCP and the unix listening sockets, taken over on success. */
_must_check_ int standalone_new(sd_event *event, const char *runtime, const char *syncd_path, const int sync_fds[static 2], Standalone **ret, Error *error);
/* SIGTERM to syncd, SIGKILL after 10 s, and waits for its end. */
Standalone *standalone_free(Standalone *s);
DEFINE_CLEANUP(Standalone, standalone_free)
_must_check_ int standalone_start(Standalone *s);       /* 0 also when it runs already */
void standalone_restart(Standalone *s);                 /* SIGTERM; it comes back by itself */
bool standalone_is_running(const Standalone *s);
unsigned standalone_n_restarts(const Standalone *s);
const char *standalone_last_cause(const Standalone *s); /* "exit status 1", "signal 9", or NULL */
