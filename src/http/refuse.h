/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The last word of a daemon that cannot start, to those who wait at its socket. In both daemons. */
#include "basic/error.h"

/* Answers each waiting connection of the listening socket with 503 and the error, and closes it; fd stays open. For at most
 * a second. Else systemd, which sees them still waiting, would start the daemon again at once, and again. Gives how many. */
unsigned http_refuse_waiting(int fd, const Error *why);
/* Closes each waiting connection without a word, which a client may try again. Gives how many. */
unsigned http_drop_waiting(int fd);
/* http_refuse_waiting() for all sockets that systemd has handed over. */
void http_refuse_inherited(const Error *why);
