/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What each daemon is on the bus: name, kinds of objects with their interfaces and properties, signals. Vtables and introspection are made
 * from this and the command table. In the daemons; terrafusionctl reads the names. */
#include "api/command.h"
#include "model/field.h"
#include <systemd/sd-bus.h>

#define BUS_NAME "org.terrafusion.Sync1"
#define BUS_PATH "/org/terrafusion/Sync1"
#define BUS_INTERFACE "org.terrafusion.Sync1.Manager"

#define GATEWAY_BUS_NAME "org.terrafusion.Gateway1"
#define GATEWAY_BUS_PATH "/org/terrafusion/Gateway1"

typedef struct BusSignal {
        const char *member, *signature;
        const char *arguments;          /* "operation\0sync_pair_id\0" */
        const char *summary;
} BusSignal;

/* What one kind of object has. A document of it is published; its members are the properties. */
typedef struct BusInterface {
        const char *name;               /* "org.terrafusion.Sync1.Operation"; NULL: there are none of that kind */
        const char *folder;             /* "operation"; NULL: the one object at the service's path */
        const char *id;                 /* member of the document that names it: "id" */
        const Field *fields;
        const BusSignal *signals;       /* end with a NULL member; may be NULL */
} BusInterface;

typedef struct BusService {
        const char *name, *path;
        const char *actions;            /* of polkit, before the scope: "org.terrafusion.sync1." */
        Daemon daemon;
        BusInterface objects[_OBJECT_KIND_MAX];
} BusService;
extern const BusService bus_sync1, bus_gateway1;

/* "/org/terrafusion/Sync1/operation/_30192…", allocated. id NULL: the folder (or the one object). */
char *bus_object_path(const BusService *service, ObjectKind kind, const char *id);

/* sd-bus keeps pointers into a vtable: it lives as long as its buses. on_method is called for each command; a property is got by get. */
sd_bus_vtable *bus_vtable_new(const BusService *service, ObjectKind kind, sd_bus_message_handler_t on_method, sd_bus_property_get_t get);
sd_bus_vtable *bus_vtable_free(sd_bus_vtable *vtable);
DEFINE_CLEANUP(sd_bus_vtable, bus_vtable_free)
const Field *bus_property_field(const BusInterface *interface, const char *property);   /* "SyncPairId"; NULL where unknown */
/* Introspection data of all interfaces, for dbus/NAME.xml. */
_must_check_ int bus_service_print(const BusService *service, FILE *f);
