/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/alloc.h"
#include "worker/backfill.h"

#define OLD_HASH "00112233445566778899aabbccddeeff"
#define NEW_HASH "ffeeddccbbaa99887766554433221100"

static MappingColumn columns[] = {{.name = (char *) "id"}, {.name = (char *) "name"}, {.join = (char *) "situs", .name = (char *) "street"}};
static MappingField fields[] = {
        {.name = (char *) "code", .is_key = true, .column = 0, .definition = 1},
        {.name = (char *) "title", .column = 1, .definition = 2},
        {.name = (char *) "street", .column = 2, .definition = 3},
};
static Mapping mapping = {.entity = (char *) "hood", .columns = columns, .n_columns = 3, .fields = fields, .n_fields = 3, .n_key = 1};

static Pair pair_of(const char *hash) {
        Pair pair = {.name = (char *) "p", .mappings = &mapping, .n_mappings = 1};

        memcpy(pair.content_hash_text, hash, 33);
        return pair;
}

static json_t *shape(const char *column, const char *title) {
        return json_pack("{s:s, s:[s, s], s:{s:s, s:s}}", "hash", OLD_HASH, "columns", column, "id", "fields", "code", "0000000000000001",
                         "title", title);
}

static void test_nothing_changed(void **state) {
        Pair pair = pair_of(NEW_HASH);
        json_auto_t *same = backfill_shape(&pair, &mapping);
        Backfill b;

        assert_int_equal(json_array_size(json_object_get(same, "columns")), 3);
        assert_string_equal(json_string_value(json_array_get(json_object_get(same, "columns"), 2)), "situs.street");
        assert_int_equal(backfill_make(&pair, &mapping, same, NULL, &b), 0);
        assert_false(b.is_needed || b.has_before);
        backfill_done(&b);
        assert_int_equal(backfill_make(&pair, &mapping, NULL, NULL, &b), 0);
        assert_false(b.is_needed || b.has_before);
        backfill_done(&b);
}

static void test_a_field_is_gained(void **state) {
        Pair pair = pair_of(NEW_HASH);
        json_auto_t *before = shape("name", "0000000000000002");
        Backfill b;

        assert_int_equal(backfill_make(&pair, &mapping, before, NULL, &b), 0);
        assert_true(b.is_needed && b.has_before);
        assert_false(b.compared[0] || b.compared[1] || b.gained[1]);
        assert_true(b.compared[2] && b.gained[2]);
        assert_int_equal(b.n_columns, 2); /* in the order of then */
        assert_int_equal(b.columns[0], 1);
        assert_int_equal(b.columns[1], 0);
        assert_true(b.seed == 0x0011223344556677ULL);
        backfill_done(&b);
}

static void test_what_leaves_nothing_to_compare_with(void **state) {
        Pair pair = pair_of(NEW_HASH);
        json_auto_t *dropped = shape("no_longer_read", "0000000000000002"), *reworded = shape("name", "00000000000000ff");
        Backfill b;

        assert_int_equal(backfill_make(&pair, &mapping, dropped, NULL, &b), 0);
        assert_false(b.has_before);
        backfill_done(&b);
        assert_int_equal(backfill_make(&pair, &mapping, reworded, NULL, &b), 0);
        assert_true(b.has_before && b.compared[1] && !b.gained[1]);
        backfill_done(&b);
        fields[0].definition = 9; /* another key: no record is the one it was */
        assert_int_equal(backfill_make(&pair, &mapping, reworded, NULL, &b), 0);
        assert_false(b.has_before);
        backfill_done(&b);
        fields[0].definition = 1;
}

static void test_refill(void **state) {
        Pair pair = pair_of(NEW_HASH);
        json_auto_t *same = backfill_shape(&pair, &mapping), *refill = json_pack("[s, s, s]", "title", "gone", "code");
        Backfill b;

        assert_int_equal(backfill_make(&pair, &mapping, same, refill, &b), 0);
        assert_true(b.is_needed && b.compared[1] && b.gained[1]);
        assert_false(b.has_before || b.compared[0] || b.compared[2]);
        backfill_done(&b);
}

static void test_what_only_fills(void **state) {
        bool gained[] = {false, false, true}, changed[] = {false, false, true};
        Value before[] = {value_integer(1), value_text("a", 1), value_null()}, target[3] = {};
        Backfill b = {.gained = gained};
        Change change = {.kind = CHANGE_UPDATE, .before = before, .target = target, .changed = changed};

        assert_true(backfill_only_fills(&b, &mapping, &change));
        before[2] = value_text("somebody's", 10);
        assert_false(backfill_only_fills(&b, &mapping, &change));
        before[2] = value_null();
        changed[1] = true;
        assert_false(backfill_only_fills(&b, &mapping, &change));
        changed[1] = false;
        change.kind = CHANGE_INSERT;
        assert_false(backfill_only_fills(&b, &mapping, &change));
        assert_false(backfill_only_fills(&(Backfill){}, &mapping, &change));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_changed),
                cmocka_unit_test(test_a_field_is_gained),
                cmocka_unit_test(test_what_leaves_nothing_to_compare_with),
                cmocka_unit_test(test_refill),
                cmocka_unit_test(test_what_only_fills),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
