/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "config/pair-file.h"

static int read_constant(const char *yaml, ValueType type, Value *ret, char **ret_bytes) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_yaml_document_ YamlDocument *d = NULL;

        assert_int_equal(yaml_parse(yaml, strlen(yaml), "f", &d, &m), 0);
        return constant_read(d, json_object_get(yaml_root(d), "v"), type, ret, ret_bytes);
}

static void check(const char *yaml, ValueType type, ValueType expected, const char *text) {
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ char *bytes = NULL;
        Value v;

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(read_constant(yaml, type, &v, &bytes), 0);
        assert_int_equal(v.type, expected);
        assert_string_equal(value_to_text(&v, arena, 0), text);
}

static void test_by_looks(void **state) {
        check("v: 5", VALUE_ABSENT, VALUE_INTEGER, "5");
        check("v: -12.50", VALUE_ABSENT, VALUE_DECIMAL, "-12.50");
        check("v: 0100", VALUE_ABSENT, VALUE_TEXT, "0100");
        check("v: \"5\"", VALUE_ABSENT, VALUE_TEXT, "5");
        check("v: true", VALUE_ABSENT, VALUE_BOOLEAN, "true");
        check("v: 'true'", VALUE_ABSENT, VALUE_TEXT, "true");
        check("v: null", VALUE_ABSENT, VALUE_NULL, "null");
        check("v: ''", VALUE_ABSENT, VALUE_TEXT, "");
        check("v: 1e5", VALUE_ABSENT, VALUE_TEXT, "1e5");
        check("v: 1.2.3", VALUE_ABSENT, VALUE_TEXT, "1.2.3");
        check("v: '-'", VALUE_ABSENT, VALUE_TEXT, "-");
        check("v: 99999999999999999999", VALUE_ABSENT, VALUE_DECIMAL, "99999999999999999999");
}

static void test_by_type(void **state) {
        Value v;
        char *bytes;

        check("v: 0100", VALUE_TEXT, VALUE_TEXT, "0100");
        check("v: 0100", VALUE_INTEGER, VALUE_INTEGER, "100");
        check("v: 1997-06-01", VALUE_DATE, VALUE_DATE, "1997-06-01");
        check("v: 12:30", VALUE_TIME, VALUE_TIME, "12:30:00");
        check("v: 1997-06-01T00:00:00Z", VALUE_TIMESTAMP, VALUE_TIMESTAMP, "1997-06-01T00:00:00+00:00");
        check("v: 00010203-0405-0607-0809-0a0b0c0d0e0f", VALUE_UUID, VALUE_UUID,
              "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_int_equal(read_constant("v: x", VALUE_INTEGER, &v, &bytes), -EINVAL);
        assert_int_equal(read_constant("v: x", VALUE_UUID, &v, &bytes), -EINVAL);
        assert_int_equal(read_constant("v: yes", VALUE_BOOLEAN, &v, &bytes), -EINVAL);
        assert_int_equal(read_constant("v: [1]", VALUE_ABSENT, &v, &bytes), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_looks), cmocka_unit_test(test_by_type)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
