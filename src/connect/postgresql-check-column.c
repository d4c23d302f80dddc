/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-database.h"

#include "basic/text.h"

/* Of pg_relation_is_updatable(), as in pg_proc.dat: a bit per CmdType. */
#define EVENT_UPDATE (1U << 2)
#define EVENT_INSERT (1U << 3)
#define EVENT_DELETE (1U << 4)

static int add(json_t *report, const char *what, const char *remedy, const char *format, ...) __attribute__((format(printf, 4, 5)));

static int add(json_t *report, const char *what, const char *remedy, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vasprintf(&message, format, arguments);
        va_end(arguments);
        if (r < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, what, false, message, remedy);
}

/* ---- source ---- */

/* Spans, network addresses, shapes and bits come as their text and are never anything else; of days and times that only timetz is. */
static bool is_text_only(const PgType *type) {
        return type->kind == PG_OTHER && type->category != '\0' && strchr("TIGVD", type->category);
}

static int check_compound(const PgTable *t, const char *column, const PgType *type, json_t *report) {
        _cleanup_free_ char *remedy = NULL;

        if (asprintf(&remedy, "Read a view that gives it as one value: create view … as select …, to_jsonb(\"%s\") as \"%s\" from %s; or leave "
                              "the column out of the mapping", column, column, t->name) < 0) {
                remedy = NULL;
                return -ENOMEM;
        }
        return add(report, column, remedy, "Column \"%s\" of \"%s\" is of type %s, %s; a field holds one value", column, t->table->name,
                   type->name, type->compound);
}

/* A field's declared type that no value of its column can have: told once, before a finding in each record tells it. */
static int check_declared(const PgTable *t, const char *column, const PgType *type, const MappingField *field, json_t *report) {
        if (!is_text_only(type) || field->type == VALUE_ABSENT || field->type == VALUE_TEXT || field->lookup || field->format)
                return 0;
        return add(report, column, "Give the field the type text, or read a view that converts the column",
                   "Column \"%s\" of \"%s\" is of type %s, which comes as its text and is no %s", column, t->table->name, type->name,
                   value_type_to_string(field->type));
}

static const PgTable *table_of(const PgSources *sources, const Mapping *m, const MappingColumn *column) {
        for (size_t i = 0; column->join && i < m->n_joins; i++)
                if (text_equal(m->joins[i].name, column->join))
                        return sources->joins[i];
        return sources->own;
}

int pg_check_source_columns(const PgSources *sources, const Mapping *m, json_t *report) {
        int r = 0;

        for (size_t i = 0; i < m->n_columns && r >= 0; i++) {
                const PgTable *t = table_of(sources, m, &m->columns[i]);
                const PgType *type = t ? pg_table_type(t, m->columns[i].name) : NULL;

                if (!type)
                        continue;
                if (type->compound)
                        r = check_compound(t, m->columns[i].name, type, report);
                for (size_t j = 0; j < m->n_fields && !type->compound && r >= 0; j++)
                        if (m->fields[j].column == (ssize_t) i)
                                r = check_declared(t, m->columns[i].name, type, &m->fields[j], report);
        }
        return r;
}

/* ---- target ---- */

/* Can a field of that type ever be stored in such a column? */
static bool kind_takes(PgKind kind, ValueType type) {
        if (type == VALUE_ABSENT || type == VALUE_TEXT || kind == PG_OTHER)
                return kind != PG_GEOMETRY || type != VALUE_TEXT;
        switch (kind) {
        case PG_TEXT:
        case PG_CHAR: return type != VALUE_BYTES && type != VALUE_GEOMETRY;
        case PG_SMALLINT:
        case PG_INTEGER:
        case PG_BIGINT:
        case PG_NUMERIC:
        case PG_REAL:
        case PG_DOUBLE:
        case PG_BOOLEAN: return type == VALUE_INTEGER || type == VALUE_DECIMAL || type == VALUE_BOOLEAN;
        case PG_DATE:
        case PG_TIMESTAMP:
        case PG_TIMESTAMPTZ: return type == VALUE_DATE || type == VALUE_TIMESTAMP;
        case PG_TIME: return type == VALUE_TIME;
        case PG_UUID: return type == VALUE_UUID;
        case PG_JSON:
        case PG_JSONB: return type != VALUE_BYTES && type != VALUE_GEOMETRY && type != VALUE_UUID;
        case PG_GEOMETRY: return type == VALUE_GEOMETRY || type == VALUE_BYTES;
        default: return value_type_has_bytes(type);
        }
}

static int check_target_column(const PgTable *t, const MappingField *field, const PgType *type, json_t *report) {
        if (type->compound)
                return add(report, field->name,
                           "Write a view whose instead-of trigger fills it, or a column of type text or jsonb; or leave the field out",
                           "Column \"%s\" of \"%s\" is of type %s, %s; a field holds one value", field->name, t->table->name, type->name,
                           type->compound);
        if (!kind_takes(type->kind, field->type))
                return add(report, field->name, "Give the field the type of the target's column",
                           "Column \"%s\" of \"%s\" is of type %s and cannot hold a %s", field->name, t->table->name, type->name,
                           value_type_to_string(field->type));
        return 0;
}

int pg_check_target_columns(const PgTable *t, const Mapping *m, json_t *report) {
        int r = 0;

        for (size_t i = 0; i < m->n_fields && r >= 0; i++) {
                const PgType *type = pg_table_type(t, m->fields[i].name);

                if (type)
                        r = check_target_column(t, &m->fields[i], type, report);
        }
        return r;
}

static bool writes_update(const Mapping *m) { return m->n_fields > m->n_key || m->deletes == DELETES_MARK; }

int pg_check_target_table(const PgTable *t, const Mapping *m, json_t *report) {
        const char *what = !(t->events & EVENT_INSERT)                                        ? "inserts"
                           : writes_update(m) && !(t->events & EVENT_UPDATE)                  ? "updates"
                           : m->deletes == DELETES_MIRROR && !(t->events & EVENT_DELETE) ? "deletes"
                                                                                              : NULL;

        if (what)
                return add(report, t->table->name, "Write the table below it, or give the view an instead-of trigger",
                           "\"%s\" takes no %s: it is a view of more than one table, materialised, or foreign and read-only",
                           t->table->name, what);
        if (t->has_heirs)
                return add(report, t->table->name, "Write one of the tables that inherit from it, or partition the table by its key",
                           "Other tables inherit from \"%s\": nothing keeps the key unique among all of them", t->table->name);
        return 0;
}
