/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "store/baseline-page.h"

static const uint8_t text[] = "abcdefgh";

static size_t write_three(PageRow rows[static 3], uint8_t **bytes, size_t *capacity) {
        size_t size;

        for (unsigned i = 0; i < 3; i++)
                rows[i] = (PageRow){
                        .key = {.bytes = text + i, .size = i}, /* the first one is empty */
                        .row = {.number = (1ULL << 48) - 1 - i,
                                .batch = i * 1000,
                                digest_of(i),
                                digest_of(i + 10)},
                };
        assert_int_equal(page_write(rows, 3, bytes, capacity, &size), 0);
        assert_int_equal(size, page_size(3, 3));
        return size;
}

static void test_rows_come_back(_unused_ void **state) {
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t capacity = 0, size;
        PageRow rows[3], row;
        Page page;

        size = write_three(rows, &bytes, &capacity);
        assert_int_equal(page_open(bytes, size, &page), 0);
        assert_int_equal(page.n_rows, 3);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(page_row(&page, i, &row), 0);
                assert_true(key_equal(row.key, rows[i].key));
                assert_int_equal(row.row.number, rows[i].row.number);
                assert_int_equal(row.row.batch, rows[i].row.batch);
                assert_true(digest_equal(&row.row.source_digest, &rows[i].row.source_digest));
                assert_true(digest_equal(&row.row.target_digest, &rows[i].row.target_digest));
        }
        assert_int_equal(page_write(rows, 0, &bytes, &capacity, &size), 0);
        assert_int_equal(page_open(bytes, size, &page), 0);
        assert_int_equal(page.n_rows, 0);
}

static void test_any_damaged_byte_is_noticed(_unused_ void **state) {
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t capacity = 0, size;
        PageRow rows[3];
        Page page;

        size = write_three(rows, &bytes, &capacity);
        for (size_t i = 0; i < size; i++) {
                bytes[i] ^= 1;
                assert_int_equal(page_open(bytes, size, &page), -EBADMSG);
                bytes[i] ^= 1;
                assert_int_equal(page_open(bytes, i, &page), -EBADMSG);
        }
        assert_int_equal(page_open(bytes, size, &page), 0);
}

/* Written by a program that is wrong, with a digest that is right. */
static void test_a_key_beyond_the_keys(_unused_ void **state) {
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t capacity = 0, size;
        PageRow rows[3], row;
        Digest digest;
        Page page;

        size = write_three(rows, &bytes, &capacity);
        bytes[24] = 200;
        bytes_digest(bytes + 20, size - 20, &digest);
        memcpy(bytes + 4, digest.bytes, DIGEST_SIZE);
        assert_int_equal(page_open(bytes, size, &page), 0);
        assert_int_equal(page_row(&page, 0, &row), -EBADMSG);
        assert_int_equal(page_row(&page, 1, &row), -EBADMSG);
}

static void test_a_number_that_does_not_fit(_unused_ void **state) {
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t capacity = 0, size;
        PageRow row = {.row.number = 1ULL << 48};

        assert_int_equal(page_write(&row, 1, &bytes, &capacity, &size), -EOVERFLOW);
        row = (PageRow){.row.batch = 1ULL << 48};
        assert_int_equal(page_write(&row, 1, &bytes, &capacity, &size), -EOVERFLOW);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows_come_back),
                cmocka_unit_test(test_any_damaged_byte_is_noticed),
                cmocka_unit_test(test_a_key_beyond_the_keys),
                cmocka_unit_test(test_a_number_that_does_not_fit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
