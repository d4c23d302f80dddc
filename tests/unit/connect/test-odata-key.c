/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odata-key.h"
#include "../testing.h"

static const ODataProperty one[] = {{.name = "no", .type = EDM_STRING, .key_place = 1}};
static const ODataProperty two[] = {{.name = "line", .type = EDM_INTEGER, .key_place = 2}, {.name = "no", .type = EDM_STRING, .key_place = 1}};
static const ODataSet single = {.name = "A", .properties = one, .n_properties = 1, .n_key = 1},
                      pair = {.name = "B", .properties = two, .n_properties = 2, .n_key = 2};

static void key_is(const ODataSet *set, const char *id, const char *first, int64_t second) {
        _cleanup_arena_ Arena *arena = NULL;
        Value key[2] = {};

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(odata_key_parse(id, set, arena, key), 0);
        assert_int_equal(key[0].type, VALUE_TEXT);
        assert_int_equal(key[0].size, strlen(first));
        assert_memory_equal(key[0].bytes, first, key[0].size);
        if (set->n_key == 2)
                assert_int_equal(key[1].integer, second);
}

static void test_keys(void **state) {
        key_is(&single, "Accounts('A1')", "A1", 0);
        key_is(&single, "https://host/odata/Accounts(%27A%201%27)", "A 1", 0);
        key_is(&single, "Accounts(no='O''Hara (b)')", "O'Hara (b)", 0);
        key_is(&single, "Accounts('')", "", 0);
        key_is(&single, "Accounts('a,b')", "a,b", 0);
        key_is(&single, "Accounts('100%')", "100%", 0);
        key_is(&pair, "Lines(no='A1',line=3)", "A1", 3);
        key_is(&pair, "Lines(line=-4,no='x,line=9')", "x,line=9", -4);
}

static void test_refusals(void **state) {
        static const char *const wrong[] = {"", "Accounts", "Accounts(", "Accounts()", "Lines(no='A1')", "Lines('A1',3)", "Lines(no='A1'line=3)",
                                            "Lines(no='A1,line=3)"};
        _cleanup_arena_ Arena *arena = NULL;
        Value key[2];

        assert_int_equal(arena_new(&arena), 0);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_int_equal(odata_key_parse(wrong[i], &pair, arena, key), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_refusals)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
