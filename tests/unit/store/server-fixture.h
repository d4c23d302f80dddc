/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* For tests that need the server of TERRAFUSION_TEST_DATABASE: without one they are skipped. */
#include "place.h"
#include <libpq-fe.h>

static const Migration one_table[] = {{"-", "create table t (a bigint primary key, b text)"}, {}};

typedef struct ServerFixture {
        Database *database;
        Error error;
} ServerFixture;

static inline int server_set_up(void **state) {
        ServerFixture *f = calloc(1, sizeof(*f));

        *state = f;
        if (!place_url())
                return 0;
        place_make();
        assert_good(&f->error, database_open("terrafusion_t", one_table, &f->database, &f->error));
        return 0;
}

static inline int server_tear_down(void **state) {
        ServerFixture *f = *state;

        database_close(f->database);
        store_server_done();
        error_done(&f->error);
        free(f);
        return 0;
}

/* In a session of its own, as an administrator would. */
static inline void administrate(const char *sql) {
        PGconn *connection = PQconnectdb(place_url());
        PGresult *result = PQexec(connection, sql);

        if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
                fail_msg("%s: %s", sql, PQerrorMessage(connection));
        PQclear(result);
        PQfinish(connection);
}

/* Ends all other sessions of this database: what a server's restart looks like to us. */
static inline void end_sessions(void) {
        administrate("select pg_terminate_backend(pid) from pg_stat_activity"
                     " where datname = current_database() and pid <> pg_backend_pid()");
}

static inline int64_t one_integer(ServerFixture *f, const char *sql) {
        Statement *s;
        int64_t value;

        assert_good(&f->error, database_prepare(f->database, sql, &s, &f->error));
        assert_int_equal(statement_step(s, &f->error), 1);
        value = statement_integer(s, 0);
        statement_reset(s);
        return value;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, server_set_up, server_tear_down)
#define NEEDS_SERVER      \
        if (!f->database) \
                skip();
