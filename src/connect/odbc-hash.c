/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-hash.h"

#include "basic/text.h"

#define SHORT_BYTES_MAX 1000U

/* A text put together may not be longer than a packet: MariaDB then makes it null. md5() takes any. */
static bool is_long(const OdbcType *type) {
        switch (type->kind) {
        case ODBC_TEXT:
        case ODBC_CHAR:
        case ODBC_BYTES:
                return type->length == 0 || type->length > SHORT_BYTES_MAX;
        case ODBC_OTHER:
        case ODBC_JSON:
                return true;
        default:
                return false;
        }
}

/* The column's own bytes: two texts that a collation takes for equal have others. MariaDB would tell floats by six
 * digits, but doubles by all. */
static int bytes_add(TextBuffer *b, OdbcFamily family, const OdbcType *type, const char *name) {
        if (family == ODBC_POSTGRESQL)
                return text_buffer_printf(b, "cast(%s as text)", name);
        if (type->kind == ODBC_REAL || type->kind == ODBC_DOUBLE)
                return text_buffer_printf(b, "cast(%s + 0e0 as binary)", name);
        return text_buffer_printf(b, "cast(%s as binary)", name);
}

static int column_add(TextBuffer *b, OdbcFamily family, const OdbcType *type, const MappingColumn *column) {
        _cleanup_free_ char *alias = sql_identifier(column->join ? column->join : SQL_SOURCE),
                            *quoted = sql_identifier(column->name), *name = NULL;
        const char *size = family == ODBC_POSTGRESQL ? "octet_length" : "length";
        _cleanup_text_buffer_ TextBuffer bytes = {};
        int r;

        if (!alias || !quoted || asprintf(&name, "%s.%s", alias, quoted) < 0)
                return -ENOMEM;
        r = bytes_add(&bytes, family, type, name);
        if (r >= 0)
                r = text_buffer_printf(b, "case when %s is null then 'N' else concat('%s', %s(%s), ':', %s%s%s) end",
                                       name, is_long(type) ? "H" : "V", size, bytes.bytes, is_long(type) ? "md5(" : "",
                                       bytes.bytes, is_long(type) ? ")" : "");
        return r;
}

int odbc_hash_sql(const OdbcScan *s, char **ret) {
        _cleanup_text_buffer_ TextBuffer b = {};
        int r;

        r = text_buffer_printf(&b, "md5(concat(''");
        for (size_t i = 0; i < s->n_columns && r >= 0; i++) {
                r = text_buffer_printf(&b, ",\n ");
                if (r >= 0)
                        r = column_add(&b, s->dialect->family, s->types[i], &s->plan->mapping->columns[i]);
        }
        if (r >= 0)
                r = text_buffer_printf(&b, ")) as tf_hash");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b.bytes);
        return 0;
}

int odbc_sums_sql(const OdbcDialect *dialect, char *const *selects, size_t n_ranges, char **ret) {
        _cleanup_text_buffer_ TextBuffer b = {};
        int r = 0;

        for (size_t i = 0; i < n_ranges && r >= 0; i++)
                r = text_buffer_printf(&b, "%sselect %zu, count(*), count(tf_hash), %s from (%s%s) tf_hashed",
                                       i > 0 ? "\nunion all " : "", i, dialect->sums, selects[i],
                                       dialect->unmerged);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b.bytes);
        return 0;
}
