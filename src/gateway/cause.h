/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Why syncd ended, in words, from what systemd (or wait()) tells. In the gateway. */
#include "basic/alloc.h"

#define EXIT_CONFIGURATION 78

/* result: a unit's Result; code: CLD_EXITED, CLD_KILLED, CLD_DUMPED or 0; status: exit status or signal. Allocated: "signal 9 (KILL)",
 * "exit status 1", "the watchdog: it hung", "out of memory", …; NULL without memory. "success" is "it was asked to end". */
char *cause_text(const char *result, int code, int status);
/* The Result that systemd gives an end that wait() told. */
const char *cause_result(int code, int status);
