/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Real SQLite files and small mappings for the tests of connect. */
#include "../testing.h"

#include <sqlite3.h>

#include "basic/arena.h"
#include "connect/connector.h"

#define T(text) ((char *) (text))

typedef struct Fixture {
        char *folder, *path;
        System system;
        Mapping mapping;
        Pair pair;
        Connection *connection;
        Error error;
        Arena *arena;
} Fixture;

static inline void run_sql(const char *path, const char *sql) {
        sqlite3 *db = NULL;
        char *message = NULL;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
                fail_msg("%s: %s", sql, message);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The first column of the first row as text; allocated. "(none)" without a row. */
static inline char *ask_sql(const char *path, const char *sql) {
        sqlite3_stmt *statement = NULL;
        sqlite3 *db = NULL;
        char *text = NULL;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        if (sqlite3_step(statement) == SQLITE_ROW) {
                const unsigned char *value = sqlite3_column_text(statement, 0);

                text = strdup(value ? (const char *) value : "null");
        } else
                text = strdup("(none)");
        sqlite3_finalize(statement);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        return text;
}

static inline void assert_sql(const char *path, const char *sql, const char *expected) {
        char *text = ask_sql(path, sql);

        assert_string_equal(text, expected);
        free(text);
}

static inline void fixture_init(Fixture *f, const char *kind, const char *sql) {
        *f = (Fixture){.folder = test_folder_new()};
        assert_true(asprintf(&f->path, "%s/county.db", f->folder) > 0);
        if (sql)
                run_sql(f->path, sql);
        f->system = (System){
                .name = T("pacs"),
                .kind = T(kind),
                .may_write = true,
                .path = f->path,
                .options = json_object(),
                .file = T("sync.yaml"),
                .line = 7,
        };
        f->mapping.entity = T("parcel");
        f->pair = (Pair){.name = T("pacs_to_cama"), .file = T("pacs_to_cama.yaml")};
        assert_int_equal(arena_new(&f->arena), 0);
}

static inline void fixture_open(Fixture *f, bool write) {
        assert_int_equal(connection_open(&f->system, write, &f->connection, &f->error), 0);
}

/* Checks the error and makes room for the next one. */
static inline void assert_error(Fixture *f, ErrorId id, const char *detail, const char *remedy) {
        assert_int_equal(f->error.id, id);
        if (!strstr(f->error.detail, detail))
                fail_msg("\"%s\" does not say \"%s\"", f->error.detail, detail);
        if (remedy && (!f->error.remedy || !strstr(f->error.remedy, remedy)))
                fail_msg("remedy \"%s\" does not say \"%s\"", f->error.remedy ? f->error.remedy : "-",
                         remedy);
        error_done(&f->error);
}

static inline void fixture_done(Fixture *f) {
        connection_close(f->connection);
        error_done(&f->error);
        arena_free(f->arena);
        json_decref(f->system.options);
        free(f->path);
        test_folder_remove(f->folder);
}

static inline void assert_value(Fixture *f, const Value *value, ValueType type, const char *text) {
        assert_int_equal(value->type, type);
        assert_string_equal(value_to_text(value, f->arena, 200), text);
}

/* All records of a scan, each value as text behind "|", records behind newlines. In the arena. */
static inline char *scan_text(Fixture *f, Reader *reader) {
        size_t n = f->mapping.n_columns;
        char *all = arena_printf(f->arena, "%s", "");
        int r;

        for (;;) {
                Value values[16] = {};

                r = reader_next(reader, values, &f->error);
                if (r < 0)
                        fail_msg("scan: %s", f->error.detail);
                if (r == 0)
                        return all;
                for (size_t i = 0; i < n; i++)
                        all = arena_printf(
                                f->arena, "%s%s%s", all,
                                value_is_null(&values[i]) ? "-" : value_to_text(&values[i], f->arena, 200),
                                i + 1 < n ? "|" : "\n");
        }
}

static inline void assert_scan(Fixture *f, const ReadPlan *plan, const char *expected) {
        Reader *reader = NULL;

        if (reader_open(f->connection, plan, &reader, &f->error) < 0)
                fail_msg("reader_open: %s", f->error.detail);
        assert_string_equal(scan_text(f, reader), expected);
        reader_close(reader);
}

/* One change by the call for many: 0, or the refusal (or failure) in error. */
static inline int write_change(Writer *w, const Change *change, Error *error) {
        RecordWrite write = {.change = change};
        int r;

        r = writer_write(w, &write, 1, error);
        if (r <= 0)
                return r;
        assert_int_equal(r, 1);
        error_move(error, &write.refusal);
        return error_errno(error->id);
}

/* One record by the call for many: 1 with its values, 0: there is none, or the refusal in error. */
static inline int fetch_record(Writer *w, Arena *arena, const Value *key, Value **ret, Error *error) {
        RecordFetch fetch = {.key = key};
        int r;

        r = writer_fetch(w, arena, &fetch, 1, error);
        if (r < 0)
                return r;
        if (fetch.refusal.id != ERROR_NONE) {
                error_move(error, &fetch.refusal);
                return error_errno(error->id);
        }
        *ret = fetch.values;
        return fetch.values != NULL;
}
