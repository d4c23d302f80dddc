/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of the format before they were packed: a row per entry. Only read: a batch that was cut off by an
 * upgrade is settled, and what older files tell can be shown. */
#include "store/journal-internal.h"

/* Column entry.kind. */
enum { ENTRY_INSERT = 1, ENTRY_UPDATE = 2, ENTRY_DELETE = 3 };

static void digest_read(Statement *s, int column, Digest *ret) {
        size_t size;
        const void *bytes = statement_bytes(s, column, &size);

        if (size == DIGEST_SIZE) /* null for deletes */
                memcpy(ret->bytes, bytes, DIGEST_SIZE);
}

/* Columns: key, kind, source_digest, target_digest, changes. */
static int entry_read(Statement *s, const char *const *fields, size_t n_fields, Arena *arena,
                      JournalEntry *ret) {
        static const ChangeKind kinds[] = {
                [ENTRY_INSERT] = CHANGE_INSERT,
                [ENTRY_UPDATE] = CHANGE_UPDATE,
                [ENTRY_DELETE] = CHANGE_DELETE,
        };
        int64_t kind = statement_integer(s, 1);
        size_t size;
        const void *bytes = statement_bytes(s, 0, &size);
        JournalEntry e = {};

        if (kind < ENTRY_INSERT || kind > ENTRY_DELETE)
                return -EBADMSG;
        e.kind = kinds[kind];
        e.key.bytes = arena_copy(arena, bytes, size);
        e.key.size = size;
        if (!e.key.bytes)
                return -ENOMEM;
        digest_read(s, 2, &e.source_digest);
        digest_read(s, 3, &e.target_digest);
        *ret = e;
        bytes = statement_bytes(s, 4, &size);
        bytes = arena_copy(arena, bytes, size);
        return bytes ? journal_values_decode(bytes, size, fields, n_fields, arena, ret) : -ENOMEM;
}

int journal_rows_read(Database *d, int64_t first, int64_t last, const char *const *fields, size_t n_fields,
                      Arena *arena, JournalBatch *ret, Error *error) {
        static const char sql[] = "select key, kind, source_digest, target_digest, changes from entry"
                                  " where id between ? and ? order by id";
        size_t n = (size_t) (last - first + 1);
        Statement *s;
        int r;

        ret->n_entries = 0;
        ret->entries = arena_alloc(arena, n * sizeof(*ret->entries));
        if (!ret->entries)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, first);
        statement_bind_integer(s, 2, last);
        while ((r = statement_step(s, error)) > 0) {
                r = entry_read(s, fields, n_fields, arena, &ret->entries[ret->n_entries]);
                if (r < 0) {
                        statement_reset(s);
                        return r == -ENOMEM ? store_no_memory(error) : journal_damaged(d, error);
                }
                ret->n_entries++;
        }
        if (r < 0)
                return r;
        return ret->n_entries == n ? 0 : journal_damaged(d, error);
}
