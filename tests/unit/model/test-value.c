/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/value.h"

static Value decimal(const char *text) {
        Value v = {.type = VALUE_DECIMAL};

        assert_int_equal(decimal_parse(text, strlen(text), &v.decimal), 0);
        return v;
}

static Value text(const char *bytes) { return value_text(bytes, strlen(bytes)); }

static void test_types(void **state) {
        assert_string_equal(value_type_to_string(VALUE_DECIMAL), "decimal");
        assert_string_equal(value_type_to_string(_VALUE_TYPE_INVALID), "unknown");
        for (int type = VALUE_TEXT; type < _VALUE_TYPE_MAX; type++)
                assert_int_equal(value_type_from_string(value_type_to_string((ValueType) type)), type);
        assert_int_equal(value_type_from_string("null"), _VALUE_TYPE_INVALID);
        assert_int_equal(value_type_from_string("absent"), _VALUE_TYPE_INVALID);
        assert_int_equal(value_type_from_string("Text"), _VALUE_TYPE_INVALID);
}

static void test_equal(void **state) {
        Value a = decimal("1.50"), b = decimal("1.5"), five = value_integer(5),
              five_decimal = decimal("5.00");
        Value x = text("5"), null = value_null(), none = VALUE_NONE, empty = value_text(NULL, 0);
        Value date = {.type = VALUE_DATE, .integer = 5};

        assert_true(value_equal(&a, &b));
        assert_true(value_equal(&five, &five_decimal));
        assert_true(value_equal(&five_decimal, &five));
        assert_false(value_equal(&a, &five));
        assert_false(value_equal(&five, &x));
        assert_false(value_equal(&five, &date));
        assert_false(value_equal(&null, &none));
        assert_true(value_equal(&null, &null));
        assert_true(value_equal(&empty, &empty));
        assert_false(value_equal(&empty, &null));
}

static void test_copy(void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        char bytes[] = "abc";
        Value v = value_text(bytes, 3), copy, empty = value_text(NULL, 0);

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(value_copy(&v, arena, &copy), 0);
        bytes[0] = 'x';
        assert_memory_equal(copy.bytes, "abc", 3);
        assert_int_equal(value_copy(&empty, arena, &copy), 0);
        assert_int_equal(copy.size, 0);
        assert_non_null(copy.bytes);
}

static void test_text(void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        Value v = decimal("-12.50"), umlauts = text("äöü"),
              bytes = {.type = VALUE_BYTES, .bytes = "\x01\xff\x10", .size = 3};
        Value date = {.type = VALUE_DATE, .integer = 0},
              uuid = {.type = VALUE_UUID, .bytes = "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", .size = 16};
        Value least = value_integer(INT64_MIN), yes = {.type = VALUE_BOOLEAN, .integer = 1},
              null = value_null();

        assert_int_equal(arena_new(&arena), 0);
        assert_string_equal(value_to_text(&v, arena, 0), "-12.50");
        assert_string_equal(value_to_text(&umlauts, arena, 6), "äöü");
        assert_string_equal(value_to_text(&umlauts, arena, 3), "ä…");
        assert_string_equal(value_to_text(&bytes, arena, 0), "01ff10");
        assert_string_equal(value_to_text(&bytes, arena, 4), "01ff…");
        assert_string_equal(value_to_text(&date, arena, 0), "1970-01-01");
        assert_string_equal(value_to_text(&uuid, arena, 0), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_string_equal(value_to_text(&least, arena, 0), "-9223372036854775808");
        assert_string_equal(value_to_text(&yes, arena, 0), "true");
        assert_string_equal(value_to_text(&null, arena, 0), "null");
}

static void check_json(Value v, const char *expected) {
        json_auto_t *json = value_to_json(&v);
        char *dumped = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);

        assert_non_null(dumped);
        assert_string_equal(dumped, expected);
        free(dumped);
}

static void test_json(void **state) {
        check_json(value_null(), "null");
        check_json(decimal("1.50"), "\"1.50\"");
        check_json(value_integer(1LL << 53), "9007199254740992");
        check_json(value_integer((1LL << 53) + 1), "\"9007199254740993\"");
        check_json((Value){.type = VALUE_BOOLEAN, .integer = 0}, "false");
        check_json((Value){.type = VALUE_TIMESTAMP, .integer = 0}, "\"1970-01-01T00:00:00+00:00\"");
        check_json((Value){.type = VALUE_GEOMETRY, .bytes = "\x01\x02", .size = 2}, "\"0102\"");
        check_json((Value){.type = VALUE_JSON, .bytes = "{\"a\":1}", .size = 7}, "{\"a\":1}");
        check_json((Value){.type = VALUE_JSON, .bytes = "{", .size = 1}, "\"{\"");
        check_json(text("a"), "\"a\"");
}

static void check_both_ways(Value v) {
        _cleanup_free_ char *buffer = NULL;
        size_t size = 0, capacity = 0, used;
        Value back;

        assert_int_equal(value_encode(&v, &buffer, &size, &capacity), 0);
        assert_int_equal(value_decode(buffer, size, &back, &used), 0);
        assert_int_equal(used, size);
        assert_int_equal(back.type, v.type);
        assert_true(value_equal(&v, &back));
        if (v.type == VALUE_DECIMAL)
                assert_int_equal(back.decimal.scale, v.decimal.scale);
        for (size_t n = 0; n < size; n++)
                assert_int_equal(value_decode(buffer, n, &back, &used), -EBADMSG);
}

static void test_encode(void **state) {
        check_both_ways(VALUE_NONE);
        check_both_ways(value_null());
        check_both_ways(text(""));
        check_both_ways(text("a text that is longer"));
        check_both_ways(value_integer(0));
        check_both_ways(value_integer(INT64_MIN));
        check_both_ways(value_integer(INT64_MAX));
        check_both_ways(decimal("1.500"));
        check_both_ways(decimal("-99999999999999999999999999999999999999"));
        check_both_ways(decimal("0.00000000000000000000000000000000000001"));
        check_both_ways((Value){.type = VALUE_DATE, .integer = -719528});
        check_both_ways((Value){.type = VALUE_BYTES, .bytes = "\0\0", .size = 2});
}

static void test_decode_refuses(void **state) {
        static const struct {
                const char *bytes;
                size_t size;
        } bad[] = {
                {"", 0},
                {"\x7f", 1},
                {"\x02\x05"
                 "abc",
                 5},
                {"\x09\x01"
                 "a",
                 3},                 /* a UUID of one byte */
                {"\x04\x27\x00", 3}, /* scale 39 */
                {"\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 21},
                {"\x03\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", 11}, /* 2^64 */
        };
        size_t used;
        Value v;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(value_decode(bad[i].bytes, bad[i].size, &v, &used), -EBADMSG);
}

static void means(const char *a, const char *b, ValueType type, bool same) {
        const Value one = {.type = type, .bytes = a, .size = strlen(a)}, other = {.type = type, .bytes = b, .size = strlen(b)};

        if (value_means_same(&one, &other) != same || value_means_same(&other, &one) != same)
                fail_msg("\"%s\" and \"%s\"", a, b);
}

static void test_meaning(void **state) {
        const Value padded = value_text("ab     ", 7), number = value_integer(1), decimal = {.type = VALUE_DECIMAL, .decimal = {.coefficient = 100, .scale = 2}};

        means("ab", "ab     ", VALUE_TEXT, true);
        means("", "   ", VALUE_TEXT, true);
        means(" ab", "ab", VALUE_TEXT, false);
        means("a\tb", "a b", VALUE_TEXT, false);
        means("a\r\nb\r\n", "a\nb\n", VALUE_TEXT, true);
        means("a\rb", "a\nb", VALUE_TEXT, false);
        means("a\r", "a", VALUE_TEXT, false);
        means("a\r\r\nb", "a\r\nb", VALUE_TEXT, false);
        means("018F3C00-0000-7000-8000-00000000000A", "018f3c00-0000-7000-8000-00000000000a", VALUE_TEXT, true);
        means("{018F3C00-0000-7000-8000-00000000000A}", "018f3c00-0000-7000-8000-00000000000a", VALUE_TEXT, true);
        means("ABC", "abc", VALUE_TEXT, false);
        means("{\"a\": [1, 2]}", " {\"a\":[1,2]}\n", VALUE_JSON, true);
        means("{\"a\": \"x y\"}", "{\"a\":\"xy\"}", VALUE_JSON, false);
        means("\"a\\\" b\"", "\"a\\\"b\"", VALUE_JSON, false);
        means("[1]", "[1, 2]", VALUE_JSON, false);
        means("[1, 2]", "[2, 1]", VALUE_JSON, false);
        means("{\"b\": 1.10, \"a\": null}", "{\"a\": null, \"b\": 1.1}", VALUE_JSON, true);
        means("{\"b\": 1, \"a\": 2}", "{\"a\": 1, \"b\": 2}", VALUE_JSON, false);
        means("{\"a\": 1}", "{\"b\": 1}", VALUE_JSON, false);
        means("[0.1]", "[0.10000000000000000001]", VALUE_JSON, false);
        means("\"\\u00e9\"", "\"\xc3\xa9\"", VALUE_JSON, true);
        means("no JSON", "no  JSON", VALUE_JSON, false);
        means("ab", "ab ", VALUE_BYTES, false);
        assert_true(value_means_same(&number, &decimal));
        assert_false(value_means_same(&number, &padded));
        assert_false(value_means_same(&padded, &VALUE_NONE));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_meaning), cmocka_unit_test(test_types),          cmocka_unit_test(test_equal),
                cmocka_unit_test(test_copy),           cmocka_unit_test(test_text),
                cmocka_unit_test(test_json),           cmocka_unit_test(test_encode),
                cmocka_unit_test(test_decode_refuses),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
