/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-log.h"

#include "basic/text.h"

/* {"a","b"}: names as one array parameter. */
static int names_array(char *const *names, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        (void) fputc('{', f);
        for (size_t i = 0; names && names[i]; i++) {
                (void) fputs(i > 0 ? ",\"" : "\"", f);
                for (const char *c = names[i]; *c; c++) {
                        if (*c == '"' || *c == '\\')
                                (void) fputc('\\', f);
                        (void) fputc(*c, f);
                }
                (void) fputc('"', f);
        }
        (void) fputc('}', f);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

/* Reports what the login may not do with columns that it needs, and the statement that allows it. */
static int check_privilege(PgConnection *c, const PgTable *t, const char *privilege, char *const *columns,
                           json_t *report, Error *error) {
        static const char sql[] =
                "select count(*), quote_ident(current_user::text) from unnest($2::text[]) as wanted (name)"
                " where not has_column_privilege($1::oid, name, $3)";
        _cleanup_free_ char *names = NULL, *what = NULL, *message = NULL, *remedy = NULL;
        _cleanup_result_ PGresult *result = NULL;
        char oid[16];
        int r;

        (void) snprintf(oid, sizeof(oid), "%u", t->oid);
        r = names_array(columns, &names);
        if (r >= 0)
                r = pg_query(c->db, c->system, sql, (const char *const[]){oid, names, privilege, NULL}, &result,
                             error);
        if (r < 0 || text_equal(PQgetvalue(result, 0, 0), "0"))
                return r;
        if (asprintf(&what, "table %s", t->table->name) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (asprintf(&message, "The login %s may not %s %s", PQgetvalue(result, 0, 1), privilege, t->name) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        if (asprintf(&remedy, "Let the DBA run: grant %s on %s to %s", privilege, t->name,
                     PQgetvalue(result, 0, 1)) < 0) {
                remedy = NULL;
                return -ENOMEM;
        }
        return report_add(report, what, false, message, remedy);
}

static int check_delete(PgConnection *c, const PgTable *t, json_t *report, Error *error) {
        static const char sql[] = "select has_table_privilege($1::oid, 'delete'), quote_ident(current_user::text)";
        _cleanup_free_ char *message = NULL, *remedy = NULL;
        _cleanup_result_ PGresult *result = NULL;
        char oid[16];
        int r;

        (void) snprintf(oid, sizeof(oid), "%u", t->oid);
        r = pg_query(c->db, c->system, sql, (const char *const[]){oid, NULL}, &result, error);
        if (r < 0 || PQgetvalue(result, 0, 0)[0] == 't')
                return r;
        if (asprintf(&message, "The login %s may not delete from %s", PQgetvalue(result, 0, 1), t->name) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        if (asprintf(&remedy, "Let the DBA run: grant delete on %s to %s; or let deletes: ignore or mark",
                     t->name, PQgetvalue(result, 0, 1)) < 0) {
                remedy = NULL;
                return -ENOMEM;
        }
        return report_add(report, t->table->name, false, message, remedy);
}

/* A password in the file is read by everyone who may read the file, and by every backup. */
static int check_password(PgConnection *c, json_t *report) {
        PQconninfoOption *options = PQconninfoParse(c->system->connection, NULL);
        bool found = false;

        for (const PQconninfoOption *o = options; o && o->keyword; o++)
                found = found || (text_equal(o->keyword, "password") && o->val && *o->val);
        PQconninfoFree(options);
        return found ? report_add(report, "connection", true, "Works, but the password stands in the file",
                                  "Move it to a credential: a file in /etc/terrafusion/credentials, named by "
                                  "credential:")
                     : 0;
}

/* A login that is meant to read only should not be able to do more. */
static int check_modesty(PgConnection *c, const PgTable *t, json_t *report, Error *error) {
        static const char sql[] =
                "select quote_ident(current_user::text) where has_table_privilege($1::oid, 'insert') or "
                "has_table_privilege($1::oid, 'update') or has_table_privilege($1::oid, 'delete')";
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *message = NULL;
        char oid[16];
        int r;

        if (c->system->may_write)
                return 0;
        (void) snprintf(oid, sizeof(oid), "%u", t->oid);
        r = pg_query(c->db, c->system, sql, (const char *const[]){oid, NULL}, &result, error);
        if (r < 0 || PQntuples(result) == 0)
                return r;
        if (asprintf(&message, "Can be read, but the login %s could write it too, though the system has access: read",
                     PQgetvalue(result, 0, 0)) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, t->table->name, true, message,
                          "Use a login that may only select, or let the DBA revoke the rest");
}

/* ---- source ---- */

static int columns_of(const Mapping *m, const char *join, char ***ret) {
        for (size_t i = 0; i < m->n_columns; i++)
                if (text_equal(m->columns[i].join, join) && strings_append(ret, m->columns[i].name) < 0)
                        return -ENOMEM;
        return 0;
}

static int check_reading(PgConnection *c, const Mapping *m, const PgSources *sources, json_t *report,
                         Error *error) {
        int r = 0;

        for (size_t i = 0; i <= m->n_joins && r >= 0; i++) {
                const PgTable *t = i == 0 ? sources->own : sources->joins[i - 1];
                _cleanup_strings_ char **columns = NULL;

                r = columns_of(m, i == 0 ? NULL : m->joins[i - 1].name, &columns);
                if (r >= 0)
                        r = check_privilege(c, t, "select", columns, report, error);
                if (r >= 0)
                        r = check_modesty(c, t, report, error);
                if (r >= 0 && t->hides_rows)
                        r = report_add(report, t->table->name, true,
                                       "Can be read, but row-level security hides some of its records from this login",
                                       "Where none may be missing, let the DBA run: alter role … bypassrls; what becomes "
                                       "hidden later counts as deleted");
        }
        return r;
}

static int check_watermark(PgConnection *c, const Mapping *m, const PgTable *own, json_t *report) {
        _cleanup_error_ Error error = {};
        Value high;
        int r;

        if (m->strategy != DETECT_WATERMARK)
                return 0;
        r = pg_horizon(&c->base, m, &high, &error);
        /* A transaction that holds it is gone in a moment. */
        if (r < 0 && error_class(error.id) != ERROR_CLASS_TRANSIENT)
                return r == -ENOMEM ? r : report_add_error(report, "watermark", &error);
        if (m->watermark && !table_has_index_on(own->table, m->watermark)) {
                _cleanup_free_ char *remedy = NULL;

                if (asprintf(&remedy, "Let the DBA run: create index concurrently on %s (\"%s\")", own->name, m->watermark) < 0) {
                        remedy = NULL;
                        return -ENOMEM;
                }
                return report_add(report, "watermark", true,
                                  "Works, but each run reads the whole table: no index begins with its column", remedy);
        }
        return report_add(report, "watermark", true, "Works", NULL);
}

static int check_log(PgConnection *c, const Pair *pair, const Mapping *m, const PgSources *sources, json_t *report, Error *error) {
        int r;

        if (m->strategy != DETECT_LOG)
                return 0;
        r = pg_log_check_server(c, NULL, report, error);
        return r < 0 ? r : pg_log_check_mapping(c, pair, m, sources, report, error);
}

static bool report_has_failure(const json_t *report, size_t from) {
        for (size_t i = from; i < json_array_size(report); i++)
                if (json_is_false(json_object_get(json_array_get(report, i), "ok")))
                        return true;
        return false;
}

static int check_source(PgConnection *c, const Pair *pair, const Mapping *m, json_t *report, Error *error) {
        const ReadPlan plan = {.pair = pair, .mapping = m};
        _cleanup_(pg_sources_done) PgSources sources = {};
        _cleanup_(pg_scan_done) PgScan scan = {};
        _cleanup_free_ char *what = NULL, *message = NULL;
        _cleanup_error_ Error failure = {};
        size_t n_before = json_array_size(report);
        int r;

        r = pg_sources_load(c->db, c->system, pair, m, report, &sources, error);
        if (r < 0 || json_array_size(report) > n_before)
                return r;
        r = pg_check_source_columns(&sources, m, report);
        if (r >= 0)
                r = check_reading(c, m, &sources, report, error);
        if (r < 0 || report_has_failure(report, n_before))
                return r;
        r = pg_scan_make(c->db, c->system, &plan, &sources, &(PgBounds){}, &scan, &failure);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, m->where ? "where" : "join", &failure);
        if (asprintf(&what, "table %s", m->from) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (asprintf(&message, "Can be read%s: %zu columns, %zu joins",
                     scan.n_identity > 0 ? "" : " (in no order: an interrupted scan begins anew)", m->n_columns,
                     m->n_joins) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = report_add(report, what, true, message, NULL);
        if (r >= 0)
                r = check_log(c, pair, m, &sources, report, error);
        return r < 0 ? r : check_watermark(c, m, sources.own, report);
}

/* ---- target ---- */

static int check_writing(PgConnection *c, const PgTable *t, const Mapping *m, json_t *report, Error *error) {
        _cleanup_strings_ char **all = NULL, **updated = NULL;
        int r = 0;

        for (size_t i = 0; i < m->n_fields && r >= 0; i++) {
                if (!table_column(t->table, m->fields[i].name))
                        return 0; /* reported already */
                r = strings_append(&all, m->fields[i].name);
                if (r >= 0 && i >= m->n_key)
                        r = strings_append(&updated, m->fields[i].name);
        }
        if (r >= 0)
                r = check_privilege(c, t, "select", all, report, error);
        if (r >= 0)
                r = check_privilege(c, t, "insert", all, report, error);
        if (r >= 0 && updated)
                r = check_privilege(c, t, "update", updated, report, error);
        if (r >= 0 && m->deletes == DELETES_MIRROR)
                r = check_delete(c, t, report, error);
        return r;
}

static int check_target(PgConnection *c, const Pair *pair, const Mapping *m, json_t *report, Error *error) {
        _cleanup_(pg_table_freep) PgTable *t = NULL;
        _cleanup_error_ Error failure = {};
        int r;

        r = pg_table_load(c->db, c->system, m->to, &t, &failure);
        if (r < 0 && failure.id == ERROR_TABLE_MISSING) {
                (void) error_at(&failure, pair ? pair->file : NULL, m->line, m->column);
                return report_add_error(report, m->to, &failure);
        }
        if (r < 0) {
                if (error)
                        error_move(error, &failure);
                return r;
        }
        r = pg_check_target_columns(t, m, report);
        if (r >= 0)
                r = pg_check_target_table(t, m, report);
        if (r >= 0)
                r = check_writing(c, t, m, report, error);
        return r < 0 ? r : table_check_target(t->table, m, report);
}

int pg_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report,
             Error *error) {
        PgConnection *c = (PgConnection *) connection;
        int r = 0;

        if (!c->checked)
                r = check_password(c, report);
        c->checked = true;
        if (r < 0)
                return r;
        return target ? check_target(c, pair, m, report, error) : check_source(c, pair, m, report, error);
}
