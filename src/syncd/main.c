/* SPDX-License-Identifier: Apache-2.0 */
/* terrafusion-syncd: configuration → lock → parts → sockets → recovery → the loop → drained. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "api/openapi.h"
#include "basic/log.h"
#include "basic/starts.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "basic/limits.h"
#include "build-config.h"
#include "http/refuse.h"
#include "store/server.h"
#include "syncd/syncd.h"

#define NAME            "terrafusion-syncd"
#define DRAIN_STEP_USEC (50U * 1000U)

/* Draining: answers and ends on their way are finished, then the loop ends. Workers go on without us. */
static int on_drain(sd_event_source *source, uint64_t usec, void *userdata) {
        Syncd *s = userdata;
        bool is_idle = store_thread_n_waiting(s->store) == 0 &&
                       (!s->http || http_server_n_open(s->http) == 0);

        if (is_idle || syncd_now_usec(s) - s->stop_usec > DRAIN_MAX_USEC)
                return sd_event_exit(s->event, 0);
        return event_timer_set(s->event, &s->drain, DRAIN_STEP_USEC, "drain", on_drain, s);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Syncd *s = userdata;

        if (s->is_stopping)
                return sd_event_exit(s->event, 0); /* asked twice */
        (void) sd_notify(false, "STOPPING=1");
        s->is_stopping = true;
        s->stop_usec = syncd_now_usec(s);
        return event_timer_set(s->event, &s->drain, 0, "drain", on_drain, s);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        _cleanup_error_ Error error = {};

        if (syncd_reload(userdata, NULL, &error) < 0)
                (void) log_error(MESSAGE_CONFIGURATION, &error, "The configuration stays as it was");
        return 0;
}

static int event_open(Syncd *s) {
        static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
        sigset_t set;
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(blocked); i++)
                (void) sigaddset(&set, blocked[i]);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        r = sd_event_default(&s->event);
        if (r < 0)
                return r;
        r = sd_event_add_signal(s->event, NULL, SIGTERM, on_stop, s);
        if (r < 0)
                return r;
        r = sd_event_add_signal(s->event, NULL, SIGINT, on_stop, s);
        if (r < 0)
                return r;
        r = sd_event_add_signal(s->event, NULL, SIGHUP, on_reload, s);
        if (r < 0)
                return r;
        r = sd_event_set_watchdog(s->event, true);
        return r < 0 ? r : 0;
}

static int configuration_load(Syncd *s) {
        _cleanup_mistakes_ Mistakes mistakes = {};
        _cleanup_settings_ Settings *settings = NULL;
        _cleanup_pairs_ PairSet *pairs = NULL;
        size_t n_of_settings;

        if (settings_load(&settings, &mistakes) < 0)
                return log_errno(-ENOMEM, "The configuration could not be read");
        n_of_settings = mistakes_count(&mistakes);
        if (pairs_load(settings, &pairs, &mistakes) < 0)
                return log_errno(-ENOMEM, "The mappings could not be read");
        mistakes_print(&mistakes, stderr);
        if (n_of_settings > 0) {
                _cleanup_error_ Error first = {};

                if (mistakes_to_error(&mistakes, 0, &first) < 0)
                        syncd_status_tell(&first);
                log_event(LOG_ERR, MESSAGE_CONFIGURATION,
                          "The configuration has mistakes; nothing was started. Mend the lines above and "
                          "start again.",
                          NULL);
                return -EINVAL;
        }
        if (mistakes_count(&mistakes) > 0)
                log_event(LOG_WARNING, MESSAGE_CONFIGURATION,
                          "Mappings with mistakes start nothing until they are mended; the other pairs run.",
                          NULL);
        syncd_configure(s, TAKE_PTR(settings), TAKE_PTR(pairs), &mistakes);
        return 0;
}

static int port_check(Error *error) {
        const char *port = getenv("SYNC_SERVICE_PORT");
        int64_t number = 0;

        if (!port || !*port || (text_to_int64(port, 0, 65535, &number) >= 0 && number == SERVICE_PORT))
                return 0;
        return error_set(error, ERROR_CONFIGURATION,
                         "Unset SYNC_SERVICE_PORT; to be reached elsewhere, edit terrafusion-syncd.socket "
                         "or put a proxy before it",
                         "SYNC_SERVICE_PORT is \"%s\", but the sync service always listens on %u", port,
                         SERVICE_PORT);
}

static int folder_make(const char *path, Error *error) {
        if (mkdir(path, 0750) >= 0 || errno == EEXIST)
                return 0;
        return error_set(error, ERROR_CONFIGURATION,
                         "Create it for the service's user, or set STATE_DIRECTORY and RUNTIME_DIRECTORY",
                         "The folder \"%s\" cannot be made: %s", path, strerror(errno));
}

/* One syncd per runtime directory; the lock dies with its holder, however that dies. */
static int lock_take(Syncd *s, Error *error) {
        _cleanup_free_ char *path = NULL, *holder = NULL;
        _cleanup_close_ int fd = -EBADF;
        size_t size = 0;

        if (asprintf(&path, "%s/syncd.lock", s->settings->runtime_directory) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the lock");
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (fd < 0)
                return error_set(error, ERROR_CONFIGURATION,
                                 "Run it as the service's user, or set RUNTIME_DIRECTORY",
                                 "The lock \"%s\" cannot be opened: %s", path, strerror(errno));
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (file_read(path, 64, &holder, &size) < 0)
                        holder = NULL;
                return error_set(error, ERROR_ALREADY_RUNNING,
                                 "Stop it first (systemctl stop terrafusion-syncd), or give this one a "
                                 "RUNTIME_DIRECTORY and STATE_DIRECTORY of its own",
                                 "Another terrafusion-syncd (process %.*s) runs already in \"%s\"",
                                 holder ? (int) strcspn(holder, "\n") : 1, holder ? holder : "?",
                                 s->settings->runtime_directory);
        }
        if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int) getpid()) < 0)
                return error_set(error, ERROR_IO, NULL, "The lock \"%s\" cannot be written: %s", path,
                                 strerror(errno));
        s->lock_fd = TAKE_FD(fd);
        return 0;
}

/* Started by systemd as a unit of its own (and not by a shell that some unit started). */
static bool is_unit(void) {
        const char *pid = getenv("SYSTEMD_EXEC_PID");
        int64_t number = 0;

        return access("/run/systemd/system", F_OK) == 0 && getenv("INVOCATION_ID") && pid &&
               text_to_int64(pid, 1, INT32_MAX, &number) >= 0 && number == getpid();
}

static int launcher_open(Syncd *s, Error *error) {
        const char *worker = getenv("TERRAFUSION_WORKER");

        if (!worker && is_unit()) {
                if (system_manager_new(s->event, &s->systemd) < 0 ||
                    launcher_new_unit(s->event, s->systemd, manager_worker_ended, manager_launcher_ready, s,
                                      &s->launcher) < 0 ||
                    schedule_new(s, &s->schedule) < 0)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the launcher");
                return 0;
        }
        if (launcher_new_child(s->event, worker ? worker : LIBEXECDIR "/terrafusion-worker",
                               manager_worker_ended, s, &s->launcher) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the launcher");
        return 0;
}

static int parts_open(Syncd *s, Error *error) {
        uint64_t seed = (uint64_t) timestamp_now() ^ ((uint64_t) getpid() << 40);
        int r;

        r = store_server_use(s->settings->store_url, STORE_QUERY_MSEC_MAX, error);
        if (r < 0)
                return r;
        s->started_at = timestamp_now();
        s->started_usec = syncd_now_usec(s);
        s->api = (Api){.handlers = handlers, .daemon = s};
        if (uuid_new_v7(s->instance) < 0 || sampler_new(&s->sampler) < 0 ||
            host_new("/proc", s->settings->state_directory, &s->host) < 0 ||
            queue_new(s->settings->operations_max, seed, &s->queue) < 0 ||
            store_thread_new(s->event, s->settings->state_directory, &s->store) < 0 ||
            health_set(s->health, "sync_tracker", true, false, "Reads the state store") < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to start");
        return launcher_open(s, error);
}

static int socket_serve(Syncd *s, int fd, Error *error) {
        int r;

        r = http_server_listen(s->http, fd, error);
        if (r < 0)
                (void) close(fd);
        return r;
}

/* Sockets of systemd or the gateway, else our own. */
static int sockets_open(Syncd *s, Error *error) {
        _cleanup_free_ char *path = NULL;
        int fd = -EBADF, n, r;

        n = sd_listen_fds(true);
        for (int i = 0; i < n; i++) {
                int again = s->n_listen_fds < LISTEN_FDS_MAX ? fcntl(SD_LISTEN_FDS_START + i, F_DUPFD_CLOEXEC, 3) : -EBADF;

                if (again >= 0)
                        s->listen_fds[s->n_listen_fds++] = again;
                r = socket_serve(s, SD_LISTEN_FDS_START + i, error);
                if (r < 0)
                        return r;
        }
        if (n > 0)
                return 0;
        r = http_listen_tcp("127.0.0.1", SERVICE_PORT, &fd, error);
        if (r < 0)
                return r;
        r = socket_serve(s, fd, error);
        if (r < 0)
                return r;
        if (asprintf(&path, "%s/syncd.sock", s->settings->runtime_directory) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a socket");
        r = http_listen_unix(path, 0660, &fd, error);
        return r < 0 ? r : socket_serve(s, fd, error);
}

static void on_bus(bool is_there, const Error *error, void *userdata) {
        if (is_there)
                log_event(LOG_INFO, MESSAGE_BUS, "Serves " BUS_NAME " on the system bus.", NULL);
        else if (access("/run/dbus/system_bus_socket", F_OK) < 0 && !getenv("DBUS_SYSTEM_BUS_ADDRESS"))
                log_debug("%s", error->detail); /* a machine without one, or it comes later */
        else
                (void) log_error(MESSAGE_BUS, error, "Commands come by HTTP and the private socket only");
}

/* Commands on the system bus as soon as there is one, and always on the private socket: terrafusionctl finds
 * either. */
static int bus_open(Syncd *s, Error *error) {
        _cleanup_free_ char *path = NULL;
        int fd = -EBADF, r;

        if (over_bus_new(s->event, &bus_sync1, &s->api, &s->bus) < 0 ||
            asprintf(&path, "%s/sync1.bus", s->settings->runtime_directory) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the bus");
        publish_configuration(s);
        over_bus_serve_system(s->bus, on_bus, s);
        r = http_listen_unix(path, 0600, &fd, error);
        if (r < 0)
                return r;
        r = over_bus_serve_socket(s->bus, fd, error);
        if (r < 0)
                (void) close(fd);
        return r;
}

static int faces_open(Syncd *s, Error *error) {
        int r;

        r = keys_new(&s->keys, error);
        if (r < 0)
                return r;
        if (over_http_new(&s->api, s->keys, &s->over_http) < 0 ||
            http_server_new(s->event, over_http_handle, s->over_http, &s->http) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the HTTP server");
        r = sockets_open(s, error);
        if (r < 0)
                return r;
        r = bus_open(s, error);
        if (r < 0)
                return r;
        r = progress_socket_open(s, error);
        if (r < 0)
                return r;
        if (keys_is_default(s->keys))
                log_event(LOG_WARNING, MESSAGE_DEFAULT_KEY,
                          "No SYNC_SERVICE_API_KEY is set: the default key works, from this machine only. "
                          "Set one before others use it.",
                          NULL);
        return 0;
}

static int syncd_open(Syncd *s, Error *error) {
        int r;

        r = port_check(error);
        if (r < 0)
                return r;
        r = folder_make(s->settings->runtime_directory, error);
        if (r < 0)
                return r;
        r = folder_make(s->settings->state_directory, error);
        if (r < 0)
                return r;
        r = lock_take(s, error);
        if (r < 0)
                return r;
        r = parts_open(s, error);
        if (r < 0)
                return r;
        r = faces_open(s, error);
        if (r < 0)
                return r;
        if (manager_start(s) < 0 || manager_sample(s) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to start");
        return 0;
}

/* Who came after the server went would have systemd start us again, though a stop was asked for. The gateway asks whether we were stopped
 * before it comes again. */
static void waiting_drop(Syncd *s) {
        for (size_t i = 0; i < s->n_listen_fds; i++) {
                (void) http_drop_waiting(s->listen_fds[i]);
                (void) close(s->listen_fds[i]);
        }
}

/* Faces first, so that nobody asks what is going; the store before the tables its jobs end in. */
static void syncd_done(Syncd *s) {
        s->is_stopping = true;
        if (s->store)
                s->store = store_thread_free(s->store);
        store_server_done();
        live_done(&s->live);
        http_server_free(s->http);
        over_http_free(s->over_http);
        over_bus_free(s->bus);
        keys_free(s->keys);
        launcher_free(s->launcher);
        schedule_free(s->schedule);
        system_manager_free(s->systemd);
        queue_free(s->queue);
        event_source_drop(&s->wake);
        event_source_drop(&s->sample);
        event_source_drop(&s->recover);
        event_source_drop(&s->progress);
        event_source_drop(&s->drain);
        event_source_drop(&s->publish);
        sampler_free(s->sampler);
        host_free(s->host);
        health_free(s->health);
        metric_set_free(s->metrics);
        json_decref(s->mistakes);
        error_done(&s->refused);
        free(s->recover_failure);
        pairs_free(s->pairs);
        settings_free(s->settings);
        if (s->progress_fd >= 0)
                (void) close(s->progress_fd);
        if (s->lock_fd >= 0)
                (void) close(s->lock_fd);
        sd_event_unref(s->event);
        waiting_drop(s);
}

/* systemd does not start it again by itself, but whoever waits at a socket would have it started at once. They
 * are told the kind of mistake only: its text is for those who may read the journal. */
static int refused(ErrorId id) {
        _cleanup_error_ Error why = {};

        (void) error_set(&why, id, "Read `journalctl -u terrafusion-syncd`: it says what to mend, and where",
                         "The sync service cannot start: %s", error_title(id));
        http_refuse_inherited(&why);
        return 78;
}

static int syncd_run(Syncd *s) {
        _cleanup_error_ Error error = {};
        int r;

        if (event_open(s) < 0 || health_new(&s->health) < 0 || metric_set_new(&s->metrics) < 0) {
                log_text(LOG_ERR, "The event loop could not be made.");
                return EXIT_FAILURE;
        }
        if (configuration_load(s) < 0)
                return refused(ERROR_CONFIGURATION);
        r = syncd_open(s, &error);
        if (r < 0) {
                syncd_status_tell(&error);
                log_error(MESSAGE_NONE, &error, "The sync service did not start");
                return error_class(error.id) == ERROR_CLASS_TRANSIENT ? 75 : refused(error.id);
        }
        starts_ready(NAME);
        log_event(LOG_INFO, MESSAGE_STARTED, "Started the sync service.", NULL);
        (void) sd_notify(false, "READY=1\nSTATUS=Serves HTTP on 127.0.0.1:8000");
        r = sd_event_loop(s->event);
        log_event(LOG_INFO, MESSAGE_STOPPED, "Stopped the sync service; running workers go on.", NULL);
        return r < 0 ? EXIT_FAILURE : r;
}

static int print_openapi(void) {
        json_auto_t *document = NULL;

        if (openapi_new(PROJECT_VERSION, &document) < 0 || json_dumpf(document, stdout, JSON_INDENT(2)) < 0)
                return EXIT_FAILURE;
        return putchar('\n') == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int usage(FILE *file) {
        (void) fprintf(
                file, "terrafusion-syncd [--version] [--help] [--print=openapi|introspection]\n\n"
                      "Runs the sync service on 127.0.0.1:8000. Configuration is in "
                      "/etc/terrafusion/terrafusion.yaml;\n"
                      "CONFIGURATION_DIRECTORY, STATE_DIRECTORY and RUNTIME_DIRECTORY name other places.\n");
        return file == stderr ? 2 : EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                                {"version", no_argument, NULL, 'V'},
                                                {"print", required_argument, NULL, 'p'},
                                                {}};
        Syncd s = {.progress_fd = -EBADF, .lock_fd = -EBADF};
        int option, status;

        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                if (option == 'h')
                        return usage(stdout);
                if (option == 'V')
                        return puts("terrafusion-syncd " PROJECT_VERSION) == EOF ? EXIT_FAILURE
                                                                                 : EXIT_SUCCESS;
                if (option == 'p' && text_equal(optarg, "openapi"))
                        return print_openapi();
                if (option == 'p' && text_equal(optarg, "introspection"))
                        return bus_service_print(&bus_sync1, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
                return usage(stderr);
        }
        if (optind < argc)
                return usage(stderr);
        log_open(NAME);
        starts_begin(NAME);
        json_object_seed(0); /* before the helper thread: seeding is not for two threads at once */
        status = syncd_run(&s);
        syncd_done(&s);
        return status;
}
