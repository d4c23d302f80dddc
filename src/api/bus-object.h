/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The objects that a daemon shows on its buses, each with the document last published of it. Asking and change signals are answered
 * from that document, so they never disagree and cost no handler. In the daemons. */
#include "api/bus-service.h"

typedef struct BusObjects BusObjects;
typedef struct BusObject BusObject;

/* on_method gets the BusObject as userdata. owner: for bus_object_owner(). */
_must_check_ int bus_objects_new(const BusService *service, sd_bus_message_handler_t on_method, void *owner, BusObjects **ret);
BusObjects *bus_objects_free(BusObjects *objects);      /* after all of its buses */
DEFINE_CLEANUP(BusObjects, bus_objects_free)

/* Shows the objects on a bus, from now on in the set that hears of changes. */
_must_check_ int bus_objects_join(BusObjects *objects, sd_bus *bus);
void bus_objects_leave(BusObjects *objects, sd_bus *bus);       /* takes it out of the set; its tables go with the bus */

/* Publishes a document (taken over; NULL: -ENOMEM) under the member that names it: InterfacesAdded, or PropertiesChanged with what differs. */
int bus_objects_put(BusObjects *objects, ObjectKind kind, json_t *document);
void bus_objects_drop(BusObjects *objects, ObjectKind kind, const char *id);    /* InterfacesRemoved */
/* Drops those of a kind that are not named in ids, an array of texts. */
void bus_objects_keep(BusObjects *objects, ObjectKind kind, const json_t *ids);
/* A signal of the manager, on every bus; type letters and arguments as sd_bus_message_append() takes them. */
void bus_objects_signal(BusObjects *objects, const char *member, const char *types, ...);
/* Tells a bus that came back of all operations that changed while it was away. */
void bus_objects_tell(BusObjects *objects, sd_bus *bus, uint64_t since);
uint64_t bus_objects_now(const BusObjects *objects);    /* a count of changes, for since */

void *bus_object_owner(const BusObject *object);
ObjectKind bus_object_kind(const BusObject *object);
const char *bus_object_id(const BusObject *object);     /* NULL of the manager */
