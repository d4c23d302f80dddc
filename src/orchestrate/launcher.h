/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Starts one worker process per operation and tells how it ended: as a child process, or as a systemd unit
 * of its own. In syncd. Workers outlive syncd; those of an earlier syncd are taken over by their pidfd. */
#include "basic/alloc.h"
#include "basic/error.h"
#include "orchestrate/system-manager.h"
#include <systemd/sd-event.h>

typedef struct Launcher Launcher;

/* exit_status: 0 … 255, or -1 where unknown (killed, or a process that was not ours to wait for). cause: how
 * its unit or process died (ERROR_WORKER_LOST), or why systemd refused to start it; NULL where it ended by
 * itself or nothing is known. Called from the loop, never from within launcher_start(). id and cause are valid
 * during the call only. */
typedef void (*launcher_ended_t)(const char *operation_id, int exit_status, const Error *cause, void *userdata);
/* Workers can be started (again). */
typedef void (*launcher_ready_t)(void *userdata);

/* worker: path of the program. Needs SIGCHLD blocked. */
_must_check_ int launcher_new_child(sd_event *event, const char *worker, launcher_ended_t ended,
                                    void *userdata, Launcher **ret);
/* Starts terrafusion-operation@ID.service through systemd, which is borrowed. -ENOMEM. */
_must_check_ int launcher_new_unit(sd_event *event, SystemManager *systemd, launcher_ended_t ended,
                                   launcher_ready_t ready, void *userdata, Launcher **ret);
/* Stops watching; running workers go on. */
Launcher *launcher_free(Launcher *l);
DEFINE_CLEANUP(Launcher, launcher_free)

/* Can workers be started now? Not while systemd is away; ready is called when it is back. */
bool launcher_is_ready(const Launcher *l);
/* Workers are units: those of an earlier syncd are found by their unit, also without a pidfd. */
bool launcher_has_units(const Launcher *l);
/* ERROR_ALREADY_RUNNING; ERROR_CONFIGURATION where the program is not there; ERROR_OUT_OF_MEMORY. With units
 * a refusal comes later, as an end with its cause. */
_must_check_ int launcher_start(Launcher *l, const char *operation_id, Error *error);
/* Watches a worker that an earlier syncd started; takes pidfd over on success. With units pidfd may be -EBADF,
 * and a worker that is none any more is told as ended soon. */
_must_check_ int launcher_adopt(Launcher *l, const char *operation_id, int pidfd, Error *error);
/* Asks the worker to stop between two batches (SIGTERM). -ESRCH: none of that id runs. */
int launcher_stop(Launcher *l, const char *operation_id);
bool launcher_is_running(const Launcher *l, const char *operation_id);
size_t launcher_n_running(const Launcher *l);
