/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-fixture.h"

static Journal *open_journal(Fixture *f) {
        Journal *j = NULL;

        assert_ok(f, journal_open(f->folder, "pair", &j, &f->error));
        return j;
}

static void append(Fixture *f, Journal *j, uint64_t batch, const char *operation_id, Change *changes,
                   size_t n) {
        Batch b = {.changes = changes, .n_changes = n};

        assert_ok(f, journal_append(j, batch, operation_id, &mapping, &b, &f->error));
}

static void assert_text(const Value *v, const char *expected) {
        assert_int_equal(v->type, VALUE_TEXT);
        assert_int_equal(v->size, strlen(expected));
        assert_memory_equal(v->bytes, expected, v->size);
}

static void test_a_batch_comes_back(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = open_journal(f);
        _cleanup_arena_ Arena *arena = NULL;
        Digest one = digest_of(1), two = digest_of(2);
        JournalBatch b;

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 0);
        append(f, j, 1, OPERATION_1,
               (Change[]){
                       change_of(arena, CHANGE_INSERT, "A", "", "10.00"),
                       change_of(arena, CHANGE_NONE, "B", "1", "1"),
                       change_of(arena, CHANGE_UPDATE, "C", "1", "2"),
                       change_of(arena, CHANGE_HELD, "D", "1", "2"),
                       change_of(arena, CHANGE_DELETE, "E", "5", ""),
               },
               5);
        j = journal_close(j);
        j = open_journal(f);
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 1);
        assert_int_equal(b.batch, 1);
        assert_string_equal(b.operation_id, OPERATION_1);
        assert_string_equal(b.entity, "parcel");
        assert_true(b.written_at > 0);
        assert_int_equal(b.n_entries, 3);

        assert_int_equal(b.entries[0].kind, CHANGE_INSERT);
        assert_string_equal(key_to_text(b.entries[0].key, arena), "A");
        assert_int_equal(b.entries[0].n_fields, 0);
        assert_true(digest_equal(&b.entries[0].source_digest, &one));
        assert_true(digest_equal(&b.entries[0].target_digest, &two));

        assert_int_equal(b.entries[1].kind, CHANGE_UPDATE);
        assert_string_equal(key_to_text(b.entries[1].key, arena), "C");
        assert_int_equal(b.entries[1].n_fields, 1); /* only what changed */
        assert_string_equal(b.entries[1].fields[0], "value");
        assert_text(&b.entries[1].before[0], "1");
        assert_text(&b.entries[1].after[0], "2");

        assert_int_equal(b.entries[2].kind, CHANGE_DELETE);
        assert_int_equal(b.entries[2].n_fields, 3); /* the whole record */
        assert_string_equal(b.entries[2].fields[2], "note");
        assert_text(&b.entries[2].before[0], "E");
        assert_text(&b.entries[2].before[1], "5");
        assert_int_equal(b.entries[2].before[2].type, VALUE_NULL);
        assert_null(b.entries[2].after);
}

static void test_only_the_batch_after_the_recorded_one(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = open_journal(f);
        _cleanup_arena_ Arena *arena = NULL;
        JournalBatch b;

        assert_int_equal(arena_new(&arena), 0);
        append(f, j, 1, OPERATION_1, (Change[]){change_of(arena, CHANGE_INSERT, "A", "", "1")}, 1);
        append(f, j, 2, OPERATION_1, (Change[]){change_of(arena, CHANGE_INSERT, "B", "", "1")}, 1);
        assert_int_equal(journal_unsettled(j, 2, arena, &b, &f->error), 0);
        assert_int_equal(journal_unsettled(j, 1, arena, &b, &f->error), 1);
        assert_string_equal(key_to_text(b.entries[0].key, arena), "B");
        /* The pair's file was lost and starts again: nothing of another life is settled. */
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 0);
        append(f, j, 1, OPERATION_2, (Change[]){change_of(arena, CHANGE_INSERT, "C", "", "1")}, 1);
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 1);
        assert_string_equal(b.operation_id, OPERATION_2);
}

static void test_forgetting(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = open_journal(f);
        _cleanup_arena_ Arena *arena = NULL;
        JournalBatch b;

        assert_int_equal(arena_new(&arena), 0);
        append(f, j, 1, OPERATION_1, (Change[]){change_of(arena, CHANGE_INSERT, "A", "", "1")}, 1);
        append(f, j, 2, OPERATION_1, (Change[]){change_of(arena, CHANGE_INSERT, "B", "", "1")}, 1);
        assert_ok(f, journal_forget(j, 7, &f->error)); /* no such batch */
        assert_int_equal(journal_unsettled(j, 1, arena, &b, &f->error), 1);
        assert_ok(f, journal_forget(j, 2, &f->error));
        assert_int_equal(journal_unsettled(j, 1, arena, &b, &f->error), 0);
        append(f, j, 2, OPERATION_2, (Change[]){change_of(arena, CHANGE_INSERT, "C", "", "1")}, 1);
        assert_int_equal(journal_unsettled(j, 1, arena, &b, &f->error), 1);
        assert_int_equal(b.n_entries, 1);
        assert_string_equal(key_to_text(b.entries[0].key, arena), "C");
}

static void test_a_batch_of_nothing(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = open_journal(f);
        _cleanup_arena_ Arena *arena = NULL;
        JournalBatch b;

        assert_int_equal(arena_new(&arena), 0);
        append(f, j, 1, OPERATION_1, (Change[]){change_of(arena, CHANGE_NONE, "A", "1", "1")}, 1);
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 0);
}

/* The worker died in an earlier month: its file still counts, and a file of a pair with a longer name does
 * not. */
static void test_an_earlier_month(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = open_journal(f), *other = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        JournalBatch b;

        assert_int_equal(arena_new(&arena), 0);
        append(f, j, 1, OPERATION_1, (Change[]){change_of(arena, CHANGE_UPDATE, "A", "1", "2")}, 1);
        j = journal_close(j);
        place_move_journal(f->folder, place_month(), "2020-01");
        assert_ok(f, journal_open(f->folder, "pair-2020-01", &other, &f->error));
        append(f, other, 1, OPERATION_1, (Change[]){change_of(arena, CHANGE_UPDATE, "B", "1", "2")}, 1);
        j = open_journal(f);
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 1);
        assert_string_equal(key_to_text(b.entries[0].key, arena), "A");
        assert_ok(f, journal_forget(j, 1, &f->error));
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 0);
}

/* The clock was set back over the end of a month: what was journalled before is the newest all the same. */
static void test_a_later_month(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = open_journal(f);
        _cleanup_arena_ Arena *arena = NULL;
        JournalBatch b;

        assert_int_equal(arena_new(&arena), 0);
        append(f, j, 1, OPERATION_1, (Change[]){change_of(arena, CHANGE_UPDATE, "A", "1", "2")}, 1);
        j = journal_close(j);
        place_move_journal(f->folder, place_month(), "2199-01");
        j = open_journal(f);
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 1);
        assert_string_equal(key_to_text(b.entries[0].key, arena), "A");
        append(f, j, 2, OPERATION_1, (Change[]){change_of(arena, CHANGE_UPDATE, "B", "1", "2")}, 1);
        j = journal_close(j);
        j = open_journal(f);
        assert_int_equal(journal_unsettled(j, 1, arena, &b, &f->error), 1);
        assert_string_equal(key_to_text(b.entries[0].key, arena), "B");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

/* At a target without transactions the refused records leave the journal, the written ones stay. */
static void test_a_batch_is_replaced(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = open_journal(f);
        _cleanup_arena_ Arena *arena = NULL;
        JournalBatch b;
        Change changes[2];
        const Batch batch = {.changes = changes, .n_changes = 2};

        assert_int_equal(arena_new(&arena), 0);
        changes[0] = change_of(arena, CHANGE_UPDATE, "A", "1", "2");
        changes[1] = change_of(arena, CHANGE_INSERT, "B", "", "3");
        append(f, j, 1, OPERATION_1, changes, 2);
        changes[1].kind = CHANGE_HELD;
        assert_ok(f, journal_replace(j, 1, OPERATION_1, &mapping, &batch, &f->error));
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 1);
        assert_int_equal(b.batch, 1);
        assert_int_equal(b.n_entries, 1);
        assert_string_equal(key_to_text(b.entries[0].key, arena), "A");
        changes[0].kind = CHANGE_HELD;
        assert_ok(f, journal_replace(j, 1, OPERATION_1, &mapping, &batch, &f->error));
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 0);
        assert_int_equal(journal_replace(j, 1, OPERATION_1, &mapping, &batch, NULL), error_errno(ERROR_INTERNAL));
}

static void test_entries_of_a_batch_are_kept(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = open_journal(f);
        _cleanup_arena_ Arena *arena = NULL;
        static const bool keep[] = {false, true, true}, none[] = {false, false};
        JournalBatch b;
        Change changes[3];

        assert_int_equal(arena_new(&arena), 0);
        changes[0] = change_of(arena, CHANGE_UPDATE, "A", "1", "2");
        changes[1] = change_of(arena, CHANGE_DELETE, "B", "7", "");
        changes[2] = change_of(arena, CHANGE_UPDATE, "C", "3", "4");
        append(f, j, 1, OPERATION_1, changes, 3);
        assert_int_equal(journal_keep(j, 1, keep, 2, NULL), error_errno(ERROR_FILE_FORMAT));
        assert_ok(f, journal_keep(j, 2, keep, 3, &f->error)); /* another batch: nothing is touched */
        assert_ok(f, journal_keep(j, 1, keep, 3, &f->error));
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 1);
        assert_int_equal(b.n_entries, 2);
        assert_string_equal(key_to_text(b.entries[0].key, arena), "B");
        assert_text(&b.entries[0].before[1], "7");
        assert_string_equal(key_to_text(b.entries[1].key, arena), "C");
        assert_text(&b.entries[1].after[0], "4");
        assert_ok(f, journal_keep(j, 1, none, 2, &f->error));
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_a_batch_comes_back), TEST(test_only_the_batch_after_the_recorded_one),
                TEST(test_forgetting),         TEST(test_a_batch_of_nothing),
                TEST(test_an_earlier_month),   TEST(test_a_later_month),
                TEST(test_a_batch_is_replaced), TEST(test_entries_of_a_batch_are_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
