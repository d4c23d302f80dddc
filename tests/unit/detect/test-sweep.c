/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/sweep.h"
#include "numbers.h"

#define OPERATION "018f3c00-0000-7000-8000-000000000001"

static MappingColumn columns[] = {{.name = (char *) "id"}, {.name = (char *) "value"}};
static MappingField fields[] = {{.name = (char *) "id", .is_key = true, .column = 0}, {.name = (char *) "value", .column = 1}};
static const Mapping mapping = {
        .entity = (char *) "parcel", .columns = columns, .n_columns = 2, .fields = fields, .n_fields = 2, .n_key = 1};

/* The key of record 20 cannot be made. */
static int make_key(const Mapping *m, const Value *source, Arena *arena, Value *ret_key, Finding **findings) {
        assert_int_equal(source[1].type, VALUE_ABSENT); /* only the key is read */
        *ret_key = *source;
        return source->integer == 20 ? finding_add(findings, arena, FINDING_ERROR, "type", "id", "20", "Bad.", NULL) : 0;
}

static void baseline_fill(Progress *progress, ProgressEntity *entity, int64_t n) {
        _cleanup_arena_ Arena *arena = NULL;

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(progress_begin(progress, NULL), 0);
        for (int64_t i = 0; i < n; i++) {
                const Value id = value_integer(i * 10);
                const Digest digest = {};
                uint64_t number = 0;
                Key key;

                assert_int_equal(key_encode(&id, 1, arena, &key), 0);
                assert_int_equal(baseline_put(entity, key, &number, 1, &digest, &digest, NULL), 0);
        }
        assert_int_equal(progress_commit(progress, NULL), 0);
}

static void test_what_is_not_met_is_gone(void **state) {
        char *folder = test_folder_new();
        Progress *progress = NULL;
        ProgressEntity *entity = NULL;
        NumbersSource source;
        Sweep *sweep = NULL;
        DetectPlan plan;
        uint64_t n = 0;

        assert_int_equal(progress_open(folder, "pair", OPERATION, &progress, NULL), 0);
        assert_int_equal(progress_entity(progress, "parcel", &entity, NULL), 0);
        baseline_fill(progress, entity, 6);
        numbers_fill(&source, 5); /* 50 is gone */
        source.records[1].id = 11; /* 10 is gone, 11 is new: the next scan's */
        plan = (DetectPlan){.source = &source.base, .mapping = &mapping, .entity = entity, .make_key = make_key};
        assert_int_equal(sweep_open(&plan, &sweep, NULL), 0);
        assert_int_equal(source.scope, READ_KEYS);
        assert_int_equal(sweep_next(sweep, NULL), 0);
        assert_int_equal(sweep_n_read(sweep), 5);
        assert_int_equal(sweep_n_unkeyed(sweep), 1);
        sweep = sweep_close(sweep);
        assert_int_equal(seen_count_missing(entity, &n, NULL), 0);
        assert_int_equal(n, 3); /* 10, 50, and 20, whose record has no usable key */
        assert_true(seen_test(entity, 1) && seen_test(entity, 4) && seen_test(entity, 5));
        (void) progress_close(progress);
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_not_met_is_gone)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
