/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlite-reader.h"

#include "connect/position.h"
#include "connect/sql.h"
#include "connect/sqlite-geopackage.h"
#include "connect/sqlite-loose.h"


void sqlite_sources_done(SqliteSources *s) {
        table_free(s->own);
        for (size_t i = 0; i < s->n_joins; i++)
                table_free(s->joins[i]);
        free(s->joins);
}

static int source_load(sqlite3 *db, const System *system, const Pair *pair, const char *name, unsigned line,
                       unsigned column, json_t *report, Table **ret, Error *error) {
        _cleanup_error_ Error failure = {};
        int r;

        r = sqlite_table_load(db, system, name, ret, &failure);
        return r < 0 ? table_not_loaded(r, &failure, name, pair, line, column, report, error) : r;
}

int sqlite_sources_load(sqlite3 *db, const System *system, const Pair *pair, const Mapping *m,
                        json_t *report, SqliteSources *s, Error *error) {
        int r;

        s->joins = calloc(m->n_joins + 1, sizeof(Table *));
        if (!s->joins)
                return -ENOMEM;
        s->n_joins = m->n_joins;
        r = source_load(db, system, pair, m->from, m->line, m->column, report, &s->own, error);
        for (size_t i = 0; i < m->n_joins && r == 0; i++)
                r = source_load(db, system, pair, m->joins[i].from, m->joins[i].line, m->joins[i].column,
                                report, &s->joins[i], error);
        if (r == 0)
                r = table_check_source(s->own, s->joins, pair, m, report, error);
        return r < 0 ? r : geopackage_check(db, system, pair, m, false, error);
}

/* The mapping's `where` is all that can still be wrong when the tables and columns are known to be there. */
static int where_fail(sqlite3 *db, const Table *own, const Pair *pair, const Mapping *m, Error *error) {
        const char *message = sqlite3_errmsg(db),
                   *remedy = "Correct where: in the mapping; it is SQLite's own SQL";
        int r = 0;

        if (text_starts_with(message, "no such column: ")) {
                const char *dot = strrchr(message, '.'),
                           *name = dot ? dot + 1 : message + strlen("no such column: ");

                r = table_column_require(own, name, error);
                if (r == 0)
                        remedy = "Correct the name in where:; a text stands in 'single quotes'";
        } else if (text_starts_with(message, "ambiguous column name: "))
                remedy = "Write " SQL_SOURCE ".NAME or JOIN.NAME in where:";
        if (r == 0)
                r = error_set(error, ERROR_MAPPING, remedy, "Entity \"%s\": SQLite refuses where: %s",
                              m->entity, message);
        error_prefix(error, "%s", m->where ? m->where : m->from);
        return pair ? error_at(error, pair->file, m->line, m->column) : r;
}

int sqlite_scan_prepare(sqlite3 *db, const ReadPlan *plan, const SqliteSources *sources, bool after, bool until,
                        sqlite3_stmt **ret, Error *error) {
        _cleanup_free_ char *const **identities = calloc(sources->n_joins + 1, sizeof(char **));
        SqlSelect select = {
                .mapping = plan->mapping,
                .identity = sources->own->identity,
                .join_identity = identities,
                .by_watermark = plan->scope == READ_WATERMARK,
                .has_low = !value_is_null(&plan->low),
                .after = after,
                .until = until,
                .keys_only = plan->scope == READ_KEYS,
        };
        _cleanup_free_ char *sql = NULL;
        const char *rest = NULL;
        int rc, r;

        if (!identities)
                return -ENOMEM;
        for (size_t i = 0; i < sources->n_joins; i++)
                identities[i] = sources->joins[i]->identity;
        r = sql_select(&select, &sql, error);
        if (r < 0)
                return r;
        rc = sqlite3_prepare_v2(db, sql, -1, ret, &rest);
        if (rc == SQLITE_OK && rest[strspn(rest, " \n\t;")] == '\0')
                return 0;
        if (rc != SQLITE_OK)
                return where_fail(db, sources->own, plan->pair, plan->mapping, error);
        return error_set(error, ERROR_MAPPING, "Remove the semicolon",
                         "Entity \"%s\": where: is more than one statement", plan->mapping->entity);
}

/* A number that is compared at the source, where SQLite itself would read the literal as a float; never
 * one that is stored. */
static int bind_plain(sqlite3_stmt *statement, int index, const Value *v) {
        char text[DECIMAL_TEXT_MAX];
        int64_t integer;

        if (v->type == VALUE_INTEGER || v->type == VALUE_BOOLEAN)
                return sqlite3_bind_int64(statement, index, v->integer);
        if (v->type == VALUE_TEXT)
                return sqlite3_bind_text64(statement, index, v->bytes, v->size, SQLITE_TRANSIENT,
                                           SQLITE_UTF8);
        if (v->type == VALUE_BYTES)
                return sqlite3_bind_blob64(statement, index, v->bytes, v->size, SQLITE_TRANSIENT);
        if (v->type != VALUE_DECIMAL)
                return sqlite3_bind_null(statement, index);
        if (decimal_to_integer(&v->decimal, &integer) == 0)
                return sqlite3_bind_int64(statement, index, integer);
        (void) decimal_format(&v->decimal, text);
        return sqlite3_bind_double(statement, index, strtod(text, NULL));
}

/* The value of one parameter of the scan: ours, or a variable of the pair; NULL: there is none. */
static const Value *parameter_value(const ReadPlan *plan, const Value *after, const Value *until, const char *name) {
        const Variable *variable;
        int64_t index;

        if (!name)
                return NULL;
        if (text_equal(name, SQL_PARAMETER_LOW))
                return &plan->low;
        if (text_equal(name, SQL_PARAMETER_HIGH))
                return &plan->high;
        if (after && text_starts_with(name, SQL_PARAMETER_AFTER) &&
            text_to_int64(name + strlen(SQL_PARAMETER_AFTER), 0, POSITION_KEY_MAX - 1, &index) == 0)
                return &after[index];
        if (until && text_starts_with(name, SQL_PARAMETER_UNTIL) &&
            text_to_int64(name + strlen(SQL_PARAMETER_UNTIL), 0, POSITION_KEY_MAX - 1, &index) == 0)
                return &until[index];
        variable = name[0] == ':' && plan->pair ? pair_variable(plan->pair, name + 1, strlen(name + 1))
                                                : NULL;
        return variable ? &variable->value : NULL;
}

int sqlite_scan_bind(sqlite3 *db, const System *system, const ReadPlan *plan, const Value *after,
                     const Value *until, sqlite3_stmt *statement, Error *error) {
        int n = sqlite3_bind_parameter_count(statement), rc;

        for (int i = 1; i <= n; i++) {
                const char *name = sqlite3_bind_parameter_name(statement, i);
                const Value *value = parameter_value(plan, after, until, name);

                if (!value) {
                        int r;

                        r = error_set(error, ERROR_MAPPING, "Write :NAME and declare NAME under variables:",
                                      "Entity \"%s\": where names \"%s\", which is no variable",
                                      plan->mapping->entity, name ? name : "?");
                        return plan->pair ? error_at(error, plan->pair->file, plan->mapping->line,
                                                     plan->mapping->column)
                                          : r;
                }
                rc = bind_plain(statement, i, value);
                if (rc != SQLITE_OK)
                        return sqlite_fail(db, rc, system, "cannot bind a parameter", error);
        }
        return 0;
}

void sqlite_reader_close(Reader *reader) {
        SqliteReader *r = (SqliteReader *) reader;

        (void) sqlite3_finalize(r->statement);
        (void) sqlite3_close_v2(r->db);
        sqlite_sources_done(&r->sources);
        free(r->places);
        free(r->last);
        free(r->position);
        free(r->real_texts);
        sqlite_loose_done(&r->loose);
        free(r);
}

static void readerp(SqliteReader **r) {
        if (*r)
                sqlite_reader_close(&(*r)->base);
}

/* Begins the snapshot. The schema's version moves with every vacuum too, which may renumber rows. */
static int snapshot_begin(SqliteReader *r, Error *error) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        int rc, q;

        q = sqlite_execute(r->db, r->system, "begin", error);
        if (q == 0)
                q = sqlite_prepare(r->db, r->system, "pragma schema_version", &statement, error);
        if (q < 0)
                return q;
        rc = sqlite3_step(statement);
        if (rc != SQLITE_ROW)
                return sqlite_fail(r->db, rc, r->system, "cannot begin to read", error);
        r->schema_version = sqlite3_column_int64(statement, 0);
        return 0;
}

/* Where the plan's position fits this database, its values are put into after and kept as the last row's. */
static int position_take(SqliteReader *r, const char *position, Value *after) {
        int64_t version;
        int q;

        if (!position || r->n_identity == 0)
                return 0;
        q = position_parse(position, &version, &r->last, &r->last_size);
        if (q < 0)
                return q == -EBADMSG ? 0 : q;
        r->last_capacity = r->last_size;
        r->resumed = version == r->schema_version &&
                     position_values(r->last, r->last_size, after, (size_t) r->n_identity) == 0;
        if (!r->resumed)
                r->last_size = 0;
        return 0;
}

static int ranges_check(SqliteReader *r, Error *error) {
        r->at_end = true;
        if (r->n_identity > 0)
                return 0;
        return error_set(error, ERROR_NOT_YET, "Read the view's table instead, or use strategy: full",
                         "\"%s\" has no rows with numbers or a primary key that ranges could be cut by",
                         r->plan.mapping->from);
}

/* Only the key's columns come, one behind the other, and no identity. */
static int scan_narrow(SqliteReader *r) {
        const Mapping *m = r->plan.mapping;

        r->places = calloc(m->n_columns + 1, sizeof(int));
        if (!r->places)
                return -ENOMEM;
        r->n_columns = r->n_identity = 0;
        r->numbered = false;
        for (size_t i = 0; i < m->n_columns; i++)
                if (mapping_column_is_of_key(m, i))
                        r->places[r->n_columns++] = (int) i;
        return 0;
}

static int scan_begin(SqliteReader *r, Value *after, Error *error) {
        int q;

        q = position_take(r, r->plan.position, after);
        if (q == 0)
                q = sqlite_scan_prepare(r->db, &r->plan, &r->sources, r->resumed, false, &r->statement, error);
        if (q == 0)
                q = sqlite_scan_bind(r->db, r->system, &r->plan, after, NULL, r->statement, error);
        return q == 0 && r->plan.scope == READ_KEYS ? scan_narrow(r) : q;
}

int sqlite_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;
        _cleanup_(readerp) SqliteReader *r = calloc(1, sizeof(*r));
        Value after[POSITION_KEY_MAX] = {};
        int q;

        if (!r)
                return -ENOMEM;
        r->base.connector = &sqlite_connector;
        r->system = c->system;
        r->n_columns = (int) plan->mapping->n_columns;
        r->real_texts = calloc(plan->mapping->n_columns + POSITION_KEY_MAX, REAL_TEXT_MAX);
        if (!r->real_texts)
                return -ENOMEM;
        q = sqlite_db_open(c->system, false, &r->db, error);
        if (q == 0)
                q = snapshot_begin(r, error);
        if (q == 0)
                q = sqlite_sources_load(r->db, c->system, plan->pair, plan->mapping, NULL, &r->sources, error);
        if (q < 0)
                return q;
        r->plan = *plan;
        q = sqlite_loose_init(plan->mapping, &r->sources, &r->loose);
        if (q < 0)
                return q;
        r->n_identity = (int) strings_count(r->sources.own->identity);
        if (r->n_identity > (int) POSITION_KEY_MAX)
                return error_set(error, ERROR_NOT_YET, "Use a table with fewer",
                                 "\"%s\" has more than %u columns in its primary key", plan->mapping->from,
                                 POSITION_KEY_MAX);
        r->numbered = r->sources.own->numbered;
        q = plan->scope == READ_RANGES ? ranges_check(r, error) : scan_begin(r, after, error);
        if (q < 0)
                return q;
        *ret = &TAKE_PTR(r)->base;
        return 0;
}

/* Notes a row's primary key; a number is noted without any text. */
static int identity_note(SqliteReader *r) {
        r->last_size = 0;
        for (int i = 0; i < r->n_identity; i++) {
                Value value;
                int q;

                q = sqlite_value_read(r->statement, r->n_columns + i, r->real_texts[r->n_columns + i],
                                      &value);
                if (q == 0)
                        q = value_encode(&value, &r->last, &r->last_size, &r->last_capacity);
                if (q < 0)
                        return q;
        }
        return 0;
}

int sqlite_reader_next(Reader *reader, Value *values, Error *error) {
        SqliteReader *r = (SqliteReader *) reader;
        int rc;

        if (r->at_end)
                return 0;
        rc = sqlite3_step(r->statement);
        if (rc == SQLITE_DONE) {
                r->at_end = true;
                return 0;
        }
        if (rc != SQLITE_ROW)
                return sqlite_fail(r->db, rc, r->system, "cannot read on", error);
        for (size_t i = 0; r->places && i < r->plan.mapping->n_columns; i++)
                values[i] = VALUE_NONE;
        for (int i = 0; i < r->n_columns; i++)
                if (sqlite_value_read(r->statement, i, r->real_texts[i], &values[r->places ? r->places[i] : i]) < 0)
                        return -ENOMEM;
        if (r->numbered)
                r->row = value_integer(sqlite3_column_int64(r->statement, r->n_columns));
        else if (identity_note(r) < 0)
                return -ENOMEM;
        return 1;
}

const char *sqlite_reader_position(Reader *reader) {
        SqliteReader *r = (SqliteReader *) reader;

        if (r->numbered && r->row.type == VALUE_INTEGER) {
                r->last_size = 0;
                if (value_encode(&r->row, &r->last, &r->last_size, &r->last_capacity) < 0)
                        return NULL;
        }
        if (r->last_size == 0)
                return NULL;
        free(r->position);
        r->position = position_format(r->schema_version, r->last, r->last_size);
        return r->position;
}

bool sqlite_reader_resumed(const Reader *reader) { return ((const SqliteReader *) reader)->resumed; }

/* The row as its owner finds it: "rowid 17", or the primary key's values. */
static const char *row_text(const SqliteReader *r, Arena *arena) {
        const char *text = "key ";
        size_t used, at = 0;

        if (r->numbered)
                return arena_printf(arena, "rowid %lld", (long long) r->row.integer);
        while (text && at < r->last_size) {
                Value value;

                if (value_decode(r->last + at, r->last_size - at, &value, &used) < 0)
                        break;
                text = arena_printf(arena, "%s%s%s", text, at > 0 ? "|" : "", value_to_text(&value, arena, 100));
                at += used;
        }
        return at > 0 ? text : "a row";
}

int sqlite_reader_findings(Reader *reader, const Value *values, Arena *arena, Finding **findings) {
        const SqliteReader *r = (const SqliteReader *) reader;
        const char *row;

        if (!sqlite_loose_any(&r->loose, values))
                return 0;
        row = row_text(r, arena);
        return row ? sqlite_loose_findings(&r->loose, values, row, arena, findings) : -ENOMEM;
}
