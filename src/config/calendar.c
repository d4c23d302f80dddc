/* SPDX-License-Identifier: Apache-2.0 */
/* EXPRESSION = WORD [ZONE] | [WEEKDAYS] [DATE] [TIME] [ZONE], at least one of the three.
 * DATE = [YEARS-]MONTHS-DAYS or MONTHS~DAYS counted from the month's end; TIME = HOURS:MINUTES[:SECONDS].
 * A component is a list of "*", N or N..M, each with "/STEP" where wanted. */
#include "config/calendar.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "basic/text.h"

#define TEXT_MAX  128U
#define PARTS_MAX 4U

static const char *const words[] = {"minutely", "hourly",   "daily",     "weekly",       "monthly",
                                    "yearly",   "annually", "quarterly", "semiannually"};
static const char *const weekdays[] = {"Monday", "Tuesday", "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday"};

/* One whole number from text up to end. */
static bool number_read(const char *text, const char *end, int64_t minimum, int64_t maximum, int64_t *ret) {
        char digits[8];
        size_t size = (size_t) (end - text);

        if (size == 0 || size >= sizeof(digits) || !isdigit((unsigned char) *text))
                return false;
        memcpy(digits, text, size);
        digits[size] = '\0';
        return text_to_int64(digits, minimum, maximum, ret) >= 0;
}

/* The ".." of a range, or NULL. */
static const char *dots_find(const char *text, const char *end) {
        for (; text + 1 < end; text++)
                if (text[0] == '.' && text[1] == '.')
                        return text;
        return NULL;
}

/* "*", "N", "N..M", each with "/STEP". */
static bool item_is_valid(const char *text, size_t size, int64_t minimum, int64_t maximum) {
        const char *end = text + size, *slash = memchr(text, '/', size), *stop = slash ? slash : end,
                   *dots = dots_find(text, stop);
        int64_t first, last, step;

        if (slash && !number_read(slash + 1, end, 1, maximum, &step))
                return false;
        if (stop - text == 1 && *text == '*')
                return true;
        if (!dots)
                return number_read(text, stop, minimum, maximum, &first);
        return number_read(text, dots, minimum, maximum, &first) &&
               number_read(dots + 2, stop, minimum, maximum, &last) && first <= last;
}

static bool component_is_valid(const char *text, size_t size, int64_t minimum, int64_t maximum) {
        const char *end = text + size;

        for (;;) {
                const char *comma = memchr(text, ',', (size_t) (end - text)), *stop = comma ? comma : end;

                if (stop == text || !item_is_valid(text, (size_t) (stop - text), minimum, maximum))
                        return false;
                if (!comma)
                        return true;
                text = comma + 1;
        }
}

/* MONTHS-DAYS, YEARS-MONTHS-DAYS, or with ~ before the days. */
static bool date_is_valid(const char *text) {
        const char *last = strrchr(text, '~'), *first;

        if (!last)
                last = strrchr(text, '-');
        if (!last || !component_is_valid(last + 1, strlen(last + 1), 1, 31))
                return false;
        first = memchr(text, '-', (size_t) (last - text));
        if (first && !component_is_valid(text, (size_t) (first - text), 1970, 2199))
                return false;
        first = first ? first + 1 : text;
        return component_is_valid(first, (size_t) (last - first), 1, 12);
}

static bool time_is_valid(const char *text) {
        static const int64_t maxima[] = {23, 59, 59};
        unsigned n = 0;

        for (;;) {
                size_t size = strcspn(text, ":");

                if (n == ELEMENTSOF(maxima) || !component_is_valid(text, size, 0, maxima[n]))
                        return false;
                n++;
                if (text[size] == '\0')
                        return n >= 2;
                text += size + 1;
        }
}

/* A weekday's number, whole or by its first three letters; -1. */
static int weekday_find(const char *text, size_t size) {
        for (size_t i = 0; i < ELEMENTSOF(weekdays); i++)
                if ((size == 3 || size == strlen(weekdays[i])) && strncasecmp(text, weekdays[i], size) == 0)
                        return (int) i;
        return -1;
}

static bool weekdays_are_valid(const char *text) {
        for (;;) {
                size_t size = strcspn(text, ",");
                const char *dots = dots_find(text, text + size);
                int first = weekday_find(text, dots ? (size_t) (dots - text) : size),
                    last = dots ? weekday_find(dots + 2, size - (size_t) (dots + 2 - text)) : first;

                if (first < 0 || last < first)
                        return false;
                if (text[size] == '\0')
                        return true;
                text += size + 1;
        }
}

/* UTC, or a file of the time zones: Europe/Berlin. */
static bool zone_is_valid(const char *text) {
        _cleanup_free_ char *path = NULL;

        if (text_equal(text, "UTC"))
                return true;
        if (!isupper((unsigned char) *text) || strstr(text, "..") ||
            strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") != strlen(text))
                return false;
        if (asprintf(&path, "/usr/share/zoneinfo/%s", text) < 0) {
                path = NULL;
                return false;
        }
        return access(path, F_OK) == 0;
}

static bool is_word(const char *text) {
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (text_equal_ignoring_case(text, words[i]))
                        return true;
        return false;
}

static size_t parts_split(char *text, char *parts[static PARTS_MAX + 1]) {
        char *rest = NULL;
        size_t n = 0;

        for (char *part = strtok_r(text, " ", &rest); part && n <= PARTS_MAX; part = strtok_r(NULL, " ", &rest))
                parts[n++] = part;
        return n;
}

bool calendar_is_valid(const char *text) {
        char copy[TEXT_MAX], *parts[PARTS_MAX + 1];
        size_t n, i = 0, n_found;

        if (strlen(text) >= sizeof(copy))
                return false;
        memcpy(copy, text, strlen(text) + 1);
        n = parts_split(copy, parts);
        if (n == 0 || n > PARTS_MAX)
                return false;
        if (is_word(parts[0]))
                return n == 1 || (n == 2 && zone_is_valid(parts[1]));
        if (i < n && weekdays_are_valid(parts[i]))
                i++;
        if (i < n && date_is_valid(parts[i]))
                i++;
        if (i < n && time_is_valid(parts[i]))
                i++;
        n_found = i;
        if (i < n && zone_is_valid(parts[i]))
                i++;
        return n_found > 0 && i == n;
}
