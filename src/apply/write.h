/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Step 7: one target transaction per batch, where the target has transactions. In the worker. */
#include "connect/connector.h"

/* Writes the batch's INSERT, UPDATE and DELETE changes and commits. 0: all of it is committed.
 * n > 0: the target refused n records; nothing is committed, and these are CHANGE_HELD with a finding "target_refused": the rest can be tried again.
 * Any other failure: the transaction is rolled back (or, after a failed commit, its fate is for settling to find out).
 * At a target without CONNECTOR_TRANSACTS all but those n are written; after any other failure each record is there or not, which settling finds out. */
_must_check_ int write_batch(Connection *target, Writer *writer, Batch *batch, Error *error);
/* Holds a change that the target refused: CHANGE_HELD with a finding "target_refused" of what it said. -ENOMEM. */
_must_check_ int change_refuse(Batch *batch, Change *change, const Error *refusal);
/* How many changes of the batch the target has to be told. */
size_t batch_count_writes(const Batch *batch);
