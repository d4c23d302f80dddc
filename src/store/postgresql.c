/* SPDX-License-Identifier: Apache-2.0 */
/* A database of the store as a schema of a PostgreSQL server: statements and transactions. */
#include <ctype.h>
#include <endian.h>
#include "basic/text.h"
#include "store/postgresql-internal.h"

static PgDatabase *database_of(Database *d) { return (PgDatabase *) d; }

static PgStatement *statement_of(Statement *s) { return (PgStatement *) s; }

static void pg_done(Database *d) {
        PgDatabase *p = database_of(d);

        session_close(p->session);
        error_done(&p->failure);
        free(p->sent);
        free(p);
}

/* Only the state's writers have to be told apart; one name per schema is enough for all. */
#define WRITE_LOCK                                                             \
        "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(" \
        "'terrafusion write ' || pg_catalog.current_schema(), 0))"

static int pg_begin(Database *d, Error *error) {
        PgDatabase *p = database_of(d);
        int r;

        assert(!p->in_transaction);
        r = session_execute(p->session, "begin; " WRITE_LOCK, NULL, error);
        if (r < 0) {
                (void) session_execute(p->session, "rollback", NULL, NULL);
                return r;
        }
        p->in_transaction = true;
        return 0;
}

static void pg_rollback(Database *d) {
        PgDatabase *p = database_of(d);

        if (!p->in_transaction)
                return;
        pg_forget(p);
        p->in_transaction = false;
        if (!p->session->is_lost && session_execute(p->session, "rollback", NULL, NULL) < 0)
                p->session->is_lost = true;
}

/* The answer may be lost: then the transaction may have been committed, and the session is lost with it, so
 * that nothing here can go on as if it had not. */
static int pg_commit(Database *d, Error *error) {
        PgDatabase *p = database_of(d);
        _cleanup_result_ PGresult *result = NULL;
        int r;

        assert(p->in_transaction);
        r = pg_settle(p, error);
        if (r < 0)
                return r;
        r = session_execute(p->session, "commit", &result, error);
        if (r < 0 && p->session->is_lost)
                error_prefix(error, "Nobody knows whether the last transaction was committed");
        if (r < 0)
                return r;
        p->in_transaction = false;
        if (text_equal(PQcmdStatus(result), "COMMIT"))
                return 0;
        return error_set(error, ERROR_INTERNAL, "Please report this with the text of the message.",
                         "A transaction of \"%s\" was rolled back by the server", d->path);
}

static int pg_execute(Database *d, const char *sql, Error *error) {
        PgDatabase *p = database_of(d);
        int r;

        if (p->in_transaction) {
                r = pg_settle(p, error);
                if (r < 0)
                        return r;
        }
        return session_execute(p->session, sql, NULL, error);
}

static int64_t pg_changes(Database *d) {
        PgDatabase *p = database_of(d);

        if (p->in_transaction && pg_settle(p, NULL) < 0)
                return -1;
        return p->n_changes;
}

/* ?, ?3 → $1, $3; ret has room for three characters in place of each. Texts in quotes are left alone. */
static int text_translate(const char *sql, char *ret) {
        bool quoted = false;
        int n = 0, number;

        for (; *sql; sql++) {
                quoted ^= *sql == '\'';
                if (*sql != '?' || quoted) {
                        *ret++ = *sql;
                        continue;
                }
                number = n + 1;
                if (isdigit((unsigned char) sql[1]))
                        for (number = 0; isdigit((unsigned char) sql[1]); sql++)
                                number = number * 10 + (sql[1] - '0');
                assert(number <= PARAMETERS_MAX);
                n = number > n ? number : n;
                *ret++ = '$';
                if (number > 9)
                        *ret++ = (char) ('0' + number / 10);
                *ret++ = (char) ('0' + number % 10);
        }
        *ret = 0;
        return n;
}

static int statement_write(PgStatement *s, const char *sql) {
        s->text = malloc(strlen(sql) * 3 + 1);
        if (!s->text)
                return -ENOMEM;
        s->n_parameters = text_translate(sql, s->text);
        s->gives_rows = text_starts_with(sql, "select") || strstr(sql, " returning ");
        return 0;
}

static void pg_statement_done(Statement *s) {
        PgStatement *p = statement_of(s);

        PQclear(p->result);
        free(p->text);
        free(p);
}

/* At the server it is prepared with its first execution, when the types of its parameters are known. */
static int pg_prepare(Database *d, const char *sql, Statement **ret, Error *error) {
        PgStatement *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return database_no_memory(d->path, "read", error);
        s->common.database = d;
        s->common.sql = sql;
        (void) snprintf(s->name, sizeof(s->name), "s%u", ++database_of(d)->n_names);
        r = statement_write(s, sql);
        if (r < 0) {
                pg_statement_done(&s->common);
                return database_no_memory(d->path, "read", error);
        }
        *ret = &s->common;
        return 0;
}

static void pg_reset(Statement *s) {
        PgStatement *p = statement_of(s);

        PQclear(p->result);
        p->result = NULL;
}

static void pg_clear(Statement *s) {
        PgStatement *p = statement_of(s);

        pg_reset(s);
        for (int i = 0; i < p->n_parameters; i++)
                if (p->parameters[i].type != PARAMETER_INTEGER)
                        p->parameters[i].bytes = NULL;
}

static PgParameter *parameter_of(Statement *s, int parameter) {
        PgStatement *p = statement_of(s);

        assert(parameter >= 1 && parameter <= p->n_parameters);
        return p->parameters + parameter - 1;
}

static void pg_bind_integer(Statement *s, int parameter, int64_t value) {
        *parameter_of(s, parameter) = (PgParameter){
                .type = PARAMETER_INTEGER, .number = htobe64((uint64_t) value), .size = sizeof(uint64_t)};
}

static void pg_bind_text(Statement *s, int parameter, const char *text) {
        *parameter_of(s, parameter) = (PgParameter){
                .type = PARAMETER_TEXT, .bytes = text, .size = text ? strlen(text) : 0};
}

/* No bytes are an empty value, not null: keys compare with it. */
static void pg_bind_bytes(Statement *s, int parameter, const void *bytes, size_t size) {
        *parameter_of(s, parameter) = (PgParameter){
                .type = PARAMETER_BYTES, .bytes = size > 0 ? bytes : "", .size = size};
}

static void pg_bind_null(Statement *s, int parameter) {
        *parameter_of(s, parameter) = (PgParameter){.type = PARAMETER_NULL};
}

static int statement_prepare(PgDatabase *d, PgStatement *s, const Oid *types, Error *error) {
        int r;

        if (d->session->is_lost ||
            !PQsendPrepare(d->session->connection, s->name, s->text, s->n_parameters, types))
                return session_lost(d->session, error);
        r = session_collect(d->session, NULL, error);
        s->is_prepared = r == 0;
        return r;
}

/* Executes and waits; the result is s->result. */
static int statement_execute(PgDatabase *d, PgStatement *s, Error *error) {
        const char *values[PARAMETERS_MAX];
        int sizes[PARAMETERS_MAX], formats[PARAMETERS_MAX], r;
        Oid types[PARAMETERS_MAX];

        pg_parameters(s, types, values, sizes, formats);
        if (!s->is_prepared) {
                r = statement_prepare(d, s, types, error);
                if (r < 0)
                        return r;
        }
        if (d->session->is_lost || !PQsendQueryPrepared(d->session->connection, s->name, s->n_parameters,
                                                        values, sizes, formats, 1))
                return session_lost(d->session, error);
        r = session_collect(d->session, &s->result, error);
        if (r < 0)
                return r;
        if (PQresultStatus(s->result) == PGRES_COMMAND_OK || *PQcmdTuples(s->result))
                d->n_changes = strtol(PQcmdTuples(s->result), NULL, 10);
        s->row = -1;
        return 0;
}

/* Inside a transaction a failure is the transaction's: whatever comes next meets it again. */
static int statement_start(PgStatement *s, Error *error) {
        PgDatabase *d = database_of(s->common.database);
        _cleanup_error_ Error failure = {};
        int r;

        if (!d->in_transaction)
                return statement_execute(d, s, error);
        r = pg_settle(d, error);
        if (r < 0)
                return r;
        if (statement_execute(d, s, &failure) == 0)
                return 0;
        pg_keep_failure(d, &failure);
        return pg_settle(d, error);
}

static int pg_step(Statement *s, Error *error) {
        PgStatement *p = statement_of(s);
        int r;

        if (!p->result) {
                r = statement_start(p, error);
                if (r < 0)
                        return r;
        }
        if (++p->row < PQntuples(p->result))
                return 1;
        pg_reset(s);
        return 0;
}

static int pg_run(Statement *s, bool one, Error *error) {
        PgStatement *p = statement_of(s);
        PgDatabase *d = database_of(s->database);
        int r;

        if (d->in_transaction && !p->gives_rows)
                return pg_send(d, p, one, error);
        if (!p->result) {
                r = statement_start(p, error);
                if (r < 0)
                        return r;
        }
        pg_reset(s);
        return one && d->n_changes != 1 ? database_not_one(&d->common, d->n_changes, error) : 0;
}

static int64_t pg_integer(Statement *s, int column) {
        PgStatement *p = statement_of(s);
        const char *bytes = PQgetvalue(p->result, p->row, column);
        uint64_t number = 0;
        int size = PQgetlength(p->result, p->row, column);

        if (size == 0)
                return 0;
        if (bytes[0] & 0x80)
                number = UINT64_MAX;
        for (int i = 0; i < size; i++)
                number = number << 8 | (uint8_t) bytes[i];
        return (int64_t) number;
}

static bool pg_is_null(Statement *s, int column) {
        return PQgetisnull(statement_of(s)->result, statement_of(s)->row, column);
}

static const char *pg_text(Statement *s, int column) {
        return pg_is_null(s, column) ? NULL
                                     : PQgetvalue(statement_of(s)->result, statement_of(s)->row, column);
}

static const void *pg_bytes(Statement *s, int column, size_t *ret_size) {
        *ret_size = (size_t) PQgetlength(statement_of(s)->result, statement_of(s)->row, column);
        return PQgetvalue(statement_of(s)->result, statement_of(s)->row, column);
}

static bool pg_is_lost(Database *d) { return session_is_lost(database_of(d)->session); }

const DatabaseKind database_postgresql = {
        .open = pg_database_open,
        .open_read_only = pg_database_open_read_only,
        .list = pg_schemas,
        .done = pg_done,
        .is_lost = pg_is_lost,
        .hold = pg_database_hold,
        .execute = pg_execute,
        .begin = pg_begin,
        .commit = pg_commit,
        .rollback = pg_rollback,
        .changes = pg_changes,
        .prepare = pg_prepare,
        .statement_done = pg_statement_done,
        .clear = pg_clear,
        .bind_integer = pg_bind_integer,
        .bind_text = pg_bind_text,
        .bind_bytes = pg_bind_bytes,
        .bind_null = pg_bind_null,
        .step = pg_step,
        .run = pg_run,
        .reset = pg_reset,
        .integer = pg_integer,
        .text = pg_text,
        .bytes = pg_bytes,
        .is_null = pg_is_null,
};
