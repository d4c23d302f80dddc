/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A sweep: every key of the source is read, and its baseline row marked. What stays unmarked is gone from the source. For
 * strategies that see only what was changed. In the worker. */
#include "detect/detect.h"

typedef struct Sweep Sweep;

/* Marks are those of the entity; the caller resets them before. Of the plan source, pair, mapping, entity and make_key count. */
_must_check_ int sweep_open(const DetectPlan *plan, Sweep **ret, Error *error);
Sweep *sweep_close(Sweep *s);
DEFINE_CLEANUP(Sweep, sweep_close)
/* Reads on, some ten thousand keys. 1: there are more; 0: the end. */
_must_check_ int sweep_next(Sweep *s, Error *error);
uint64_t sweep_n_read(const Sweep *s);
uint64_t sweep_n_unkeyed(const Sweep *s); /* records without a usable key: what seems gone might be theirs */
