/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/copy-binary.h"
#include "connect/postgresql-numeric.h"

/* digits: groups of four as the server has them, ended by -1 */
static size_t numeric(char *bytes, int weight, unsigned sign, unsigned scale, const int *groups) {
        char *at = bytes + 8;
        uint16_t n = 0;

        for (; groups[n] >= 0; n++)
                at = copy_set16(at, (uint16_t) groups[n]);
        (void) copy_set16(copy_set16(copy_set16(copy_set16(bytes, n), (uint16_t) (int16_t) weight), (uint16_t) sign),
                          (uint16_t) scale);
        return (size_t) (at - bytes);
}

/* As select numeric_send(…) shows them. */
static const struct {
        const char *text;
        int weight;
        unsigned sign, scale;
        int groups[12];
} known[] = {
        {"0", 0, 0, 0, {-1}},
        {"0.00", 0, 0, 2, {-1}},
        {"1", 0, 0, 0, {1, -1}},
        {"10000", 1, 0, 0, {1, -1}},
        {"12345.67", 1, 0, 2, {1, 2345, 6700, -1}},
        {"-12345.67", 1, 0x4000, 2, {1, 2345, 6700, -1}},
        {"0.05", -1, 0, 2, {500, -1}},
        {"0.00005", -2, 0, 5, {5000, -1}},
        {"100000000.00", 2, 0, 2, {1, -1}},
        {"1.10", 0, 0, 2, {1, 1000, -1}},
        {"99999999999999999999999999999999999999", 9, 0, 0,
         {99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, -1}},
        {"0.12345678901234567890123456789012345678", -1, 0, 38,
         {1234, 5678, 9012, 3456, 7890, 1234, 5678, 9012, 3456, 7800, -1}},
        {"-1234567890123456789012345678901234.5678", 8, 0x4000, 4,
         {12, 3456, 7890, 1234, 5678, 9012, 3456, 7890, 1234, 5678, -1}},
};

static void known_ones(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(known); i++) {
                char bytes[64], text[DECIMAL_TEXT_MAX], encoded[PG_NUMERIC_SIZE_MAX];
                size_t size = numeric(bytes, known[i].weight, known[i].sign, known[i].scale, known[i].groups);
                Decimal d;

                assert_int_equal(pg_numeric_decode(bytes, size, &d), 0);
                decimal_format(&d, text);
                assert_string_equal(text, known[i].text);
                assert_int_equal(pg_numeric_encode(&d, encoded), size);
                assert_memory_equal(encoded, bytes, size);
        }
}

static void random_ones_come_back(void **state) {
        uint64_t random = 88172645463325252ULL;

        for (unsigned i = 0; i < 200000; i++) {
                char bytes[PG_NUMERIC_SIZE_MAX];
                Decimal d = {.scale = (uint8_t) (i % 39)}, back;
                unsigned bits;

                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                bits = (unsigned) (random >> 40) % 127;
                d.coefficient = (__int128) (((unsigned __int128) random << 64 | random * 0x9E3779B97F4A7C15ULL) >> (127 - bits) >> 1);
                if (decimal_digits(&d) > DECIMAL_DIGITS_MAX)
                        d.coefficient /= 1000;
                if (i % 3 == 0)
                        d.coefficient = -d.coefficient;
                assert_int_equal(pg_numeric_decode(bytes, pg_numeric_encode(&d, bytes), &back), 0);
                assert_true(back.coefficient == d.coefficient);
                assert_int_equal(back.scale, d.scale);
        }
}

static void what_no_decimal_holds_is_text(void **state) {
        static const int long_groups[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1}, none[] = {-1}, deep[] = {5, -1};
        _cleanup_arena_ Arena *arena = NULL;
        char bytes[64], word[PG_NUMERIC_SIZE_MAX];
        size_t size;
        Decimal d;

        assert_int_equal(arena_new(&arena), 0);
        size = numeric(bytes, 10, 0, 0, long_groups);
        assert_int_equal(pg_numeric_decode(bytes, size, &d), -ERANGE);
        assert_string_equal(pg_numeric_text(bytes, size, arena), "10002000300040005000600070008000900100011");
        size = numeric(bytes, 5, 0x4000, 22, long_groups);
        assert_int_equal(pg_numeric_decode(bytes, size, &d), -ERANGE);
        assert_string_equal(pg_numeric_text(bytes, size, arena), "-100020003000400050006.0007000800090010001100");
        size = numeric(bytes, -11, 0, 41, deep);
        assert_int_equal(pg_numeric_decode(bytes, size, &d), -ERANGE);
        assert_string_equal(pg_numeric_text(bytes, size, arena), "0.00000000000000000000000000000000000000000");
        size = numeric(bytes, 0, 0xC000, 0, none);
        assert_int_equal(pg_numeric_decode(bytes, size, &d), -ERANGE);
        assert_string_equal(pg_numeric_text(bytes, size, arena), "NaN");
        size = numeric(bytes, 0, 0xD000, 0, none);
        assert_int_equal(pg_numeric_decode(bytes, size, &d), -ERANGE);
        assert_string_equal(pg_numeric_text(bytes, size, arena), "Infinity");
        size = numeric(bytes, 0, 0xF000, 0, none);
        assert_string_equal(pg_numeric_text(bytes, size, arena), "-Infinity");
        assert_int_equal(pg_numeric_encode_word("-Infinity", 9, word, &size), 0);
        assert_memory_equal(bytes, word, 8);
        assert_int_equal(pg_numeric_encode_word("nothing", 7, word, &size), -EINVAL);
}

static void broken_ones_are_told(void **state) {
        static const int good[] = {1, -1}, group[] = {10000, -1}, two[] = {1, 2345, -1};
        char bytes[64] = {};
        Decimal d;

        assert_int_equal(pg_numeric_decode(bytes, 7, &d), -EBADMSG);
        assert_int_equal(pg_numeric_decode(bytes, numeric(bytes, 0, 0, 0, good) + 2, &d), -EBADMSG);
        assert_int_equal(pg_numeric_decode(bytes, numeric(bytes, 0, 0, 0, group), &d), -EBADMSG);
        assert_int_equal(pg_numeric_decode(bytes, numeric(bytes, 0, 0x1234, 0, good), &d), -EBADMSG);
        assert_int_equal(pg_numeric_decode(bytes, numeric(bytes, 0, 0, 2, two), &d), -EBADMSG); /* digits beyond */
        assert_int_equal(pg_numeric_decode(bytes, numeric(bytes, -9, 0, 2, good), &d), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_ones),
                cmocka_unit_test(random_ones_come_back),
                cmocka_unit_test(what_no_decimal_holds_is_text),
                cmocka_unit_test(broken_ones_are_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
