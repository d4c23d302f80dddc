/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The command table on D-Bus: on the system bus, which may come later or restart, and on a private socket. In the daemons.
 * Each command is a method of the manager, and of the object it is about, too. Answers are as RESULT_x says; errors are
 * org.terrafusion.Error.NAME with "detail. remedy" as text. Reading is for everyone (but see tells_records); root and our own user may all;
 * for the rest polkit is asked, for the action of the command's scope. */
#include "api/bus-object.h"
#include "api/request.h"
#include <systemd/sd-event.h>

typedef struct OverBus OverBus;
/* is_there: the name is ours now. Else why it is not (no bus, refused, lost); it is tried again by itself. Told once for each change. */
typedef void (*over_bus_told_t)(bool is_there, const Error *error, void *userdata);

_must_check_ int over_bus_new(sd_event *event, const BusService *service, const Api *api, OverBus **ret);       /* api is borrowed */
OverBus *over_bus_free(OverBus *over);
DEFINE_CLEANUP(OverBus, over_bus_free)
/* Serves the name on the system bus (DBUS_SYSTEM_BUS_ADDRESS names another) as soon as there is one, and again after it was away. */
void over_bus_serve_system(OverBus *over, over_bus_told_t told, void *userdata);
/* Serves connections of a listening unix socket (sync1.bus), peer's uid root or ours only; takes fd over on success. */
_must_check_ int over_bus_serve_socket(OverBus *over, int fd, Error *error);
BusObjects *over_bus_objects(OverBus *over);    /* to publish in; borrowed */
