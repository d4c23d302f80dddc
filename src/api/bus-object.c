/* SPDX-License-Identifier: Apache-2.0 */
#include "api/bus-object.h"

#include <errno.h>
#include <stdarg.h>
#include <uthash.h>

#include "api/bus-message.h"
#include "basic/json.h"
#include "basic/text.h"

struct BusObject {
        BusObjects *set;
        ObjectKind kind;
        char *id, *path;
        json_t *document;
        uint64_t changed_at; /* bus_objects_now() of its last change */
        UT_hash_handle hh;   /* by path */
};

typedef struct Kind {
        BusObjects *set;
        ObjectKind kind;
        sd_bus_vtable *vtable;
} Kind;

struct BusObjects {
        const BusService *service;
        void *owner;
        Kind kinds[_OBJECT_KIND_MAX];
        BusObject *by_path; /* in the order in which they came */
        sd_bus **buses;
        size_t n_buses, buses_capacity;
        uint64_t n_changes;
};

void *bus_object_owner(const BusObject *object) { return object->set->owner; }
ObjectKind bus_object_kind(const BusObject *object) { return object->kind; }
const char *bus_object_id(const BusObject *object) { return object->id; }
uint64_t bus_objects_now(const BusObjects *objects) { return objects->n_changes; }

static BusObject *object_free(BusObject *object) {
        if (!object)
                return NULL;
        json_decref(object->document);
        free(object->id);
        free(object->path);
        free(object);
        return NULL;
}
DEFINE_CLEANUP(BusObject, object_free)

static BusObject *object_find(BusObjects *set, const char *path) {
        BusObject *object = NULL;

        HASH_FIND_STR(set->by_path, path, object);
        return object;
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const BusObject *object = userdata;
        const Field *field = bus_property_field(object->set->service->objects + object->kind, property);

        return field ? field_bus_append(field, object->document, reply) : -ENXIO;
}

static int on_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
                   sd_bus_error *error) {
        const Kind *kind = userdata;
        BusObject *object = object_find(kind->set, path);

        if (!object || object->kind != kind->kind)
                return 0;
        *ret = object;
        return 1;
}

static int on_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        const Kind *kind = userdata;
        char **paths = calloc(HASH_COUNT(kind->set->by_path) + 1, sizeof(char *));
        size_t n = 0;

        if (!paths)
                return -ENOMEM;
        for (const BusObject *object = kind->set->by_path; object; object = object->hh.next) {
                if (object->kind != kind->kind)
                        continue;
                paths[n] = strdup(object->path);
                if (!paths[n++]) {
                        (void) strings_free(paths);
                        return -ENOMEM;
                }
        }
        *ret = paths;
        return 0;
}

static int object_new(BusObjects *set, ObjectKind kind, const char *id, BusObject **ret) {
        _cleanup_(object_freep) BusObject *object = calloc(1, sizeof(BusObject));

        if (!object)
                return -ENOMEM;
        *object = (BusObject){.set = set,
                              .kind = kind,
                              .id = id ? strdup(id) : NULL,
                              .document = json_object(),
                              .path = bus_object_path(set->service, kind, id)};
        if ((id && !object->id) || !object->document || !object->path)
                return -ENOMEM;
        HASH_ADD_KEYPTR(hh, set->by_path, object->path, strlen(object->path), object);
        *ret = TAKE_PTR(object);
        return 0;
}

int bus_objects_new(const BusService *service, sd_bus_message_handler_t on_method, void *owner,
                    BusObjects **ret) {
        _cleanup_(bus_objects_freep) BusObjects *set = calloc(1, sizeof(BusObjects));
        BusObject *manager;
        int r;

        if (!set)
                return -ENOMEM;
        set->service = service;
        set->owner = owner;
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                set->kinds[kind] = (Kind){.set = set, .kind = kind};
                if (!service->objects[kind].name)
                        continue;
                set->kinds[kind].vtable = bus_vtable_new(service, kind, on_method, get_property);
                if (!set->kinds[kind].vtable)
                        return -ENOMEM;
        }
        r = object_new(set, OBJECT_MANAGER, NULL, &manager);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(set);
        return 0;
}

BusObjects *bus_objects_free(BusObjects *set) {
        BusObject *object, *next;

        if (!set)
                return NULL;
        HASH_ITER(hh, set->by_path, object, next) {
                HASH_DELETE(hh, set->by_path, object);
                (void) object_free(object);
        }
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                (void) bus_vtable_free(set->kinds[kind].vtable);
        free(set->buses);
        free(set);
        return NULL;
}

static int kind_join(Kind *kind, sd_bus *bus) {
        const BusService *service = kind->set->service;
        const BusInterface *interface = service->objects + kind->kind;
        _cleanup_free_ char *folder = bus_object_path(service, kind->kind, NULL);
        int r;

        if (!folder)
                return -ENOMEM;
        if (!interface->folder)
                return sd_bus_add_object_vtable(bus, NULL, folder, interface->name, kind->vtable,
                                                object_find(kind->set, folder));
        r = sd_bus_add_fallback_vtable(bus, NULL, folder, interface->name, kind->vtable, on_find, kind);
        return r < 0 ? r : sd_bus_add_node_enumerator(bus, NULL, folder, on_enumerate, kind);
}

int bus_objects_join(BusObjects *set, sd_bus *bus) {
        int r;

        r = array_grow(&set->buses, &set->buses_capacity, set->n_buses + 1, sizeof(sd_bus *));
        if (r < 0)
                return r;
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                if (!set->service->objects[kind].name)
                        continue;
                r = kind_join(set->kinds + kind, bus);
                if (r < 0)
                        return r;
        }
        r = sd_bus_add_object_manager(bus, NULL, set->service->path);
        if (r < 0)
                return r;
        set->buses[set->n_buses++] = bus;
        return 0;
}

void bus_objects_leave(BusObjects *set, sd_bus *bus) {
        for (size_t i = 0; i < set->n_buses; i++)
                if (set->buses[i] == bus) {
                        set->buses[i] = set->buses[--set->n_buses];
                        return;
                }
}

/* Names of the properties that differ, for sd_bus_emit_properties_changed_strv(). */
static int changes_find(const BusInterface *interface, const json_t *before, const json_t *after,
                        char ***ret) {
        _cleanup_strings_ char **names = NULL;

        for (const Field *field = interface->fields; field->type != FIELD_NONE; field++) {
                const json_t *a = json_object_get(before, field->name),
                             *b = json_object_get(after, field->name);
                _cleanup_free_ char *name = NULL;

                if (a == b || (a && b && json_equal(a, b)))
                        continue;
                name = field_bus_name(field->name);
                if (!name || strings_append(&names, name) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(names);
        return 0;
}

static int object_change(BusObject *object, json_t *document) {
        const BusInterface *interface = object->set->service->objects + object->kind;
        _cleanup_strings_ char **names = NULL;
        int r;

        r = changes_find(interface, object->document, document, &names);
        json_decref(object->document);
        object->document = document;
        if (r < 0 || !names)
                return r;
        object->changed_at = ++object->set->n_changes;
        for (size_t i = 0; i < object->set->n_buses; i++)
                (void) sd_bus_emit_properties_changed_strv(object->set->buses[i], object->path,
                                                           interface->name, names);
        return 0;
}

int bus_objects_put(BusObjects *set, ObjectKind kind, json_t *document) {
        const BusInterface *interface = set->service->objects + kind;
        const char *id = interface->id ? json_member_text(document, interface->id) : NULL;
        _cleanup_free_ char *path = bus_object_path(set->service, kind, id);
        BusObject *object = path ? object_find(set, path) : NULL;
        int r;

        if (!document || !path || (interface->id && !id)) {
                json_decref(document);
                return document && path ? -EINVAL : -ENOMEM;
        }
        if (object)
                return object_change(object, document);
        r = object_new(set, kind, id, &object);
        if (r < 0) {
                json_decref(document);
                return r;
        }
        json_decref(object->document);
        object->document = document;
        object->changed_at = ++set->n_changes;
        for (size_t i = 0; i < set->n_buses; i++)
                (void) sd_bus_emit_object_added(set->buses[i], object->path);
        return 0;
}

static void object_drop(BusObject *object) {
        BusObjects *set = object->set;

        /* While it can still be found: sd-bus asks which interfaces it has. */
        for (size_t i = 0; i < set->n_buses; i++)
                (void) sd_bus_emit_object_removed(set->buses[i], object->path);
        HASH_DELETE(hh, set->by_path, object);
        (void) object_free(object);
}

void bus_objects_drop(BusObjects *set, ObjectKind kind, const char *id) {
        _cleanup_free_ char *path = bus_object_path(set->service, kind, id);
        BusObject *object = path ? object_find(set, path) : NULL;

        if (object)
                object_drop(object);
}

static bool texts_contain(const json_t *texts, const char *text) {
        const json_t *item;
        size_t i;

        json_array_foreach(texts, i, item) if (text_equal(json_string_value(item), text)) return true;
        return false;
}

void bus_objects_keep(BusObjects *set, ObjectKind kind, const json_t *ids) {
        BusObject *object, *next;

        HASH_ITER(hh, set->by_path, object, next)
        if (object->kind == kind && !texts_contain(ids, object->id))
                object_drop(object);
}

void bus_objects_signal(BusObjects *set, const char *member, const char *types, ...) {
        const BusInterface *interface = set->service->objects + OBJECT_MANAGER;

        for (size_t i = 0; i < set->n_buses; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
                va_list arguments;
                int r;

                r = sd_bus_message_new_signal(set->buses[i], &m, set->service->path, interface->name,
                                              member);
                if (r < 0)
                        continue;
                va_start(arguments, types);
                r = sd_bus_message_appendv(m, types, arguments);
                va_end(arguments);
                if (r >= 0)
                        (void) sd_bus_send(set->buses[i], m, NULL);
        }
}

void bus_objects_tell(BusObjects *set, sd_bus *bus, uint64_t since) {
        for (const BusObject *object = set->by_path; object; object = object->hh.next)
                if (object->kind != OBJECT_MANAGER && object->changed_at > since)
                        (void) sd_bus_emit_object_added(bus, object->path);
}
