/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Records kept out by an error finding or the target's refusal, with their findings; in the pair's own
 * file. */
#include "model/mapping.h"
#include "model/record.h"
#include "store/database.h"

/* Puts or renews the record's entry (by entity and key; without a usable key by its source digest). Inside
 * the worker's transaction. */
_must_check_ int quarantine_put(Database *d, const char *operation_id, const Mapping *m,
                                const Change *change, Error *error);
/* The record went through, or is gone: takes its entry out, if there is one. Inside the transaction. */
_must_check_ int quarantine_release(Database *d, const char *entity, Key key, Error *error);
/* 1 where the record is held, or 0. */
_must_check_ int quarantine_has(Database *d, const char *entity, Key key, Error *error);
/* When operation_id's full compare has ended: takes out the entries of the entity that it did not renew,
 * since their records are gone or were mended under another key. Only where that operation began the scan
 * itself: one that went on with another's would lose that one's. Inside the transaction. */
_must_check_ int quarantine_release_stale(Database *d, const char *entity, const char *operation_id,
                                          Error *error);
/* How many are held; entity NULL: of all. */
_must_check_ int quarantine_count(Database *d, const char *entity, uint64_t *ret, Error *error);
/* Array of {id, sync_pair_id, entity, key, operation_id, first_seen, last_seen, findings[…],
 * source{column: value}}; newest first, entity/rule may be NULL. Read-only, for syncd: `pair` names the
 * file; no file yet gives an empty array. */
_must_check_ int quarantine_list(const char *state_directory, const char *pair, const char *entity,
                                 const char *rule, unsigned limit, unsigned offset, json_t **ret,
                                 uint64_t *ret_total, Error *error);
/* One of them by its id. ERROR_NOT_FOUND. */
_must_check_ int quarantine_show(const char *state_directory, const char *pair, int64_t id, json_t **ret,
                                 Error *error);
