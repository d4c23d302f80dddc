/* SPDX-License-Identifier: Apache-2.0 */
/* How SQLite will run a scan, and what a file has to let us do. */
#include "connect/sqlite-database.h"

#include <fcntl.h>
#include <libgen.h>

#include "basic/json.h"
#include "basic/text.h"
#include "connect/query-plan.h"
#include "connect/sql.h"

/* Records as ANALYZE has counted them, else the highest rowid, which is at hand: more may have been, not fewer are likely. */
static int64_t records_estimate(sqlite3 *db, const char *table) {
        _cleanup_statement_ sqlite3_stmt *counted = NULL, *highest = NULL;
        _cleanup_free_ char *name = sql_table(table), *sql = NULL;
        int64_t n = 0;

        if (sqlite3_prepare_v2(db, "select max(cast(stat as integer)) from sqlite_stat1 where tbl = ?", -1, &counted, NULL) == SQLITE_OK &&
            sqlite3_bind_text(counted, 1, table, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(counted) == SQLITE_ROW)
                n = sqlite3_column_int64(counted, 0);
        if (n > 0 || !name || asprintf(&sql, "select max(rowid) from %s", name) < 0)
                return n;
        if (sqlite3_prepare_v2(db, sql, -1, &highest, NULL) == SQLITE_OK && sqlite3_step(highest) == SQLITE_ROW)
                n = sqlite3_column_int64(highest, 0);
        return n;
}

static const char *table_of_alias(const Mapping *m, const char *alias, size_t size) {
        for (size_t i = 0; i < m->n_joins; i++)
                if (strlen(m->joins[i].name) == size && strncmp(m->joins[i].name, alias, size) == 0)
                        return m->joins[i].from;
        return m->from;
}

/* "SCAN source", "SCAN owner USING INDEX …" are read whole; so is a table of which SQLite makes an index for itself. */
static int line_note(sqlite3 *db, const Mapping *m, const char *line, bool is_first, json_t *plan) {
        bool is_automatic = strstr(line, "USING AUTOMATIC") != NULL;
        _cleanup_free_ char *alias = NULL;
        const char *name = line + strlen(is_automatic ? "SEARCH " : "SCAN "), *table;
        size_t size;

        if (text_starts_with(line, "USE TEMP B-TREE"))
                return query_plan_sorts(plan, records_estimate(db, m->from));
        if (!is_automatic && !text_starts_with(line, "SCAN "))
                return 0;
        size = strcspn(name, " ");
        table = table_of_alias(m, name, size);
        alias = strndup(name, size);
        return !alias ? -ENOMEM
                      : query_plan_scans(plan, m, alias, table, records_estimate(db, table), !is_first && !is_automatic);
}

static int lines_read(sqlite3 *db, const Mapping *m, const char *sql, json_t *report) {
        _cleanup_statement_ sqlite3_stmt *s = NULL;
        _cleanup_free_ char *question = NULL, *text = NULL;
        json_auto_t *plan = query_plan_new(sql, "");
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        bool is_first = true;
        int r = 0;

        if (!f)
                return -ENOMEM;
        if (!plan || asprintf(&question, "explain query plan %s", sql) < 0) {
                question = NULL;
                r = -ENOMEM;
        }
        if (r >= 0 && sqlite3_prepare_v2(db, question, -1, &s, NULL) != SQLITE_OK)
                r = -EIO;
        while (r >= 0 && sqlite3_step(s) == SQLITE_ROW) {
                const char *line = (const char *) sqlite3_column_text(s, 3);

                (void) fprintf(f, "%s%s", is_first ? "" : "\n", line ? line : "");
                r = line ? line_note(db, m, line, is_first, plan) : -ENOMEM;
                is_first = false;
        }
        if (fclose(f) != 0 || r < 0)
                return r < 0 ? r : -ENOMEM;
        r = json_put(plan, "plan", json_text(text));
        return r < 0 ? r : json_array_append(report, plan) < 0 ? -ENOMEM : 0;
}

int sqlite_explain(Connection *connection, const ReadPlan *plan, json_t *report, Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;
        _cleanup_(sqlite_sources_done) SqliteSources sources = {};
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        int r;

        r = sqlite_sources_load(c->db, c->system, plan->pair, plan->mapping, NULL, &sources, error);
        if (r >= 0)
                r = sqlite_scan_prepare(c->db, plan, &sources, false, false, &statement, error);
        if (r < 0)
                return r;
        r = lines_read(c->db, plan->mapping, sqlite3_sql(statement), report);
        return r == -EIO ? sqlite_fail(c->db, sqlite3_errcode(c->db), c->system, "cannot explain a query", error) : r;
}

/* ---- what the file lets us do ---- */

static int mode_add(json_t *report, const System *system, const char *path, int mode, const char *letters, const char *why) {
        bool ok = faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
        _cleanup_free_ char *what = NULL, *command = NULL;
        json_t *row;

        if (asprintf(&what, "grant for system %s", system->name) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (asprintf(&command, "setfacl -m u:terrafusion:%s '%s'", letters, path) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        row = json_pack("{s:s, s:b, s:s, s:s?, s:s}", "what", what, "ok", (int) ok, "message", why, "remedy",
                        ok ? NULL : "Let an administrator run the command", "sql", command);
        return json_array_append_new(report, row) < 0 ? -ENOMEM : 0;
}

static int strategy_add(const Mapping *m, json_t *report) {
        unsigned have = sqlite_connector.strategies;
        bool digest = have & DETECT_BIT(DETECT_DIGEST), watermark = m->watermark && !digest;
        json_t *row = json_pack("{s:s, s:b, s:s, s:n, s:s, s:s}", "what", "strategy", "ok", 1, "message",
                                "The strongest strategy that the rights at hand allow", "remedy", "strategy",
                                digest      ? "digest"
                                : watermark ? "watermark"
                                            : "full",
                                "blind",
                                digest      ? "nothing of the records; each run reads all of them to sum them up"
                                : watermark ? "deletes, and stamps that are older than the transaction that sets them: a sweep finds them"
                                            : "nothing of the records; but each run reads all of them");

        return json_array_append_new(report, row) < 0 ? -ENOMEM : 0;
}

int sqlite_grants(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        const System *system = ((SqliteConnection *) connection)->system;
        _cleanup_free_ char *copy = strdup(system->path);
        const char *folder = copy ? dirname(copy) : NULL;
        int r;

        if (!folder)
                return -ENOMEM;
        r = mode_add(report, system, system->path, target ? R_OK | W_OK : R_OK, target ? "rw" : "r",
                     target ? "Reads and writes the database" : "Reads the database");
        if (r >= 0)
                r = mode_add(report, system, folder, R_OK | W_OK | X_OK, "rwx",
                             target ? "Makes the files that SQLite keeps beside a database"
                                    : "SQLite keeps two files beside a database in WAL mode, also when it only reads");
        return r < 0 || target ? r : strategy_add(m, report);
}
