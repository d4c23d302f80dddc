/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the journal back: the batch that was cut off, and an operation's changes for people. */
#include "store/journal-internal.h"
#include "basic/json.h"
#include "basic/text.h"

typedef struct BatchRow {
        JournalBatch batch; /* without its entries */
        int64_t first, last;
        const char **fields; /* in the arena */
        size_t n_fields;
} BatchRow;

static int journal_damaged(Database *d, Error *error) {
        return error_set(error, ERROR_FILE_FORMAT, "Restore the file from a backup.",
                         "The journal \"%s\" is damaged", database_path(d));
}

static int journal_error(Database *d, int r, Error *error) {
        return r == -ENOMEM ? store_no_memory(error) : journal_damaged(d, error);
}

static int fields_parse(const char *text, Arena *arena, BatchRow *row) {
        json_auto_t *array = NULL;
        const char **names;
        size_t n;

        if (!text || json_parse(text, strlen(text), &array, NULL) < 0 || !json_is_array(array))
                return -EBADMSG;
        n = json_array_size(array);
        names = arena_alloc(arena, n * sizeof(*names));
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const char *name = json_string_value(json_array_get(array, i));

                if (!name)
                        return -EBADMSG;
                names[i] = arena_copy(arena, name, strlen(name) + 1);
                if (!names[i])
                        return -ENOMEM;
        }
        row->fields = names;
        row->n_fields = n;
        return 0;
}

/* Columns: number, operation_id, name, written_at, first_entry, last_entry, fields. */
static int batch_row_read(Statement *s, Arena *arena, BatchRow *ret) {
        const char *operation_id = statement_text(s, 1), *entity = statement_text(s, 2);
        BatchRow row = {
                .batch.batch = (uint64_t) statement_integer(s, 0),
                .batch.written_at = statement_integer(s, 3),
                .first = statement_integer(s, 4),
                .last = statement_integer(s, 5),
        };
        int r;

        if (!operation_id || strlen(operation_id) >= UUID_TEXT_SIZE || !entity || row.last < row.first)
                return -EBADMSG;
        memcpy(row.batch.operation_id, operation_id, strlen(operation_id) + 1);
        row.batch.entity = arena_copy(arena, entity, strlen(entity) + 1);
        if (!row.batch.entity)
                return -ENOMEM;
        r = fields_parse(statement_text(s, 6), arena, &row);
        if (r < 0)
                return r;
        *ret = row;
        return 0;
}

/* One field of an entry: its index, its value before and, for updates, after. Only measures where e is
 * NULL. */
static int change_decode(const char *bytes, size_t size, const BatchRow *row, bool update, JournalEntry *e,
                         size_t at, size_t *ret_used) {
        size_t used = 2, more, index;
        Value before, after;
        int r;

        if (size < 2)
                return -EBADMSG;
        index = (size_t) (uint8_t) bytes[0] | (size_t) (uint8_t) bytes[1] << 8;
        if (index >= row->n_fields)
                return -EBADMSG;
        r = value_decode(bytes + used, size - used, &before, &more);
        if (r < 0)
                return r;
        used += more;
        if (update) {
                r = value_decode(bytes + used, size - used, &after, &more);
                if (r < 0)
                        return r;
                used += more;
        }
        if (e) {
                e->fields[at] = row->fields[index];
                e->before[at] = before;
                if (update)
                        e->after[at] = after;
        }
        *ret_used = used;
        return 0;
}

static int changes_count(const char *bytes, size_t size, const BatchRow *row, bool update, size_t *ret) {
        size_t n = 0, used;
        int r;

        for (; size > 0; bytes += used, size -= used, n++) {
                r = change_decode(bytes, size, row, update, NULL, 0, &used);
                if (r < 0)
                        return r;
        }
        *ret = n;
        return 0;
}

static int changes_decode(const void *stored, size_t size, const BatchRow *row, Arena *arena,
                          JournalEntry *e) {
        bool update = e->kind == CHANGE_UPDATE;
        const char *bytes = arena_copy(arena, stored, size);
        size_t n, used;
        int r;

        if (!bytes)
                return -ENOMEM;
        r = changes_count(bytes, size, row, update, &n);
        if (r < 0)
                return r;
        e->fields = arena_alloc(arena, n * sizeof(*e->fields));
        e->before = arena_alloc(arena, n * sizeof(*e->before));
        if (!e->fields || !e->before)
                return -ENOMEM;
        if (update) {
                e->after = arena_alloc(arena, n * sizeof(*e->after));
                if (!e->after)
                        return -ENOMEM;
        }
        for (e->n_fields = 0; e->n_fields < n; e->n_fields++, bytes += used, size -= used) {
                r = change_decode(bytes, size, row, update, e, e->n_fields, &used);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void digest_read(Statement *s, int column, Digest *ret) {
        size_t size;
        const void *bytes = statement_bytes(s, column, &size);

        if (size == DIGEST_SIZE) /* null for deletes */
                memcpy(ret->bytes, bytes, DIGEST_SIZE);
}

/* Columns: key, kind, source_digest, target_digest, changes. */
static int entry_read(Statement *s, const BatchRow *row, Arena *arena, JournalEntry *ret) {
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
        return size > 0 ? changes_decode(bytes, size, row, arena, ret) : 0;
}

/* Entries first … last of a batch. */
static int entries_read(Database *d, const BatchRow *row, int64_t first, int64_t last, Arena *arena,
                        JournalBatch *ret, Error *error) {
        static const char sql[] = "select key, kind, source_digest, target_digest, changes from entry"
                                  " where id between ? and ? order by id";
        JournalBatch batch = row->batch;
        Statement *s;
        int r;

        batch.entries = arena_alloc(arena, (size_t) (last - first + 1) * sizeof(*batch.entries));
        if (!batch.entries)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, first);
        statement_bind_integer(s, 2, last);
        while ((r = statement_step(s, error)) > 0) {
                r = entry_read(s, row, arena, &batch.entries[batch.n_entries]);
                if (r < 0) {
                        statement_reset(s);
                        return journal_error(d, r, error);
                }
                batch.n_entries++;
        }
        if (r < 0)
                return r;
        if (batch.n_entries != (size_t) (last - first + 1))
                return journal_damaged(d, error);
        *ret = batch;
        return 0;
}

static int batch_read(Database *d, int64_t id, Arena *arena, JournalBatch *ret, Error *error) {
        static const char sql[] = "select b.number, b.operation_id, e.name, b.written_at, b.first_entry, "
                                  "b.last_entry, b.fields"
                                  " from batch b join entity e on e.id = b.entity where b.id = ?";
        Statement *s;
        BatchRow row;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, id);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        if (r == 0)
                return journal_damaged(d, error);
        r = batch_row_read(s, arena, &row);
        statement_reset(s);
        if (r < 0)
                return journal_error(d, r, error);
        return entries_read(d, &row, row.first, row.last, arena, ret, error);
}

/* The newest batch only, and only where it follows the recorded one: a journal that is further ahead
 * belongs to a pair's file that is gone or older (restored), and detection compares such records with the
 * target anyway. */
int journal_unsettled(Journal *j, uint64_t last_recorded, Arena *arena, JournalBatch *ret, Error *error) {
        _cleanup_(database_closep) Database *older = NULL;
        uint64_t number;
        int64_t id;
        int r;

        r = journal_find_newest(j, false, &older, &number, &id, error);
        if (r <= 0)
                return r;
        if (number != last_recorded + 1)
                return 0;
        r = batch_read(older ? older : j->database, id, arena, ret, error);
        return r < 0 ? r : 1;
}

static int entry_fields_to_json(const JournalEntry *e, json_t **ret) {
        json_auto_t *fields = json_object();

        for (size_t i = 0; i < e->n_fields; i++) {
                json_t *values = json_object();

                if (json_put(fields, e->fields[i], values) < 0 ||
                    json_put(values, "before", value_to_json(&e->before[i])) < 0 ||
                    (e->after && json_put(values, "after", value_to_json(&e->after[i])) < 0))
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(fields);
        return 0;
}

static int entry_to_json(const JournalBatch *batch, const JournalEntry *e, Arena *arena, json_t **ret) {
        json_auto_t *object = json_object();
        json_t *fields = NULL;

        if (!object || entry_fields_to_json(e, &fields) < 0 || json_put(object, "fields", fields) < 0 ||
            json_put(object, "entity", json_text(batch->entity)) < 0 ||
            json_put(object, "key", json_text(key_to_text(e->key, arena))) < 0 ||
            json_put(object, "kind", json_text(change_kind_to_string(e->kind))) < 0 ||
            json_put(object, "at", json_timestamp(batch->written_at)) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

typedef struct Page {
        uint64_t skip, left;
        json_t *array;
} Page;

static int page_add(Page *page, Database *d, const BatchRow *row, Arena *arena, Error *error) {
        uint64_t n = (uint64_t) (row->last - row->first + 1), take;
        JournalBatch batch;
        int r;

        if (page->skip >= n) {
                page->skip -= n;
                return 0;
        }
        take = n - page->skip < page->left ? n - page->skip : page->left;
        r = entries_read(d, row, row->first + (int64_t) page->skip,
                         row->first + (int64_t) (page->skip + take) - 1, arena, &batch, error);
        if (r < 0)
                return r;
        page->skip = 0;
        page->left -= take;
        for (size_t i = 0; i < batch.n_entries; i++) {
                json_t *object = NULL;

                if (entry_to_json(&batch, &batch.entries[i], arena, &object) < 0 ||
                    json_array_append_new(page->array, object) < 0)
                        return store_no_memory(error);
        }
        return 0;
}

static int page_read_file(Page *page, const char *path, const char *operation_id, Error *error) {
        static const char sql[] =
                "select b.number, b.operation_id, e.name, b.written_at, b.first_entry, b.last_entry, "
                "b.fields"
                " from batch b join entity e on e.id = b.entity where b.operation_id = ? order by b.id";
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        Statement *s;
        BatchRow row;
        int r;

        r = database_open_read_only(path, &d, error);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = arena_new(&arena);
        if (r < 0)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, operation_id);
        while (page->left > 0 && (r = statement_step(s, error)) > 0) {
                r = batch_row_read(s, arena, &row);
                if (r < 0)
                        return journal_error(d, r, error);
                r = page_add(page, d, &row, arena, error);
                if (r < 0)
                        return r;
                arena_reset(arena);
        }
        return r;
}

int journal_changes(const char *state_directory, const char *pair, const char *operation_id, unsigned limit,
                    unsigned offset, json_t **ret, Error *error) {
        _cleanup_strings_ char **paths = NULL;
        json_auto_t *array = json_array();
        Page page = {.skip = offset, .left = limit, .array = array};
        int r;

        if (!array)
                return store_no_memory(error);
        r = journal_files(state_directory, pair, &paths, error);
        if (r < 0)
                return r;
        for (size_t i = 0; paths && paths[i] && page.left > 0; i++) {
                r = page_read_file(&page, paths[i], operation_id, error);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(array);
        return 0;
}
