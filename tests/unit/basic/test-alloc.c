/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/alloc.h"
#include "../testing.h"

static void test_array_grow(void **state) {
        _cleanup_free_ uint32_t *array = NULL;
        size_t capacity = 0, before;

        assert_int_equal(array_grow(&array, &capacity, 1, sizeof(*array)), 0);
        assert_true(capacity >= 1);
        before = capacity;
        for (size_t i = 0; i < before; i++) {
                assert_int_equal(array[i], 0);
                array[i] = (uint32_t) i + 7;
        }
        assert_int_equal(array_grow(&array, &capacity, before + 1, sizeof(*array)), 0);
        assert_true(capacity > before);
        for (size_t i = 0; i < capacity; i++)
                assert_int_equal(array[i], i < before ? i + 7 : 0);
        before = capacity;
        assert_int_equal(array_grow(&array, &capacity, before, sizeof(*array)), 0);
        assert_int_equal(capacity, before);
}

static void test_array_too_large(void **state) {
        _cleanup_free_ uint64_t *array = NULL;
        size_t capacity = 0;

        assert_int_equal(array_grow(&array, &capacity, SIZE_MAX, sizeof(*array)), -ENOMEM);
        assert_int_equal(array_grow(&array, &capacity, SIZE_MAX / 2 + 2, 1), -ENOMEM);
        assert_int_equal(capacity, 0);
        assert_null(array);
}

static void test_take(void **state) {
        char *text = strdup("a"), *taken = TAKE_PTR(text);
        int fd = 7, taken_fd = TAKE_FD(fd);

        assert_null(text);
        assert_string_equal(taken, "a");
        assert_int_equal(taken_fd, 7);
        assert_int_equal(fd, -EBADF);
        free(taken);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_array_grow),
                cmocka_unit_test(test_array_too_large),
                cmocka_unit_test(test_take),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
