/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the server that keeps the store. libpq never waits by itself here: a server that is
 * stopped or behind a dead network would hold us for ever. */
#include <poll.h>
#include <time.h>
#include "basic/text.h"
#include "store/postgresql-internal.h"
#include "store/server.h"

#define CONNECT_TIMEOUT_SEC 10
#define ANSWER_GRACE_USEC \
        (5U * 1000U * 1000U) /* beyond statement_timeout, which ends what only takes long */

static uint64_t now_usec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000U + (uint64_t) now.tv_nsec / 1000U;
}

static uint64_t answer_deadline(void) {
        return now_usec() + store_server_statement_timeout_msec() * 1000ULL + ANSWER_GRACE_USEC;
}

/* 1 when the socket is ready, 0 when time is up. */
static int socket_wait(const PGconn *connection, short events, uint64_t deadline) {
        struct pollfd p = {.fd = PQsocket(connection), .events = events};
        int n;

        do {
                uint64_t now = now_usec();

                n = poll(&p, 1, now < deadline ? (int) ((deadline - now) / 1000U) + 1 : 0);
        } while (n < 0 && errno == EINTR);
        return n > 0;
}

/* libpq's message, one line of it: the first says what happened. */
static int first_line(const char *text) { return (int) strcspn(text, "\n"); }

static int unavailable(const char *detail, int size, Error *error) {
        return error_set(
                error, ERROR_SYSTEM_UNAVAILABLE,
                "Look whether the server runs and can be reached; what waits for it goes on by itself.",
                "The state store on %s cannot be reached: %.*s", store_server_name(), size, detail);
}

/* Which of our errors a SQLSTATE is (PostgreSQL 15, appendix A). */
static ErrorId sqlstate_error(const char *state) {
        static const struct {
                const char *prefix;
                ErrorId id;
        } rows[] = {
                {"53100", ERROR_DISK_FULL},
                {"53", ERROR_SYSTEM_UNAVAILABLE},
                {"08", ERROR_SYSTEM_UNAVAILABLE},
                {"57P", ERROR_SYSTEM_UNAVAILABLE},
                {"25006", ERROR_SYSTEM_READ_ONLY},
                {"40", ERROR_SYSTEM_BUSY},
                {"55P03", ERROR_SYSTEM_BUSY},
                {"57014", ERROR_SYSTEM_BUSY},
                {"58", ERROR_IO},
                {"28", ERROR_CONFIGURATION},
                {"3D000", ERROR_CONFIGURATION},
                {"42501", ERROR_CONFIGURATION},
                {"XX001", ERROR_FILE_FORMAT},
                {"XX002", ERROR_FILE_FORMAT},
                {"42P01", ERROR_FILE_FORMAT},
                {"42703", ERROR_FILE_FORMAT},
                {"3F000", ERROR_FILE_FORMAT},
                {"23505", ERROR_CONFLICT},
        };

        for (size_t i = 0; state && i < ELEMENTSOF(rows); i++)
                if (text_starts_with(state, rows[i].prefix))
                        return rows[i].id;
        return ERROR_INTERNAL;
}

/* A message of a refused connection has the SQLSTATE only as text, and only when asked for: "FATAL:  28P01:
 * password authentication failed …". */
static const char *sqlstate_of_message(const char *message, char *ret_state) {
        for (const char *at = strstr(message, ":  "); at; at = strstr(at + 1, ":  ")) {
                const char *state = at + 3;

                if (strspn(state, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5 || state[5] != ':')
                        continue;
                memcpy(ret_state, state, 5);
                ret_state[5] = 0;
                return state[6] == ' ' ? state + 7 : state + 6;
        }
        return NULL;
}

static int connection_refused(const PGconn *connection, Error *error) {
        const char *message = PQerrorMessage(connection), *text;
        char state[6];

        text = sqlstate_of_message(message, state);
        if (!text && PQconnectionNeedsPassword(connection))
                return error_set(error, ERROR_CONFIGURATION,
                                 "Write the password into SYNC_SERVICE_DB_URL or the credential store-password.",
                                 "The state store on %s wants a password, and none is set", store_server_name());
        if (!text)
                return unavailable(message, first_line(message), error);
        if (sqlstate_error(state) == ERROR_CONFIGURATION)
                return error_set(
                        error, ERROR_CONFIGURATION,
                        text_starts_with(state, "3D")
                                ? "Create the database (createdb --encoding=UTF8), or correct its name in "
                                  "SYNC_SERVICE_DB_URL."
                                : "Correct user and password in SYNC_SERVICE_DB_URL, or the server's "
                                  "pg_hba.conf.",
                        "The state store on %s refused us: %.*s (%s)", store_server_name(), first_line(text),
                        text, state);
        return unavailable(text, first_line(text), error);
}

/* All of it: name, address, greeting, password. The URL's connect_timeout, or ours. */
static uint64_t connect_timeout_usec(void) {
        const char *const *keywords, *const *values;
        int64_t seconds = CONNECT_TIMEOUT_SEC;

        store_server_parameters(&keywords, &values);
        for (size_t i = 0; keywords[i]; i++)
                if (text_equal(keywords[i], "connect_timeout"))
                        (void) !text_to_int64(values[i], 1, CONNECT_TIMEOUT_SEC, &seconds);
        return (uint64_t) seconds * 1000000U;
}

static int connection_wait(PGconn *connection, Error *error) {
        uint64_t deadline = now_usec() + connect_timeout_usec();
        PostgresPollingStatusType status = PGRES_POLLING_WRITING;
        static const char late[] = "no answer in time";

        while (status != PGRES_POLLING_OK) {
                if (status == PGRES_POLLING_FAILED)
                        return connection_refused(connection, error);
                if (socket_wait(connection, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline) ==
                    0)
                        return unavailable(late, (int) strlen(late), error);
                status = PQconnectPoll(connection);
        }
        return 0;
}

static int encoding_check(const Session *s, Error *error) {
        const char *encoding = PQparameterStatus(s->connection, "server_encoding");

        if (text_equal(encoding, "UTF8"))
                return 0;
        return error_set(error, ERROR_CONFIGURATION,
                         "Create a database for it with createdb --encoding=UTF8 --template=template0.",
                         "The state store needs a database with encoding UTF8; that of %s is %s",
                         store_server_name(), encoding ? encoding : "unknown");
}

int session_open(const char *path, Session **ret, Error *error) {
        _cleanup_(session_closep) Session *s = calloc(1, sizeof(*s));
        const char *const *keywords, *const *values;
        int r;

        if (!s || !(s->path = strdup(path)))
                return database_no_memory(path, "open", error);
        store_server_parameters(&keywords, &values);
        s->connection = PQconnectStartParams(keywords, values, 0);
        if (!s->connection)
                return database_no_memory(path, "open", error);
        (void) PQsetErrorVerbosity(s->connection, PQERRORS_VERBOSE);
        if (PQstatus(s->connection) == CONNECTION_BAD)
                return connection_refused(s->connection, error);
        r = connection_wait(s->connection, error);
        if (r < 0)
                return r;
        (void) PQsetErrorVerbosity(s->connection, PQERRORS_DEFAULT);
        r = encoding_check(s, error);
        if (r < 0)
                return r;
        if (PQsetnonblocking(s->connection, 1) < 0)
                return database_no_memory(path, "open", error);
        *ret = TAKE_PTR(s);
        return 0;
}

Session *session_close(Session *s) {
        if (!s)
                return NULL;
        PQfinish(s->connection);
        free(s->path);
        free(s);
        return NULL;
}

bool session_is_lost(Session *s) {
        if (!s->is_lost && socket_wait(s->connection, POLLIN, 0) > 0 &&
            (!PQconsumeInput(s->connection) || PQstatus(s->connection) != CONNECTION_OK))
                s->is_lost = true;
        return s->is_lost;
}

int session_lost(Session *s, Error *error) {
        const char *message = PQerrorMessage(s->connection);

        s->is_lost = true;
        if (!*message)
                message = "the connection was lost";
        return unavailable(message, first_line(message), error);
}

static int answer_late(Session *s, Error *error) {
        static const char late[] = "it does not answer";

        s->is_lost = true;
        return unavailable(late, (int) strlen(late), error);
}

static int session_flush(Session *s, Error *error) {
        uint64_t deadline = answer_deadline();
        int n;

        if (s->is_lost)
                return session_lost(s, error);
        while ((n = PQflush(s->connection)) > 0) {
                if (socket_wait(s->connection, POLLIN | POLLOUT, deadline) == 0)
                        return answer_late(s, error);
                if (!PQconsumeInput(s->connection))
                        return session_lost(s, error);
        }
        return n < 0 ? session_lost(s, error) : 0;
}

int session_result(Session *s, PGresult **ret, Error *error) {
        uint64_t deadline = answer_deadline();
        int r;

        r = session_flush(s, error);
        if (r < 0)
                return r;
        while (PQisBusy(s->connection)) {
                if (socket_wait(s->connection, POLLIN, deadline) == 0)
                        return answer_late(s, error);
                if (!PQconsumeInput(s->connection))
                        return session_lost(s, error);
        }
        *ret = PQgetResult(s->connection);
        return 0;
}

static const char *remedy_of(ErrorId id) {
        switch (id) {
        case ERROR_DISK_FULL:
                return "Make room on the server's disk; the operation goes on by itself.";
        case ERROR_SYSTEM_BUSY:
                return "Look what holds it in pg_locks and pg_stat_activity; it is tried again.";
        case ERROR_SYSTEM_UNAVAILABLE:
                return "Look at the server's log; what waits for it goes on by itself.";
        case ERROR_CONFIGURATION:
                return "Let the user of SYNC_SERVICE_DB_URL make schemas: grant create on database … to …";
        case ERROR_FILE_FORMAT:
                return "Restore the schema from a backup, or drop it: it is then made anew by a full sync.";
        case ERROR_CONFLICT:
                return NULL;
        case ERROR_IO:
                return "Check the disk of the server.";
        default:
                return "Please report this with the text of the message.";
        }
}

int session_failure(const Session *s, const PGresult *result, const char *doing, Error *error) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE),
                   *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        ErrorId id = sqlstate_error(state);

        if (id == ERROR_SYSTEM_READ_ONLY) /* a standby that may become the server again */
                id = ERROR_SYSTEM_UNAVAILABLE;
        if (!state && PQstatus(s->connection) != CONNECTION_OK)
                id = ERROR_SYSTEM_UNAVAILABLE;
        if (!message)
                message = PQresultErrorMessage(result);
        return error_set(error, id, remedy_of(id), "Cannot %s \"%s\" on %s: %.*s%s%s%s", doing, s->path,
                         store_server_name(), first_line(message), message, state ? " (" : "",
                         state ? state : "", state ? ")" : "");
}

static bool result_is_good(const PGresult *result) {
        ExecStatusType status = PQresultStatus(result);

        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

int session_collect(Session *s, PGresult **ret, Error *error) {
        _cleanup_result_ PGresult *last = NULL;
        int failed = 0, r;

        for (;;) {
                _cleanup_result_ PGresult *result = NULL;

                r = session_result(s, &result, error);
                if (r < 0)
                        return r;
                if (!result)
                        break;
                if (!result_is_good(result)) {
                        if (failed == 0)
                                failed = session_failure(s, result, "use", error);
                        if (PQstatus(s->connection) != CONNECTION_OK)
                                s->is_lost = true;
                        continue;
                }
                PQclear(last);
                last = TAKE_PTR(result);
        }
        if (failed < 0)
                return failed;
        if (ret)
                *ret = TAKE_PTR(last);
        return 0;
}

int session_execute(Session *s, const char *sql, PGresult **ret, Error *error) {
        if (s->is_lost || !PQsendQuery(s->connection, sql))
                return session_lost(s, error);
        return session_collect(s, ret, error);
}

int session_query(Session *s, const char *sql, const char *const *values, int n_values, PGresult **ret,
                  Error *error) {
        if (s->is_lost || !PQsendQueryParams(s->connection, sql, n_values, NULL, values, NULL, NULL, 0))
                return session_lost(s, error);
        return session_collect(s, ret, error);
}
