/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that are not there, do not want us, or go away. */
#include "server-fixture.h"
#include <arpa/inet.h>
#include <sys/socket.h>

/* Opens with another address; nothing in it is repeated but what is named. */
static void assert_refused(const char *url, ErrorId id, const char *part) {
        _cleanup_error_ Error error = {};
        Database *d = NULL;

        assert_int_equal(store_server_use(url, 1000, &error), 0);
        assert_true(database_open("terrafusion_t", one_table, &d, &error) < 0);
        assert_null(d);
        if (!error.detail || !strstr(error.detail, part) || error.id != id)
                fail_msg("%s: %s", url, error.detail ? error.detail : "-");
        assert_null(strstr(error.detail, "canary"));
        assert_non_null(error.remedy);
        store_server_done();
}

static void test_nobody_there(void **state) {
        assert_refused("postgresql://tf:canary@127.0.0.1:1/store", ERROR_SYSTEM_UNAVAILABLE,
                       "127.0.0.1:1/store");
        assert_refused("postgresql://tf:canary@no-such-host.invalid/store", ERROR_SYSTEM_UNAVAILABLE,
                       "no-such-host.invalid");
        assert_refused("postgresql:///store?host=/nonexistent&user=tf", ERROR_SYSTEM_UNAVAILABLE,
                       "/nonexistent");
}

/* Something listens and says nothing: given up after a while, not for ever. */
static void test_silence(void **state) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char url[80];

        assert_int_equal(bind(fd, (struct sockaddr *) &address, size), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        (void) snprintf(url, sizeof(url), "postgresql://tf:canary@127.0.0.1:%u/store?connect_timeout=1",
                        ntohs(address.sin_port));
        assert_refused(url, ERROR_SYSTEM_UNAVAILABLE, "no answer in time");
        (void) close(fd);
}

/* The test's own address with other user, password or database. */
static char *url_with(const char *user, const char *database, const char *more) {
        PQconninfoOption *options = PQconninfoParse(place_url(), NULL);
        const char *host = "", *port = "";
        char *url = NULL;

        for (PQconninfoOption *o = options; o->keyword; o++) {
                if (strcmp(o->keyword, "host") == 0)
                        host = o->val;
                if (strcmp(o->keyword, "port") == 0)
                        port = o->val;
        }
        assert_true(asprintf(&url, "postgresql://%s@%s:%s/%s%s", user, host, port, database, more) > 0);
        PQconninfoFree(options);
        return url;
}

static void test_refusals(void **state) {
        ServerFixture *f = *state;
        _cleanup_free_ char *password = NULL, *database = NULL, *rights = NULL, *latin = NULL;

        NEEDS_SERVER
        administrate("drop database if exists latin");
        administrate("create database latin encoding 'LATIN1' template template0 locale 'C'");
        administrate("do $$ begin create role weak login password 'canary'; exception when duplicate_object "
                     "then null;"
                     " end $$");
        password = url_with("postgres:canary", "postgres", "");
        assert_refused(password, ERROR_CONFIGURATION, "28P01");
        database = url_with("postgres:secret", "no_such_database", "");
        assert_refused(database, ERROR_CONFIGURATION, "no_such_database");
        latin = url_with("postgres:secret", "latin", "");
        assert_refused(latin, ERROR_CONFIGURATION, "LATIN1");
        administrate("drop schema terrafusion_t cascade");
        administrate(
                "create or replace function db() returns text language sql as 'select current_database()'");
        rights = strdup(strrchr(place_url(), '/') + 1);
        password = (free(password), url_with("weak:canary", rights, ""));
        assert_refused(password, ERROR_CONFIGURATION, "42501");
}

/* A standby, or a server that was told to: it may write again one day, so it is waited for. */
static void test_read_only_server(void **state) {
        static const char sql[] = "insert into t (a) values (1)";
        ServerFixture *f = *state;

        NEEDS_SERVER
        assert_good(&f->error,
                    database_execute(f->database, "set default_transaction_read_only = on", &f->error));
        assert_true(database_execute(f->database, sql, &f->error) < 0);
        assert_int_equal(f->error.id, ERROR_SYSTEM_UNAVAILABLE);
        assert_non_null(strstr(f->error.detail, "read-only"));
}

static void test_a_lost_session(void **state) {
        static const char sql[] = "select count(*) from t";
        ServerFixture *f = *state;
        Statement *s;

        NEEDS_SERVER
        assert_false(database_is_lost(f->database));
        end_sessions();
        for (unsigned i = 0; i < 200 && !database_is_lost(f->database); i++)
                (void) usleep(10000);
        assert_true(database_is_lost(f->database)); /* noticed without asking it anything */
        assert_good(&f->error, database_prepare(f->database, sql, &s, &f->error));
        assert_true(statement_step(s, &f->error) < 0);
        assert_int_equal(f->error.id, ERROR_SYSTEM_UNAVAILABLE);
        assert_non_null(f->error.remedy);
}

static void test_a_statement_that_takes_too_long(void **state) {
        ServerFixture *f = *state;

        NEEDS_SERVER
        assert_good(&f->error, database_execute(f->database, "set statement_timeout = 50", &f->error));
        assert_int_equal(database_execute(f->database, "select pg_sleep(10)", &f->error), -EBUSY);
        assert_int_equal(f->error.id, ERROR_SYSTEM_BUSY);
        assert_false(database_is_lost(f->database));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nobody_there),
                cmocka_unit_test(test_silence),
                TEST(test_refusals),
                TEST(test_read_only_server),
                TEST(test_a_lost_session),
                TEST(test_a_statement_that_takes_too_long),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
