/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where the pair's entities are in their source's log, in the pair's file. In the worker. */
#include "model/log.h"
#include "store/progress.h"

/* 1 and the slot the pair reads from, or 0. */
_must_check_ int log_slot_load(Progress *p, LogSlot *ret, Error *error);
/* Inside the transaction. Another slot than the one before: no entity's place means anything any more, marks are dropped. */
_must_check_ int log_slot_save(Progress *p, const LogSlot *slot, Error *error);
/* 1 and the entity's place, or 0: it was never read from this slot. */
_must_check_ int log_mark_load(Progress *p, const char *entity, LogMark *ret, Error *error);
_must_check_ int log_mark_save(Progress *p, const char *entity, const LogMark *mark, Error *error); /* inside the transaction */
_must_check_ int log_mark_forget(Progress *p, const char *entity, Error *error); /* inside the transaction */
/* The least place of all entities: the source needs nothing older. 1, or 0 where there is none. */
_must_check_ int log_mark_least(Progress *p, uint64_t *ret_lsn, Error *error);
