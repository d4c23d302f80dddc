/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-result.h"

#include "basic/limits.h"
#include "connect/real.h"

#define BLOCK_BYTES    (2U * 1024 * 1024) /* of all arrays of a block */
#define BLOCK_ROWS_MAX 1000U
#define BOUND_CHARS_MAX \
        1000U /* longer values are rare: an array of their largest size would be mostly air */
#define PIECE_BYTES 65536U

static void width_choose(OdbcFamily family, OdbcColumn *c) {
        const OdbcType *type = c->type;

        switch (type->kind) {
        case ODBC_INTEGER:
                c->c_type = family == ODBC_SQLITE ? SQL_C_CHAR
                                                  : SQL_C_SBIGINT; /* SQLite's may hold a text */
                c->width = family == ODBC_SQLITE ? 0 : sizeof(int64_t);
                break;
        case ODBC_BIGINT_UNSIGNED:
                c->c_type = SQL_C_CHAR;
                c->width = 24;
                break;
        case ODBC_DECIMAL:
                c->c_type = SQL_C_CHAR;
                c->width = type->precision >= 0 ? (size_t) type->precision + 4 : 0;
                break;
        case ODBC_REAL:
                /* MariaDB's driver tells floats by six digits, and doubles by all: see odbc_column_form(). */
                c->c_type = family == ODBC_MARIADB ? SQL_C_DOUBLE : SQL_C_FLOAT;
                c->width = family == ODBC_MARIADB ? sizeof(double) : sizeof(float);
                break;
        case ODBC_DOUBLE:
                c->c_type = family == ODBC_SQLITE ? SQL_C_CHAR : SQL_C_DOUBLE;
                c->width = family == ODBC_SQLITE ? 0 : sizeof(double);
                break;
        case ODBC_BOOLEAN:
                c->c_type = family == ODBC_MARIADB ? SQL_C_SBIGINT : SQL_C_BIT;
                c->width = family == ODBC_MARIADB ? sizeof(int64_t) : 1;
                break;
        case ODBC_DATE:
        case ODBC_TIME:
        case ODBC_TIMESTAMP:
        case ODBC_TIMESTAMPTZ:
        case ODBC_UUID:
                c->c_type = SQL_C_CHAR;
                c->width = 48;
                break;
        case ODBC_BYTES:
        case ODBC_ROWVERSION:
        case ODBC_GEOMETRY:
                c->c_type = SQL_C_BINARY;
                c->width = type->kind == ODBC_ROWVERSION         ? 8
                           : type->length <= 2 * BOUND_CHARS_MAX ? type->length
                                                                 : 0;
                break;
        default:
                c->c_type = SQL_C_WCHAR;
                c->width = type->length > 0 && type->length <= BOUND_CHARS_MAX
                                   ? (2 * (size_t) type->length + 1) * sizeof(SQLWCHAR)
                                   : 0;
        }
}

/* How many rows make a block. */
static size_t block_choose(OdbcResult *r, bool *ret_long) {
        size_t width = 0;

        *ret_long = false;
        for (size_t i = 0; i < r->n_columns; i++) {
                *ret_long = *ret_long || r->columns[i].width == 0;
                width += r->columns[i].width + sizeof(SQLLEN);
        }
        if (*ret_long || width == 0)
                return 1;
        return BLOCK_BYTES / width < 1                ? 1
               : BLOCK_BYTES / width > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX
                                                      : BLOCK_BYTES / width;
}

/* A driver that gives rows only one by one says so, or keeps 1. */
static void block_set(OdbcResult *r) {
        SQLULEN set = 1;

        r->n_rows = 0;
        if (r->n_block > 1 &&
            (!SQL_SUCCEEDED(
                     SQLSetStmtAttr(r->statement, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER) r->n_block, 0)) ||
             !SQL_SUCCEEDED(SQLGetStmtAttr(r->statement, SQL_ATTR_ROW_ARRAY_SIZE, &set, 0, NULL)) ||
             set != r->n_block ||
             !SQL_SUCCEEDED(SQLSetStmtAttr(r->statement, SQL_ATTR_ROWS_FETCHED_PTR, &r->n_rows, 0)))) {
                (void) SQLSetStmtAttr(r->statement, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER) 1, 0);
                r->n_block = 1;
        }
}

/* Behind the first long column nothing is bound where the driver gives pieces only in order. */
static int columns_bind(OdbcResult *r, bool in_order, Error *error) {
        bool passed_long = false;

        for (size_t i = 0; i < r->n_columns; i++) {
                OdbcColumn *c = &r->columns[i];

                passed_long = passed_long || c->width == 0;
                if (c->width > 0) {
                        c->values = malloc(r->n_block * c->width);
                        c->lengths = calloc(r->n_block, sizeof(SQLLEN));
                        if (!c->values || !c->lengths)
                                return -ENOMEM;
                }
                c->bound = c->width > 0 && !(in_order && passed_long);
                if (c->bound && !SQL_SUCCEEDED(SQLBindCol(r->statement, (SQLUSMALLINT) (i + 1), c->c_type,
                                                          c->values, (SQLLEN) c->width, c->lengths)))
                        return odbc_fail(r->connection, SQL_HANDLE_STMT, r->statement, "cannot read", false,
                                         error);
        }
        return 0;
}

int odbc_result_init(OdbcResult *r, OdbcConnection *c, const OdbcType *const *types, size_t n_types,
                     Error *error) {
        SQLUINTEGER extensions = 0;
        bool has_long;
        int q;

        *r = (OdbcResult){.connection = c, .n_columns = n_types, .statement = SQL_NULL_HSTMT};
        r->columns = calloc(n_types + 1, sizeof(OdbcColumn));
        if (!r->columns)
                return -ENOMEM;
        for (size_t i = 0; i < n_types; i++) {
                r->columns[i].type = types[i];
                width_choose(c->dialect->family, &r->columns[i]);
        }
        q = odbc_statement_new(c, &r->statement, error);
        if (q < 0)
                return q;
        r->n_block = block_choose(r, &has_long);
        block_set(r);
        (void) SQLGetInfo(c->db, SQL_GETDATA_EXTENSIONS, &extensions, sizeof(extensions), NULL);
        return columns_bind(r, has_long && !(extensions & SQL_GD_ANY_COLUMN), error);
}

void odbc_result_done(OdbcResult *r) {
        odbc_statement_free(&r->statement);
        for (size_t i = 0; r->columns && i < r->n_columns; i++) {
                free(r->columns[i].values);
                free(r->columns[i].lengths);
        }
        free(r->columns);
        free(r->pieces);
        *r = (OdbcResult){.statement = SQL_NULL_HSTMT};
}

static int opened(OdbcResult *r, SQLRETURN rc, Error *error) {
        if (!SQL_SUCCEEDED(rc) && rc != SQL_NO_DATA)
                return odbc_fail(r->connection, SQL_HANDLE_STMT, r->statement, "cannot read", false, error);
        r->open = true;
        r->row = r->n_rows = 0;
        return 0;
}

int odbc_result_query(OdbcResult *r, const char *sql, Error *error) {
        if (!SQL_SUCCEEDED(SQLPrepare(r->statement, (SQLCHAR *) sql, SQL_NTS)))
                return odbc_fail(r->connection, SQL_HANDLE_STMT, r->statement, "cannot read", false, error);
        return odbc_result_execute(r, error);
}

int odbc_result_execute(OdbcResult *r, Error *error) { return opened(r, SQLExecute(r->statement), error); }

void odbc_result_close(OdbcResult *r) {
        if (r->open)
                (void) SQLFreeStmt(r->statement, SQL_CLOSE);
        r->open = false;
        r->row = r->n_rows = 0;
}

/* ---- values ---- */

static int too_large(const OdbcResult *r, Error *error) {
        return error_set(error, ERROR_SYSTEM_REFUSED, "Leave its largest column out of the mapping",
                         "System \"%s\": a value has more than %u bytes", r->connection->system->name,
                         RECORD_BYTES_MAX);
}

static int pieces_read(OdbcResult *r, size_t index, SQLLEN *ret_size, Error *error) {
        OdbcColumn *c = &r->columns[index];
        size_t terminator = c->c_type == SQL_C_WCHAR  ? sizeof(SQLWCHAR)
                            : c->c_type == SQL_C_CHAR ? 1
                                                      : 0,
               size = 0;

        for (;;) {
                SQLLEN left = 0;
                SQLRETURN rc;

                if (array_grow(&r->pieces, &r->pieces_capacity, size + PIECE_BYTES, 1) < 0)
                        return -ENOMEM;
                rc = SQLGetData(r->statement, (SQLUSMALLINT) (index + 1), c->c_type, r->pieces + size,
                                PIECE_BYTES, &left);
                if (rc == SQL_NO_DATA)
                        break;
                if (!SQL_SUCCEEDED(rc))
                        return odbc_fail(r->connection, SQL_HANDLE_STMT, r->statement, "cannot read on",
                                         false, error);
                if (left == SQL_NULL_DATA) {
                        *ret_size = SQL_NULL_DATA;
                        return 0;
                }
                if (rc == SQL_SUCCESS ||
                    (left != SQL_NO_TOTAL && left <= (SQLLEN) (PIECE_BYTES - terminator))) {
                        size += (size_t) left;
                        break;
                }
                size += PIECE_BYTES - terminator;
                if (size > RECORD_BYTES_MAX)
                        return too_large(r, error);
        }
        *ret_size = (SQLLEN) size;
        return 0;
}

static int value_decode_at(OdbcResult *r, const OdbcColumn *c, const char *at, size_t size, Arena *arena,
                           Value *ret) {
        char *text;
        int q;

        switch (c->c_type) {
        case SQL_C_SBIGINT: {
                int64_t number;

                memcpy(&number, at, sizeof(number));
                *ret = value_integer(number);
                if (c->type->kind == ODBC_BOOLEAN)
                        *ret = (Value){.type = VALUE_BOOLEAN, .integer = number != 0};
                return 0;
        }
        case SQL_C_BIT:
                *ret = (Value){.type = VALUE_BOOLEAN, .integer = *at != 0};
                return 0;
        case SQL_C_FLOAT:
        case SQL_C_DOUBLE:
                text = arena_alloc(arena, REAL_TEXT_MAX);
                if (!text)
                        return -ENOMEM;
                if (c->c_type == SQL_C_FLOAT) {
                        float number;

                        memcpy(&number, at, sizeof(number));
                        value_from_real4(number, text, ret);
                } else {
                        double number;

                        memcpy(&number, at, sizeof(number));
                        if (c->type->kind == ODBC_REAL)
                                value_from_real4((float) number, text, ret);
                        else
                                value_from_real(number, text, ret);
                }
                return 0;
        case SQL_C_BINARY:
                *ret = (Value){.type = VALUE_BYTES, .bytes = arena_copy(arena, at, size), .size = size};
                return ret->bytes ? 0 : -ENOMEM;
        case SQL_C_WCHAR:
                q = odbc_value_from_utf16((const uint16_t *) at, size / sizeof(uint16_t), arena, ret);
                if (q < 0 || ret->type != VALUE_TEXT)
                        return q;
                return odbc_value_from_text(c->type, ret->bytes, ret->size, arena, ret);
        default:
                text = arena_copy(arena, at, size);
                return text ? odbc_value_from_text(c->type, text, size, arena, ret) : -ENOMEM;
        }
}

/* The driver said how large a value can be, and gave a larger one. */
static int truncated(const OdbcResult *r, const OdbcColumn *c, Error *error) {
        return error_set(
                error, ERROR_INTERNAL, "Report it, with the name and version of the driver",
                "System \"%s\": the driver %s gives a value of type %s that is longer than its type",
                r->connection->system->name, r->connection->driver, c->type->declared);
}

static int value_read(OdbcResult *r, size_t index, Arena *arena, Value *ret, Error *error) {
        OdbcColumn *c = &r->columns[index];
        size_t terminator = c->c_type == SQL_C_WCHAR ? sizeof(SQLWCHAR) : c->c_type == SQL_C_CHAR ? 1 : 0;
        const char *at = c->values ? c->values + r->row * c->width : NULL;
        SQLLEN size = c->bound ? c->lengths[r->row] : 0;
        int q;

        if (c->width == 0) {
                q = pieces_read(r, index, &size, error);
                if (q < 0)
                        return q;
                at = r->pieces;
        } else if (!c->bound) {
                if (!SQL_SUCCEEDED(SQLGetData(r->statement, (SQLUSMALLINT) (index + 1), c->c_type, c->values,
                                              (SQLLEN) c->width, &size)))
                        return odbc_fail(r->connection, SQL_HANDLE_STMT, r->statement, "cannot read on",
                                         false, error);
        }
        if (size == SQL_NULL_DATA) {
                *ret = value_null();
                return 0;
        }
        if (c->width > 0 && (size < 0 || (terminator > 0 && (size_t) size > c->width - terminator) ||
                             (size_t) size > c->width))
                return truncated(r, c, error);
        return value_decode_at(r, c, at, (size_t) size, arena, ret);
}

static int block_next(OdbcResult *r, Error *error) {
        SQLRETURN rc;

        r->row = 0;
        r->n_rows = 1; /* of a driver that was not asked for more */
        rc = SQLFetch(r->statement);
        if (rc == SQL_NO_DATA) {
                r->n_rows = 0;
                return 0;
        }
        if (!SQL_SUCCEEDED(rc))
                return odbc_fail(r->connection, SQL_HANDLE_STMT, r->statement, "cannot read on", false,
                                 error);
        return 1;
}

int odbc_result_next(OdbcResult *r, Arena *arena, Value *values, Error *error) {
        int q;

        if (!r->open)
                return 0;
        if (r->row + 1 < r->n_rows)
                r->row++;
        else {
                q = block_next(r, error);
                if (q <= 0)
                        return q;
        }
        for (size_t i = 0; i < r->n_columns; i++) {
                q = value_read(r, i, arena, &values[i], error);
                if (q < 0)
                        return q;
        }
        return 1;
}
