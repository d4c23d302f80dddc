/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-fixture.h"

static void append(Fixture *f, Journal *j, uint64_t batch, const char *operation_id, Change *changes,
                   size_t n) {
        Batch b = {.changes = changes, .n_changes = n};

        assert_ok(f, journal_append(j, batch, operation_id, &mapping, &b, &f->error));
}

static json_t *changes(Fixture *f, const char *operation_id, unsigned limit, unsigned offset) {
        json_t *array = NULL;

        assert_ok(f, journal_changes(f->folder, "pair", operation_id, limit, offset, &array, &f->error));
        return array;
}

static void test_no_journal_yet(void **state) {
        Fixture *f = *state;
        json_auto_t *array = changes(f, OPERATION_1, 10, 0);

        assert_int_equal(json_array_size(array), 0);
}

static void test_changes_for_people(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        json_auto_t *array = NULL;
        json_t *entry, *values;

        assert_ok(f, journal_open(f->folder, "pair", &j, &f->error));
        assert_int_equal(arena_new(&arena), 0);
        append(f, j, 1, OPERATION_1,
               (Change[]){
                       change_of(arena, CHANGE_INSERT, "A", "", "1"),
                       change_of(arena, CHANGE_UPDATE, "B", "1", "2"),
                       change_of(arena, CHANGE_DELETE, "C", "3", ""),
               },
               3);
        append(f, j, 2, OPERATION_2, (Change[]){change_of(arena, CHANGE_INSERT, "Z", "", "1")}, 1);
        array = changes(f, OPERATION_1, 10, 0);
        assert_int_equal(json_array_size(array), 3);
        entry = json_array_get(array, 0);
        assert_string_equal(json_member_text(entry, "entity"), "parcel");
        assert_string_equal(json_member_text(entry, "key"), "A");
        assert_string_equal(json_member_text(entry, "kind"), change_kind_to_string(CHANGE_INSERT));
        assert_int_equal(json_object_size(json_object_get(entry, "fields")), 0);
        assert_non_null(strstr(json_member_text(entry, "at"), "+00:00"));
        entry = json_array_get(array, 1);
        assert_int_equal(json_object_size(json_object_get(entry, "fields")), 1);
        values = json_object_get(json_object_get(entry, "fields"), "value");
        assert_string_equal(json_member_text(values, "before"), "1");
        assert_string_equal(json_member_text(values, "after"), "2");
        entry = json_array_get(array, 2);
        assert_int_equal(json_object_size(json_object_get(entry, "fields")), 3);
        values = json_object_get(json_object_get(entry, "fields"), "note");
        assert_true(json_is_null(json_object_get(values, "before")));
        assert_null(json_object_get(values, "after"));
}

/* Pages go across batches, and each change is on exactly one. */
static void test_pages(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        unsigned n = 0;

        assert_ok(f, journal_open(f->folder, "pair", &j, &f->error));
        assert_int_equal(arena_new(&arena), 0);
        for (unsigned batch = 0; batch < 3; batch++) {
                Change three[3];
                char id[8];

                for (unsigned i = 0; i < 3; i++) {
                        (void) snprintf(id, sizeof(id), "%u", batch * 3 + i);
                        three[i] = change_of(arena, CHANGE_INSERT, id, "", "1");
                }
                append(f, j, batch + 1, OPERATION_1, three, 3);
        }
        for (unsigned offset = 0; offset < 12; offset += 2) {
                json_auto_t *array = changes(f, OPERATION_1, 2, offset);

                assert_int_equal(json_array_size(array), offset >= 9 ? 0 : offset == 8 ? 1 : 2);
                for (size_t i = 0; i < json_array_size(array); i++, n++)
                        assert_int_equal(strtol(json_member_text(json_array_get(array, i), "key"), NULL, 10),
                                         n);
        }
        assert_int_equal(n, 9);
}

static void test_a_damaged_entry(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = NULL;
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ char *path = NULL;
        json_t *array = NULL;
        JournalBatch batch;

        assert_ok(f, journal_open(f->folder, "pair", &j, &f->error));
        assert_int_equal(arena_new(&arena), 0);
        append(f, j, 1, OPERATION_1, (Change[]){change_of(arena, CHANGE_UPDATE, "B", "1", "2")}, 1);
        j = journal_close(j);
        place_move_journal(f->folder, place_month(), "2020-01");
        path = place_journal(f->folder, "2020-01");
        assert_ok(f, database_open(path, (const Migration[]){{"", ""}, {"", ""}, {"", ""}, {}}, &d, &f->error));
        place_execute(d, "update batch set entries = x'ffff0101'");
        assert_int_equal(journal_changes(f->folder, "pair", OPERATION_1, 10, 0, &array, &f->error),
                         -EBADMSG);
        assert_null(array);
        assert_int_equal(f->error.id, ERROR_FILE_FORMAT);
        assert_non_null(strstr(f->error.detail, path));
        error_done(&f->error);
        assert_ok(f, journal_open(f->folder, "pair", &j, &f->error));
        assert_int_equal(journal_unsettled(j, 0, arena, &batch, &f->error), -EBADMSG);
}

static void test_names_that_lead_elsewhere(void **state) {
        Fixture *f = *state;
        json_t *array = NULL;

        assert_int_equal(journal_changes(f->folder, "../pair", OPERATION_1, 1, 0, &array, &f->error),
                         -EINVAL);
        assert_int_equal(f->error.id, ERROR_ARGUMENT);
        assert_null(array);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_no_journal_yet),  TEST(test_changes_for_people),        TEST(test_pages),
                TEST(test_a_damaged_entry), TEST(test_names_that_lead_elsewhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
