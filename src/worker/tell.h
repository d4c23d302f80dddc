/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a worker tells of its operation: lines of the log, each with the operation's fields, and hints to syncd. In the worker. */
#include "worker/entity.h"

/* Every line from here on carries OPERATION_ID, SYNC_PAIR, REQUEST_ID and API_KEY_NAME, and ATTEMPT once that is known (number > 0). */
void tell_about(const Operation *operation, int64_t attempt);
void tell_begun(const Run *run, int64_t attempt);
/* Held records of a batch that is recorded: the first ones of an entity one by one, without what is in them. */
void tell_held(EntityRun *e);
/* The same of records that are written in spite of a warning; a geometry's place is told, no other value. */
void tell_warnings(EntityRun *e);
void tell_entity(const EntityRun *e);   /* it is done: its counts */
/* A transaction at the source that holds the horizon back for long (TERRAFUSION_HORIZON_HELD_SEC, for tests, says how long). */
void tell_horizon(const EntityRun *e);
void tell_clock_stepped(const EntityRun *e);
void tell_outcome(const Run *run, const Error *cause);
