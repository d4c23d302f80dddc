/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the log from where the entities are, and gathers it into groups: as many transactions as are there at once, so that a group
 * is as small as the source is quiet and as large as we are slow. A transaction that does not fit is applied in parts. */
#include "worker/follow.h"

#include "basic/limits.h"
#include "basic/timestamp.h"
#include "transform/transform.h"
#include "validate/validate.h"

#define WAIT_MSEC  200U
#define PART_MSEC  20U                 /* until the rest of a transaction comes */
#define CHECK_USEC 250000
#define SAVE_USEC  (1 * 1000000)       /* how often a place that moved without changes is recorded */
#define TELL_USEC  1000000
#define WATCH_USEC (60LL * 1000000)
#define WINDOW_USEC (3600LL * 1000000)

static int followed_begin(Follow *f, Followed *one, EntityRun *e, Error *error) {
        int r;

        one->e = e;
        if (e->m) /* it was scanned; what it needed for that is made anew */
                entity_done(e);
        e->mark = &one->mark;
        r = entity_begin_log(e, f->run, one->m, error);
        if (r < 0)
                return r;
        one->detect = (DetectPlan){
                .source = f->run->source,
                .pair = f->run->pair,
                .mapping = one->m,
                .entity = e->progress,
                .make_key = transform_keys,
                .batch_records = f->run->batch_records,
                .deliver_unchanged = true,
                .held = progress_database(f->run->progress),
        };
        r = change_log_new(&one->detect, &one->changes, error);
        return r < 0 ? r : change_log_new(&one->detect, &one->again, error);
}

static int entities_begin(Follow *f, EntityRun *entities, Error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n_entities; i++) {
                Followed *one = f->entities + i;

                if (one->is_run)
                        r = followed_begin(f, one, entities + (one->m - f->run->pair->mappings), error);
        }
        return r;
}

/* ---- gathering ---- */

static int event_gather(Follow *f, const LogEvent *event, Error *error) {
        Followed *one = f->entities + event->mapping;
        LogEvent told = *event;

        if (!one->is_run || log_position_compare(event->position, one->mark.position) <= 0)
                return 0;
        if (event->kind == LOG_TRUNCATED) {
                one->compare = true;
                change_log_clear(one->changes); /* whatever was there is gone, what comes after it is found by the scan, too */
                return 0;
        }
        /* A scan may have read later values than these. */
        if (event->position.lsn < one->mark.reread_until && event->kind != LOG_JOINED)
                told.kind = LOG_REREAD;
        return change_log_put(one->changes, &told, error);
}

static uint64_t gathered(const Follow *f, size_t *ret_records) {
        uint64_t bytes = 0;

        *ret_records = 0;
        for (size_t i = 0; i < f->n_entities; i++) {
                if (!f->entities[i].is_run)
                        continue;
                bytes += change_log_bytes(f->entities[i].changes);
                *ret_records += change_log_records(f->entities[i].changes) + f->entities[i].compare;
        }
        return bytes;
}

static bool group_is_full(const Follow *f) {
        size_t n_max = f->run->batch_records > 0 ? f->run->batch_records : BATCH_RECORDS_MAX, n;
        uint64_t bytes = gathered(f, &n);

        return bytes >= BATCH_BYTES || n >= n_max;
}

/* What was applied of a group before a crash is read again as a whole. */
static bool group_may_end(const Follow *f) {
        for (size_t i = 0; i < f->n_entities; i++)
                if (f->entities[i].is_run && log_position_compare(f->told, f->entities[i].mark.replay_until) < 0)
                        return false;
        return true;
}

static int group_end(Follow *f, Error *error) {
        size_t n;

        if (!group_may_end(f))
                return 0;
        (void) gathered(f, &n);
        return n > 0 ? group_apply(f, error) : 0;
}

/* ---- the loop ---- */

/* Guards of an operation that never ends count what one hour changes. */
static void guards_renew(Follow *f) {
        for (size_t i = 0; i < f->n_entities; i++) {
                EntityRun *e = f->entities[i].e;
                uint64_t n_baseline;

                if (!f->entities[i].is_run)
                        continue;
                e->counted = *entity_result(e);
                n_baseline = baseline_count(e->progress);
                e->n_base = n_baseline;
                e->first_load = n_baseline == 0;
        }
}

static int chores(Follow *f, Error *error) {
        int64_t now = timestamp_now();
        int r = 0;

        if (now - f->checked_usec >= CHECK_USEC || now < f->checked_usec) {
                f->checked_usec = now;
                r = run_check_stop(f->run, error);
        }
        if (r >= 0 && (now - f->told_usec >= TELL_USEC || now < f->told_usec)) {
                f->told_usec = now;
                r = follow_tell(f, error);
        }
        if (r >= 0 && f->end_lsn == 0 && (now - f->window_usec >= WINDOW_USEC || now < f->window_usec)) {
                f->window_usec = now;
                guards_renew(f);
        }
        if (r >= 0 && (now - f->guarded_usec >= WATCH_USEC || now < f->guarded_usec)) {
                f->guarded_usec = now;
                r = slot_watch(f, error);
        }
        return r;
}

/* Nothing came: what was gathered is applied; else the place is recorded now and then, so that the source can let go of its log. */
static int idle(Follow *f, bool in_transaction, Error *error) {
        uint64_t reached = source_log_reached(f->stream);
        size_t n;
        int r;

        if (in_transaction)
                return 0;
        r = group_end(f, error);
        if (r < 0)
                return r;
        (void) gathered(f, &n);
        if (n == 0 && reached > f->told.lsn)
                f->told = (LogPosition){reached, 0};
        return timestamp_now() - f->saved_usec >= SAVE_USEC && group_may_end(f) ? follow_save(f, error) : 0;
}

static int stream_step(Follow *f, bool *in_transaction, Error *error) {
        LogEvent event;
        size_t n;
        int r;

        (void) gathered(f, &n);
        r = source_log_next(f->stream, n == 0 ? WAIT_MSEC : *in_transaction ? PART_MSEC : 0, &event, error);
        if (r < 0)
                return r;
        if (event.kind == LOG_IDLE)
                return idle(f, *in_transaction, error);
        *in_transaction = event.kind != LOG_COMMITTED;
        if (*in_transaction) {
                r = event_gather(f, &event, error);
                if (r < 0)
                        return r;
        }
        if (event.more)
                return 0;
        if (log_position_compare(event.position, f->told) > 0)
                f->told = event.position;
        if (event.kind == LOG_COMMITTED)
                follow_committed(f, event.commit_usec);
        return group_is_full(f) ? group_end(f, error) : 0;
}

static bool is_finished(const Follow *f) {
        return f->end_lsn > 0 && f->told.lsn >= f->end_lsn && group_may_end(f);
}

static int stream_loop(Follow *f, Error *error) {
        bool in_transaction = false;
        int r;

        for (;;) {
                r = chores(f, error);
                if (r < 0)
                        return r;
                if (!in_transaction && is_finished(f))
                        break;
                r = stream_step(f, &in_transaction, error);
                if (r < 0)
                        return r;
        }
        r = group_end(f, error);
        return r < 0 ? r : follow_save(f, error);
}

int follow_run(Follow *f, EntityRun *entities, Error *error) {
        int r;

        if (!f)
                return 0;
        source_log_release(f->run->source);
        r = entities_begin(f, entities, error);
        if (r >= 0)
                r = follow_times_new(f, error);
        if (r >= 0 && f->run->operation->kind != OPERATION_CONTINUOUS)
                r = source_log_now(f->run->source, &f->end_lsn, error);
        if (r >= 0)
                r = stream_loop(f, error);
        for (size_t i = 0; r >= 0 && i < f->n_entities; i++)
                if (f->entities[i].is_run)
                        r = entity_finish_log(f->entities[i].e, error);
        return r;
}
