/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/standalone.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "basic/event.h"
#include "basic/log.h"
#include "basic/text.h"
#include "gateway/cause.h"

#define WATCHDOG_USEC 30000000ULL
#define BACK_OFF_FIRST_USEC 50000U
#define BACK_OFF_MAX_USEC 10000000ULL
#define START_AGAIN_USEC 500000U
#define LIVED_LONG_USEC 10000000ULL     /* who lived so long is started again at once */

struct Standalone {
        sd_event *event;
        char *syncd_path, *notify_path;
        int sync_fds[2], notify_fd;
        pid_t pid;                      /* 0: not running */
        uint64_t started_usec, back_off_usec;
        StandaloneState state;
        void (*on_change)(void *userdata);
        void *userdata;
        sd_event_source *child, *notify, *watchdog, *again;
};

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000U + (uint64_t) t.tv_nsec / 1000U;
}

static void changed(Standalone *s) {
        s->state.running = s->pid > 0;
        if (s->on_change)
                s->on_change(s->userdata);
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata) {
        Standalone *s = userdata;

        log_event(LOG_WARNING, MESSAGE_SYNCD_RESTARTED, "The sync service hung for 30 s and is killed; it starts again by itself.", NULL);
        standalone_kill(s);
        return 0;
}

/* The rest of a line that begins with word; NULL: there is none. Cuts the line off. */
static const char *line_after(char *text, const char *word) {
        for (char *line = text, *end; *line; line = end) {
                end = line + strcspn(line, "\n");
                if (text_starts_with(line, word)) {
                        *end = '\0';
                        return line + strlen(word);
                }
                end += *end != '\0';
        }
        return NULL;
}

static int on_notify(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Standalone *s = userdata;
        char text[4096];
        const char *words;
        ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
        bool ready, alive;

        if (n <= 0)
                return 0;
        text[n] = '\0';
        ready = strstr(text, "READY=1");
        alive = ready || strstr(text, "WATCHDOG=1");
        words = line_after(text, "STATUS=");
        if (words) {
                free(s->state.status_text);
                s->state.status_text = strdup(words);
        }
        if (ready) {
                s->state.ready = true;
                changed(s);
        }
        return alive ? event_timer_set(s->event, &s->watchdog, WATCHDOG_USEC, "syncd-watchdog", on_watchdog, s) : 0;
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata);

/* No process can be had just now (memory, limits): that passes, so it is tried until it works. */
static int start_or_wait(Standalone *s) {
        int r = standalone_start(s);

        if (r >= 0)
                return 0;
        log_text(LOG_WARNING, "The sync service could not be started (%s); it is tried again.", strerror(-r));
        return event_timer_set(s->event, &s->again, START_AGAIN_USEC, "syncd-again", on_again, s);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        return start_or_wait(userdata);
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata) {
        Standalone *s = userdata;
        bool lived_long = now_usec() - s->started_usec > LIVED_LONG_USEC;
        _cleanup_free_ char *cause = cause_text(cause_result(info->si_code, info->si_status), info->si_code, info->si_status);

        s->pid = 0;
        event_source_drop(&s->child);
        event_source_drop(&s->watchdog);
        s->state.ready = false;
        s->state.code = info->si_code;
        s->state.status = info->si_status;
        s->state.given_up = info->si_code == CLD_EXITED && info->si_status == EXIT_CONFIGURATION;
        changed(s);
        if (s->state.given_up) {
                log_text(LOG_ERR, "The sync service refuses its configuration and is not started again. Mend it, then POST /start-syncservice.");
                return 0;
        }
        /* The first death is mended at once; who keeps dying waits longer each time. */
        s->back_off_usec = lived_long ? 0 : s->back_off_usec == 0 ? BACK_OFF_FIRST_USEC : s->back_off_usec * 2;
        if (s->back_off_usec > BACK_OFF_MAX_USEC)
                s->back_off_usec = BACK_OFF_MAX_USEC;
        s->state.n_restarts++;
        log_text(LOG_WARNING, "The sync service ended (%s); it is started again.", cause ?: "unknown");
        return s->back_off_usec == 0 ? start_or_wait(s) :
                event_timer_set(s->event, &s->again, s->back_off_usec, "syncd-again", on_again, s);
}

/* In the child, until exec. */
static void child_run(const Standalone *s, pid_t parent) {
        _cleanup_free_ char *pid_text = NULL, *usec_text = NULL;
        int http_fd = fcntl(s->sync_fds[0], F_DUPFD, 10), unix_fd = fcntl(s->sync_fds[1], F_DUPFD, 10);
        sigset_t none;

        /* Without it an orphan would hold the ports against the next gateway; workers have no such tie and go on. */
        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent || http_fd < 0 || unix_fd < 0 || dup2(http_fd, 3) < 0 || dup2(unix_fd, 4) < 0)
                _exit(71);
        (void) close_range(5, ~0U, 0);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGPIPE, SIG_DFL);
        if (asprintf(&pid_text, "%d", (int) getpid()) < 0 || asprintf(&usec_text, "%llu", WATCHDOG_USEC) < 0)
                _exit(71);
        (void) setenv("LISTEN_PID", pid_text, 1);
        (void) setenv("LISTEN_FDS", "2", 1);
        (void) setenv("LISTEN_FDNAMES", "http:unix", 1);
        (void) setenv("NOTIFY_SOCKET", s->notify_path, 1);
        (void) setenv("WATCHDOG_USEC", usec_text, 1);
        (void) unsetenv("WATCHDOG_PID");
        (void) execl(s->syncd_path, s->syncd_path, (char *) NULL);
        (void) dprintf(2, "Starting \"%s\" failed: %s\n", s->syncd_path, strerror(errno));
        _exit(EXIT_CONFIGURATION);
}

int standalone_start(Standalone *s) {
        pid_t parent = getpid(), pid;
        int r;

        if (s->pid > 0)
                return 0;
        event_source_drop(&s->again);
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                child_run(s, parent);
        s->pid = pid;
        s->started_usec = now_usec();
        s->state.given_up = false;
        free(s->state.status_text);
        s->state.status_text = NULL;
        r = sd_event_add_child(s->event, &s->child, pid, WEXITED, on_child, s);
        if (r < 0) {
                /* Nobody would learn of its end. */
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                s->pid = 0;
                return r;
        }
        (void) sd_event_source_set_description(s->child, "syncd");
        changed(s);
        return event_timer_set(s->event, &s->watchdog, WATCHDOG_USEC, "syncd-watchdog", on_watchdog, s);
}

void standalone_restart(Standalone *s) {
        if (s->pid > 0)
                (void) kill(s->pid, SIGTERM);
}

void standalone_kill(Standalone *s) {
        if (s->pid > 0)
                (void) kill(s->pid, SIGKILL);
}

static int notify_open(Standalone *s, const char *runtime) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int r;

        if (asprintf(&s->notify_path, "%s/notify.sock", runtime) < 0) {
                s->notify_path = NULL;
                return -ENOMEM;
        }
        if (strlen(s->notify_path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, s->notify_path, strlen(s->notify_path) + 1);
        (void) unlink(s->notify_path);
        s->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (s->notify_fd < 0 || bind(s->notify_fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        r = sd_event_add_io(s->event, &s->notify, s->notify_fd, EPOLLIN, on_notify, s);
        /* Its last words are read before its end is noticed. */
        return r < 0 ? r : sd_event_source_set_priority(s->notify, SD_EVENT_PRIORITY_IMPORTANT);
}

int standalone_new(sd_event *event, const char *runtime, const char *syncd_path, const int sync_fds[static 2], Standalone **ret, Error *error) {
        _cleanup_(standalone_freep) Standalone *s = calloc(1, sizeof(Standalone));
        int r;

        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(event);
        s->sync_fds[0] = s->sync_fds[1] = s->notify_fd = -EBADF;
        s->syncd_path = strdup(syncd_path);
        r = s->syncd_path ? notify_open(s, runtime) : -ENOMEM;
        if (r < 0)
                return error_set(error, error_from_errno(r), "See that the runtime directory is there and writable.",
                                 "The notification socket in \"%s\" failed: %s", runtime, strerror(-r));
        s->sync_fds[0] = sync_fds[0];
        s->sync_fds[1] = sync_fds[1];
        *ret = TAKE_PTR(s);
        return 0;
}

static void child_stop(Standalone *s) {
        event_source_drop(&s->child);
        (void) kill(s->pid, SIGTERM);
        for (unsigned i = 0; i < 200; i++) {
                if (waitpid(s->pid, NULL, WNOHANG) != 0)
                        return;
                (void) usleep(50000);
        }
        (void) kill(s->pid, SIGKILL);
        (void) waitpid(s->pid, NULL, 0);
}

Standalone *standalone_free(Standalone *s) {
        if (!s)
                return NULL;
        if (s->pid > 0)
                child_stop(s);
        event_source_drop(&s->notify);
        event_source_drop(&s->watchdog);
        event_source_drop(&s->again);
        for (size_t i = 0; i < ELEMENTSOF(s->sync_fds); i++)
                if (s->sync_fds[i] >= 0)
                        (void) close(s->sync_fds[i]);
        if (s->notify_fd >= 0)
                (void) close(s->notify_fd);
        if (s->notify_path)
                (void) unlink(s->notify_path);
        free(s->syncd_path);
        free(s->notify_path);
        free(s->state.status_text);
        (void) sd_event_unref(s->event);
        free(s);
        return NULL;
}

const StandaloneState *standalone_state(const Standalone *s) {
        return &s->state;
}

void standalone_watch(Standalone *s, void (*on_change)(void *userdata), void *userdata) {
        s->on_change = on_change;
        s->userdata = userdata;
}
