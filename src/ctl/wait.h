/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Waits for the end of an operation, and minds signals meanwhile. In terrafusionctl. */
#include "ctl/client.h"

#define WAIT_INTERRUPTED 130    /* as a shell counts them: 128 and the signal */
#define WAIT_STOPPED 143

/* From here on SIGINT and SIGTERM wait for operation_wait(): called before the operation is started, so that none is left running unknown. */
void operation_wait_prepare(void);
/* Asks until the operation is over; on a terminal with a bar. Where the service restarts meanwhile, asks again: the operation goes on.
 * SIGINT stops the waiting only, and says how to cancel: WAIT_INTERRUPTED, *ret untouched. SIGTERM (systemctl stop of a unit that waits)
 * cancels the operation and waits for that. 0, or WAIT_STOPPED where it was so cancelled: *ret is the operation as it ended. */
_must_check_ int operation_wait(Client *c, const char *id, const char *label, json_t **ret, Error *error);
