/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/position.h"

static void there_and_back(void **state) {
        Value values[] = {value_integer(-7), value_text("a\0/b", 4)}, again[2];
        char *bytes = NULL, *text, *parsed = NULL;
        size_t size = 0, capacity = 0, parsed_size = 0;
        int64_t version = 0;

        for (size_t i = 0; i < 2; i++)
                assert_int_equal(value_encode(&values[i], &bytes, &size, &capacity), 0);
        text = position_format(42, bytes, size);
        assert_int_equal(strncmp(text, "42/", 3), 0);
        assert_int_equal(position_parse(text, &version, &parsed, &parsed_size), 0);
        assert_int_equal(version, 42);
        assert_int_equal(parsed_size, size);
        assert_int_equal(position_values(parsed, parsed_size, again, 2), 0);
        assert_true(value_equal(&values[0], &again[0]));
        assert_true(value_equal(&values[1], &again[1]));
        /* Another number of values is another table's position. */
        assert_int_equal(position_values(parsed, parsed_size, again, 1), -EBADMSG);
        assert_int_equal(position_values(parsed, parsed_size - 1, again, 2), -EBADMSG);
        free(bytes);
        free(text);
        free(parsed);
}

static void nonsense(void **state) {
        static const char *const texts[] = {"", "1", "/00", "x/00", "1/0", "1/0g", "1/ 0", "1/00/"};
        char *bytes = NULL;
        int64_t version;
        size_t size;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(position_parse(texts[i], &version, &bytes, &size), -EBADMSG);
        assert_null(bytes);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(nonsense)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
