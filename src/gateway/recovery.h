/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Keeps syncd alive through whoever runs it (systemd, or the gateway itself), and the proxy's gate right. In the gateway.
 *  - What systemd restarts by itself is noted: how often, when, why.
 *  - One that hangs (two probes without an answer, some six seconds) is killed, and comes back by its Restart=.
 *  - One that failed for good is restarted, with growing pauses; not where it refuses its configuration.
 *  - One that was stopped stays stopped: connecting to its socket would start it, so the gate is closed before anybody connects. */
#include "gateway/proxy.h"
#include "gateway/standalone.h"
#include "gateway/unit.h"

typedef enum SyncdState {
        SYNCD_UNKNOWN,          /* nobody can tell: no systemd, or its bus is away */
        SYNCD_IDLE,             /* not started since the boot; its socket starts it */
        SYNCD_STARTING, SYNCD_RUNNING, SYNCD_STOPPING,
        SYNCD_STOPPED,          /* by an administrator */
        SYNCD_REFUSED,          /* it refuses its configuration */
        SYNCD_FAILED,
        _SYNCD_STATE_MAX,
} SyncdState;
const char *syncd_state_to_string(SyncdState state);    /* "unknown", "idle", … */

typedef struct RecoveryView {
        SyncdState state;
        bool hangs;                     /* it did not answer the last probe */
        unsigned n_restarts;            /* counted by systemd and by us */
        int64_t last_restart;           /* µs since 1970; 0: none */
        const char *last_cause;         /* of the last restart, in words, or NULL. Borrowed, like the next ones, until the next event */
        const char *reason, *remedy;    /* why it does not run, in a sentence, or NULL */
} RecoveryView;

typedef struct Recovery Recovery;
/* One of standalone and unit_open is NULL, or both: then nothing is known, and nothing is done. unit_open: sd_bus_open_system. */
_must_check_ int recovery_new(sd_event *event, Proxy *proxy, Standalone *standalone, int (*unit_open)(sd_bus **ret), Recovery **ret);
/* Tells those who wait for a start, and lets go of all others; then the proxy is freed, then this. Takes NULL. */
void recovery_stop(Recovery *recovery);
Recovery *recovery_free(Recovery *recovery);
DEFINE_CLEANUP(Recovery, recovery_free)
/* news: something that recovery_view() gives may have changed. NULL: nobody listens any more. Takes NULL. */
void recovery_watch(Recovery *recovery, void (*news)(void *userdata), void *userdata);
void recovery_view(const Recovery *recovery, RecoveryView *ret);

/* Starts it, or restarts what runs. done, once: NULL where it is ready, else what went wrong (borrowed). */
typedef void (*recovery_started_t)(const Error *error, void *userdata);
void recovery_start(Recovery *recovery, recovery_started_t done, void *userdata);
