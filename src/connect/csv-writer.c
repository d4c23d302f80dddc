/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/csv-writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <uthash.h>

#include "basic/json.h"
#include "basic/text.h"
#include "connect/csv-output.h"

typedef struct CsvWriter {
        Writer base;
        CsvConnection *connection;
        const Mapping *mapping;
        char *path;
        CsvForm form;
        size_t *columns; /* place in the file of each field */
        TextBuffer key;  /* of the record being read */
} CsvWriter;

/* A key that is asked for or written, by what it says in the file. */
typedef struct WantedKey {
        const char *bytes; /* in the arena */
        size_t index;      /* of the fetch or the write */
        bool met;
        UT_hash_handle hh;
} WantedKey;

void csv_writer_close(Writer *writer) {
        CsvWriter *w = (CsvWriter *) writer;

        csv_form_done(&w->form);
        text_buffer_done(&w->key);
        free(w->columns);
        free(w->path);
        free(w);
}

static void writerp(CsvWriter **w) {
        if (*w)
                csv_writer_close(&(*w)->base);
}

/* ---- the file ---- */

static int field_names(const Mapping *m, char ***ret) {
        int r = 0;

        for (size_t i = 0; i < m->n_fields && r == 0; i++)
                r = strings_append(ret, m->fields[i].name);
        return r;
}

/* A file that is not there yet: as the options have it, else as RFC 4180 does, in UTF-8. */
static int form_new(const CsvOptions *o, const Mapping *m, CsvForm *ret) {
        CsvForm f = {
                .encoding = o->encoding >= 0 ? o->encoding : ENCODING_UTF8,
                .dialect = o->dialect,
                .has_header = o->header != CSV_HEADER_NO,
        };
        int r = 0;

        if (f.dialect.delimiter == '\0')
                f.dialect.delimiter = ',';
        if (f.dialect.quote == CSV_QUOTE_DETECT)
                f.dialect.quote = '"';
        f.bom_size = f.encoding == ENCODING_UTF16LE || f.encoding == ENCODING_UTF16BE ? 2 : 0;
        f.dialect.ends = CSV_ENDS_LF;
        for (size_t i = 0; o->columns && o->columns[i] && r == 0; i++)
                r = strings_append(&f.names, o->columns[i]);
        if (!o->columns)
                r = field_names(m, &f.names);
        if (r < 0) {
                csv_form_done(&f);
                return r;
        }
        f.dialect.n_columns = strings_count(f.names);
        *ret = f;
        return 0;
}

static int columns_find(CsvWriter *w, Error *error) {
        _cleanup_(table_freep) Table *t = calloc(1, sizeof(*t));
        int r;

        if (!t || !(t->name = strdup(w->path)))
                return -ENOMEM;
        for (size_t i = 0; w->form.names[i]; i++)
                if (!table_column_add(t, w->form.names[i]))
                        return -ENOMEM;
        for (size_t i = 0; i < w->mapping->n_fields; i++) {
                const char *name = w->mapping->fields[i].name;

                r = table_column_require(t, name, error);
                if (r < 0)
                        return r;
                w->columns[i] = (size_t) (table_column(t, name) - t->columns);
        }
        return 0;
}

/* The file as the transaction has it; *ret_fd -1: there is none. */
static int source_open(const CsvWriter *w, int *ret_fd, Error *error) {
        const char *path = w->path;

        for (const CsvStage *s = w->connection->stage; s; s = s->next)
                if (s->staged_path && text_equal(s->path, w->path))
                        path = s->staged_path;
        *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (*ret_fd < 0 && errno != ENOENT)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Let the service read the file", "Cannot open \"%s\": %m",
                                 path);
        return 0;
}

static int form_find(CsvWriter *w, Error *error) {
        _cleanup_strings_ char **wanted = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        r = source_open(w, &fd, error);
        if (r < 0)
                return r;
        if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
                return error_set(error, ERROR_FILE_FORMAT, "Name a file in to:", "\"%s\" is no file", w->path);
        if (fd < 0 || st.st_size == 0)
                return form_new(&w->connection->options, w->mapping, &w->form);
        r = field_names(w->mapping, &wanted);
        return r < 0 ? r : csv_form_detect(&w->connection->options, fd, w->path, wanted, &w->form, error);
}

int csv_writer_open(Connection *connection, const Mapping *m, Writer **ret, Error *error) {
        CsvConnection *c = (CsvConnection *) connection;
        _cleanup_(writerp) CsvWriter *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->base.connector = &csv_connector;
        w->connection = c;
        w->mapping = m;
        w->path = file_path(c->system, c->is_folder, m->to);
        w->columns = calloc(m->n_fields + 1, sizeof(size_t));
        if (!w->path || !w->columns)
                return -ENOMEM;
        r = form_find(w, error);
        if (r == 0)
                r = columns_find(w, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(w)->base;
        return 0;
}

/* Opens the records behind the header; *ret NULL: there is no file, or nothing in it. */
static int records_open(const CsvWriter *w, CsvReader **ret, Error *error) {
        _cleanup_(csv_reader_freep) CsvReader *csv = NULL;
        _cleanup_close_ int fd = -EBADF;
        const CsvField *fields;
        size_t n;
        int r;

        *ret = NULL;
        r = source_open(w, &fd, error);
        if (r < 0 || fd < 0)
                return r;
        r = csv_records_open(fd, &w->form, 0, 1, &csv);
        if (r < 0)
                return r == -ENOMEM ? r : error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", w->path, strerror(-r));
        if (w->form.has_header) {
                r = csv_record_read(csv, w->path, &fields, &n, error);
                if (r <= 0)
                        return r;
        }
        *ret = TAKE_PTR(csv);
        return 0;
}

/* 1: a record of the right width; 0: the end. */
static int record_next(const CsvWriter *w, CsvReader *csv, const CsvField **ret, Error *error) {
        size_t n, n_columns = w->form.dialect.n_columns;
        int r;

        do {
                r = csv_record_read(csv, w->path, ret, &n, error);
                if (r <= 0)
                        return r;
        } while (n == 1 && n_columns > 1 && (*ret)[0].size == 0 && !(*ret)[0].quoted);
        return n == n_columns ? 1 : csv_width_fail(csv, &w->form, w->path, *ret, n, error);
}

int csv_count(Writer *writer, uint64_t *ret, Error *error) {
        _cleanup_(csv_reader_freep) CsvReader *csv = NULL;
        CsvWriter *w = (CsvWriter *) writer;
        const CsvField *fields;
        uint64_t n = 0;
        int r;

        r = records_open(w, &csv, error);
        while (csv && (r = record_next(w, csv, &fields, error)) > 0)
                n++;
        if (r < 0)
                return r;
        *ret = n;
        return 0;
}

/* ---- keys ---- */

/* "0012.50" and "12.5" are one number, "{ABC…}" and "abc…" one uuid; a text is itself. Length and bytes: injective. */
static int key_add(TextBuffer *key, ValueType type, const char *bytes, size_t size) {
        char text[DECIMAL_TEXT_MAX];
        Decimal number;
        uint64_t length;
        int r;

        if ((type == VALUE_INTEGER || type == VALUE_DECIMAL) && decimal_parse(bytes, size, &number) == 0) {
                number = decimal_trim(number);
                size = decimal_format(&number, text);
                bytes = text;
        }
        if (type == VALUE_UUID && size == 38 && bytes[0] == '{') {
                bytes++;
                size -= 2;
        }
        length = size;
        r = text_buffer_add(key, (const char *) &length, sizeof(length));
        if (r < 0 || size == 0)
                return r;
        r = text_buffer_add(key, bytes, size);
        for (size_t i = key->size - size; r == 0 && type == VALUE_UUID && i < key->size; i++)
                if (key->bytes[i] >= 'A' && key->bytes[i] <= 'Z')
                        key->bytes[i] = (char) (key->bytes[i] + 32);
        return r;
}

/* 1: w->key is the record's; 0: a part of it is null. */
static int record_key(CsvWriter *w, const CsvField *fields) {
        int r;

        text_buffer_reset(&w->key);
        for (size_t i = 0; i < w->mapping->n_key; i++) {
                const CsvField *field = &fields[w->columns[i]];

                if (csv_field_is_null(&w->connection->options, field))
                        return 0;
                r = key_add(&w->key, w->mapping->fields[i].type, field->bytes, field->size);
                if (r < 0)
                        return r;
        }
        return 1;
}

/* As the file has it. */
static int value_write(const Value *v, Arena *arena, const char **ret, size_t *ret_size) {
        *ret = v->bytes;
        *ret_size = v->size;
        if (v->type == VALUE_TEXT || v->type == VALUE_JSON)
                return 0;
        *ret = value_to_text(v, arena, 0);
        if (!*ret)
                return -ENOMEM;
        *ret_size = strlen(*ret);
        return 0;
}

/* Adds the key to the table of wanted ones. -EEXIST: it is there already. */
static int wanted_add(CsvWriter *w, WantedKey **table, const Value *key, size_t index, Arena *arena) {
        WantedKey *entry = arena_alloc_zero(arena, sizeof(*entry)), *other = NULL;
        const char *bytes;
        size_t size;
        int r = entry ? 0 : -ENOMEM;

        text_buffer_reset(&w->key);
        for (size_t i = 0; r == 0 && i < w->mapping->n_key; i++) {
                r = value_write(&key[i], arena, &bytes, &size);
                if (r == 0)
                        r = key_add(&w->key, w->mapping->fields[i].type, bytes, size);
        }
        if (r < 0)
                return r;
        HASH_FIND(hh, *table, w->key.bytes, w->key.size, other);
        if (other)
                return -EEXIST;
        entry->index = index;
        entry->bytes = arena_copy(arena, w->key.bytes, w->key.size);
        if (!entry->bytes)
                return -ENOMEM;
        HASH_ADD_KEYPTR(hh, *table, entry->bytes, w->key.size, entry);
        return 0;
}

static WantedKey *wanted_find(const CsvWriter *w, WantedKey *table) {
        WantedKey *entry = NULL;

        HASH_FIND(hh, table, w->key.bytes, w->key.size, entry);
        return entry;
}

/* ---- fetching ---- */

/* Bytes stand in the file as hexadecimal digits, as value_to_text() writes them. */
static int bytes_read(const CsvField *field, Arena *arena, Value *ret) {
        char *bytes = arena_alloc(arena, field->size / 2 + 1), *text = arena_copy(arena, field->bytes, field->size);

        if (!bytes || !text)
                return -ENOMEM;
        for (size_t i = 0; i < field->size; i++)
                if (text[i] >= 'A' && text[i] <= 'F')
                        text[i] = (char) (text[i] + 32);
        if (field->size % 2 == 0 && hex_decode(text, field->size / 2, bytes) == 0)
                *ret = (Value){.type = VALUE_BYTES, .bytes = bytes, .size = field->size / 2};
        else
                *ret = value_text(text, field->size);
        return 0;
}

static int values_fetch(const CsvWriter *w, const CsvField *fields, Arena *arena, Value **ret) {
        Value *values = arena_alloc(arena, w->mapping->n_fields * sizeof(Value)), text;
        int r = values ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < w->mapping->n_fields; i++) {
                const CsvField *field = &fields[w->columns[i]];

                text = value_text(field->bytes, field->size);
                if (csv_field_is_null(&w->connection->options, field))
                        values[i] = value_null();
                else if (w->mapping->fields[i].type == VALUE_BYTES)
                        r = bytes_read(field, arena, &values[i]);
                else
                        r = value_copy(&text, arena, &values[i]);
        }
        if (r == 0)
                *ret = values;
        return r;
}

static int fetch_scan(CsvWriter *w, Arena *arena, WantedKey *table, RecordFetch *fetches, Error *error) {
        _cleanup_(csv_reader_freep) CsvReader *csv = NULL;
        const CsvField *fields;
        WantedKey *wanted;
        int r;

        r = records_open(w, &csv, error);
        while (csv && (r = record_next(w, csv, &fields, error)) > 0) {
                r = record_key(w, fields);
                wanted = r > 0 ? wanted_find(w, table) : NULL;
                if (r >= 0 && wanted && !wanted->met) {
                        wanted->met = true;
                        r = values_fetch(w, fields, arena, &fetches[wanted->index].values);
                }
                if (r < 0)
                        return r;
        }
        return r;
}

/* Two keys that differ as values may be one in the file's words. */
static int key_refuse(const CsvWriter *w, Error *refusal) {
        (void) error_set(refusal, ERROR_RECORD_REFUSED, "Map a key that tells the records apart",
                         "The key is that of another record in \"%s\"", w->path);
        return 0;
}

int csv_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        CsvWriter *w = (CsvWriter *) writer;
        WantedKey *table = NULL;
        int r = 0;

        for (size_t i = 0; i < n_fetches && r == 0; i++) {
                fetches[i].values = NULL;
                r = wanted_add(w, &table, fetches[i].key, i, arena);
                if (r == -EEXIST)
                        r = key_refuse(w, &fetches[i].refusal);
        }
        if (r == 0)
                r = fetch_scan(w, arena, table, fetches, error);
        HASH_CLEAR(hh, table);
        return r;
}

/* ---- writing ---- */

static int refuse(RecordWrite *write, const CsvWriter *w, const char *what, const char *remedy) {
        if (write->refusal.id == ERROR_NONE)
                (void) error_set(&write->refusal, ERROR_RECORD_REFUSED, remedy, "\"%s\" %s", w->path, what);
        return 0;
}

/* One value of a change. 1: the record is refused. */
static int value_put(const CsvWriter *w, CsvOutput *o, size_t field, const Value *v, Arena *arena, Error *refusal) {
        const char *bytes;
        size_t size;
        int r;

        if (value_is_null(v))
                return csv_output_null(o);
        r = value_write(v, arena, &bytes, &size);
        if (r == 0)
                r = csv_output_check(o, w->mapping->fields[field].name, bytes, size, refusal);
        if (r < 0)
                return r == -ENOMEM ? r : 1;
        return csv_output_text(o, bytes, size, false);
}

/* The field of the mapping that a column of the file is, or -1. */
static ssize_t field_of(const CsvWriter *w, size_t column) {
        for (size_t i = 0; i < w->mapping->n_fields; i++)
                if (w->columns[i] == column)
                        return (ssize_t) i;
        return -1;
}

/* A record as it was but for the changed fields; fields NULL: a new one. */
static int record_put(const CsvWriter *w, CsvOutput *o, const CsvField *fields, RecordWrite *write, Arena *arena) {
        const Change *change = write ? write->change : NULL;
        int r = 0;

        for (size_t i = 0; r == 0 && i < w->form.dialect.n_columns; i++) {
                ssize_t field = change ? field_of(w, i) : -1;
                bool is_new = field >= 0 && change->target[field].type != VALUE_ABSENT &&
                              (!fields || !change->changed || change->changed[field]);

                if (is_new)
                        r = value_put(w, o, (size_t) field, &change->target[field], arena, &write->refusal);
                else if (!fields || csv_field_is_null(&w->connection->options, &fields[i]))
                        r = csv_output_null(o);
                else
                        r = csv_output_text(o, fields[i].bytes, fields[i].size, fields[i].quoted);
        }
        return r < 0 ? r : csv_output_end(o);
}

static int change_key(const CsvWriter *w, const Change *change, Arena *arena, const Value **ret) {
        Value *key;

        *ret = change->before ? change->before : change->target;
        if (*ret)
                return 0;
        key = arena_alloc_zero(arena, w->mapping->n_key * sizeof(Value));
        *ret = key;
        return key ? key_decode(change->key, arena, key, w->mapping->n_key) : -ENOMEM;
}

static int wanted_make(CsvWriter *w, RecordWrite *writes, size_t n_writes, Arena *arena, WantedKey **table) {
        const Value *key;
        int r;

        for (size_t i = 0; i < n_writes; i++) {
                r = change_key(w, writes[i].change, arena, &key);
                if (r == 0)
                        r = wanted_add(w, table, key, i, arena);
                if (r == -EEXIST)
                        r = refuse(&writes[i], w, "would have two records with this key", "Map a key that tells the records apart");
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One record of the file as it is. */
static int record_merge(CsvWriter *w, CsvOutput *o, const CsvField *fields, WantedKey *table, RecordWrite *writes, Arena *arena) {
        WantedKey *wanted;
        RecordWrite *write;
        int r;

        r = record_key(w, fields);
        if (r < 0)
                return r;
        wanted = r > 0 ? wanted_find(w, table) : NULL;
        if (!wanted)
                return record_put(w, o, fields, NULL, arena);
        write = &writes[wanted->index];
        if (write->change->kind == CHANGE_INSERT)
                return refuse(write, w, "has a record with this key already", "Run the pair again: it compares anew");
        if (wanted->met)
                return refuse(write, w, "has two records with this key", "Take one of them out of the file");
        wanted->met = true;
        return write->change->kind == CHANGE_DELETE ? 0 : record_put(w, o, fields, write, arena);
}

static int records_merge(CsvWriter *w, CsvOutput *o, RecordWrite *writes, size_t n_writes, Arena *arena, Error *error) {
        _cleanup_(csv_reader_freep) CsvReader *csv = NULL;
        WantedKey *table = NULL, *wanted;
        const CsvField *fields;
        int r;

        r = wanted_make(w, writes, n_writes, arena, &table);
        if (r == 0)
                r = csv_output_header(o);
        if (r == 0)
                r = records_open(w, &csv, error);
        while (csv && r >= 0 && (r = record_next(w, csv, &fields, error)) > 0)
                r = record_merge(w, o, fields, table, writes, arena);
        for (wanted = table; wanted && r >= 0; wanted = wanted->hh.next) {
                RecordWrite *write = &writes[wanted->index];

                if (write->change->kind == CHANGE_INSERT && write->refusal.id == ERROR_NONE)
                        r = record_put(w, o, NULL, write, arena);
                else if (write->change->kind != CHANGE_INSERT && !wanted->met)
                        r = refuse(write, w, "has no record with this key; it is gone since it was read",
                                   "Run the pair again: it compares anew");
        }
        HASH_CLEAR(hh, table);
        return r;
}

/* The next file is written beside the one that is read: of a second write in a transaction that is the staged one. */
static int output_open(CsvWriter *w, const char *path, CsvOutput *ret, Error *error) {
        *ret = (CsvOutput){.form = &w->form, .options = &w->connection->options, .file = fopen(path, "we")};
        if (ret->file)
                return 0;
        return error_set(error, ERROR_SYSTEM_REFUSED, "Let the service write to the file's folder",
                         "System \"%s\": cannot write \"%s\": %m", w->connection->system->name, path);
}

static int output_finish(CsvWriter *w, CsvStage *stage, char *path, CsvOutput *o, int r, Error *error) {
        int q;

        q = csv_output_close(o);
        if (r >= 0 && q < 0)
                r = error_set(error, q == -ENOSPC ? ERROR_DISK_FULL : ERROR_IO,
                              q == -ENOSPC ? "Make room on the disk that holds the file" : NULL, "Cannot write \"%s\": %s",
                              path, strerror(-q));
        if (r < 0) {
                (void) unlink(path);
                return r;
        }
        if (!stage->staged_path) {
                stage->staged_path = strdup(path);
                return stage->staged_path ? 0 : -ENOMEM;
        }
        return rename(path, stage->staged_path) < 0
                       ? error_set(error, ERROR_IO, NULL, "Cannot write \"%s\": %m", stage->staged_path)
                       : 0;
}

int csv_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error) {
        CsvWriter *w = (CsvWriter *) writer;
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ char *path = NULL;
        CsvOutput output;
        CsvStage *stage;
        int n_refused = 0, r;

        if (!w->connection->in_transaction)
                return error_set(error, ERROR_SYSTEM_REFUSED, NULL, "System \"%s\": no transaction is open",
                                 w->connection->system->name);
        r = arena_new(&arena);
        if (r == 0)
                r = csv_stage_find(w->connection, w->path, &stage, error);
        if (r < 0)
                return r;
        path = csv_staged_path(stage->staged_path ? stage->staged_path : w->path);
        if (!path)
                return -ENOMEM;
        r = output_open(w, path, &output, error);
        if (r < 0)
                return r;
        r = output_finish(w, stage, path, &output, records_merge(w, &output, writes, n_writes, arena, error), error);
        if (r < 0)
                return error && error->id == ERROR_NONE ? error_set(error, error_from_errno(r), NULL, "Cannot write \"%s\"", path)
                                                        : r;
        for (size_t i = 0; i < n_writes; i++)
                n_refused += writes[i].refusal.id != ERROR_NONE;
        return n_refused;
}

/* ---- checking ---- */

/* The new file is made beside the old one, so it is the folder that has to be writable. */
static int folder_check(const CsvWriter *w, Error *error) {
        const char *slash = strrchr(w->path, '/');
        _cleanup_free_ char *folder = slash ? strndup(w->path, (size_t) (slash - w->path) + 1) : strdup(".");

        if (!folder)
                return -ENOMEM;
        if (access(folder, W_OK | X_OK) == 0)
                return 0;
        return error_set(error, ERROR_SYSTEM_READ_ONLY, "Let the service write to the folder: a new file is made beside the old one",
                         "\"%s\" cannot be written: %m", folder);
}

int csv_target_check(CsvConnection *c, const Mapping *m, json_t *report) {
        _cleanup_free_ char *what = NULL, *message = NULL, *form = NULL;
        _cleanup_error_ Error failure = {};
        _cleanup_(writerp) CsvWriter *w = NULL;
        Writer *writer = NULL;
        bool exists;
        int r;

        r = csv_writer_open(&c->base, m, &writer, &failure);
        w = (CsvWriter *) writer;
        if (r == 0)
                r = folder_check(w, &failure);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, m->to, &failure);
        exists = access(w->path, F_OK) == 0;
        form = csv_form_text(&w->form);
        if (asprintf(&what, "file %s", m->to) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (!form || asprintf(&message, "%s: %zu of %zu columns are mapped; %s", exists ? "Can be written" : "Will be made",
                              m->n_fields, w->form.dialect.n_columns, form) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, what, true, message, NULL);
}
