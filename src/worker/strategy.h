/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an entity's strategy asks of a run: which records its scan reads, and what it leaves to the next one. In the worker. */
#include "worker/entity.h"

/* Does an incremental run have to compare everything? Where it never did, the mapping changed, a sweep is due, or log or feed have no place to
 * go on from. */
bool strategy_needs_full(const EntityRun *e, const Checkpoint *c);
/* For a new scan: scope, full, watermarks, place. c: where the entity is. The horizon is proved, and the content digested, before
 * the snapshot that reads is taken. */
_must_check_ int strategy_begin(EntityRun *e, const Checkpoint *c, Error *error);
/* Are deletes to be looked for by reading every key, after a scan that does not read every record? */
bool strategy_sweeps_keys(const EntityRun *e, const Checkpoint *c);
/* Log or feed no longer reach back to where we are: cause tells why. The entity is diverged; the scan becomes one that compares every
 * record, and says so. */
_must_check_ int strategy_repair(EntityRun *e, const Error *cause, Error *error);
/* The scan and its deletes are done: fills in what the strategy keeps in the checkpoint. */
_must_check_ int strategy_finish(EntityRun *e, Checkpoint *c, Error *error);
