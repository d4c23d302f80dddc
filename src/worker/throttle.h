/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `limits: {throttle}` of a source: a run that sees it become slow leaves it time for its own people. In the worker; pure, but for the sleep. */
#include "basic/alloc.h"

#define THROTTLE_FIRST 8U                       /* batches from which its usual latency is taken, as their median */
#define THROTTLE_WAIT_MIN_USEC 20000U           /* a batch that waited less is not slow, whatever came before */
#define THROTTLE_PAUSE_MAX_USEC 10000000U       /* after one batch */

typedef struct Throttle {
        unsigned multiple;              /* of the usual latency, from which on we pause; 0: never */
        uint64_t first_nsec[THROTTLE_FIRST], usual_nsec;        /* waited for a record */
        size_t n_first;
        uint64_t paused_usec;           /* so far */
} Throttle;

/* A batch of so many records waited that long for the source. Gives how long to pause: as long as it waited beyond the multiple. */
uint64_t throttle_pause_usec(Throttle *t, uint64_t waited_usec, uint64_t n_records);
/* Sleeps; a signal ends it early. */
void throttle_sleep(uint64_t usec);
/* Time that passed for this thread without work, from two moments: µs of the clock, less those of its CPU. */
typedef struct Moment { uint64_t clock_usec, cpu_usec; } Moment;
Moment moment_now(void);
uint64_t moment_waited_usec(const Moment *since);
