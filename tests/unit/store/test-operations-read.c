/* SPDX-License-Identifier: Apache-2.0 */
#include "state-fixture.h"

typedef struct Seen {
        unsigned n;
        unsigned numbers[64];
        unsigned stop_after;
} Seen;

static int on_operation(const Operation *o, void *userdata) {
        Seen *seen = userdata;
        int64_t number;

        assert_int_equal(text_to_int64(o->id + 24 + strspn(o->id + 24, "0"), 0, 1000, &number), 0);
        seen->numbers[seen->n++] = (unsigned) number;
        return seen->n == seen->stop_after ? -ECANCELED : 0;
}

/* Ten operations: even ones of pair a and full, odd ones of pair b and incremental; 1 runs, 2 is finished,
 * 3 failed. */
static void make_ten(StateFixture *f) {
        char id[UUID_TEXT_SIZE];
        int64_t n;

        for (unsigned i = 1; i <= 10; i++)
                operation_free(operation_of(f, i, i % 2 == 0 ? "a" : "b",
                                            i % 2 == 0 ? OPERATION_FULL : OPERATION_INCREMENTAL));
        (void) snprintf(id, sizeof(id), ID_FORMAT, 1U);
        assert_ok(f, operation_attempt_begin(f->database, id, &n, &f->error));
        (void) snprintf(id, sizeof(id), ID_FORMAT, 2U);
        assert_ok(f, operation_finish(f->database, id, OPERATION_COMPLETED, NULL, &f->error));
        (void) snprintf(id, sizeof(id), ID_FORMAT, 3U);
        assert_ok(f, operation_finish(f->database, id, OPERATION_FAILED, NULL, &f->error));
}

static Seen list(StateFixture *f, OperationFilter filter, uint64_t expected_total) {
        uint64_t total = UINT64_MAX;
        Seen seen = {};

        if (filter.limit == 0)
                filter.limit = 100;
        assert_ok(f, operation_list(f->database, &filter, on_operation, &seen, &total, &f->error));
        assert_int_equal(total, expected_total);
        return seen;
}

static void test_newest_first(void **state) {
        StateFixture *f = *state;
        Seen seen;

        make_ten(f);
        seen = list(f, (OperationFilter){.kind = -1, .status = -1}, 10);
        assert_int_equal(seen.n, 10);
        for (unsigned i = 0; i < 10; i++)
                assert_int_equal(seen.numbers[i], 10 - i);
}

static void test_filters(void **state) {
        StateFixture *f = *state;
        Seen seen;

        make_ten(f);
        seen = list(f, (OperationFilter){.sync_pair_id = "a", .kind = -1, .status = -1}, 5);
        assert_int_equal(seen.numbers[0], 10);
        assert_int_equal(seen.numbers[4], 2);
        (void) list(f, (OperationFilter){.sync_pair_id = "x", .kind = -1, .status = -1}, 0);
        seen = list(f, (OperationFilter){.kind = OPERATION_INCREMENTAL, .status = OPERATION_FAILED}, 1);
        assert_int_equal(seen.numbers[0], 3);
        (void) list(f, (OperationFilter){.kind = OPERATION_FULL, .status = OPERATION_FAILED}, 0);
        seen = list(f, (OperationFilter){.kind = -1, .status = -1, .from = 3000000, .to = 5000000}, 3);
        assert_int_equal(seen.numbers[0], 5);
        assert_int_equal(seen.numbers[2], 3);
}

static void test_pages(void **state) {
        char before[UUID_TEXT_SIZE];
        StateFixture *f = *state;
        Seen seen;

        make_ten(f);
        seen = list(f, (OperationFilter){.kind = -1, .status = -1, .limit = 3, .offset = 2}, 10);
        assert_int_equal(seen.n, 3);
        assert_int_equal(seen.numbers[0], 8);
        (void) snprintf(before, sizeof(before), ID_FORMAT, 4U);
        seen = list(f, (OperationFilter){.kind = -1, .status = -1, .limit = 2, .before_id = before}, 10);
        assert_int_equal(seen.n, 2);
        assert_int_equal(seen.numbers[0], 3);
        assert_int_equal(seen.numbers[1], 2);
}

static void test_a_handler_that_stops(void **state) {
        StateFixture *f = *state;
        Seen seen = {.stop_after = 2};

        make_ten(f);
        assert_int_equal(operation_list(f->database,
                                        &(OperationFilter){.kind = -1, .status = -1, .limit = 10},
                                        on_operation, &seen, NULL, &f->error),
                         -ECANCELED);
        assert_int_equal(seen.n, 2);
}

static void test_unfinished(void **state) {
        StateFixture *f = *state;
        Seen seen = {};

        make_ten(f);
        assert_ok(f, operation_list_unfinished(f->database, on_operation, &seen, &f->error));
        assert_int_equal(seen.n, 8);
        assert_int_equal(seen.numbers[0], 1); /* oldest first */
        assert_int_equal(seen.numbers[1], 4);
        assert_int_equal(seen.numbers[7], 10);
}

static void test_a_damaged_row(void **state) {
        StateFixture *f = *state;
        char id[UUID_TEXT_SIZE];
        Operation *o = NULL;

        make_ten(f);
        assert_ok(f, database_execute(f->database,
                                      "update operation set parameters = '{' where sync_pair_id = 'b'",
                                      &f->error));
        (void) snprintf(id, sizeof(id), ID_FORMAT, 5U);
        assert_int_equal(operation_load(f->database, id, &o, &f->error), -EBADMSG);
        assert_null(o);
        assert_int_equal(f->error.id, ERROR_FILE_FORMAT);
        assert_non_null(strstr(f->error.detail, database_path(f->database)));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, state_set_up, state_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_newest_first),         TEST(test_filters),    TEST(test_pages),
                TEST(test_a_handler_that_stops), TEST(test_unfinished), TEST(test_a_damaged_row),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
