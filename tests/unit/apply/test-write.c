/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "apply/write.h"

#include <errno.h>

/* A target in memory: refuses the records it is told to, fails at what it is told to, and counts. */
typedef struct FakeTarget {
        Connection base;
        Writer writer;
        const int *refused; /* indexes of writes, ended by -1; NULL: none */
        int failing_write;  /* index; -1: none */
        bool fails_to_begin, fails_to_commit;
        int n_begun, n_committed, n_rolled_back, n_written, n_kept; /* n_kept: writes that were committed */
        ChangeKind kinds[8];
} FakeTarget;

static FakeTarget fake;

static int fake_begin(Connection *c, Error *error) {
        if (fake.fails_to_begin)
                return error_set(error, ERROR_SYSTEM_BUSY, "Wait.", "The target is locked");
        fake.n_begun++;
        fake.n_written = 0;
        return 0;
}

static int fake_write(Writer *w, RecordWrite *writes, size_t n_writes, Error *error) {
        int n_refused = 0;

        for (size_t i = 0; i < n_writes; i++) {
                int index = fake.n_written++;

                fake.kinds[index] = writes[i].change->kind;
                if (fake.failing_write == index)
                        return error_set(error, ERROR_SYSTEM_UNAVAILABLE, NULL, "The target went away");
                for (const int *refused = fake.refused; refused && *refused >= 0; refused++)
                        if (*refused == index) {
                                (void) error_set(&writes[i].refusal, ERROR_RECORD_REFUSED,
                                                 index == 0 ? "Ask the assessor." : NULL,
                                                 "CHECK failed at %d", index);
                                (void) error_field(&writes[i].refusal, "area");
                                n_refused++;
                        }
        }
        return n_refused;
}

static int fake_commit(Connection *c, Error *error) {
        if (fake.fails_to_commit)
                return error_set(error, ERROR_DISK_FULL, NULL, "The target's disk is full");
        fake.n_committed++;
        fake.n_kept += fake.n_written;
        return 0;
}

static int fake_rollback(Connection *c) {
        fake.n_rolled_back++;
        return 0;
}

static const Connector fake_connector = {
        .kind = "fake",
        .capabilities = CONNECTOR_WRITES | CONNECTOR_TRANSACTS,
        .begin = fake_begin,
        .write = fake_write,
        .commit = fake_commit,
        .rollback = fake_rollback,
};

static Batch batch;
static Change changes[5];

static int setup(void **state) {
        static const ChangeKind kinds[] = {CHANGE_INSERT, CHANGE_NONE, CHANGE_UPDATE, CHANGE_HELD,
                                           CHANGE_DELETE};

        fake = (FakeTarget){.base = {&fake_connector}, .writer = {&fake_connector}, .failing_write = -1};
        batch = (Batch){
                .changes = changes, .n_changes = ELEMENTSOF(changes), .capacity = ELEMENTSOF(changes)};
        for (size_t i = 0; i < ELEMENTSOF(changes); i++)
                changes[i] = (Change){.kind = kinds[i]};
        return arena_new(&batch.arena);
}

static int teardown(void **state) {
        batch.arena = arena_free(batch.arena);
        return 0;
}

static int write_all(Error *error) { return write_batch(&fake.base, &fake.writer, &batch, error); }

static void test_writes_only_what_the_target_must_know(void **state) {
        _cleanup_error_ Error error = {0};

        assert_int_equal(batch_count_writes(&batch), 3);
        assert_int_equal(write_all(&error), 0);
        assert_int_equal(fake.n_written, 3);
        assert_int_equal(fake.kinds[0], CHANGE_INSERT);
        assert_int_equal(fake.kinds[1], CHANGE_UPDATE);
        assert_int_equal(fake.kinds[2], CHANGE_DELETE);
        assert_int_equal(fake.n_begun, 1);
        assert_int_equal(fake.n_committed, 1);
        assert_int_equal(fake.n_rolled_back, 0);
}

static void test_a_refused_record_is_held_and_the_rest_can_be_tried_again(void **state) {
        static const int refused[] = {1, -1};
        _cleanup_error_ Error error = {0};
        const Finding *f;

        fake.refused = refused;
        assert_int_equal(write_all(&error), 1);
        assert_int_equal(fake.n_committed, 0);
        assert_int_equal(fake.n_rolled_back, 1);
        assert_int_equal(changes[2].kind, CHANGE_HELD);
        f = changes[2].findings;
        assert_string_equal(f->rule, "target_refused");
        assert_int_equal(f->severity, FINDING_ERROR);
        assert_string_equal(f->field, "area");
        assert_string_equal(f->message, "CHECK failed at 1");
        assert_string_equal(f->remedy, "Correct the record at the source, or the constraint at the target.");
        assert_null(f->next);
        fake.refused = NULL;
        assert_int_equal(batch_count_writes(&batch), 2);
        assert_int_equal(write_all(&error), 0);
        assert_int_equal(fake.n_kept, 2);
        assert_int_equal(fake.kinds[1], CHANGE_DELETE);
        assert_int_equal(error.id, ERROR_NONE);
}

static void test_every_refused_record_is_found_at_once(void **state) {
        static const int refused[] = {0, 1, 2, -1};
        _cleanup_error_ Error error = {0};

        fake.refused = refused;
        assert_int_equal(write_all(&error), 3);
        assert_int_equal(batch_count_writes(&batch), 0);
        assert_string_equal(changes[0].findings->remedy, "Ask the assessor."); /* the target's own word */
        assert_int_equal(changes[1].kind, CHANGE_NONE);
        assert_null(changes[3].findings);
}

static void test_a_transient_failure_holds_nothing(void **state) {
        static const int refused[] = {0, -1};
        _cleanup_error_ Error error = {0};

        fake.refused = refused;
        fake.failing_write = 1;
        assert_int_equal(write_all(&error), error_errno(ERROR_SYSTEM_UNAVAILABLE));
        assert_string_equal(error.detail, "The target went away");
        assert_int_equal(fake.n_rolled_back, 1);
        assert_int_equal(fake.n_committed, 0);
        assert_int_equal(fake.n_written, 2); /* not gone on after it */
        assert_int_equal(changes[2].kind, CHANGE_UPDATE);
        assert_null(changes[2].findings);
}

static void test_a_failed_begin_writes_nothing(void **state) {
        _cleanup_error_ Error error = {0};

        fake.fails_to_begin = true;
        assert_int_equal(write_all(&error), error_errno(ERROR_SYSTEM_BUSY));
        assert_string_equal(error.remedy, "Wait.");
        assert_int_equal(fake.n_written, 0);
        assert_int_equal(fake.n_rolled_back, 0);
}

/* What became of it is for settling to find out; the changes stay as they were. */
static void test_a_failed_commit_is_told(void **state) {
        _cleanup_error_ Error error = {0};

        fake.fails_to_commit = true;
        assert_int_equal(write_all(&error), error_errno(ERROR_DISK_FULL));
        assert_int_equal(fake.n_kept, 0);
        assert_int_equal(batch_count_writes(&batch), 3);
}

/* There the rest is written already: the caller journals it so and does not try again. */
static void test_without_transactions_the_rest_is_written(void **state) {
        static const Connector without = {.kind = "fake", .capabilities = CONNECTOR_WRITES, .write = fake_write};
        static const int refused[] = {1, -1};
        _cleanup_error_ Error error = {0};

        fake.base.connector = fake.writer.connector = &without;
        fake.refused = refused;
        assert_int_equal(write_all(&error), 1);
        assert_int_equal(fake.n_written, 3);
        assert_int_equal(changes[2].kind, CHANGE_HELD);
        assert_int_equal(batch_count_writes(&batch), 2);
        assert_int_equal(fake.n_begun + fake.n_committed + fake.n_rolled_back, 0);
        fake.refused = NULL;
        fake.n_written = 0;
        assert_int_equal(write_all(&error), 0);
        assert_int_equal(fake.n_written, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_writes_only_what_the_target_must_know, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        test_a_refused_record_is_held_and_the_rest_can_be_tried_again, setup, teardown),
                cmocka_unit_test_setup_teardown(test_every_refused_record_is_found_at_once, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_transient_failure_holds_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_failed_begin_writes_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_failed_commit_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(test_without_transactions_the_rest_is_written, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
