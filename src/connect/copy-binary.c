/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/copy-binary.h"

#define FLAGS_CRITICAL 0xFFFF0000U /* what a reader must understand: none is known but object ids */
#define TRAILER        0xFFFFU     /* stands where a record has its number of fields */

static const char signature[] = "PGCOPY\n\377\r\n"; /* its NUL belongs to it */

int copy_header_skip(const char *bytes, size_t size, size_t *ret_used) {
        const size_t fixed = sizeof(signature) + 4 + 4;
        uint32_t extension;

        if (size < fixed || memcmp(bytes, signature, sizeof(signature)) != 0)
                return -EBADMSG;
        if (copy_get32(bytes + sizeof(signature)) & FLAGS_CRITICAL)
                return -EBADMSG;
        extension = copy_get32(bytes + sizeof(signature) + 4);
        if (extension > size - fixed)
                return -EBADMSG;
        *ret_used = fixed + extension;
        return 0;
}

int copy_record_split(const char *bytes, size_t size, CopyField *fields, size_t n_fields) {
        const char *at = bytes + 2, *end = bytes + size;

        if (size < 2)
                return -EBADMSG;
        if (copy_get16(bytes) == TRAILER)
                return size == 2 ? 0 : -EBADMSG;
        if (copy_get16(bytes) != n_fields)
                return -EBADMSG;
        for (size_t i = 0; i < n_fields; i++) {
                int32_t n;

                if (end - at < 4)
                        return -EBADMSG;
                n = (int32_t) copy_get32(at);
                at += 4;
                if (n < -1 || n > end - at)
                        return -EBADMSG;
                fields[i] = (CopyField){at, n};
                at += n > 0 ? n : 0;
        }
        return at == end ? 1 : -EBADMSG;
}

void copy_buffer_done(CopyBuffer *b) {
        free(b->bytes);
        *b = (CopyBuffer){};
}

char *copy_buffer_reserve(CopyBuffer *b, size_t n) {
        size_t need;

        if (b->capacity - b->size >= n)
                return b->bytes + b->size;
        if (__builtin_add_overflow(b->size, n, &need) ||
            array_grow(&b->bytes, &b->capacity, need, 1) < 0)
                return NULL;
        return b->bytes + b->size;
}

int copy_put_header(CopyBuffer *b) {
        char *at = copy_buffer_reserve(b, sizeof(signature) + 8);

        if (!at)
                return -ENOMEM;
        at = mempcpy(at, signature, sizeof(signature));
        at = copy_set32(at, 0);
        at = copy_set32(at, 0);
        b->size = (size_t) (at - b->bytes);
        return 0;
}

int copy_put_count(CopyBuffer *b, size_t n_fields) {
        char *at = copy_buffer_reserve(b, 2);

        if (!at)
                return -ENOMEM;
        (void) copy_set16(at, (uint16_t) n_fields);
        b->size += 2;
        return 0;
}

int copy_put_field(CopyBuffer *b, const void *bytes, size_t size) {
        char *at = copy_buffer_reserve(b, size + 4);

        if (!at)
                return -ENOMEM;
        at = copy_set32(at, (uint32_t) size);
        if (size > 0)
                memcpy(at, bytes, size);
        b->size += size + 4;
        return 0;
}

int copy_put_null(CopyBuffer *b) {
        char *at = copy_buffer_reserve(b, 4);

        if (!at)
                return -ENOMEM;
        (void) copy_set32(at, UINT32_MAX);
        b->size += 4;
        return 0;
}

int copy_put_trailer(CopyBuffer *b) { return copy_put_count(b, TRAILER); }
