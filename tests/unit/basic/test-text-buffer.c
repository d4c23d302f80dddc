/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/text-buffer.h"
#include "../testing.h"

static void test_grows(void **state) {
        _cleanup_text_buffer_ TextBuffer b = {};

        assert_int_equal(text_buffer_add(&b, "ab", 2), 0);
        assert_int_equal(text_buffer_printf(&b, "-%d", 7), 0);
        assert_string_equal(b.bytes, "ab-7");
        assert_int_equal(b.size, 4);
        for (unsigned i = 0; i < 1000; i++)
                assert_int_equal(text_buffer_add(&b, "0123456789", 10), 0);
        assert_int_equal(b.size, 10004);
        assert_int_equal(strlen(b.bytes), 10004);
        text_buffer_reset(&b);
        assert_int_equal(text_buffer_add(&b, "x", 1), 0);
        assert_string_equal(b.bytes, "x");
}

static void test_json(void **state) {
        _cleanup_text_buffer_ TextBuffer b = {};

        assert_int_equal(text_buffer_add_json(&b, "a\"b\\c\n\x01é\0z", 11), 0);
        assert_string_equal(b.bytes, "\"a\\\"b\\\\c\\u000a\\u0001é\\u0000z\"");
        text_buffer_reset(&b);
        assert_int_equal(text_buffer_add_json(&b, "", 0), 0);
        assert_string_equal(b.bytes, "\"\"");
}

static void test_url(void **state) {
        _cleanup_text_buffer_ TextBuffer b = {};

        assert_int_equal(text_buffer_add_url(&b, "a-b_c.d~ /?&='é", 17), 0);
        assert_string_equal(b.bytes, "a-b_c.d~%20%2F%3F%26%3D%27%C3%A9%00");
        text_buffer_reset(&b);
        assert_int_equal(text_buffer_add_url(&b, "", 0), 0);
        assert_string_equal(b.bytes, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_grows), cmocka_unit_test(test_json), cmocka_unit_test(test_url)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
