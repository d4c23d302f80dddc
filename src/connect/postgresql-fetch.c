/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-writer.h"

#define FETCH_RECORDS_MAX 2000U /* in one query: the index stays cheaper than the whole table, and the answer small */

static int keys_put(PgArrays *a, RecordFetch *fetches, size_t n, size_t *places, size_t *marks, Error *error) {
        const Mapping *m = a->writer->mapping;
        int r;

        for (size_t i = 0; i < m->n_key; i++) {
                r = pg_arrays_column(a, a->writer->types[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++) {
                Error *refusal = &fetches[i].refusal;

                pg_arrays_mark(a, marks);
                r = 0;
                for (size_t j = 0; j < m->n_key && r >= 0; j++)
                        r = pg_arrays_add(a, j, m->fields[j].name, &fetches[i].key[j], refusal);
                if (r >= 0) {
                        places[a->n_records++] = i;
                        continue;
                }
                if (error_class(refusal->id) != ERROR_CLASS_RECORD) {
                        if (error)
                                error_move(error, refusal);
                        return r;
                }
                pg_arrays_rewind(a, marks);
        }
        return 0;
}

static int row_decode(PgWriter *w, const PGresult *result, int row, Arena *arena, Value *values) {
        for (size_t i = 0; i < w->mapping->n_fields; i++) {
                int column = (int) i + 1, r;
                Value value;

                if (PQgetisnull(result, row, column)) {
                        values[i] = value_null();
                        continue;
                }
                r = pg_decode(w->types[i], PQgetvalue(result, row, column),
                              (size_t) PQgetlength(result, row, column), w->connection->check_utf8, arena,
                              &value);
                if (r == 0)
                        r = value_copy(&value, arena, &values[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int rows_take(PgWriter *w, const PGresult *result, Arena *arena, RecordFetch *fetches,
                     const size_t *places, size_t n_places, Error *error) {
        for (int row = 0; row < PQntuples(result); row++) {
                uint64_t place = copy_get64(PQgetvalue(result, row, 0));
                Value *values = arena_alloc(arena, w->mapping->n_fields * sizeof(Value));
                int r;

                if (!values)
                        return -ENOMEM;
                assert(place >= 1 && place <= n_places);
                r = row_decode(w, result, row, arena, values);
                if (r == -EBADMSG)
                        return error_set(error, ERROR_INTERNAL, "Report it, with the version of the server",
                                         "System \"%s\": a record of %s cannot be understood",
                                         w->connection->system->name, w->table->name);
                if (r < 0)
                        return r;
                fetches[places[place - 1]].values = values;
        }
        return 0;
}

static int fetch_some(PgWriter *w, PgArrays *a, Arena *arena, RecordFetch *fetches, size_t n, Error *error) {
        _cleanup_free_ size_t *places = calloc(n + 1, sizeof(size_t));
        _cleanup_free_ size_t *marks = calloc(w->mapping->n_key + 1, sizeof(size_t));
        _cleanup_result_ PGresult *result = NULL;
        int r;

        if (!places || !marks)
                return -ENOMEM;
        r = keys_put(a, fetches, n, places, marks, error);
        if (r < 0 || a->n_records == 0)
                return r;
        r = pg_arrays_run(a, w->fetch_sql, &result);
        if (r < 0)
                return r;
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
                return pg_fail(w->connection->db, result, w->connection->system, "cannot fetch", false, error);
        return rows_take(w, result, arena, fetches, places, a->n_records, error);
}

int pg_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        PgWriter *w = (PgWriter *) writer;
        _cleanup_(pg_arrays_done) PgArrays a = {};
        int r;

        r = pg_arrays_init(&a, w, w->mapping->n_key);
        for (size_t i = 0; i < n_fetches && r >= 0; i += FETCH_RECORDS_MAX) {
                size_t n = n_fetches - i < FETCH_RECORDS_MAX ? n_fetches - i : FETCH_RECORDS_MAX;

                for (size_t j = i; j < i + n; j++)
                        fetches[j].values = NULL;
                pg_arrays_reset(&a);
                r = fetch_some(w, &a, arena, fetches + i, n, error);
        }
        if (r == -ENOMEM && error && error->id == ERROR_NONE)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to fetch records");
        return r;
}
