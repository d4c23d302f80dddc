/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-writer.h"

#include "connect/sql.h"

void pg_writer_close(Writer *writer) {
        PgWriter *w = (PgWriter *) writer;

        copy_buffer_done(&w->out);
        pg_table_free(w->table);
        arena_free(w->arena);
        free(w->types);
        free(w->key);
        free(w->fetch_sql);
        free(w);
}

static void writerp(PgWriter **w) {
        if (*w)
                pg_writer_close(&(*w)->base);
}

/* Without a unique key one update would write many records. */
static int key_require(const PgWriter *w, Error *error) {
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

static int columns_find(PgWriter *w, Error *error) {
        const Mapping *m = w->mapping;
        int r;

        for (size_t i = 0; i < m->n_fields; i++) {
                r = table_column_require(w->table->table, m->fields[i].name, error);
                if (r < 0)
                        return r;
                w->types[i] = pg_table_type(w->table, m->fields[i].name);
        }
        return key_require(w, error);
}

int pg_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error) {
        PgConnection *c = (PgConnection *) connection;
        _cleanup_(writerp) PgWriter *w = calloc(1, sizeof(*w));
        PgStatement statement;
        int r;

        if (!w)
                return -ENOMEM;
        w->base.connector = &postgresql_connector;
        w->connection = c;
        w->mapping = mapping;
        w->types = calloc(mapping->n_fields + 1, sizeof(PgType *));
        w->key = calloc(mapping->n_key + 1, sizeof(Value));
        if (!w->types || !w->key)
                return -ENOMEM;
        r = arena_new(&w->arena);
        if (r >= 0)
                r = pg_table_load(c->db, c->system, mapping->to, &w->table, error);
        if (r >= 0)
                r = columns_find(w, error);
        if (r < 0)
                return r;
        statement = (PgStatement){.mapping = mapping, .table = w->table->name, .types = w->types};
        r = pg_sql_fetch(&statement, &w->fetch_sql);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(w)->base;
        return 0;
}

int pg_count(Writer *writer, uint64_t *ret, Error *error) {
        PgWriter *w = (PgWriter *) writer;
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *sql = NULL;
        int r;

        r = sql_count(w->mapping->to, &sql);
        if (r >= 0)
                r = pg_query(w->connection->db, w->connection->system, sql, NULL, &result, error);
        if (r < 0)
                return r;
        *ret = strtoul(PQgetvalue(result, 0, 0), NULL, 10); /* count(*) */
        return 0;
}

int pg_change_key(PgWriter *w, const Change *change, const Value **ret) {
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
