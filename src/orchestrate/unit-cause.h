/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How a worker's unit or process died, as the cause of its attempt: in words, with what to do. Pure; in syncd. */
#include "basic/error.h"

/* result, code (CLD_EXITED, CLD_KILLED, CLD_DUMPED) and status as systemd's Result, ExecMainCode and
 * ExecMainStatus are. False and nothing set where the worker ended with a status of its own: that says it.
 * cause: ERROR_WORKER_LOST. */
bool unit_cause(const char *result, int code, int status, Error *cause);
/* Of a child process. */
bool process_cause(int code, int status, Error *cause);
/* systemd's refusal to start it: name and text of its D-Bus error. What a person has to mend is ERROR_CONFIGURATION (not tried again),
 * what passes by itself ERROR_SYSTEM_UNAVAILABLE. Gives the negative errno. */
int refusal_cause(const char *unit, const char *name, const char *text, Error *cause);
