/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Named checks and what they last said: ready or not, and why. In syncd. Holds results only; who checks sets
 * them. */
#include "basic/alloc.h"
#include <jansson.h>

typedef struct Health Health;
_must_check_ int health_new(Health **ret);
Health *health_free(Health *h);
DEFINE_CLEANUP(Health, health_free)
/* Sets a component's state. message: what is wrong and what to do, or NULL; copied. needed: not ready while
 * it is down. -ENOMEM. */
int health_set(Health *h, const char *component, bool needed, bool up, const char *message);
bool health_is_ready(const Health *h);                     /* all needed ones are up */
bool health_is_up(const Health *h, const char *component); /* false where unknown */
/* "state_store: Disk full" of all that fails, joined by "; ". Allocated; NULL where none fails or without
 * memory. */
char *health_failures(const Health *h, bool needed_only);
/* {"state_store": "UP", …}; with details {"state_store": {"status", "message", "since"}}. NULL without
 * memory. */
json_t *health_to_json(const Health *h, bool details);
