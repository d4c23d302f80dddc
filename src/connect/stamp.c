/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/stamp.h"

#include "basic/timestamp.h"

#define STAMP_LENGTH    19 /* YYYY-MM-DD HH:MM:SS */
#define FRACTION_MAX    9U
#define CLOCK_STEP_USEC 1000

/* By their size: seconds since 1973, milliseconds and microseconds up to 5138. Smaller numbers are
 * versions, larger ones unknown. */
static int integer_parse(int64_t number, StampShape *ret_shape, int64_t *ret_usec) {
        int64_t ticks;

        if (number >= 100000000LL && number < 100000000000LL)
                ticks = 1;
        else if (number >= 100000000000LL && number < 100000000000000LL)
                ticks = 1000;
        else if (number >= 100000000000000LL && number < 100000000000000000LL)
                ticks = 1000000;
        else
                return -EINVAL;
        *ret_shape = (StampShape){.ticks_per_sec = ticks};
        *ret_usec = number * (USEC_PER_SEC / ticks);
        return 0;
}

static bool zone_is_utc(const char *zone, size_t size) {
        static const char *const zones[] = {"", "Z", "+00:00", "+00"};

        for (size_t i = 0; i < ELEMENTSOF(zones); i++)
                if (strlen(zones[i]) == size && memcmp(zones[i], zone, size) == 0)
                        return true;
        return false;
}

static int text_parse(const char *text, size_t size, StampShape *ret_shape, int64_t *ret_usec) {
        static const char pattern[] = "dddd-dd-dd_dd:dd:dd";
        StampShape shape = {};
        size_t end = STAMP_LENGTH, n_zone;
        bool has_zone;
        int r;

        if (size < STAMP_LENGTH)
                return -EINVAL;
        for (size_t i = 0; i < STAMP_LENGTH; i++) {
                bool digit = text[i] >= '0' && text[i] <= '9';

                if (pattern[i] == 'd'   ? !digit
                    : pattern[i] == '_' ? text[i] != ' ' && text[i] != 'T'
                                        : text[i] != pattern[i])
                        return -EINVAL;
        }
        shape.separator = text[10];
        if (end < size && text[end] == '.') {
                for (end++; end < size && text[end] >= '0' && text[end] <= '9'; end++)
                        shape.digits++;
                if (shape.digits == 0 || shape.digits > FRACTION_MAX)
                        return -EINVAL;
        }
        n_zone = size - end;
        if (!zone_is_utc(text + end, n_zone))
                return -EINVAL;
        memcpy(shape.zone, text + end, n_zone);
        /* Digits behind the sixth are nothing that the horizon could keep apart. */
        r = timestamp_parse(
                text, STAMP_LENGTH + (shape.digits > 0 ? 1 + (shape.digits > 6 ? 6 : shape.digits) : 0),
                ret_usec, &has_zone);
        if (r < 0)
                return -EINVAL;
        *ret_shape = shape;
        return 0;
}

int stamp_parse(const Value *value, StampShape *ret_shape, int64_t *ret_usec) {
        if (value->type == VALUE_INTEGER)
                return integer_parse(value->integer, ret_shape, ret_usec);
        if (value->type == VALUE_TEXT)
                return text_parse(value->bytes, value->size, ret_shape, ret_usec);
        return -EINVAL;
}

int stamp_unite(const StampShape *a, const StampShape *b, StampShape *ret) {
        if (a->ticks_per_sec != b->ticks_per_sec || a->separator != b->separator ||
            strcmp(a->zone, b->zone) != 0)
                return -EINVAL;
        /* "…:00Z" stands behind "…:00.5Z": with a zone behind them only fractions of one length are in
         * order. */
        if (a->digits != b->digits && a->zone[0] != '\0')
                return -EINVAL;
        *ret = a->digits <= b->digits ? *a : *b;
        return 0;
}

int64_t stamp_unit_usec(const StampShape *shape) {
        int64_t unit = shape->ticks_per_sec > 0 ? USEC_PER_SEC / shape->ticks_per_sec : USEC_PER_SEC;

        for (unsigned i = 0; shape->ticks_per_sec == 0 && i < shape->digits && unit > CLOCK_STEP_USEC; i++)
                unit /= 10;
        return unit > CLOCK_STEP_USEC ? unit : CLOCK_STEP_USEC;
}

void stamp_format(const StampShape *shape, int64_t usec, char text[static STAMP_TEXT_MAX], Value *ret) {
        char whole[TIMESTAMP_TEXT_MAX];
        int64_t fraction = usec % USEC_PER_SEC;
        size_t n;

        if (shape->ticks_per_sec > 0) {
                *ret = value_integer(usec / (USEC_PER_SEC / shape->ticks_per_sec));
                return;
        }
        if (fraction < 0)
                fraction += USEC_PER_SEC;
        (void) timestamp_format(usec - fraction, whole);
        memcpy(text, whole, STAMP_LENGTH);
        text[10] = shape->separator;
        n = STAMP_LENGTH;
        if (shape->digits > 0) {
                char nanoseconds[16];

                (void) snprintf(nanoseconds, sizeof(nanoseconds), "%09lld", (long long) fraction * 1000);
                text[n++] = '.';
                memcpy(text + n, nanoseconds, shape->digits);
                n += shape->digits;
        }
        memcpy(text + n, shape->zone, strlen(shape->zone) + 1);
        *ret = value_text(text, n + strlen(shape->zone));
}
