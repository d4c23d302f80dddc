/* SPDX-License-Identifier: Apache-2.0 */
#include "model/hours.h"

#include <time.h>

#include "basic/timestamp.h"

#define MINUTES_LOOKED_AT (3 * MINUTES_PER_DAY) /* the night in which clocks change may have no such minute */

/* "hh:mm", two digits each. */
static int minute_parse(const char *text, uint16_t *ret) {
        for (size_t i = 0; i < 5; i++)
                if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
                        return -EINVAL;
        if (text[3] > '5')
                return -EINVAL;
        *ret = (uint16_t) (((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0');
        return *ret > MINUTES_PER_DAY ? -EINVAL : 0;
}

int hours_parse(const char *text, Hours *ret) {
        Hours h;

        if (!text || strlen(text) != 11 || text[5] != '-' || minute_parse(text, &h.begin) < 0 ||
            minute_parse(text + 6, &h.end) < 0 || h.begin == MINUTES_PER_DAY || h.begin == h.end)
                return -EINVAL;
        *ret = h;
        return 0;
}

void hours_format(const Hours *h, char buffer[static HOURS_TEXT_MAX]) {
        (void) snprintf(buffer, HOURS_TEXT_MAX, "%02u:%02u-%02u:%02u", h->begin / 60U % 100U, h->begin % 60U,
                        h->end / 60U % 100U, h->end % 60U);
}

static bool minute_is_open(const Hours *h, unsigned minute) {
        if (h->begin == h->end)
                return true;
        if (h->begin < h->end)
                return minute >= h->begin && minute < h->end;
        return minute >= h->begin || minute < h->end;
}

/* Gives the minute of the local day, and how long it lasts still. */
static unsigned local_minute(int64_t now_usec, int64_t *ret_rest_usec) {
        time_t seconds = (time_t) (now_usec / USEC_PER_SEC);
        struct tm local = {};

        (void) localtime_r(&seconds, &local);
        *ret_rest_usec = (60 - local.tm_sec % 60) * USEC_PER_SEC - now_usec % USEC_PER_SEC;
        return (unsigned) (local.tm_hour * 60 + local.tm_min);
}

bool hours_are_open(const Hours *h, int64_t now_usec) {
        int64_t rest_usec;

        if (!hours_are_set(h))
                return true;
        tzset(); /* a daemon outlives a change of the machine's zone */
        return minute_is_open(h, local_minute(now_usec, &rest_usec));
}

bool hours_overlap(const Hours *a, const Hours *b) {
        for (unsigned minute = 0; minute < MINUTES_PER_DAY; minute++)
                if (minute_is_open(a, minute) && minute_is_open(b, minute))
                        return true;
        return false;
}

/* Minute by minute: no arithmetic with offsets that a change of the clocks could make wrong, and less than a millisecond. */
int64_t hours_next_open(const Hours *a, const Hours *b, int64_t now_usec) {
        int64_t next = now_usec;

        tzset();
        for (unsigned i = 0; i < MINUTES_LOOKED_AT; i++) {
                int64_t rest_usec;
                unsigned minute = local_minute(next, &rest_usec);

                if (minute_is_open(a, minute) && minute_is_open(b, minute))
                        return next;
                next += rest_usec;
        }
        return -1;
}
