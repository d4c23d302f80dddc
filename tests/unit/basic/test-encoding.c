/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/encoding.h"
#include "basic/text.h"

static void guess_is(const char *bytes, size_t size, TextEncoding encoding, size_t bom_size, bool is_ascii) {
        EncodingGuess guess;

        assert_int_equal(encoding_detect(bytes, size, true, &guess), 0);
        assert_string_equal(text_encoding_to_string(guess.encoding), text_encoding_to_string(encoding));
        assert_int_equal(guess.bom_size, bom_size);
        assert_int_equal(guess.is_ascii, is_ascii);
}

#define GUESS(text, ...) guess_is(text, sizeof(text) - 1, __VA_ARGS__)

static void doubt_at(const char *text, size_t fault) {
        EncodingGuess guess;

        assert_int_equal(encoding_detect(text, strlen(text), true, &guess), -EILSEQ);
        assert_int_equal(guess.fault, fault);
}

static void finds_out(void **state) {
        EncodingGuess guess;

        GUESS("", ENCODING_UTF8, 0, true);
        GUESS("id,owner\n", ENCODING_UTF8, 0, true);
        GUESS("J\xc3\xb6rg", ENCODING_UTF8, 0, false);
        GUESS("\xef\xbb\xbf" "a", ENCODING_UTF8, 3, false);
        GUESS("\xff\xfe" "a\0", ENCODING_UTF16LE, 2, false);
        GUESS("\xfe\xff\0a", ENCODING_UTF16BE, 2, false);
        GUESS("i\0d\0,\0", ENCODING_UTF16LE, 0, false);
        GUESS("\0i\0d\0,", ENCODING_UTF16BE, 0, false);
        GUESS("id,owner\n1,A\0da\n", ENCODING_UTF8, 0, true); /* one NUL is no UTF-16 */
        GUESS("J\xf6rg", ENCODING_LATIN1, 0, false);
        GUESS("O\x92Neil \x96 \x80 5", ENCODING_WINDOWS1252, 0, false);
        GUESS("\x9Aime \x8A\x9E", ENCODING_WINDOWS1252, 0, false);
        doubt_at("M\x81ller", 1);            /* undefined in 1252: code page 850's ü */
        doubt_at("caf\xe9 M\x84rz", 6);      /* a low quote within a word: ä */
        doubt_at("\xc3\xb6, \xf6", 4);       /* both in one file */
        /* A sample may end within a character; a whole file may not. */
        assert_int_equal(encoding_detect("a\xc3\xb6\xe2\x82", 5, false, &guess), 0);
        assert_int_equal(guess.encoding, ENCODING_UTF8);
        assert_int_equal(encoding_detect("a\xc3\xb6\xe2\x82", 5, true, &guess), -EILSEQ);
}

static void names(void **state) {
        assert_int_equal(text_encoding_from_string("UTF-8"), ENCODING_UTF8);
        assert_int_equal(text_encoding_from_string("latin1"), ENCODING_LATIN1);
        assert_int_equal(text_encoding_from_string("ISO-8859-1"), ENCODING_LATIN1);
        assert_int_equal(text_encoding_from_string("cp1252"), ENCODING_WINDOWS1252);
        assert_int_equal(text_encoding_from_string("utf-16"), ENCODING_UTF16LE);
        assert_int_equal(text_encoding_from_string("ebcdic"), _TEXT_ENCODING_INVALID);
        assert_int_equal(text_encoding_from_string(NULL), _TEXT_ENCODING_INVALID);
}

/* Read in pieces of any size it is the same text. */
static void decodes(const char *bytes, size_t size, TextEncoding encoding, const char *expected) {
        for (size_t piece = 1; piece < 9; piece++) {
                FILE *file = encoding_open(fmemopen((void *) bytes, size, "r"), encoding);
                char text[64] = {};
                size_t n, n_all = 0;

                assert_non_null(file);
                assert_int_equal(setvbuf(file, NULL, _IONBF, 0), 0);
                while ((n = fread(text + n_all, 1, piece, file)) > 0)
                        n_all += n;
                assert_int_equal(fclose(file), 0);
                assert_int_equal(n_all, strlen(expected));
                assert_memory_equal(text, expected, n_all);
        }
}

#define DECODES(bytes, encoding, expected) decodes(bytes, sizeof(bytes) - 1, encoding, expected)

static void reads(void **state) {
        DECODES("J\xf6\x85", ENCODING_LATIN1, "J\xc3\xb6\xc2\x85");
        DECODES("J\xf6\x80\x9f", ENCODING_WINDOWS1252, "J\xc3\xb6\xe2\x82\xac\xc5\xb8");
        DECODES("a\x81" "b", ENCODING_WINDOWS1252, "a\x81" "b"); /* not UTF-8: found where text is checked */
        DECODES("\xff\xfe" "a\0\xac\x20\x3d\xd8\x00\xde", ENCODING_UTF16LE, "\xef\xbb\xbf" "a\xe2\x82\xac\xf0\x9f\x98\x80");
        DECODES("\0a\x20\xac\xd8\x3d\xde\x00", ENCODING_UTF16BE, "a\xe2\x82\xac\xf0\x9f\x98\x80");
        DECODES("a\0\x3d\xd8" "b\0", ENCODING_UTF16LE, "a\xed\xa0\xbd" "b"); /* half a pair */
        DECODES("a\0b", ENCODING_UTF16LE, "a\xff");                            /* half a unit */
        DECODES("\xc3\xb6", ENCODING_UTF8, "\xc3\xb6");
}

static void writes(void **state) {
        static const char text[] = "a\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80";
        size_t size, fault;
        char out[64];

        assert_int_equal(encoding_write(ENCODING_UTF16LE, text, strlen(text), out, &size, &fault), 0);
        assert_int_equal(size, 10);
        assert_memory_equal(out, "a\0\xf6\0\xac\x20\x3d\xd8\x00\xde", 10);
        assert_int_equal(encoding_write(ENCODING_UTF16BE, "\xe2\x82\xac", 3, out, &size, &fault), 0);
        assert_memory_equal(out, "\x20\xac", 2);
        assert_int_equal(encoding_write(ENCODING_WINDOWS1252, text, 6, out, &size, &fault), 0);
        assert_int_equal(size, 3);
        assert_memory_equal(out, "a\xf6\x80", 3);
        assert_int_equal(encoding_write(ENCODING_LATIN1, text, 6, out, &size, &fault), -EILSEQ);
        assert_int_equal(fault, 3);
        assert_int_equal(encoding_write(ENCODING_WINDOWS1252, text, strlen(text), out, &size, &fault), -EILSEQ);
        assert_int_equal(fault, 6);
        assert_int_equal(encoding_write(ENCODING_UTF8, text, strlen(text), out, &size, &fault), 0);
        assert_int_equal(size, strlen(text));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds_out), cmocka_unit_test(names), cmocka_unit_test(reads), cmocka_unit_test(writes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
