/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/throttle.h"

#include <time.h>

static int compare_nsec(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

/* The median, so that neither a cold cache nor what lay in the socket already decides. */
static void first_add(Throttle *t, uint64_t nsec) {
        t->first_nsec[t->n_first++] = nsec;
        if (t->n_first < THROTTLE_FIRST)
                return;
        qsort(t->first_nsec, THROTTLE_FIRST, sizeof(t->first_nsec[0]), compare_nsec);
        t->usual_nsec = t->first_nsec[THROTTLE_FIRST / 2];
}

uint64_t throttle_pause_usec(Throttle *t, uint64_t waited_usec, uint64_t n_records) {
        uint64_t allowed_usec, pause_usec;

        if (t->multiple == 0 || n_records == 0)
                return 0;
        if (t->n_first < THROTTLE_FIRST) {
                first_add(t, waited_usec * 1000 / n_records);
                return 0;
        }
        allowed_usec = t->usual_nsec * n_records / 1000 * t->multiple;
        if (allowed_usec < THROTTLE_WAIT_MIN_USEC)
                allowed_usec = THROTTLE_WAIT_MIN_USEC;
        if (waited_usec <= allowed_usec)
                return 0;
        pause_usec = waited_usec - allowed_usec;
        if (pause_usec > THROTTLE_PAUSE_MAX_USEC)
                pause_usec = THROTTLE_PAUSE_MAX_USEC;
        t->paused_usec += pause_usec;
        return pause_usec;
}

void throttle_sleep(uint64_t usec) {
        const struct timespec span = {.tv_sec = (time_t) (usec / 1000000), .tv_nsec = (long) (usec % 1000000) * 1000};

        (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

static uint64_t clock_usec(clockid_t clock) {
        struct timespec now = {};

        (void) clock_gettime(clock, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

Moment moment_now(void) {
        return (Moment){.clock_usec = clock_usec(CLOCK_MONOTONIC), .cpu_usec = clock_usec(CLOCK_THREAD_CPUTIME_ID)};
}

uint64_t moment_waited_usec(const Moment *since) {
        Moment now = moment_now();
        uint64_t passed = now.clock_usec - since->clock_usec, worked = now.cpu_usec - since->cpu_usec;

        return passed > worked ? passed - worked : 0;
}
