/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "validate/unique.h"

/* Scattered like a digest, different for every number. */
static Digest digest_of(uint64_t number) {
        uint64_t words[2] = { number * 0x9E3779B97F4A7C15ULL, (number + 1) * 0xC2B2AE3D27D4EB4FULL };
        Digest d;

        words[0] ^= words[0] >> 29;
        words[1] ^= words[1] >> 31;
        memcpy(d.bytes, words, sizeof(d.bytes));
        return d;
}

static void test_empty(void **state) {
        _cleanup_(unique_set_done) UniqueSet set = {};
        Digest d = digest_of(1);

        assert_false(unique_set_has(&set, &d));
        assert_int_equal(unique_set_bytes(&set), 0);
}

static void test_adds_once(void **state) {
        _cleanup_(unique_set_done) UniqueSet set = {};
        Digest d = digest_of(1), other = digest_of(2);

        assert_int_equal(unique_set_add(&set, &d), 0);
        assert_true(unique_set_has(&set, &d));
        assert_false(unique_set_has(&set, &other));
        assert_int_equal(unique_set_add(&set, &d), 0);
        assert_int_equal(set.n, 1);
}

static void test_zero_is_a_digest(void **state) {
        _cleanup_(unique_set_done) UniqueSet set = {};
        const Digest zero = {};

        assert_false(unique_set_has(&set, &zero));
        assert_int_equal(unique_set_add(&set, &zero), 0);
        assert_true(unique_set_has(&set, &zero));
        assert_int_equal(set.n, 1);
}

static void test_same_place(void **state) {
        _cleanup_(unique_set_done) UniqueSet set = {};
        Digest d;

        /* All in one part and at its very end, so that searches wrap around. */
        for (unsigned i = 0; i < 200; i++) {
                memset(d.bytes, 0xFF, sizeof(d.bytes));
                d.bytes[1] = (uint8_t) i;
                assert_false(unique_set_has(&set, &d));
                assert_int_equal(unique_set_add(&set, &d), 0);
        }
        for (unsigned i = 0; i < 256; i++) {
                d.bytes[1] = (uint8_t) i;
                assert_int_equal(unique_set_has(&set, &d), i < 200);
        }
        assert_int_equal(set.n, 200);
}

static void test_many_within_the_bound(void **state) {
        _cleanup_(unique_set_done) UniqueSet set = {};
        const uint64_t n = 100000;

        for (uint64_t i = 0; i < n; i++) {
                Digest d = digest_of(i);

                assert_false(unique_set_has(&set, &d));
                assert_int_equal(unique_set_add(&set, &d), 0);
                if (i > 20000 && i % 10000 == 0)
                        assert_in_range(unique_set_bytes(&set), 16 * i,
                                        16 * i * 3 * 8 / (2 * 7) + UNIQUE_PARTS * 32);
        }
        assert_int_equal(set.n, n);
        for (uint64_t i = 0; i < 2 * n; i++) {
                Digest d = digest_of(i);

                assert_int_equal(unique_set_has(&set, &d), i < n);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_adds_once),
                cmocka_unit_test(test_zero_is_a_digest),
                cmocka_unit_test(test_same_place),
                cmocka_unit_test(test_many_within_the_bound),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
