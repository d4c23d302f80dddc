/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlite-database.h"

#include <time.h>

#include "basic/timestamp.h"
#include "connect/sql.h"
#include "connect/stamp.h"

typedef struct Stamps {
        StampShape shape;
        bool known;
        int64_t latest_usec;
} Stamps;

static int stamp_refuse(const char *table, const char *column, const Value *value, const char *why,
                        Error *error) {
        char number[24];

        (void) snprintf(number, sizeof(number), "%lld",
                        (long long) (value->type == VALUE_INTEGER ? value->integer : 0));
        return error_set(error, ERROR_WATERMARK,
                         "Use strategy: full, or stamps of one form in UTC such as 2026-07-15 12:00:00.000",
                         "Watermark \"%s\".\"%s\" holds \"%.*s\", %s", table, column,
                         (int) (value->type == VALUE_TEXT || value->type == VALUE_BYTES
                                        ? value->size > 60 ? 60 : value->size
                                        : strlen(number)),
                         value->type == VALUE_TEXT || value->type == VALUE_BYTES ? value->bytes : number,
                         why);
}

/* Learns the shape of one watermark column from its least and greatest value. */
static int stamps_learn(SqliteConnection *c, const char *table, const char *column, Stamps *stamps,
                        Error *error) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_free_ char *sql = NULL;
        int rc, r;

        r = sql_extremes(table, column, &sql);
        if (r == 0)
                r = sqlite_prepare(c->db, c->system, sql, &statement, error);
        if (r < 0)
                return r;
        rc = sqlite3_step(statement);
        if (rc != SQLITE_ROW)
                return sqlite_fail(c->db, rc, c->system, "cannot read the watermark", error);
        for (int i = 0; i < 2; i++) {
                char real_text[REAL_TEXT_MAX];
                StampShape shape;
                Value value;
                int64_t usec;

                if (sqlite_value_read(statement, i, real_text, &value) < 0)
                        return -ENOMEM;
                if (value_is_null(&value))
                        continue;
                if (stamp_parse(&value, &shape, &usec) < 0)
                        return stamp_refuse(table, column, &value,
                                            "which is no stamp with date and time that sorts by time",
                                            error);
                if (stamps->known && stamp_unite(&stamps->shape, &shape, &stamps->shape) < 0)
                        return stamp_refuse(table, column, &value,
                                            "which has another form than other stamps", error);
                if (!stamps->known)
                        stamps->shape = shape;
                stamps->known = true;
                if (usec > stamps->latest_usec)
                        stamps->latest_usec = usec;
        }
        return 0;
}

/* A record that was stamped a moment ago is below the horizon only when its unit of time has passed. */
static void stamps_wait(const Stamps *stamps) {
        int64_t unit = stamp_unit_usec(&stamps->shape), wait = stamps->latest_usec + unit - timestamp_now();
        struct timespec pause;

        if (!stamps->known || wait <= 0)
                return;
        if (wait > unit)
                wait = unit; /* stamps of the future are not waited for */
        pause = (struct timespec){.tv_sec = wait / USEC_PER_SEC, .tv_nsec = wait % USEC_PER_SEC * 1000};
        (void) nanosleep(&pause, NULL);
}

/* Takes now while no transaction can be open: whoever writes later, stamps later. */
static int moment_take(const System *system, int64_t *ret_usec, Error *error) {
        static const char remedy[] = "Give the service write permission to the file and its folder, so that "
                                     "it can hold writers off for an "
                                     "instant (it writes nothing), or use strategy: full";
        _cleanup_error_ Error failure = {};
        _cleanup_db_ sqlite3 *db = NULL;
        int64_t now = 0;
        int r;

        r = sqlite_db_open(system, true, &db, &failure);
        if (r == 0 && sqlite3_db_readonly(db, "main") == 1)
                r = error_set(&failure, ERROR_SYSTEM_READ_ONLY, NULL, "\"%s\" cannot be written",
                              system->path);
        if (r == 0) {
                /* Closing last must not move the owner's log into the owner's file. */
                (void) sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
                r = sqlite_execute(db, system, "begin immediate", &failure);
        }
        if (r == 0) {
                now = timestamp_now();
                r = sqlite_execute(db, system, "rollback", &failure);
        }
        if (r < 0 && (failure.id == ERROR_SYSTEM_READ_ONLY || failure.id == ERROR_SYSTEM_UNAVAILABLE))
                return error_set(error, ERROR_WATERMARK, remedy, "No horizon can be proved: %s",
                                 failure.detail);
        if (r < 0) {
                if (error)
                        error_move(error, &failure);
                return r;
        }
        *ret_usec = now;
        return 0;
}

int sqlite_horizon(Connection *connection, const Mapping *m, Value *ret_high, Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;
        Stamps stamps = {.shape = STAMP_SHAPE_DEFAULT};
        int64_t now = 0;
        char *text;
        int r = 0;

        if (m->watermark)
                r = stamps_learn(c, m->from, m->watermark, &stamps, error);
        for (size_t i = 0; i < m->n_joins && r == 0; i++)
                if (m->joins[i].watermark)
                        r = stamps_learn(c, m->joins[i].from, m->joins[i].watermark, &stamps, error);
        if (r < 0)
                return r;
        stamps_wait(&stamps);
        r = moment_take(c->system, &now, error);
        if (r < 0)
                return r;
        text = arena_alloc(c->arena, STAMP_TEXT_MAX);
        if (!text)
                return -ENOMEM;
        stamp_format(&stamps.shape, now, text, ret_high);
        return 0;
}
