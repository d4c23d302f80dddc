/* SPDX-License-Identifier: Apache-2.0 */
/* 1 options  2 lock  3 sockets (from systemd, or opened here)  4 syncd where standalone  5 serve until SIGTERM */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "build-config.h"

#include "basic/event.h"
#include "basic/log.h"
#include "basic/starts.h"
#include "basic/text.h"
#include "gateway/cause.h"
#include "gateway/gateway.h"
#include "http/refuse.h"

#define TAKE_OVER_TRIES 100U    /* × 100 ms: an orphaned syncd of a killed gateway lets go of its sockets within that */

typedef struct Options {
        bool standalone;
        uint16_t port, sync_port;
        char *runtime, *syncd_path;
} Options;

static void options_done(Options *o) {
        free(o->runtime);
        free(o->syncd_path);
}

static int usage(FILE *f, int status) {
        (void) fputs("terrafusion-gateway [--standalone] [--port N] [--sync-port N] [--syncd PATH]\n\n"
                     "Serves HTTP on port 5000 and passes /api/ on to the sync service.\n"
                     "  --standalone   open all sockets, start the sync service and keep it alive (without systemd)\n"
                     "  --port N       listen on N instead of 5000 (tests)\n"
                     "  --sync-port N  give the sync service N instead of 8000 (tests)\n"
                     "  --syncd PATH   the sync service's program\n"
                     "  --print=introspection  what it has on D-Bus\n"
                     "  --help, --version\n", f);
        return status;
}

/* The program beside ours: installed in one folder, built in two. */
static int syncd_find(char **ret) {
        static const char *const places[] = { "terrafusion-syncd", "../syncd/terrafusion-syncd" };
        char self[PATH_MAX] = "", *slash;
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        int r;

        slash = n > 0 ? strrchr(self, '/') : NULL;
        if (slash)
                *slash = '\0';
        for (size_t i = 0; slash && i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = NULL;

                r = asprintf(&path, "%s/%s", self, places[i]);
                if (r < 0)
                        return -ENOMEM;
                if (access(path, X_OK) == 0) {
                        *ret = TAKE_PTR(path);
                        return 0;
                }
        }
        *ret = strdup(LIBEXECDIR "/terrafusion-syncd");
        return *ret ? 0 : -ENOMEM;
}

static int port_parse(const char *text, uint16_t *ret) {
        int64_t port;
        int r = text_to_int64(text, 1, 65535, &port);

        if (r >= 0)
                *ret = (uint16_t) port;
        return r;
}

/* 1: go on; 0: done with status 0; negative: a mistake. */
static int options_parse(int argc, char **argv, Options *o) {
        static const struct option options[] = {
                { "standalone", no_argument, NULL, 's' }, { "port", required_argument, NULL, 'p' },
                { "sync-port", required_argument, NULL, 'P' }, { "syncd", required_argument, NULL, 'S' },
                { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
                { "print", required_argument, NULL, 'r' }, { NULL, 0, NULL, 0 },
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 's': o->standalone = true; break;
                case 'p': case 'P':
                        if (port_parse(optarg, c == 'p' ? &o->port : &o->sync_port) < 0)
                                return fprintf(stderr, "\"%s\" is no port: give 1 to 65535.\n", optarg), -EINVAL;
                        break;
                case 'S':
                        free(o->syncd_path);
                        o->syncd_path = strdup(optarg);
                        break;
                case 'h': return usage(stdout, 0);
                case 'r': return text_equal(optarg, "introspection") ? bus_service_print(&bus_gateway1, stdout) : usage(stderr, -EINVAL);
                case 'V': return puts("terrafusion-gateway " PROJECT_VERSION) < 0 ? -EIO : 0;
                default: return usage(stderr, -EINVAL);
                }
        return optind < argc ? usage(stderr, -EINVAL) : 1;
}

static int runtime_prepare(Options *o) {
        const char *folder = getenv("RUNTIME_DIRECTORY") ?: "/run/terrafusion";

        o->runtime = strndup(folder, strcspn(folder, ":"));
        if (!o->runtime)
                return -ENOMEM;
        return mkdir(o->runtime, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int lock_take(const Options *o, int *ret_fd, Error *error) {
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (asprintf(&path, "%s/gateway.lock", o->runtime) < 0)
                return -ENOMEM;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
                return error_set(error, ERROR_CONFIGURATION, "Run as root or the service's user, or set RUNTIME_DIRECTORY.",
                                 "\"%s\" cannot be opened: %s", path, strerror(errno));
        /* A gateway that was killed this moment lets go of it a little later. */
        for (unsigned i = 0; (r = flock(fd, LOCK_EX | LOCK_NB)) < 0 && i < 10; i++)
                (void) usleep(100000);
        if (r < 0)
                return error_set(error, ERROR_ALREADY_RUNNING, "Stop the other gateway first: systemctl stop terrafusion-gateway.socket terrafusion-gateway, or end "
                                 "its process (pgrep terrafusion-gat tells its id).",
                                 "Another gateway runs and holds \"%s\"", path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Tries again while an orphan of a killed gateway drains. */
static int sync_sockets_open(const Options *o, int fds[static 2], Error *error) {
        _cleanup_free_ char *path = NULL;
        int r = 0;

        if (asprintf(&path, "%s/syncd.sock", o->runtime) < 0)
                return -ENOMEM;
        for (unsigned i = 0; i < TAKE_OVER_TRIES; i++) {
                error_done(error);
                r = fds[0] >= 0 ? 0 : http_listen_tcp("127.0.0.1", o->sync_port, &fds[0], error);
                if (r >= 0)
                        r = http_listen_unix(path, 0600, &fds[1], error);
                /* Only while an orphan is there (its unix socket listens) is waiting of use. */
                if (r != -EADDRINUSE || (i >= 10 && access(path, F_OK) < 0))
                        return r;
                (void) usleep(100000);
        }
        return r;
}

static int standalone_setup(Gateway *g, const Options *o, Error *error) {
        int fds[2] = { -EBADF, -EBADF };
        int r;

        r = sync_sockets_open(o, fds, error);
        if (r >= 0)
                r = standalone_new(g->event, o->runtime, o->syncd_path, fds, &g->standalone, error);
        if (r < 0) {
                for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                        if (fds[i] >= 0)
                                (void) close(fds[i]);
                return r;
        }
        return standalone_start(g->standalone);
}

/* Started by systemd as a unit of its own (and not by a shell that some unit started): then it runs syncd, too. */
static bool is_unit(void) {
        const char *pid = getenv("SYSTEMD_EXEC_PID");
        int64_t number = 0;

        return sd_booted() > 0 && getenv("INVOCATION_ID") && pid && text_to_int64(pid, 1, INT32_MAX, &number) >= 0 && number == getpid();
}

static int setup(Gateway *g, const Options *o, Error *error) {
        _cleanup_free_ char *path = NULL;
        int fd = -EBADF, r;

        if (asprintf(&path, "%s/syncd.sock", o->runtime) < 0)
                return -ENOMEM;
        g->api = (Api) { gateway_handlers, g, DAEMON_GATEWAY };
        if ((r = event_new(&g->event)) < 0 || (r = keys_new(&g->keys, error)) < 0 ||
            (r = over_http_new(&g->api, g->keys, &g->over_http)) < 0 || (r = http_server_new(g->event, gateway_handle, g, &g->server)) < 0 ||
            (r = proxy_new(http_server_plane(g->server), path, &g->proxy)) < 0)
                return r;
        if (sd_listen_fds(1) > 0)
                fd = SD_LISTEN_FDS_START;
        else if ((r = http_listen_tcp("::", o->port, &fd, error)) < 0 && r != -EADDRINUSE) {
                error_done(error);      /* no IPv6 here */
                r = http_listen_tcp("0.0.0.0", o->port, &fd, error);
        }
        if (r < 0)
                return r;
        r = http_server_listen(g->server, fd, error);
        if (r < 0)
                return r;
        r = o->standalone ? standalone_setup(g, o, error) : 0;
        if (r >= 0)
                r = recovery_new(g->event, g->proxy, g->standalone, !g->standalone && is_unit() ? sd_bus_open_system : NULL, &g->recovery);
        return r < 0 ? r : bus_open(g, o->runtime, error);
}

static void gateway_done(Gateway *g) {
        recovery_watch(g->recovery, NULL, NULL);
        recovery_stop(g->recovery);
        g->proxy = proxy_free(g->proxy);        /* answers what waits, so before the server and the buses go */
        g->recovery = recovery_free(g->recovery);
        g->bus = over_bus_free(g->bus);
        g->server = http_server_free(g->server);
        g->standalone = standalone_free(g->standalone);
        g->over_http = over_http_free(g->over_http);
        g->keys = keys_free(g->keys);
        g->event = sd_event_unref(g->event);
}

/* Who waits at the socket would have it started again at once. The text of the mistake is for those who may read the journal. */
static void refuse(ErrorId id) {
        _cleanup_error_ Error why = {};

        (void) error_set(&why, id, "Read `journalctl -u terrafusion-gateway`: it says what to mend, and where",
                         "The gateway cannot start: %s", error_title(id));
        http_refuse_inherited(&why);
}

static int serve(const Options *o) {
        _cleanup_(gateway_done) Gateway g = {};
        _cleanup_error_ Error e = {};
        _cleanup_close_ int lock = -EBADF;
        int r;

        r = lock_take(o, &lock, &e);
        if (r >= 0)
                r = setup(&g, o, &e);
        if (r < 0) {
                if (e.id == ERROR_NONE)
                        (void) error_set(&e, error_from_errno(r), NULL, "%s", strerror(-r));
                (void) log_error(MESSAGE_NONE, &e, "The gateway cannot start");
                if (error_exit_status(e.id) == 75 || error_exit_status(e.id) == 1)
                        return 1;
                refuse(e.id);
                return EXIT_CONFIGURATION;
        }
        starts_ready("terrafusion-gateway");
        if (keys_is_default(g.keys))
                log_event(LOG_WARNING, MESSAGE_DEFAULT_KEY, "No key is set: \"dev-api-key\" works from this machine. Set SYNC_SERVICE_API_KEY.", NULL);
        log_event(LOG_INFO, MESSAGE_STARTED, "The gateway serves.", NULL);
        (void) sd_notify(0, "READY=1");
        r = sd_event_loop(g.event);
        (void) sd_notify(0, "STOPPING=1");
        log_event(LOG_INFO, MESSAGE_STOPPED, "The gateway stops.", NULL);
        return r < 0 ? 1 : 0;
}

int main(int argc, char **argv) {
        _cleanup_(options_done) Options o = { .port = 5000, .sync_port = 8000 };
        sigset_t child;
        int r;

        r = options_parse(argc, argv, &o);
        if (r <= 0)
                return r < 0 ? 2 : 0;
        log_open("terrafusion-gateway");
        starts_begin("terrafusion-gateway");
        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&child);
        (void) sigaddset(&child, SIGCHLD);
        (void) sigprocmask(SIG_BLOCK, &child, NULL);
        r = runtime_prepare(&o);
        if (r >= 0 && !o.syncd_path)
                r = syncd_find(&o.syncd_path);
        if (r < 0) {
                (void) log_errno(r, "The runtime directory \"%s\" cannot be used", o.runtime ?: "");
                return EXIT_CONFIGURATION;
        }
        return serve(&o);
}
