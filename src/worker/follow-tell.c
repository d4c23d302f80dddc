/* SPDX-License-Identifier: Apache-2.0 */
/* How far behind the source the target is: from a transaction's commit there, by the source's clock, to its commit here. */
#include "worker/follow.h"

#include "basic/timestamp.h"

#define PROGRESS_USEC 2000000 /* an attempt that lived so long and applied something got somewhere */

int follow_times_new(Follow *f, Error *error) {
        f->commits = calloc(FOLLOW_COMMITS_MAX, sizeof(*f->commits));
        f->delays = calloc(FOLLOW_COMMITS_MAX, sizeof(*f->delays));
        f->begun_usec = f->window_usec = timestamp_now();
        if (f->commits && f->delays)
                return 0;
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to follow the log of pair '%s'", f->run->pair->name);
}

/* Of a group of more transactions the last ones count. */
void follow_committed(Follow *f, int64_t commit_usec) {
        if (f->n_commits == FOLLOW_COMMITS_MAX)
                f->n_commits = 0;
        f->commits[f->n_commits++] = commit_usec;
}

void follow_applied(Follow *f) {
        int64_t now = timestamp_now();

        for (size_t i = 0; i < f->n_commits; i++) {
                f->delays[f->delay_at] = now > f->commits[i] ? now - f->commits[i] : 0;
                f->delay_at = (f->delay_at + 1) % FOLLOW_COMMITS_MAX;
                if (f->n_delays < FOLLOW_COMMITS_MAX)
                        f->n_delays++;
        }
        f->n_commits = 0;
}

static int delays_compare(const void *a, const void *b) {
        int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

        return x < y ? -1 : x > y;
}

/* What an attempt got done does not count against the operation: one that runs for months dies now and then. */
static int progress_note(Follow *f, Error *error) {
        if (f->has_progress || f->n_delays == 0 || timestamp_now() - f->begun_usec < PROGRESS_USEC ||
            f->run->operation->kind != OPERATION_CONTINUOUS)
                return 0;
        f->has_progress = true;
        return operation_attempt_forgive(f->run->state, f->run->operation->id, error);
}

int follow_tell(Follow *f, Error *error) {
        _cleanup_free_ int64_t *sorted = malloc(FOLLOW_COMMITS_MAX * sizeof(*sorted));
        size_t last = (f->delay_at + FOLLOW_COMMITS_MAX - 1) % FOLLOW_COMMITS_MAX;
        LogHint hint = {.position = f->told, .retained_bytes = f->retained_bytes};
        int r;

        r = progress_note(f, error);
        if (r < 0)
                return r;
        if (sorted && f->n_delays > 0) {
                (void) memcpy(sorted, f->delays, f->n_delays * sizeof(*sorted));
                qsort(sorted, f->n_delays, sizeof(*sorted), delays_compare);
                hint.lag_usec = f->delays[last];
                hint.p50_usec = sorted[f->n_delays / 2];
                hint.p99_usec = sorted[f->n_delays * 99 / 100];
        }
        hint.progress = f->has_progress;
        hint_log(f->run, &hint);
        for (size_t i = 0; i < f->n_entities; i++)
                if (f->entities[i].is_run)
                        hint_send(f->run, f->entities[i].m->entity, 0);
        return 0;
}
