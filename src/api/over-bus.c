/* SPDX-License-Identifier: Apache-2.0 */
#include "api/over-bus.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "basic/event.h"
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"

#define BUS_CONNECTIONS_MAX 64U /* command lines at once on the private socket */

typedef struct Peer {
        OverBus *over;
        sd_bus *bus;
        struct Peer *next;
} Peer;

struct OverBus {
        sd_event *event;
        const Api *api;
        sd_bus_vtable *vtable;          /* sd-bus keeps pointers into it: it lives as long as the buses */
        sd_bus *system;
        sd_event_source *listen;
        int listen_fd;
        Peer *peers;
        size_t n_peers;
};

static const char signatures[_ARG_TYPE_MAX] = {
        [ARG_TEXT] = 's', [ARG_INTEGER] = 'x', [ARG_BOOLEAN] = 'b', [ARG_OBJECT] = 's', [ARG_TEXTS] = 'a',
};

static bool has_optional(const Command *command) {
        for (size_t i = 0; i < command_n_args(command); i++)
                if (!command->args[i].required)
                        return true;
        return false;
}

char *command_bus_signature(const Command *command) {
        char signature[COMMAND_ARGS_MAX * 2 + 8];
        size_t n = 0;

        for (size_t i = 0; i < command_n_args(command); i++)
                if (command->args[i].required) {
                        signature[n++] = signatures[command->args[i].type];
                        if (command->args[i].type == ARG_TEXTS)
                                signature[n++] = 's';
                }
        (void) snprintf(signature + n, sizeof(signature) - n, "%s", has_optional(command) ? "a{sv}" : "");
        return strdup(signature);
}

/* ---- JSON → message ---- */
static int append_texts(const json_t *value, sd_bus_message *m) {
        int r = sd_bus_message_open_container(m, 'a', "s");

        for (size_t i = 0; r >= 0 && i < json_array_size(value); i++)
                r = sd_bus_message_append(m, "s", json_string_value(json_array_get(value, i)));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(const Arg *arg, const json_t *value, sd_bus_message *m) {
        _cleanup_free_ char *text = NULL;

        switch (arg->type) {
        case ARG_INTEGER:
                return sd_bus_message_append(m, "x", (int64_t) json_integer_value(value));
        case ARG_BOOLEAN:
                return sd_bus_message_append(m, "b", (int) json_is_true(value));
        case ARG_TEXTS:
                return append_texts(value, m);
        case ARG_OBJECT:
                text = json_dumps(value, JSON_COMPACT);
                return text ? sd_bus_message_append(m, "s", text) : -ENOMEM;
        default:
                return sd_bus_message_append(m, "s", json_string_value(value) ?: "");
        }
}

static int append_optional(const Arg *arg, const json_t *value, sd_bus_message *m) {
        const char *type = arg->type == ARG_INTEGER ? "x" : arg->type == ARG_BOOLEAN ? "b" : arg->type == ARG_TEXTS ? "as" : "s";
        int r;

        if ((r = sd_bus_message_open_container(m, 'e', "sv")) < 0 || (r = sd_bus_message_append(m, "s", arg->name)) < 0 ||
            (r = sd_bus_message_open_container(m, 'v', type)) < 0 || (r = append_value(arg, value, m)) < 0 ||
            (r = sd_bus_message_close_container(m)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int command_bus_append(const Command *command, const json_t *given, sd_bus_message *m) {
        json_auto_t *args = NULL;
        int r;

        r = command_check_args(command, given, &args, NULL);
        for (size_t i = 0; r >= 0 && i < command_n_args(command); i++)
                if (command->args[i].required)
                        r = append_value(command->args + i, json_object_get(args, command->args[i].name), m);
        if (r < 0 || !has_optional(command))
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < command_n_args(command); i++) {
                const json_t *value = json_object_get(args, command->args[i].name);

                if (!command->args[i].required && value)
                        r = append_optional(command->args + i, value, m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- message → JSON ---- */
static int read_texts(sd_bus_message *m, json_t **ret) {
        json_auto_t *texts = json_array();
        const char *text;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0 || !texts)
                return r < 0 ? r : -ENOMEM;
        while ((r = sd_bus_message_read(m, "s", &text)) > 0)
                if (json_array_append_new(texts, json_text(text)) < 0)
                        return -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(texts);
        return sd_bus_message_exit_container(m);
}

/* What stands next in the message, by its own type: command_check_args() judges it. */
static int read_value(sd_bus_message *m, json_t **ret) {
        union { const char *s; int64_t x; uint64_t t; int32_t i; uint32_t u; int b; } v;
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r < 0 ? r : -ENXIO;
        if (type == 'a' && text_equal(contents, "s"))
                return read_texts(m, ret);
        if (!strchr("sxtiub", type))
                return -EINVAL;
        r = sd_bus_message_read_basic(m, type, &v);
        if (r < 0)
                return r;
        switch (type) {
        case 's': *ret = json_text(v.s); break;
        case 'x': *ret = json_integer(v.x); break;
        case 't': *ret = v.t > INT64_MAX ? json_text("too large") : json_integer((json_int_t) v.t); break;
        case 'i': *ret = json_integer(v.i); break;
        case 'u': *ret = json_integer(v.u); break;
        default:  *ret = json_boolean(v.b); break;
        }
        return *ret ? 0 : -ENOMEM;
}

static int read_optional(sd_bus_message *m, json_t *args) {
        const char *name, *contents;
        json_t *value = NULL;
        char type;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                if ((r = sd_bus_message_read(m, "s", &name)) < 0 || (r = sd_bus_message_peek_type(m, &type, &contents)) < 0 ||
                    (r = sd_bus_message_enter_container(m, 'v', contents)) < 0 || (r = read_value(m, &value)) < 0 ||
                    (r = json_put(args, name, TAKE_PTR(value))) < 0 || (r = sd_bus_message_exit_container(m)) < 0 ||
                    (r = sd_bus_message_exit_container(m)) < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_args(sd_bus_message *m, const Command *command, json_t **ret) {
        json_auto_t *args = json_object();
        json_t *value = NULL;
        int r;

        if (!args)
                return -ENOMEM;
        for (size_t i = 0; i < command_n_args(command); i++) {
                if (!command->args[i].required)
                        continue;
                r = read_value(m, &value);
                if (r >= 0)
                        r = json_put(args, command->args[i].name, TAKE_PTR(value));
                if (r < 0)
                        return r;
        }
        r = has_optional(command) ? read_optional(m, args) : 0;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(args);
        return 0;
}

/* ---- answers ---- */
static void face_answer(void *transport, int status, const char *content_type, const json_t *value, const char *text) {
        _cleanup_free_ char *dumped = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

        (void) sd_bus_reply_method_return(transport, "s", dumped ?: text ?: "");
}

static void face_fail(void *transport, const Error *error) {
        const char *remedy = error->remedy;

        (void) sd_bus_reply_method_errorf(transport, error_dbus_name(error->id), "%s%s%s", error->detail ?: error_title(error->id),
                                          remedy ? ". " : "", remedy ?: "");
}

static void face_release(void *transport) {
        (void) sd_bus_message_unref(transport);
}

static const ApiFace face = { NULL, face_answer, face_fail, face_release };

/* On the system bus by the sender's uid as the bus knows it, on a private socket by the peer's. */
static int caller_uid(OverBus *over, sd_bus_message *m, uid_t *ret) {
        sd_bus_creds *creds = NULL;
        int r;

        if (sd_bus_message_get_bus(m) == over->system)
                r = sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &creds);
        else
                r = sd_bus_get_owner_creds(sd_bus_message_get_bus(m), SD_BUS_CREDS_EUID, &creds);
        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, ret);
        (void) sd_bus_creds_unref(creds);
        return r;
}

static int on_method(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        OverBus *over = userdata;
        CommandId id = command_by_member(sd_bus_message_get_member(m));
        ApiCaller caller = { .via = "dbus", .request_id = "", .scopes = 1U << SCOPE_OPEN | 1U << SCOPE_READ };
        _cleanup_free_ char *name = NULL;
        json_auto_t *args = NULL;
        uid_t uid = (uid_t) -1;
        int r;

        r = caller_uid(over, m, &uid);
        if (r < 0)
                return r;
        if (uid == 0 || uid == geteuid())
                caller.scopes = SCOPES_ALL;
        if (id == _COMMAND_INVALID || asprintf(&name, "uid:%u", (unsigned) uid) < 0)
                return -EINVAL;
        caller.name = name;
        r = read_args(m, commands + id, &args);
        if (r < 0)
                return sd_bus_reply_method_errorf(m, error_dbus_name(ERROR_ARGUMENT), "The arguments of %s cannot be read: %s",
                                                  commands[id].member, strerror(-r));
        api_call(over->api, id, args, &caller, &face, sd_bus_message_ref(m));
        return 1;
}

/* ---- the vtable, made once from the table ---- */
static int method_names(const Command *command, char **ret) {
        _cleanup_free_ char *names = NULL;
        size_t size;
        FILE *f = open_memstream(&names, &size);

        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < command_n_args(command); i++)
                if (command->args[i].required)
                        (void) fwrite(command->args[i].name, 1, strlen(command->args[i].name) + 1, f);
        if (has_optional(command))
                (void) fwrite("options", 1, sizeof("options"), f);
        (void) fwrite("result", 1, sizeof("result"), f);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(names);
        return 0;
}

static sd_bus_vtable *vtable_free(sd_bus_vtable *vtable) {
        for (size_t i = 1; vtable && i <= _COMMAND_MAX; i++) {
                free((char *) vtable[i].x.method.signature);
                free((char *) vtable[i].x.method.names);
        }
        free(vtable);
        return NULL;
}

static sd_bus_vtable *vtable_new(void) {
        static const char changed_names[] = "id\0status\0";
        sd_bus_vtable *vtable = calloc(_COMMAND_MAX + 3, sizeof(sd_bus_vtable));

        if (!vtable)
                return NULL;
        vtable[0] = (sd_bus_vtable) SD_BUS_VTABLE_START(0);
        for (unsigned id = 0; id < _COMMAND_MAX; id++) {
                char *signature = command_bus_signature(commands + id), *names = NULL;
                int r = method_names(commands + id, &names);

                vtable[id + 1] = (sd_bus_vtable) SD_BUS_METHOD(commands[id].member, signature, "s", on_method, SD_BUS_VTABLE_UNPRIVILEGED);
                vtable[id + 1].x.method.names = names;
                if (!signature || r < 0)
                        return vtable_free(vtable);
        }
        vtable[_COMMAND_MAX + 1] = (sd_bus_vtable) SD_BUS_SIGNAL("OperationChanged", "ss", 0);
        vtable[_COMMAND_MAX + 1].x.signal.names = changed_names;
        vtable[_COMMAND_MAX + 2] = (sd_bus_vtable) SD_BUS_VTABLE_END;
        return vtable;
}

int over_bus_new(sd_event *event, const Api *api, OverBus **ret) {
        OverBus *over = calloc(1, sizeof(OverBus));

        if (!over)
                return -ENOMEM;
        over->event = sd_event_ref(event);
        over->api = api;
        over->listen_fd = -EBADF;
        over->vtable = vtable_new();
        if (!over->vtable) {
                (void) over_bus_free(over);
                return -ENOMEM;
        }
        *ret = over;
        return 0;
}

static void peer_free(Peer *peer) {
        Peer **place = &peer->over->peers;

        while (*place != peer)
                place = &(*place)->next;
        *place = peer->next;
        peer->over->n_peers--;
        (void) sd_bus_flush_close_unref(peer->bus);
        free(peer);
}

OverBus *over_bus_free(OverBus *over) {
        if (!over)
                return NULL;
        while (over->peers)
                peer_free(over->peers);
        event_source_drop(&over->listen);
        if (over->listen_fd >= 0)
                (void) close(over->listen_fd);
        (void) sd_bus_flush_close_unref(over->system);
        (void) vtable_free(over->vtable);
        (void) sd_event_unref(over->event);
        free(over);
        return NULL;
}

int over_bus_serve_system(OverBus *over, Error *error) {
        int r;

        if (sd_bus_open_system(&over->system) < 0)
                return 0;
        r = sd_bus_add_object_vtable(over->system, NULL, BUS_PATH, BUS_INTERFACE, over->vtable, over);
        if (r >= 0)
                r = sd_bus_request_name(over->system, BUS_NAME, 0);
        if (r >= 0)
                r = sd_bus_attach_event(over->system, over->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                return 1;
        over->system = sd_bus_flush_close_unref(over->system);
        return error_set(error, r == -EEXIST ? ERROR_ALREADY_RUNNING : ERROR_UNAVAILABLE, "Install the D-Bus policy, and stop other instances.",
                         "The name %s could not be had on the system bus: %s", BUS_NAME, strerror(-r));
}

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

        if ((r = sd_id128_randomize(&id)) < 0 || (r = sd_bus_new(&peer->bus)) < 0 || (r = sd_bus_set_fd(peer->bus, fd, fd)) < 0 ||
            (r = sd_bus_set_server(peer->bus, 1, id)) < 0 || (r = sd_bus_set_sender(peer->bus, BUS_NAME)) < 0 ||
            (r = sd_bus_negotiate_creds(peer->bus, 1, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID)) < 0 ||
            (r = sd_bus_add_filter(peer->bus, NULL, on_hello, peer)) < 0 ||
            (r = sd_bus_add_object_vtable(peer->bus, NULL, BUS_PATH, BUS_INTERFACE, peer->over->vtable, peer->over)) < 0 ||
            (r = sd_bus_match_signal_async(peer->bus, NULL, "org.freedesktop.DBus.Local", NULL, "org.freedesktop.DBus.Local",
                                           "Disconnected", on_disconnected, NULL, peer)) < 0 ||
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

        if (fd < 0 || over->n_peers >= BUS_CONNECTIONS_MAX || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 ||
            (who.uid != 0 && who.uid != geteuid()))
                return 0;
        peer = calloc(1, sizeof(Peer));
        if (!peer)
                return 0;
        *peer = (Peer) { .over = over, .next = over->peers };
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
                return error_set(error, ERROR_INTERNAL, NULL, "The private bus could not be served: %s", strerror(-r));
        (void) sd_event_source_set_description(over->listen, "private-bus");
        over->listen_fd = fd;
        return 0;
}

void over_bus_operation_changed(OverBus *over, const char *id, const char *status) {
        if (over->system)
                (void) sd_bus_emit_signal(over->system, BUS_PATH, BUS_INTERFACE, "OperationChanged", "ss", id, status);
        for (Peer *peer = over->peers; peer; peer = peer->next)
                (void) sd_bus_emit_signal(peer->bus, BUS_PATH, BUS_INTERFACE, "OperationChanged", "ss", id, status);
}
