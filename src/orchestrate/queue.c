/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrate/queue.h"

#include "basic/limits.h"
#include "basic/text.h"

typedef struct Entry {
        char id[UUID_TEXT_SIZE];
        char *lane;
        bool is_check, is_running, has_begun, is_endless;
        unsigned n_attempts, n_lost; /* begun; lost in a row */
        uint64_t due_usec;
} Entry;

struct Queue {
        Entry *entries; /* oldest first: order of arrival is order of service */
        size_t n_entries, capacity;
        unsigned n_operations_max;
        uint64_t random;
        queue_gate_t gate;
        void *gate_userdata;
};

int queue_new(unsigned n_operations_max, uint64_t seed, Queue **ret) {
        Queue *q = calloc(1, sizeof(Queue));

        if (!q)
                return -ENOMEM;
        q->n_operations_max = n_operations_max > 0 ? n_operations_max : 1;
        q->random = seed;
        *ret = q;
        return 0;
}

Queue *queue_free(Queue *q) {
        if (!q)
                return NULL;
        for (size_t i = 0; i < q->n_entries; i++)
                free(q->entries[i].lane);
        free(q->entries);
        free(q);
        return NULL;
}

void queue_set_limit(Queue *q, unsigned n_operations_max) {
        q->n_operations_max = n_operations_max > 0 ? n_operations_max : 1;
}

void queue_set_gate(Queue *q, queue_gate_t gate, void *userdata) {
        q->gate = gate;
        q->gate_userdata = userdata;
}

static const char *entry_gate(const Queue *q, const Entry *e) {
        return q->gate ? q->gate(e->id, q->gate_userdata) : NULL;
}

/* splitmix64 (Steele, Lea, Flood 2014): small, seedable, and good enough to spread waits. */
static uint64_t random_next(uint64_t *state) {
        uint64_t z = *state += 0x9e3779b97f4a7c15U;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
}

uint64_t backoff_usec(unsigned n_attempts, uint64_t random) {
        unsigned doublings = n_attempts > 0 ? n_attempts - 1 : 0;
        uint64_t most = BACKOFF_CAP_USEC;

        if (doublings < 16 && ((uint64_t) BACKOFF_BASE_USEC << doublings) < BACKOFF_CAP_USEC)
                most = (uint64_t) BACKOFF_BASE_USEC << doublings;
        return random % (most + 1);
}

static Entry *entry_find(const Queue *q, const char *id) {
        for (size_t i = 0; i < q->n_entries; i++)
                if (text_equal(q->entries[i].id, id))
                        return &q->entries[i];
        return NULL;
}

static void entry_remove(Queue *q, Entry *e) {
        size_t i = (size_t) (e - q->entries);

        free(e->lane);
        memmove(e, e + 1, (q->n_entries - i - 1) * sizeof(Entry));
        q->n_entries--;
}

static size_t count_running(const Queue *q, bool checks) {
        size_t n = 0;

        for (size_t i = 0; i < q->n_entries; i++)
                n += q->entries[i].is_running && q->entries[i].is_check == checks && !q->entries[i].is_endless;
        return n;
}

size_t queue_n_running(const Queue *q) {
        size_t n = 0;

        for (size_t i = 0; i < q->n_entries; i++)
                n += q->entries[i].is_running;
        return n;
}

size_t queue_n_waiting(const Queue *q) { return q->n_entries - queue_n_running(q); }

int queue_offer(Queue *q, const char *id, const char *lane, bool is_check, unsigned n_attempts,
                uint64_t due_usec, bool is_running) {
        Entry entry = {.is_check = is_check,
                       .n_attempts = n_attempts,
                       .due_usec = due_usec,
                       .is_running = is_running,
                       .has_begun = is_running || n_attempts > 0};
        size_t length = strlen(id);
        int r;

        assert(length < UUID_TEXT_SIZE);
        if (entry_find(q, id))
                return -EEXIST;
        if (!is_running && queue_n_waiting(q) >= OPERATIONS_WAITING_MAX)
                return -ENOBUFS;
        r = array_grow(&q->entries, &q->capacity, q->n_entries + 1, sizeof(Entry));
        if (r < 0)
                return r;
        memcpy(entry.id, id, length + 1);
        entry.lane = strdup(lane);
        if (!entry.lane)
                return -ENOMEM;
        q->entries[q->n_entries++] = entry;
        return 0;
}

/* One at a time per lane, in the order of arrival: one that waits for its next attempt keeps its place,
 * since a later run of the same pair would only meet the same trouble. One that waits at the gate may be passed,
 * unless it has a scan to go on with. */
static bool lane_is_taken(const Queue *q, const Entry *e) {
        for (const Entry *other = q->entries; other < q->entries + q->n_entries; other++)
                if (other != e && other->is_check == e->is_check && (other->is_running || other < e) &&
                    text_equal(other->lane, e->lane) &&
                    (other->is_running || other->has_begun || !entry_gate(q, other)))
                        return true;
        return false;
}

static bool limit_is_reached(const Queue *q, const Entry *e) {
        return !e->is_endless && count_running(q, e->is_check) >= (e->is_check ? QUEUE_CHECKS_MAX : q->n_operations_max);
}

static const char *entry_waiting_for(const Queue *q, const Entry *e, uint64_t now_usec) {
        if (e->is_running)
                return NULL;
        if (e->due_usec > now_usec)
                return "attempt";
        if (lane_is_taken(q, e))
                return "pair";
        return limit_is_reached(q, e) ? "worker" : entry_gate(q, e);
}

const char *queue_waiting_for(const Queue *q, const char *id, uint64_t now_usec) {
        const Entry *e = entry_find(q, id);

        return e ? entry_waiting_for(q, e, now_usec) : NULL;
}

int queue_next(Queue *q, uint64_t now_usec, char *ret_id) {
        for (Entry *e = q->entries; e < q->entries + q->n_entries; e++) {
                if (e->is_running || entry_waiting_for(q, e, now_usec))
                        continue;
                e->is_running = true;
                e->n_attempts++;
                e->has_begun = true;
                memcpy(ret_id, e->id, sizeof(e->id));
                return 1;
        }
        return 0;
}

uint64_t queue_wake_usec(const Queue *q, uint64_t now_usec) {
        uint64_t wake = UINT64_MAX;

        for (const Entry *e = q->entries; e < q->entries + q->n_entries; e++)
                if (!e->is_running && e->due_usec > now_usec && e->due_usec < wake)
                        wake = e->due_usec;
        return wake;
}

static uint64_t retry_due(Queue *q, Entry *e, QueueOutcome outcome, uint64_t now_usec) {
        if (outcome == QUEUE_OUTCOME_CLOSED) {
                e->n_attempts -= e->n_attempts > 0;
                return now_usec; /* the gate knows when */
        }
        e->n_lost = outcome == QUEUE_OUTCOME_LOST ? e->n_lost + 1 : 0;
        if (outcome == QUEUE_OUTCOME_LOST && e->n_lost <= LOST_AT_ONCE_MAX)
                return now_usec;
        return now_usec + backoff_usec(e->n_attempts, random_next(&q->random));
}

QueueDecision queue_ended(Queue *q, const char *id, QueueOutcome outcome, uint64_t now_usec,
                          uint64_t *ret_due_usec) {
        Entry *e = entry_find(q, id);

        if (!e)
                return QUEUE_FORGET;
        if (outcome == QUEUE_OUTCOME_FINAL || (e->n_attempts >= ATTEMPTS_MAX && outcome != QUEUE_OUTCOME_CLOSED)) {
                entry_remove(q, e);
                return outcome == QUEUE_OUTCOME_FINAL ? QUEUE_FORGET : QUEUE_GIVE_UP;
        }
        e->due_usec = retry_due(q, e, outcome, now_usec);
        *ret_due_usec = e->due_usec;
        return QUEUE_RETRY;
}

void queue_release(Queue *q, const char *id) {
        Entry *e = entry_find(q, id);

        if (e)
                e->is_running = false;
}

int queue_cancel(Queue *q, const char *id) {
        Entry *e = entry_find(q, id);

        if (!e)
                return -ENOENT;
        if (e->is_running)
                return 0;
        entry_remove(q, e);
        return 1;
}

void queue_note_begun(Queue *q, const char *id) {
        Entry *e = entry_find(q, id);

        if (e)
                e->has_begun = true;
}

void queue_note_endless(Queue *q, const char *id) {
        Entry *e = entry_find(q, id);

        if (e)
                e->is_endless = true;
}

void queue_note_progress(Queue *q, const char *id) {
        Entry *e = entry_find(q, id);

        if (e)
                e->n_attempts = e->n_lost = 0;
}

bool queue_is_running(const Queue *q, const char *id) {
        const Entry *e = entry_find(q, id);

        return e && e->is_running;
}

bool queue_has(const Queue *q, const char *id) { return entry_find(q, id); }

unsigned queue_n_attempts(const Queue *q, const char *id) {
        const Entry *e = entry_find(q, id);

        return e ? e->n_attempts : 0;
}
