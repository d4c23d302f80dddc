/* SPDX-License-Identifier: Apache-2.0 */
#include "store/database-internal.h"
#include <sqlite3.h>
#include <sys/stat.h>
#include "basic/limits.h"

#define BUSY_TIMEOUT_MSEC 5000
/* After a transaction larger than this the write-ahead log gives the space back. */
#define WAL_BYTES_KEPT (16 * 1024 * 1024)

typedef struct SqliteStatement {
        Statement common; /* first */
        sqlite3_stmt *handle;
} SqliteStatement;

typedef struct SqliteDatabase {
        Database common; /* first */
        sqlite3 *handle;
} SqliteDatabase;

static sqlite3 *handle_of(const Database *d) { return ((const SqliteDatabase *) d)->handle; }

static sqlite3_stmt *statement_of(const Statement *s) { return ((const SqliteStatement *) s)->handle; }

static int error_of_file(Database *d, const char *doing, Error *error) {
        int number = sqlite3_system_errno(handle_of(d));

        if (number == ENOSPC || number == EDQUOT)
                return error_set(error, ERROR_DISK_FULL,
                                 "Make room on the disk that holds the state folder; the operation goes on "
                                 "by itself.",
                                 "Cannot %s \"%s\": %s", doing, d->path, strerror(number));
        return error_set(error, ERROR_IO,
                         "Check that the disk is sound and that the service's user may read and write the "
                         "file and its folder.",
                         "Cannot %s \"%s\": %s", doing, d->path,
                         number != 0 ? strerror(number) : sqlite3_errmsg(handle_of(d)));
}

/* One place that says what SQLite's results mean for our users. */
static int sqlite_failure(Database *d, const char *doing, Error *error) {
        int code = sqlite3_extended_errcode(handle_of(d));

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
                return database_no_memory(d->path, doing, error);
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
                                 "Cannot %s \"%s\": %s", doing, d->path, sqlite3_errmsg(handle_of(d)));
        case SQLITE_CONSTRAINT:
                if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
                        return error_set(error, ERROR_CONFLICT, NULL, "Cannot %s \"%s\": %s", doing, d->path,
                                         sqlite3_errmsg(handle_of(d)));
                break;
        }
        return error_set(error, ERROR_INTERNAL, "Please report this with the text of the message.",
                         "Cannot %s \"%s\": %s", doing, d->path, sqlite3_errmsg(handle_of(d)));
}

static void sqlite_statement_done(Statement *s) {
        (void) sqlite3_finalize(statement_of(s));
        free(s);
}

static void sqlite_done(Database *d) {
        (void) sqlite3_close(handle_of(d));
        free(d);
}

/* A connection belongs to one thread at a time, so SQLite's own mutexes would only cost. */
static int sqlite_connect(const char *path, int flags, Database **ret, Error *error) {
        SqliteDatabase *made = calloc(1, sizeof(*made));
        _cleanup_(database_closep) Database *d = made ? &made->common : NULL;

        if (!d)
                return database_no_memory(path, "open", error);
        d->kind = &database_sqlite;
        d->path = strdup(path);
        if (!d->path)
                return database_no_memory(path, "open", error);
        if (sqlite3_open_v2(path, &made->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                            NULL) != SQLITE_OK) {
                if (!made->handle)
                        return database_no_memory(path, "open", error);
                return sqlite_failure(d, "open", error);
        }
        (void) sqlite3_busy_timeout(made->handle, BUSY_TIMEOUT_MSEC);
        *ret = TAKE_PTR(d);
        return 0;
}

static int sqlite_execute(Database *d, const char *sql, Error *error) {
        if (sqlite3_exec(handle_of(d), sql, NULL, NULL, NULL) != SQLITE_OK)
                return sqlite_failure(d, "write", error);
        return 0;
}

static int sqlite_pragma(Database *d, const char *format, int value, Error *error) {
        char *sql = sqlite3_mprintf(format, value);
        int r;

        if (!sql)
                return database_no_memory(d->path, "open", error);
        r = sqlite_execute(d, sql, error);
        sqlite3_free(sql);
        return r;
}

static int sqlite_version(Database *d, int *ret, Error *error) {
        sqlite3_stmt *s = NULL;
        int result, version = 0;

        result = sqlite3_prepare_v2(handle_of(d), "pragma user_version", -1, &s, NULL);
        if (result == SQLITE_OK)
                result = sqlite3_step(s);
        if (result == SQLITE_ROW)
                version = sqlite3_column_int(s, 0);
        if (result != SQLITE_ROW)
                result = sqlite_failure(d, "read", error);
        (void) sqlite3_finalize(s);
        if (result < 0)
                return result;
        *ret = version;
        return 0;
}

static int sqlite_begin(Database *d, Error *error) { return sqlite_execute(d, "begin immediate", error); }

static int sqlite_commit(Database *d, Error *error) { return sqlite_execute(d, "commit", error); }

/* After some failures SQLite has rolled back already; then there is nothing left to do. */
static void sqlite_rollback(Database *d) {
        if (!sqlite3_get_autocommit(handle_of(d)))
                (void) sqlite3_exec(handle_of(d), "rollback", NULL, NULL, NULL);
}

/* Another process may have migrated while we waited for the lock: the version is read again inside the
 * transaction. */
static int sqlite_migrate_step(Database *d, const Migration *migrations, int n, Error *error) {
        int version, r;

        r = sqlite_begin(d, error);
        if (r < 0)
                return r;
        r = sqlite_version(d, &version, error);
        if (r == 0 && version < n)
                r = sqlite_execute(d, migrations[version].sqlite, error);
        if (r == 0 && version < n)
                r = sqlite_pragma(d, "pragma user_version = %d", version + 1, error);
        if (r == 0)
                r = sqlite_commit(d, error);
        if (r < 0)
                sqlite_rollback(d);
        return r;
}

static int sqlite_open(const char *path, const Migration *migrations, Database **ret, Error *error) {
        _cleanup_(database_closep) Database *d = NULL;
        int r;

        r = sqlite_connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &d, error);
        if (r < 0)
                return r;
        r = sqlite_execute(d,
                           "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;"
                           "pragma temp_store = memory",
                           error);
        if (r < 0)
                return r;
        r = sqlite_pragma(d, "pragma cache_size = -%d", SQLITE_CACHE_KIB, error);
        if (r < 0)
                return r;
        r = sqlite_pragma(d, "pragma journal_size_limit = %d", WAL_BYTES_KEPT, error);
        if (r < 0)
                return r;
        r = database_migrate(d, migrations, sqlite_version, sqlite_migrate_step, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

static int sqlite_open_read_only(const char *path, Database **ret, Error *error) {
        _cleanup_(database_closep) Database *d = NULL;
        struct stat st;
        int version, r;

        if (stat(path, &st) < 0 && errno == ENOENT)
                return -ENOENT;
        r = sqlite_connect(path, SQLITE_OPEN_READONLY, &d, error);
        if (r < 0)
                return r;
        r = sqlite_version(d, &version, error);
        if (r < 0)
                return r;
        if (version == 0) /* just being made */
                return -ENOENT;
        *ret = TAKE_PTR(d);
        return 0;
}

static bool sqlite_is_lost(Database *d) { return false; }

static int sqlite_hold(Database *d, const char *what, const char *holder, unsigned wait_msec, Error *error) {
        return 0;
}

static int sqlite_prepare(Database *d, const char *sql, Statement **ret, Error *error) {
        SqliteStatement *made = calloc(1, sizeof(*made));
        Statement *s = made ? &made->common : NULL;
        int r;

        if (!s)
                return database_no_memory(d->path, "read", error);
        s->database = d;
        s->sql = sql;
        if (sqlite3_prepare_v3(handle_of(d), sql, -1, SQLITE_PREPARE_PERSISTENT, &made->handle, NULL) !=
            SQLITE_OK) {
                r = sqlite_failure(d, "read", error);
                sqlite_statement_done(s);
                return r;
        }
        *ret = s;
        return 0;
}

static void sqlite_reset(Statement *s) { (void) sqlite3_reset(statement_of(s)); }

static void sqlite_clear(Statement *s) {
        sqlite_reset(s);
        (void) sqlite3_clear_bindings(statement_of(s));
}

/* Binding fails only for a parameter that the statement does not have (a mistake of ours) or values beyond
 * SQLite's limits. */
static void sqlite_bind_integer(Statement *s, int parameter, int64_t value) {
        int result = sqlite3_bind_int64(statement_of(s), parameter, value);

        assert(result == SQLITE_OK);
}

static void sqlite_bind_text(Statement *s, int parameter, const char *text) {
        int result = sqlite3_bind_text(statement_of(s), parameter, text, -1, SQLITE_STATIC);

        assert(result == SQLITE_OK);
}

/* No bytes are an empty blob, not null: keys compare with it. */
static void sqlite_bind_bytes(Statement *s, int parameter, const void *bytes, size_t size) {
        int result = sqlite3_bind_blob64(statement_of(s), parameter, size > 0 ? bytes : "", size,
                                         SQLITE_STATIC);

        assert(result == SQLITE_OK);
}

static void sqlite_bind_null(Statement *s, int parameter) {
        int result = sqlite3_bind_null(statement_of(s), parameter);

        assert(result == SQLITE_OK);
}

static int sqlite_step(Statement *s, Error *error) {
        int result = sqlite3_step(statement_of(s)), r;

        if (result == SQLITE_ROW)
                return 1;
        r = result == SQLITE_DONE
                    ? 0
                    : sqlite_failure(s->database, sqlite3_stmt_readonly(statement_of(s)) ? "read" : "write",
                                     error);
        (void) sqlite3_reset(statement_of(s));
        return r;
}

static int sqlite_run(Statement *s, bool one, Error *error) {
        int64_t n;
        int r;

        do
                r = sqlite_step(s, error);
        while (r > 0);
        if (r < 0 || !one)
                return r;
        n = sqlite3_changes64(handle_of(s->database));
        return n == 1 ? 0 : database_not_one(s->database, n, error);
}

static int64_t sqlite_integer(Statement *s, int column) {
        return sqlite3_column_int64(statement_of(s), column);
}

static const char *sqlite_text(Statement *s, int column) {
        return (const char *) sqlite3_column_text(statement_of(s), column);
}

static const void *sqlite_bytes(Statement *s, int column, size_t *ret_size) {
        const void *bytes = sqlite3_column_blob(statement_of(s), column);

        *ret_size = (size_t) sqlite3_column_bytes(statement_of(s), column);
        return bytes ? bytes : "";
}

static bool sqlite_is_null(Statement *s, int column) {
        return sqlite3_column_type(statement_of(s), column) == SQLITE_NULL;
}

static int64_t sqlite_changes(Database *d) { return sqlite3_changes64(handle_of(d)); }

const DatabaseKind database_sqlite = {
        .open = sqlite_open,
        .open_read_only = sqlite_open_read_only,
        .done = sqlite_done,
        .is_lost = sqlite_is_lost,
        .hold = sqlite_hold,
        .execute = sqlite_execute,
        .begin = sqlite_begin,
        .commit = sqlite_commit,
        .rollback = sqlite_rollback,
        .changes = sqlite_changes,
        .prepare = sqlite_prepare,
        .statement_done = sqlite_statement_done,
        .clear = sqlite_clear,
        .bind_integer = sqlite_bind_integer,
        .bind_text = sqlite_bind_text,
        .bind_bytes = sqlite_bind_bytes,
        .bind_null = sqlite_bind_null,
        .step = sqlite_step,
        .run = sqlite_run,
        .reset = sqlite_reset,
        .integer = sqlite_integer,
        .text = sqlite_text,
        .bytes = sqlite_bytes,
        .is_null = sqlite_is_null,
};
