/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of a table's rows, summed up in this process, where SQLite runs: a sum costs what reading costs, and saves what comes after it. And the
 * digest of the whole file. */
#include "connect/sqlite-reader.h"

#define DIGEST_PIECE_BYTES 65536

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for ranges of keys");
}

static int bound_take(SqliteReader *r, const char *bound, Arena *arena, Value *values, Error *error) {
        int q = bound ? key_bound_parse(bound, arena, values, (size_t) r->n_identity) : 0;

        if (q == -EBADMSG)
                return error_set(error, ERROR_HISTORY_GONE, "Run the pair with --full",
                                 "The primary key of \"%s\" is no longer the one that ranges were cut by",
                                 r->plan.mapping->from);
        return q < 0 ? no_memory(error) : 0;
}

/* The statement of the range before serves again where it has the same bounds. */
static int statement_take(SqliteReader *r, const KeyRange *range, Error *error) {
        if (r->statement && r->has_after == (range->after != NULL) && r->has_until == (range->until != NULL)) {
                (void) sqlite3_reset(r->statement);
                return 0;
        }
        (void) sqlite3_finalize(TAKE_PTR(r->statement));
        r->has_after = range->after;
        r->has_until = range->until;
        return sqlite_scan_prepare(r->db, &r->plan, &r->sources, r->has_after, r->has_until, &r->statement, error);
}

int sqlite_reader_range(Reader *reader, const KeyRange *range, Error *error) {
        SqliteReader *r = (SqliteReader *) reader;
        Value after[POSITION_KEY_MAX] = {}, until[POSITION_KEY_MAX] = {};
        _cleanup_arena_ Arena *arena = NULL;
        int q;

        if (arena_new(&arena) < 0)
                return no_memory(error);
        q = bound_take(r, range->after, arena, after, error);
        if (q == 0)
                q = bound_take(r, range->until, arena, until, error);
        if (q == 0)
                q = statement_take(r, range, error);
        if (q == 0)
                q = sqlite_scan_bind(r->db, r->system, &r->plan, after, until, r->statement, error);
        r->at_end = q < 0;
        return q;
}

int sqlite_ranges_sum(Reader *reader, KeyRange *ranges, size_t n_ranges, Error *error) {
        SqliteReader *r = (SqliteReader *) reader;
        size_t n_columns = r->plan.mapping->n_columns;
        _cleanup_free_ Value *values = calloc(n_columns + 1, sizeof(Value));
        DigestScratch scratch = {};
        Digest digest;
        int q = values ? 0 : no_memory(error);

        for (size_t i = 0; q == 0 && i < n_ranges; i++) {
                ranges[i].n_records = 0;
                (void) memset(ranges[i].sums, 0, sizeof(ranges[i].sums));
                q = sqlite_reader_range(reader, ranges + i, error);
                while (q == 0 && (q = sqlite_reader_next(reader, values, error)) > 0) {
                        q = values_digest(values, n_columns, 0, &scratch, &digest);
                        if (q < 0)
                                q = no_memory(error);
                        else
                                key_range_add(ranges + i, &digest);
                }
        }
        free(scratch.bytes);
        return q;
}

/* The identity alone: an index of it, or the table's tree, is walked. */
int sqlite_ranges_plan(Reader *reader, const KeyRange *within, uint64_t n_records, KeyRanges *ret, Error *error) {
        SqliteReader *r = (SqliteReader *) reader;
        Mapping bare = {.entity = r->plan.mapping->entity, .from = r->plan.mapping->from};
        SqliteReader walk = {
                .base = r->base,
                .system = r->system,
                .db = r->db,
                .n_identity = r->n_identity,
                .real_texts = r->real_texts,
                .plan = {.pair = r->plan.pair, .mapping = &bare, .scope = READ_RANGES},
                .sources = {.own = r->sources.own},
        };
        _cleanup_free_ char *after = within->after ? strdup(within->after) : NULL;
        uint64_t n = 0;
        int q;

        q = within->after && !after ? no_memory(error) : sqlite_reader_range(&walk.base, within, error);
        while (q == 0 && (q = sqlite3_step(walk.statement)) == SQLITE_ROW) {
                Value identity[POSITION_KEY_MAX];
                char *until;

                q = 0;
                if (++n % n_records != 0)
                        continue;
                for (int i = 0; q == 0 && i < r->n_identity; i++)
                        q = sqlite_value_read(walk.statement, i, r->real_texts[i], &identity[i]);
                until = q == 0 ? key_bound_format(identity, (size_t) r->n_identity) : NULL;
                q = !until || key_ranges_add(ret, after, until, NULL) < 0 ? no_memory(error) : 0;
                free(after);
                after = until;
        }
        if (q > 0)
                q = q == SQLITE_DONE ? 0 : sqlite_fail(r->db, q, r->system, "cannot plan ranges", error);
        (void) sqlite3_finalize(walk.statement);
        if (q < 0)
                return q;
        return key_ranges_add(ret, after, within->until, NULL) < 0 ? no_memory(error) : 0;
}

/* The key's one column is the row's number: "integer primary key" is, where no index of its own stands for it ("desc" has one). */
bool sqlite_reader_ranges_by_key(const Reader *reader) {
        const SqliteReader *r = (const SqliteReader *) reader;
        const Mapping *m = r->plan.mapping;
        const MappingColumn *column = m->n_key == 1 && m->fields[0].column >= 0 ? m->columns + m->fields[0].column : NULL;
        const Table *t = r->sources.own;
        const TableColumn *found;

        if (!t->numbered || !column || column->join)
                return false;
        found = table_column(t, column->name);
        if (!found)
                return text_equal_ignoring_case(column->name, t->identity[0]);
        if (found->key_place != 1 || !found->type || !text_equal_ignoring_case(found->type, "integer"))
                return false;
        for (size_t i = 0; i < t->n_columns; i++)
                if (t->columns[i].key_place > 1)
                        return false;
        for (size_t i = 0; i < t->n_indexes; i++)
                if (t->indexes[i].unique && strings_count(t->indexes[i].columns) == 1 &&
                    text_equal_ignoring_case(t->indexes[i].columns[0], column->name))
                        return false;
        return true;
}

/* ---- the whole file ---- */

/* By SQLite's own descriptor: another one that is closed would take this process's locks of the file with it. Piece by piece, each with the
 * digest of what was before it. */
static int file_add(sqlite3 *db, int pointer, Digest *digest) {
        _cleanup_free_ char *bytes = NULL;
        sqlite3_file *file = NULL;
        sqlite3_int64 size = 0, at = 0;
        int rc;

        if (sqlite3_file_control(db, "main", pointer, &file) != SQLITE_OK || !file || !file->pMethods)
                return SQLITE_OK;
        bytes = malloc(DIGEST_SIZE + DIGEST_PIECE_BYTES);
        if (!bytes)
                return SQLITE_NOMEM;
        rc = file->pMethods->xFileSize(file, &size);
        for (; rc == SQLITE_OK && at < size; at += DIGEST_PIECE_BYTES) {
                int n = size - at < DIGEST_PIECE_BYTES ? (int) (size - at) : DIGEST_PIECE_BYTES;

                rc = file->pMethods->xRead(file, bytes + DIGEST_SIZE, n, at);
                (void) memcpy(bytes, digest->bytes, DIGEST_SIZE);
                bytes_digest(bytes, DIGEST_SIZE + (size_t) n, digest);
        }
        return rc;
}

int sqlite_content_digest(Connection *connection, const Mapping *m, Digest *ret, Error *error) {
        SqliteConnection *c = (SqliteConnection *) connection;
        sqlite3_stmt *statement = NULL;
        Digest digest = {};
        int rc, r;

        /* A read transaction: no checkpoint moves what it sees, and the log is opened. */
        r = sqlite_execute(c->db, c->system, "begin", error);
        if (r == 0)
                r = sqlite_prepare(c->db, c->system, "select count(*) from sqlite_schema", &statement, error);
        if (r == 0) {
                rc = sqlite3_step(statement) == SQLITE_ROW ? file_add(c->db, SQLITE_FCNTL_FILE_POINTER, &digest)
                                                           : sqlite3_errcode(c->db);
                if (rc == SQLITE_OK)
                        rc = file_add(c->db, SQLITE_FCNTL_JOURNAL_POINTER, &digest);
                if (rc != SQLITE_OK)
                        r = sqlite_fail(c->db, rc, c->system, "cannot read its file", error);
        }
        (void) sqlite3_finalize(statement);
        if (!sqlite3_get_autocommit(c->db))
                (void) sqlite3_exec(c->db, "rollback", NULL, NULL, NULL);
        if (r == 0)
                *ret = digest;
        return r;
}
