/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "store/log-mark.h"

static const LogSlot slot = {.system_id = "7301234567890123456", .timeline = 3, .name = "terrafusion_pair_1"};

static void save_slot(Fixture *f, const LogSlot *s) {
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, log_slot_save(f->progress, s, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
}

static void save_mark(Fixture *f, const char *entity, const LogMark *mark) {
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, log_mark_save(f->progress, entity, mark, &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
}

static void slots_are_kept(void **state) {
        Fixture *f = *state;
        LogSlot found = {};

        assert_int_equal(log_slot_load(f->progress, &found, &f->error), 0);
        save_slot(f, &slot);
        fixture_reopen(f);
        assert_int_equal(log_slot_load(f->progress, &found, &f->error), 1);
        assert_string_equal(found.system_id, slot.system_id);
        assert_int_equal(found.timeline, 3);
        assert_string_equal(found.name, slot.name);
}

static void marks_are_kept(void **state) {
        const LogMark mark = {{INT64_MAX, 7}, {5, 6}, 8, LOG_SCAN_PENDING};
        Fixture *f = *state;
        uint64_t least = 0;
        LogMark found;

        assert_int_equal(log_mark_load(f->progress, "parcel", &found, &f->error), 0);
        assert_int_equal(log_mark_least(f->progress, &least, &f->error), 0);
        save_mark(f, "parcel", &mark);
        save_mark(f, "owner", &(LogMark){.position = {40, 0}});
        fixture_reopen(f);
        assert_int_equal(log_mark_load(f->progress, "parcel", &found, &f->error), 1);
        assert_int_equal(log_position_compare(found.position, mark.position), 0);
        assert_int_equal(log_position_compare(found.replay_until, mark.replay_until), 0);
        assert_int_equal(found.group_batch, 8);
        assert_int_equal(found.reread_until, LOG_SCAN_PENDING);
        assert_int_equal(log_mark_least(f->progress, &least, &f->error), 1);
        assert_int_equal(least, 40);
        save_mark(f, "owner", &(LogMark){.position = {50, 0}});
        assert_int_equal(log_mark_least(f->progress, &least, &f->error), 1);
        assert_int_equal(least, 50);
}

/* Of a slot made anew no place of the old one means anything. */
static void another_slot_forgets_the_marks(void **state) {
        Fixture *f = *state;
        LogMark found;

        save_slot(f, &slot);
        save_mark(f, "parcel", &(LogMark){.position = {40, 0}});
        save_slot(f, &slot);
        assert_int_equal(log_mark_load(f->progress, "parcel", &found, &f->error), 0);
}

static void places_have_an_order(void **state) {
        assert_true(log_position_compare((LogPosition){1, 9}, (LogPosition){2, 0}) < 0);
        assert_true(log_position_compare((LogPosition){2, 1}, (LogPosition){2, 0}) > 0);
        assert_int_equal(log_position_compare((LogPosition){2, 1}, (LogPosition){2, 1}), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(slots_are_kept, fixture_set_up, fixture_tear_down),
                cmocka_unit_test_setup_teardown(marks_are_kept, fixture_set_up, fixture_tear_down),
                cmocka_unit_test_setup_teardown(another_slot_forgets_the_marks, fixture_set_up, fixture_tear_down),
                cmocka_unit_test(places_have_an_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
