/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* When the systems of a pair may be used: the hours of source and target together. In syncd and workers. */
#include "config/settings.h"
#include "model/pair.h"

bool pair_is_open(const Settings *settings, const Pair *pair, int64_t now_usec);
/* When it may begin or go on: now_usec where it is open, -1 never. */
int64_t pair_opens_at(const Settings *settings, const Pair *pair, int64_t now_usec);
/* The system of the pair whose hours are over; NULL where it is open. */
const System *pair_closed_system(const Settings *settings, const Pair *pair, int64_t now_usec);
