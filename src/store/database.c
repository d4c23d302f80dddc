/* SPDX-License-Identifier: Apache-2.0 */
#include "store/database-internal.h"
#include "store/server.h"

int database_no_memory(const char *path, const char *doing, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Cannot %s \"%s\": out of memory", doing, path);
}

int database_not_one(const Database *d, int64_t n, Error *error) {
        return error_set(error, ERROR_INTERNAL, "Please report this with the text of the message.",
                         "A row of \"%s\" that must be there was met %lld times", d->path, (long long) n);
}

static int database_too_new(const char *path, int version, int known, Error *error) {
        return error_set(error, ERROR_FILE_FORMAT, "Install the version that wrote it, or a newer one.",
                         "\"%s\" was written by a newer version (format %d, this program knows up to %d)",
                         path, version, known);
}

int database_migrate(Database *d, const Migration *migrations, int (*version)(Database *d, int *ret, Error *error),
                     int (*step)(Database *d, const Migration *migrations, int n, Error *error), Error *error) {
        int n = 0, present, r;

        while (migrations[n].sqlite)
                n++;
        for (;;) {
                r = version(d, &present, error);
                if (r < 0)
                        return r;
                if (present > n)
                        return database_too_new(d->path, present, n, error);
                if (present == n)
                        return 0;
                r = step(d, migrations, n, error);
                if (r < 0)
                        return r;
        }
}

static const DatabaseKind *database_kind(void) {
        return store_server_is_used() ? &database_postgresql : &database_sqlite;
}

int database_open(const char *path, const Migration *migrations, Database **ret, Error *error) {
        return database_kind()->open(path, migrations, ret, error);
}

int database_open_read_only(const char *path, Database **ret, Error *error) {
        return database_kind()->open_read_only(path, ret, error);
}

int database_list(char ***ret, Error *error) { return database_kind()->list("terrafusion", ret, error); }

Database *database_close(Database *d) {
        if (!d)
                return NULL;
        for (size_t i = 0; i < d->n_statements; i++)
                d->kind->statement_done(d->statements[i]);
        free(d->statements);
        free(d->path);
        d->kind->done(d);
        return NULL;
}

bool database_is_lost(Database *d) { return d->kind->is_lost(d); }

int database_hold(Database *d, const char *what, const char *holder, unsigned wait_msec, Error *error) {
        return d->kind->hold(d, what, holder, wait_msec, error);
}

int database_execute(Database *d, const char *sql, Error *error) { return d->kind->execute(d, sql, error); }

int database_begin(Database *d, Error *error) { return d->kind->begin(d, error); }

int database_commit(Database *d, Error *error) { return d->kind->commit(d, error); }

void database_rollback(Database *d) {
        for (size_t i = 0; i < d->n_statements; i++)
                statement_reset(d->statements[i]);
        d->kind->rollback(d);
}

int database_prepare(Database *d, const char *sql, Statement **ret, Error *error) {
        int r;

        for (size_t i = 0; i < d->n_statements; i++)
                if (d->statements[i]->sql == sql) {
                        d->kind->clear(d->statements[i]);
                        *ret = d->statements[i];
                        return 0;
                }
        r = array_grow(&d->statements, &d->statements_capacity, d->n_statements + 1, sizeof(*d->statements));
        if (r < 0)
                return database_no_memory(d->path, "read", error);
        r = d->kind->prepare(d, sql, &d->statements[d->n_statements], error);
        if (r < 0)
                return r;
        *ret = d->statements[d->n_statements++];
        return 0;
}

void statement_bind_integer(Statement *s, int parameter, int64_t value) {
        s->database->kind->bind_integer(s, parameter, value);
}

void statement_bind_text(Statement *s, int parameter, const char *text) {
        s->database->kind->bind_text(s, parameter, text);
}

void statement_bind_bytes(Statement *s, int parameter, const void *bytes, size_t size) {
        s->database->kind->bind_bytes(s, parameter, bytes, size);
}

void statement_bind_null(Statement *s, int parameter) { s->database->kind->bind_null(s, parameter); }

int statement_step(Statement *s, Error *error) { return s->database->kind->step(s, error); }

int statement_run(Statement *s, Error *error) { return s->database->kind->run(s, false, error); }

int statement_run_one(Statement *s, Error *error) { return s->database->kind->run(s, true, error); }

void statement_reset(Statement *s) { s->database->kind->reset(s); }

int64_t statement_integer(Statement *s, int column) { return s->database->kind->integer(s, column); }

const char *statement_text(Statement *s, int column) { return s->database->kind->text(s, column); }

const void *statement_bytes(Statement *s, int column, size_t *ret_size) {
        return s->database->kind->bytes(s, column, ret_size);
}

bool statement_is_null(Statement *s, int column) { return s->database->kind->is_null(s, column); }

int64_t database_changes(Database *d) { return d->kind->changes(d); }

const char *database_path(const Database *d) { return d->path; }
