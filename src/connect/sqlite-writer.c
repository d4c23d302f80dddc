/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlite-database.h"

#include "connect/sql.h"
#include "connect/sqlite-geopackage.h"

#define STATEMENTS_CACHED_MAX \
        32U /* inserts and updates by which fields they carry: few patterns make up nearly every batch */

typedef struct CachedStatement {
        bool update;
        bool *mask; /* n_fields flags */
        sqlite3_stmt *statement;
        uint64_t used; /* when last, counted in writes */
} CachedStatement;

typedef struct SqliteWriter {
        Writer base;
        SqliteConnection *connection;
        const Mapping *mapping;
        Table *table;
        const TableColumn **columns; /* of each field */
        CachedStatement cache[STATEMENTS_CACHED_MAX];
        size_t n_cached;
        uint64_t n_writes;
        bool *mask;
        sqlite3_stmt *delete_statement, *fetch_statement, *count_statement;
        Arena *arena; /* of decoded keys */
        Value *key;
} SqliteWriter;

void sqlite_writer_close(Writer *writer) {
        SqliteWriter *w = (SqliteWriter *) writer;

        for (size_t i = 0; i < w->n_cached; i++) {
                (void) sqlite3_finalize(w->cache[i].statement);
                free(w->cache[i].mask);
        }
        (void) sqlite3_finalize(w->delete_statement);
        (void) sqlite3_finalize(w->fetch_statement);
        (void) sqlite3_finalize(w->count_statement);
        table_free(w->table);
        arena_free(w->arena);
        free(w->columns);
        free(w->mask);
        free(w->key);
        free(w);
}

static void writerp(SqliteWriter **w) {
        if (*w)
                sqlite_writer_close(&(*w)->base);
}

/* Without a unique key one update would write many records. */
static int key_require(const SqliteWriter *w, Error *error) {
        _cleanup_free_ const char **key = calloc(w->mapping->n_key + 1, sizeof(char *));

        if (!key)
                return -ENOMEM;
        for (size_t i = 0; i < w->mapping->n_key; i++)
                key[i] = w->mapping->fields[i].name;
        if (table_is_unique(w->table, key, w->mapping->n_key))
                return 0;
        return error_set(error, ERROR_MAPPING, "Create a unique index on the key's columns",
                         "Nothing keeps the key of entity \"%s\" unique in \"%s\"", w->mapping->entity,
                         w->mapping->to);
}

static int columns_find(SqliteWriter *w, Error *error) {
        const Mapping *m = w->mapping;
        int r;

        for (size_t i = 0; i < m->n_fields; i++) {
                r = table_column_require(w->table, m->fields[i].name, error);
                if (r < 0)
                        return r;
                w->columns[i] = table_column(w->table, m->fields[i].name);
        }
        return key_require(w, error);
}

static int statement_make(SqliteWriter *w, int (*make)(const Mapping *, char **), sqlite3_stmt **ret,
                          Error *error) {
        _cleanup_free_ char *sql = NULL;
        int r;

        r = make(w->mapping, &sql);
        return r < 0 ? r : sqlite_prepare(w->connection->db, w->connection->system, sql, ret, error);
}

static int count_sql(const Mapping *m, char **ret) { return sql_count(m->to, ret); }

int sqlite_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;
        _cleanup_(writerp) SqliteWriter *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->base.connector = &sqlite_connector;
        w->connection = c;
        w->mapping = mapping;
        w->columns = calloc(mapping->n_fields + 1, sizeof(TableColumn *));
        w->mask = calloc(mapping->n_fields + 1, sizeof(bool));
        w->key = calloc(mapping->n_key + 1, sizeof(Value));
        if (!w->columns || !w->mask || !w->key)
                return -ENOMEM;
        r = arena_new(&w->arena);
        if (r == 0)
                r = sqlite_table_load(c->db, c->system, mapping->to, &w->table, error);
        if (r == 0)
                r = geopackage_check(c->db, c->system, NULL, mapping, true, error);
        if (r == 0)
                r = columns_find(w, error);
        if (r == 0)
                r = statement_make(w, sql_delete, &w->delete_statement, error);
        if (r == 0)
                r = statement_make(w, sql_fetch, &w->fetch_statement, error);
        if (r == 0)
                r = statement_make(w, count_sql, &w->count_statement, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(w)->base;
        return 0;
}

/* Gives the statement for w->mask, prepared when it is not among the last ones used. */
static int statement_find(SqliteWriter *w, bool update, sqlite3_stmt **ret, Error *error) {
        size_t n_bytes = w->mapping->n_fields * sizeof(bool);
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_free_ char *sql = NULL;
        _cleanup_free_ bool *mask = NULL;
        CachedStatement *place = &w->cache[0];
        int r;

        w->n_writes++;
        for (size_t i = 0; i < w->n_cached; i++) {
                CachedStatement *cached = &w->cache[i];

                if (cached->update == update && memcmp(cached->mask, w->mask, n_bytes) == 0) {
                        cached->used = w->n_writes;
                        *ret = cached->statement;
                        return 0;
                }
                if (cached->used < place->used)
                        place = cached;
        }
        r = (update ? sql_update : sql_insert)(w->mapping, w->mask, &sql);
        if (r == 0)
                r = sqlite_prepare(w->connection->db, w->connection->system, sql, &statement, error);
        if (r < 0)
                return r;
        mask = malloc(n_bytes + 1);
        if (!mask)
                return -ENOMEM;
        memcpy(mask, w->mask, n_bytes);
        if (w->n_cached < STATEMENTS_CACHED_MAX)
                place = &w->cache[w->n_cached++];
        (void) sqlite3_finalize(place->statement);
        free(place->mask);
        *place = (CachedStatement){
                .update = update,
                .mask = TAKE_PTR(mask),
                .statement = statement,
                .used = w->n_writes,
        };
        *ret = TAKE_PTR(statement);
        return 0;
}

static int bind(SqliteWriter *w, sqlite3_stmt *statement, int index, size_t field, const Value *value,
                Error *error) {
        StoredValue stored;
        int rc, r;

        r = value_store(value, w->columns[field], &stored, error);
        if (r < 0)
                return r;
        rc = sqlite_bind_stored(statement, index, &stored);
        if (rc == SQLITE_TOOBIG) {
                r = error_set(error, ERROR_RECORD_REFUSED, "Shorten the value",
                              "Column \"%s\": the value is too long for SQLite", w->columns[field]->name);
                (void) error_field(error, w->columns[field]->name);
                return r;
        }
        return rc == SQLITE_OK ? 0
                               : sqlite_fail(w->connection->db, rc, w->connection->system,
                                             "cannot bind a value", error);
}

static int bind_key(SqliteWriter *w, sqlite3_stmt *statement, int index, const Value *key, Error *error) {
        int r = 0;

        for (size_t i = 0; i < w->mapping->n_key && r == 0; i++)
                r = bind(w, statement, index++, i, &key[i], error);
        return r;
}

static int bind_masked(SqliteWriter *w, sqlite3_stmt *statement, const Value *values, int *ret_next,
                       Error *error) {
        int index = 1, r;

        for (size_t i = 0; i < w->mapping->n_fields; i++) {
                if (!w->mask[i])
                        continue;
                r = bind(w, statement, index++, i, &values[i], error);
                if (r < 0)
                        return r;
        }
        *ret_next = index;
        return 0;
}

/* Runs a bound statement. What SQLite refuses of this record leaves the transaction as it was before. */
static int run(SqliteWriter *w, sqlite3_stmt *statement, Error *error) {
        const System *system = w->connection->system;
        sqlite3 *db = w->connection->db;
        int rc = sqlite3_step(statement), r;

        switch (rc & 0xff) {
        case SQLITE_DONE:
        case SQLITE_ROW:
                r = 0;
                break;
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
        case SQLITE_TOOBIG:
                if (sqlite3_get_autocommit(db))
                        r = error_set(error, ERROR_SYSTEM_REFUSED, "Let the trigger use raise(abort, …)",
                                      "System \"%s\": a trigger rolled back the whole transaction: %s",
                                      system->name, sqlite3_errmsg(db));
                else
                        r = error_set(error, ERROR_RECORD_REFUSED,
                                      "Correct the record at the source, or the target's constraint",
                                      "\"%s\" refused the record: %s", w->mapping->to, sqlite3_errmsg(db));
                break;
        default:
                r = sqlite_fail(db, rc, system, "cannot write", error);
        }
        (void) sqlite3_reset(statement);
        return r;
}

/* The key of the record that is there: as it was read where that is known. */
static int change_key(SqliteWriter *w, const Change *change, const Value **ret) {
        int r;

        if (change->before)
                *ret = change->before;
        else if (change->target)
                *ret = change->target;
        else {
                arena_reset(w->arena);
                r = key_decode(change->key, w->arena, w->key, w->mapping->n_key);
                if (r < 0)
                        return r;
                *ret = w->key;
        }
        return 0;
}

static int met_one_row(const SqliteWriter *w, const char *what, Error *error) {
        if (sqlite3_changes(w->connection->db) > 0)
                return 0;
        return error_set(error, ERROR_RECORD_REFUSED, "Run the pair again: it compares anew",
                         "\"%s\" has no row for this key to %s; it is gone since it was read",
                         w->mapping->to, what);
}

static int insert(SqliteWriter *w, const Change *change, Error *error) {
        sqlite3_stmt *statement;
        int next, r;

        for (size_t i = 0; i < w->mapping->n_fields; i++)
                w->mask[i] = change->target[i].type != VALUE_ABSENT;
        r = statement_find(w, false, &statement, error);
        if (r == 0)
                r = bind_masked(w, statement, change->target, &next, error);
        if (r == 0)
                r = run(w, statement, error);
        if (r < 0 || sqlite3_changes(w->connection->db) > 0)
                return r;
        return error_set(error, ERROR_RECORD_REFUSED,
                         "Let the trigger (or the on conflict clause) take the record, or say why not: raise(abort, …)",
                         "\"%s\" did not take the record: a trigger or a constraint left it out", w->mapping->to);
}

static int update(SqliteWriter *w, const Change *change, Error *error) {
        sqlite3_stmt *statement;
        const Value *key;
        bool any = false;
        int next, r;

        for (size_t i = 0; i < w->mapping->n_fields; i++) {
                w->mask[i] = i >= w->mapping->n_key && change->target[i].type != VALUE_ABSENT &&
                             (!change->changed || change->changed[i]);
                any = any || w->mask[i];
        }
        if (!any)
                return 0;
        r = change_key(w, change, &key);
        if (r == 0)
                r = statement_find(w, true, &statement, error);
        if (r == 0)
                r = bind_masked(w, statement, change->target, &next, error);
        if (r == 0)
                r = bind_key(w, statement, next, key, error);
        if (r == 0)
                r = run(w, statement, error);
        return r < 0 ? r : met_one_row(w, "update", error);
}

static int delete (SqliteWriter *w, const Change *change, Error *error) {
        const Value *key;
        int r;

        r = change_key(w, change, &key);
        if (r == 0)
                r = bind_key(w, w->delete_statement, 1, key, error);
        if (r == 0)
                r = run(w, w->delete_statement, error);
        return r < 0 ? r : met_one_row(w, "delete", error);
}

static int write_one(SqliteWriter *w, const Change *change, Error *error) {
        switch (change->kind) {
        case CHANGE_INSERT:
                return insert(w, change, error);
        case CHANGE_UPDATE:
                return update(w, change, error);
        case CHANGE_DELETE:
                return delete (w, change, error);
        default:
                return 0;
        }
}

int sqlite_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error) {
        SqliteWriter *w = (SqliteWriter *) writer;
        int n_refused = 0, r;

        /* Outside a transaction each write would commit by itself, before the journal has it. */
        if (sqlite3_get_autocommit(w->connection->db))
                return error_set(error, ERROR_SYSTEM_REFUSED, NULL,
                                 "System \"%s\": no transaction is open any more",
                                 w->connection->system->name);
        for (size_t i = 0; i < n_writes; i++) {
                Error *refusal = &writes[i].refusal;

                r = write_one(w, writes[i].change, refusal);
                if (r < 0 && error_class(refusal->id) != ERROR_CLASS_RECORD) {
                        if (error)
                                error_move(error, refusal);
                        return r;
                }
                n_refused += r < 0;
        }
        return n_refused;
}

int sqlite_count(Writer *writer, uint64_t *ret, Error *error) {
        SqliteWriter *w = (SqliteWriter *) writer;
        int rc = sqlite3_step(w->count_statement), r = 0;

        if (rc == SQLITE_ROW)
                *ret = (uint64_t) sqlite3_column_int64(w->count_statement, 0);
        else
                r = sqlite_fail(w->connection->db, rc, w->connection->system, "cannot count", error);
        (void) sqlite3_reset(w->count_statement);
        return r;
}

static int fetch_values(SqliteWriter *w, Arena *arena, Value **ret) {
        Value *values = arena_alloc(arena, w->mapping->n_fields * sizeof(Value));

        if (!values)
                return -ENOMEM;
        for (size_t i = 0; i < w->mapping->n_fields; i++) {
                char real_text[REAL_TEXT_MAX];
                Value value;
                int r;

                r = sqlite_value_read(w->fetch_statement, (int) i, real_text, &value);
                if (r == 0)
                        r = value_copy(&value, arena, &values[i]);
                if (r < 0)
                        return r;
        }
        *ret = values;
        return 0;
}

static int fetch_one(SqliteWriter *w, Arena *arena, RecordFetch *fetch, Error *error) {
        int rc, r;

        fetch->values = NULL;
        r = bind_key(w, w->fetch_statement, 1, fetch->key, error);
        if (r < 0)
                return r;
        rc = sqlite3_step(w->fetch_statement);
        if (rc == SQLITE_ROW)
                r = fetch_values(w, arena, &fetch->values);
        else if (rc != SQLITE_DONE)
                r = sqlite_fail(w->connection->db, rc, w->connection->system, "cannot fetch", error);
        (void) sqlite3_reset(w->fetch_statement);
        return r;
}

int sqlite_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        SqliteWriter *w = (SqliteWriter *) writer;
        int r;

        for (size_t i = 0; i < n_fetches; i++) {
                Error *refusal = &fetches[i].refusal;

                r = fetch_one(w, arena, &fetches[i], refusal);
                if (r >= 0 || error_class(refusal->id) == ERROR_CLASS_RECORD)
                        continue;
                if (error)
                        error_move(error, refusal);
                return r;
        }
        return 0;
}
