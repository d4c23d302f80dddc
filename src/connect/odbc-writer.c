/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-writer.h"

#include "basic/text.h"

#define FETCH_KEYS_MAX 100U /* of one statement: parsing it stays cheap, and no database refuses so many */

void odbc_writer_close(Writer *writer) {
        OdbcWriter *w = (OdbcWriter *) writer;

        odbc_result_done(&w->fetched);
        odbc_arrays_done(&w->arrays);
        odbc_arrays_done(&w->fetch_keys);
        odbc_table_free(w->table);
        arena_free(w->arena);
        free(w->types);
        free(w->fetch_types);
        free(w->fetch_values);
        free(w->key);
        free(w);
}

static void writerp(OdbcWriter **w) {
        if (*w)
                odbc_writer_close(&(*w)->base);
}

/* Without a unique key one update would write many records. */
static int key_require(const OdbcWriter *w, Error *error) {
        _cleanup_free_ const char **key = calloc(w->mapping->n_key + 1, sizeof(char *));

        if (!key)
                return -ENOMEM;
        for (size_t i = 0; i < w->mapping->n_key; i++)
                key[i] = w->mapping->fields[i].name;
        /* A view has no index; that its key is unique is its owner's word. */
        if (w->table->table->is_view || table_is_unique(w->table->table, key, w->mapping->n_key))
                return 0;
        return error_set(error, ERROR_MAPPING, "Create a unique index on the key's columns",
                         "Nothing keeps the key of entity \"%s\" unique in \"%s\"", w->mapping->entity,
                         w->mapping->to);
}

/* A batch is written whole or not at all; a storage engine without transactions cannot. */
static int engine_require(const OdbcWriter *w, Error *error) {
        if (!w->table->engine)
                return 0;
        return error_set(error, ERROR_SYSTEM_REFUSED, "Let the DBA run: alter table NAME engine = InnoDB",
                         "Table \"%s\" is of the storage engine %s, which has no transactions",
                         w->mapping->to, w->table->engine);
}

static int columns_find(OdbcWriter *w, Error *error) {
        static const OdbcType number = {
                .kind = ODBC_INTEGER, .minimum = 0, .maximum = INT32_MAX, .declared = "integer"};
        const Mapping *m = w->mapping;
        int r;

        w->fetch_types[0] = &number;
        for (size_t i = 0; i < m->n_fields; i++) {
                r = table_column_require(w->table->table, m->fields[i].name, error);
                if (r < 0)
                        return r;
                w->types[i] = odbc_table_type(w->table, m->fields[i].name);
                (void) odbc_column_form(w->connection->dialect->family, w->types[i], &w->fetch_types[i + 1]);
        }
        r = engine_require(w, error);
        return r < 0 ? r : key_require(w, error);
}

static int fetch_prepare(OdbcWriter *w, Error *error) {
        const OdbcStatement statement = {w->connection->dialect, w->mapping, w->types, NULL};
        _cleanup_free_ char *sql = NULL;
        int r;

        r = odbc_arrays_init(&w->fetch_keys, w->connection, w->mapping->n_key, FETCH_KEYS_MAX);
        if (r >= 0)
                r = odbc_sql_fetch(&statement, FETCH_KEYS_MAX, &sql);
        if (r >= 0)
                r = odbc_result_init(&w->fetched, w->connection, w->fetch_types, w->mapping->n_fields + 1,
                                     error);
        if (r < 0)
                return r;
        return SQL_SUCCEEDED(SQLPrepare(w->fetched.statement, (SQLCHAR *) sql, SQL_NTS))
                       ? 0
                       : odbc_fail(w->connection, SQL_HANDLE_STMT, w->fetched.statement, "cannot fetch",
                                   false, error);
}

int odbc_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error) {
        OdbcConnection *c = (OdbcConnection *) connection;
        _cleanup_(writerp) OdbcWriter *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->base.connector = &odbc_connector;
        w->connection = c;
        w->mapping = mapping;
        w->fetched.statement = SQL_NULL_HSTMT;
        w->types = calloc(mapping->n_fields + 1, sizeof(OdbcType *));
        w->fetch_types = calloc(mapping->n_fields + 2, sizeof(OdbcType *));
        w->fetch_values = calloc(mapping->n_fields + 2, sizeof(Value));
        w->key = calloc(mapping->n_key + 1, sizeof(Value));
        if (!w->types || !w->fetch_types || !w->fetch_values || !w->key)
                return -ENOMEM;
        r = arena_new(&w->arena);
        if (r >= 0)
                r = odbc_table_load(c, mapping->to, &w->table, error);
        if (r >= 0)
                r = columns_find(w, error);
        if (r >= 0)
                r = odbc_arrays_init(&w->arrays, c, 2 * mapping->n_fields, ODBC_RECORDS_MAX);
        if (r >= 0)
                r = fetch_prepare(w, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(w)->base;
        return 0;
}

int odbc_count(Writer *writer, uint64_t *ret, Error *error) {
        OdbcWriter *w = (OdbcWriter *) writer;
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        _cleanup_free_ char *sql = NULL;
        int r;

        r = sql_count(w->mapping->to, &sql);
        if (r >= 0)
                r = odbc_query(w->connection, sql, &rows, error);
        if (r < 0)
                return r;
        *ret = rows.n_rows > 0 && odbc_cell(&rows, 0, 0) ? strtoul(odbc_cell(&rows, 0, 0), NULL, 10)
                                                         : 0; /* count(*) */
        return 0;
}

int odbc_change_key(OdbcWriter *w, const Change *change, const Value **ret) {
        int r;

        if (change->before)
                *ret = change->before;
        else if (change->target)
                *ret = change->target;
        else {
                r = key_decode(change->key, w->arena, w->key, w->mapping->n_key);
                if (r < 0)
                        return r;
                *ret = w->key;
        }
        return 0;
}

/* ---- fetching ---- */

static int keys_put(OdbcWriter *w, RecordFetch *fetches, size_t n, size_t *places, Error *error) {
        OdbcArrays *a = &w->fetch_keys;
        const Mapping *m = w->mapping;

        odbc_arrays_reset(a);
        for (size_t i = 0; i < m->n_key; i++)
                odbc_arrays_column(a, w->types[i], m->fields[i].name);
        for (size_t i = 0; i < n; i++) {
                Error *refusal = &fetches[i].refusal;
                int r = 0;

                for (size_t j = 0; j < m->n_key && r >= 0; j++)
                        r = odbc_arrays_put(a, j, &fetches[i].key[j], refusal);
                if (r >= 0)
                        places[a->n_records++] = i;
                else if (error_class(refusal->id) != ERROR_CLASS_RECORD) {
                        if (error)
                                error_move(error, refusal);
                        return r;
                }
        }
        return 0;
}

/* The statement always has the same number of keys: the last one is asked for again. */
static int keys_fill_up(OdbcArrays *a) {
        for (size_t last = a->n_records - 1; a->n_records < FETCH_KEYS_MAX; a->n_records++)
                for (size_t i = 0; i < a->n_arrays; i++) {
                        a->arrays[i].texts[a->n_records] = a->arrays[i].texts[last];
                        a->arrays[i].sizes[a->n_records] = a->arrays[i].sizes[last];
                }
        return 0;
}

static int rows_take(OdbcWriter *w, Arena *arena, RecordFetch *fetches, const size_t *places,
                     size_t n_places, Error *error) {
        int r;

        while ((r = odbc_result_next(&w->fetched, arena, w->fetch_values, error)) > 0) {
                Value *values = arena_alloc(arena, w->mapping->n_fields * sizeof(Value));
                int64_t place = -1;

                if (!values)
                        return -ENOMEM;
                if (w->fetch_values[0].type == VALUE_INTEGER)
                        place = w->fetch_values[0].integer;
                if (place < 0 || place >= FETCH_KEYS_MAX)
                        return error_set(error, ERROR_INTERNAL,
                                         "Report it, with the name and version of the driver",
                                         "System \"%s\": a record of \"%s\" cannot be understood",
                                         w->connection->system->name, w->mapping->to);
                memcpy(values, w->fetch_values + 1, w->mapping->n_fields * sizeof(Value));
                if ((size_t) place < n_places)
                        fetches[places[place]].values = values;
        }
        return r;
}

static int fetch_some(OdbcWriter *w, Arena *arena, RecordFetch *fetches, size_t n, Error *error) {
        size_t places[FETCH_KEYS_MAX], n_places;
        int r;

        for (size_t i = 0; i < n; i++)
                fetches[i].values = NULL;
        r = keys_put(w, fetches, n, places, error);
        n_places = w->fetch_keys.n_records;
        if (r < 0 || n_places == 0)
                return r;
        r = keys_fill_up(&w->fetch_keys);
        if (r >= 0)
                r = odbc_arrays_bind_flat(&w->fetch_keys, w->fetched.statement, error);
        if (r >= 0)
                r = odbc_result_execute(&w->fetched, error);
        if (r >= 0)
                r = rows_take(w, arena, fetches, places, n_places, error);
        odbc_result_close(&w->fetched);
        return r;
}

int odbc_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        OdbcWriter *w = (OdbcWriter *) writer;
        int r = 0;

        for (size_t i = 0; i < n_fetches && r >= 0; i += FETCH_KEYS_MAX)
                r = fetch_some(w, arena, fetches + i,
                               n_fetches - i < FETCH_KEYS_MAX ? n_fetches - i : FETCH_KEYS_MAX, error);
        if (r == -ENOMEM && error && error->id == ERROR_NONE)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to fetch records");
        return r;
}
