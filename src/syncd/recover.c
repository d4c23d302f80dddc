/* SPDX-License-Identifier: Apache-2.0 */
/* What syncd does first: reads which operations the store has unfinished, finds their living workers, queues
 * the others. */
#include <sys/syscall.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/text.h"
#include "store/operations.h"
#include "store/progress.h"
#include "syncd/syncd.h"

#define RETRY_STORE_USEC (1000U * 1000U) /* while the state store is away */

typedef struct Found {
        Operation *operation;
        int pidfd;
} Found;
typedef struct Recovery {
        Syncd *syncd;
        char *state_directory;
        Found *found;
        size_t n_found, capacity;
        bool has_units; /* of a worker that runs or has died, its unit tells more than the lock */
} Recovery;

static Recovery *recovery_free(Recovery *recovery) {
        if (!recovery)
                return NULL;
        for (size_t i = 0; i < recovery->n_found; i++) {
                operation_free(recovery->found[i].operation);
                if (recovery->found[i].pidfd >= 0)
                        (void) close(recovery->found[i].pidfd);
        }
        free(recovery->found);
        free(recovery->state_directory);
        free(recovery);
        return NULL;
}
DEFINE_CLEANUP(Recovery, recovery_free)

/* The lock is read again after the pid is held, since a pid alone may have passed to another process. */
static int worker_find(const char *state_directory, const Operation *o) {
        char holder[UUID_TEXT_SIZE] = "";
        _cleanup_close_ int fd = -EBADF;
        pid_t pid = 0, again = 0;

        if (progress_lock_holder(state_directory, o->sync_pair_id, &pid, holder) != 1 ||
            !text_equal(holder, o->id) || pid <= 0)
                return -ESRCH;
        fd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0 || progress_lock_holder(state_directory, o->sync_pair_id, &again, holder) != 1 ||
            again != pid || !text_equal(holder, o->id))
                return -ESRCH;
        return TAKE_FD(fd);
}

static int on_unfinished(const Operation *listed, void *userdata) {
        Recovery *recovery = userdata;
        int r;

        r = array_grow(&recovery->found, &recovery->capacity, recovery->n_found + 1, sizeof(Found));
        if (r < 0)
                return r;
        recovery->found[recovery->n_found++] = (Found){.operation = operation_new(), .pidfd = -EBADF};
        if (!recovery->found[recovery->n_found - 1].operation)
                return -ENOMEM;
        memcpy(recovery->found[recovery->n_found - 1].operation->id, listed->id, sizeof(listed->id));
        return 0;
}

static int found_fill(Database *state, const Recovery *recovery, Found *found, Error *error) {
        _cleanup_error_ Error lost = {};
        char id[UUID_TEXT_SIZE];
        int r;

        memcpy(id, found->operation->id, sizeof(id));
        operation_free(TAKE_PTR(found->operation));
        r = operation_load(state, id, &found->operation, error);
        if (r < 0 || found->operation->status != OPERATION_RUNNING)
                return r;
        if (!operation_kind_is_check(found->operation->kind))
                found->pidfd = worker_find(recovery->state_directory, found->operation);
        if (found->pidfd >= 0 || recovery->has_units)
                return 0;
        (void) error_set(&lost, ERROR_WORKER_LOST, NULL,
                         "The worker was gone when the sync service started");
        r = operation_attempt_end(state, id, &lost, error);
        if (r < 0)
                return r;
        return operation_postpone(state, id, 0, NULL, error);
}

static int work_recover(Database *state, void *job, Error *error) {
        Recovery *recovery = job;
        int r;

        r = operation_list_unfinished(state, on_unfinished, recovery, error);
        for (size_t i = 0; r >= 0 && i < recovery->n_found; i++)
                r = found_fill(state, recovery, &recovery->found[i], error);
        return r;
}

static void found_offer(Syncd *s, Found *found) {
        _cleanup_error_ Error error = {};
        bool is_running = found->pidfd >= 0 ||
                          (launcher_has_units(s->launcher) && found->operation->status == OPERATION_RUNNING);
        char id[UUID_TEXT_SIZE];

        if (operation_status_is_final(found->operation->status))
                return;
        memcpy(id, found->operation->id, sizeof(id));
        if (!is_running && found->operation->status == OPERATION_RUNNING)
                found->operation->status = OPERATION_PENDING;
        log_event(LOG_INFO, MESSAGE_SYNCD_RESTARTED,
                  is_running ? "Looks after a worker that was started before."
                             : "Takes up an unfinished operation.",
                  "OPERATION_ID", id, "SYNC_PAIR", found->operation->sync_pair_id, NULL);
        if (manager_offer(s, TAKE_PTR(found->operation), is_running, &error) < 0) {
                log_error(MESSAGE_NONE, &error, "Operation %s waits until the next start", id);
                return;
        }
        if (!is_running)
                return;
        if (launcher_adopt(s->launcher, id, found->pidfd, &error) < 0)
                manager_worker_ended(id, -1, NULL, s);
        else
                (void) TAKE_FD(found->pidfd);
}

void syncd_status_tell(const Error *error) {
        _cleanup_free_ char *text = error_to_text(error);

        if (text)
                (void) sd_notifyf(false, "STATUS=%s", text);
}

static int on_recover_again(sd_event_source *source, uint64_t usec, void *userdata) {
        return manager_start(userdata);
}

/* It is tried every second and told when it changes. */
static void log_once(Syncd *s, const Error *error) {
        if (text_equal(s->recover_failure, error->detail))
                return;
        free(s->recover_failure);
        s->recover_failure = error->detail ? strdup(error->detail) : NULL;
        log_error(MESSAGE_NONE, error, "The state store cannot be read and is tried again");
}

static void on_recovered(void *job, int r, Error *error) {
        _cleanup_(recovery_freep) Recovery *recovery = job;
        Syncd *s = recovery->syncd;

        if (s->is_stopping)
                return;
        if (r < 0 && error->id == ERROR_CONFIGURATION) { /* waiting does not mend it */
                log_error(MESSAGE_CONFIGURATION, error, "The sync service ends");
                syncd_status_tell(error);
                (void) sd_event_exit(s->event, error_exit_status(error->id));
                return;
        }
        if (r < 0) {
                log_once(s, error);
                (void) health_set(s->health, "sync_tracker", true, false, error->detail);
                if (event_timer_set(s->event, &s->recover, RETRY_STORE_USEC, "recover-again",
                                    on_recover_again, s) < 0)
                        (void) sd_event_exit(s->event, 75);
                return;
        }
        for (size_t i = 0; i < recovery->n_found; i++)
                found_offer(s, &recovery->found[i]);
        free(TAKE_PTR(s->recover_failure));
        s->is_recovered = true;
        (void) health_set(s->health, "sync_tracker", true, true, NULL);
        if (publish_history(s) < 0)
                log_warning("Operations of before this start are not shown on D-Bus; lists have them.");
        manager_dispatch(s);
}

int manager_start(Syncd *s) {
        _cleanup_(recovery_freep) Recovery *recovery = calloc(1, sizeof(Recovery));
        _cleanup_error_ Error error = {};
        int r;

        if (!recovery)
                return -ENOMEM;
        recovery->syncd = s;
        queue_set_gate(s->queue, gate_of, s);
        recovery->has_units = launcher_has_units(s->launcher);
        recovery->state_directory = strdup(s->settings->state_directory);
        if (!recovery->state_directory)
                return -ENOMEM;
        r = store_submit(s->store, STORE_STATE, work_recover, on_recovered, recovery, &error);
        if (r < 0)
                return r;
        (void) TAKE_PTR(recovery);
        return 0;
}
