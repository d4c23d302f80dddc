/* SPDX-License-Identifier: Apache-2.0 */
#include "store/baseline-page.h"
#include <endian.h>

#define FORMAT      1U
#define HEADER_SIZE 24U
#define DIGESTED    20U /* from here on */
#define ROW_SIZE    48U
#define NUMBER_SIZE 6U

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t size) {
        number = htole64(number);
        return mempcpy(at, &number, size);
}

static uint64_t get_number(const uint8_t *at, size_t size) {
        uint64_t number = 0;

        memcpy(&number, at, size);
        return le64toh(number);
}

size_t page_size(size_t n_rows, size_t keys_size) { return HEADER_SIZE + n_rows * ROW_SIZE + keys_size; }

static uint8_t *put_row(uint8_t *at, const BaselineRow *row, size_t key_end) {
        at = put_number(at, key_end, 4);
        at = put_number(at, row->number, NUMBER_SIZE);
        at = put_number(at, row->batch, NUMBER_SIZE);
        at = mempcpy(at, row->source_digest.bytes, DIGEST_SIZE);
        return mempcpy(at, row->target_digest.bytes, DIGEST_SIZE);
}

int page_write(const PageRow *rows, size_t n_rows, uint8_t **bytes, size_t *capacity, size_t *ret_size) {
        size_t keys_size = 0, size;
        uint8_t *at, *keys, *key;
        Digest digest;
        int r;

        for (size_t i = 0; i < n_rows; i++) {
                keys_size += rows[i].key.size;
                if (rows[i].row.number >> (8 * NUMBER_SIZE) || rows[i].row.batch >> (8 * NUMBER_SIZE))
                        return -EOVERFLOW;
        }
        if (keys_size > UINT32_MAX || n_rows > UINT32_MAX)
                return -EOVERFLOW;
        size = page_size(n_rows, keys_size);
        if (size > *capacity) {
                r = array_grow(bytes, capacity, size, 1);
                if (r < 0)
                        return r;
        }
        at = *bytes + HEADER_SIZE;
        keys = key = at + n_rows * ROW_SIZE;
        for (size_t i = 0; i < n_rows; i++) {
                key = mempcpy(key, rows[i].key.bytes, rows[i].key.size);
                at = put_row(at, &rows[i].row, (size_t) (key - keys));
        }
        (void) put_number(*bytes + DIGESTED, n_rows, 4);
        bytes_digest(*bytes + DIGESTED, size - DIGESTED, &digest);
        at = put_number(*bytes, FORMAT, 4);
        memcpy(at, digest.bytes, DIGEST_SIZE);
        *ret_size = size;
        return 0;
}

int page_open(const void *bytes, size_t size, Page *ret) {
        const uint8_t *at = bytes;
        size_t n_rows;
        Digest digest;

        if (size < HEADER_SIZE || get_number(at, 4) != FORMAT)
                return -EBADMSG;
        n_rows = get_number(at + DIGESTED, 4);
        if (n_rows > (size - HEADER_SIZE) / ROW_SIZE)
                return -EBADMSG;
        bytes_digest(at + DIGESTED, size - DIGESTED, &digest);
        if (memcmp(at + 4, digest.bytes, DIGEST_SIZE) != 0)
                return -EBADMSG;
        *ret = (Page){
                .rows = at + HEADER_SIZE,
                .keys = at + HEADER_SIZE + n_rows * ROW_SIZE,
                .n_rows = n_rows,
                .keys_size = size - page_size(n_rows, 0),
        };
        return 0;
}

int page_row(const Page *p, size_t i, PageRow *ret) {
        const uint8_t *at = p->rows + i * ROW_SIZE;
        size_t begin = i > 0 ? get_number(at - ROW_SIZE, 4) : 0, end = get_number(at, 4);

        assert(i < p->n_rows);
        if (begin > end || end > p->keys_size)
                return -EBADMSG;
        ret->key = (Key){.bytes = p->keys + begin, .size = end - begin};
        at += 4;
        ret->row.number = get_number(at, NUMBER_SIZE);
        ret->row.batch = get_number(at + NUMBER_SIZE, NUMBER_SIZE);
        at += 2 * NUMBER_SIZE;
        memcpy(ret->row.source_digest.bytes, at, DIGEST_SIZE);
        memcpy(ret->row.target_digest.bytes, at + DIGEST_SIZE, DIGEST_SIZE);
        return 0;
}
