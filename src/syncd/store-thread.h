/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The one helper thread of syncd: runs queries of the state store, so that the loop never waits for a disk.
 */
#include "basic/alloc.h"
#include "basic/error.h"
#include "store/database.h"
#include <systemd/sd-event.h>

typedef struct StoreThread StoreThread;

/* Runs in the helper thread with state.db open (NULL for STORE_FILES jobs). Touches nothing but job and
 * database. */
typedef int (*store_work_t)(Database *state, void *job, Error *error);
/* Runs in the loop, once per job, with what work gave (or why it did not run). Frees the job. */
typedef void (*store_done_t)(void *job, int r, Error *error);

typedef enum StoreNeed {
        STORE_STATE,
        STORE_FILES
} StoreNeed; /* state.db, or files that the job opens itself */

/* Starts the thread; state.db is opened with the first job, and again with the next after a failure. Where the
 * store is on a server it is held for this syncd, looked after every two seconds, and opened again by itself. */
_must_check_ int store_thread_new(sd_event *event, const char *state_directory, StoreThread **ret);
/* Finishes the job that runs; those still waiting end with ERROR_UNAVAILABLE. Their done functions are
 * called. */
StoreThread *store_thread_free(StoreThread *t);
DEFINE_CLEANUP(StoreThread, store_thread_free)
/* Takes job over on success only. ERROR_UNAVAILABLE when STORE_JOBS_MAX wait; ERROR_OUT_OF_MEMORY. */
_must_check_ int store_submit(StoreThread *t, StoreNeed need, store_work_t work, store_done_t done,
                              void *job, Error *error);
size_t store_thread_n_waiting(const StoreThread *t); /* submitted and not done */
/* Why state.db could not be opened the last time; NULL while it is open. Borrowed until the loop turns. */
const char *store_thread_failure(const StoreThread *t);
