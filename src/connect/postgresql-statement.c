/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-statement.h"

static void put_name(FILE *f, const char *name) {
        (void) fputc('"', f);
        for (; *name; name++) {
                if (*name == '"')
                        (void) fputc('"', f);
                (void) fputc(*name, f);
        }
        (void) fputc('"', f);
}

static void put_masked(FILE *f, const PgStatement *s) {
        size_t n = 0;

        for (size_t i = 0; i < s->mapping->n_fields; i++)
                if (s->mask[i]) {
                        (void) fputs(n++ > 0 ? ", " : "", f);
                        put_name(f, s->mapping->fields[i].name);
                }
}

/* unnest($1, $2, …) as given (v0, v1, …) */
static void put_arrays(FILE *f, size_t n, bool with_place) {
        (void) fputs("unnest(", f);
        for (size_t i = 1; i <= n; i++)
                (void) fprintf(f, "%s$%zu", i > 1 ? ", " : "", i);
        (void) fprintf(f, ")%s as given (", with_place ? " with ordinality" : "");
        for (size_t i = 0; i < n; i++)
                (void) fprintf(f, "%sv%zu", i > 0 ? ", " : "", i);
        (void) fputs(with_place ? ", place)" : ")", f);
}

/* One array's element as the column has it. */
static void put_given(FILE *f, const PgType *type, size_t array) {
        (void) fprintf(f, "given.v%zu", array);
        if (pg_cast_of(type))
                (void) fprintf(f, "::%s", type->name);
}

static void put_key(FILE *f, const PgStatement *s) {
        for (size_t i = 0; i < s->mapping->n_key; i++) {
                (void) fputs(i > 0 ? " and present." : "present.", f);
                put_name(f, s->mapping->fields[i].name);
                (void) fputs(" = ", f);
                put_given(f, s->types[i], i);
        }
}

static void write_copy(FILE *f, const PgStatement *s) {
        (void) fprintf(f, "copy %s (", s->table);
        put_masked(f, s);
        (void) fputs(") from stdin (format binary)", f);
}

static void write_insert(FILE *f, const PgStatement *s) {
        size_t n = 0;

        (void) fprintf(f, "insert into %s (", s->table);
        put_masked(f, s);
        /* As COPY does: a column that is always an identity takes what it is given. */
        (void) fputs(") overriding system value select ", f);
        for (size_t i = 0; i < s->mapping->n_fields; i++)
                if (s->mask[i]) {
                        (void) fputs(n > 0 ? ", " : "", f);
                        put_given(f, s->types[i], n++);
                }
        (void) fputs(" from ", f);
        put_arrays(f, n, false);
}

static void write_update(FILE *f, const PgStatement *s) {
        size_t n = s->mapping->n_key;

        (void) fprintf(f, "update %s as present set ", s->table);
        for (size_t i = 0; i < s->mapping->n_fields; i++)
                if (s->mask[i]) {
                        (void) fputs(n > s->mapping->n_key ? ", " : "", f);
                        put_name(f, s->mapping->fields[i].name);
                        (void) fputs(" = ", f);
                        put_given(f, s->types[i], n++);
                }
        (void) fputs(" from ", f);
        put_arrays(f, n, false);
        (void) fputs(" where ", f);
        put_key(f, s);
}

static void write_delete(FILE *f, const PgStatement *s) {
        (void) fprintf(f, "delete from %s as present using ", s->table);
        put_arrays(f, s->mapping->n_key, false);
        (void) fputs(" where ", f);
        put_key(f, s);
}

static void write_fetch(FILE *f, const PgStatement *s) {
        (void) fputs("select given.place", f);
        for (size_t i = 0; i < s->mapping->n_fields; i++) {
                (void) fputs(", present.", f);
                put_name(f, s->mapping->fields[i].name);
                if (pg_cast_of(s->types[i]))
                        (void) fprintf(f, "::%s", pg_cast_of(s->types[i]));
        }
        (void) fputs(" from ", f);
        put_arrays(f, s->mapping->n_key, true);
        (void) fprintf(f, " join %s as present on ", s->table);
        put_key(f, s);
}

static int statement_text(void (*write)(FILE *, const PgStatement *), const PgStatement *s, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        bool failed;

        if (!f)
                return -ENOMEM;
        write(f, s);
        failed = ferror(f) != 0;
        if (fclose(f) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

int pg_sql_copy(const PgStatement *s, char **ret) { return statement_text(write_copy, s, ret); }
int pg_sql_insert(const PgStatement *s, char **ret) { return statement_text(write_insert, s, ret); }
int pg_sql_update(const PgStatement *s, char **ret) { return statement_text(write_update, s, ret); }
int pg_sql_delete(const PgStatement *s, char **ret) { return statement_text(write_delete, s, ret); }
int pg_sql_fetch(const PgStatement *s, char **ret) { return statement_text(write_fetch, s, ret); }
