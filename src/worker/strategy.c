/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/strategy.h"

#include "basic/json.h"
#include "basic/log.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "detect/watermark.h"
#include "worker/tell.h"

#include <errno.h>

static int no_memory(const EntityRun *e, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for entity '%s'", e->m->entity);
}

bool strategy_needs_full(const EntityRun *e, const Checkpoint *c) {
        if (e->mark && e->mark->reread_until == LOG_SCAN_PENDING)
                return true;
        if (e->run->operation->kind == OPERATION_FULL || e->m->strategy == DETECT_FULL || c->full_at == 0)
                return true;
        if (!text_equal(c->mapping_hash, e->run->pair->content_hash_text) || e->schema.refill)
                return true;
        if ((e->m->strategy == DETECT_LOG && !e->mark) || (e->m->strategy == DETECT_FEED && !c->changes_from))
                return true;
        return e->m->sweep_usec > 0 && timestamp_now() - c->full_at > (int64_t) e->m->sweep_usec;
}

bool strategy_sweeps_keys(const EntityRun *e, const Checkpoint *c) {
        return e->m->sweeps_keys && (e->m->sweep_keys_usec == 0 ||
                                     timestamp_now() - c->keys_at > (int64_t) e->m->sweep_keys_usec);
}

static int low_widen(EntityRun *e, Error *error) {
        int64_t hours = json_member_integer(e->run->operation->parameters, "hours", 0);
        _cleanup_arena_ Arena *arena = NULL;
        Value low;

        if (hours <= 0 || !e->low)
                return 0;
        if (arena_new(&arena) < 0 || watermark_from_hex(e->low, arena, &low) < 0 ||
            watermark_widen(&low, hours, timestamp_now(), arena) < 0)
                return no_memory(e, error);
        free(e->low);
        e->low = watermark_to_hex(&low);
        return e->low ? 0 : no_memory(e, error);
}

/* What has no stamp above those that were read would be missed for ever. */
static int low_look_back(EntityRun *e, const Value *high, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        Value low;

        if (e->full || !e->low)
                return 0;
        if (arena_new(&arena) < 0 || watermark_from_hex(e->low, arena, &low) < 0)
                return no_memory(e, error);
        if (watermark_went_back(&low, high)) {
                e->full = true;
                tell_clock_stepped(e);
        }
        return 0;
}

/* The horizon is proved before the snapshot that reads the rows is taken: the other order loses rows (algorithms.md, 8). */
static int watermark_begin(EntityRun *e, const Checkpoint *c, Error *error) {
        Value high;
        int r;

        if (c->low && !(e->low = strdup(c->low)))
                return no_memory(e, error);
        r = connection_horizon(e->run->source, e->m, &high, error);
        if (r < 0)
                return r;
        e->high = watermark_to_hex(&high);
        if (!e->high)
                return no_memory(e, error);
        tell_horizon(e);
        r = low_look_back(e, &high, error);
        if (r >= 0)
                r = low_widen(e, error);
        if (r >= 0 && e->full)
                e->scope = READ_ALL;
        return r;
}

/* Of content, of the system's options, which say how it is read, and of the mapping, whose variables may say which of it counts. */
static int content_take(EntityRun *e, char **ret, Error *error) {
        const System *source = settings_system(e->run->settings, e->run->pair->source);
        _cleanup_free_ char *options = source ? json_dumps(source->options, JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
        char hex[DIGEST_SIZE * 2 + 1], options_hex[DIGEST_SIZE * 2 + 1];
        Digest digest;
        int r;

        r = connection_content_digest(e->run->source, e->m, &digest, error);
        if (r < 0)
                return r;
        hex_encode(digest.bytes, DIGEST_SIZE, hex);
        bytes_digest(options ? options : "", options ? strlen(options) : 0, &digest);
        hex_encode(digest.bytes, DIGEST_SIZE, options_hex);
        if (asprintf(ret, "%s-%s-%s", hex, options_hex, e->run->pair->content_hash_text) < 0) {
                *ret = NULL;
                return no_memory(e, error);
        }
        return 0;
}

static int file_begin(EntityRun *e, const Checkpoint *c, Error *error) {
        int r;

        r = content_take(e, &e->content, error);
        if (r < 0)
                return r;
        if (!e->full && text_equal(e->content, c->content))
                e->unchanged = e->scan_end = true;
        else
                e->full = true;
        return 0;
}

/* Without ranges that were summed up before, none can be found equal. */
static int digest_begin(EntityRun *e, Error *error) {
        StoredRange *known = NULL;
        size_t n_known = 0;
        int r;

        r = ranges_load(e->progress, false, &known, &n_known, error);
        if (r < 0)
                return r;
        stored_ranges_free(known, n_known);
        e->full = e->full || n_known == 0;
        e->scope = READ_RANGES;
        return 0;
}

static int changes_begin(EntityRun *e, const Checkpoint *c, Error *error) {
        if (e->full)
                return 0;
        e->scope = READ_CHANGES;
        e->position = strdup(c->changes_from);
        return e->position ? 0 : no_memory(e, error);
}

int strategy_begin(EntityRun *e, const Checkpoint *c, Error *error) {
        e->full = strategy_needs_full(e, c);
        e->scope = READ_ALL;
        e->sweeps_keys = strategy_sweeps_keys(e, c);
        switch (e->m->strategy) {
        case DETECT_WATERMARK:
                e->scope = e->full ? READ_ALL : READ_WATERMARK;
                return watermark_begin(e, c, error);
        case DETECT_FILE:
                return file_begin(e, c, error);
        case DETECT_DIGEST:
                return digest_begin(e, error);
        case DETECT_FEED:
                return changes_begin(e, c, error);
        default:
                return 0;
        }
}

int strategy_repair(EntityRun *e, const Error *cause, Error *error) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s has diverged from its source: %s. Every record is compared in this run.",
                     e->m->entity, cause->detail ? cause->detail : error_title(cause->id)) < 0)
                text = NULL;
        log_event(LOG_WARNING, MESSAGE_DIVERGED, text ? text : "An entity has diverged from its source.", "ENTITY",
                  e->m->entity, NULL);
        e->scope = e->m->strategy == DETECT_DIGEST ? READ_RANGES : READ_ALL;
        e->full = e->diverged = true;
        return entity_restart_scan(e, error);
}

/* Content that was the same before and after the scan is what the scan read. Where a record is held, or a delete was withheld, it has to
 * be met again. */
static int file_finish(EntityRun *e, Checkpoint *c, Error *error) {
        _cleanup_free_ char *content = NULL;
        int r;

        if (e->unchanged)
                return 0;
        c->content = NULL;
        if (!e->content || e->has_quarantine || e->doubts_ranges)
                return 0;
        r = content_take(e, &content, error);
        if (r >= 0 && text_equal(content, e->content))
                c->content = e->content;
        return r;
}

int strategy_finish(EntityRun *e, Checkpoint *c, Error *error) {
        return e->m->strategy == DETECT_FILE ? file_finish(e, c, error) : 0;
}
