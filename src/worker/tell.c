/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/tell.h"

#include "basic/limits.h"
#include "basic/log.h"
#include "basic/text.h"
#include "basic/timestamp.h"

#include <inttypes.h>

#define HELD_TOLD_MAX 20U /* of one entity and attempt; the others are counted */

void tell_about(const Operation *o, int64_t attempt) {
        _cleanup_free_ char *number = NULL;

        log_context_set("OPERATION_ID", o->id);
        log_context_set("SYNC_PAIR", o->sync_pair_id);
        log_context_set("REQUEST_ID", o->request_id && *o->request_id ? o->request_id : NULL);
        log_context_set("API_KEY_NAME", o->requested_by);
        if (text_starts_with(o->sync_pair_id, "system:"))
                log_context_set("SYSTEM", o->sync_pair_id + strlen("system:"));
        if (attempt > 0 && asprintf(&number, "%" PRId64, attempt) < 0)
                number = NULL;
        if (number)
                log_context_set("ATTEMPT", number);
}

void tell_begun(const Run *run, int64_t attempt) {
        _cleanup_free_ char *text = NULL;

        tell_about(run->operation, attempt);
        if (asprintf(&text, "Began attempt %" PRId64 " of the %s run of %s.", attempt,
                     operation_kind_to_string(run->operation->kind), run->operation->sync_pair_id) < 0)
                text = NULL;
        log_event(LOG_INFO, MESSAGE_OPERATION_STARTED, text ? text : "Began an attempt.", NULL);
}

static void tell_one(EntityRun *e, const Change *change) {
        const Finding *finding = change->findings;
        const char *key = change->key.size > 0 ? key_to_text(change->key, e->batch.arena) : NULL;
        _cleanup_free_ char *text = NULL;

        while (finding && finding->severity != FINDING_ERROR)
                finding = finding->next;
        if (!finding)
                return;
        hint_finding(e->run, e->m->entity, finding);
        if (asprintf(&text, "Held %s %s%s: %s%sbreaks \"%s\". See terrafusionctl quarantine.", e->m->entity,
                     key ? key : "", key ? "" : "without a usable key", finding->field ? finding->field : "",
                     finding->field ? " " : "", finding->rule) < 0)
                text = NULL;
        log_event(LOG_NOTICE, MESSAGE_RECORD_QUARANTINED, text ? text : "Held a record.", "ENTITY",
                  e->m->entity, NULL);
}

/* A record that goes on in spite of what was found of it. */
static void tell_warning(EntityRun *e, const Change *change, const Finding *finding) {
        const char *key = change->key.size > 0 ? key_to_text(change->key, e->batch.arena) : NULL;
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s %s: %s%s%s", e->m->entity, key ? key : "", finding->message,
                     finding->remedy ? " " : "", finding->remedy ? finding->remedy : "") < 0)
                text = NULL;
        log_event(LOG_WARNING, MESSAGE_RECORD_WARNED, text ? text : "A record has a warning.", "ENTITY", e->m->entity,
                  NULL);
}

void tell_warnings(EntityRun *e) {
        for (size_t i = 0; i < e->batch.n_changes; i++)
                for (const Finding *f = e->batch.changes[i].findings; f; f = f->next)
                        if (f->severity == FINDING_WARNING && e->batch.changes[i].kind != CHANGE_HELD &&
                            e->n_warnings++ < HELD_TOLD_MAX)
                                tell_warning(e, e->batch.changes + i, f);
}

void tell_held(EntityRun *e) {
        for (size_t i = 0; i < e->batch.n_changes; i++)
                if (e->batch.changes[i].kind == CHANGE_HELD && e->n_held++ < HELD_TOLD_MAX)
                        tell_one(e, e->batch.changes + i);
}

void tell_entity(const EntityRun *e) {
        const EntityResult *r = entity_result((EntityRun *) e);
        _cleanup_free_ char *text = NULL, *more = NULL;

        if (!r)
                return;
        if (e->n_held > HELD_TOLD_MAX &&
            asprintf(&more,
                     " %" PRIu64 " of the held ones are not told here; see terrafusionctl quarantine.",
                     e->n_held - HELD_TOLD_MAX) < 0)
                more = NULL;
        if (asprintf(&text,
                     "Finished %s: read %" PRId64 ", inserted %" PRId64 ", updated %" PRId64
                     ", deleted %" PRId64 ", unchanged %" PRId64 ", held %" PRId64 ".%s",
                     e->m->entity, r->n_read, r->n_inserted, r->n_updated, r->n_deleted, r->n_unchanged,
                     r->n_held, more ? more : "") < 0)
                text = NULL;
        log_event(LOG_INFO, MESSAGE_ENTITY_FINISHED, text ? text : "Finished an entity.", "ENTITY",
                  e->m->entity, NULL);
}

void tell_horizon(const EntityRun *e) {
        const char *limit_text = getenv("TERRAFUSION_HORIZON_HELD_SEC"), *who;
        int64_t age_usec, limit_sec = HORIZON_HELD_SEC;
        _cleanup_free_ char *text = NULL;

        if (limit_text && text_to_int64(limit_text, 0, INT32_MAX, &limit_sec) < 0)
                limit_sec = HORIZON_HELD_SEC;
        if (!connection_horizon_holder(e->run->source, &who, &age_usec) || age_usec < limit_sec * USEC_PER_SEC)
                return;
        if (asprintf(&text, "Changes of %s are read up to %" PRId64 " s ago and no further: %s has a transaction open since then. "
                     "Ask who it is, or end it with pg_terminate_backend().", e->m->entity, (int64_t) (age_usec / USEC_PER_SEC), who) < 0)
                text = NULL;
        log_event(LOG_WARNING, MESSAGE_HORIZON_HELD, text ? text : "A transaction holds a watermark back.", "ENTITY", e->m->entity,
                  "SYSTEM", e->run->pair->source, NULL);
}

void tell_clock_stepped(const EntityRun *e) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "The clock of %s, or its numbers of transactions, went back behind what was read of %s: every record is "
                     "compared. Look at the server's time service.", e->run->pair->source, e->m->entity) < 0)
                text = NULL;
        log_event(LOG_WARNING, MESSAGE_CLOCK_STEPPED, text ? text : "The clock of the source went back.", "ENTITY", e->m->entity, "SYSTEM",
                  e->run->pair->source, NULL);
}

static char *completed_text(const Operation *o) {
        int64_t n_read = 0, n_written = 0, n_held = 0,
                since = o->start_time > 0 ? o->start_time : o->created_at;
        char *text;

        for (size_t i = 0; i < o->n_results; i++) {
                n_read += o->results[i].n_read;
                n_written += o->results[i].n_inserted + o->results[i].n_updated + o->results[i].n_deleted;
                n_held += o->results[i].n_held;
        }
        if (operation_kind_is_check(o->kind))
                return asprintf(&text, "The check of %s completed.", o->sync_pair_id) < 0 ? NULL : text;
        return asprintf(&text,
                        "The %s run of %s completed after %.1f s: read %" PRId64 ", written %" PRId64
                        ", held %" PRId64 ".",
                        operation_kind_to_string(o->kind), o->sync_pair_id,
                        (double) (timestamp_now() - since) / USEC_PER_SEC, n_read, n_written, n_held) < 0
                       ? NULL
                       : text;
}

void tell_outcome(const Run *run, const Error *cause) {
        _cleanup_free_ char *why = cause ? error_to_text(cause) : completed_text(run->operation),
                            *text = NULL;
        LogId id = !cause                                            ? MESSAGE_OPERATION_FINISHED
                   : cause->id == ERROR_GUARD || cause->id == ERROR_DRIFT ? MESSAGE_GUARD_TRIPPED
                   : cause->id == ERROR_CANCELLED                    ? MESSAGE_OPERATION_FINISHED
                   : cause->id == ERROR_HOURS                        ? MESSAGE_HOURS_OVER
                   : error_class(cause->id) == ERROR_CLASS_TRANSIENT ? MESSAGE_ATTEMPT_FAILED
                                                                     : MESSAGE_OPERATION_FAILED;
        int level = id == MESSAGE_OPERATION_FINISHED || id == MESSAGE_HOURS_OVER  ? LOG_INFO
                    : id == MESSAGE_GUARD_TRIPPED || id == MESSAGE_ATTEMPT_FAILED ? LOG_WARNING
                                                                                  : LOG_ERR;

        if (!cause || !why)
                text = why ? strdup(why) : NULL;
        else if (asprintf(&text, "%s: %s",
                          id == MESSAGE_ATTEMPT_FAILED || id == MESSAGE_HOURS_OVER ? "The attempt ended early"
                          : id == MESSAGE_OPERATION_FINISHED ? "The operation ended"
                          : id == MESSAGE_GUARD_TRIPPED      ? "A guard stopped the operation"
                                                             : "The operation failed",
                          why) < 0)
                text = NULL;
        log_event(level, id, text ? text : "The operation ended.", NULL);
}
