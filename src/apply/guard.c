/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/guard.h"

#include <inttypes.h>

uint64_t guard_limit_allows(const GuardLimit *limit, uint64_t n_base) {
        uint64_t allowed;

        if (!limit->is_percent)
                return limit->amount;
        /* In 128 bits: basis points of any table fit. */
        allowed = (uint64_t) ((unsigned __int128) n_base * limit->amount / 10000);
        return allowed > 0 ? allowed : 1;
}

static int guard_trip(GuardId guard, Error *error, const char *remedy, const char *detail) {
        _cleanup_free_ char *whole = NULL;

        if (asprintf(&whole, "%s To go on in spite of it: terrafusionctl run PAIR --allow %s.", remedy,
                     guard_to_string(guard)) < 0)
                whole = NULL;
        return error_set(error, ERROR_GUARD, whole, "Guard '%s': %s", guard_to_string(guard), detail);
}

static int guard_limit_check(const Guards *g, GuardId guard, const GuardLimit *limit, const char *entity,
                             const char *what, uint64_t n, uint64_t n_base, const char *remedy,
                             Error *error) {
        uint64_t allowed = guard_limit_allows(limit, n_base);
        _cleanup_free_ char *detail = NULL;

        if (g->allowed[guard] || n <= allowed)
                return 0;
        if (asprintf(&detail,
                     "entity '%s' would have %" PRIu64 " %s of %" PRIu64 " records, %" PRIu64
                     " are allowed.",
                     entity, n, what, n_base, allowed) < 0)
                return error_set(error, ERROR_GUARD, remedy, "Guard '%s' tripped", guard_to_string(guard));
        return guard_trip(guard, error, remedy, detail);
}

int guard_deletes(const Guards *g, const char *entity, uint64_t n_deletes, uint64_t n_base, Error *error) {
        return guard_limit_check(g, GUARD_MAX_DELETES, &g->pair->max_deletes, entity, "deletes", n_deletes,
                                 n_base, "Look whether the source is whole and the right one.", error);
}

int guard_changes(const Guards *g, const char *entity, uint64_t n_changes, uint64_t n_base, Error *error) {
        return guard_limit_check(g, GUARD_MAX_CHANGES, &g->pair->max_changes, entity, "changes", n_changes,
                                 n_base, "Look whether the source or the mapping changed as meant.", error);
}

int guard_errors(const Guards *g, const char *entity, uint64_t n_held, uint64_t n_base, Error *error) {
        return guard_limit_check(
                g, GUARD_MAX_ERRORS, &g->pair->max_errors, entity, "records held in quarantine", n_held,
                n_base,
                "Look at the findings (terrafusionctl quarantine) and mend the mapping or the source.",
                error);
}

int guard_empty_source(const Guards *g, const char *entity, uint64_t n_read, uint64_t n_baseline,
                       Error *error) {
        _cleanup_free_ char *detail = NULL;

        if (g->allowed[GUARD_EMPTY_SOURCE] || n_read > 0 || n_baseline == 0)
                return 0;
        if (asprintf(&detail, "the source of entity '%s' has no records, it had %" PRIu64 ".", entity,
                     n_baseline) < 0)
                return error_set(error, ERROR_GUARD, NULL, "Guard 'empty_source' tripped");
        return guard_trip(GUARD_EMPTY_SOURCE, error, "Look whether the source is whole and the right one.",
                          detail);
}

int guard_first_write(const Guards *g, const char *entity, uint64_t n_target, Error *error) {
        _cleanup_free_ char *detail = NULL;

        if (g->allowed[GUARD_FIRST_WRITE] || n_target == 0)
                return 0;
        if (asprintf(&detail,
                     "entity '%s' was never synced, and its target table holds %" PRIu64 " records already.",
                     entity, n_target) < 0)
                return error_set(error, ERROR_GUARD, NULL, "Guard 'first_write' tripped");
        return guard_trip(
                GUARD_FIRST_WRITE, error,
                "Look whether it is the right target; records with the same key will be overwritten.",
                detail);
}
