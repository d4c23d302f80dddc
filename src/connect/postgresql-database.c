/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-database.h"

#include <poll.h>
#include <time.h>

#include "basic/credential.h"
#include "basic/text.h"
#include "connect/sqlstate.h"

#define CONNECT_TIMEOUT_SEC 10
#define PARAMETERS_MAX      16

/* ---- what went wrong ---- */

/* libpq ends its sentences with a newline, and may say several. */
static char *one_line(const char *text) {
        char *line = strdup(text ? text : "");
        size_t size = line ? strlen(line) : 0;

        while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == ' '))
                line[--size] = '\0';
        for (size_t i = 0; i < size; i++)
                if (line[i] == '\n' || line[i] == '\t')
                        line[i] = ' ';
        return line;
}

static int fail_with(const System *system, const char *what, const char *state, const char *message,
                     const char *column, bool of_record, Error *error) {
        const char *remedy;
        ErrorId id = sqlstate_error(state, of_record, &remedy);
        int r;

        if (id == ERROR_RECORD_REFUSED)
                r = error_set(error, id, remedy, "%s refused the record: %s (SQLSTATE %s)", what, message,
                              state);
        else
                r = error_set(error, id, remedy, state && *state ? "System \"%s\": %s: %s (SQLSTATE %s)"
                                                                 : "System \"%s\": %s: %s",
                              system->name, what, message, state);
        if (column)
                (void) error_field(error, column);
        return r;
}

int pg_fail(PGconn *db, const PGresult *result, const System *system, const char *what, bool of_record,
            Error *error) {
        const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
        const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
        _cleanup_free_ char *message = NULL;

        if (!db)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a session with \"%s\"",
                                 system->name);
        /* Details are left out: they show the record's values. */
        message = one_line(primary ? primary : result ? PQresultErrorMessage(result) : PQerrorMessage(db));
        if (!message)
                return -ENOMEM;
        return fail_with(system, what, state, *message ? message : "the connection was lost",
                         result ? PQresultErrorField(result, PG_DIAG_COLUMN_NAME) : NULL, of_record, error);
}

int pg_execute(PGconn *db, const System *system, const char *sql, Error *error) {
        _cleanup_result_ PGresult *result = PQexec(db, sql);
        ExecStatusType status = PQresultStatus(result);

        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
                return 0;
        return pg_fail(db, result, system, "cannot go on", false, error);
}

int pg_query(PGconn *db, const System *system, const char *sql, const char *const *parameters,
             PGresult **ret, Error *error) {
        _cleanup_result_ PGresult *result = NULL;
        int n = 0;

        while (parameters && parameters[n])
                n++;
        result = PQexecParams(db, sql, n, NULL, parameters, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
                return pg_fail(db, result, system, "cannot look it up", false, error);
        *ret = TAKE_PTR(result);
        return 0;
}

/* ---- opening ---- */

typedef struct Parameters {
        const char *names[PARAMETERS_MAX], *values[PARAMETERS_MAX];
        size_t n;
} Parameters;

static void parameter_add(Parameters *p, const char *name, const char *value) {
        assert(p->n + 1 < PARAMETERS_MAX);
        p->names[p->n] = name;
        p->values[p->n++] = value;
}

/* In verbose form a message of the server's has its SQLSTATE behind the severity: libpq keeps it nowhere
 * else before a session is open. With several hosts the last one counts. */
static void connect_state(const char *message, char state[static 6]) {
        state[0] = '\0';
        for (const char *at = message; (at = strstr(at, ":  ")); at++) {
                const char *code = at + 3;
                size_t n = strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

                if (n == 5 && text_starts_with(code + 5, ": ")) {
                        memcpy(state, code, 5);
                        state[5] = '\0';
                }
        }
}

/* Cuts what the verbose form adds: the SQLSTATE, which is told by itself, and "LOCATION:  …". */
static void message_cut(char *message, const char *state) {
        char *location = strstr(message, "LOCATION:"), *code = *state ? strstr(message, state) : NULL;

        if (location) {
                while (location > message && location[-1] == ' ')
                        location--;
                *location = '\0';
        }
        if (code && text_starts_with(code + strlen(state), ": "))
                (void) memmove(code, code + strlen(state) + 2, strlen(code + strlen(state) + 2) + 1);
}

static int connect_fail(PGconn *db, const System *system, bool timed_out, Error *error) {
        _cleanup_free_ char *message = NULL;
        char state[6];

        if (timed_out)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE,
                                 "Check that the server runs and can be reached; it is tried again",
                                 "System \"%s\": no answer within %d s", system->name, CONNECT_TIMEOUT_SEC);
        connect_state(PQerrorMessage(db), state);
        if (!state[0] && PQconnectionNeedsPassword(db))
                memcpy(state, "28P01", sizeof(state));
        message = one_line(PQerrorMessage(db));
        if (!message)
                return -ENOMEM;
        message_cut(message, state);
        return fail_with(system, "cannot connect", state, message, NULL, false, error);
}

static int64_t now_msec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the session is open, or failed, or the time is up. */
static int connect_wait(PGconn *db, const System *system, Error *error) {
        int64_t end = now_msec() + CONNECT_TIMEOUT_SEC * 1000;
        PostgresPollingStatusType status = PGRES_POLLING_WRITING;

        while (status != PGRES_POLLING_OK) {
                struct pollfd poller = {.fd = PQsocket(db),
                                        .events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT};
                int64_t rest = end - now_msec();

                if (status == PGRES_POLLING_FAILED || poller.fd < 0)
                        return connect_fail(db, system, false, error);
                if (rest <= 0)
                        return connect_fail(db, system, true, error);
                if (poll(&poller, 1, (int) rest) > 0)
                        status = PQconnectPoll(db);
        }
        return 0;
}

/* connection: as it is, then what must not depend on it. */
static int connect_begin(const System *system, const char *secret, bool replication, PGconn **ret, Error *error) {
        static const char remedy[] = "Write it as libpq has it: \"host=… dbname=… user=…\", or "
                                     "postgresql://user@host/dbname";
        _cleanup_session_ PGconn *db = NULL;
        PQconninfoOption *options;
        Parameters p = {};

        if (!system->connection)
                return error_set(error, ERROR_CONFIGURATION, remedy, "System \"%s\" has no connection",
                                 system->name);
        /* Its own message would quote the text, and perhaps a password in it. */
        options = PQconninfoParse(system->connection, NULL);
        if (!options)
        {
                int r = error_set(error, ERROR_CONFIGURATION, remedy, "System \"%s\": connection: cannot be read", system->name);

                return system->file ? error_at(error, system->file, system->line, 0) : r;
        }
        PQconninfoFree(options);
        parameter_add(&p, "tcp_user_timeout", "30000");
        parameter_add(&p, "keepalives_idle", "30");
        parameter_add(&p, "keepalives_interval", "10");
        parameter_add(&p, "keepalives_count", "3");
        parameter_add(&p, "dbname", system->connection);
        parameter_add(&p, "application_name", connector_name());
        parameter_add(&p, "client_encoding", "UTF8");
        if (secret)
                parameter_add(&p, "password", secret);
        if (replication)
                parameter_add(&p, "replication", "database");
        db = PQconnectStartParams(p.names, p.values, 1);
        if (!db)
                return pg_fail(NULL, NULL, system, "", false, error);
        (void) PQsetErrorVerbosity(db, PQERRORS_VERBOSE);
        *ret = TAKE_PTR(db);
        return 0;
}

static void notice_ignore(void *argument, const PGresult *result) {}

/* The modes that our statements rely on, and limits so that nothing waits for ever. */
static int session_prepare(PGconn *db, const System *system, bool write, Error *error) {
        char sql[512];
        unsigned long long timeout_msec = system->statement_timeout_usec / 1000, lock_msec = 30000;

        /* A lock that is not got says more than a statement that took too long. */
        if (lock_msec > timeout_msec / 2 && timeout_msec > 0)
                lock_msec = timeout_msec / 2;
        (void) snprintf(sql, sizeof(sql),
                        "set statement_timeout = %llu; set lock_timeout = %llu; "
                        "set standard_conforming_strings = on; set datestyle = 'ISO'; set intervalstyle = "
                        "'iso_8601'; set bytea_output = 'hex'; set extra_float_digits = 1; "
                        "set client_min_messages = 'warning'; set session characteristics as transaction %s",
                        timeout_msec, lock_msec, write ? "read write" : "read only");
        return pg_execute(db, system, sql, error);
}

static int session_open(const System *system, bool write, bool replication, PGconn **ret, Error *error) {
        _cleanup_session_ PGconn *db = NULL;
        _cleanup_secret_ char *secret = NULL;
        int r = 0;

        if (system->credential)
                r = credential_need(system->credential, &secret, error);
        if (r >= 0)
                r = connect_begin(system, secret, replication, &db, error);
        if (r >= 0)
                r = connect_wait(db, system, error);
        if (r < 0)
                return r;
        if (PQserverVersion(db) < PG_VERSION_MIN)
                return error_set(error, ERROR_SYSTEM_REFUSED, "Use a server from version 12 on",
                                 "System \"%s\": the server has version %d.%d", system->name,
                                 PQserverVersion(db) / 10000, PQserverVersion(db) % 10000);
        (void) PQsetErrorVerbosity(db, PQERRORS_DEFAULT);
        (void) PQsetNoticeReceiver(db, notice_ignore, NULL);
        r = session_prepare(db, system, write, error);
        /* The server would end the scan at the first text that is no UTF-8; so the record's converter tells. */
        if (r >= 0 && !write && text_equal(PQparameterStatus(db, "server_encoding"), "SQL_ASCII"))
                r = pg_execute(db, system, "set client_encoding = 'SQL_ASCII'", error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(db);
        return 0;
}

int pg_session_open(const System *system, bool write, PGconn **ret, Error *error) {
        return session_open(system, write, false, ret, error);
}

int pg_replication_open(const System *system, PGconn **ret, Error *error) {
        return session_open(system, false, true, ret, error);
}
