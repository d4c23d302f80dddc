/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a pair is in its source's log of changes. Plain data. */
#include <stdbool.h>
#include <stdint.h>

/* A place between two changes: everything of transactions whose commit stands before lsn, and the first n changes of the one
 * that stands at it. Transactions come in the order of their commits, so places have an order, too. */
typedef struct LogPosition { uint64_t lsn, n; } LogPosition;

static inline int log_position_compare(LogPosition a, LogPosition b) {
        if (a.lsn != b.lsn)
                return a.lsn < b.lsn ? -1 : 1;
        return a.n < b.n ? -1 : a.n > b.n;
}

/* Whose log it is: a slot of one server. After a failover or a restore the log's numbers mean something else. */
#define LOG_NAME_SIZE 64U
typedef struct LogSlot {
        char system_id[24];             /* of the cluster, digits */
        int64_t timeline;
        char name[LOG_NAME_SIZE];       /* of the slot, and of the publication */
} LogSlot;

/* How far one entity is. */
typedef struct LogMark {
        LogPosition position;           /* everything before it is at the target, or held */
        LogPosition replay_until;       /* what was applied of the group after it reaches to here: read again as a whole, or older
                                         * values would come back for a moment; zero: nothing was */
        uint64_t group_batch;           /* first batch of that group: counted already; 0: none */
        uint64_t reread_until;          /* changes before this lsn may be older than what a scan read: their keys are read anew */
} LogMark;
#define LOG_SCAN_PENDING ((uint64_t) INT64_MAX)        /* reread_until: a scan of everything has to be finished first */
