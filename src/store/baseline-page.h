/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Baseline rows of neighbouring keys as one value, sorted by key. In the worker; inside this room only.
 *
 * Format 1, numbers little-endian:
 *    0  4  format          4  16 bytes_digest() of all that follows          20  4  rows
 *   24  48 a row: where its key ends among the keys (4), number (6), batch (6), source and target digest (16
 *       each)
 *       keys, one after the other */
#include "store/progress.h"

#define PAGE_BYTES 3900U /* of a full page: its row of the table fits a page of SQLite's, 4096 less heads */

typedef struct PageRow {
        Key key; /* borrowed */
        BaselineRow row;
} PageRow;
/* Bytes that n rows with keys of keys_size in all need. */
size_t page_size(size_t n_rows, size_t keys_size);
/* Writes rows sorted by key into *bytes (grown). *ret_size: what was written. -ENOMEM, -EOVERFLOW (a number
 * beyond 2^48, 4 GiB of keys). */
_must_check_ int page_write(const PageRow *rows, size_t n_rows, uint8_t **bytes, size_t *capacity,
                            size_t *ret_size);

typedef struct Page {
        const uint8_t *rows, *keys; /* borrowed */
        size_t n_rows, keys_size;
} Page;
/* Checks format, size and digest. -EBADMSG. */
_must_check_ int page_open(const void *bytes, size_t size, Page *ret);
/* Row i; its key borrows. -EBADMSG. */
_must_check_ int page_row(const Page *p, size_t i, PageRow *ret);
