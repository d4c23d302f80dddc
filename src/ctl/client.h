/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Asks syncd over D-Bus: by its name on the system bus, else on its private socket. In terrafusionctl. */
#include "api/command.h"
#include <systemd/sd-bus.h>

typedef struct Client { sd_bus *bus; } Client;
/* ERROR_NOT_CONNECTED where nobody answers, ERROR_FORBIDDEN where the socket is not for this user. */
_must_check_ int client_open(Client *c, Error *error);
void client_done(Client *c);
/* Calls a command with its arguments (an object, may be NULL); gives the JSON that HTTP gives. The service's own error comes back as it is. */
_must_check_ int client_call(Client *c, CommandId id, const json_t *args, json_t **ret, Error *error);
