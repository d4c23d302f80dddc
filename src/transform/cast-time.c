/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/cast-time.h"

#include "basic/text.h"

static int64_t usec_of_day(int64_t usec) {
        int64_t rest = usec % CAST_USEC_PER_DAY;

        return rest < 0 ? rest + CAST_USEC_PER_DAY : rest;
}

/* Formats of numbers that count: what one of them is in µs, and where zero lies. */
static const struct {
        const char *format;
        int64_t usec, zero_tenths; /* of its units, in tenths: Julian days begin at noon */
} counts[] = {
        {"epoch", 1000000, 0},
        {"epoch_ms", 1000, 0},
        {"julian", CAST_USEC_PER_DAY, 24405875},
};

bool cast_format_counts(const char *format) {
        for (size_t i = 0; format && i < ELEMENTSOF(counts); i++)
                if (text_equal(counts[i].format, format))
                        return true;
        return false;
}

static int count_number(const Value *value, Decimal *ret) {
        if (value->type == VALUE_INTEGER)
                *ret = decimal_from_integer(value->integer);
        else if (value->type == VALUE_DECIMAL)
                *ret = decimal_trim(value->decimal);
        else if (value->type != VALUE_TEXT)
                return CAST_KIND;
        else if (decimal_parse(value->bytes, value->size, ret) < 0)
                return CAST_FORM;
        return CAST_EXACT;
}

/* An instant as a number that counts seconds, milliseconds or days, exact in 128 bits. */
static int usec_from_count(const Value *value, const CastShape *shape, int64_t *ret_usec) {
        __int128 usec, unit = 10;
        Decimal number;
        size_t i = 0;
        int r;

        while (!text_equal(counts[i].format, shape->format))
                i++;
        r = count_number(value, &number);
        if (r != CAST_EXACT)
                return r;
        if (decimal_digits(&number) > 24 || number.scale > 20)
                return CAST_MICROSECONDS;
        for (uint8_t scale = number.scale; scale > 0; scale--)
                unit *= 10;
        /* In tenths of the last digit, so that half a day is whole. */
        usec = (number.coefficient * 10 - counts[i].zero_tenths * (unit / 10)) * counts[i].usec;
        if (usec % unit != 0 && shape->accept == ACCEPT_NOTHING)
                return CAST_MICROSECONDS;
        if (shape->accept == ACCEPT_ROUNDS)
                usec += usec < 0 ? -unit / 2 : unit / 2;
        usec /= unit;
        if (usec < CAST_DAYS_MIN * CAST_USEC_PER_DAY || usec >= (CAST_DAYS_MAX + 1LL) * CAST_USEC_PER_DAY)
                return CAST_MICROSECONDS;
        *ret_usec = (int64_t) usec;
        return CAST_EXACT;
}

typedef int (*TimeParse)(const char *text, size_t n_bytes, const char *format, int64_t *ret_usec);

static int parse_timestamp(const char *text, size_t n_bytes, const char *format, int64_t *ret_usec) {
        int32_t days;
        int r;

        if (format)
                return timestamp_parse_format(text, n_bytes, format, ret_usec);
        r = date_parse(text, n_bytes, &days);
        if (r < 0)
                return timestamp_parse(text, n_bytes, ret_usec, NULL);
        *ret_usec = days * CAST_USEC_PER_DAY;
        return 0;
}

static int parse_time(const char *text, size_t n_bytes, const char *format, int64_t *ret_usec) {
        if (!format)
                return time_parse(text, n_bytes, ret_usec);
        return timestamp_parse_format(text, n_bytes, format, ret_usec);
}

/* Gives where the digits of a fraction begin that has more than six of them; 0 where there is none. */
static size_t fraction_find(const char *text, size_t n_bytes, size_t *ret_n_digits) {
        for (size_t at = 1; at < n_bytes; at++) {
                size_t n = 0;

                while (at + n < n_bytes && text[at + n] >= '0' && text[at + n] <= '9')
                        n++;
                if (text[at - 1] == '.' && n > 6) {
                        *ret_n_digits = n;
                        return at;
                }
        }
        return 0;
}

/* Does the fraction round up to the next microsecond? Half goes to the even one. */
static bool fraction_rounds_up(const char *digits, size_t n_digits) {
        bool beyond_half = false;

        for (size_t i = 7; i < n_digits; i++)
                beyond_half = beyond_half || digits[i] != '0';
        if (digits[6] != '5')
                return digits[6] > '5';
        return beyond_half || (digits[5] - '0') % 2 != 0;
}

/* Parses once more without the digits that microseconds cannot hold. */
static int parse_without_rest(const Value *text, const CastShape *shape, TimeParse parse, Arena *arena,
                              int64_t *ret_usec) {
        size_t n_digits, at = fraction_find(text->bytes, text->size, &n_digits), size;
        int64_t usec;
        char *shorter;

        if (at == 0)
                return CAST_MICROSECONDS;
        size = text->size - (n_digits - 6);
        shorter = arena_copy(arena, text->bytes, text->size);
        if (!shorter)
                return -ENOMEM;
        memmove(shorter + at + 6, shorter + at + n_digits, text->size - at - n_digits);
        if (parse(shorter, size, shape->format, &usec) < 0)
                return CAST_MICROSECONDS;
        if (shape->accept == ACCEPT_ROUNDS && fraction_rounds_up(text->bytes + at, n_digits))
                usec++;
        *ret_usec = usec;
        return CAST_EXACT;
}

static int usec_from_text(const Value *text, const CastShape *shape, TimeParse parse, Arena *arena,
                          int64_t *ret_usec) {
        int r;

        r = parse(text->bytes, text->size, shape->format, ret_usec);
        if (r >= 0)
                return CAST_EXACT;
        if (r != -ERANGE)
                return CAST_FORM;
        return shape->accept == ACCEPT_NOTHING ? CAST_MICROSECONDS
                                               : parse_without_rest(text, shape, parse, arena, ret_usec);
}

/* A number that a format reads as a date (20260131) is its digits. */
static int digits_of(const Value *value, const CastShape *shape, Arena *arena, Value *ret) {
        char *digits;

        if (value->type != VALUE_INTEGER || !shape->format) {
                *ret = *value;
                return 0;
        }
        digits = arena_printf(arena, "%lld", (long long) value->integer);
        if (!digits)
                return -ENOMEM;
        *ret = value_text(digits, strlen(digits));
        return 0;
}

/* Is the time of day that is written from `at` on nothing but zeros? So "T02:00+02:00" is no midnight,
 * though its UTC is. */
static bool is_written_midnight(const Value *text, size_t at) {
        size_t i = at;

        while (i < text->size && strchr("0:.", text->bytes[i]) && text->bytes[i] != '\0')
                i++;
        return i == text->size || strchr(" Zz+-", text->bytes[i]);
}

/* The date that an ISO timestamp is written with; its zone may only be UTC, or the date would be another
 * one there. */
static int days_from_iso(const Value *text, const CastShape *shape, Arena *arena, int64_t *ret_days) {
        int64_t usec;
        int32_t days;
        int r;

        if (date_parse(text->bytes, text->size, &days) >= 0) {
                *ret_days = days;
                return CAST_EXACT;
        }
        r = usec_from_text(text, shape, parse_timestamp, arena, &usec);
        if (r != CAST_EXACT)
                return r == CAST_MICROSECONDS ? CAST_TIME_OF_DAY : r;
        if (date_parse(text->bytes, 10, &days) < 0)
                return CAST_FORM;
        if (shape->accept != ACCEPT_TRUNCATES &&
            (usec != days * CAST_USEC_PER_DAY || !is_written_midnight(text, 11)))
                return CAST_TIME_OF_DAY;
        *ret_days = days;
        return CAST_EXACT;
}

static int days_from_usec(int64_t usec, const CastShape *shape, int64_t *ret_days) {
        if (usec_of_day(usec) != 0 && shape->accept != ACCEPT_TRUNCATES)
                return CAST_TIME_OF_DAY;
        *ret_days = (usec - usec_of_day(usec)) / CAST_USEC_PER_DAY;
        return CAST_EXACT;
}

int cast_date(const Value *value, const CastShape *shape, Arena *arena, Value *ret) {
        Value text;
        int64_t usec = 0, days = 0;
        int r;

        if (cast_format_counts(shape->format) && value->type != VALUE_DATE && value->type != VALUE_TIMESTAMP) {
                r = usec_from_count(value, shape, &usec);
                if (r == CAST_EXACT)
                        r = days_from_usec(usec, shape, &days);
                if (r == CAST_EXACT)
                        *ret = (Value){ .type = VALUE_DATE, .integer = days };
                return r;
        }

        r = digits_of(value, shape, arena, &text);
        if (r < 0)
                return r;
        switch (text.type) {
        case VALUE_DATE: *ret = text; return CAST_EXACT;
        case VALUE_TIMESTAMP: r = days_from_usec(text.integer, shape, &days); break;
        case VALUE_TEXT:
                if (!shape->format) {
                        r = days_from_iso(&text, shape, arena, &days);
                        break;
                }
                r = usec_from_text(&text, shape, parse_timestamp, arena, &usec);
                if (r == CAST_EXACT)
                        r = days_from_usec(usec, shape, &days);
                break;
        default: return CAST_KIND;
        }
        if (r == CAST_EXACT)
                *ret = (Value){ .type = VALUE_DATE, .integer = days };
        return r;
}

int cast_timestamp(const Value *value, const CastShape *shape, Arena *arena, Value *ret) {
        Value text;
        int64_t usec;
        int r;

        if (cast_format_counts(shape->format) && value->type != VALUE_DATE && value->type != VALUE_TIMESTAMP) {
                r = usec_from_count(value, shape, &usec);
                if (r == CAST_EXACT)
                        *ret = (Value){ .type = VALUE_TIMESTAMP, .integer = usec };
                return r;
        }

        r = digits_of(value, shape, arena, &text);
        if (r < 0)
                return r;
        switch (text.type) {
        case VALUE_TIMESTAMP: *ret = text; return CAST_EXACT;
        case VALUE_DATE:
                if (text.integer < CAST_DAYS_MIN || text.integer > CAST_DAYS_MAX)
                        return CAST_MICROSECONDS;
                usec = text.integer * CAST_USEC_PER_DAY;
                break;
        case VALUE_TEXT:
                r = usec_from_text(&text, shape, parse_timestamp, arena, &usec);
                if (r != CAST_EXACT)
                        return r;
                if (usec >= (CAST_DAYS_MAX + 1LL) * CAST_USEC_PER_DAY)
                        return CAST_MICROSECONDS; /* rounded beyond the last year */
                break;
        default: return CAST_KIND;
        }
        *ret = (Value){ .type = VALUE_TIMESTAMP, .integer = usec };
        return CAST_EXACT;
}

int cast_time(const Value *value, const CastShape *shape, Arena *arena, Value *ret) {
        Value text;
        int64_t usec;
        int r;

        r = digits_of(value, shape, arena, &text);
        if (r < 0)
                return r;
        if (text.type == VALUE_TIME) {
                *ret = text;
                return CAST_EXACT;
        }
        if (text.type != VALUE_TEXT)
                return CAST_KIND;
        r = usec_from_text(&text, shape, parse_time, arena, &usec);
        if (r != CAST_EXACT)
                return r;
        if (usec < 0 || usec >= CAST_USEC_PER_DAY)
                return CAST_MICROSECONDS; /* rounded to midnight, or a format that names a date */
        *ret = (Value){ .type = VALUE_TIME, .integer = usec };
        return CAST_EXACT;
}
