/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-writer.h"

#define KEPT_BYTES_MAX    262144U /* of a column's array, for the next statement */
#define ARRAY_HEADER_SIZE 20 /* dimensions, has null, element type, length, first index */

int pg_arrays_init(PgArrays *a, PgWriter *w, size_t n_columns_max) {
        *a = (PgArrays){
                .writer = w,
                .n_columns_max = n_columns_max,
                .buffers = calloc(n_columns_max + 1, sizeof(CopyBuffer)),
                .types = calloc(n_columns_max + 1, sizeof(PgType *)),
                .has_null = calloc(n_columns_max + 1, sizeof(bool)),
        };
        return a->buffers && a->types && a->has_null ? 0 : -ENOMEM;
}

void pg_arrays_done(PgArrays *a) {
        for (size_t i = 0; a->buffers && i < a->n_columns_max; i++)
                copy_buffer_done(&a->buffers[i]);
        free(a->buffers);
        free(a->types);
        free(a->has_null);
        *a = (PgArrays){};
}

void pg_arrays_reset(PgArrays *a) {
        for (size_t i = 0; i < a->n_columns; i++) {
                if (a->buffers[i].capacity > KEPT_BYTES_MAX)
                        copy_buffer_done(&a->buffers[i]);
                a->buffers[i].size = 0;
        }
        a->n_columns = a->n_records = 0;
}

int pg_arrays_column(PgArrays *a, const PgType *type) {
        CopyBuffer *b = &a->buffers[a->n_columns];

        if (!copy_buffer_reserve(b, ARRAY_HEADER_SIZE))
                return -ENOMEM;
        b->size = ARRAY_HEADER_SIZE; /* filled in when the length is known */
        a->has_null[a->n_columns] = false;
        a->types[a->n_columns++] = type;
        return 0;
}

int pg_arrays_add(PgArrays *a, size_t column, const char *name, const Value *value, Error *error) {
        a->has_null[column] = a->has_null[column] || value_is_null(value);
        return pg_encode(a->types[column], name, value, &a->buffers[column], error);
}

void pg_arrays_mark(const PgArrays *a, size_t *marks) {
        for (size_t i = 0; i < a->n_columns; i++)
                marks[i] = a->buffers[i].size;
}

void pg_arrays_rewind(PgArrays *a, const size_t *marks) {
        for (size_t i = 0; i < a->n_columns; i++)
                a->buffers[i].size = marks[i];
}

/* Elements of what is cast are of the type that it is cast from. */
static uint32_t element_oid(const PgType *type) {
        return !pg_cast_of(type) ? type->oid : type->kind == PG_MONEY ? 1700 : 25;
}

static void header_write(PgArrays *a, size_t column) {
        char *at = a->buffers[column].bytes;

        at = copy_set32(at, 1);
        at = copy_set32(at, a->has_null[column]);
        at = copy_set32(at, element_oid(a->types[column]));
        at = copy_set32(at, (uint32_t) a->n_records);
        (void) copy_set32(at, 1);
}

int pg_arrays_run(PgArrays *a, const char *sql, PGresult **ret) {
        _cleanup_free_ Oid *oids = calloc(a->n_columns + 1, sizeof(Oid));
        _cleanup_free_ const char **values = calloc(a->n_columns + 1, sizeof(char *));
        _cleanup_free_ int *sizes = calloc(a->n_columns + 1, sizeof(int)),
                           *formats = calloc(a->n_columns + 1, sizeof(int));

        if (!oids || !values || !sizes || !formats)
                return -ENOMEM;
        for (size_t i = 0; i < a->n_columns; i++) {
                if (a->buffers[i].size > INT32_MAX)
                        return -ENOMEM;
                header_write(a, i);
                oids[i] = a->types[i]->array_oid;
                values[i] = a->buffers[i].bytes;
                sizes[i] = (int) a->buffers[i].size;
                formats[i] = 1;
        }
        *ret = PQexecParams(a->writer->connection->db, sql, (int) a->n_columns, oids, values, sizes, formats,
                            1);
        return *ret ? 0 : -ENOMEM;
}
