/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Times: microseconds since 1970 UTC in int64_t; dates: days since 1970; times of day: microseconds since midnight. */
#include "basic/alloc.h"

#define USEC_PER_SEC 1000000LL
#define TIMESTAMP_TEXT_MAX 40

int64_t timestamp_now(void);                    /* CLOCK_REALTIME; tests wrap it */
/* "1997-06-01T12:00:00.250000+00:00" (fraction left out when 0): what every JSON answer carries. Gives the length. */
size_t timestamp_format(int64_t timestamp_usec, char buffer[static TIMESTAMP_TEXT_MAX]);
/* RFC 3339 and ISO 8601 forms: date, 'T' or space, time, optional fraction to 6 digits, optional Z or ±hh[:mm] (none: UTC).
 * -EINVAL: not a time; -ERANGE: would lose digits of the fraction, out of range (years 0000 … 9999), or a leap
 * second. One space may stand before the zone; zeros after the sixth digit are nothing lost. */
_must_check_ int timestamp_parse(const char *text, size_t n_bytes, int64_t *ret_usec, bool *ret_has_zone);
_must_check_ int date_parse(const char *text, size_t n_bytes, int32_t *ret_days);       /* YYYY-MM-DD */
size_t date_format(int32_t days, char buffer[static TIMESTAMP_TEXT_MAX]);
_must_check_ int time_parse(const char *text, size_t n_bytes, int64_t *ret_usec);       /* hh:mm[:ss[.f]] */
size_t time_format(int64_t usec, char buffer[static TIMESTAMP_TEXT_MAX]);
/* By a strptime-like format of %Y %y %m %d %H %M %S %f %e %b %B %p %I %j and literals; the whole text must match; a day or month
 * that does not exist is -EINVAL. Fields not given are 0 (date 1970-01-01). */
_must_check_ int timestamp_parse_format(const char *text, size_t n_bytes, const char *format, int64_t *ret_usec);
bool timestamp_format_is_valid(const char *format);
_must_check_ int days_from_civil(int year, unsigned month, unsigned day, int32_t *ret_days);    /* -EINVAL where no such day */
void civil_from_days(int32_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day);
