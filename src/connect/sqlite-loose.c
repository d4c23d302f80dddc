/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlite-loose.h"

#define VALUE_SHOWN_BYTES 200U

typedef struct LooseColumn {
        char *table, *declared; /* NULL: anything may be in it */
        bool is_text;
        const MappingField *field;
} LooseColumn;

static bool is_number(const char *declared) {
        static const char *const words[] = {"int", "real", "floa", "doub", "dec", "num"};

        for (size_t i = 0; declared && i < ELEMENTSOF(words); i++)
                if (strcasestr(declared, words[i]))
                        return true;
        return false;
}

static bool expects_number(const MappingField *field) {
        return field->type == VALUE_ABSENT || field->type == VALUE_INTEGER || field->type == VALUE_DECIMAL;
}

/* Bytes in a column of texts are found where no type says what they become: text that is no UTF-8, or a blob. */
static bool is_text(const char *declared) {
        static const char *const words[] = {"char", "clob", "text"};

        for (size_t i = 0; declared && i < ELEMENTSOF(words); i++)
                if (strcasestr(declared, words[i]))
                        return true;
        return false;
}

/* The field that takes the column's numbers; NULL: none does. */
static const MappingField *field_of(const Mapping *m, size_t column) {
        for (size_t i = 0; i < m->n_fields; i++)
                if (m->fields[i].column == (ssize_t) column && expects_number(&m->fields[i]) && !m->fields[i].lookup)
                        return &m->fields[i];
        return NULL;
}

static const Table *table_of(const Mapping *m, const SqliteSources *sources, const char *join) {
        for (size_t i = 0; join && i < m->n_joins; i++)
                if (text_equal(m->joins[i].name, join))
                        return sources->joins[i];
        return sources->own;
}

int sqlite_loose_init(const Mapping *m, const SqliteSources *sources, SqliteLoose *ret) {
        SqliteLoose l = {.mapping = m, .columns = calloc(m->n_columns + 1, sizeof(LooseColumn))};

        if (!l.columns)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_columns; i++) {
                const Table *t = table_of(m, sources, m->columns[i].join);
                const TableColumn *column = t ? table_column(t, m->columns[i].name) : NULL;

                l.columns[i].field = field_of(m, i);
                l.columns[i].is_text = column && is_text(column->type) && l.columns[i].field &&
                                       l.columns[i].field->type == VALUE_ABSENT;
                if (!column || !l.columns[i].field || !(is_number(column->type) || l.columns[i].is_text))
                        continue;
                l.columns[i].table = strdup(t->name);
                l.columns[i].declared = strdup(column->type);
                if (!l.columns[i].table || !l.columns[i].declared) {
                        sqlite_loose_done(&l);
                        return -ENOMEM;
                }
        }
        *ret = l;
        return 0;
}

void sqlite_loose_done(SqliteLoose *l) {
        for (size_t i = 0; l->columns && i < l->mapping->n_columns; i++) {
                free(l->columns[i].table);
                free(l->columns[i].declared);
        }
        free(l->columns);
        *l = (SqliteLoose){};
}

/* What the field itself takes for null, or as a number, is not wrong. */
static bool is_meant(const MappingField *field, const Value *value) {
        Decimal number;

        if (value->type != VALUE_TEXT)
                return false;
        for (char *const *null = field->null_values; null && *null; null++)
                if (strlen(*null) == value->size && memcmp(*null, value->bytes, value->size) == 0)
                        return true;
        return field->type != VALUE_ABSENT && decimal_parse(value->bytes, value->size, &number) == 0;
}

static bool is_loose(const LooseColumn *column, const Value *value) {
        if (column->is_text)
                return value->type == VALUE_BYTES;
        return column->declared && (value->type == VALUE_TEXT || value->type == VALUE_BYTES) && !is_meant(column->field, value);
}

bool sqlite_loose_any(const SqliteLoose *l, const Value *values) {
        for (size_t i = 0; i < l->mapping->n_columns; i++)
                if (is_loose(&l->columns[i], &values[i]))
                        return true;
        return false;
}

int sqlite_loose_findings(const SqliteLoose *l, const Value *values, const char *row, Arena *arena, Finding **findings) {
        for (size_t i = l->mapping->n_columns; i-- > 0;) { /* the list's newest is its first */
                const LooseColumn *column = &l->columns[i];
                const char *text, *message;
                int r;

                if (!is_loose(column, &values[i]))
                        continue;
                text = value_to_text(&values[i], arena, VALUE_SHOWN_BYTES);
                message = text ? arena_printf(arena, "Table '%s', %s: column '%s' is declared %s and holds the %s '%s'.", column->table,
                                              row, l->mapping->columns[i].name, column->declared,
                                              value_type_to_string(values[i].type), text)
                               : NULL;
                if (!message)
                        return -ENOMEM;
                r = finding_add(findings, arena, FINDING_ERROR, "storage", column->field->name, text, message,
                                "Correct the value at the source, list it in the field's null_values, or give the field type: text.");
                if (r < 0)
                        return r;
        }
        return 0;
}

int sqlite_reals_report(const Mapping *m, const SqliteSources *sources, json_t *report) {
        for (size_t i = 0; i < m->n_fields; i++) {
                const MappingColumn *column = m->fields[i].column >= 0 ? &m->columns[m->fields[i].column] : NULL;
                const Table *t = column && m->fields[i].type == VALUE_DECIMAL ? table_of(m, sources, column->join) : NULL;
                const TableColumn *found = t ? table_column(t, column->name) : NULL;
                _cleanup_free_ char *message = NULL;
                int r;

                if (!found || found->affinity != COLUMN_REAL)
                        continue;
                if (asprintf(&message, "Works, but column \"%s\" of \"%s\" is declared %s: it holds binary floats, of which 15 digits are exact",
                             column->name, t->name, found->type ? found->type : "REAL") < 0) {
                        message = NULL;
                        return -ENOMEM;
                }
                r = report_add(report, m->fields[i].name, true, message, "Declare the column TEXT to keep every digit of money");
                if (r < 0)
                        return r;
        }
        return 0;
}
