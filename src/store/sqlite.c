/* SPDX-License-Identifier: Apache-2.0 */
#include "store/database.h"
#include <sqlite3.h>
#include <sys/stat.h>
#include "basic/limits.h"

#define BUSY_TIMEOUT_MSEC 5000
/* After a transaction larger than this the write-ahead log gives the space back. */
#define WAL_BYTES_KEPT (16 * 1024 * 1024)

struct Statement {
        sqlite3_stmt *handle;
        Database *database;
        const char *sql; /* static: its address is the cache's key */
};

struct Database {
        sqlite3 *handle;
        char *path;
        Statement **statements;
        size_t n_statements, statements_capacity;
};

static int error_of_file(Database *d, const char *doing, Error *error) {
        int number = sqlite3_system_errno(d->handle);

        if (number == ENOSPC || number == EDQUOT)
                return error_set(error, ERROR_DISK_FULL,
                                 "Make room on the disk that holds the state folder; the operation goes on "
                                 "by itself.",
                                 "Cannot %s \"%s\": %s", doing, d->path, strerror(number));
        return error_set(error, ERROR_IO,
                         "Check that the disk is sound and that the service's user may read and write the "
                         "file and its folder.",
                         "Cannot %s \"%s\": %s", doing, d->path,
                         number != 0 ? strerror(number) : sqlite3_errmsg(d->handle));
}

/* One place that says what SQLite's results mean for our users. */
static int database_error(Database *d, const char *doing, Error *error) {
        int code = sqlite3_extended_errcode(d->handle);

        switch (code & 0xff) {
        case SQLITE_FULL:
                return error_set(error, ERROR_DISK_FULL,
                                 "Make room on the disk that holds the state folder; the operation goes on "
                                 "by itself.",
                                 "Cannot %s \"%s\": the disk is full", doing, d->path);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return error_set(error, ERROR_SYSTEM_BUSY,
                                 "Find the program that holds the file open (lsof) and let it finish; it is "
                                 "tried again.",
                                 "Cannot %s \"%s\": another process has locked it for more than %d s", doing,
                                 d->path, BUSY_TIMEOUT_MSEC / 1000);
        case SQLITE_NOMEM:
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Cannot %s \"%s\": out of memory", doing,
                                 d->path);
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return error_of_file(d, doing, error);
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
                return error_set(error, ERROR_FILE_FORMAT,
                                 "Restore the file from a backup, or move it away: it is then made anew by "
                                 "a full sync.",
                                 "Cannot %s \"%s\": %s", doing, d->path, sqlite3_errmsg(d->handle));
        case SQLITE_CONSTRAINT:
                if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
                        return error_set(error, ERROR_CONFLICT, NULL, "Cannot %s \"%s\": %s", doing, d->path,
                                         sqlite3_errmsg(d->handle));
                break;
        }
        return error_set(error, ERROR_INTERNAL, "Please report this with the text of the message.",
                         "Cannot %s \"%s\": %s", doing, d->path, sqlite3_errmsg(d->handle));
}

static Statement *statement_free(Statement *s) {
        if (!s)
                return NULL;
        (void) sqlite3_finalize(s->handle);
        free(s);
        return NULL;
}

Database *database_close(Database *d) {
        if (!d)
                return NULL;
        for (size_t i = 0; i < d->n_statements; i++)
                statement_free(d->statements[i]);
        free(d->statements);
        (void) sqlite3_close(d->handle);
        free(d->path);
        free(d);
        return NULL;
}

/* A connection belongs to one thread at a time, so SQLite's own mutexes would only cost. */
static int database_connect(const char *path, int flags, Database **ret, Error *error) {
        _cleanup_(database_closep) Database *d = calloc(1, sizeof(*d));

        if (!d || !(d->path = strdup(path)))
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Cannot open \"%s\": out of memory",
                                 path);
        if (sqlite3_open_v2(path, &d->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) !=
            SQLITE_OK) {
                if (!d->handle)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL,
                                         "Cannot open \"%s\": out of memory", path);
                return database_error(d, "open", error);
        }
        (void) sqlite3_busy_timeout(d->handle, BUSY_TIMEOUT_MSEC);
        *ret = TAKE_PTR(d);
        return 0;
}

int database_execute(Database *d, const char *sql, Error *error) {
        if (sqlite3_exec(d->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
                return database_error(d, "write", error);
        return 0;
}

static int database_pragma(Database *d, const char *format, int value, Error *error) {
        char *sql = sqlite3_mprintf(format, value);
        int r;

        if (!sql)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Cannot open \"%s\": out of memory",
                                 d->path);
        r = database_execute(d, sql, error);
        sqlite3_free(sql);
        return r;
}

static int database_version(Database *d, int *ret, Error *error) {
        sqlite3_stmt *s = NULL;
        int result, version = 0;

        result = sqlite3_prepare_v2(d->handle, "pragma user_version", -1, &s, NULL);
        if (result == SQLITE_OK)
                result = sqlite3_step(s);
        if (result == SQLITE_ROW)
                version = sqlite3_column_int(s, 0);
        if (result != SQLITE_ROW)
                result = database_error(d, "read", error);
        (void) sqlite3_finalize(s);
        if (result < 0)
                return result;
        *ret = version;
        return 0;
}

/* Another process may have migrated while we waited for the lock: the version is read again inside the
 * transaction. */
static int database_migrate_step(Database *d, const char *const *migrations, int n, Error *error) {
        int version, r;

        r = database_begin(d, error);
        if (r < 0)
                return r;
        r = database_version(d, &version, error);
        if (r == 0 && version < n)
                r = database_execute(d, migrations[version], error);
        if (r == 0 && version < n)
                r = database_pragma(d, "pragma user_version = %d", version + 1, error);
        if (r == 0)
                r = database_commit(d, error);
        if (r < 0)
                database_rollback(d);
        return r;
}

static int database_migrate(Database *d, const char *const *migrations, Error *error) {
        int n = 0, version, r;

        while (migrations[n])
                n++;
        for (;;) {
                r = database_version(d, &version, error);
                if (r < 0)
                        return r;
                if (version > n)
                        return error_set(error, ERROR_FILE_FORMAT,
                                         "Install the version that wrote it, or a newer one.",
                                         "\"%s\" was written by a newer version (format %d, this program "
                                         "knows up to %d)",
                                         d->path, version, n);
                if (version == n)
                        return 0;
                r = database_migrate_step(d, migrations, n, error);
                if (r < 0)
                        return r;
        }
}

int database_open(const char *path, const char *const *migrations, Database **ret, Error *error) {
        _cleanup_(database_closep) Database *d = NULL;
        int r;

        r = database_connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &d, error);
        if (r < 0)
                return r;
        r = database_execute(
                d,
                "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;"
                "pragma temp_store = memory",
                error);
        if (r < 0)
                return r;
        r = database_pragma(d, "pragma cache_size = -%d", SQLITE_CACHE_KIB, error);
        if (r < 0)
                return r;
        r = database_pragma(d, "pragma journal_size_limit = %d", WAL_BYTES_KEPT, error);
        if (r < 0)
                return r;
        r = database_migrate(d, migrations, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

int database_open_read_only(const char *path, Database **ret, Error *error) {
        _cleanup_(database_closep) Database *d = NULL;
        struct stat st;
        int version, r;

        if (stat(path, &st) < 0 && errno == ENOENT)
                return -ENOENT;
        r = database_connect(path, SQLITE_OPEN_READONLY, &d, error);
        if (r < 0)
                return r;
        r = database_version(d, &version, error);
        if (r < 0)
                return r;
        if (version == 0) /* just being made */
                return -ENOENT;
        *ret = TAKE_PTR(d);
        return 0;
}

int database_begin(Database *d, Error *error) { return database_execute(d, "begin immediate", error); }

int database_commit(Database *d, Error *error) { return database_execute(d, "commit", error); }

/* After some failures SQLite has rolled back already; then there is nothing left to do. */
void database_rollback(Database *d) {
        for (size_t i = 0; i < d->n_statements; i++)
                statement_reset(d->statements[i]);
        if (!sqlite3_get_autocommit(d->handle))
                (void) sqlite3_exec(d->handle, "rollback", NULL, NULL, NULL);
}

static int statement_new(Database *d, const char *sql, Statement **ret, Error *error) {
        Statement *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Cannot read \"%s\": out of memory",
                                 d->path);
        s->database = d;
        s->sql = sql;
        if (sqlite3_prepare_v3(d->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->handle, NULL) !=
            SQLITE_OK) {
                r = database_error(d, "read", error);
                statement_free(s);
                return r;
        }
        *ret = s;
        return 0;
}

int database_prepare(Database *d, const char *sql, Statement **ret, Error *error) {
        int r;

        for (size_t i = 0; i < d->n_statements; i++)
                if (d->statements[i]->sql == sql) {
                        statement_reset(d->statements[i]);
                        (void) sqlite3_clear_bindings(d->statements[i]->handle);
                        *ret = d->statements[i];
                        return 0;
                }
        r = array_grow(&d->statements, &d->statements_capacity, d->n_statements + 1, sizeof(*d->statements));
        if (r < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Cannot read \"%s\": out of memory",
                                 d->path);
        r = statement_new(d, sql, &d->statements[d->n_statements], error);
        if (r < 0)
                return r;
        *ret = d->statements[d->n_statements++];
        return 0;
}

/* Binding fails only for a parameter that the statement does not have (a mistake of ours) or values beyond
 * SQLite's limits. */
void statement_bind_integer(Statement *s, int parameter, int64_t value) {
        int result = sqlite3_bind_int64(s->handle, parameter, value);

        assert(result == SQLITE_OK);
}

void statement_bind_text(Statement *s, int parameter, const char *text) {
        int result = sqlite3_bind_text(s->handle, parameter, text, -1, SQLITE_STATIC);

        assert(result == SQLITE_OK);
}

/* No bytes are an empty blob, not null: keys compare with it. */
void statement_bind_bytes(Statement *s, int parameter, const void *bytes, size_t size) {
        int result = sqlite3_bind_blob64(s->handle, parameter, size > 0 ? bytes : "", size, SQLITE_STATIC);

        assert(result == SQLITE_OK);
}

void statement_bind_null(Statement *s, int parameter) {
        int result = sqlite3_bind_null(s->handle, parameter);

        assert(result == SQLITE_OK);
}

int statement_step(Statement *s, Error *error) {
        int result = sqlite3_step(s->handle), r;

        if (result == SQLITE_ROW)
                return 1;
        r = result == SQLITE_DONE
                    ? 0
                    : database_error(s->database, sqlite3_stmt_readonly(s->handle) ? "read" : "write",
                                     error);
        (void) sqlite3_reset(s->handle);
        return r;
}

int statement_run(Statement *s, Error *error) {
        int r;

        do
                r = statement_step(s, error);
        while (r > 0);
        return r;
}

void statement_reset(Statement *s) { (void) sqlite3_reset(s->handle); }

int64_t statement_integer(Statement *s, int column) { return sqlite3_column_int64(s->handle, column); }

const char *statement_text(Statement *s, int column) {
        return (const char *) sqlite3_column_text(s->handle, column);
}

const void *statement_bytes(Statement *s, int column, size_t *ret_size) {
        const void *bytes = sqlite3_column_blob(s->handle, column);

        *ret_size = (size_t) sqlite3_column_bytes(s->handle, column);
        return bytes ? bytes : "";
}

bool statement_is_null(Statement *s, int column) {
        return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

int64_t database_changes(Database *d) { return sqlite3_changes64(d->handle); }

int64_t database_last_row(Database *d) { return sqlite3_last_insert_rowid(d->handle); }

const char *database_path(const Database *d) { return d->path; }
