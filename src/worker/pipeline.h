/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The way of a record, steps 1 to 8, for all entities of an operation. In the worker. */
#include "worker/entity.h"

#define DELETE_BATCH_RECORDS 2000U /* whole records are fetched for their before image */

/* Upserts of all entities, parents first; then deletes, children first. Goes on where an earlier attempt of the same operation stopped. */
_must_check_ int pipeline_run(Run *run, Error *error);

/* Steps 2 to 7 of a batch that was filled by another way than a scan; who calls records it. *ret_number: of the journalled batch, 0 where nothing had to
 * be written. */
_must_check_ int pipeline_apply(EntityRun *e, uint64_t *ret_number, Error *error);
/* The same for records that are gone: their baseline rows by key. The batch's arena is the caller's to reset. */
_must_check_ int pipeline_apply_deletes(EntityRun *e, const Key *keys, const BaselineRow *rows, size_t n_keys, uint64_t *ret_number,
                                        Error *error);
/* The whole way of one entity that was begun: its scan, its deletes, its end. */
_must_check_ int pipeline_compare(EntityRun *e, Error *error);
/* Steps that deletes have in common with all else: the present records of changes[i] under fetches[i].key, and steps 6 and 7 of the batch:
 * *ret_number is that of the journalled batch, 0 where nothing had to be written. */
_must_check_ int pipeline_fetch(EntityRun *e, Change *const *changes, RecordFetch *fetches, size_t n_fetches,
                                Error *error);
_must_check_ int pipeline_write(EntityRun *e, uint64_t *ret_number, Error *error);
