/* SPDX-License-Identifier: Apache-2.0 */
#include "api/bus-service.h"

#include <errno.h>

#include "api/bus-message.h"
#include "basic/text.h"
#include "model/operation.h"
#include "model/pair.h"
#include "model/system.h"

static const Field manager_fields[] = {
        {"version", FIELD_TEXT, .summary = "Of the service."},
        {"instance", FIELD_TEXT, .summary = "A UUID, new with each start."},
        {"operations_running", FIELD_INTEGER, .summary = "Operations whose worker runs."},
        {"operations_waiting", FIELD_INTEGER, .summary = "Operations that wait."},
        {0},
};

static const BusSignal manager_signals[] = {
        {"OperationStarted", "oss", "operation\0sync_pair_id\0kind\0",
         "The first attempt of an operation began."},
        {"OperationFinished", "osss", "operation\0sync_pair_id\0kind\0status\0", "An operation is over."},
        {"FindingRaised", "osssss", "operation\0sync_pair_id\0entity\0severity\0rule\0field\0",
         "A rule spoke against a record; only the first ones of each entity are told, and never what is in "
         "the record."},
        {0},
};

const BusService bus_sync1 = {
        .name = BUS_NAME,
        .path = BUS_PATH,
        .actions = "org.terrafusion.sync1.",
        .daemon = DAEMON_SYNCD,
        .objects =
                {
                        [OBJECT_MANAGER] = {BUS_INTERFACE, NULL, NULL, manager_fields, manager_signals},
                        [OBJECT_OPERATION] = {"org.terrafusion.Sync1.Operation", "operation", "id",
                                              operation_document_fields, NULL},
                        [OBJECT_PAIR] = {"org.terrafusion.Sync1.Pair", "pair", "name", pair_document_fields,
                                         NULL},
                        [OBJECT_SYSTEM] = {"org.terrafusion.Sync1.System", "system", "name",
                                           system_document_fields, NULL},
                },
};

/* The members of /status, in its words. */
static const Field gateway_fields[] = {
        {"version", FIELD_TEXT, .summary = "Of the gateway."},
        {"sync_service_status", FIELD_TEXT, .summary = "running, not responding or not running."},
        {"restarts", FIELD_INTEGER, .summary = "How often the sync service was started again."},
        {"last_restart", FIELD_TIMESTAMP, .summary = "When, the last time."},
        {"last_cause", FIELD_TEXT, .summary = "Why, the last time."},
        {0},
};

const BusService bus_gateway1 = {
        .name = GATEWAY_BUS_NAME,
        .path = GATEWAY_BUS_PATH,
        .actions = "org.terrafusion.gateway1.",
        .daemon = DAEMON_GATEWAY,
        .objects = {[OBJECT_MANAGER] = {GATEWAY_BUS_NAME, NULL, NULL, gateway_fields, NULL}},
};

char *bus_object_path(const BusService *service, ObjectKind kind, const char *id) {
        _cleanup_free_ char *prefix = NULL;
        const char *folder = service->objects[kind].folder;
        char *path = NULL;

        if (asprintf(&prefix, "%s%s%s", service->path, folder ? "/" : "", folder ?: "") < 0) {
                prefix = NULL;
                return NULL;
        }
        if (!id || !folder)
                return TAKE_PTR(prefix);
        return sd_bus_path_encode(prefix, id, &path) < 0 ? NULL : path;
}

/* ---- vtables ---- */
static size_t fields_count(const Field *fields) {
        size_t n = 0;

        while (fields && fields[n].type != FIELD_NONE)
                n++;
        return n;
}

static size_t signals_count(const BusSignal *signals) {
        size_t n = 0;

        while (signals && signals[n].member)
                n++;
        return n;
}

/* The name that a command has on an object of that kind; NULL: it is not there. */
static const char *member_on(const BusService *service, ObjectKind kind, const Command *command) {
        if (command->daemon != service->daemon)
                return NULL;
        if (kind == OBJECT_MANAGER)
                return command->member;
        return command->object == kind ? command->object_member : NULL;
}

static const Arg *bound_arg(ObjectKind kind, const Command *command) {
        return kind == OBJECT_MANAGER ? NULL : command_path_arg(command);
}

static const char *result_name(const Command *command) {
        return command->result == RESULT_OPERATION ? "operation" : "result";
}

static const char *result_type(const Command *command) {
        return command->result == RESULT_OPERATION ? "o" : "s";
}

/* "sync_pair_id\0kind\0options\0operation\0": of all arguments in, then out. */
static char *method_names(const Command *command, const Arg *bound) {
        _cleanup_free_ char *names = NULL;
        size_t size;
        FILE *f = open_memstream(&names, &size);

        if (!f)
                return NULL;
        for (size_t i = 0; i < command_n_args(command); i++)
                if (arg_is_positional(command->args + i) && command->args + i != bound)
                        (void) fwrite(command->args[i].name, 1, strlen(command->args[i].name) + 1, f);
        if (command_bus_has_options(command))
                (void) fwrite("options", 1, sizeof("options"), f);
        (void) fwrite(result_name(command), 1, strlen(result_name(command)) + 1, f);
        return fclose(f) == 0 ? TAKE_PTR(names) : NULL;
}

sd_bus_vtable *bus_vtable_free(sd_bus_vtable *vtable) {
        for (sd_bus_vtable *v = vtable; v && v->type != _SD_BUS_VTABLE_END; v++)
                if (v->type == _SD_BUS_VTABLE_METHOD) {
                        free((char *) v->x.method.signature);
                        free((char *) v->x.method.names);
                } else if (v->type == _SD_BUS_VTABLE_PROPERTY)
                        free((char *) v->x.property.member);
        free(vtable);
        return NULL;
}

static int methods_fill(const BusService *service, ObjectKind kind, sd_bus_message_handler_t on_method,
                        sd_bus_vtable **v) {
        for (unsigned id = 0; id < _COMMAND_MAX; id++) {
                const Command *command = commands + id;
                const char *member = member_on(service, kind, command);

                if (!member)
                        continue;
                **v = (sd_bus_vtable) SD_BUS_METHOD(
                        member, command_bus_signature(command, bound_arg(kind, command)),
                        result_type(command), on_method, SD_BUS_VTABLE_UNPRIVILEGED);
                (*v)->x.method.names = method_names(command, bound_arg(kind, command));
                if (!(*v)->x.method.signature || !(*v)->x.method.names)
                        return -ENOMEM;
                (*v)++;
        }
        return 0;
}

sd_bus_vtable *bus_vtable_new(const BusService *service, ObjectKind kind, sd_bus_message_handler_t on_method,
                              sd_bus_property_get_t get) {
        const BusInterface *interface = service->objects + kind;
        size_t n_fields = fields_count(interface->fields), n_signals = signals_count(interface->signals);
        _cleanup_(bus_vtable_freep) sd_bus_vtable *vtable = NULL;
        sd_bus_vtable *v;

        v = calloc(_COMMAND_MAX + n_fields + n_signals + 2, sizeof(sd_bus_vtable));
        if (!v)
                return NULL;
        for (size_t i = 0; i < _COMMAND_MAX + n_fields + n_signals + 2; i++)
                v[i] = (sd_bus_vtable) SD_BUS_VTABLE_END; /* so that a half-built one can be freed */
        vtable = v;
        *v++ = (sd_bus_vtable) SD_BUS_VTABLE_START(0);
        if (methods_fill(service, kind, on_method, &v) < 0)
                return NULL;
        for (size_t i = 0; i < n_fields; i++, v++) {
                *v = (sd_bus_vtable) SD_BUS_PROPERTY(field_bus_name(interface->fields[i].name),
                                                     field_bus_type(interface->fields[i].type), get, 0,
                                                     SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE);
                if (!v->x.property.member)
                        return NULL;
        }
        for (size_t i = 0; i < n_signals; i++, v++) {
                *v = (sd_bus_vtable) SD_BUS_SIGNAL(interface->signals[i].member,
                                                   interface->signals[i].signature, 0);
                v->x.signal.names = interface->signals[i].arguments;
        }
        return TAKE_PTR(vtable);
}

const Field *bus_property_field(const BusInterface *interface, const char *property) {
        for (size_t i = 0; i < fields_count(interface->fields); i++) {
                _cleanup_free_ char *name = field_bus_name(interface->fields[i].name);

                if (name && text_equal(name, property))
                        return interface->fields + i;
        }
        return NULL;
}

/* ---- introspection ---- */
static void text_print(FILE *f, const char *text) {
        for (; text && *text; text++)
                switch (*text) {
                case '<':
                        (void) fputs("&lt;", f);
                        break;
                case '&':
                        (void) fputs("&amp;", f);
                        break;
                case '"':
                        (void) fputs("&quot;", f);
                        break;
                default:
                        (void) fputc(*text, f);
                        break;
                }
}

static void summary_print(FILE *f, const char *summary) {
        (void) fputs("   <annotation name=\"org.gtk.GDBus.DocString\" value=\"", f);
        text_print(f, summary);
        (void) fputs("\"/>\n", f);
}

/* The length of the first complete type of a signature that has only simple ones, arrays of them and a{sv}. */
static size_t type_length(const char *signature) {
        if (*signature != 'a')
                return 1;
        return signature[1] == '{' ? strcspn(signature, "}") + 1 : 2;
}

static const char *args_print(FILE *f, const char *signature, const char *names, const char *direction) {
        while (*signature) {
                size_t n = type_length(signature);

                (void) fprintf(f, "   <arg type=\"%.*s\" name=\"%s\"%s/>\n", (int) n, signature, names,
                               direction);
                signature += n;
                names += strlen(names) + 1;
        }
        return names;
}

static void member_print(const BusService *service, ObjectKind kind, const sd_bus_vtable *v, FILE *f) {
        const BusInterface *interface = service->objects + kind;
        const char *names;

        switch (v->type) {
        case _SD_BUS_VTABLE_METHOD:
                (void) fprintf(f, "  <method name=\"%s\">\n", v->x.method.member);
                names = args_print(f, v->x.method.signature, v->x.method.names, " direction=\"in\"");
                (void) args_print(f, v->x.method.result, names, " direction=\"out\"");
                summary_print(f,
                              commands[command_by_object_member(service->daemon, kind, v->x.method.member)]
                                      .summary);
                (void) fputs("  </method>\n", f);
                break;
        case _SD_BUS_VTABLE_PROPERTY:
                (void) fprintf(f, "  <property name=\"%s\" type=\"%s\" access=\"read\">\n",
                               v->x.property.member, v->x.property.signature);
                summary_print(f, bus_property_field(interface, v->x.property.member)->summary);
                (void) fputs("  </property>\n", f);
                break;
        case _SD_BUS_VTABLE_SIGNAL:
                (void) fprintf(f, "  <signal name=\"%s\">\n", v->x.signal.member);
                (void) args_print(f, v->x.signal.signature, v->x.signal.names, "");
                for (const BusSignal *s = interface->signals; s->member; s++)
                        if (text_equal(s->member, v->x.signal.member))
                                summary_print(f, s->summary);
                (void) fputs("  </signal>\n", f);
                break;
        default:
                break;
        }
}

static int on_nothing(sd_bus_message *m, void *userdata, sd_bus_error *error) { return -EOPNOTSUPP; }

static int get_nothing(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return -EOPNOTSUPP;
}

int bus_service_print(const BusService *service, FILE *f) {
        (void) fprintf(f,
                       "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
                       "\"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
                       "<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Printed by the program itself "
                       "(print=introspection). -->\n<node>\n");
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                _cleanup_(bus_vtable_freep) sd_bus_vtable *vtable = NULL;
                _cleanup_free_ char *path = NULL;

                if (!service->objects[kind].name)
                        continue;
                vtable = bus_vtable_new(service, kind, on_nothing, get_nothing);
                path = bus_object_path(service, kind, NULL);
                if (!vtable || !path)
                        return -ENOMEM;
                (void) fprintf(f, " <!-- %s%s%s%s -->\n <interface name=\"%s\">\n", path,
                               service->objects[kind].folder ? "/{" : "", service->objects[kind].id ?: "",
                               service->objects[kind].folder ? "}" : "", service->objects[kind].name);
                for (const sd_bus_vtable *v = vtable; v->type != _SD_BUS_VTABLE_END; v++)
                        member_print(service, kind, v, f);
                (void) fputs(" </interface>\n", f);
        }
        return fputs("</node>\n", f) < 0 || ferror(f) ? -EIO : 0;
}
