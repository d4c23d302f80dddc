/* SPDX-License-Identifier: Apache-2.0 */
/* A journal as the first format left it: a row per entry. */
#include "journal-fixture.h"
#include "store/files.h"

static Migration first_format[2]; /* the first migration alone */

static const char content[] =
        "insert into entity (id, name) values (1, 'parcel');"
        "insert into entry (id, entity, key, kind, source_digest, target_digest, changes) values"
        " (1, 1, x'624100', 1, x'01000000000000000000000000000000', x'02000000000000000000000000000000', "
        "null),"
        " (2, 1, x'624200', 2, x'01000000000000000000000000000000', x'02000000000000000000000000000000', "
        "%s),"
        " (3, 1, x'624300', 3, null, null, null);"
        "insert into batch (number, operation_id, entity, written_at, first_entry, last_entry, fields) "
        "values"
        " (1, '" OPERATION_1 "', 1, 1700000000000000, 1, 3, '[\"parcel_id\",\"value\",\"note\"]')";

/* Field 1 from "1" to "2", as value_encode() writes texts. */
static char *changes_of(void) {
        Value before = text("1"), after = text("2");
        size_t size = 0, capacity = 0;
        char *bytes = NULL, *hex = NULL;

        assert_int_equal(value_encode(&before, &bytes, &size, &capacity), 0);
        assert_int_equal(value_encode(&after, &bytes, &size, &capacity), 0);
        hex = calloc(1, 2 * size + sizeof("x'0100'"));
        (void) strcpy(hex, "x'0100");
        for (size_t i = 0; i < size; i++)
                (void) snprintf(hex + 6 + 2 * i, 3, "%02x", (unsigned char) bytes[i]);
        (void) strcat(hex, "'");
        free(bytes);
        return hex;
}

static void write_old_file(Fixture *f, const char *month, const char *sql) {
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_free_ char *path = NULL;

        assert_ok(f, store_folder_make(f->folder, "journals", &f->error));
        path = place_journal(f->folder, month);
        assert_ok(f, database_open(path, first_format, &d, &f->error));
        place_execute(d, sql);
}

static char *old_content(void) {
        _cleanup_free_ char *changes = changes_of();
        char *sql = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        assert_true(asprintf(&sql, content, changes) > 0);
#pragma GCC diagnostic pop
        return sql;
}

static void test_an_old_batch_is_settled(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ char *sql = old_content();
        Digest one = digest_of(1);
        JournalBatch b;

        assert_int_equal(arena_new(&arena), 0);
        write_old_file(f, "2020-01", sql);
        assert_ok(f, journal_open(f->folder, "pair", &j, &f->error));
        assert_ok(f, journal_unsettled(j, 0, arena, &b, &f->error));
        assert_int_equal(b.batch, 1);
        assert_string_equal(b.entity, "parcel");
        assert_int_equal(b.n_entries, 3);
        assert_int_equal(b.entries[0].kind, CHANGE_INSERT);
        assert_true(digest_equal(&b.entries[0].source_digest, &one));
        assert_int_equal(b.entries[1].kind, CHANGE_UPDATE);
        assert_int_equal(b.entries[1].n_fields, 1);
        assert_string_equal(b.entries[1].fields[0], "value");
        assert_int_equal(b.entries[1].before[0].size, 1);
        assert_memory_equal(b.entries[1].after[0].bytes, "2", 1);
        assert_int_equal(b.entries[2].kind, CHANGE_DELETE);
        assert_ok(f, journal_forget(j, 1, &f->error));
        assert_int_equal(journal_unsettled(j, 0, arena, &b, &f->error), 0);
}

static void test_old_changes_are_shown_page_by_page(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *sql = old_content();
        json_auto_t *all = NULL, *last = NULL;

        write_old_file(f, "2020-01", sql);
        assert_ok(f, journal_changes(f->folder, "pair", OPERATION_1, 10, 0, &all, &f->error));
        assert_int_equal(json_array_size(all), 3);
        assert_ok(f, journal_changes(f->folder, "pair", OPERATION_1, 2, 2, &last, &f->error));
        assert_int_equal(json_array_size(last), 1);
        assert_true(json_equal(json_array_get(all, 2), json_array_get(last, 0)));
}

/* Numbers of packed batches' entries are no rows: taking one back leaves the old rows alone. */
static void test_forgetting_a_packed_batch_leaves_old_rows(void **state) {
        Fixture *f = *state;
        _cleanup_(journal_closep) Journal *j = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ char *sql = old_content();
        json_auto_t *all = NULL;
        Batch b = {.n_changes = 1};

        assert_int_equal(arena_new(&arena), 0);
        write_old_file(f, "2020-01", sql);
        place_move_journal(f->folder, "2020-01", place_month());
        assert_ok(f, journal_open(f->folder, "pair", &j, &f->error));
        b.changes = (Change[]){change_of(arena, CHANGE_INSERT, "Z", "", "1")};
        assert_ok(f, journal_append(j, 2, OPERATION_2, &mapping, &b, &f->error));
        assert_ok(f, journal_forget(j, 2, &f->error));
        assert_ok(f, journal_changes(f->folder, "pair", OPERATION_1, 10, 0, &all, &f->error));
        assert_int_equal(json_array_size(all), 3);
}

static void test_a_row_that_is_missing(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *sql = old_content(), *damaged = NULL;
        json_t *all = NULL;

        assert_true(asprintf(&damaged, "%s; delete from entry where id = 2", sql) > 0);
        write_old_file(f, "2020-01", damaged);
        assert_int_equal(journal_changes(f->folder, "pair", OPERATION_1, 10, 0, &all, &f->error), -EBADMSG);
        assert_int_equal(f->error.id, ERROR_FILE_FORMAT);
        assert_null(all);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_an_old_batch_is_settled),
                TEST(test_old_changes_are_shown_page_by_page),
                TEST(test_forgetting_a_packed_batch_leaves_old_rows),
                TEST(test_a_row_that_is_missing),
        };

        first_format[0] = journal_migrations[0];
        return cmocka_run_group_tests(tests, NULL, NULL);
}
