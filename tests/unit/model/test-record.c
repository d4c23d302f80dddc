/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/record.h"

static Value decimal(const char *text) {
        Value v = {.type = VALUE_DECIMAL};

        assert_int_equal(decimal_parse(text, strlen(text), &v.decimal), 0);
        return v;
}

static Value text(const char *bytes) { return value_text(bytes, strlen(bytes)); }

static Digest digest_of(const Value *values, size_t n, uint64_t seed) {
        DigestScratch scratch = {};
        Digest digest;

        assert_int_equal(values_digest(values, n, seed, &scratch, &digest), 0);
        free(scratch.bytes);
        return digest;
}

static bool same_digest(const Value *a, size_t n_a, const Value *b, size_t n_b) {
        Digest left = digest_of(a, n_a, 0), right = digest_of(b, n_b, 0);

        return digest_equal(&left, &right);
}

static void test_digest(void **state) {
        Value a[] = {text("ab"), text("c")}, b[] = {text("a"), text("bc")},
              c[] = {text("ab"), text("c"), value_null()};
        Value none[] = {VALUE_NONE}, null[] = {value_null()}, empty[] = {text("")};
        Digest seeded = digest_of(a, 2, 1), plain = digest_of(a, 2, 0);

        assert_true(same_digest(a, 2, a, 2));
        assert_false(same_digest(a, 2, b, 2));
        assert_false(same_digest(a, 2, c, 3));
        assert_false(same_digest(none, 1, null, 1));
        assert_false(same_digest(null, 1, empty, 1));
        assert_false(digest_equal(&seeded, &plain));
        assert_true(same_digest(NULL, 0, NULL, 0));
}

static void test_digest_of_numbers(void **state) {
        Value a[] = {decimal("1.50")}, b[] = {decimal("1.5")}, five[] = {value_integer(5)},
              same[] = {decimal("5.00")};
        Value words[] = {text("5")}, wide[] = {decimal("99999999999999999999999999999999999999")};
        Value date[] = {{.type = VALUE_DATE, .integer = 5}};

        assert_true(same_digest(a, 1, b, 1));
        assert_true(same_digest(five, 1, same, 1));
        assert_false(same_digest(five, 1, words, 1));
        assert_false(same_digest(five, 1, date, 1));
        assert_false(same_digest(five, 1, wide, 1));
}

/* Ascending by number, then texts by bytes; each next key is greater, alone and followed by another value. */
static void test_key_order(void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        Value values[] = {
                decimal("-99999999999999999999999999999999999999"),
                value_integer(INT64_MIN),
                value_integer(-65536),
                value_integer(-257),
                value_integer(-256),
                value_integer(-255),
                decimal("-5.5"),
                value_integer(-5),
                decimal("-0.5"),
                value_integer(0),
                decimal("0.05"),
                decimal("0.5"),
                decimal("0.55"),
                value_integer(1),
                value_integer(255),
                value_integer(256),
                value_integer(INT64_MAX),
                decimal("9223372036854775807.5"),
                decimal("9223372036854775808"),
                text(""),
                value_text("\0", 1),
                value_text("\0a", 2),
                text("a"),
                value_text("a\0", 2),
                value_text("a\0b", 3),
                text("a\1"),
                text("ab"),
                text("b"),
        };
        Key last[2] = {};

        assert_int_equal(arena_new(&arena), 0);
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                Value pair[] = {values[i], text(i % 2 ? "" : "zz")};
                Key key[2];
                assert_int_equal(key_encode(pair, 1, arena, &key[0]), 0);
                assert_int_equal(key_encode(pair, 2, arena, &key[1]), 0);
                if (i > 0) {
                        assert_true(key_compare(last[0], key[0]) < 0);
                        assert_true(key_compare(last[1], key[1]) < 0);
                        assert_true(key_compare(key[0], last[0]) > 0);
                }
                memcpy(last, key, sizeof last);
        }
}

static void test_key_both_ways(void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ char *buffer = NULL;
        DigestScratch scratch = {};
        Value values[] = {
                text("LC-00001"),
                value_integer(-42),
                decimal("12.340"),
                {.type = VALUE_DATE, .integer = 9999},
                {.type = VALUE_BYTES, .bytes = "\0\xff", .size = 2},
                decimal("-0.5"),
                decimal("12345678901234567890"),
        };
        Value back[ELEMENTSOF(values)], one;
        Key key, again;

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(key_encode(values, ELEMENTSOF(values), arena, &key), 0);
        assert_int_equal(key_encode_scratch(values, ELEMENTSOF(values), &scratch, &again), 0);
        buffer = scratch.bytes;
        assert_true(key_equal(key, again));
        assert_int_equal(key_decode(key, arena, back, ELEMENTSOF(back)), 0);
        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                assert_true(value_equal(&values[i], &back[i]));
        assert_string_equal(key_to_text(key, arena),
                            "LC-00001|-42|12.34|1997-05-18|00ff|-0.5|12345678901234567890");
        assert_int_equal(key_decode(key, arena, back, ELEMENTSOF(back) - 1), -EBADMSG);
        for (key.size--; key.size > 0; key.size--)
                assert_int_equal(key_decode(key, arena, back, ELEMENTSOF(back)), -EBADMSG);
        assert_int_equal(key_decode((Key){(const uint8_t *) "\x05", 1}, arena, &one, 1), -EBADMSG);
}

static void test_key_numbers_alike(void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        Value integer = value_integer(7), same = decimal("7.00"), null = value_null();
        Key a, b;

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(key_encode(&integer, 1, arena, &a), 0);
        assert_int_equal(key_encode(&same, 1, arena, &b), 0);
        assert_true(key_equal(a, b));
        assert_int_equal(key_encode(&null, 1, arena, &a), -EINVAL);
}

static void test_change_kinds(void **state) {
        assert_string_equal(change_kind_to_string(CHANGE_INSERT), "insert");
        assert_string_equal(change_kind_to_string(CHANGE_HELD), "held");
        assert_string_equal(change_kind_to_string(_CHANGE_KIND_INVALID), "unknown");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_digest),
                cmocka_unit_test(test_digest_of_numbers),
                cmocka_unit_test(test_key_order),
                cmocka_unit_test(test_key_both_ways),
                cmocka_unit_test(test_key_numbers_alike),
                cmocka_unit_test(test_change_kinds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
