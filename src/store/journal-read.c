/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the journal back: the batch that was cut off, and an operation's changes for people. */
#include "store/journal-internal.h"
#include "basic/json.h"
#include "basic/text.h"

/* What batch_row_read() takes; packed entries are asked for when they are needed, as they are large. */
#define BATCH_COLUMNS                                                                                   \
        "b.number, b.operation_id, e.name, b.written_at, b.first_entry, b.last_entry, b.fields, b.id, " \
        "b.n_entries, b.log_lsn, b.log_n"

typedef struct BatchRow {
        JournalBatch batch; /* without its entries */
        int64_t id;
        bool packed;
        int64_t first; /* of table entry, where the batch is not packed */
        uint64_t n_entries;
        const char **fields; /* in the arena */
        size_t n_fields;
} BatchRow;

int journal_damaged(Database *d, Error *error) {
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

static int batch_row_read(Statement *s, Arena *arena, BatchRow *ret) {
        const char *operation_id = statement_text(s, 1), *entity = statement_text(s, 2);
        int64_t first = statement_integer(s, 4), last = statement_integer(s, 5), n = statement_integer(s, 8);
        bool packed = n > 0;
        BatchRow row = {
                .batch.batch = (uint64_t) statement_integer(s, 0),
                .batch.written_at = statement_integer(s, 3),
                .batch.log_until = {(uint64_t) statement_integer(s, 9), (uint64_t) statement_integer(s, 10)},
                .id = statement_integer(s, 7),
                .packed = packed,
                .first = first,
                .n_entries = (uint64_t) (packed ? n : last - first + 1),
        };
        int r;

        if (!operation_id || strlen(operation_id) >= UUID_TEXT_SIZE || !entity || (!packed && last < first))
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

static int entries_unpack(const void *bytes, size_t size, const BatchRow *row, uint64_t first, uint64_t n,
                          Arena *arena, JournalBatch *ret) {
        JournalPacked packed;
        int r;

        if (!bytes)
                return -ENOMEM;
        r = journal_unpack(bytes, size, &packed);
        if (r < 0)
                return r;
        if (packed.n_entries != row->n_entries)
                return -EBADMSG;
        ret->entries = arena_alloc(arena, n * sizeof(*ret->entries));
        if (!ret->entries)
                return -ENOMEM;
        for (uint64_t i = 0; i < n; i++) {
                r = journal_unpack_entry(&packed, first + i, row->fields, row->n_fields, arena,
                                         &ret->entries[ret->n_entries]);
                if (r < 0)
                        return r;
                ret->n_entries++;
        }
        return 0;
}

static int entries_read_packed(Database *d, const BatchRow *row, uint64_t first, uint64_t n, Arena *arena,
                               JournalBatch *ret, Error *error) {
        static const char sql[] = "select entries from batch where id = ?";
        const void *bytes;
        Statement *s;
        size_t size;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, row->id);
        r = statement_step(s, error);
        if (r <= 0)
                return r < 0 ? r : journal_damaged(d, error);
        bytes = statement_bytes(s, 0, &size);
        bytes = arena_copy(arena, bytes, size);
        statement_reset(s);
        r = entries_unpack(bytes, size, row, first, n, arena, ret);
        return r < 0 ? journal_error(d, r, error) : 0;
}

/* n entries from number `first` on. */
static int entries_read(Database *d, const BatchRow *row, uint64_t first, uint64_t n, Arena *arena,
                        JournalBatch *ret, Error *error) {
        JournalBatch batch = row->batch;
        int64_t first_row = row->first + (int64_t) first;
        int r;

        if (row->packed)
                r = entries_read_packed(d, row, first, n, arena, &batch, error);
        else
                r = journal_rows_read(d, first_row, first_row + (int64_t) n - 1, row->fields, row->n_fields,
                                      arena, &batch, error);
        if (r < 0)
                return r;
        *ret = batch;
        return 0;
}

static int batch_read(Database *d, int64_t id, Arena *arena, JournalBatch *ret, Error *error) {
        static const char sql[] = "select " BATCH_COLUMNS
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
        return entries_read(d, &row, 0, row.n_entries, arena, ret, error);
}

/* The newest batch only, and only where it follows the recorded one: a journal that is further ahead
 * belongs to a pair's file that is gone or older (restored), and detection compares such records with the
 * target anyway. */
int journal_unsettled(Journal *j, uint64_t last_recorded, Arena *arena, JournalBatch *ret, Error *error) {
        _cleanup_(database_closep) Database *older = NULL;
        uint64_t number;
        int64_t id;
        int r;

        r = journal_find_newest(j, &older, &number, &id, error);
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
        JournalBatch batch;
        uint64_t take;
        int r;

        if (page->skip >= row->n_entries) {
                page->skip -= row->n_entries;
                return 0;
        }
        take = row->n_entries - page->skip < page->left ? row->n_entries - page->skip : page->left;
        r = entries_read(d, row, page->skip, take, arena, &batch, error);
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
        static const char sql[] = "select " BATCH_COLUMNS " from batch b join entity e on e.id = b.entity"
                                  " where b.operation_id = ? order by b.id";
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        Statement *s;
        BatchRow row;
        int r;

        r = journal_file_open(path, &d, error);
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
