/* SPDX-License-Identifier: Apache-2.0 */
#include "fake-systemd.h"
#include "gateway/unit.h"

static FakeSystemd fake;
static Unit *unit;
static unsigned n_changes;
static char told[128];

static void on_change(void *userdata) {
        n_changes++;
}

static void on_job(const char *result, const char *error, void *userdata) {
        (void) snprintf(told, sizeof(told), "%s/%s", result ? result : "-", error ? error : "-");
}

static int setup(void **state) {
        fake_start(&fake);
        n_changes = 0;
        told[0] = '\0';
        assert_int_equal(unit_new(fake.event, "terrafusion-syncd.service", fake_open, on_change, NULL, &unit), 0);
        assert_int_equal(unit_state(unit)->active, UNIT_UNKNOWN);
        fake_turn(20);
        return 0;
}

static int teardown(void **state) {
        unit = unit_free(unit);
        fake_stop(&fake);
        return 0;
}

static void test_first_state(void **state) {
        const UnitState *s = unit_state(unit);

        assert_true(n_changes >= 1);
        assert_int_equal(s->active, UNIT_ACTIVE);
        assert_string_equal(unit_active_to_string(s->active), "active");
        assert_string_equal(s->sub_state, "running");
        assert_string_equal(s->result, "success");
        assert_false(s->has_job || s->was_asked_to_stop);
}

static void test_changes(void **state) {
        const UnitState *s = unit_state(unit);

        fake.active = "activating";
        fake.sub = "auto-restart";
        fake.result = "signal";
        fake.code = 2;
        fake.status = 9;
        fake.n_restarts = 3;
        fake_say_state();
        fake_turn(10);
        assert_int_equal(s->active, UNIT_ACTIVATING);
        assert_string_equal(s->result, "signal");
        assert_int_equal(s->status, 9);
        assert_int_equal(s->n_restarts, 3);
        assert_false(s->was_asked_to_stop);
        fake.active = "deactivating";
        fake.sub = "stop-sigterm";
        fake_say_state();
        fake.active = "inactive";
        fake.sub = "dead";
        fake.inactive_enter = 17;
        fake_say_state();
        fake_turn(10);
        assert_int_equal(s->active, UNIT_INACTIVE);
        assert_true(s->was_asked_to_stop);
        assert_int_equal(s->inactive_enter_usec, 17);
        fake.active = "reloading";
        fake_say_state();
        fake_turn(10);
        assert_int_equal(s->active, UNIT_ACTIVE);
        assert_false(s->was_asked_to_stop);
}

static void test_refresh(void **state) {
        unsigned before = n_changes;

        fake.active = "failed";
        fake.result = "exit-code";
        fake.status = 78;
        fake.words = "terrafusion.yaml:3:1: what is that?";
        fake.job = 7;
        assert_true(unit_refresh(unit));
        assert_true(unit_refresh(unit));        /* one question at a time */
        fake_turn(10);
        assert_int_equal(n_changes, before + 1);
        assert_int_equal(unit_state(unit)->active, UNIT_FAILED);
        assert_string_equal(unit_state(unit)->status_text, fake.words);
        assert_true(unit_state(unit)->has_job);
}

static void test_jobs(void **state) {
        assert_int_equal(unit_job(unit, "StartUnit", on_job, NULL), 0);
        fake_turn(10);
        assert_string_equal(fake.last_call, "StartUnit terrafusion-syncd.service");
        assert_string_equal(told, "");
        fake_end_job("failed");
        fake_turn(10);
        assert_string_equal(told, "failed/-");
        fake.refuse = "Interactive authentication required.";
        assert_int_equal(unit_job(unit, "RestartUnit", on_job, NULL), 0);
        fake_turn(10);
        assert_string_equal(told, "-/Interactive authentication required.");
        fake.refuse = NULL;
        assert_true(unit_kill(unit) >= 0);
        fake_turn(10);
        assert_string_equal(fake.last_call, "KillUnit terrafusion-syncd.service");
        assert_int_equal(unit_job(unit, "StartUnit", on_job, NULL), 0);
        unit = unit_free(unit);                 /* who waits is told */
        assert_string_equal(told, "-/the gateway is stopping");
}

/* The bus goes: nothing is known; it comes: all is known again. */
static void test_bus_restarts(void **state) {
        assert_int_equal(unit_job(unit, "StartUnit", on_job, NULL), 0);
        fake.bus = sd_bus_flush_close_unref(fake.bus);
        fake_turn(10);
        assert_int_equal(unit_state(unit)->active, UNIT_UNKNOWN);
        assert_true(strncmp(told, "-/", 2) == 0 && strlen(told) > 2);         /* told that it broke */
        assert_false(unit_refresh(unit));
        assert_int_equal(unit_job(unit, "StartUnit", on_job, NULL), -ENOTCONN);
        assert_int_equal(fake.n_opened, 1);
        for (unsigned i = 0; i < 400 && unit_state(unit)->active == UNIT_UNKNOWN; i++)
                fake_turn(1);
        assert_int_equal(fake.n_opened, 2);
        assert_int_equal(unit_state(unit)->active, UNIT_ACTIVE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_first_state, setup, teardown), cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refresh, setup, teardown), cmocka_unit_test_setup_teardown(test_jobs, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bus_restarts, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
