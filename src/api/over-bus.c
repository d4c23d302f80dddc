/* SPDX-License-Identifier: Apache-2.0 */
#include "api/over-bus.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/authority.h"
#include "api/bus-message.h"
#include "basic/event.h"
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "basic/uuid.h"

#define BUS_CONNECTIONS_MAX 64U /* command lines at once on the private socket */
#define BACKOFF_MIN_USEC    (250U * 1000U)
#define BACKOFF_MAX_USEC    (30U * 1000U * 1000U)

typedef struct Peer {
        OverBus *over;
        sd_bus *bus;
        struct Peer *next;
} Peer;

struct OverBus {
        sd_event *event;
        const BusService *service;
        const Api *api;
        BusObjects *objects;
        Authority *authority;
        sd_bus *system;
        sd_event_source *again; /* the next try to reach it */
        uint64_t backoff_usec;
        uint64_t told_until; /* bus_objects_now() when the system bus went away */
        bool was_there;
        char *trouble; /* what was told last */
        over_bus_told_t told;
        void *told_userdata;
        sd_event_source *listen;
        int listen_fd;
        Peer *peers;
        size_t n_peers;
};

BusObjects *over_bus_objects(OverBus *over) { return over->objects; }

/* ---- one call ---- */
typedef struct Call {
        OverBus *over;
        sd_bus_message *message;
        CommandId id;
        json_t *args;
        Scope scope;  /* that it needs */
        char *action; /* of polkit for that; NULL: everyone may */
} Call;

static Call *call_free(Call *call) {
        if (!call)
                return NULL;
        (void) sd_bus_message_unref(call->message);
        json_decref(call->args);
        free(call->action);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(Call, call_free)

static void face_fail(void *transport, const Error *error) {
        const Call *call = transport;
        const char *remedy = error->remedy;

        (void) sd_bus_reply_method_errorf(call->message, error_dbus_name(error->id), "%s%s%s",
                                          error->detail ?: error_title(error->id), remedy ? ". " : "",
                                          remedy ?: "");
}

static void answer_operation(const Call *call, const json_t *value) {
        const char *id = json_member_text(value, "id");
        _cleanup_free_ char *path = id ? bus_object_path(call->over->service, OBJECT_OPERATION, id) : NULL;
        _cleanup_error_ Error e = {};

        if (path)
                (void) sd_bus_reply_method_return(call->message, "o", path);
        else {
                (void) error_set(&e, ERROR_INTERNAL, NULL, "%s gave no operation", commands[call->id].name);
                face_fail((void *) call, &e);
        }
}

/* A failure that HTTP tells in the original's words is an error here. */
static void answer_problem(const Call *call, const json_t *value) {
        _cleanup_error_ Error e = {};

        (void) error_set(&e, error_from_code(json_member_text(value, "code")), json_member_text(value, "remedy"), "%s",
                         json_member_text(value, "detail") ?: json_member_text(value, "message") ?: "It failed");
        face_fail((void *) call, &e);
}

static void face_answer(void *transport, int status, const char *content_type, const json_t *value,
                        const char *text) {
        const Call *call = transport;
        _cleanup_free_ char *dumped = NULL;

        if (status >= 400 && error_from_code(json_member_text(value, "code")) != ERROR_NONE) {
                answer_problem(call, value);
                return;
        }
        if (commands[call->id].result == RESULT_OPERATION) {
                answer_operation(call, value);
                return;
        }
        dumped = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        (void) sd_bus_reply_method_return(call->message, "s", dumped ?: text ?: "");
}

static void face_release(void *transport) { (void) call_free(transport); }

static const ApiFace face = {NULL, face_answer, face_fail, face_release};

static int refuse(const Call *call, AuthorityVerdict verdict, uid_t uid, Error *error) {
        const char *name = commands[call->id].name;

        switch (verdict) {
        case AUTHORITY_BUSY:
                return error_set(error, ERROR_TOO_MANY, "Ask again in a moment",
                                 "%u calls wait already to be allowed (BUS_QUESTIONS_MAX)", BUS_QUESTIONS_MAX);
        case AUTHORITY_AWAY:
                return error_set(error, ERROR_FORBIDDEN,
                                 "Ask as root (sudo), or see that polkit runs: systemctl status polkit",
                                 "%s needs the permission %s, and polkit did not answer", name,
                                 call->action ?: "");
        case AUTHORITY_CHALLENGE:
                return error_set(
                        error, ERROR_FORBIDDEN,
                        "Ask where a password can be asked for, as root, or let a polkit rule allow it",
                        "%s needs the permission %s, which needs a password", name, call->action ?: "");
        default:
                return error_set(error, ERROR_FORBIDDEN, "Ask as root, or let a polkit rule allow it",
                                 "%s needs the permission %s, and the user with uid %d does not have it",
                                 name, call->action ?: "", (int) uid);
        }
}

static void on_verdict(AuthorityVerdict verdict, uid_t uid, void *userdata) {
        Call *call = userdata;
        ApiCaller caller = {.via = "dbus", .scopes = 1U << SCOPE_OPEN | 1U << SCOPE_READ};
        char request_id[UUID_TEXT_SIZE] = "", name[32];
        _cleanup_error_ Error e = {};

        if (verdict != AUTHORITY_YES && verdict != AUTHORITY_TRUSTED) {
                (void) refuse(call, verdict, uid, &e);
                face_fail(call, &e);
                face_release(call);
                return;
        }
        (void) snprintf(name, sizeof(name), "uid:%u", (unsigned) uid);
        if (uuid_new_v7(request_id) < 0)
                request_id[0] = '\0'; /* no randomness: the call goes on without */
        caller.name = name;
        caller.request_id = request_id;
        caller.scopes |= verdict == AUTHORITY_TRUSTED ? SCOPES_ALL : 1U << call->scope;
        api_call(call->over->api, call->id, call->args, &caller, &face, call);
}

/* Everyone may read, except what is in records: that has an action of its own. */
static int call_authorize(Call *call) {
        const Command *command = commands + call->id;
        bool is_read = call->scope == SCOPE_OPEN || call->scope == SCOPE_READ;
        bool is_private = sd_bus_message_get_bus(call->message) != call->over->system;

        if ((!is_read || command->tells_records) &&
            asprintf(&call->action, "%s%s", call->over->service->actions,
                     is_read ? "read-records" : scope_to_string(call->scope)) < 0) {
                call->action = NULL;
                return -ENOMEM;
        }
        authority_ask(call->over->authority, call->message, is_private, call->action, on_verdict, call);
        return 0;
}

static int on_method(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const BusObject *object = userdata;
        OverBus *over = bus_object_owner(object);
        CommandId id = command_by_object_member(over->service->daemon, bus_object_kind(object),
                                                sd_bus_message_get_member(m));
        _cleanup_(call_freep) Call *call = calloc(1, sizeof(Call));
        const Arg *bound;
        int r;

        if (!call || id == _COMMAND_INVALID)
                return call ? -EINVAL : -ENOMEM;
        *call = (Call){.over = over, .message = sd_bus_message_ref(m), .id = id};
        bound = bus_object_id(object) ? command_path_arg(commands + id) : NULL;
        r = command_bus_read(commands + id, bound, m, &call->args);
        if (r >= 0 && bound)
                r = json_put(call->args, bound->name, json_string(bus_object_id(object)));
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return sd_bus_reply_method_errorf(m, error_dbus_name(ERROR_ARGUMENT),
                                                  "The arguments of %s cannot be read: %s",
                                                  commands[id].member, strerror(-r));
        call->scope = api_scope_needed(commands + id, call->args);
        r = call_authorize(call);
        if (r < 0)
                return r;
        (void) TAKE_PTR(call);
        return 1;
}

/* ---- the buses ---- */
int over_bus_new(sd_event *event, const BusService *service, const Api *api, OverBus **ret) {
        _cleanup_(over_bus_freep) OverBus *over = calloc(1, sizeof(OverBus));
        int r;

        if (!over)
                return -ENOMEM;
        over->event = sd_event_ref(event);
        over->service = service;
        over->api = api;
        over->listen_fd = -EBADF;
        over->backoff_usec = BACKOFF_MIN_USEC;
        r = authority_new(&over->authority);
        if (r >= 0)
                r = bus_objects_new(service, on_method, over, &over->objects);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(over);
        return 0;
}

static sd_bus *bus_drop(OverBus *over, sd_bus *bus) {
        if (!bus)
                return NULL;
        authority_forget(over->authority, bus);
        bus_objects_leave(over->objects, bus);
        return sd_bus_flush_close_unref(bus);
}

static void peer_free(Peer *peer) {
        Peer **place = &peer->over->peers;

        while (*place != peer)
                place = &(*place)->next;
        *place = peer->next;
        peer->over->n_peers--;
        (void) bus_drop(peer->over, peer->bus);
        free(peer);
}

OverBus *over_bus_free(OverBus *over) {
        if (!over)
                return NULL;
        while (over->peers)
                peer_free(over->peers);
        event_source_drop(&over->listen);
        event_source_drop(&over->again);
        if (over->listen_fd >= 0)
                (void) close(over->listen_fd);
        (void) bus_drop(over, over->system);
        (void) authority_free(over->authority);
        (void) bus_objects_free(over->objects);
        (void) sd_event_unref(over->event);
        free(over->trouble);
        free(over);
        return NULL;
}

/* ---- the system bus ---- */
static void system_open(OverBus *over);

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        system_open(userdata);
        return 0;
}

/* The same trouble again is not told again. */
static void system_away(OverBus *over, ErrorId id, const char *remedy, int r, const char *what) {
        _cleanup_error_ Error e = {};

        if (over->system)
                over->told_until = bus_objects_now(over->objects);
        over->system = bus_drop(over, over->system);
        (void) error_set(&e, id, remedy, "%s: %s", what, strerror(-r));
        if (e.detail && !text_equal(e.detail, over->trouble) && over->told)
                over->told(false, &e, over->told_userdata);
        free(over->trouble);
        over->trouble = e.detail ? strdup(e.detail) : NULL;
        if (event_timer_set(over->event, &over->again, over->backoff_usec, "system-bus-again", on_again,
                            over) < 0 &&
            over->told) {
                error_done(&e);
                (void) error_set(&e, ERROR_OUT_OF_MEMORY, "Restart the service",
                                 "The system bus is not asked for again: no timer is left");
                over->told(false, &e, over->told_userdata);
        }
        over->backoff_usec = over->backoff_usec > BACKOFF_MAX_USEC / 2 ? BACKOFF_MAX_USEC
                                                                       : over->backoff_usec * 2;
}

static int on_system_gone(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        system_away(userdata, ERROR_UNAVAILABLE, NULL, -ECONNRESET,
                    "The system bus went away, and is asked for again");
        return 0;
}

static int on_named(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        OverBus *over = userdata;
        uint32_t answer = 0;
        int r = -sd_bus_message_get_errno(m);

        if (r == 0)
                r = sd_bus_message_read(m, "u", &answer);
        if (r >= 0 && answer != 1 && answer != 4) /* neither PRIMARY_OWNER nor ALREADY_OWNER */
                r = -EEXIST;
        if (r < 0) {
                system_away(over, r == -EEXIST ? ERROR_ALREADY_RUNNING : ERROR_UNAVAILABLE,
                            r == -EEXIST ? "Stop the other instance"
                                         : "See that org.terrafusion.conf is in dbus-1/system.d, then: "
                                           "systemctl reload dbus",
                            r, "The name on the system bus was refused, and is asked for again");
                return 0;
        }
        over->backoff_usec = BACKOFF_MIN_USEC;
        free(over->trouble);
        over->trouble = NULL;
        if (over->was_there)
                bus_objects_tell(over->objects, over->system, over->told_until);
        over->was_there = true;
        if (over->told)
                over->told(true, NULL, over->told_userdata);
        return 0;
}

static void system_open(OverBus *over) {
        int r;

        r = sd_bus_open_system(&over->system);
        if (r < 0) {
                system_away(over, ERROR_UNAVAILABLE, NULL, r, "There is no system bus");
                return;
        }
        r = bus_objects_join(over->objects, over->system);
        if (r >= 0)
                r = sd_bus_match_signal_async(over->system, NULL, "org.freedesktop.DBus.Local", NULL,
                                              "org.freedesktop.DBus.Local", "Disconnected", on_system_gone,
                                              NULL, over);
        if (r >= 0)
                r = sd_bus_attach_event(over->system, over->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_request_name_async(over->system, NULL, over->service->name, 0, on_named, over);
        if (r < 0)
                system_away(over, ERROR_UNAVAILABLE, NULL, r, "The system bus cannot be used");
}

void over_bus_serve_system(OverBus *over, over_bus_told_t told, void *userdata) {
        over->told = told;
        over->told_userdata = userdata;
        system_open(over);
}

/* ---- the private socket ---- */
/* A client library greets a bus first; on a private socket we are the bus. */
static int on_hello(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello"))
                return sd_bus_reply_method_return(m, "s", ":1.1");
        return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        peer_free(userdata);
        return 1;
}

static int peer_start(Peer *peer, int fd) {
        sd_id128_t id;
        int r;

        if ((r = sd_id128_randomize(&id)) < 0 || (r = sd_bus_new(&peer->bus)) < 0 ||
            (r = sd_bus_set_fd(peer->bus, fd, fd)) < 0 || (r = sd_bus_set_server(peer->bus, 1, id)) < 0 ||
            (r = sd_bus_set_sender(peer->bus, peer->over->service->name)) < 0 ||
            (r = sd_bus_negotiate_creds(peer->bus, 1, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID)) < 0 ||
            (r = sd_bus_add_filter(peer->bus, NULL, on_hello, peer)) < 0 ||
            (r = bus_objects_join(peer->over->objects, peer->bus)) < 0 ||
            (r = sd_bus_match_signal_async(peer->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                           "org.freedesktop.DBus.Local", "Disconnected", on_disconnected,
                                           NULL, peer)) < 0 ||
            (r = sd_bus_start(peer->bus)) < 0)
                return r;
        return sd_bus_attach_event(peer->bus, peer->over->event, SD_EVENT_PRIORITY_NORMAL);
}

static int on_connection(sd_event_source *source, int listen_fd, uint32_t events, void *userdata) {
        OverBus *over = userdata;
        _cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct ucred who;
        socklen_t size = sizeof(who);
        Peer *peer;

        if (fd < 0 || over->n_peers >= BUS_CONNECTIONS_MAX ||
            getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 ||
            (who.uid != 0 && who.uid != geteuid()))
                return 0;
        peer = calloc(1, sizeof(Peer));
        if (!peer)
                return 0;
        *peer = (Peer){.over = over, .next = over->peers};
        over->peers = peer;
        over->n_peers++;
        if (peer_start(peer, fd) < 0) {
                /* sd_bus closes what it was given; before that the descriptor is still ours. */
                if (peer->bus && sd_bus_get_fd(peer->bus) >= 0)
                        (void) TAKE_FD(fd);
                peer_free(peer);
        } else
                (void) TAKE_FD(fd);
        return 0;
}

int over_bus_serve_socket(OverBus *over, int fd, Error *error) {
        int r = sd_event_add_io(over->event, &over->listen, fd, EPOLLIN, on_connection, over);

        if (r < 0)
                return error_set(error, ERROR_INTERNAL, NULL, "The private bus could not be served: %s",
                                 strerror(-r));
        (void) sd_event_source_set_description(over->listen, "private-bus");
        over->listen_fd = fd;
        return 0;
}
