/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrate/launcher.h"

#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "basic/event.h"
#include "basic/text.h"
#include "orchestrate/launcher-private.h"
#include "orchestrate/unit-cause.h"

/* What a worker must not inherit: it would answer for syncd, or take over its sockets. */
static const char *const withheld[] = {"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_"};

int launcher_new(sd_event *event, launcher_ended_t ended, void *userdata, Launcher **ret) {
        Launcher *l = calloc(1, sizeof(Launcher));

        if (!l)
                return -ENOMEM;
        l->event = sd_event_ref(event);
        l->ended = ended;
        l->userdata = userdata;
        *ret = l;
        return 0;
}

int launcher_new_child(sd_event *event, const char *worker, launcher_ended_t ended, void *userdata,
                       Launcher **ret) {
        _cleanup_(launcher_freep) Launcher *l = NULL;
        int r;

        r = launcher_new(event, ended, userdata, &l);
        if (r < 0)
                return r;
        l->worker = strdup(worker);
        if (!l->worker)
                return -ENOMEM;
        *ret = TAKE_PTR(l);
        return 0;
}

int launcher_new_unit(sd_event *event, SystemManager *systemd, launcher_ended_t ended, launcher_ready_t ready,
                      void *userdata, Launcher **ret) {
        _cleanup_(launcher_freep) Launcher *l = NULL;
        int r;

        r = launcher_new(event, ended, userdata, &l);
        if (r < 0)
                return r;
        l->systemd = systemd;
        l->ready = ready;
        r = system_manager_listen(systemd, unit_on_ready, unit_on_job, l);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

static Running *running_free(Running *r) {
        event_source_drop(&r->source);
        unit_watch_free(r->watch);
        if (r->pidfd >= 0)
                (void) close(r->pidfd);
        free(r);
        return NULL;
}

Launcher *launcher_free(Launcher *l) {
        if (!l)
                return NULL;
        while (l->running) {
                Running *r = l->running;

                l->running = r->next;
                running_free(r);
        }
        sd_bus_slot_unref(l->leftovers);
        sd_event_unref(l->event);
        free(l->worker);
        free(l);
        return NULL;
}

Running *launcher_find(const Launcher *l, const char *operation_id) {
        for (Running *r = l->running; r; r = r->next)
                if (text_equal(r->id, operation_id))
                        return r;
        return NULL;
}

int launcher_add(Launcher *l, const char *operation_id, Running **ret, Error *error) {
        Running *added;

        if (launcher_find(l, operation_id))
                return error_set(error, ERROR_ALREADY_RUNNING, NULL, "Operation \"%s\" has a worker already",
                                 operation_id);
        added = calloc(1, sizeof(Running));
        if (!added)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to watch a worker");
        assert(strlen(operation_id) < sizeof(added->id));
        memcpy(added->id, operation_id, strlen(operation_id) + 1);
        added->launcher = l;
        added->pidfd = -EBADF;
        added->next = l->running;
        l->running = added;
        *ret = added;
        return 0;
}

static void running_drop(Running *r) {
        for (Running **place = &r->launcher->running; *place; place = &(*place)->next)
                if (*place == r) {
                        *place = r->next;
                        break;
                }
        running_free(r);
}

void launcher_report(Running *r, int exit_status, const Error *cause) {
        Launcher *l = r->launcher;
        char id[UUID_TEXT_SIZE];

        memcpy(id, r->id, sizeof(id));
        running_drop(r); /* first, since the owner may start the next attempt at once */
        l->ended(id, exit_status, cause, l->userdata);
}

static int on_child(sd_event_source *source, const siginfo_t *si, void *userdata) {
        _cleanup_error_ Error cause = {};

        if (process_cause(si->si_code, si->si_status, &cause))
                launcher_report(userdata, -1, &cause);
        else
                launcher_report(userdata, si->si_status, NULL);
        return 0;
}

static int on_pidfd(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        launcher_report(userdata, -1, NULL); /* not our child: its outcome is in the state store */
        return 0;
}

/* The environment without what is syncd's own; the strings are borrowed. */
static char **environment_new(void) {
        size_t n = strings_count(environ), n_kept = 0;
        char **kept = calloc(n + 1, sizeof(char *));

        for (size_t i = 0; kept && i < n; i++) {
                bool keep = true;

                for (size_t k = 0; k < ELEMENTSOF(withheld); k++)
                        keep = keep && !text_starts_with(environ[i], withheld[k]);
                if (keep)
                        kept[n_kept++] = environ[i];
        }
        return kept;
}

/* A session of its own, so that a Ctrl-C meant for syncd or the end of its terminal does not reach the
 * worker; no parent-death signal, since it is to finish while syncd is restarted. SIGPIPE stays ignored:
 * stderr may go with syncd. */
static int worker_spawn(const char *worker, const char *operation_id, pid_t *ret) {
        _cleanup_free_ char **environment = environment_new();
        char *argv[] = {(char *) worker, (char *) operation_id, NULL};
        posix_spawnattr_t attributes;
        sigset_t none, defaults;
        int r;

        if (!environment)
                return -ENOMEM;
        (void) sigemptyset(&none);
        (void) sigfillset(&defaults);
        (void) sigdelset(&defaults, SIGPIPE);
        r = posix_spawnattr_init(&attributes);
        if (r != 0)
                return -r;
        (void) posix_spawnattr_setsigmask(&attributes, &none);
        (void) posix_spawnattr_setsigdefault(&attributes, &defaults);
        (void) posix_spawnattr_setflags(&attributes,
                                        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
        r = posix_spawn(ret, worker, NULL, &attributes, argv, environment);
        (void) posix_spawnattr_destroy(&attributes);
        return -r;
}

static int spawn_error(const char *worker, int r, Error *error) {
        if (r == -ENOENT || r == -EACCES || r == -ENOEXEC)
                return error_set(error, ERROR_CONFIGURATION,
                                 "Install terrafusion-worker there, or set TERRAFUSION_WORKER to its path",
                                 "The worker program \"%s\" cannot be run: %s", worker, strerror(-r));
        return error_set(error, ERROR_OUT_OF_MEMORY, "Give the service more processes or memory",
                         "No process for the worker \"%s\": %s", worker, strerror(-r));
}

static int child_start(Launcher *l, Running *added, Error *error) {
        pid_t pid = 0;
        int r;

        r = worker_spawn(l->worker, added->id, &pid);
        if (r < 0)
                return spawn_error(l->worker, r, error);
        r = sd_event_add_child(l->event, &added->source, pid, WEXITED, on_child, added);
        if (r < 0) {
                (void) kill(pid, SIGKILL); /* it has not begun; an unwatched worker would be started twice */
                (void) waitpid(pid, NULL, 0);
                return spawn_error(l->worker, r, error);
        }
        (void) sd_event_source_set_description(added->source, "worker");
        return 0;
}

int launcher_start(Launcher *l, const char *operation_id, Error *error) {
        Running *added = NULL;
        int r;

        r = launcher_add(l, operation_id, &added, error);
        if (r < 0)
                return r;
        r = l->systemd ? unit_start(added, error) : child_start(l, added, error);
        if (r < 0)
                running_drop(added);
        return r;
}

int running_watch_pidfd(Running *r) {
        int n;

        n = sd_event_add_io(r->launcher->event, &r->source, r->pidfd, EPOLLIN, on_pidfd, r);
        if (n >= 0)
                (void) sd_event_source_set_description(r->source, "worker-found");
        return n;
}

int launcher_adopt(Launcher *l, const char *operation_id, int pidfd, Error *error) {
        Running *added = NULL;
        int r;

        r = launcher_add(l, operation_id, &added, error);
        if (r < 0)
                return r;
        added->pidfd = pidfd;
        r = l->systemd ? unit_adopt(added, error) : running_watch_pidfd(added);
        if (r >= 0)
                return 0;
        added->pidfd = -EBADF; /* stays the caller's */
        running_drop(added);
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Cannot watch the worker of operation \"%s\": %s",
                         operation_id, strerror(-r));
}

int launcher_stop(Launcher *l, const char *operation_id) {
        Running *r = launcher_find(l, operation_id);

        if (!r)
                return -ESRCH;
        if (!r->source)
                return unit_stop(r);
        if (r->pidfd < 0)
                return sd_event_source_send_child_signal(r->source, SIGTERM, NULL, 0);
        return syscall(SYS_pidfd_send_signal, r->pidfd, SIGTERM, NULL, 0) < 0 ? -errno : 0;
}

bool launcher_is_ready(const Launcher *l) {
        return !l->systemd || system_manager_is_ready(l->systemd);
}

bool launcher_has_units(const Launcher *l) {
        return l->systemd;
}

bool launcher_is_running(const Launcher *l, const char *operation_id) {
        return launcher_find(l, operation_id);
}

size_t launcher_n_running(const Launcher *l) {
        size_t n = 0;

        for (const Running *r = l->running; r; r = r->next)
                n++;
        return n;
}
