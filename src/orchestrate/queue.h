/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which operation runs next: pure decisions from state, events and the time that is given. In syncd. Does no
 * input or output, reads no clock; times are µs of one clock that never jumps (CLOCK_MONOTONIC). */
#include "basic/alloc.h"
#include "basic/uuid.h"

#define BACKOFF_BASE_USEC (250U * 1000U)        /* before the second attempt, at most */
#define BACKOFF_CAP_USEC  (60U * 1000U * 1000U) /* longest wait between two attempts */
#define LOST_AT_ONCE_MAX                                                                                 \
        2U /* lost workers in a row that are replaced without a wait; more look like a crash at the same \
              place */
#define QUEUE_CHECKS_MAX                                                                               \
        1U /* checks that run beside the limited operations: they read a little and nobody waits for a \
              night's run */

typedef struct Queue Queue;

/* How a worker ended, as far as the next decision needs it. */
typedef enum QueueOutcome {
        QUEUE_OUTCOME_FINAL,     /* completed, failed for good or cancelled */
        QUEUE_OUTCOME_TRANSIENT, /* wants another attempt later */
        QUEUE_OUTCOME_LOST,      /* died, or could not be started */
        QUEUE_OUTCOME_CLOSED,    /* stopped at the end of its hours: no attempt is lost by that */
} QueueOutcome;

typedef enum QueueDecision {
        QUEUE_FORGET,  /* it is over, or not known here */
        QUEUE_RETRY,   /* stays, with a time of its next attempt */
        QUEUE_GIVE_UP, /* no attempts left: the caller finishes it as FAILED */
} QueueDecision;

/* n_operations_max: how many may run at once (checks beside them). seed: of the jitter; tests give their
 * own. */
_must_check_ int queue_new(unsigned n_operations_max, uint64_t seed, Queue **ret);
Queue *queue_free(Queue *q);
DEFINE_CLEANUP(Queue, queue_free)
void queue_set_limit(Queue *q, unsigned n_operations_max); /* running ones go on */

/* Puts an operation at the end. lane: what runs one at a time, the pair's name. is_check: beside the limit.
 * n_attempts: begun before. due_usec: not before (0: at once). is_running: its worker lives already. Copies.
 * -EEXIST: is there; -ENOBUFS: OPERATIONS_WAITING_MAX wait already; -ENOMEM. */
_must_check_ int queue_offer(Queue *q, const char *id, const char *lane, bool is_check, unsigned n_attempts,
                             uint64_t due_usec, bool is_running);
/* 1 and the id (UUID_TEXT_SIZE) of an operation that is to be started now; it counts as running from here
 * on. 0: none. */
_must_check_ int queue_next(Queue *q, uint64_t now_usec, char *ret_id);
/* When queue_next() should be asked again if nothing happens before; UINT64_MAX: only after an event. */
uint64_t queue_wake_usec(const Queue *q, uint64_t now_usec);
/* A worker ended. ret_due_usec (QUEUE_RETRY only): when the next attempt is planned; now_usec for at once.
 * The operation keeps its place as if it ran until queue_release(), so that the next attempt never begins
 * before the last one's end is on disk. */
QueueDecision queue_ended(Queue *q, const char *id, QueueOutcome outcome, uint64_t now_usec,
                          uint64_t *ret_due_usec);
void queue_release(Queue *q, const char *id);
/* Takes a waiting operation out: 1. 0: it runs, its worker has to be stopped. -ENOENT: not here. */
_must_check_ int queue_cancel(Queue *q, const char *id);

/* What else than the queue may hold an operation back that could start: gives a word for it, or NULL. One that has not begun yet lets later
 * ones of its lane pass while the gate holds it. */
typedef const char *(*queue_gate_t)(const char *id, void *userdata);
/* A scan of it has begun, though its attempts do not count (CLOSED): it keeps its place also at the gate. */
void queue_note_begun(Queue *q, const char *id);
/* It goes on until it is cancelled: beside the others, which it must not keep from running. */
void queue_note_endless(Queue *q, const char *id);
/* Its last attempt got somewhere, so it counts for nothing: what runs for months dies now and then. */
void queue_note_progress(Queue *q, const char *id);
void queue_set_gate(Queue *q, queue_gate_t gate, void *userdata);

/* "attempt" (a later time), "pair" (another of its pair runs or is before it), "worker" (the limit), the gate's
 * word, NULL: runs or is not here. */
const char *queue_waiting_for(const Queue *q, const char *id, uint64_t now_usec);
bool queue_is_running(const Queue *q, const char *id);
bool queue_has(const Queue *q, const char *id);
unsigned queue_n_attempts(const Queue *q, const char *id);
size_t queue_n_waiting(const Queue *q);
size_t queue_n_running(const Queue *q);

/* A wait before attempt number n_attempts + 1, evenly from 0 … min(cap, base · 2^(n_attempts-1)): full
 * jitter, so that pairs that failed together do not come back together. random: any 64 bits. */
uint64_t backoff_usec(unsigned n_attempts, uint64_t random);
