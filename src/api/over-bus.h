/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The command table as D-Bus methods of org.terrafusion.Sync1.Manager at /org/terrafusion/Sync1. In syncd.
 * Required arguments are positional (s x b, as for texts, objects as JSON text in s), optional ones go in a last a{sv} (only there
 * where the row has some). Every method gives one s: the JSON document (or text) that HTTP gives. Errors are
 * org.terrafusion.Error.NAME with "detail. remedy" as text. Writes are for root and our own user only. */
#include "api/request.h"
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define BUS_NAME "org.terrafusion.Sync1"
#define BUS_PATH "/org/terrafusion/Sync1"
#define BUS_INTERFACE "org.terrafusion.Sync1.Manager"

typedef struct OverBus OverBus;
_must_check_ int over_bus_new(sd_event *event, const Api *api, OverBus **ret);  /* api is borrowed */
OverBus *over_bus_free(OverBus *over);
DEFINE_CLEANUP(OverBus, over_bus_free)
/* Serves BUS_NAME on the system bus. 0: no bus here; 1: serving. Negative: there is one and it refused. */
_must_check_ int over_bus_serve_system(OverBus *over, Error *error);
/* Serves connections of a listening unix socket (sync1.bus), peer's uid root or ours only; takes fd over on success. */
_must_check_ int over_bus_serve_socket(OverBus *over, int fd, Error *error);
/* Signal OperationChanged(s id, s status) on every bus; a hint. */
void over_bus_operation_changed(OverBus *over, const char *id, const char *status);
/* Signature of the method's input ("sa{sv}"), allocated: for callers that build messages from the table. */
char *command_bus_signature(const Command *command);
/* For callers: appends checked or unchecked args (texts allowed) in the row's order. args: object, borrowed. */
_must_check_ int command_bus_append(const Command *command, const json_t *args, sd_bus_message *message);
