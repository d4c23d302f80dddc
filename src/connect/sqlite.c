/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlite-loose.h"

static void sqlite_close(Connection *connection) {
        SqliteConnection *c = (SqliteConnection *) connection;

        (void) sqlite3_close_v2(c->db);
        arena_free(c->arena);
        free(c);
}

static void connectionp(SqliteConnection **c) {
        if (*c)
                sqlite_close(&(*c)->base);
}

static int sqlite_open(const System *system, bool write, Connection **ret, Error *error) {
        _cleanup_(connectionp) SqliteConnection *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->base.connector = &sqlite_connector;
        c->system = system;
        r = arena_new(&c->arena);
        if (r < 0)
                return r;
        r = sqlite_db_open(system, write, &c->db, error);
        if (r < 0)
                return r;
        if (write && sqlite3_db_readonly(c->db, "main") == 1)
                return error_set(error, ERROR_SYSTEM_READ_ONLY,
                                 "Give the service write permission to the file and its folder",
                                 "System \"%s\": \"%s\" cannot be written", system->name, system->path);
        if (write) {
                r = sqlite_execute(c->db, system, "pragma foreign_keys = on", error);
                if (r < 0)
                        return r;
        }
        *ret = &TAKE_PTR(c)->base;
        return 0;
}

/* ---- checking ---- */

/* The horizon is part of the check: a form that cannot be relied on shows before the first run. */
static int check_watermark(SqliteConnection *c, const Mapping *m, const Table *own, json_t *report) {
        _cleanup_error_ Error error = {};
        Value high;
        int r;

        r = sqlite_horizon(&c->base, m, &high, &error);
        /* Who writes just now is done in a moment; a run waits for it where it takes the horizon. */
        if (r < 0 && error_class(error.id) != ERROR_CLASS_TRANSIENT)
                return r == -ENOMEM ? r : report_add_error(report, "watermark", &error);
        if (m->watermark && !table_has_index_on(own, m->watermark))
                return report_add(
                        report, "watermark", true,
                        "Works, but each run reads the whole table: no index begins with its column",
                        "Create an index on the watermark column");
        return report_add(report, "watermark", true, "Works", NULL);
}

/* A join that takes the first row looks once per record: without an index by reading its whole table. */
static int check_choices(const Mapping *m, const SqliteSources *sources, json_t *report) {
        for (size_t i = 0; i < m->n_joins; i++) {
                const MappingJoin *join = &m->joins[i];
                bool indexed = !join->take_first;
                _cleanup_free_ char *what = NULL;
                int r;

                for (size_t j = 0; j < join->n_by && !indexed; j++)
                        indexed = table_has_index_on(sources->joins[i], join->by[j].left);
                if (indexed)
                        continue;
                if (asprintf(&what, "join %s", join->name) < 0) {
                        what = NULL;
                        return -ENOMEM;
                }
                r = report_add(report, what, true,
                               "Works, but each record reads the whole joined table: no index begins with a "
                               "column of by:",
                               "Create an index on the join's columns");
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_source(SqliteConnection *c, const Pair *pair, const Mapping *m, json_t *report,
                        Error *error) {
        _cleanup_(sqlite_sources_done) SqliteSources sources = {};
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_free_ char *what = NULL, *message = NULL;
        _cleanup_error_ Error failure = {};
        size_t n_before = json_array_size(report);
        ReadPlan plan = {.pair = pair, .mapping = m};
        int r;

        r = sqlite_sources_load(c->db, c->system, pair, m, report, &sources, error);
        if (r < 0 || json_array_size(report) > n_before)
                return r;
        r = sqlite_scan_prepare(c->db, &plan, &sources, false, false, &statement, &failure);
        if (r == 0)
                r = sqlite_scan_bind(c->db, c->system, &plan, NULL, NULL, statement, &failure);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, m->where ? "where" : "join", &failure);
        if (asprintf(&what, "table %s", m->from) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (asprintf(&message, "Can be read: %zu columns, %zu joins", m->n_columns, m->n_joins) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = report_add(report, what, true, message, NULL);
        if (r == 0)
                r = check_choices(m, &sources, report);
        if (r == 0)
                r = sqlite_reals_report(m, &sources, report);
        if (r < 0 || m->strategy != DETECT_WATERMARK)
                return r;
        return check_watermark(c, m, sources.own, report);
}

static int sqlite_check(Connection *connection, const Pair *pair, const Mapping *m, bool target,
                        json_t *report, Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_error_ Error failure = {};
        int r;

        if (!target)
                return check_source(c, pair, m, report, error);
        r = sqlite_table_load(c->db, c->system, m->to, &table, &failure);
        if (r < 0 && failure.id == ERROR_TABLE_MISSING) {
                (void) error_at(&failure, pair ? pair->file : NULL, m->line, m->column);
                return report_add_error(report, m->to, &failure);
        }
        if (r < 0) {
                if (error)
                        error_move(error, &failure);
                return r;
        }
        return table_check_target(table, m, report);
}

static int sqlite_describe(Connection *connection, const Mapping *m, const char *table, bool target, Table **ret,
                           Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;

        return sqlite_table_load(c->db, c->system, table, ret, error);
}

/* ---- the transaction ---- */

static int sqlite_begin(Connection *connection, Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;

        /* Without this a handle that only reads would begin to read. */
        if (sqlite3_db_readonly(c->db, "main") == 1)
                return error_set(error, ERROR_SYSTEM_READ_ONLY,
                                 "Give it access: write if it is meant to be a target",
                                 "System \"%s\" is opened for reading", c->system->name);
        return sqlite_execute(c->db, c->system, "begin immediate", error);
}

static int sqlite_rollback(Connection *connection) {
        SqliteConnection *c = (SqliteConnection *) connection;

        if (sqlite3_get_autocommit(c->db))
                return 0;
        return sqlite3_exec(c->db, "rollback", NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

static int sqlite_commit(Connection *connection, Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;
        int rc, r;

        if (sqlite3_get_autocommit(c->db))
                return error_set(error, ERROR_SYSTEM_REFUSED, "Look for a trigger with raise(rollback, …)",
                                 "System \"%s\": the transaction was rolled back by the database",
                                 c->system->name);
        rc = sqlite3_exec(c->db, "commit", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
                return 0;
        /* Deferred foreign keys are looked at only now, and of no single record. */
        if ((rc & 0xff) == SQLITE_CONSTRAINT)
                r = error_set(error, ERROR_SYSTEM_REFUSED,
                              "Let entities depend on each other as their tables do (depends_on:)",
                              "System \"%s\": cannot commit: %s", c->system->name, sqlite3_errmsg(c->db));
        else
                r = sqlite_fail(c->db, rc, c->system, "cannot commit", error);
        (void) sqlite_rollback(connection);
        return r;
}

const Connector sqlite_connector = {
        .kind = "sqlite",
        .summary = "A SQLite database file",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES | CONNECTOR_TRANSACTS | CONNECTOR_RESUMES,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_DIGEST) |
                      DETECT_BIT(DETECT_FILE),
        .default_strategy = DETECT_FULL,
        .open = sqlite_open,
        .close = sqlite_close,
        .check = sqlite_check,
        .horizon = sqlite_horizon,
        .describe = sqlite_describe,
        .grants = sqlite_grants,
        .explain = sqlite_explain,
        .reader_open = sqlite_reader_open,
        .reader_next = sqlite_reader_next,
        .reader_position = sqlite_reader_position,
        .reader_resumed = sqlite_reader_resumed,
        .reader_close = sqlite_reader_close,
        .reader_findings = sqlite_reader_findings,
        .content_digest = sqlite_content_digest,
        .reader_ranges_by_key = sqlite_reader_ranges_by_key,
        .ranges_plan = sqlite_ranges_plan,
        .ranges_sum = sqlite_ranges_sum,
        .reader_range = sqlite_reader_range,
        .writer_open = sqlite_writer_open,
        .writer_close = sqlite_writer_close,
        .count = sqlite_count,
        .fetch = sqlite_fetch,
        .begin = sqlite_begin,
        .write = sqlite_write,
        .commit = sqlite_commit,
        .rollback = sqlite_rollback,
};
