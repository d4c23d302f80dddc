/* SPDX-License-Identifier: Apache-2.0 */
/* A text, and after a line feed perhaps a format for it. What parses formats to a text that means the same.
 */
#include "fuzz.h"

#include "basic/timestamp.h"

static void format_check(int64_t usec) {
        char text[TIMESTAMP_TEXT_MAX], again[TIMESTAMP_TEXT_MAX];
        bool has_zone;
        int64_t back;
        size_t n;

        n = timestamp_format(usec, text);
        CHECK(n == strlen(text) && n < TIMESTAMP_TEXT_MAX);
        CHECK(timestamp_parse(text, n, &back, &has_zone) == 0);
        CHECK(back == usec && has_zone);
        CHECK(timestamp_format(back, again) == n && strcmp(text, again) == 0);
}

static void parts_check(const char *text, size_t size) {
        char back_text[TIMESTAMP_TEXT_MAX];
        int64_t usec, back_usec;
        int32_t days, back_days;

        if (date_parse(text, size, &days) == 0) {
                CHECK(date_format(days, back_text) == size);
                CHECK(memcmp(text, back_text, size) == 0);
                CHECK(date_parse(back_text, size, &back_days) == 0 && back_days == days);
        }
        if (time_parse(text, size, &usec) == 0) {
                CHECK(usec >= 0 && usec < 86400 * USEC_PER_SEC);
                CHECK(time_parse(back_text, time_format(usec, back_text), &back_usec) == 0);
                CHECK(back_usec == usec);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        const char *text = (const char *) bytes, *end = size > 0 ? memchr(text, '\n', size) : NULL;
        size_t n_text = end ? (size_t) (end - text) : size;
        char *format;
        bool has_zone;
        int64_t usec;

        if (timestamp_parse(text, n_text, &usec, &has_zone) == 0)
                format_check(usec);
        parts_check(text, n_text);
        if (!end)
                return 0;
        format = strndup(end + 1, size - n_text - 1);
        CHECK(format);
        format[strcspn(format, "\n")] = '\0';
        if (timestamp_format_is_valid(format) && timestamp_parse_format(text, n_text, format, &usec) == 0)
                format_check(usec);
        free(format);
        return 0;
}
