/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-fixture.h"
#include "store/journal-pack.h"

static const char *const names[] = {"parcel_id", "value", "note"};

static void pack_changes(JournalPack *pack, Change *changes, size_t n) {
        Batch b = {.changes = changes, .n_changes = n};

        assert_int_equal(journal_pack(pack, &mapping, &b), 0);
}

static void assert_text(const Value *v, const char *expected) {
        assert_int_equal(v->type, VALUE_TEXT);
        assert_int_equal(v->size, strlen(expected));
        assert_memory_equal(v->bytes, expected, v->size);
}

/* In any order they come, entries are sorted by key, and each has what is its own. */
static void test_entries_are_sorted_and_come_back(_unused_ void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        JournalPack pack = {};
        JournalPacked packed;
        JournalEntry e;
        Digest one = digest_of(1), two = digest_of(2), none = {};

        assert_int_equal(arena_new(&arena), 0);
        pack_changes(&pack,
                     (Change[]){
                             change_of(arena, CHANGE_DELETE, "E", "5", ""),
                             change_of(arena, CHANGE_INSERT, "A", "", "10.00"),
                             change_of(arena, CHANGE_HELD, "D", "1", "2"),
                             change_of(arena, CHANGE_UPDATE, "C", "1", "2"),
                             change_of(arena, CHANGE_NONE, "B", "1", "1"),
                     },
                     5);
        assert_int_equal(pack.n_entries, 3);
        assert_int_equal(journal_unpack(pack.bytes, pack.size, &packed), 0);
        assert_int_equal(packed.n_entries, 3);

        assert_int_equal(journal_unpack_entry(&packed, 0, names, 3, arena, &e), 0);
        assert_int_equal(e.kind, CHANGE_INSERT);
        assert_string_equal(key_to_text(e.key, arena), "A");
        assert_int_equal(e.n_fields, 0);
        assert_true(digest_equal(&e.source_digest, &one) && digest_equal(&e.target_digest, &two));

        assert_int_equal(journal_unpack_entry(&packed, 1, names, 3, arena, &e), 0);
        assert_int_equal(e.kind, CHANGE_UPDATE);
        assert_string_equal(key_to_text(e.key, arena), "C");
        assert_int_equal(e.n_fields, 1);
        assert_string_equal(e.fields[0], "value");
        assert_text(&e.before[0], "1");
        assert_text(&e.after[0], "2");

        assert_int_equal(journal_unpack_entry(&packed, 2, names, 3, arena, &e), 0);
        assert_int_equal(e.kind, CHANGE_DELETE);
        assert_int_equal(e.n_fields, 3);
        assert_text(&e.before[0], "E");
        assert_int_equal(e.before[2].type, VALUE_NULL);
        assert_null(e.after);
        assert_true(digest_equal(&e.source_digest, &none));
        journal_pack_done(&pack);
}

static void test_nothing_to_pack(_unused_ void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        JournalPack pack = {};

        assert_int_equal(arena_new(&arena), 0);
        pack_changes(&pack, (Change[]){change_of(arena, CHANGE_INSERT, "A", "", "1")}, 1);
        assert_int_equal(pack.n_entries, 1);
        pack_changes(&pack, (Change[]){change_of(arena, CHANGE_NONE, "A", "1", "1")}, 1);
        assert_int_equal(pack.n_entries, 0);
        journal_pack_done(&pack);
}

/* A filter never hides a key that is there, and seldom lets one through that is not. */
static void test_keys_are_found(_unused_ void **state) {
        enum { N = 5000 };
        _cleanup_arena_ Arena *arena = NULL;
        Change *changes;
        JournalPack pack = {};
        JournalPacked packed;
        size_t n_wrong = 0, at;
        char id[16];

        assert_int_equal(arena_new(&arena), 0);
        changes = arena_alloc(arena, N * sizeof(Change));
        for (unsigned i = 0; i < N; i++) {
                (void) snprintf(id, sizeof(id), "%08u",
                                i * 7919 % N * 2); /* each even number once, in disorder */
                changes[i] = change_of(arena, CHANGE_INSERT, arena_printf(arena, "%s", id), "", "1");
        }
        pack_changes(&pack, changes, N);
        assert_int_equal(journal_unpack(pack.bytes, pack.size, &packed), 0);
        for (unsigned i = 0; i < 2 * N; i++) {
                JournalEntry e;
                Value v;
                Key key;

                (void) snprintf(id, sizeof(id), "%08u", i);
                v = text(id);
                assert_int_equal(key_encode(&v, 1, arena, &key), 0);
                assert_int_equal(journal_unpack_find(&packed, key, &at), i % 2 == 0);
                if (i % 2 != 0) {
                        n_wrong += key_filter_may_have(pack.filter, pack.filter_size, key);
                        continue;
                }
                assert_true(key_filter_may_have(pack.filter, pack.filter_size, key));
                assert_int_equal(journal_unpack_entry(&packed, at, names, 3, arena, &e), 0);
                assert_string_equal(key_to_text(e.key, arena), id);
        }
        assert_in_range(n_wrong, 1, N / 50);
        journal_pack_done(&pack);
}

/* Every byte counts: no damage goes unnoticed, none is read beyond the end. */
static void test_any_damaged_byte_is_noticed(_unused_ void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        JournalPack pack = {};
        JournalPacked packed;

        assert_int_equal(arena_new(&arena), 0);
        pack_changes(&pack,
                     (Change[]){change_of(arena, CHANGE_UPDATE, "C", "1", "2"),
                                change_of(arena, CHANGE_DELETE, "D", "1", "")},
                     2);
        for (size_t i = 0; i < pack.size; i++) {
                pack.bytes[i] ^= 0x20;
                assert_int_equal(journal_unpack(pack.bytes, pack.size, &packed), -EBADMSG);
                pack.bytes[i] ^= 0x20;
                assert_int_equal(journal_unpack(pack.bytes, i, &packed), -EBADMSG);
        }
        assert_int_equal(journal_unpack(pack.bytes, pack.size, &packed), 0);
        journal_pack_done(&pack);
}

/* A field that the batch's names do not have. */
static void test_an_index_beyond_the_fields(_unused_ void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        JournalPack pack = {};
        JournalPacked packed;
        JournalEntry e;

        assert_int_equal(arena_new(&arena), 0);
        pack_changes(&pack, (Change[]){change_of(arena, CHANGE_DELETE, "D", "1", "")}, 1);
        assert_int_equal(journal_unpack(pack.bytes, pack.size, &packed), 0);
        assert_int_equal(journal_unpack_entry(&packed, 0, names, 2, arena, &e), -EBADMSG);
        journal_pack_done(&pack);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_entries_are_sorted_and_come_back),
                cmocka_unit_test(test_nothing_to_pack),
                cmocka_unit_test(test_keys_are_found),
                cmocka_unit_test(test_any_damaged_byte_is_noticed),
                cmocka_unit_test(test_an_index_beyond_the_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
