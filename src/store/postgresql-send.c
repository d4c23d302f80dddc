/* SPDX-License-Identifier: Apache-2.0 */
/* What a transaction sends to the server without waiting for each answer: statements that return nothing go on
 * in libpq's pipeline mode. A round trip for each would cost some 100 µs. */
#include "store/postgresql-internal.h"

#define OID_INT8  20U
#define OID_TEXT  25U
#define OID_BYTEA 17U

void pg_parameters(const PgStatement *s, Oid *types, const char **values, int *sizes, int *formats) {
        static const Oid oids[] = {[PARAMETER_NULL] = 0, /* the server infers it */
                                   [PARAMETER_INTEGER] = OID_INT8,
                                   [PARAMETER_TEXT] = OID_TEXT,
                                   [PARAMETER_BYTES] = OID_BYTEA};

        for (int i = 0; i < s->n_parameters; i++) {
                const PgParameter *p = s->parameters + i;

                types[i] = oids[p->type];
                values[i] = p->type == PARAMETER_INTEGER ? (const char *) &p->number : p->bytes;
                sizes[i] = (int) p->size;
                formats[i] = 1;
        }
}

void pg_keep_failure(PgDatabase *d, Error *failure) {
        if (d->failure.id == ERROR_NONE)
                error_move(&d->failure, failure);
        else
                error_done(failure);
}

/* Hands out a copy: the failure stands until the transaction is over. */
static int failure_tell(const PgDatabase *d, Error *error) {
        return error_set(error, d->failure.id, d->failure.remedy, "%s", d->failure.detail);
}

static int send_failed(PgDatabase *d, Error *error) {
        d->n_sent = 0;
        return session_lost(d->session, error);
}

static int sent_note(PgDatabase *d, Sent sent, Error *error) {
        if (array_grow(&d->sent, &d->sent_capacity, d->n_sent + 1, sizeof(*d->sent)) < 0)
                return database_no_memory(d->common.path, "write", error);
        d->sent[d->n_sent++] = sent;
        return 0;
}

static int pipeline_send(PgDatabase *d, PgStatement *s, bool one, Error *error) {
        PGconn *connection = d->session->connection;
        const char *values[PARAMETERS_MAX];
        int sizes[PARAMETERS_MAX], formats[PARAMETERS_MAX], r;
        Oid types[PARAMETERS_MAX];

        pg_parameters(s, types, values, sizes, formats);
        if (!s->is_prepared) {
                r = sent_note(d, (Sent){.preparing = s}, error);
                if (r < 0)
                        return r;
                if (!PQsendPrepare(connection, s->name, s->text, s->n_parameters, types))
                        return send_failed(d, error);
                s->is_prepared = true;
        }
        r = sent_note(d, (Sent){.one = one}, error);
        if (r < 0)
                return r;
        if (!PQsendQueryPrepared(connection, s->name, s->n_parameters, values, sizes, formats, 1))
                return send_failed(d, error);
        return 0;
}

static void result_take(PgDatabase *d, const PGresult *result, const Sent *sent) {
        _cleanup_error_ Error failure = {};
        ExecStatusType status = PQresultStatus(result);

        if (sent->preparing && status != PGRES_COMMAND_OK)
                sent->preparing->is_prepared = false; /* the server passes over all that comes behind a failure */
        if (status == PGRES_PIPELINE_ABORTED)
                return; /* an earlier one failed */
        if (status == PGRES_COMMAND_OK) {
                d->n_changes = strtol(PQcmdTuples((PGresult *) result), NULL, 10);
                if (!sent->one || d->n_changes == 1)
                        return;
                (void) database_not_one(&d->common, d->n_changes, &failure);
        } else
                (void) session_failure(d->session, result, "write", &failure);
        pg_keep_failure(d, &failure);
}

/* Results come as: result, NULL, result, NULL, …, sync. */
static int pipeline_results(PgDatabase *d, Error *error) {
        int r;

        for (size_t i = 0; i < d->n_sent; i++)
                for (;;) {
                        _cleanup_result_ PGresult *result = NULL;

                        r = session_result(d->session, &result, error);
                        if (r < 0)
                                return r;
                        if (!result)
                                break;
                        result_take(d, result, &d->sent[i]);
                }
        for (bool synced = false; !synced;) {
                _cleanup_result_ PGresult *result = NULL;

                r = session_result(d->session, &result, error);
                if (r < 0)
                        return r;
                synced = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
                if (!result && PQstatus(d->session->connection) != CONNECTION_OK)
                        return session_lost(d->session, error);
        }
        return 0;
}

static int pipeline_end(PgDatabase *d, Error *error) {
        PGconn *connection = d->session->connection;
        int r;

        if (PQpipelineStatus(connection) == PQ_PIPELINE_OFF)
                return 0;
        if (d->session->is_lost || !PQpipelineSync(connection))
                return send_failed(d, error);
        r = pipeline_results(d, error);
        d->n_sent = 0;
        if (r < 0)
                return r;
        return PQexitPipelineMode(connection) ? 0 : session_lost(d->session, error);
}

int pg_send(PgDatabase *d, PgStatement *s, bool one, Error *error) {
        _cleanup_error_ Error failure = {};
        int r;

        if (d->failure.id != ERROR_NONE)
                return failure_tell(d, error);
        if (d->session->is_lost)
                return session_lost(d->session, error);
        if (d->n_sent >= SENT_MAX) {
                r = pipeline_end(d, &failure);
                if (r < 0)
                        pg_keep_failure(d, &failure);
                if (d->failure.id != ERROR_NONE)
                        return failure_tell(d, error);
        }
        if (PQpipelineStatus(d->session->connection) == PQ_PIPELINE_OFF &&
            !PQenterPipelineMode(d->session->connection))
                return session_lost(d->session, error);
        return pipeline_send(d, s, one, error);
}

int pg_settle(PgDatabase *d, Error *error) {
        _cleanup_error_ Error failure = {};

        if (d->failure.id == ERROR_NONE && pipeline_end(d, &failure) < 0)
                pg_keep_failure(d, &failure);
        return d->failure.id != ERROR_NONE ? failure_tell(d, error) : 0;
}

void pg_forget(PgDatabase *d) {
        (void) !pipeline_end(d, NULL);
        error_done(&d->failure);
}
