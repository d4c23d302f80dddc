/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `hours` of a system: when it may be used, in the machine's local time, every day. In syncd and workers. */
#include "basic/alloc.h"

#define HOURS_TEXT_MAX 12
#define MINUTES_PER_DAY 1440U

/* Minutes after local midnight: from begin on, before end; begin > end runs over midnight. Both 0: always. */
typedef struct Hours { uint16_t begin, end; } Hours;

/* "20:00-06:00"; "24:00" is an end. -EINVAL, also where begin and end are the same. */
_must_check_ int hours_parse(const char *text, Hours *ret);
void hours_format(const Hours *h, char buffer[static HOURS_TEXT_MAX]);
static inline bool hours_are_set(const Hours *h) { return h->begin != h->end; }
/* By the clock on the wall: where summer time skips or repeats an hour, a window is that much shorter or longer. */
bool hours_are_open(const Hours *h, int64_t now_usec);
/* Is there a minute of the day that lies in both? */
bool hours_overlap(const Hours *a, const Hours *b);
/* The first full minute from now on in which both are open; now_usec where they are. -1: not within three days. */
int64_t hours_next_open(const Hours *a, const Hours *b, int64_t now_usec);
