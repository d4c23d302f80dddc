/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The guards' names, as requests, errors and mapping files have them. What they refuse is apply/guard.c's. In syncd and workers. */

typedef enum GuardId {
        GUARD_MAX_DELETES,
        GUARD_MAX_CHANGES,
        GUARD_MAX_ERRORS,
        GUARD_EMPTY_SOURCE,
        GUARD_FIRST_WRITE,
        GUARD_HOURS, /* of its systems: not what is written, but when */
        _GUARD_MAX,
        _GUARD_INVALID = -1,
} GuardId;
#define GUARD_NAMES "max_deletes, max_changes, max_errors, empty_source, first_write, hours"    /* for messages */

const char *guard_to_string(GuardId guard); /* "max_deletes"; NULL for an invalid one */
GuardId guard_from_string(const char *name); /* _GUARD_INVALID where there is none of that name */
/* The nearest name, for messages; NULL where none is near. */
const char *guard_nearest(const char *name);
