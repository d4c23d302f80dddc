/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where the store of a test is: in files, or, where TERRAFUSION_TEST_DATABASE names a PostgreSQL database of this
 * test's own, there. */
#include <time.h>
#include "../testing.h"
#include "store/database.h"
#include "store/files.h"
#include "store/server.h"

#define assert_good(error, call)                                                                   \
        do {                                                                                       \
                int _r = (call);                                                                   \
                if (_r < 0)                                                                        \
                        fail_msg("%s: %d %s", #call, _r, (error)->detail ? (error)->detail : "-"); \
        } while (0)

static inline const char *place_url(void) { return getenv("TERRAFUSION_TEST_DATABASE"); }

/* Begins with nothing in it. */
static inline void place_make(void) {
        static const Migration none[] = {{"select 1", "select 1"}, {}};
        _cleanup_(database_closep) Database *d = NULL;
        const char *url = place_url();
        _cleanup_error_ Error error = {};
        char **names = NULL;

        assert_good(&error, store_server_use(url, 20000, &error));
        if (!store_server_is_used())
                return;
        assert_good(&error, database_open("scratch", none, &d, &error));
        assert_good(&error, database_list(&names, &error));
        for (char **name = names; name && *name; name++) {
                _cleanup_free_ char *sql = NULL;

                assert_true(asprintf(&sql, "drop schema \"%s\" cascade", *name) > 0);
                assert_good(&error, database_execute(d, sql, &error));
                free(*name);
        }
        free(names);
}

/* SQL with x'…' for bytes, whichever database it is. */
static inline void place_execute(Database *d, const char *sql) {
        _cleanup_free_ char *text = calloc(2, strlen(sql) + 1);
        _cleanup_error_ Error error = {};
        char *at = text;

        for (; *sql; sql++)
                if (store_server_is_used() && sql[0] == 'x' && sql[1] == '\'')
                        at = mempcpy(at, "'\\x", 3), sql++;
                else
                        *at++ = *sql;
        assert_good(&error, database_execute(d, text, &error));
}

static inline char *place_journal(const char *folder, const char *month) {
        char *path = NULL;

        assert_int_equal(store_database_path(folder, PART_JOURNAL, "pair", month, &path, NULL), 0);
        return path;
}

/* The present month as journals are named by it. */
static inline const char *place_month(void) {
        static char month[sizeof("YYYY-MM")];
        time_t now = time(NULL);

        assert_int_equal(strftime(month, sizeof(month), "%Y-%m", gmtime(&now)), sizeof(month) - 1);
        return month;
}

/* What was journalled in one month was so in another. */
static inline void place_move_journal(const char *folder, const char *from, const char *to) {
        static const Migration none[] = {{"select 1", "select 1"}, {}};
        _cleanup_free_ char *old = place_journal(folder, from), *new = place_journal(folder, to),
                            *sql = NULL;
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_error_ Error error = {};

        if (!store_server_is_used()) {
                assert_int_equal(rename(old, new), 0);
                return;
        }
        assert_true(asprintf(&sql, "alter schema \"%s\" rename to \"%s\"", old, new) > 0);
        assert_good(&error, database_open("scratch", none, &d, &error));
        assert_good(&error, database_execute(d, sql, &error));
}
