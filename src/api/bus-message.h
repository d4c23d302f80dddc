/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* JSON to D-Bus messages and back: arguments by a command's row, properties by a noun's fields. In the daemons and terrafusionctl.
 * Arguments: those that are required or positional stand in the row's order (s x b, as for texts, objects as JSON text in s), all others go in
 * a last a{sv} (only there where the row has some), so that adding one breaks nobody. A positional "" counts as left out. */
#include "api/command.h"
#include "model/field.h"
#include <systemd/sd-bus.h>

/* bound: the argument that the object's path gives, left out; NULL on the manager. */
bool command_bus_has_options(const Command *command);
bool arg_is_positional(const Arg *arg);
char *command_bus_signature(const Command *command, const Arg *bound);  /* of the input, "ssa{sv}"; allocated */
/* For callers: appends checked or unchecked args (texts allowed). args: object, borrowed. */
_must_check_ int command_bus_append(const Command *command, const json_t *args, sd_bus_message *message);
/* For the daemons: what the message gives, unchecked; -EINVAL, -EBADMSG where it cannot be read. */
_must_check_ int command_bus_read(const Command *command, const Arg *bound, sd_bus_message *message, json_t **ret);

/* Properties. D-Bus has no null: it is "" for texts, -1 for numbers, 0 for times (t, µs since 1970), empty for the others. Objects are a{sv}
 * and arrays av, down to the last member; null members are left out. */
const char *field_bus_type(FieldType type);
_must_check_ int field_bus_append(const Field *field, const json_t *document, sd_bus_message *message);
char *field_bus_name(const char *field);        /* "sync_pair_id" → "SyncPairId", allocated */
