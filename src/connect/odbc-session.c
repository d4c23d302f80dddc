/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-database.h"

#include "basic/credential.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "model/connection-string.h"

#define CONNECT_TIMEOUT_SEC 10
#define MESSAGE_BYTES_MAX   4096
#define CELL_BYTES          1024

/* ---- what went wrong ---- */

/* Drivers stack what they have to say, the cause first; the driver manager's "Can't open lib" comes as a warning. */
int odbc_fail(const OdbcConnection *c, SQLSMALLINT type, SQLHANDLE handle, const char *what, bool of_record,
              Error *error) {
        OdbcFamily family = c->dialect ? c->dialect->family : ODBC_UNKNOWN;
        SQLCHAR state[6] = "", message[MESSAGE_BYTES_MAX] = "";
        _cleanup_free_ char *clean = NULL;
        SQLINTEGER native = 0;
        const char *remedy;
        SQLSMALLINT size;
        ErrorId id;

        if (handle == SQL_NULL_HANDLE ||
            !SQL_SUCCEEDED(SQLGetDiagRec(type, handle, 1, state, &native, message, sizeof(message), &size)))
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE,
                                 "Look at the network and the server; it is tried again",
                                 "System \"%s\": %s, and the driver does not say why", c->system->name,
                                 what);
        if (family == ODBC_UNKNOWN)
                family = odbc_family_of_message((const char *) message);
        clean = odbc_message_clean(family, native, (const char *) message);
        if (!clean)
                return -ENOMEM;
        if (!text_is_utf8(clean, strlen(clean)))
                for (char *at = clean; *at; at++)
                        if ((unsigned char) *at >= 0x80)
                                *at = '?';
        id = odbc_error(family, (const char *) state, native, of_record, &remedy);
        if (id == ERROR_RECORD_REFUSED)
                return error_set(error, id, remedy, "%s refused the record: %s (SQLSTATE %s, %ld)", what,
                                 clean, state, (long) native);
        return error_set(error, id, remedy, "System \"%s\": %s: %s (SQLSTATE %s, %ld)", c->system->name,
                         what, clean, state, (long) native);
}

/* A driver that is not there is named with its package; all else is the driver's or the server's to say. */
static int connect_fail(const OdbcConnection *c, Error *error) {
        _cleanup_free_ char *driver = connection_string_find(c->system->connection, "driver"),
                            *remedy = NULL;
        const char *package = odbc_driver_package(driver);
        _cleanup_error_ Error failure = {};
        int r;

        r = odbc_fail(c, SQL_HANDLE_DBC, c->db, "cannot connect", false, &failure);
        if (!strstr(failure.detail ? failure.detail : "", "Can't open lib") &&
            !strstr(failure.detail ? failure.detail : "", "(SQLSTATE IM00")) {
                if (error)
                        error_move(error, &failure);
                return r;
        }
        if (package &&
            asprintf(&remedy, "Run: sudo apt install %s; odbcinst -q -d lists the drivers that are there",
                     package) < 0)
                remedy = NULL;
        return error_set(error, ERROR_SYSTEM_REFUSED,
                         remedy ? remedy
                                : "Correct Driver= or DSN= in connection:, or install the driver; odbcinst "
                                  "-q -d lists the drivers, "
                                  "odbcinst -q -s the sources",
                         "System \"%s\": the ODBC driver \"%s\" is not installed", c->system->name,
                         driver ? driver : "of its DSN");
}

/* ---- statements ---- */

int odbc_statement_new(OdbcConnection *c, SQLHSTMT *ret, Error *error) {
        return SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, c->db, ret))
                       ? 0
                       : odbc_fail(c, SQL_HANDLE_DBC, c->db, "cannot make a statement", false, error);
}

static int execute(OdbcConnection *c, const char *sql, bool of_record, Error *error) {
        _cleanup_odbc_statement_ SQLHSTMT statement = SQL_NULL_HSTMT;
        SQLRETURN rc;
        int r;

        r = odbc_statement_new(c, &statement, error);
        if (r < 0)
                return r;
        rc = SQLExecDirect(statement, (SQLCHAR *) sql, SQL_NTS);
        if (rc == SQL_NO_DATA)
                return 0;
        while (SQL_SUCCEEDED(rc)) {
                rc = SQLMoreResults(statement);
                if (rc == SQL_NO_DATA)
                        return 0;
        }
        return odbc_fail(c, SQL_HANDLE_STMT, statement, "cannot go on", of_record, error);
}

int odbc_execute(OdbcConnection *c, const char *sql, Error *error) { return execute(c, sql, false, error); }

int odbc_execute_of_record(OdbcConnection *c, const char *sql, Error *error) {
        return execute(c, sql, true, error);
}

void odbc_rows_done(OdbcRows *rows) {
        for (size_t i = 0; i < rows->n_rows * rows->n_columns; i++)
                free(rows->cells[i]);
        free(rows->cells);
        *rows = (OdbcRows){};
}

static int cell_read(OdbcConnection *c, SQLHSTMT statement, SQLUSMALLINT column, char **ret, Error *error) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0, capacity = 0;

        for (;;) {
                SQLLEN length;
                SQLRETURN rc;

                if (array_grow(&text, &capacity, size + CELL_BYTES, 1) < 0)
                        return -ENOMEM;
                rc = SQLGetData(statement, column, SQL_C_CHAR, text + size, CELL_BYTES, &length);
                if (rc == SQL_NO_DATA)
                        break;
                if (!SQL_SUCCEEDED(rc))
                        return odbc_fail(c, SQL_HANDLE_STMT, statement, "cannot look it up", false, error);
                if (length == SQL_NULL_DATA)
                        return 0;
                size += strlen(text + size);
                if (rc == SQL_SUCCESS)
                        break;
                if (size > RECORD_BYTES_MAX)
                        return -ERANGE;
        }
        *ret = TAKE_PTR(text);
        return 0;
}

/* An empty answer of a statement that is no select: some drivers have no cursor for it then. */
static bool is_without_cursor(SQLHSTMT statement) {
        SQLCHAR state[6] = "", message[256] = "";
        SQLINTEGER native;
        SQLSMALLINT size;

        return SQL_SUCCEEDED(SQLGetDiagRec(SQL_HANDLE_STMT, statement, 1, state, &native, message,
                                           sizeof(message), &size)) &&
               strcmp((const char *) state, "24000") == 0;
}

static int rows_read(OdbcConnection *c, SQLHSTMT statement, OdbcRows *ret, Error *error) {
        SQLSMALLINT n_columns = 0;
        SQLRETURN rc;
        int r;

        (void) SQLNumResultCols(statement, &n_columns);
        ret->n_columns = (size_t) n_columns;
        if (n_columns == 0) /* nothing to tell, such as the list of replicas where there is none */
                return 0;
        while (SQL_SUCCEEDED(rc = SQLFetch(statement))) {
                size_t n = ret->n_rows * ret->n_columns;

                if (array_grow(&ret->cells, &ret->capacity, n + ret->n_columns, sizeof(char *)) < 0)
                        return -ENOMEM;
                for (size_t i = 0; i < ret->n_columns; i++)
                        ret->cells[n + i] = NULL;
                ret->n_rows++;
                for (SQLUSMALLINT i = 0; i < n_columns; i++) {
                        r = cell_read(c, statement, (SQLUSMALLINT) (i + 1), &ret->cells[n + i], error);
                        if (r < 0)
                                return r;
                }
        }
        return rc == SQL_NO_DATA || (ret->n_rows == 0 && is_without_cursor(statement))
                       ? 0
                       : odbc_fail(c, SQL_HANDLE_STMT, statement, "cannot look it up", false, error);
}

int odbc_query_with(OdbcConnection *c, const char *sql, const char *parameter, OdbcRows *ret, Error *error) {
        _cleanup_odbc_statement_ SQLHSTMT statement = SQL_NULL_HSTMT;
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        SQLLEN length = SQL_NTS;
        int r;

        r = odbc_statement_new(c, &statement, error);
        if (r < 0)
                return r;
        if (parameter &&
            !SQL_SUCCEEDED(SQLBindParameter(statement, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR,
                                            strlen(parameter) + 1, 0, (SQLPOINTER) parameter, 0, &length)))
                return odbc_fail(c, SQL_HANDLE_STMT, statement, "cannot look it up", false, error);
        if (!SQL_SUCCEEDED(SQLExecDirect(statement, (SQLCHAR *) sql, SQL_NTS)))
                return odbc_fail(c, SQL_HANDLE_STMT, statement, "cannot look it up", false, error);
        r = rows_read(c, statement, &rows, error);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (OdbcRows){};
        return 0;
}

int odbc_query(OdbcConnection *c, const char *sql, OdbcRows *ret, Error *error) {
        return odbc_query_with(c, sql, NULL, ret, error);
}

/* ---- opening ---- */

static int connect_text(OdbcConnection *c, const char *text, Error *error) {
        _cleanup_secret_ char *secret = NULL;
        _cleanup_secret_ char *full = NULL;
        SQLRETURN rc;
        int r;

        if (c->system->credential) {
                r = credential_need(c->system->credential, &secret, error);
                if (r < 0)
                        return r;
                full = connection_string_add(text, "PWD", secret);
        } else
                full = strdup(text);
        if (!full)
                return -ENOMEM;
        rc = SQLDriverConnect(c->db, NULL, (SQLCHAR *) full, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
        c->connected = SQL_SUCCEEDED(rc);
        return c->connected ? 0 : connect_fail(c, error);
}

static int handles_make(OdbcConnection *c, bool write, Error *error) {
        if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &c->environment)) ||
            !SQL_SUCCEEDED(
                    SQLSetEnvAttr(c->environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER) SQL_OV_ODBC3, 0)) ||
            !SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, c->environment, &c->db)))
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a session with \"%s\"",
                                 c->system->name);
        /* Not every driver knows them; what matters is set by SQL, too. */
        (void) SQLSetConnectAttr(c->db, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER) CONNECT_TIMEOUT_SEC, 0);
        if (!write)
                (void) SQLSetConnectAttr(c->db, SQL_ATTR_ACCESS_MODE, (SQLPOINTER) SQL_MODE_READ_ONLY, 0);
        return 0;
}

static const char *info_text(OdbcConnection *c, SQLUSMALLINT what, char *buffer, size_t size) {
        SQLSMALLINT length;

        if (!SQL_SUCCEEDED(SQLGetInfo(c->db, what, buffer, (SQLSMALLINT) size, &length)))
                buffer[0] = '\0';
        return buffer;
}

static int database_identify(OdbcConnection *c, Error *error) {
        char name[128], driver[128], version[64];

        (void) info_text(c, SQL_DBMS_NAME, name, sizeof(name));
        (void) info_text(c, SQL_DRIVER_NAME, driver, sizeof(driver));
        (void) info_text(c, SQL_DRIVER_VER, version, sizeof(version));
        free(TAKE_PTR(c->driver));
        if (asprintf(&c->driver, "%s %s", driver, version) < 0) {
                c->driver = NULL;
                return -ENOMEM;
        }
        c->dialect = odbc_dialect_find(name);
        if (c->dialect)
                return 0;
        return error_set(error, ERROR_NOT_YET,
                         "Use a MariaDB, MySQL, PostgreSQL, SQLite or SQL Server database",
                         "System \"%s\": the database \"%s\" (driver %s) is not known", c->system->name,
                         name, c->driver);
}

/* What the connection itself names stands first, and most drivers take the first of two. */
static int options_add(OdbcConnection *c, char **ret) {
        const char *options = c->dialect->options;
        _cleanup_free_ char *text = strdup(c->system->connection);
        ConnectionPart part;

        while (text && connection_part_next(&options, &part) > 0) {
                _cleanup_free_ char *keyword = strndup(part.keyword, part.keyword_size), *named = NULL,
                                    *more = NULL;

                if (!keyword)
                        return -ENOMEM;
                named = connection_string_find(c->system->connection, keyword);
                if (named)
                        continue;
                if (asprintf(&more, "%s;%s=%.*s", text, keyword, (int) part.value_size, part.value) < 0) {
                        more = NULL;
                        return -ENOMEM;
                }
                free(text);
                text = TAKE_PTR(more);
        }
        *ret = TAKE_PTR(text);
        return *ret ? 0 : -ENOMEM;
}

static int session_prepare(OdbcConnection *c, bool write, Error *error) {
        unsigned long long timeout_msec = c->system->statement_timeout_usec / 1000;
        int r = 0;

        for (size_t i = 0; c->dialect->session[i] && r >= 0; i++) {
                const char *place = strstr(c->dialect->session[i], "%llu");
                _cleanup_free_ char *sql = NULL;

                if (place ? asprintf(&sql, "%.*s%llu%s", (int) (place - c->dialect->session[i]),
                                     c->dialect->session[i], timeout_msec, place + 4) < 0
                          : !(sql = strdup(c->dialect->session[i])))
                        return -ENOMEM;
                r = odbc_execute(c, sql, error);
        }
        if (r >= 0 && !write && c->dialect->read_only)
                r = odbc_execute(c, c->dialect->read_only, error);
        return r;
}

static void sessionp(OdbcConnection **c) {
        if (*c)
                odbc_session_close(*c);
}

int odbc_session_open(const System *system, bool write, OdbcConnection **ret, Error *error) {
        _cleanup_(sessionp) OdbcConnection *c = calloc(1, sizeof(*c));
        _cleanup_free_ char *text = NULL;
        int r;

        if (!c)
                return -ENOMEM;
        c->base.connector = &odbc_connector;
        c->system = system;
        c->writes = write;
        r = arena_new(&c->arena);
        if (r >= 0)
                r = handles_make(c, write, error);
        if (r >= 0)
                r = connect_text(c, system->connection, error);
        if (r >= 0)
                r = database_identify(c, error);
        if (r >= 0 && c->dialect->options) {
                r = options_add(c, &text);
                (void) SQLDisconnect(c->db);
                c->connected = false;
                if (r >= 0)
                        r = connect_text(c, text, error);
        }
        if (r >= 0)
                r = session_prepare(c, write, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

void odbc_session_close(OdbcConnection *c) {
        if (c->connected)
                (void) SQLDisconnect(c->db);
        if (c->db)
                (void) SQLFreeHandle(SQL_HANDLE_DBC, c->db);
        if (c->environment)
                (void) SQLFreeHandle(SQL_HANDLE_ENV, c->environment);
        arena_free(c->arena);
        free(c->driver);
        free(c);
}
