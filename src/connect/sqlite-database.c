/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlite-database.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "basic/limits.h"

int sqlite_busy_timeout_msec = 5000;

int sqlite_fail(sqlite3 *db, int rc, const System *system, const char *what, Error *error) {
        const char *message = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc), *remedy = NULL;
        ErrorId id;

        switch (rc & 0xff) {
        case SQLITE_NOMEM:
                id = ERROR_OUT_OF_MEMORY;
                break;
        case SQLITE_FULL:
                id = ERROR_DISK_FULL;
                remedy = "Make room on the disk that holds the database";
                break;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
                id = ERROR_SYSTEM_BUSY;
                remedy = "Another program holds the database; it is tried again, or end that program's "
                         "transaction";
                break;
        case SQLITE_READONLY:
                id = ERROR_SYSTEM_READ_ONLY;
                remedy = "Give the service write permission to the file and its folder";
                break;
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
                id = ERROR_FILE_FORMAT;
                remedy = "Check path: of the system, or restore the database from a backup";
                break;
        case SQLITE_IOERR:
                id = ERROR_IO;
                break;
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
                id = ERROR_SYSTEM_UNAVAILABLE;
                remedy = "Give the service access to the file and its folder (a database in WAL mode keeps "
                         "two files beside it)";
                break;
        default:
                id = ERROR_SYSTEM_REFUSED;
        }
        return error_set(error, id, remedy, "System \"%s\" (%s): %s: %s", system->name, system->path, what,
                         message);
}

int sqlite_execute(sqlite3 *db, const System *system, const char *sql, Error *error) {
        int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

        return rc == SQLITE_OK ? 0 : sqlite_fail(db, rc, system, sql, error);
}

int sqlite_prepare(sqlite3 *db, const System *system, const char *sql, sqlite3_stmt **ret, Error *error) {
        int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

        return rc == SQLITE_OK ? 0 : sqlite_fail(db, rc, system, "cannot prepare a statement", error);
}

/* A database in WAL mode on a medium that nobody can write (a CD, a read-only mount) is opened as one that does not change. With a -wal of
 * its own beside it that would leave out its last changes. 1: it is such a one, 0: no. */
static int is_immutable(const System *system, Error *error) {
        _cleanup_free_ char *wal = NULL;
        struct statvfs fs;
        struct stat st;

        if (statvfs(system->path, &fs) < 0 || !(fs.f_flag & ST_RDONLY))
                return 0;
        if (asprintf(&wal, "%s-wal", system->path) < 0) {
                wal = NULL;
                return -ENOMEM;
        }
        if (stat(wal, &st) == 0 && st.st_size > 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Copy the file and its -wal to a folder that can be written",
                                 "System \"%s\": \"%s\" has changes in its -wal, which cannot be read on a medium that is read-only",
                                 system->name, system->path);
        return 1;
}

/* file:PATH?immutable=1, with what a URI would read differently as %XX. */
static int immutable_uri(const char *path, char **ret) {
        _cleanup_free_ char *uri = malloc(3 * strlen(path) + sizeof("file:?immutable=1"));
        char *at;

        if (!uri)
                return -ENOMEM;
        at = stpcpy(uri, "file:");
        for (; *path; path++)
                at += strchr("?#%", *path) ? snprintf(at, 4, "%%%02X", (unsigned) *path) : snprintf(at, 2, "%c", *path);
        (void) stpcpy(at, "?immutable=1");
        *ret = TAKE_PTR(uri);
        return 0;
}

static int handle_open(const System *system, bool write, sqlite3 **ret, Error *error) {
        _cleanup_free_ char *uri = NULL;
        int flags = write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, immutable, r, rc;

        immutable = write ? 0 : is_immutable(system, error);
        if (immutable < 0)
                return immutable;
        if (immutable) {
                r = immutable_uri(system->path, &uri);
                if (r < 0)
                        return r;
                flags |= SQLITE_OPEN_URI;
        }
        rc = sqlite3_open_v2(uri ? uri : system->path, ret, flags | SQLITE_OPEN_NOMUTEX, NULL);
        return rc == SQLITE_OK ? 0 : sqlite_fail(*ret, rc, system, "cannot open it", error);
}

int sqlite_db_open(const System *system, bool write, sqlite3 **ret, Error *error) {
        static const char pragmas[] = "pragma mmap_size = 0; pragma schema_version";
        _cleanup_free_ char *cache = NULL;
        _cleanup_db_ sqlite3 *db = NULL;
        struct stat st;
        int r;

        if (!system->path)
                return error_set(error, ERROR_CONFIGURATION, "Add path: to the system",
                                 "System \"%s\" has no path", system->name);
        if (stat(system->path, &st) < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE,
                                 "Check path: of the system; a database is never created",
                                 "System \"%s\": cannot find \"%s\": %m", system->name, system->path);
        r = handle_open(system, write, &db, error);
        if (r < 0)
                return r;
        (void) sqlite3_extended_result_codes(db, 1);
        (void) sqlite3_busy_timeout(db, sqlite_busy_timeout_msec);
        /* A misspelt column must not turn into a text; a source's views must not call what they like. */
        (void) sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        if (!write)
                (void) sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        if (asprintf(&cache, "pragma cache_size = -%d", SQLITE_CACHE_KIB) < 0) {
                cache = NULL;
                return -ENOMEM;
        }
        r = sqlite_execute(db, system, cache, error);
        if (r == 0)
                r = sqlite_execute(db, system, pragmas, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(db);
        return 0;
}

static const char *column_chars(sqlite3_stmt *statement, int index) {
        return (const char *) sqlite3_column_text(statement, index);
}

/* A statement about a table that may be named with its schema: ?1 name, ?2 schema or null. */
static int prepare_of_table(sqlite3 *db, const System *system, const char *sql, const char *table,
                            sqlite3_stmt **ret, Error *error) {
        const char *dot = strchr(table, '.');
        int r;

        if (dot && (dot == table || dot[1] == '\0'))
                dot = NULL;
        r = sqlite_prepare(db, system, sql, ret, error);
        if (r < 0)
                return r;
        (void) sqlite3_bind_text(*ret, 1, dot ? dot + 1 : table, -1, SQLITE_TRANSIENT);
        if (dot)
                (void) sqlite3_bind_text(*ret, 2, table, (int) (dot - table), SQLITE_TRANSIENT);
        return 0;
}

static int names_load(sqlite3 *db, const System *system, char ***ret, Error *error) {
        static const char sql[] = "select name from sqlite_schema where type in ('table', 'view') and name "
                                  "not like 'sqlite\\_%' escape '\\'";
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_strings_ char **names = NULL;
        int rc, r;

        r = sqlite_prepare(db, system, sql, &statement, error);
        if (r < 0)
                return r;
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
                r = strings_append(&names, column_chars(statement, 0));
                if (r < 0)
                        return r;
        }
        if (rc != SQLITE_DONE)
                return sqlite_fail(db, rc, system, "cannot list its tables", error);
        *ret = TAKE_PTR(names);
        return 0;
}

static int columns_load(sqlite3 *db, const System *system, Table *t, bool strict, Error *error) {
        static const char sql[] = "select name, type, \"notnull\", dflt_value is not null, pk, hidden from "
                                  "pragma_table_xinfo(?1, ?2)";
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        int rc, r;

        r = prepare_of_table(db, system, sql, t->name, &statement, error);
        if (r < 0)
                return r;
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
                const char *type = column_chars(statement, 1);
                TableColumn *column = table_column_add(t, column_chars(statement, 0));

                if (!column)
                        return -ENOMEM;
                column->type = type && *type ? strdup(type) : NULL;
                if (type && *type && !column->type)
                        return -ENOMEM;
                column->affinity = sqlite_affinity(type, strict);
                column->key_place = (unsigned) sqlite3_column_int(statement, 4);
                /* "integer primary key" fills itself. */
                column->required = sqlite3_column_int(statement, 2) && !sqlite3_column_int(statement, 3) &&
                                   !(column->key_place > 0 && type && strcasecmp(type, "integer") == 0);
                column->generated = sqlite3_column_int(statement, 5) > 0;
        }
        return rc == SQLITE_DONE ? 0 : sqlite_fail(db, rc, system, "cannot read a table's columns", error);
}

static int indexes_load(sqlite3 *db, const System *system, Table *t, Error *error) {
        static const char sql[] =
                "select list.seq, list.\"unique\", info.name"
                " from pragma_index_list(?1, ?2) as list, pragma_index_info(list.name, ?2) as info"
                " where not list.partial"
                " and not exists (select 1 from pragma_index_info(list.name, ?2) as part where part.name is "
                "null)"
                " order by list.seq, info.seqno";
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        int rc, r, last = -1;

        r = prepare_of_table(db, system, sql, t->name, &statement, error);
        if (r < 0)
                return r;
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
                if (sqlite3_column_int(statement, 0) != last) {
                        last = sqlite3_column_int(statement, 0);
                        r = table_index_add(t, NULL, sqlite3_column_int(statement, 1));
                        if (r < 0)
                                return r;
                }
                r = strings_append(&t->indexes[t->n_indexes - 1].columns, column_chars(statement, 2));
                if (r < 0)
                        return r;
        }
        return rc == SQLITE_DONE ? 0 : sqlite_fail(db, rc, system, "cannot read a table's indexes", error);
}

int sqlite_table_load(sqlite3 *db, const System *system, const char *name, Table **ret, Error *error) {
        static const char sql[] =
                "select type = 'view', wr, strict from pragma_table_list"
                " where name = ?1 collate nocase and (?2 is null or schema = ?2 collate nocase)";
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        _cleanup_strings_ char **names = NULL;
        int rc, r;

        r = prepare_of_table(db, system, sql, name, &statement, error);
        if (r < 0)
                return r;
        rc = sqlite3_step(statement);
        if (rc == SQLITE_DONE) {
                r = names_load(db, system, &names, error);
                return r < 0 ? r : table_missing("table", name, system->name, names, error);
        }
        if (rc != SQLITE_ROW)
                return sqlite_fail(db, rc, system, "cannot look up a table", error);
        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->name = strdup(name);
        if (!t->name)
                return -ENOMEM;
        r = columns_load(db, system, t, sqlite3_column_int(statement, 2), error);
        if (r == 0)
                r = indexes_load(db, system, t, error);
        if (r == 0 && !sqlite3_column_int(statement, 0))
                r = sqlite_identity(t, sqlite3_column_int(statement, 1));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

int sqlite_bind_stored(sqlite3_stmt *statement, int index, const StoredValue *stored) {
        switch (stored->type) {
        case STORED_INTEGER:
                return sqlite3_bind_int64(statement, index, stored->integer);
        case STORED_TEXT:
                return sqlite3_bind_text64(statement, index, stored->bytes, stored->size,
                                           stored->bytes == stored->text ? SQLITE_TRANSIENT : SQLITE_STATIC,
                                           SQLITE_UTF8);
        case STORED_BLOB:
                if (stored->size == 0)
                        return sqlite3_bind_zeroblob(statement, index, 0);
                return sqlite3_bind_blob64(statement, index, stored->bytes, stored->size, SQLITE_STATIC);
        case STORED_NULL:
                break;
        }
        return sqlite3_bind_null(statement, index);
}
