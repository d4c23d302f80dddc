/* SPDX-License-Identifier: Apache-2.0 */
/* An answer that is taken says only what is in its head, is taken as the same whatever follows it, and not before its head is whole. */
#include "fuzz.h"

#include "gateway/answer.h"
#include "http/message.h"

static void whole_check(const char *bytes, const Answer *a) {
        Answer again;

        CHECK(a->head_size >= 4 && a->head_size <= ANSWER_HEAD_BYTES_MAX && memcmp(bytes + a->head_size - 4, "\r\n\r\n", 4) == 0);
        CHECK(memmem(bytes, a->head_size - 1, "\r\n\r\n", 4) == NULL);
        CHECK(a->status >= 200 && a->status < 600 && a->body_size <= ANSWER_BODY_BYTES_MAX && a->n_headers <= ANSWER_HEADERS_MAX);
        for (size_t i = 0; i < a->n_headers; i++) {
                const AnswerHeader *h = a->headers + i;

                CHECK(h->name + h->name_size < h->value + 1 && h->value + h->value_size <= a->head_size - 4);
                CHECK(http_token_is_valid(bytes + h->name, h->name_size));
                CHECK(!memchr(bytes + h->value, '\r', h->value_size) && !memchr(bytes + h->value, '\n', h->value_size) &&
                      !memchr(bytes + h->value, '\0', h->value_size));
        }
        CHECK(answer_parse(bytes, a->head_size, &again) == 1);
        CHECK(again.status == a->status && again.body_size == a->body_size && again.n_headers == a->n_headers && again.close == a->close);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        /* A copy of exactly its size: a read past the end is seen. */
        char *text = malloc(size ? size : 1);
        Answer a;
        int r;

        CHECK(text);
        if (size > 0)
                memcpy(text, bytes, size);
        r = answer_parse(text, size, &a);
        CHECK(r == 1 || r == 0 || r == -EBADMSG);
        if (r == 1) {
                whole_check(text, &a);
                for (size_t n = 0; n < a.head_size; n += 1 + n / 64) {
                        Answer early;

                        CHECK(answer_parse(text, n, &early) == 0);
                }
        }
        free(text);
        return 0;
}
