/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-fixture.h"
#include "store/quarantine.h"

static const Value source[] = {
        {.type = VALUE_INTEGER, .integer = 17},
        {.type = VALUE_TEXT, .bytes = "O-1", .size = 3},
};

/* A record held by `rule`; id NULL: without a usable key, told apart by `digest`. */
static void hold(Fixture *f, Arena *arena, const char *operation_id, const char *id, unsigned digest,
                 const char *rule) {
        Change c = change_of(arena, CHANGE_HELD, id ? id : "x", "", "");

        c.source = source;
        c.source_digest = digest_of(digest);
        if (!id)
                c.key = (Key){};
        assert_int_equal(finding_add(&c.findings, arena, FINDING_ERROR, rule, "value", "-5",
                                     "-5 is below 0.", "Correct it in PACS."),
                         0);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, quarantine_put(progress_database(f->progress), operation_id, &mapping, &c, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
}

static uint64_t count(Fixture *f, const char *entity) {
        uint64_t n = UINT64_MAX;

        assert_ok(f, quarantine_count(progress_database(f->progress), entity, &n, &f->error));
        return n;
}

static json_t *list(Fixture *f, const char *entity, const char *rule, unsigned limit, unsigned offset,
                    uint64_t expected_total) {
        uint64_t total = UINT64_MAX;
        json_t *array = NULL;

        assert_ok(f, quarantine_list(f->folder, "pair", entity, rule, limit, offset, &array, &total,
                                     &f->error));
        assert_int_equal(total, expected_total);
        return array;
}

static void test_an_entry_for_people(void **state) {
        Fixture *f = *state;
        _cleanup_arena_ Arena *arena = NULL;
        json_auto_t *array = NULL, *one = NULL;
        json_t *entry, *finding;

        assert_int_equal(arena_new(&arena), 0);
        hold(f, arena, OPERATION_1, "A", 1, "minimum");
        array = list(f, NULL, NULL, 10, 0, 1);
        assert_int_equal(json_array_size(array), 1);
        entry = json_array_get(array, 0);
        assert_string_equal(json_member_text(entry, "sync_pair_id"), "pair");
        assert_string_equal(json_member_text(entry, "entity"), "parcel");
        assert_string_equal(json_member_text(entry, "key"), "A");
        assert_string_equal(json_member_text(entry, "operation_id"), OPERATION_1);
        assert_non_null(json_member_text(entry, "first_seen"));
        assert_string_equal(json_member_text(entry, "first_seen"), json_member_text(entry, "last_seen"));
        assert_int_equal(json_member_integer(json_object_get(entry, "source"), "prop_id", 0), 17);
        assert_string_equal(json_member_text(json_object_get(entry, "source"), "owner.owner_id"), "O-1");
        finding = json_array_get(json_object_get(entry, "findings"), 0);
        assert_string_equal(json_member_text(finding, "rule"), "minimum");
        assert_string_equal(json_member_text(finding, "field"), "value");
        assert_string_equal(json_member_text(finding, "value"), "-5");
        assert_string_equal(json_member_text(finding, "remedy"), "Correct it in PACS.");
        assert_ok(f,
                  quarantine_show(f->folder, "pair", json_member_integer(entry, "id", 0), &one, &f->error));
        assert_true(json_equal(one, entry));
}

static void test_held_again_is_renewed(void **state) {
        Fixture *f = *state;
        _cleanup_arena_ Arena *arena = NULL;
        json_auto_t *before = NULL, *after = NULL;
        json_t *a, *b;

        assert_int_equal(arena_new(&arena), 0);
        hold(f, arena, OPERATION_1, "A", 1, "minimum");
        before = list(f, NULL, NULL, 10, 0, 1);
        hold(f, arena, OPERATION_2, "A", 2, "required");
        after = list(f, NULL, NULL, 10, 0, 1);
        a = json_array_get(before, 0);
        b = json_array_get(after, 0);
        assert_int_equal(json_member_integer(a, "id", 0), json_member_integer(b, "id", -1));
        assert_string_equal(json_member_text(a, "first_seen"), json_member_text(b, "first_seen"));
        assert_string_equal(json_member_text(b, "operation_id"), OPERATION_2);
        assert_int_equal(json_array_size(json_object_get(b, "findings")), 1);
        assert_string_equal(json_member_text(json_array_get(json_object_get(b, "findings"), 0), "rule"),
                            "required");
}

static void test_without_a_key_by_digest(void **state) {
        Fixture *f = *state;
        _cleanup_arena_ Arena *arena = NULL;
        json_auto_t *array = NULL;

        assert_int_equal(arena_new(&arena), 0);
        hold(f, arena, OPERATION_1, NULL, 1, "key");
        hold(f, arena, OPERATION_1, NULL, 2, "key");
        hold(f, arena, OPERATION_1, NULL, 1, "key");
        array = list(f, NULL, NULL, 10, 0, 2);
        assert_true(json_is_null(json_object_get(json_array_get(array, 0), "key")));
}

static void test_release(void **state) {
        Fixture *f = *state;
        _cleanup_arena_ Arena *arena = NULL;
        Database *d = progress_database(f->progress);
        Value a;
        Key key;

        assert_int_equal(arena_new(&arena), 0);
        hold(f, arena, OPERATION_1, "A", 1, "minimum");
        hold(f, arena, OPERATION_1, "B", 1, "minimum");
        a = text("A");
        assert_int_equal(key_encode(&a, 1, arena, &key), 0);
        assert_ok(f, quarantine_release(d, "owner", key, &f->error)); /* another entity's */
        assert_int_equal(quarantine_has(d, "owner", key, &f->error), 0);
        assert_int_equal(quarantine_has(d, "parcel", key, &f->error), 1);
        assert_int_equal(count(f, NULL), 2);
        assert_ok(f, quarantine_release(d, "parcel", key, &f->error));
        assert_ok(f, quarantine_release(d, "parcel", key, &f->error)); /* none is fine */
        assert_int_equal(count(f, "parcel"), 1);
        assert_int_equal(count(f, "owner"), 0);
        hold(f, arena, OPERATION_2, NULL, 9, "key");
        assert_ok(f, quarantine_release_stale(d, "owner", OPERATION_2, &f->error));
        assert_int_equal(count(f, NULL), 2);
        assert_ok(f, quarantine_release_stale(d, "parcel", OPERATION_2, &f->error));
        assert_int_equal(count(f, NULL), 1);
        json_decref(list(f, NULL, "key", 10, 0, 1));
}

static void test_filters_and_pages(void **state) {
        Fixture *f = *state;
        _cleanup_arena_ Arena *arena = NULL;
        char id[8];

        assert_int_equal(arena_new(&arena), 0);
        for (unsigned i = 0; i < 10; i++) {
                (void) snprintf(id, sizeof(id), "%u", i);
                hold(f, arena, OPERATION_1, id, i, i % 2 == 0 ? "minimum" : "required");
        }
        for (unsigned offset = 0; offset < 12; offset += 4) {
                json_auto_t *array = list(f, NULL, NULL, 4, offset, 10);

                assert_int_equal(json_array_size(array), offset == 8 ? 2 : 4);
                if (offset == 0) /* newest first */
                        assert_string_equal(json_member_text(json_array_get(array, 0), "key"), "9");
        }
        json_decref(list(f, NULL, "minimum", 10, 0, 5));
        json_decref(list(f, "parcel", "required", 10, 0, 5));
        json_decref(list(f, "owner", NULL, 10, 0, 0));
        json_decref(list(f, NULL, "mini", 10, 0, 0));
        json_decref(list(f, NULL, "' or 1=1 --", 10, 0, 0));
}

static void test_what_is_not_there(void **state) {
        Fixture *f = *state;
        uint64_t total = 7;
        json_auto_t *array = NULL;
        json_t *one = NULL;

        assert_ok(f, quarantine_list(f->folder, "other", NULL, NULL, 10, 0, &array, &total, &f->error));
        assert_int_equal(total, 0);
        assert_int_equal(json_array_size(array), 0);
        assert_int_equal(quarantine_show(f->folder, "pair", 12345, &one, &f->error), -ENXIO);
        assert_int_equal(f->error.id, ERROR_NOT_FOUND);
        assert_non_null(strstr(f->error.detail, "12345"));
        error_done(&f->error);
        assert_int_equal(quarantine_show(f->folder, "other", 1, &one, &f->error), -ENXIO);
        assert_int_equal(f->error.id, ERROR_NOT_FOUND);
        error_done(&f->error);
        assert_int_equal(quarantine_list(f->folder, "../state", NULL, NULL, 10, 0, &one, &total, &f->error),
                         -EINVAL);
        assert_int_equal(f->error.id, ERROR_ARGUMENT);
        assert_null(one);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_an_entry_for_people),     TEST(test_held_again_is_renewed),
                TEST(test_without_a_key_by_digest), TEST(test_release),
                TEST(test_filters_and_pages),       TEST(test_what_is_not_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
