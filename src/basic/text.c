/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define NEAREST_LENGTH_MAX 255U /* longer words are not names */

bool text_starts_with(const char *text, const char *prefix) {
        return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

static unsigned char ascii_lower(unsigned char c) {
        return c >= 'A' && c <= 'Z' ? (unsigned char) (c + 32) : c;
}

bool text_equal_ignoring_case(const char *a, const char *b) {
        if (!a || !b)
                return a == b;
        for (; *a && *b; a++, b++)
                if (ascii_lower((unsigned char) *a) != ascii_lower((unsigned char) *b))
                        return false;
        return *a == *b;
}

/* Reads the digits at *text and moves it behind them. -EINVAL: none; -ERANGE: above 2^64. */
static int digits_read(const char **text, uint64_t *ret) {
        const char *p = *text;
        uint64_t number = 0;
        bool overflow = false;

        if (*p < '0' || *p > '9')
                return -EINVAL;
        for (; *p >= '0' && *p <= '9'; p++)
                if (__builtin_mul_overflow(number, 10U, &number) ||
                    __builtin_add_overflow(number, (uint64_t) (*p - '0'), &number))
                        overflow = true;
        *text = p;
        if (overflow)
                return -ERANGE;
        *ret = number;
        return 0;
}

int text_to_int64(const char *text, int64_t minimum, int64_t maximum, int64_t *ret) {
        uint64_t magnitude = 0;
        int64_t number;
        bool negative;
        int r;

        if (!text)
                return -EINVAL;
        negative = *text == '-';
        if (negative || *text == '+')
                text++;
        r = digits_read(&text, &magnitude);
        if (*text != '\0')
                return -EINVAL;
        if (r < 0)
                return r;
        if (magnitude > (uint64_t) INT64_MAX + negative)
                return -ERANGE;
        number = negative ? (int64_t) (0 - magnitude) : (int64_t) magnitude;
        if (number < minimum || number > maximum)
                return -ERANGE;
        *ret = number;
        return 0;
}

typedef struct Unit {
        const char *name;
        uint64_t factor;
} Unit;

static int number_with_unit(const char *text, const Unit *units, size_t n_units, uint64_t *ret) {
        uint64_t number = 0;
        int r;

        if (!text)
                return -EINVAL;
        r = digits_read(&text, &number);
        for (size_t i = 0; i < n_units; i++) {
                if (!text_equal(text, units[i].name))
                        continue;
                if (r < 0)
                        return r;
                if (__builtin_mul_overflow(number, units[i].factor, &number))
                        return -ERANGE;
                *ret = number;
                return 0;
        }
        return -EINVAL;
}

int text_to_size(const char *text, uint64_t *ret_bytes) {
        static const Unit units[] = {
                { "", 1 },           { "B", 1 },          { "K", 1ULL << 10 },
                { "M", 1ULL << 20 }, { "G", 1ULL << 30 }, { "T", 1ULL << 40 },
        };

        return number_with_unit(text, units, ELEMENTSOF(units), ret_bytes);
}

int text_to_duration(const char *text, uint64_t *ret_usec) {
        /* A bare number has no unit, so it means nothing. A year is 365.25 days, as systemd counts. */
        static const Unit units[] = {
                { "us", 1 },         { "ms", 1000 },       { "s", 1000000 },      { "min", 60000000 },
                { "h", 3600000000 }, { "d", 86400000000 }, { "w", 604800000000 }, { "y", 31557600000000 },
        };

        return number_with_unit(text, units, ELEMENTSOF(units), ret_usec);
}

/* Levenshtein distance by one row of its table; a word longer than the row is infinitely far. */
static size_t edit_distance(const char *a, const char *b) {
        unsigned row[NEAREST_LENGTH_MAX + 1];
        size_t n = strlen(b);

        if (n > NEAREST_LENGTH_MAX)
                return SIZE_MAX;
        for (unsigned j = 0; j <= n; j++)
                row[j] = j;
        for (unsigned i = 1; *a; a++, i++) {
                unsigned diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        unsigned changed = diagonal + (*a != b[j - 1]), least;

                        diagonal = row[j];
                        least = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
                        row[j] = changed < least ? changed : least;
                }
        }
        return row[n];
}

const char *text_nearest(const char *text, const char *const *candidates, size_t n_candidates) {
        const char *nearest = NULL;
        size_t length, least;

        if (!text)
                return NULL;
        length = strlen(text);
        if (length > NEAREST_LENGTH_MAX)
                return NULL;
        least = 1 + length / 3 + 1;
        for (size_t i = 0; i < n_candidates; i++) {
                size_t distance = candidates[i] ? edit_distance(text, candidates[i]) : SIZE_MAX;

                if (distance < least) {
                        least = distance;
                        nearest = candidates[i];
                }
        }
        return nearest;
}

/* The bytes of the valid UTF-8 sequence at p, 0 where it is not valid: shortest form, no surrogates, up to
 * U+10FFFF. */
static size_t utf8_sequence(const unsigned char *p, size_t n) {
        if (p[0] < 0x80)
                return 1;
        if (p[0] >= 0xC2 && p[0] <= 0xDF)
                return n >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
        if ((p[0] & 0xF0) == 0xE0) {
                if (n < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
                        return 0;
                return (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ? 0 : 3;
        }
        if (p[0] >= 0xF0 && p[0] <= 0xF4) {
                if (n < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
                        return 0;
                return (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F) ? 0 : 4;
        }
        return 0;
}

bool text_is_utf8(const char *bytes, size_t n_bytes) {
        const unsigned char *p = (const unsigned char *) bytes;

        while (n_bytes > 0) {
                uint64_t eight;
                size_t step;

                if (n_bytes >= sizeof(eight)) {
                        memcpy(&eight, p, sizeof(eight));
                        if (!(eight & 0x8080808080808080ULL)) {
                                p += sizeof(eight);
                                n_bytes -= sizeof(eight);
                                continue;
                        }
                }
                step = utf8_sequence(p, n_bytes);
                if (step == 0)
                        return false;
                p += step;
                n_bytes -= step;
        }
        return true;
}

size_t text_utf8_length(const char *bytes, size_t n_bytes) {
        size_t length = 0;

        for (size_t i = 0; i < n_bytes; i++)
                length += ((unsigned char) bytes[i] & 0xC0) != 0x80;
        return length;
}

bool name_is_valid(const char *name) {
        if (!name || name[0] < 'a' || name[0] > 'z' || strlen(name) > 63)
                return false;
        return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

char **strings_free(char **strings) {
        for (char **s = strings; s && *s; s++)
                free(*s);
        free(strings);
        return NULL;
}

size_t strings_count(char *const *strings) {
        size_t n = 0;

        while (strings && strings[n])
                n++;
        return n;
}

bool strings_contain(char *const *strings, const char *text) {
        for (; strings && *strings; strings++)
                if (text_equal(*strings, text))
                        return true;
        return false;
}

int strings_append(char ***strings, const char *text) {
        _cleanup_free_ char *copy = NULL;
        size_t n = strings_count(*strings);
        char **grown;

        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        grown = reallocarray(*strings, n + 2, sizeof(char *));
        if (!grown)
                return -ENOMEM;
        grown[n] = TAKE_PTR(copy);
        grown[n + 1] = NULL;
        *strings = grown;
        return 0;
}

int file_read(const char *path, size_t max_bytes, char **ret_bytes, size_t *ret_size) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *bytes = NULL;
        size_t size = 0, capacity = 0;

        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t n;
                int r;

                r = array_grow(&bytes, &capacity, size + 4096, 1);
                if (r < 0)
                        return r;
                n = read(fd, bytes + size, capacity - size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > max_bytes)
                        return -EFBIG;
        }
        bytes[size] = '\0';
        *ret_bytes = TAKE_PTR(bytes);
        if (ret_size)
                *ret_size = size;
        return 0;
}

static int folder_sync(const char *path) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *folder = NULL;
        const char *slash = strrchr(path, '/');

        folder = !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t) (slash - path));
        if (!folder)
                return -ENOMEM;
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

static int bytes_write(int fd, const char *bytes, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, bytes, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                bytes += n;
                size -= (size_t) n;
        }
        return 0;
}

int file_write_atomic(const char *path, const void *bytes, size_t size, unsigned mode) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *beside = NULL;
        int r;

        if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
                beside = NULL;
                return -ENOMEM;
        }
        fd = mkostemp(beside, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = bytes_write(fd, bytes, size);
        if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(beside, path) < 0))
                r = -errno;
        if (r < 0) {
                (void) unlink(beside);
                return r;
        }
        return folder_sync(path);
}

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(const void *bytes, size_t size, char *ret) {
        const uint8_t *from = bytes;

        for (size_t i = 0; i < size; i++) {
                *ret++ = hex_digits[from[i] >> 4];
                *ret++ = hex_digits[from[i] & 15];
        }
        *ret = '\0';
}

static int hex_digit(char c) {
        const char *place = c ? strchr(hex_digits, c) : NULL;

        return place ? (int) (place - hex_digits) : -EBADMSG;
}

int hex_decode(const char *hex, size_t size, void *ret) {
        uint8_t *to = ret;

        for (size_t i = 0; i < size; i++) {
                int high = hex_digit(hex[2 * i]), low = high < 0 ? high : hex_digit(hex[2 * i + 1]);

                if (low < 0)
                        return low;
                to[i] = (uint8_t) (high << 4 | low);
        }
        return 0;
}
