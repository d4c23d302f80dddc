/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/timestamp.h"

#include <errno.h>
#include <strings.h>
#include <time.h>

#define USEC_PER_DAY (86400 * USEC_PER_SEC)
/* 0000-01-01 and 9999-12-31 in days: the years that RFC 3339 can write. */
#define DAYS_MIN (-719528)
#define DAYS_MAX 2932896

/* What is left of a text that is read from its left. */
typedef struct Rest {
        const char *p, *end;
} Rest;

int64_t timestamp_now(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t) now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000;
}

static bool year_is_leap(int year) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(int year, unsigned month) {
        static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

        return month == 2 && year_is_leap(year) ? 29 : days[month - 1];
}

/* Source of both conversions: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". Years begin in
 * March and are counted in eras of 400, so that the leap day is the last of its year. */
int days_from_civil(int year, unsigned month, unsigned day, int32_t *ret_days) {
        int64_t y = year, era;
        unsigned year_of_era, day_of_year, day_of_era;

        if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
                return -EINVAL;
        if (year < -5000000 || year > 5000000)
                return -EINVAL; /* days would not fit */
        y -= month <= 2;
        era = (y >= 0 ? y : y - 399) / 400;
        year_of_era = (unsigned) (y - era * 400);
        day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        *ret_days = (int32_t) (era * 146097 + (int64_t) day_of_era - 719468);
        return 0;
}

void civil_from_days(int32_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day) {
        int64_t z = (int64_t) days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
        unsigned day_of_era = (unsigned) (z - era * 146097);
        unsigned year_of_era =
                (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        unsigned month = (5 * day_of_year + 2) / 153;

        *ret_day = day_of_year - (153 * month + 2) / 5 + 1;
        *ret_month = month < 10 ? month + 3 : month - 9;
        *ret_year = (int) ((int64_t) year_of_era + era * 400 + (*ret_month <= 2));
}

static char *number_write(char *p, uint64_t number, unsigned n_digits) {
        for (unsigned i = n_digits; i > 0; i--, number /= 10)
                p[i - 1] = (char) ('0' + number % 10);
        return p + n_digits;
}

static char *date_write(char *p, int32_t days) {
        int year;
        unsigned month, day, n_digits = 4;

        civil_from_days(days, &year, &month, &day);
        if (year < 0 || year > 9999) {
                /* ISO 8601's expanded form; nothing of ours reads it back. */
                *p++ = year < 0 ? '-' : '+';
                year = year < 0 ? -year : year;
                n_digits = year > 999999 ? 7 : 6;
        }
        p = number_write(p, (uint64_t) year, n_digits);
        *p++ = '-';
        p = number_write(p, month, 2);
        *p++ = '-';
        return number_write(p, day, 2);
}

static char *time_write(char *p, int64_t usec) {
        uint64_t seconds = (uint64_t) usec / (uint64_t) USEC_PER_SEC,
                 fraction = (uint64_t) usec % (uint64_t) USEC_PER_SEC;

        p = number_write(p, seconds / 3600, 2);
        *p++ = ':';
        p = number_write(p, seconds / 60 % 60, 2);
        *p++ = ':';
        p = number_write(p, seconds % 60, 2);
        if (fraction > 0) {
                *p++ = '.';
                p = number_write(p, fraction, 6);
        }
        return p;
}

size_t timestamp_format(int64_t timestamp_usec, char buffer[static TIMESTAMP_TEXT_MAX]) {
        int64_t days = timestamp_usec / USEC_PER_DAY, rest = timestamp_usec % USEC_PER_DAY;
        char *p;

        if (rest < 0) {
                rest += USEC_PER_DAY;
                days--;
        }
        p = date_write(buffer, (int32_t) days);
        *p++ = 'T';
        p = time_write(p, rest);
        memcpy(p, "+00:00", sizeof("+00:00"));
        return (size_t) (p + 6 - buffer);
}

size_t date_format(int32_t days, char buffer[static TIMESTAMP_TEXT_MAX]) {
        char *end = date_write(buffer, days);

        *end = '\0';
        return (size_t) (end - buffer);
}

size_t time_format(int64_t usec, char buffer[static TIMESTAMP_TEXT_MAX]) {
        char *end;

        assert(usec >= 0 && usec < USEC_PER_DAY);
        end = time_write(buffer, usec);
        *end = '\0';
        return (size_t) (end - buffer);
}

static bool rest_digit(const Rest *rest) {
        return rest->p < rest->end && (unsigned char) (*rest->p - '0') < 10;
}

static bool rest_skip(Rest *rest, char c) {
        if (rest->p >= rest->end || *rest->p != c)
                return false;
        rest->p++;
        return true;
}

/* Reads n_min … n_max digits. */
static int number_read(Rest *rest, unsigned n_min, unsigned n_max, unsigned *ret) {
        unsigned number = 0, n = 0;

        for (; n < n_max && rest_digit(rest); n++, rest->p++)
                number = number * 10 + (unsigned) (*rest->p - '0');
        if (n < n_min)
                return -EINVAL;
        *ret = number;
        return 0;
}

/* Reads the digits of a fraction as microseconds; digits after the sixth may only be zeros. */
static int fraction_read(Rest *rest, int64_t *ret_usec) {
        int64_t usec = 0;
        unsigned n = 0;
        bool lost = false;

        for (; rest_digit(rest); rest->p++, n++)
                if (n < 6)
                        usec = usec * 10 + (*rest->p - '0');
                else
                        lost = lost || *rest->p != '0';
        if (n == 0)
                return -EINVAL;
        for (; n < 6; n++)
                usec *= 10;
        if (lost)
                return -ERANGE;
        *ret_usec = usec;
        return 0;
}

static int date_read(Rest *rest, int32_t *ret_days) {
        unsigned year, month, day;

        if (number_read(rest, 4, 4, &year) < 0 || !rest_skip(rest, '-') ||
            number_read(rest, 2, 2, &month) < 0 || !rest_skip(rest, '-') ||
            number_read(rest, 2, 2, &day) < 0)
                return -EINVAL;
        return days_from_civil((int) year, month, day, ret_days);
}

static int time_read(Rest *rest, int64_t *ret_usec) {
        unsigned hour, minute, second = 0;
        int64_t fraction = 0;
        int r = 0;

        if (number_read(rest, 2, 2, &hour) < 0 || !rest_skip(rest, ':') ||
            number_read(rest, 2, 2, &minute) < 0)
                return -EINVAL;
        if (rest_skip(rest, ':')) {
                if (number_read(rest, 2, 2, &second) < 0)
                        return -EINVAL;
                if (rest_skip(rest, '.'))
                        r = fraction_read(rest, &fraction);
        }
        if (r < 0)
                return r;
        if (hour > 23 || minute > 59 || second > 60)
                return -EINVAL;
        if (second == 60)
                return -ERANGE; /* a leap second is a true time that microseconds since 1970 cannot hold */
        *ret_usec = (int64_t) (hour * 3600 + minute * 60 + second) * USEC_PER_SEC + fraction;
        return 0;
}

/* Reads Z, ±hh, ±hhmm, ±hh:mm (after at most one space, as SQL Server writes it), or nothing. */
static int zone_read(Rest *rest, int64_t *ret_usec, bool *ret_has_zone) {
        unsigned hour, minute = 0;
        bool negative;

        *ret_usec = 0;
        *ret_has_zone = rest->p < rest->end;
        if (!*ret_has_zone)
                return 0;
        (void) rest_skip(rest, ' ');
        if (rest_skip(rest, 'Z') || rest_skip(rest, 'z'))
                return 0;
        negative = rest_skip(rest, '-');
        if (!negative && !rest_skip(rest, '+'))
                return -EINVAL;
        if (number_read(rest, 2, 2, &hour) < 0)
                return -EINVAL;
        if ((rest_skip(rest, ':') || rest_digit(rest)) && number_read(rest, 2, 2, &minute) < 0)
                return -EINVAL;
        if (hour > 23 || minute > 59)
                return -EINVAL;
        *ret_usec = (int64_t) (hour * 3600 + minute * 60) * USEC_PER_SEC * (negative ? -1 : 1);
        return 0;
}

int timestamp_parse(const char *text, size_t n_bytes, int64_t *ret_usec, bool *ret_has_zone) {
        Rest rest = { text, text + n_bytes };
        int64_t time_usec = 0, zone_usec, timestamp_usec;
        int32_t days;
        bool has_zone;
        int r, time_result;

        r = date_read(&rest, &days);
        if (r < 0)
                return r;
        if (!rest_skip(&rest, 'T') && !rest_skip(&rest, ' ') && !rest_skip(&rest, 't'))
                return -EINVAL;
        time_result = time_read(&rest, &time_usec);
        if (time_result == -EINVAL)
                return -EINVAL;
        r = zone_read(&rest, &zone_usec, &has_zone);
        if (r < 0 || rest.p != rest.end)
                return -EINVAL;
        if (time_result < 0)
                return time_result;
        timestamp_usec = days * USEC_PER_DAY + time_usec - zone_usec;
        if (timestamp_usec < DAYS_MIN * USEC_PER_DAY || timestamp_usec >= (DAYS_MAX + 1LL) * USEC_PER_DAY)
                return -ERANGE;
        *ret_usec = timestamp_usec;
        if (ret_has_zone)
                *ret_has_zone = has_zone;
        return 0;
}

int date_parse(const char *text, size_t n_bytes, int32_t *ret_days) {
        Rest rest = { text, text + n_bytes };
        int32_t days;
        int r;

        r = date_read(&rest, &days);
        if (r < 0 || rest.p != rest.end)
                return -EINVAL;
        *ret_days = days;
        return 0;
}

int time_parse(const char *text, size_t n_bytes, int64_t *ret_usec) {
        Rest rest = { text, text + n_bytes };
        int64_t usec = 0;
        int r;

        r = time_read(&rest, &usec);
        if (r == -EINVAL || rest.p != rest.end)
                return -EINVAL;
        if (r < 0)
                return r;
        *ret_usec = usec;
        return 0;
}

/* The fields a format may name, each at most once. */
enum {
        FIELD_YEAR = 1 << 0,
        FIELD_MONTH = 1 << 1,
        FIELD_DAY = 1 << 2,
        FIELD_DAY_OF_YEAR = 1 << 3,
        FIELD_HOUR = 1 << 4,
        FIELD_HOUR_12 = 1 << 5,
        FIELD_HALF = 1 << 6,
        FIELD_MINUTE = 1 << 7,
        FIELD_SECOND = 1 << 8,
        FIELD_FRACTION = 1 << 9,
};

static unsigned directive_field(char directive) {
        switch (directive) {
        case 'Y': case 'y': return FIELD_YEAR;
        case 'm': case 'b': case 'B': return FIELD_MONTH;
        case 'd': case 'e': return FIELD_DAY;
        case 'j': return FIELD_DAY_OF_YEAR;
        case 'H': return FIELD_HOUR;
        case 'I': return FIELD_HOUR_12;
        case 'p': return FIELD_HALF;
        case 'M': return FIELD_MINUTE;
        case 'S': return FIELD_SECOND;
        case 'f': return FIELD_FRACTION;
        default: return 0;
        }
}

bool timestamp_format_is_valid(const char *format) {
        unsigned seen = 0;

        for (const char *f = format; f && *f; f++) {
                unsigned field;

                if (*f != '%' || *++f == '%')
                        continue;
                field = directive_field(*f);
                if (field == 0 || (seen & field))
                        return false;
                seen |= field;
        }
        if ((seen & FIELD_DAY_OF_YEAR) && (seen & (FIELD_MONTH | FIELD_DAY)))
                return false;
        if ((seen & FIELD_HOUR) && (seen & FIELD_HOUR_12))
                return false;
        /* Twelve hours without the half of the day would be a guess, a half without its hours is ignored
         * information. */
        return seen != 0 && !(seen & FIELD_HOUR_12) == !(seen & FIELD_HALF);
}

typedef struct Parts {
        unsigned year, month, day, day_of_year, hour, hour_12, half, minute, second;
        int64_t fraction;
} Parts;

static int month_read(Rest *rest, unsigned *ret) {
        static const char *const names[] = { "January",   "February", "March",    "April",
                                             "May",       "June",     "July",     "August",
                                             "September", "October",  "November", "December" };
        size_t n = (size_t) (rest->end - rest->p);

        for (unsigned i = 0; i < ELEMENTSOF(names); i++) {
                size_t length = strlen(names[i]);

                if (n < 3 || strncasecmp(rest->p, names[i], 3) != 0)
                        continue;
                rest->p += n >= length && strncasecmp(rest->p, names[i], length) == 0 ? length : 3;
                *ret = i + 1;
                return 0;
        }
        return -EINVAL;
}

static int half_read(Rest *rest, unsigned *ret) {
        if (rest->end - rest->p < 2 ||
            (strncasecmp(rest->p, "AM", 2) != 0 && strncasecmp(rest->p, "PM", 2) != 0))
                return -EINVAL;
        *ret = *rest->p == 'P' || *rest->p == 'p';
        rest->p += 2;
        return 0;
}

static int directive_read(Rest *rest, char directive, Parts *parts) {
        int r;

        switch (directive) {
        case 'Y': return number_read(rest, 4, 4, &parts->year);
        case 'y':
                r = number_read(rest, 2, 2, &parts->year);
                parts->year += parts->year < 69 ? 2000 : 1900; /* as POSIX strptime() */
                return r;
        case 'm': return number_read(rest, 1, 2, &parts->month);
        case 'b': case 'B': return month_read(rest, &parts->month);
        case 'e': (void) rest_skip(rest, ' '); return number_read(rest, 1, 2, &parts->day);
        case 'd': return number_read(rest, 1, 2, &parts->day);
        case 'j': return number_read(rest, 1, 3, &parts->day_of_year);
        case 'H': return number_read(rest, 1, 2, &parts->hour);
        case 'I': return number_read(rest, 1, 2, &parts->hour_12);
        case 'p': return half_read(rest, &parts->half);
        case 'M': return number_read(rest, 1, 2, &parts->minute);
        case 'S': return number_read(rest, 1, 2, &parts->second);
        case 'f': return fraction_read(rest, &parts->fraction);
        default: return -EINVAL;
        }
}

static int parts_to_usec(const Parts *parts, unsigned seen, int64_t *ret_usec) {
        unsigned hour = parts->hour;
        int32_t days;
        int r;

        r = days_from_civil((int) parts->year, parts->month, parts->day, &days);
        if (r < 0)
                return r;
        if (seen & FIELD_DAY_OF_YEAR) {
                if (parts->day_of_year < 1 || parts->day_of_year > 365U + year_is_leap((int) parts->year))
                        return -EINVAL;
                days += (int32_t) parts->day_of_year - 1;
        }
        if (seen & FIELD_HOUR_12) {
                if (parts->hour_12 < 1 || parts->hour_12 > 12)
                        return -EINVAL;
                hour = parts->hour_12 % 12 + (parts->half ? 12 : 0);
        }
        if (hour > 23 || parts->minute > 59 || parts->second > 59)
                return -EINVAL;
        *ret_usec = days * USEC_PER_DAY +
                    (int64_t) (hour * 3600 + parts->minute * 60 + parts->second) * USEC_PER_SEC +
                    parts->fraction;
        return 0;
}

int timestamp_parse_format(const char *text, size_t n_bytes, const char *format, int64_t *ret_usec) {
        Rest rest = { text, text + n_bytes };
        Parts parts = { .year = 1970, .month = 1, .day = 1 };
        unsigned seen = 0;
        int r;

        for (const char *f = format; *f; f++) {
                if (*f != '%' || *++f == '%') {
                        if (!rest_skip(&rest, *f))
                                return -EINVAL;
                        continue;
                }
                seen |= directive_field(*f);
                r = directive_read(&rest, *f, &parts);
                if (r < 0)
                        return r;
        }
        return rest.p == rest.end ? parts_to_usec(&parts, seen, ret_usec) : -EINVAL;
}
