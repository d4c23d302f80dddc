/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/event.h"
#include "gateway/proxy.h"

typedef struct Seen {
        int status;
        bool done;
        char *path;
        HttpServer *server;
        sd_event *event;
} Seen;

static void path_is(const char *asked, const char *expected) {
        _cleanup_free_ char *path = proxy_path(asked);

        assert_string_equal(path, expected);
}

static void test_path(void **state) {
        path_is("/api", "/");
        path_is("/api/sync/active", "/api/sync/active");
        path_is("/api/api/sync/active", "/api/sync/active");
        path_is("/api/health/live", "/health/live");
}

static void on_done(int status, const char *body, void *userdata) {
        Seen *seen = userdata;

        seen->status = status;
        seen->done = true;
}

static void handle(HttpRequest *q, void *userdata) {
        http_reply_text(q, strcmp(http_request_header(q, "X-TerraFusion-Identity"), "gateway;read") == 0 ? 200 : 400, "text/plain", "x");
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        Seen *seen = userdata;
        int fd;

        assert_int_equal(http_listen_unix(seen->path, 0600, &fd, NULL), 0);
        assert_int_equal(http_server_listen(seen->server, fd, NULL), 0);
        return 0;
}

static void test_waits_for_restart(void **state) {
        char *folder = test_folder_new();
        Seen none = {}, late = {};
        sd_event_source *timer = NULL;
        Proxy *proxy;

        assert_true(asprintf(&late.path, "%s/s", folder) > 0);
        assert_int_equal(sd_event_new(&late.event), 0);
        assert_int_equal(http_server_new(late.event, handle, NULL, &late.server), 0);
        assert_int_equal(proxy_new(http_server_plane(late.server), late.path, &proxy), 0);
        proxy_fetch(proxy, "/", 0, on_done, &none);
        assert_true(none.done);
        assert_int_equal(none.status, 0);
        proxy_fetch(proxy, "/", 2000000, on_done, &late);
        assert_false(late.done);
        assert_int_equal(event_timer_set(late.event, &timer, 100000, "late", on_late, &late), 0);
        for (unsigned i = 0; i < 200 && !late.done; i++)
                assert_true(sd_event_run(late.event, 10000) >= 0);
        assert_int_equal(late.status, 200);
        (void) proxy_free(proxy);
        (void) http_server_free(late.server);
        event_source_drop(&timer);
        (void) sd_event_unref(late.event);
        free(late.path);
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_path), cmocka_unit_test(test_waits_for_restart) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
