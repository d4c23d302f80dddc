/* SPDX-License-Identifier: Apache-2.0 */
/* What holds an operation back that the queue would start: the hours of its systems, and how many connections they allow. Asked anew each time,
 * by the clock on the wall, so a clock that is set or summer time makes nothing wrong. */
#include "basic/text.h"
#include "basic/timestamp.h"
#include "config/opening.h"
#include "model/guard.h"
#include "syncd/syncd.h"

#define LOOK_AGAIN_USEC (600ULL * 1000U * 1000U) /* meanwhile somebody may have set the clock */

static bool hours_are_allowed(const Operation *o) {
        const json_t *item;
        size_t i;

        json_array_foreach(json_object_get(o->parameters, "allow"), i, item)
                if (guard_from_string(json_string_value(item)) == GUARD_HOURS)
                        return true;
        return false;
}

/* Of runs only: a check reads a little, and nobody waits for a night to have it. */
static const Pair *pair_with_hours(const Syncd *s, const Operation *o) {
        return operation_kind_is_check(o->kind) || hours_are_allowed(o) ? NULL : pairs_find(s->pairs, o->sync_pair_id);
}

static bool operation_uses(const Syncd *s, const Operation *o, const System *system) {
        const Pair *pair;

        if (text_starts_with(o->sync_pair_id, "system:"))
                return text_equal(o->sync_pair_id + strlen("system:"), system->name);
        pair = pairs_find(s->pairs, o->sync_pair_id);
        return pair && (text_equal(pair->source, system->name) || text_equal(pair->target, system->name));
}

static bool system_is_full(const Syncd *s, const System *system) {
        unsigned n = 0;

        if (!system || system->connections_max == 0)
                return false;
        for (const Live *live = s->live.first; live; live = live->next)
                n += live->operation->status == OPERATION_RUNNING && operation_uses(s, live->operation, system);
        return n >= system->connections_max;
}

static bool systems_are_full(const Syncd *s, const Operation *o) {
        for (size_t i = 0; i < s->settings->n_systems; i++)
                if (operation_uses(s, o, s->settings->systems[i]) && system_is_full(s, s->settings->systems[i]))
                        return true;
        return false;
}

const char *gate_of(const char *operation_id, void *syncd) {
        const Syncd *s = syncd;
        const Live *live = live_find(&s->live, operation_id);
        const Pair *pair;

        if (!live || !s->pairs)
                return NULL;
        if (s->refused.id != ERROR_NONE)
                return "configuration";
        pair = pair_with_hours(s, live->operation);
        if (pair && !pair_is_open(s->settings, pair, timestamp_now()))
                return "hours";
        return systems_are_full(s, live->operation) ? "connections" : NULL;
}

int64_t gate_opens_at(const Syncd *s, const Operation *o) {
        const Pair *pair = s->pairs ? pairs_find(s->pairs, o->sync_pair_id) : NULL;
        int64_t now = timestamp_now(), at = pair ? pair_opens_at(s->settings, pair, now) : now;

        return at < 0 ? 0 : at;
}

uint64_t gate_wake_usec(const Syncd *s, uint64_t wake_usec) {
        int64_t now = timestamp_now();

        for (const Live *live = s->pairs ? s->live.first : NULL; live; live = live->next) {
                const Pair *pair = live->operation->status == OPERATION_PENDING ? pair_with_hours(s, live->operation) : NULL;
                uint64_t wait = LOOK_AGAIN_USEC;
                int64_t at;

                if (!pair || pair_is_open(s->settings, pair, now))
                        continue;
                at = pair_opens_at(s->settings, pair, now);
                if (at >= now && (uint64_t) (at - now) < wait)
                        wait = (uint64_t) (at - now);
                if (syncd_now_usec(s) + wait < wake_usec)
                        wake_usec = syncd_now_usec(s) + wait;
        }
        return wake_usec;
}
