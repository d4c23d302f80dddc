/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Calendar expressions of systemd, as OnCalendar= takes them. In every process that reads configuration. */
#include "basic/alloc.h"

/* Is text one that systemd takes? Narrower than systemd itself where that is generous (no "@epoch", no "-" for
 * ranges of weekdays): what passes here passes there, which tests/system asks systemd-analyze. Pure, but for time
 * zones, which are looked up in /usr/share/zoneinfo. Source: systemd.time(7), version 252. */
bool calendar_is_valid(const char *text);
