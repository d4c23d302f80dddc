/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/arena.h"
#include "../testing.h"

static void test_pieces(void **state) {
        _cleanup_arena_ Arena *a = NULL;
        unsigned char *pieces[3000];

        assert_int_equal(arena_new(&a), 0);
        assert_int_equal(arena_size_bytes(a), 0);
        for (unsigned i = 0; i < ELEMENTSOF(pieces); i++) {
                pieces[i] = arena_alloc(a, i % 200);
                assert_non_null(pieces[i]);
                assert_int_equal((uintptr_t) pieces[i] % 16, 0);
                memset(pieces[i], (int) (i % 251), i % 200);
        }
        /* None overlaps another: each still holds what was put there. */
        for (unsigned i = 0; i < ELEMENTSOF(pieces); i++)
                for (unsigned j = 0; j < i % 200; j++)
                        assert_int_equal(pieces[i][j], i % 251);
        assert_true(arena_size_bytes(a) >= 3000 / 200 * (199 * 200 / 2));
}

static void test_large_between_small(void **state) {
        _cleanup_arena_ Arena *a = NULL;
        char *first, *large, *second;

        assert_int_equal(arena_new(&a), 0);
        first = arena_alloc(a, 16);
        large = arena_alloc_zero(a, 5 * 1024 * 1024);
        second = arena_alloc(a, 16);
        assert_non_null(large);
        assert_int_equal(large[5 * 1024 * 1024 - 1], 0);
        assert_ptr_equal(second, first + 16); /* the common block goes on being used */
        assert_true(arena_size_bytes(a) >= 5 * 1024 * 1024 + 32);
        assert_null(arena_alloc(a, SIZE_MAX));
        assert_null(arena_alloc(a, SIZE_MAX - 64));
}

static void test_large_first(void **state) {
        _cleanup_arena_ Arena *a = NULL;

        assert_int_equal(arena_new(&a), 0);
        assert_non_null(arena_alloc(a, 100000));
        assert_non_null(memset(arena_alloc(a, 100), 1, 100));
}

static void test_reset_reuses(void **state) {
        _cleanup_arena_ Arena *a = NULL;
        void *first;

        assert_int_equal(arena_new(&a), 0);
        first = arena_alloc(a, 100);
        arena_reset(a);
        assert_int_equal(arena_size_bytes(a), 0);
        assert_ptr_equal(arena_alloc(a, 100), first);
        for (unsigned round = 0; round < 20; round++) {
                for (unsigned i = 0; i < 100; i++)
                        assert_non_null(memset(arena_alloc(a, 9000), (int) i, 9000));
                arena_reset(a);
        }
}

static void test_copy_and_print(void **state) {
        _cleanup_arena_ Arena *a = NULL;
        char *text;

        assert_int_equal(arena_new(&a), 0);
        assert_memory_equal(arena_copy(a, "a\0b", 3), "a\0b", 3);
        assert_non_null(arena_copy(a, NULL, 0));
        assert_string_equal(arena_printf(a, "%s-%d", "parcel", 42), "parcel-42");
        text = arena_printf(a, "%0100000d", 7);
        assert_int_equal(strlen(text), 100000);
        assert_int_equal(text[99999], '7');
        assert_null(arena_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pieces),      cmocka_unit_test(test_large_between_small),
                cmocka_unit_test(test_large_first), cmocka_unit_test(test_reset_reuses),
                cmocka_unit_test(test_copy_and_print),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
