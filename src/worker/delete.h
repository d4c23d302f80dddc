/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The deletes of one entity: baseline rows whose records are gone from the source. In the worker.
 * Which rows those are, depends on what the scan met: after a whole scan, or a sweep of all keys, every row without a mark; after
 * a scan of ranges, rows without a mark whose keys lie in them; after log or feed, rows that they marked. */
#include "worker/entity.h"

/* After the scans of all entities, children before parents. Sweeps the source's keys first where that is due. */
_must_check_ int delete_entity(EntityRun *e, Error *error);
/* After a scan of ranges, with its detector: notes where deletes may be. Where the ranges' bounds are not the mapping's key, a sweep
 * has to find them. */
_must_check_ int delete_ranges(EntityRun *e, Detector *detector, Error *error);
