/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes decode, in pieces of any size to the same text; what decodes to valid UTF-8 encodes back to the same bytes. */
#include "fuzz.h"

#include "basic/encoding.h"
#include "basic/text.h"

static size_t decode(const uint8_t *bytes, size_t size, TextEncoding encoding, size_t piece, char *text) {
        FILE *file = encoding_open(fmemopen((void *) bytes, size, "r"), encoding);
        size_t n, n_all = 0;

        CHECK(file);
        CHECK(setvbuf(file, NULL, _IONBF, 0) == 0);
        while ((n = fread(text + n_all, 1, piece, file)) > 0)
                n_all += n;
        CHECK(fclose(file) == 0);
        return n_all;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        char *text = malloc(3 * size + 8), *other = malloc(3 * size + 8), *back = malloc(6 * size + 16);
        size_t n, n_back, fault = 0;
        EncodingGuess guess;
        int r;

        CHECK(text && other && back);
        r = encoding_detect((const char *) bytes, size, size % 2 == 0, &guess);
        CHECK(r == 0 || (r == -EILSEQ && guess.fault < size));
        for (TextEncoding e = 0; size > 0 && e < _TEXT_ENCODING_MAX; e++) {
                n = decode(bytes, size, e, 4096, text);
                CHECK(n <= 3 * size && n == decode(bytes, size, e, 3, other) && memcmp(text, other, n) == 0);
                if (!text_is_utf8(text, n))
                        continue;
                CHECK(encoding_write(e, text, n, back, &n_back, &fault) == 0);
                CHECK(n_back == size && memcmp(back, bytes, size) == 0);
        }
        free(text);
        free(other);
        free(back);
        return 0;
}
