/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-arrays.h"

#define ARRAYS_BYTES  (8U * 1024 * 1024) /* of one execution: what goes beyond is split */
#define PIECES_FROM   (1024U * 1024)     /* a single value as large as this goes in pieces */
#define PIECE_BYTES   65536U
#define VARCHAR_CHARS 4000U /* above it is a long type to most drivers */

int odbc_arrays_init(OdbcArrays *a, OdbcConnection *c, size_t n_arrays_max, size_t n_records_max) {
        *a = (OdbcArrays){.connection = c, .arrays_max = n_arrays_max, .n_records_max = n_records_max};
        a->arrays = calloc(n_arrays_max + 1, sizeof(OdbcArray));
        if (!a->arrays)
                return -ENOMEM;
        for (size_t i = 0; i < n_arrays_max; i++) {
                a->arrays[i].texts = calloc(n_records_max, sizeof(char *));
                a->arrays[i].sizes = calloc(n_records_max, sizeof(size_t));
                a->arrays[i].lengths = calloc(n_records_max, sizeof(SQLLEN));
                if (!a->arrays[i].texts || !a->arrays[i].sizes || !a->arrays[i].lengths)
                        return -ENOMEM;
        }
        return arena_new(&a->arena);
}

void odbc_arrays_done(OdbcArrays *a) {
        for (size_t i = 0; a->arrays && i < a->arrays_max; i++) {
                free(a->arrays[i].texts);
                free(a->arrays[i].sizes);
                free(a->arrays[i].lengths);
                free(a->arrays[i].values);
        }
        free(a->arrays);
        arena_free(a->arena);
        *a = (OdbcArrays){};
}

void odbc_arrays_reset(OdbcArrays *a) {
        a->n_arrays = a->n_records = 0;
        arena_reset(a->arena);
}

void odbc_arrays_column(OdbcArrays *a, const OdbcType *type, const char *column) {
        OdbcArray *array = &a->arrays[a->n_arrays++];

        assert(a->n_arrays <= a->arrays_max);
        array->type = type;
        array->column = column;
        if (type->kind == ODBC_BOOLEAN && a->connection->dialect->family != ODBC_POSTGRESQL) {
                array->c_type = SQL_C_SBIGINT; /* a text would be MariaDB's bits */
                array->sql_type = SQL_BIGINT;
                return;
        }
        switch (type->kind) {
        case ODBC_INTEGER:
                array->c_type = SQL_C_SBIGINT;
                array->sql_type = SQL_BIGINT;
                break;
        case ODBC_BYTES:
                array->c_type = SQL_C_BINARY;
                array->sql_type = SQL_VARBINARY;
                break;
        case ODBC_OTHER:
        case ODBC_TEXT:
        case ODBC_CHAR:
        case ODBC_JSON:
        case ODBC_ANY:
                array->c_type = SQL_C_WCHAR;
                array->sql_type = SQL_WVARCHAR;
                break;
        default:
                array->c_type = SQL_C_CHAR;
                array->sql_type = SQL_VARCHAR;
        }
}

int odbc_arrays_put(OdbcArrays *a, size_t column, const Value *value, Error *error) {
        OdbcArray *array = &a->arrays[column];

        assert(a->n_records < a->n_records_max);
        return odbc_value_to_text(a->connection->dialect->family, array->type, array->column, value,
                                  a->arena, &array->texts[a->n_records], &array->sizes[a->n_records], error);
}

/* ---- as the driver takes them ---- */

static size_t width_of(const OdbcArray *array, size_t size) {
        return array->c_type == SQL_C_SBIGINT ? sizeof(int64_t)
               : array->c_type == SQL_C_WCHAR ? (size + 1) * sizeof(SQLWCHAR)
                                              : size + 1;
}

static size_t width_max(const OdbcArray *array, size_t first, size_t n) {
        size_t width = 1;

        for (size_t i = first; i < first + n; i++)
                if (width_of(array, array->sizes[i]) > width)
                        width = width_of(array, array->sizes[i]);
        return width;
}

/* How many records from the first on stay below ARRAYS_BYTES together; one at least. */
static size_t chunk_size(const OdbcArrays *a, size_t first) {
        size_t n = a->n_records - first;

        if (a->connection->no_arrays)
                return 1;
        for (; n > 1; n = (n + 1) / 2) {
                size_t bytes = 0;

                for (size_t i = 0; i < a->n_arrays; i++)
                        bytes += width_max(&a->arrays[i], first, n) * n;
                if (bytes <= ARRAYS_BYTES)
                        break;
        }
        return n;
}

static SQLLEN value_fill(const OdbcArray *array, const char *text, size_t size, char *at) {
        if (!text)
                return SQL_NULL_DATA;
        if (array->c_type == SQL_C_SBIGINT) {
                int64_t number = strtoll(text, NULL, 10); /* our own text of an int64_t */

                memcpy(at, &number, sizeof(number));
                return sizeof(number);
        }
        if (array->c_type == SQL_C_WCHAR) {
                size_t n = odbc_utf16_from_text(text, size, (uint16_t *) at);

                ((uint16_t *) at)[n] = 0;
                return (SQLLEN) (n * sizeof(uint16_t));
        }
        memcpy(at, text, size);
        at[size] = '\0';
        return (SQLLEN) size;
}

static int array_fill(OdbcArray *array, size_t first, size_t n) {
        char *values;

        array->width = width_max(array, first, n);
        values = realloc(array->values, array->width * n);
        if (!values)
                return -ENOMEM;
        array->values = values;
        for (size_t i = 0; i < n; i++)
                array->lengths[i] = value_fill(array, array->texts[first + i], array->sizes[first + i],
                                               values + i * array->width);
        return 0;
}

static SQLSMALLINT sql_type_of(const OdbcArray *array) {
        if (array->width / sizeof(SQLWCHAR) <= VARCHAR_CHARS)
                return array->sql_type;
        return array->sql_type == SQL_WVARCHAR    ? SQL_WLONGVARCHAR
               : array->sql_type == SQL_VARBINARY ? SQL_LONGVARBINARY
                                                  : array->sql_type;
}

static int array_bind(OdbcArrays *a, SQLHSTMT statement, SQLUSMALLINT place, OdbcArray *array, char *values,
                      SQLLEN *length, Error *error) {
        SQLULEN size = array->c_type == SQL_C_WCHAR ? array->width / sizeof(SQLWCHAR) : array->width;

        if (SQL_SUCCEEDED(SQLBindParameter(statement, place, SQL_PARAM_INPUT, array->c_type,
                                           sql_type_of(array), size, 0, values, (SQLLEN) array->width,
                                           length)))
                return 0;
        return odbc_fail(a->connection, SQL_HANDLE_STMT, statement, "cannot bind a value", false, error);
}

/* ---- running ---- */

static int paramset_set(OdbcArrays *a, SQLHSTMT statement, size_t n) {
        SQLULEN set = 0;

        if (n == 1 && a->connection->no_arrays)
                return 0;
        if (SQL_SUCCEEDED(SQLSetStmtAttr(statement, SQL_ATTR_PARAM_BIND_TYPE,
                                         (SQLPOINTER) SQL_PARAM_BIND_BY_COLUMN, 0)) &&
            SQL_SUCCEEDED(SQLSetStmtAttr(statement, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER) n, 0)) &&
            SQL_SUCCEEDED(SQLGetStmtAttr(statement, SQL_ATTR_PARAMSET_SIZE, &set, 0, NULL)) && set == n)
                return 0;
        return n == 1 ? 0 : -EOPNOTSUPP;
}

/* Some drivers give one count for all, some one for each. */
static int rows_count(OdbcArrays *a, SQLHSTMT statement, const char *what, uint64_t *n_met, Error *error) {
        SQLRETURN rc;

        do {
                SQLLEN n = 0;

                if (SQL_SUCCEEDED(SQLRowCount(statement, &n)) && n > 0)
                        *n_met += (uint64_t) n;
                rc = SQLMoreResults(statement);
        } while (SQL_SUCCEEDED(rc));
        if (rc != SQL_NO_DATA)
                return odbc_fail(a->connection, SQL_HANDLE_STMT, statement, what, true, error);
        (void) SQLFreeStmt(statement, SQL_CLOSE);
        return 0;
}

static int chunk_run(OdbcArrays *a, SQLHSTMT statement, size_t first, size_t n, const char *what,
                     uint64_t *n_met, Error *error) {
        SQLRETURN rc;
        int r;

        r = paramset_set(a, statement, n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < a->n_arrays; i++) {
                r = array_fill(&a->arrays[i], first, n);
                if (r >= 0)
                        r = array_bind(a, statement, (SQLUSMALLINT) (i + 1), &a->arrays[i],
                                       a->arrays[i].values, a->arrays[i].lengths, error);
                if (r < 0)
                        return r;
        }
        rc = SQLExecute(statement);
        if (!SQL_SUCCEEDED(rc) && rc != SQL_NO_DATA)
                return odbc_fail(a->connection, SQL_HANDLE_STMT, statement, what, true, error);
        return rows_count(a, statement, what, n_met, error);
}

/* ---- a record with a large value: in pieces ---- */

static bool has_large(const OdbcArrays *a, size_t record) {
        for (size_t i = 0; i < a->n_arrays; i++)
                if (a->arrays[i].texts[record] && a->arrays[i].sizes[record] >= PIECES_FROM)
                        return true;
        return false;
}

/* UTF-8 is cut between characters. */
static int pieces_put(OdbcArrays *a, SQLHSTMT statement, const OdbcArray *array, size_t record,
                      const char *what, Error *error) {
        const char *text = array->texts[record];
        size_t left = array->sizes[record];
        SQLWCHAR units[PIECE_BYTES];

        while (left > 0) {
                size_t n = left < PIECE_BYTES ? left : PIECE_BYTES, n_units;
                SQLRETURN rc;

                if (array->c_type == SQL_C_WCHAR) {
                        while (n < left && n > 1 && ((unsigned char) text[n] & 0xC0) == 0x80)
                                n--;
                        n_units = odbc_utf16_from_text(text, n, units);
                        rc = SQLPutData(statement, units, (SQLLEN) (n_units * sizeof(SQLWCHAR)));
                } else
                        rc = SQLPutData(statement, (SQLPOINTER) text, (SQLLEN) n);
                if (!SQL_SUCCEEDED(rc))
                        return odbc_fail(a->connection, SQL_HANDLE_STMT, statement, what, true, error);
                text += n;
                left -= n;
        }
        return 0;
}

static int large_bind(OdbcArrays *a, SQLHSTMT statement, size_t record, Error *error) {
        int r = 0;

        for (size_t i = 0; i < a->n_arrays && r >= 0; i++) {
                OdbcArray *array = &a->arrays[i];

                if (!array->texts[record] || array->sizes[record] < PIECES_FROM) {
                        r = array_fill(array, record, 1);
                        if (r >= 0)
                                r = array_bind(a, statement, (SQLUSMALLINT) (i + 1), array, array->values,
                                               array->lengths, error);
                        continue;
                }
                array->width = width_of(array, array->sizes[record]); /* says that the type is a long one */
                array->lengths[0] = SQL_LEN_DATA_AT_EXEC((SQLLEN) array->width);
                r = array_bind(a, statement, (SQLUSMALLINT) (i + 1), array, (char *) array, array->lengths,
                               error);
        }
        return r;
}

static int large_run(OdbcArrays *a, SQLHSTMT statement, size_t record, const char *what, uint64_t *n_met,
                     Error *error) {
        SQLPOINTER token = NULL;
        SQLRETURN rc;
        int r;

        r = paramset_set(a, statement, 1);
        if (r >= 0)
                r = large_bind(a, statement, record, error);
        if (r < 0)
                return r;
        rc = SQLExecute(statement);
        while (rc == SQL_NEED_DATA && (rc = SQLParamData(statement, &token)) == SQL_NEED_DATA) {
                r = pieces_put(a, statement, token, record, what, error);
                if (r < 0) {
                        (void) SQLCancel(statement);
                        return r;
                }
        }
        if (!SQL_SUCCEEDED(rc) && rc != SQL_NO_DATA)
                return odbc_fail(a->connection, SQL_HANDLE_STMT, statement, what, true, error);
        return rows_count(a, statement, what, n_met, error);
}

int odbc_arrays_run(OdbcArrays *a, SQLHSTMT statement, const char *what, uint64_t *ret_n_met, Error *error) {
        uint64_t n_met = 0;
        int r;

        for (size_t first = 0, n; first < a->n_records; first += n) {
                n = chunk_size(a, first);
                if (n == 1 && has_large(a, first))
                        r = large_run(a, statement, first, what, &n_met, error);
                else
                        r = chunk_run(a, statement, first, n, what, &n_met, error);
                if (r == -EOPNOTSUPP &&
                    !a->connection->no_arrays) { /* the driver takes one record at a time */
                        a->connection->no_arrays = true;
                        n = 0;
                        continue;
                }
                if (r < 0)
                        return r;
        }
        *ret_n_met = n_met;
        return 0;
}

int odbc_arrays_bind_flat(OdbcArrays *a, SQLHSTMT statement, Error *error) {
        int r;

        for (size_t i = 0; i < a->n_arrays; i++) {
                r = array_fill(&a->arrays[i], 0, a->n_records);
                for (size_t k = 0; k < a->n_records && r >= 0; k++)
                        r = array_bind(a, statement, (SQLUSMALLINT) (k * a->n_arrays + i + 1), &a->arrays[i],
                                       a->arrays[i].values + k * a->arrays[i].width,
                                       &a->arrays[i].lengths[k], error);
                if (r < 0)
                        return r;
        }
        return 0;
}
