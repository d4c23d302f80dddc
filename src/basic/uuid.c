/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/uuid.h"

#include <errno.h>
#include <sys/random.h>

#include "basic/timestamp.h"

/* rand_a counts within a millisecond (RFC 9562, 6.2 method 1); it starts in its lower half to leave room for
 * counting. */
#define COUNTER_MAX 0xFFFU
#define COUNTER_START_MASK 0x7FFU

int uuid_new_v7(char ret[static UUID_TEXT_SIZE]) {
        static uint64_t last_msec;
        static unsigned counter;
        uint64_t now_msec = (uint64_t) (timestamp_now() / 1000);
        uint8_t bytes[16];
        uint16_t start;

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
                return errno > 0 ? -errno : -EIO;
        memcpy(&start, bytes, sizeof(start));
        if (now_msec > last_msec) {
                last_msec = now_msec;
                counter = start & COUNTER_START_MASK;
        } else if (++counter > COUNTER_MAX) {
                /* Also while the clock goes backwards: the time stands still, the ids still rise. */
                last_msec++;
                counter = start & COUNTER_START_MASK;
        }
        for (unsigned i = 0; i < 6; i++)
                bytes[i] = (uint8_t) (last_msec >> (40 - 8 * i));
        bytes[6] = (uint8_t) (0x70 | (counter >> 8));
        bytes[7] = (uint8_t) counter;
        bytes[8] = (uint8_t) ((bytes[8] & 0x3F) | 0x80);
        uuid_format(bytes, ret);
        return 0;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}

int uuid_parse(const char *text, size_t n_bytes, uint8_t ret[static 16]) {
        uint8_t bytes[16];
        size_t n = 0;

        if (n_bytes != UUID_TEXT_SIZE - 1)
                return -EINVAL;
        for (size_t i = 0; i < n_bytes;) {
                int high, low;

                if (i == 8 || i == 13 || i == 18 || i == 23) {
                        if (text[i++] != '-')
                                return -EINVAL;
                        continue;
                }
                high = hex_digit(text[i]);
                low = hex_digit(text[i + 1]);
                if (high < 0 || low < 0)
                        return -EINVAL;
                bytes[n++] = (uint8_t) (high << 4 | low);
                i += 2;
        }
        memcpy(ret, bytes, sizeof(bytes));
        return 0;
}

bool uuid_is_valid(const char *text) {
        uint8_t bytes[16];

        return text && uuid_parse(text, strlen(text), bytes) == 0;
}

void uuid_format(const uint8_t bytes[static 16], char ret[static UUID_TEXT_SIZE]) {
        static const char digits[] = "0123456789abcdef";

        for (unsigned i = 0; i < 16; i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        *ret++ = '-';
                *ret++ = digits[bytes[i] >> 4];
                *ret++ = digits[bytes[i] & 0xF];
        }
        *ret = '\0';
}
