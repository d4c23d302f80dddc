/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Step 5: insert, update of which fields, delete, or nothing. In the worker. Pure: decides from the record and the target's present one. */
#include "model/mapping.h"
#include "model/record.h"

/* Decides an UNDECIDED change: before == NULL is an INSERT, an equal one NONE, else an UPDATE with its changed flags. Sets target_digest. The target wins nothing
 * (conflicts: source). scratch is reused between calls. -ENOMEM. */
_must_check_ int plan_change(const Mapping *m, Change *change, Arena *arena, DigestScratch *scratch);
/* Before plan_change(), of a backfill: all fields but the compared ones stay as the target has them. compared: n_fields flags. */
void plan_keep_others(const Mapping *m, Change *change, const bool *compared);
/* Makes a change for a record that is gone from the source, by the mapping's delete policy: DELETE, an UPDATE of the mark's fields, or NONE where the target has no
 * such record or is marked already. before: the target's record or NULL. -ENOMEM. */
_must_check_ int plan_delete(const Mapping *m, Change *change, Arena *arena);
