/* SPDX-License-Identifier: Apache-2.0 */
#include "model/guard.h"

#include "basic/text.h"

static const char *const guard_names[_GUARD_MAX] = {
        [GUARD_MAX_DELETES] = "max_deletes",   [GUARD_MAX_CHANGES] = "max_changes",
        [GUARD_MAX_ERRORS] = "max_errors",     [GUARD_EMPTY_SOURCE] = "empty_source",
        [GUARD_FIRST_WRITE] = "first_write",  [GUARD_HOURS] = "hours",
};

const char *guard_to_string(GuardId guard) {
        return guard >= 0 && guard < _GUARD_MAX ? guard_names[guard] : NULL;
}

GuardId guard_from_string(const char *name) {
        for (int i = 0; i < _GUARD_MAX; i++)
                if (text_equal(name, guard_names[i]))
                        return (GuardId) i;
        return _GUARD_INVALID;
}

const char *guard_nearest(const char *name) {
        return text_nearest(name, guard_names, _GUARD_MAX);
}
