/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-check.h"

#include "basic/text.h"
#include "connect/odbc-horizon.h"
#include "connect/odbc-reader.h"
#include "connect/odbc-scan.h"
#include "model/connection-string.h"

/* Said once of a system. */
static int check_connection(OdbcConnection *c, json_t *report) {
        _cleanup_free_ char *message = NULL, *password = NULL;
        int r;

        if (c->checked)
                return 0;
        c->checked = true;
        if (asprintf(&message, "Connected to %s by the driver %s", c->dialect->name, c->driver) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = report_add(report, c->system->name, true, message, NULL);
        password = connection_string_find(c->system->connection, "pwd");
        if (!password)
                password = connection_string_find(c->system->connection, "password");
        if (r < 0 || !password || !*password)
                return r;
        return report_add(report, c->system->name, true,
                          "A password stands in connection:, where all who may read the file see it",
                          "Put it into a file of the credentials folder, and name that in credential:");
}

/* ---- as a source ---- */

/* The query is planned, not run: where and all rights of reading show. */
static int check_query(OdbcConnection *c, const ReadPlan *plan, const OdbcSources *sources, json_t *report,
                       Error *error) {
        _cleanup_(odbc_scan_done) OdbcScan scan = {};
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        _cleanup_free_ char *sql = NULL, *one = NULL, *what = NULL, *message = NULL;
        _cleanup_error_ Error failure = {};
        int r;

        r = odbc_scan_init(&scan, c->dialect, plan, sources, &failure);
        if (r >= 0)
                r = odbc_scan_sql(&scan, NULL, NULL, c->dialect->explain || !scan.ordered ? 0 : 1, &sql,
                                  &failure);
        if (r >= 0 && asprintf(&one, "%s%s", c->dialect->explain ? c->dialect->explain : "", sql) < 0) {
                one = NULL;
                return -ENOMEM;
        }
        if (r >= 0)
                r = odbc_query(c, one, &rows, &failure);
        if (r < 0)
                return failure.id == ERROR_NONE || error_class(failure.id) == ERROR_CLASS_TRANSIENT
                               ? (error ? error_move(error, &failure) : (void) 0, r)
                               : report_add_error(report,
                                                  plan->mapping->where ? "where" : plan->mapping->from,
                                                  &failure);
        if (asprintf(&what, "table %s", plan->mapping->from) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (asprintf(&message, "Can be read: %zu columns, %zu joins", plan->mapping->n_columns,
                     plan->mapping->n_joins) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = report_add(report, what, true, message, NULL);
        if (r < 0 || scan.ordered)
                return r;
        return report_add(report, what, true,
                          "Has no primary key: it is read in one piece, the driver holds all of it in "
                          "memory, and an interrupted scan "
                          "begins anew",
                          "Let the DBA give the table a primary key");
}

static int check_watermark(OdbcConnection *c, const Mapping *m, const OdbcSources *sources, json_t *report) {
        _cleanup_error_ Error failure = {};
        Value high;
        int r;

        r = odbc_horizon(&c->base, m, &high, &failure);
        /* A transaction that holds it is gone in a moment. */
        if (r < 0 && error_class(failure.id) != ERROR_CLASS_TRANSIENT)
                return r == -ENOMEM ? r : report_add_error(report, "watermark", &failure);
        if (m->watermark && !table_has_index_on(sources->own->table, m->watermark))
                return report_add(
                        report, "watermark", true,
                        "Works, but each run reads the whole table: no index begins with its column",
                        "Create an index on the watermark column");
        return report_add(report, "watermark", true,
                          odbc_horizon_is_exact(&c->base, m) ? "Works"
                                                             : "Works; what it misses the sweep finds",
                          NULL);
}

static int check_ranges(OdbcConnection *c, const OdbcSources *sources, json_t *report) {
        _cleanup_error_ Error failure = {};

        if (odbc_ranges_require(c->dialect, sources, &failure) < 0)
                return failure.id == ERROR_NONE ? -ENOMEM : report_add_error(report, "digest", &failure);
        return report_add(report, "digest", true, "Works; the database sums up ranges of its primary key", NULL);
}

static int check_source(OdbcConnection *c, const Pair *pair, const Mapping *m, json_t *report,
                        Error *error) {
        _cleanup_(odbc_sources_done) OdbcSources sources = {};
        size_t n_before = json_array_size(report);
        ReadPlan plan = {.pair = pair, .mapping = m};
        int r;

        r = odbc_sources_load(c, pair, m, report, &sources, error);
        if (r < 0 || json_array_size(report) > n_before)
                return r;
        r = check_query(c, &plan, &sources, report, error);
        if (r >= 0 && m->strategy == DETECT_DIGEST)
                return check_ranges(c, &sources, report);
        if (r < 0 || m->strategy != DETECT_WATERMARK)
                return r;
        return check_watermark(c, m, &sources, report);
}

/* ---- as a target ---- */

static int check_types(const OdbcTable *t, const Mapping *m, json_t *report) {
        int r = 0;

        for (size_t i = 0; i < m->n_fields && r >= 0; i++) {
                const OdbcType *type = odbc_table_type(t, m->fields[i].name);
                ValueType wanted = m->fields[i].type;
                _cleanup_free_ char *message = NULL;

                if (!type || wanted == VALUE_ABSENT || odbc_kind_takes(type->kind, wanted))
                        continue;
                if (asprintf(&message, "Column \"%s\" of \"%s\" is of type %s and cannot hold a %s",
                             m->fields[i].name, t->table->name, type->declared,
                             value_type_to_string(wanted)) < 0) {
                        message = NULL;
                        return -ENOMEM;
                }
                r = report_add(report, m->fields[i].name, false, message,
                               "Give the field the type of the target's column");
        }
        return r;
}

/* Rights are asked for by planning statements that change nothing: every database checks them then. */
static int check_right(OdbcConnection *c, const char *what, const char *sql, json_t *report, Error *error) {
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        _cleanup_error_ Error failure = {};
        _cleanup_free_ char *explain = NULL;
        int r;

        if (asprintf(&explain, "%s%s", c->dialect->explain ? c->dialect->explain : "", sql) < 0) {
                explain = NULL;
                return -ENOMEM;
        }
        r = odbc_query(c, explain, &rows, &failure);
        if (r >= 0)
                return 0;
        if (failure.id == ERROR_NONE || failure.id == ERROR_SYSTEM_UNAVAILABLE) {
                if (error)
                        error_move(error, &failure);
                return r;
        }
        return report_add_error(report, what, &failure);
}

/* "a, b" of all fields, or "b = b" of those behind the key. */
static int names_join(const Mapping *m, bool update, TextBuffer *b) {
        int r = 0;

        for (size_t i = update ? m->n_key : 0, n = 0; i < m->n_fields && r >= 0; i++) {
                _cleanup_free_ char *name = sql_identifier(m->fields[i].name);

                if (!name)
                        return -ENOMEM;
                r = update ? text_buffer_printf(b, "%s%s = %s", n++ > 0 ? ", " : "", name, name)
                           : text_buffer_printf(b, "%s%s", n++ > 0 ? ", " : "", name);
        }
        return r;
}

static int check_rights(OdbcConnection *c, const Mapping *m, json_t *report, Error *error) {
        _cleanup_text_buffer_ TextBuffer names = {}, sets = {}, insert = {}, update = {}, delete = {};
        _cleanup_free_ char *table = sql_table(m->to);
        int r;

        if (!table || names_join(m, false, &names) < 0 || names_join(m, true, &sets) < 0 ||
            text_buffer_printf(&insert, "insert into %s (%s) select %s from %s where 1 = 0", table,
                               names.bytes, names.bytes, table) < 0 ||
            text_buffer_printf(&update, "update %s set %s where 1 = 0", table,
                               sets.bytes ? sets.bytes : "") < 0 ||
            text_buffer_printf(&delete, "delete from %s where 1 = 0", table) < 0)
                return -ENOMEM;
        r = check_right(c, "insert", insert.bytes, report, error);
        if (r >= 0 && sets.size > 0)
                r = check_right(c, "update", update.bytes, report, error);
        if (r >= 0 && m->deletes == DELETES_MIRROR)
                r = check_right(c, "delete", delete.bytes, report, error);
        return r;
}

static int check_target(OdbcConnection *c, const Pair *pair, const Mapping *m, json_t *report,
                        Error *error) {
        _cleanup_(odbc_table_freep) OdbcTable *t = NULL;
        _cleanup_error_ Error failure = {};
        size_t n_before = json_array_size(report);
        int r;

        r = odbc_table_load(c, m->to, &t, &failure);
        if (r < 0 && failure.id == ERROR_TABLE_MISSING) {
                (void) error_at(&failure, pair ? pair->file : NULL, m->line, m->column);
                return report_add_error(report, m->to, &failure);
        }
        if (r < 0) {
                if (error)
                        error_move(error, &failure);
                return r;
        }
        if (t->engine) {
                _cleanup_free_ char *message = NULL;

                if (asprintf(&message, "Is of the storage engine %s, which has no transactions", t->engine) <
                    0) {
                        message = NULL;
                        return -ENOMEM;
                }
                r = report_add(report, m->to, false, message,
                               "Let the DBA run: alter table NAME engine = InnoDB");
        }
        if (r >= 0)
                r = table_check_target(t->table, m, report);
        if (r >= 0)
                r = check_types(t, m, report);
        for (size_t i = n_before; r >= 0 && i < json_array_size(report); i++)
                if (!json_is_true(json_object_get(json_array_get(report, i), "ok")))
                        return 0; /* the statements would only say the same */
        return r < 0 ? r : check_rights(c, m, report, error);
}

int odbc_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report,
               Error *error) {
        OdbcConnection *c = (OdbcConnection *) connection;
        int r;

        r = check_connection(c, report);
        if (r < 0)
                return r;
        return target ? check_target(c, pair, m, report, error) : check_source(c, pair, m, report, error);
}

int odbc_describe(Connection *connection, const Mapping *m, const char *table, bool target, Table **ret,
                  Error *error) {
        _cleanup_(odbc_table_freep) OdbcTable *t = NULL;
        int r;

        r = odbc_table_load((OdbcConnection *) connection, table, &t, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t->table);
        return 0;
}
