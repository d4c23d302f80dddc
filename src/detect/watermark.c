/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/watermark.h"

#include "basic/text.h"
#include "basic/timestamp.h"

#include <errno.h>

#define ZONE_USEC_MAX (12LL * 3600 * USEC_PER_SEC) /* local time lies at most so far behind UTC */

char *watermark_to_hex(const Value *watermark) {
        _cleanup_free_ char *bytes = NULL;
        size_t size = 0, capacity = 0;
        char *hex;

        if (value_encode(watermark, &bytes, &size, &capacity) < 0)
                return NULL;
        hex = malloc(size * 2 + 1);
        if (!hex)
                return NULL;
        hex_encode(bytes, size, hex);
        return hex;
}

int watermark_from_hex(const char *hex, Arena *arena, Value *ret) {
        size_t size = hex ? strlen(hex) / 2 : 0, used;
        uint8_t *bytes;

        if (size == 0) {
                *ret = value_null();
                return 0;
        }
        bytes = arena_alloc(arena, size);
        if (!bytes)
                return -ENOMEM;
        if (hex_decode(hex, size, bytes) < 0)
                return -EBADMSG;
        return value_decode((const char *) bytes, size, ret, &used);
}

bool watermark_went_back(const Value *low, const Value *high) {
        size_t size = low->size < high->size ? low->size : high->size;

        if (low->type == VALUE_NULL)
                return false;
        if (low->type != high->type)
                return true;
        if (low->type == VALUE_DECIMAL)
                return decimal_compare(&high->decimal, &low->decimal) < 0;
        return low->type == VALUE_TEXT ? memcmp(high->bytes, low->bytes, size) < 0 : high->integer < low->integer;
}

static void widen_integer(Value *low, int64_t limit_usec) {
        int64_t unit = low->integer < 100000000000LL      ? USEC_PER_SEC
                       : low->integer < 100000000000000LL ? 1000
                                                          : 1;

        if (low->integer > limit_usec / unit)
                low->integer = limit_usec / unit;
}

/* The date and time part of the new low in the old one's shape: same separator, as many digits of the fraction, same ending.
 * In the old one's zone: UTC's digits before "-05:00" would lie later than the low they replace, and records would be missed. */
static int widen_text(Value *low, int64_t limit_usec, Arena *arena) {
        char buffer[TIMESTAMP_TEXT_MAX];
        int64_t present_usec, local_usec;
        char *text;

        if (low->size < 19 || timestamp_parse(low->bytes, low->size, &present_usec, NULL) < 0 ||
            present_usec <= limit_usec)
                return 0;
        if (timestamp_parse(low->bytes, 19, &local_usec, NULL) < 0)
                return 0;
        limit_usec += local_usec - present_usec / USEC_PER_SEC * USEC_PER_SEC;
        text = arena_copy(arena, low->bytes, low->size);
        if (!text)
                return -ENOMEM;
        (void) timestamp_format(limit_usec / USEC_PER_SEC * USEC_PER_SEC, buffer);
        for (size_t i = 0; i < 19; i++)
                if (i != 10)
                        text[i] = buffer[i];
        if (low->size > 19 && (text[19] == '.' || text[19] == ','))
                for (size_t i = 20; i < low->size && text[i] >= '0' && text[i] <= '9'; i++)
                        text[i] = '0';
        low->bytes = text;
        return 0;
}

int watermark_widen(Value *low, int64_t hours, int64_t now_usec, Arena *arena) {
        int64_t limit_usec = now_usec - hours * 3600 * USEC_PER_SEC;

        if (hours <= 0)
                return 0;
        if (low->type == VALUE_INTEGER)
                widen_integer(low, limit_usec);
        else if (low->type == VALUE_TIMESTAMP)
                low->integer = low->integer > limit_usec - ZONE_USEC_MAX ? limit_usec - ZONE_USEC_MAX : low->integer;
        else if (low->type == VALUE_DECIMAL)
                *low = value_null();
        else if (low->type == VALUE_TEXT)
                return widen_text(low, limit_usec, arena);
        return 0;
}
