/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The SQLite connector: their database file as a source (read-only) or a target. In the worker. Source:
 * stamps of `watermark` must be made inside the write transaction, in UTC, by this machine's clock; the
 * horizon rests on it. */
#include "connect/connector.h"

extern const Connector sqlite_connector;
/* How long a lock is waited for, ms. 5000; tests shorten it. */
extern int sqlite_busy_timeout_msec;
