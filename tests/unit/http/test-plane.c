/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include <sys/epoll.h>
#include <sys/socket.h>
#include "http/plane.h"

typedef struct Seen {
        Plane *plane;
        PlaneWatch *watches[2];
        PlaneHook *hooks[2];
        char order[16];
        size_t n;
        int again;      /* how often the first hook wakes itself */
} Seen;

static void note(Seen *seen, char what) {
        assert_true(seen->n < sizeof(seen->order) - 1);
        seen->order[seen->n++] = what;
}

static void on_ready(uint32_t events, void *userdata) {
        Seen *seen = userdata;

        note(seen, 'r');
        /* The other one was ready in the same turn, but is gone now. */
        seen->watches[0] = plane_unwatch(seen->watches[0]);
        seen->watches[1] = plane_unwatch(seen->watches[1]);
        plane_hook_wake(seen->hooks[1]);
        plane_hook_wake(seen->hooks[0]);
}

static void on_first(void *userdata) {
        Seen *seen = userdata;

        note(seen, '1');
        if (seen->again-- > 0)
                plane_hook_wake(seen->hooks[0]);
}

static void on_second(void *userdata) {
        note(userdata, '2');
}

static void run(sd_event *event, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                assert_true(sd_event_run(event, 1000) >= 0);
}

static void open_all(sd_event **event, Seen *seen) {
        assert_int_equal(sd_event_new(event), 0);
        assert_int_equal(plane_new(*event, &seen->plane), 0);
        /* Added in the wrong order; run in the right one. */
        assert_int_equal(plane_hook_new(seen->plane, PLANE_ORDER_UPSTREAM, on_second, seen, &seen->hooks[1]), 0);
        assert_int_equal(plane_hook_new(seen->plane, PLANE_ORDER_SERVER, on_first, seen, &seen->hooks[0]), 0);
}

static void close_all(sd_event *event, Seen *seen) {
        seen->hooks[0] = plane_hook_free(seen->hooks[0]);
        seen->hooks[1] = plane_hook_free(seen->hooks[1]);
        assert_null(plane_free(seen->plane));
        assert_null(sd_event_unref(event));
}

static void test_turn(void **state) {
        int a[2], b[2];
        sd_event *event;
        Seen seen = {};

        open_all(&event, &seen);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
        assert_int_equal(plane_watch(seen.plane, a[0], EPOLLIN, on_ready, &seen, &seen.watches[0]), 0);
        assert_int_equal(plane_watch(seen.plane, b[0], EPOLLIN, on_ready, &seen, &seen.watches[1]), 0);
        run(event, 3);
        assert_string_equal(seen.order, "");
        assert_int_equal(send(a[1], "x", 1, 0), 1);
        assert_int_equal(send(b[1], "x", 1, 0), 1);
        run(event, 3);
        assert_string_equal(seen.order, "r12");
        for (unsigned i = 0; i < 2; i++) {
                (void) close(a[i]);
                (void) close(b[i]);
        }
        close_all(event, &seen);
}

static void test_hooks_outside_of_a_turn(void **state) {
        sd_event *event;
        Seen seen = { .again = 2 };

        open_all(&event, &seen);
        plane_hook_wake(seen.hooks[0]);
        plane_hook_wake(seen.hooks[0]);         /* once all the same */
        run(event, 6);
        assert_string_equal(seen.order, "111");
        close_all(event, &seen);
}

static void test_events_can_change(void **state) {
        int a[2];
        sd_event *event;
        Seen seen = {};

        open_all(&event, &seen);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
        assert_int_equal(plane_watch(seen.plane, a[0], EPOLLIN, on_ready, &seen, &seen.watches[0]), 0);
        run(event, 2);
        assert_string_equal(seen.order, "");
        assert_int_equal(plane_watch_set(seen.watches[0], EPOLLIN | EPOLLOUT), 0);
        run(event, 2);
        assert_string_equal(seen.order, "r12");
        (void) close(a[0]);
        (void) close(a[1]);
        close_all(event, &seen);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_turn), cmocka_unit_test(test_hooks_outside_of_a_turn),
                                            cmocka_unit_test(test_events_can_change) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
