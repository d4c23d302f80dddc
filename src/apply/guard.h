/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Guards: what stops a pair before it writes too much. In the worker. Pure. */
#include "basic/error.h"
#include "model/guard.h"
#include "model/pair.h"

typedef struct Guards {
        const Pair *pair;
        bool allowed[_GUARD_MAX]; /* an administrator goes on in spite of it */
} Guards;

/* How many records a limit allows. A percentage is of n_base and never below one record, or a table of seven could not lose any. */
uint64_t guard_limit_allows(const GuardLimit *limit, uint64_t n_base);
/* 0, or ERROR_GUARD with the numbers and how to go on. n_base: the larger of baseline and target. */
_must_check_ int guard_deletes(const Guards *g, const char *entity, uint64_t n_deletes, uint64_t n_base,
                               Error *error);
_must_check_ int guard_changes(const Guards *g, const char *entity, uint64_t n_changes, uint64_t n_base,
                               Error *error);
_must_check_ int guard_errors(const Guards *g, const char *entity, uint64_t n_held, uint64_t n_base,
                              Error *error);
/* n_read: what the whole scan gave; n_baseline: what it gave before. */
_must_check_ int guard_empty_source(const Guards *g, const char *entity, uint64_t n_read,
                                    uint64_t n_baseline, Error *error);
/* The first run of an entity into a table that holds records already. */
_must_check_ int guard_first_write(const Guards *g, const char *entity, uint64_t n_target, Error *error);
