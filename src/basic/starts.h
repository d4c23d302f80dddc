/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A daemon that keeps dying at its start slows itself, since systemd starts it again at once and for ever (RestartSec=0, no start
 * limit). It notes its starts in RUNTIME_DIRECTORY/NAME.starts, which a boot empties. In both daemons. */
#include "basic/alloc.h"

#define STARTS_FREE_MAX      5U                /* so many short lives in a row cost nothing */
#define STARTS_WINDOW_USEC   10000000ULL       /* an end before it was ready counts when it came within that */
#define STARTS_SETTLED_USEC  200000ULL         /* who was ready for so long did not die at its start */
#define STARTS_WAIT_MIN_USEC 100000ULL
#define STARTS_WAIT_MAX_USEC 10000000ULL

typedef struct Starts {
        uint64_t n_short;       /* lives in a row that ended at their start */
        uint64_t started_usec;  /* CLOCK_BOOTTIME, after the wait; 0: never */
        uint64_t ready_usec;    /* 0: it was not ready */
} Starts;
/* Takes the note of the last life, gives that of this one and how long to wait first. Pure. */
uint64_t starts_next(Starts *starts, uint64_t now_usec);

/* First of all in main(): waits where it must, saying so to the journal and systemd. A note that cannot be read or written is no reason not
 * to start. */
void starts_begin(const char *name);
/* When the daemon is ready. */
void starts_ready(const char *name);
