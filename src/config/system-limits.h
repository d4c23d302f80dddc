/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a system may be burdened with: `limits` and `hours` of terrafusion.yaml. */
#include "config/check.h"
#include "model/system.h"

#define STATEMENT_TIMEOUT_USEC 600000000ULL /* 10min: no statement of ours but a scan needs that long */

extern const Field system_limits_fields[];
/* Fills hours, statement_timeout_usec, connections_max and throttle of s; what is not given keeps its default. mistakes may be NULL:
 * they were told before. */
void system_limits_read(const YamlDocument *d, const json_t *node, System *s, Mistakes *mistakes);
