/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/encoding.h"

#include "basic/text.h"

#define INPUT_BYTES     (64U * 1024)
#define CHARACTER_BYTES 4U /* of UTF-8, at most */

static const char *const names[_TEXT_ENCODING_MAX] = {
        [ENCODING_UTF8] = "utf-8",       [ENCODING_UTF16LE] = "utf-16le",         [ENCODING_UTF16BE] = "utf-16be",
        [ENCODING_LATIN1] = "latin-1",   [ENCODING_WINDOWS1252] = "windows-1252",
};

static const struct {
        const char *name;
        TextEncoding encoding;
} other_names[] = {
        {"utf8", ENCODING_UTF8},         {"latin1", ENCODING_LATIN1},       {"iso-8859-1", ENCODING_LATIN1},
        {"iso8859-1", ENCODING_LATIN1},  {"cp1252", ENCODING_WINDOWS1252},  {"windows1252", ENCODING_WINDOWS1252},
        {"utf16le", ENCODING_UTF16LE},   {"utf16be", ENCODING_UTF16BE},     {"utf-16", ENCODING_UTF16LE},
};

/* Unicode's own mapping of code page 1252, 0x80 to 0x9F; 0: undefined. */
static const uint16_t windows1252[32] = {
        0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

const char *text_encoding_to_string(TextEncoding encoding) {
        return encoding >= 0 && encoding < _TEXT_ENCODING_MAX ? names[encoding] : "unknown";
}

TextEncoding text_encoding_from_string(const char *name) {
        for (TextEncoding e = 0; name && e < _TEXT_ENCODING_MAX; e++)
                if (text_equal_ignoring_case(name, names[e]))
                        return e;
        for (size_t i = 0; name && i < ELEMENTSOF(other_names); i++)
                if (text_equal_ignoring_case(name, other_names[i].name))
                        return other_names[i].encoding;
        return _TEXT_ENCODING_INVALID;
}

/* ---- finding out ---- */

static bool is_letter(unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0xC0; }

/* Quotes, dashes and signs of Windows-1252 do not stand within words but for the apostrophe, the dashes and the soft ones; where one does,
 * the byte is a letter of another code page. */
static bool is_odd(const unsigned char *bytes, size_t size, size_t at) {
        static const char within[] = "\x83\x8A\x8C\x8E\x91\x92\x96\x97\x9A\x9C\x9E\x9F";
        unsigned char c = bytes[at];

        if (c < 0x80 || c > 0x9F)
                return false;
        if (windows1252[c - 0x80] == 0)
                return true;
        return !strchr(within, c) && at > 0 && at + 1 < size && is_letter(bytes[at - 1]) && is_letter(bytes[at + 1]);
}

/* Bytes of the valid UTF-8 character at the beginning; 0: none. */
static size_t character_size(const char *bytes, size_t size) {
        unsigned char c = (unsigned char) *bytes;
        size_t n = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

        return n <= size && (n == 1 || text_is_utf8(bytes, n)) ? n : 0;
}

/* Every other byte NUL, for the most part: ASCII in two bytes each. */
static bool utf16_find(const char *bytes, size_t size, TextEncoding *ret) {
        size_t n[2] = {}, n_pairs = size / 2;

        for (size_t i = 0; i < 2 * n_pairs; i++)
                n[i % 2] += bytes[i] == '\0';
        if (n_pairs == 0 || (n[0] > 0) == (n[1] > 0) || (n[0] + n[1]) * 10 < n_pairs * 7)
                return false;
        *ret = n[1] > 0 ? ENCODING_UTF16LE : ENCODING_UTF16BE;
        return true;
}

static bool bom_find(const char *bytes, size_t size, EncodingGuess *guess) {
        static const struct {
                const char *bytes;
                size_t size;
                TextEncoding encoding;
        } boms[] = {{"\xEF\xBB\xBF", 3, ENCODING_UTF8}, {"\xFF\xFE", 2, ENCODING_UTF16LE}, {"\xFE\xFF", 2, ENCODING_UTF16BE}};

        for (size_t i = 0; i < ELEMENTSOF(boms); i++)
                if (size >= boms[i].size && memcmp(bytes, boms[i].bytes, boms[i].size) == 0) {
                        guess->encoding = boms[i].encoding;
                        guess->bom_size = boms[i].size;
                        return true;
                }
        return false;
}

/* *ret_fault: the first byte that is no UTF-8; size where all is. Gives how many characters beyond ASCII came before. */
static size_t utf8_scan(const char *bytes, size_t size, bool whole, size_t *ret_fault) {
        size_t at = 0, n_beyond = 0, n;

        while (at < size && (n = character_size(bytes + at, size - at)) > 0) {
                n_beyond += n > 1;
                at += n;
        }
        /* A character that the sample cut in two. */
        if (!whole && at < size && size - at < CHARACTER_BYTES && (unsigned char) bytes[at] >= 0xC2)
                at = size;
        *ret_fault = at;
        return n_beyond;
}

int encoding_detect(const char *bytes, size_t size, bool whole, EncodingGuess *ret) {
        EncodingGuess guess = {.encoding = ENCODING_UTF8};
        bool beyond_latin1 = false;
        size_t n_beyond;

        assert(ret && (bytes || size == 0));
        if (bom_find(bytes, size, &guess) || utf16_find(bytes, size, &guess.encoding)) {
                *ret = guess;
                return 0;
        }
        n_beyond = utf8_scan(bytes, size, whole, &guess.fault);
        if (guess.fault == size) {
                guess.is_ascii = n_beyond == 0;
                guess.fault = 0;
                *ret = guess;
                return 0;
        }
        *ret = guess;
        if (n_beyond > 0)
                return -EILSEQ;
        for (size_t i = guess.fault; i < size; i++) {
                /* UTF-8 behind bytes that are none: two files in one. */
                if (is_odd((const unsigned char *) bytes, size, i) || character_size(bytes + i, size - i) > 1) {
                        ret->fault = i;
                        return -EILSEQ;
                }
                beyond_latin1 = beyond_latin1 || ((unsigned char) bytes[i] >= 0x80 && (unsigned char) bytes[i] < 0xA0);
        }
        *ret = (EncodingGuess){.encoding = beyond_latin1 ? ENCODING_WINDOWS1252 : ENCODING_LATIN1};
        return 0;
}

/* ---- reading ---- */

typedef struct Decoder {
        FILE *file;
        TextEncoding encoding;
        unsigned char input[INPUT_BYTES];
        size_t begin, end;
        char rest[CHARACTER_BYTES]; /* of a character that did not fit into the caller's buffer */
        size_t n_rest;
} Decoder;

static size_t utf8_put(uint32_t c, char out[static CHARACTER_BYTES]) {
        if (c < 0x80) {
                out[0] = (char) c;
                return 1;
        }
        if (c < 0x800) {
                out[0] = (char) (0xC0 | c >> 6);
                out[1] = (char) (0x80 | (c & 0x3F));
                return 2;
        }
        if (c < 0x10000) {
                out[0] = (char) (0xE0 | c >> 12);
                out[1] = (char) (0x80 | (c >> 6 & 0x3F));
                out[2] = (char) (0x80 | (c & 0x3F));
                return 3;
        }
        out[0] = (char) (0xF0 | c >> 18);
        out[1] = (char) (0x80 | (c >> 12 & 0x3F));
        out[2] = (char) (0x80 | (c >> 6 & 0x3F));
        out[3] = (char) (0x80 | (c & 0x3F));
        return 4;
}

/* Whether n bytes of input are there; it may take a read. */
static bool input_available(Decoder *d, size_t n) {
        if (d->end - d->begin >= n)
                return true;
        memmove(d->input, d->input + d->begin, d->end - d->begin);
        d->end -= d->begin;
        d->begin = 0;
        d->end += fread(d->input + d->end, 1, INPUT_BYTES - d->end, d->file);
        return d->end >= n;
}

static uint32_t unit_at(const Decoder *d, size_t at) {
        const unsigned char *p = d->input + d->begin + at;

        return d->encoding == ENCODING_UTF16LE ? (uint32_t) (p[0] | p[1] << 8) : (uint32_t) (p[1] | p[0] << 8);
}

/* One character; 0: the end. */
static size_t utf16_next(Decoder *d, char out[static CHARACTER_BYTES]) {
        uint32_t c, low;

        if (!input_available(d, 2)) {
                if (d->begin == d->end)
                        return 0;
                d->begin = d->end; /* half a unit at the end */
                out[0] = (char) 0xFF;
                return 1;
        }
        c = unit_at(d, 0);
        d->begin += 2;
        if (c >= 0xD800 && c < 0xDC00 && input_available(d, 2)) {
                low = unit_at(d, 0);
                if (low >= 0xDC00 && low < 0xE000) {
                        d->begin += 2;
                        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                }
        }
        return utf8_put(c, out);
}

static size_t byte_decode(TextEncoding encoding, unsigned char c, char out[static CHARACTER_BYTES]) {
        if (encoding == ENCODING_LATIN1 || c < 0x80 || c > 0x9F)
                return utf8_put(c, out);
        if (windows1252[c - 0x80] != 0)
                return utf8_put(windows1252[c - 0x80], out);
        out[0] = (char) c;
        return 1;
}

size_t encoding_read_bytes(TextEncoding encoding, const char *bytes, size_t size, char *ret) {
        char out[CHARACTER_BYTES];
        size_t n_out = 0, n;

        for (size_t i = 0; i < size; i++) {
                n = byte_decode(encoding, (unsigned char) bytes[i], out);
                memcpy(ret + n_out, out, n);
                n_out += n;
        }
        return n_out;
}

static size_t byte_next(Decoder *d, char out[static CHARACTER_BYTES]) {
        return input_available(d, 1) ? byte_decode(d->encoding, d->input[d->begin++], out) : 0;
}

static ssize_t decoder_read(void *cookie, char *buffer, size_t size) {
        Decoder *d = cookie;
        size_t n_out = 0;

        while (n_out < size) {
                size_t n;

                if (d->n_rest == 0)
                        d->n_rest = (d->encoding == ENCODING_UTF16LE || d->encoding == ENCODING_UTF16BE ? utf16_next
                                                                                                         : byte_next)(d, d->rest);
                if (d->n_rest == 0)
                        break;
                n = d->n_rest < size - n_out ? d->n_rest : size - n_out;
                memcpy(buffer + n_out, d->rest, n);
                memmove(d->rest, d->rest + n, d->n_rest - n);
                d->n_rest -= n;
                n_out += n;
        }
        if (n_out == 0 && ferror(d->file)) {
                errno = errno > 0 ? errno : EIO;
                return -1;
        }
        return (ssize_t) n_out;
}

static int decoder_close(void *cookie) {
        Decoder *d = cookie;

        (void) fclose(d->file);
        free(d);
        return 0;
}

FILE *encoding_open(FILE *file, TextEncoding encoding) {
        static const cookie_io_functions_t functions = {.read = decoder_read, .close = decoder_close};
        _cleanup_fclose_ FILE *owned = file;
        Decoder *d;
        FILE *decoded;

        if (encoding == ENCODING_UTF8)
                return TAKE_PTR(owned);
        d = calloc(1, sizeof(*d));
        if (!d)
                return NULL;
        d->encoding = encoding;
        decoded = fopencookie(d, "r", functions);
        if (!decoded) {
                free(d);
                return NULL;
        }
        d->file = TAKE_PTR(owned);
        return decoded;
}

/* ---- writing ---- */

static uint32_t utf8_get(const char *text, size_t *at) {
        unsigned char c = (unsigned char) text[*at];
        size_t n = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
        uint32_t character = n == 1 ? c : (uint32_t) (c & (0x7F >> n));

        for (size_t i = 1; i < n; i++)
                character = character << 6 | ((unsigned char) text[*at + i] & 0x3F);
        *at += n;
        return character;
}

static size_t utf16_put(TextEncoding encoding, uint32_t c, char *out) {
        uint32_t units[2] = {c, 0};
        size_t n = 1;

        if (c >= 0x10000) {
                units[0] = 0xD800 + ((c - 0x10000) >> 10);
                units[1] = 0xDC00 + ((c - 0x10000) & 0x3FF);
                n = 2;
        }
        for (size_t i = 0; i < n; i++) {
                out[2 * i + (encoding == ENCODING_UTF16BE)] = (char) (units[i] & 0xFF);
                out[2 * i + (encoding == ENCODING_UTF16LE)] = (char) (units[i] >> 8);
        }
        return 2 * n;
}

/* 0: the encoding does not have the character. */
static size_t byte_put(TextEncoding encoding, uint32_t c, char *out) {
        if (c < 0x80 || (c >= 0xA0 && c < 0x100) || (c < 0x100 && encoding == ENCODING_LATIN1)) {
                *out = (char) c;
                return 1;
        }
        for (size_t i = 0; encoding == ENCODING_WINDOWS1252 && i < ELEMENTSOF(windows1252); i++)
                if (windows1252[i] == c) {
                        *out = (char) (0x80 + i);
                        return 1;
                }
        return 0;
}

int encoding_write(TextEncoding encoding, const char *text, size_t size, char *ret, size_t *ret_size, size_t *ret_fault) {
        size_t n_out = 0, n;

        if (encoding == ENCODING_UTF8) {
                if (size > 0)
                        memcpy(ret, text, size);
                *ret_size = size;
                return 0;
        }
        for (size_t at = 0; at < size;) {
                size_t begin = at;
                uint32_t c = utf8_get(text, &at);

                if (encoding == ENCODING_UTF16LE || encoding == ENCODING_UTF16BE)
                        n = utf16_put(encoding, c, ret + n_out);
                else
                        n = byte_put(encoding, c, ret + n_out);
                if (n == 0) {
                        *ret_fault = begin;
                        return -EILSEQ;
                }
                n_out += n;
        }
        *ret_size = n_out;
        return 0;
}
