/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The journal's lines of one operation, as its own processes and systemd wrote them. In syncd's helper thread: it reads files. */
#include "basic/error.h"
#include <jansson.h>

#define EVENT_LOG_USEC (3U * 1000U * 1000U)     /* a page takes at most that long; what is there by then is given */

/* [{cursor, time, priority, message, identifier, pid, message_id, operation_id, …}], oldest first, those after cursor (NULL: from the first), at
 * most limit. Fields are those of LOG_FIELDS, where a line has them. directory: of journal files; NULL: this machine's. *ret_more: there are
 * more. ERROR_NO_JOURNAL where there is none or it cannot be read; ERROR_ARGUMENT for a cursor that is none; ERROR_UNAVAILABLE when the time was
 * over before the first line. */
_must_check_ int event_log_read(const char *directory, const char *operation_id, const char *cursor, unsigned limit, json_t **ret, bool *ret_more,
                                Error *error);
