/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Starts one worker process per operation and tells how it ended: as a child process, or as a systemd unit
 * of its own. In syncd. Workers outlive syncd; those of an earlier syncd are taken over by their pidfd. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <systemd/sd-event.h>

typedef struct Launcher Launcher;

/* exit_status: 0 … 255, or -1 where unknown (killed, or a process that was not ours to wait for). Called
 * from the loop, never from within launcher_start(). id is valid during the call only. */
typedef void (*launcher_ended_t)(const char *operation_id, int exit_status, void *userdata);

/* worker: path of the program. Needs SIGCHLD blocked. */
_must_check_ int launcher_new_child(sd_event *event, const char *worker, launcher_ended_t ended,
                                    void *userdata, Launcher **ret);
/* Starts terrafusion-operation@ID.service through the system manager. ERROR_SYSTEM_UNAVAILABLE where the bus
 * is not there. */
_must_check_ int launcher_new_unit(sd_event *event, launcher_ended_t ended, void *userdata, Launcher **ret,
                                   Error *error);
/* Stops watching; running workers go on. */
Launcher *launcher_free(Launcher *l);
DEFINE_CLEANUP(Launcher, launcher_free)

/* ERROR_ALREADY_RUNNING; ERROR_CONFIGURATION where the program is not there; ERROR_OUT_OF_MEMORY. With units
 * a refusal may come later, as an end with status -1. */
_must_check_ int launcher_start(Launcher *l, const char *operation_id, Error *error);
/* Watches a worker that an earlier syncd started; takes pidfd over on success. */
_must_check_ int launcher_adopt(Launcher *l, const char *operation_id, int pidfd, Error *error);
/* Asks the worker to stop between two batches (SIGTERM). -ESRCH: none of that id runs. */
int launcher_stop(Launcher *l, const char *operation_id);
bool launcher_is_running(const Launcher *l, const char *operation_id);
size_t launcher_n_running(const Launcher *l);
