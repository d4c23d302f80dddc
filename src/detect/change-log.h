/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Step 1 of strategy log: what the log told of one entity since it was last applied, the last word of each key only. Rows that were told whole are
 * compared with the baseline as a scan's are; what was not told whole, or hangs on other tables, is read by key. In the worker. */
#include "connect/source-log.h"
#include "detect/detect.h"

typedef struct ChangeLog ChangeLog;

/* The plan's pair, mapping, entity, make_key, batch_records and deliver_unchanged are looked at; it must outlive the change log. */
_must_check_ int change_log_new(const DetectPlan *plan, ChangeLog **ret, Error *error);
ChangeLog *change_log_free(ChangeLog *l);
DEFINE_CLEANUP(ChangeLog, change_log_free)
/* LOG_CHANGED, LOG_GONE, LOG_REREAD or LOG_JOINED; values are copied. */
_must_check_ int change_log_put(ChangeLog *l, const LogEvent *event, Error *error);
/* The same for a key that is to be read again: a change that came back with `again`. */
_must_check_ int change_log_put_again(ChangeLog *l, const Value *values, Error *error);
uint64_t change_log_bytes(const ChangeLog *l);
size_t change_log_records(const ChangeLog *l);

/* Before what was put is taken: whom the joined tables' changes concern is looked up. 1: so many that a whole compare costs less. */
_must_check_ int change_log_begin(ChangeLog *l, LogStream *stream, size_t mapping, Error *error);
/* Fills the batch like detect_next() (arena and counters are reset). group_batch: baseline rows of this batch and later ones are counted already; 0: none.
 * 1: there may be more, 0: that was the last. */
_must_check_ int change_log_next(ChangeLog *l, LogStream *stream, size_t mapping, uint64_t group_batch, Batch *batch, Error *error);
/* After that: keys that are gone and still in the baseline, up to n of them, borrowed until change_log_clear(); n of them: there may be more. */
_must_check_ int change_log_gone(ChangeLog *l, Key *ret_keys, BaselineRow *ret_rows, size_t n, size_t *ret_n, Error *error);
/* How many change_log_gone() would give at most. */
size_t change_log_count_gone(const ChangeLog *l);
void change_log_clear(ChangeLog *l);
