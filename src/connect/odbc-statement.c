/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-statement.h"

#include "connect/sql.h"

static int name_add(TextBuffer *b, const char *name) {
        _cleanup_free_ char *quoted = sql_identifier(name);

        return quoted ? text_buffer_printf(b, "%s", quoted) : -ENOMEM;
}

static int table_add(TextBuffer *b, const char *name) {
        _cleanup_free_ char *quoted = sql_table(name);

        return quoted ? text_buffer_printf(b, "%s", quoted) : -ENOMEM;
}

/* A parameter for a column. PostgreSQL does not turn a text into another type unless it is told to; MariaDB compares a text
 * with a decimal as binary floats. */
static int place_add(TextBuffer *b, const OdbcStatement *s, size_t field, bool compared) {
        const OdbcType *type = s->types[field];

        if (s->dialect->family == ODBC_POSTGRESQL && type->kind != ODBC_BYTES && type->kind != ODBC_INTEGER)
                return text_buffer_printf(b, "cast(? as %s)", type->declared);
        if (s->dialect->family == ODBC_MARIADB && compared && type->kind == ODBC_DECIMAL)
                return text_buffer_printf(b, "cast(? as decimal(%d,%d))", type->precision, type->scale);
        if (s->dialect->family == ODBC_MARIADB && compared && type->kind == ODBC_BIGINT_UNSIGNED)
                return text_buffer_printf(b, "cast(? as unsigned)");
        return text_buffer_printf(b, "?");
}

static int key_add(TextBuffer *b, const OdbcStatement *s) {
        int r;

        r = text_buffer_printf(b, " where ");
        for (size_t i = 0; i < s->mapping->n_key && r >= 0; i++) {
                r = text_buffer_printf(b, "%s", i > 0 ? " and " : "");
                if (r >= 0)
                        r = name_add(b, s->mapping->fields[i].name);
                if (r >= 0)
                        r = text_buffer_printf(b, " = ");
                if (r >= 0)
                        r = place_add(b, s, i, true);
        }
        return r;
}

static int finish(int r, TextBuffer *b, char **ret) {
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b->bytes);
        return 0;
}

int odbc_sql_insert(const OdbcStatement *s, char **ret) {
        _cleanup_text_buffer_ TextBuffer b = {};
        size_t n = 0;
        int r;

        r = text_buffer_printf(&b, "insert into ");
        if (r >= 0)
                r = table_add(&b, s->mapping->to);
        for (size_t i = 0; i < s->mapping->n_fields && r >= 0; i++) {
                if (!s->mask[i])
                        continue;
                r = text_buffer_printf(&b, "%s", n++ > 0 ? ", " : " (");
                if (r >= 0)
                        r = name_add(&b, s->mapping->fields[i].name);
        }
        if (r >= 0)
                r = text_buffer_printf(&b, ") values (");
        for (size_t i = 0, k = 0; i < s->mapping->n_fields && r >= 0; i++) {
                if (!s->mask[i])
                        continue;
                r = text_buffer_printf(&b, "%s", k++ > 0 ? ", " : "");
                if (r >= 0)
                        r = place_add(&b, s, i, false);
        }
        if (r >= 0)
                r = text_buffer_printf(&b, ")");
        return finish(r, &b, ret);
}

int odbc_sql_update(const OdbcStatement *s, char **ret) {
        _cleanup_text_buffer_ TextBuffer b = {};
        size_t n = 0;
        int r;

        r = text_buffer_printf(&b, "update ");
        if (r >= 0)
                r = table_add(&b, s->mapping->to);
        for (size_t i = 0; i < s->mapping->n_fields && r >= 0; i++) {
                if (!s->mask[i])
                        continue;
                r = text_buffer_printf(&b, "%s", n++ > 0 ? ", " : " set ");
                if (r >= 0)
                        r = name_add(&b, s->mapping->fields[i].name);
                if (r >= 0)
                        r = text_buffer_printf(&b, " = ");
                if (r >= 0)
                        r = place_add(&b, s, i, false);
        }
        if (r >= 0)
                r = key_add(&b, s);
        return finish(r, &b, ret);
}

int odbc_sql_delete(const OdbcStatement *s, char **ret) {
        _cleanup_text_buffer_ TextBuffer b = {};
        int r;

        r = text_buffer_printf(&b, "delete from ");
        if (r >= 0)
                r = table_add(&b, s->mapping->to);
        if (r >= 0)
                r = key_add(&b, s);
        return finish(r, &b, ret);
}

static int field_add(TextBuffer *b, const OdbcStatement *s, size_t field) {
        const OdbcType *read;
        const char *form = odbc_column_form(s->dialect->family, s->types[field], &read);
        int r;

        r = text_buffer_printf(b, ", %.*s", form ? (int) strcspn(form, "@") : 0, form ? form : "");
        if (r >= 0)
                r = name_add(b, s->mapping->fields[field].name);
        return r >= 0 && form ? text_buffer_printf(b, "%s", strchr(form, '@') + 1) : r;
}

int odbc_sql_fetch(const OdbcStatement *s, size_t n_keys, char **ret) {
        _cleanup_text_buffer_ TextBuffer b = {};
        int r = 0;

        for (size_t k = 0; k < n_keys && r >= 0; k++) {
                r = text_buffer_printf(&b, "%sselect %zu", k > 0 ? "\nunion all " : "", k);
                for (size_t i = 0; i < s->mapping->n_fields && r >= 0; i++)
                        r = field_add(&b, s, i);
                if (r >= 0)
                        r = text_buffer_printf(&b, " from ");
                if (r >= 0)
                        r = table_add(&b, s->mapping->to);
                if (r >= 0)
                        r = key_add(&b, s);
        }
        return finish(r, &b, ret);
}
