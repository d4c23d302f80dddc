/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Members of systems of kind rest: auth, tables and what fits together. Pure. */
#include "config/check.h"

extern const Field system_auth_fields[], system_table_fields[];
extern const char *const system_protocols[], *const system_pagings[];
/* What the tables of members cannot say: a missing or odd address, secrets without encryption, several ways of auth,
 * members of the other protocol. */
void system_rest_check(const YamlDocument *d, const json_t *node, Mistakes *mistakes);
