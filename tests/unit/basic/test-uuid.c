/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/timestamp.h"
#include "basic/uuid.h"
#include "../testing.h"

static void test_rising(void **state) {
        char previous[UUID_TEXT_SIZE] = "", next[UUID_TEXT_SIZE];
        uint8_t bytes[16];
        int64_t before = timestamp_now() / 1000, msec = 0;

        /* More than the counter of one millisecond holds. */
        for (unsigned i = 0; i < 20000; i++) {
                assert_int_equal(uuid_new_v7(next), 0);
                assert_true(strcmp(previous, next) < 0);
                memcpy(previous, next, sizeof(previous));
        }
        assert_true(uuid_is_valid(next));
        assert_int_equal(next[14], '7');
        assert_non_null(strchr("89ab", next[19]));
        assert_int_equal(uuid_parse(next, 36, bytes), 0);
        for (unsigned i = 0; i < 6; i++)
                msec = msec << 8 | bytes[i];
        assert_true(msec >= before && msec <= before + 10000);
}

static void test_text(void **state) {
        uint8_t bytes[16] = { 42 };
        char text[UUID_TEXT_SIZE];

        assert_int_equal(uuid_parse("01234567-89AB-cdef-0123-456789abcdef", 36, bytes), 0);
        uuid_format(bytes, text);
        assert_string_equal(text, "01234567-89ab-cdef-0123-456789abcdef");
        assert_false(uuid_is_valid(NULL));
        assert_false(uuid_is_valid(""));
        assert_false(uuid_is_valid("0123456789ab-cdef-0123-456789abcdef0"));
        assert_false(uuid_is_valid("01234567-89ab-cdef-0123-456789abcdeg"));
        assert_false(uuid_is_valid("01234567-89ab-cdef-0123-456789abcdef0"));
        assert_false(uuid_is_valid("01234567-89ab-cdef-0123-456789abcde"));
        assert_int_equal(uuid_parse("x1234567-89ab-cdef-0123-456789abcdef", 36, bytes), -EINVAL);
        assert_int_equal(bytes[0], 1);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_rising), cmocka_unit_test(test_text) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
