/* SPDX-License-Identifier: Apache-2.0 */
#include "fake-systemd.h"
#include "gateway/recovery.h"

static FakeSystemd fake;
static HttpServer *server;              /* syncd, and the owner of the plane */
static Proxy *proxy;
static Recovery *recovery;
static char *folder;
static unsigned n_asked;
static int ready_status;
static char told[256];

static void serve(HttpRequest *q, void *userdata) {
        n_asked++;
        http_reply_text(q, strcmp(http_request_path(q), "/health/ready") == 0 ? ready_status : 200, "text/plain", "x");
}

static void on_done(const Error *error, void *userdata) {
        (void) snprintf(told, sizeof(told), "%s", error ? error->detail : "started");
}

static void on_fetched(int status, const char *body, void *userdata) {
        *(int *) userdata = status;
}

static int setup(void **state) {
        char *path = NULL;
        int fd;

        fake_start(&fake);
        n_asked = 0;
        ready_status = 200;
        told[0] = '\0';
        folder = test_folder_new();
        assert_true(asprintf(&path, "%s/s", folder) > 0);
        assert_int_equal(http_server_new(fake.event, serve, NULL, &server), 0);
        assert_int_equal(http_listen_unix(path, 0600, &fd, NULL), 0);
        assert_int_equal(http_server_listen(server, fd, NULL), 0);
        assert_int_equal(proxy_new(http_server_plane(server), path, &proxy), 0);
        assert_int_equal(recovery_new(fake.event, proxy, NULL, fake_open, &recovery), 0);
        fake_turn(20);
        free(path);
        return 0;
}

static int teardown(void **state) {
        recovery_stop(recovery);
        proxy = proxy_free(proxy);
        recovery = recovery_free(recovery);
        server = http_server_free(server);
        fake_stop(&fake);
        test_folder_remove(folder);
        return 0;
}

static RecoveryView view(void) {
        RecoveryView v;

        recovery_view(recovery, &v);
        return v;
}

static void become(const char *active, const char *sub, const char *result) {
        fake.active = active;
        fake.sub = sub;
        fake.result = result;
        fake_say_state();
        fake_turn(10);
}

static void test_restarts_are_counted_with_their_cause(void **state) {
        assert_int_equal(view().state, SYNCD_RUNNING);
        assert_null(view().last_cause);
        fake.code = 2;
        fake.status = 11;
        become("activating", "auto-restart", "core-dump");
        assert_int_equal(view().state, SYNCD_STARTING);
        fake.n_restarts = 1;
        become("active", "running", "success");
        assert_int_equal(view().n_restarts, 1);
        assert_string_equal(view().last_cause, "signal 11 (SEGV), with a core dump");
        assert_true(view().last_restart > 0);
        fake.n_restarts = 0;            /* started by hand: systemd counts anew, we do not */
        become("active", "running", "success");
        fake.n_restarts = 1;
        become("active", "running", "success");
        assert_int_equal(view().n_restarts, 2);
        assert_string_equal(view().last_cause, "unknown");
}

static void test_stop_is_respected(void **state) {
        become("deactivating", "stop-sigterm", "success");
        assert_int_equal(view().state, SYNCD_STOPPING);
        fake.inactive_enter = 99;
        become("inactive", "dead", "success");
        assert_int_equal(view().state, SYNCD_STOPPED);
        assert_string_equal(view().reason, "The sync service was stopped by an administrator");
        assert_non_null(strstr(view().remedy, "/start-syncservice"));
        fake_turn(50);
        assert_int_equal(n_asked, 0);
        assert_string_equal(fake.last_call, "");
        /* Killed since it took too long to stop: that was asked for, too. */
        become("active", "running", "success");
        become("deactivating", "stop-sigkill", "timeout");
        become("failed", "failed", "timeout");
        assert_int_equal(view().state, SYNCD_STOPPED);
}

static void test_never_started(void **state) {
        fake.inactive_enter = 0;
        become("inactive", "dead", "success");
        assert_int_equal(view().state, SYNCD_IDLE);
        fake.job = 7;
        become("inactive", "dead", "success");
        assert_int_equal(view().state, SYNCD_STOPPING);
}

static void test_refused_configuration(void **state) {
        fake.code = 1;
        fake.status = 78;
        fake.words = "terrafusion.yaml:3:1: \"limitz\" is unknown";
        become("failed", "failed", "exit-code");
        assert_int_equal(view().state, SYNCD_REFUSED);
        assert_string_equal(view().reason, "The sync service refuses its configuration: terrafusion.yaml:3:1: \"limitz\" is unknown");
        /* Without a sync service terrafusionctl can name nothing. */
        assert_string_equal(view().remedy, "Mend it (journalctl -u terrafusion-syncd -n 50 names each mistake), then POST /start-syncservice.");
        (void) usleep(600000);
        fake_turn(20);
        assert_string_equal(fake.last_call, "");
}

static void test_failed_is_restarted(void **state) {
        fake.code = 2;
        fake.status = 9;
        become("failed", "failed", "signal");
        assert_int_equal(view().state, SYNCD_FAILED);
        assert_string_equal(view().reason, "The sync service failed: signal 9 (KILL)");
        for (unsigned i = 0; i < 400 && !fake.last_call[0]; i++)
                fake_turn(1);
        assert_string_equal(fake.last_call, "RestartUnit terrafusion-syncd.service");
        assert_int_equal(view().n_restarts, 1);
}

static void start(void) {
        told[0] = '\0';
        recovery_start(recovery, on_done, NULL);
        fake_turn(10);
}

static void test_start(void **state) {
        fake.inactive_enter = 1;
        become("inactive", "dead", "success");
        start();
        assert_string_equal(fake.last_call, "StartUnit terrafusion-syncd.service");
        assert_string_equal(told, "");
        ready_status = 503;             /* its first checks are under way */
        become("active", "running", "success");
        fake_end_job("done");
        fake_turn(10);
        assert_string_equal(told, "");
        ready_status = 200;
        for (unsigned i = 0; i < 100 && !told[0]; i++)
                fake_turn(1);
        assert_string_equal(told, "started");
        start();
        assert_string_equal(fake.last_call, "RestartUnit terrafusion-syncd.service");
        fake_end_job("done");
        for (unsigned i = 0; i < 100 && !told[0]; i++)
                fake_turn(1);
        assert_string_equal(told, "started");
        assert_non_null(strstr(view().last_cause, "asked for"));
}

static void test_start_fails(void **state) {
        become("inactive", "dead", "success");
        start();
        fake.active = "failed";
        fake.result = "exit-code";
        fake.code = 1;
        fake.status = 78;
        fake.words = "line 3";
        fake_end_job("failed");         /* before a word about the state */
        fake_turn(10);
        assert_string_equal(told, "The sync service did not start: The sync service refuses its configuration: line 3");
        fake.refuse = "Access denied";
        start();
        assert_non_null(strstr(told, "line 3"));
        fake.refuse = NULL;
        start();
        recovery_stop(recovery);
        assert_string_equal(told, "The gateway is stopping");
}

static void test_without_a_bus(void **state) {
        int status = -1;

        fake.away = true;
        fake.bus = sd_bus_flush_close_unref(fake.bus);
        fake_turn(10);
        assert_int_equal(view().state, SYNCD_UNKNOWN);
        proxy_fetch(proxy, "/x", 0, on_fetched, &status);
        fake_turn(10);
        assert_int_equal(status, 200);
        start();
        for (unsigned i = 0; i < 100 && !told[0]; i++)
                fake_turn(1);
        assert_string_equal(told, "started");
}

static void test_names(void **state) {
        for (int i = 0; i < _SYNCD_STATE_MAX; i++)
                assert_true(strlen(syncd_state_to_string((SyncdState) i)) > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = { T(test_restarts_are_counted_with_their_cause), T(test_stop_is_respected), T(test_never_started),
                                            T(test_refused_configuration), T(test_failed_is_restarted), T(test_start), T(test_start_fails),
                                            T(test_without_a_bus), cmocka_unit_test(test_names) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
