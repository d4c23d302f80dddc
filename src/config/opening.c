/* SPDX-License-Identifier: Apache-2.0 */
#include "config/opening.h"

static Hours hours_of(const Settings *settings, const char *name) {
        const System *system = settings_system(settings, name);

        return system ? system->hours : (Hours){0};
}

const System *pair_closed_system(const Settings *settings, const Pair *pair, int64_t now_usec) {
        const char *const names[] = {pair->source, pair->target};

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const System *system = settings_system(settings, names[i]);

                if (system && !hours_are_open(&system->hours, now_usec))
                        return system;
        }
        return NULL;
}

bool pair_is_open(const Settings *settings, const Pair *pair, int64_t now_usec) {
        return !pair_closed_system(settings, pair, now_usec);
}

int64_t pair_opens_at(const Settings *settings, const Pair *pair, int64_t now_usec) {
        Hours source = hours_of(settings, pair->source), target = hours_of(settings, pair->target);

        return hours_next_open(&source, &target, now_usec);
}
