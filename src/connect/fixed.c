/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/fixed.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "connect/file.h"
#include "connect/fixed-value.h"
#include "connect/table.h"

#define BUFFER_BYTES      (256U * 1024)
#define LENGTH_LOOKED_MAX (1024U * 1024) /* bytes in which the first record's end is looked for */
#define POSITION_TEXT_MAX 128

typedef struct FixedConnection {
        Connection base;
        const System *system;
        bool is_folder;
} FixedConnection;

typedef struct FixedScan {
        Reader base;
        const Layout *layout;
        const LayoutTable *table;
        const LayoutField **fields; /* of each column of the mapping */
        size_t n_columns;
        char *path;
        int fd;
        FileIdentity identity;
        uint64_t n_records, next; /* in the file; of the record read next */
        char *buffer, *text;
        uint64_t buffer_first, buffer_n; /* records that are in the buffer */
        size_t buffer_records;
        bool resumed, at_end;
        char position[POSITION_TEXT_MAX];
} FixedScan;

/* ---- the connection ---- */

static void fixed_close(Connection *connection) { free(connection); }

static int fixed_open(const System *system, bool write, Connection **ret, Error *error) {
        _cleanup_free_ FixedConnection *c = calloc(1, sizeof(*c));
        struct stat st;

        if (!c)
                return -ENOMEM;
        c->base.connector = &fixed_connector;
        c->system = system;
        if (!system->path || !system->layout)
                return error_set(error, ERROR_CONFIGURATION, "Add path: and layout: to the system",
                                 "System \"%s\" has no path or no layout", system->name);
        if (stat(system->path, &st) < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Check path: of the system, and that the service may read it",
                                 "System \"%s\": cannot find \"%s\": %m", system->name, system->path);
        c->is_folder = S_ISDIR(st.st_mode);
        *ret = &TAKE_PTR(c)->base;
        return 0;
}

/* ---- the file ---- */

static int table_find(const FixedConnection *c, const char *name, const LayoutTable **ret, Error *error) {
        _cleanup_strings_ char **names = NULL;
        const Layout *l = c->system->layout;

        *ret = layout_table(l, name);
        if (*ret)
                return 0;
        for (size_t i = 0; i < l->n_tables; i++)
                if (strings_append(&names, l->tables[i].name) < 0)
                        return -ENOMEM;
        return table_missing("table of the layout", name, c->system->name, names, error);
}

/* The one file of the folder that the table's pattern names. */
static int file_name_find(const FixedConnection *c, const LayoutTable *t, char **ret, Error *error) {
        _cleanup_free_ char *found = NULL;
        DIR *folder = opendir(c->system->path);
        struct dirent *entry;
        int r = 0;

        if (!folder)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Let the service read the folder", "Cannot open \"%s\": %m",
                                 c->system->path);
        while (r == 0 && (entry = readdir(folder))) {
                if (fnmatch(t->file, entry->d_name, FNM_PERIOD | FNM_CASEFOLD) != 0)
                        continue;
                if (found)
                        r = error_set(error, ERROR_FILE_FORMAT, "Keep one export in the folder, or narrow file: of the layout",
                                      "\"%s\" and \"%s\" are both named as table \"%s\" is (%s): which one counts would be a guess",
                                      found, entry->d_name, t->name, t->file);
                else if (!(found = strdup(entry->d_name)))
                        r = -ENOMEM;
        }
        (void) closedir(folder);
        if (r < 0)
                return r;
        if (!found)
                return error_set(error, ERROR_TABLE_MISSING, "Put the export into the folder, or correct file: of the layout",
                                 "No file in \"%s\" is named as table \"%s\" is: %s", c->system->path, t->name, t->file);
        *ret = TAKE_PTR(found);
        return 0;
}

static int table_open(const FixedConnection *c, const char *name, const LayoutTable **ret_table, char **ret_path, int *ret_fd,
                      Error *error) {
        _cleanup_free_ char *file = NULL;
        int r;

        r = table_find(c, name, ret_table, error);
        if (r == 0 && c->is_folder)
                r = file_name_find(c, *ret_table, &file, error);
        return r < 0 ? r : file_table_open(c->system, c->is_folder, file, ret_path, ret_fd, error);
}

static size_t unit_size(const FixedScan *s) { return s->table->record_length + layout_end_size(s->layout->end); }

static int length_fail(const FixedScan *s, uint64_t line, uint64_t found, Error *error) {
        (void) error_set(error, ERROR_FILE_FORMAT,
                         "Lengths differ between years and versions of an export: use the layout of this one, or correct "
                         "record_length and the places of the fields by its documentation",
                         "The record has %llu bytes, table \"%s\" of the layout says %u", (unsigned long long) found,
                         s->table->name, s->table->record_length);
        return error_at(error, s->path, (unsigned) line, 0);
}

/* How long the first record is, by its end of line; the file's size where it has none. */
static int first_length(const FixedScan *s, uint64_t *ret, Error *error) {
        size_t size = s->identity.size < (int64_t) LENGTH_LOOKED_MAX ? (size_t) s->identity.size : LENGTH_LOOKED_MAX;
        _cleanup_free_ char *bytes = malloc(size + 1);
        const char *end;
        ssize_t n;

        if (!bytes)
                return -ENOMEM;
        n = file_read_at(s->fd, bytes, size, 0);
        if (n < 0)
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", s->path, strerror((int) -n));
        end = memchr(bytes, '\n', (size_t) n);
        *ret = end ? (uint64_t) (end - bytes) : (uint64_t) n;
        if (end && end > bytes && end[-1] == '\r' && s->layout->end == LAYOUT_END_CRLF)
                (*ret)--;
        return 0;
}

/* Before anything is read: the first record's length, then whether the size is that of whole records. A last one may lack its end of
 * line, and a ^Z may follow it. */
static int length_check(FixedScan *s, Error *error) {
        uint64_t size = (uint64_t) s->identity.size, unit = unit_size(s), first = s->table->record_length, rest;
        char last = 0;
        int r;

        if (size == 0)
                return 0;
        if (s->layout->end != LAYOUT_END_NONE) {
                r = first_length(s, &first, error);
                if (r < 0)
                        return r;
                if (first != s->table->record_length)
                        return length_fail(s, 1, first, error);
        }
        if (size % unit == 1 && file_read_at(s->fd, &last, 1, (off_t) size - 1) == 1 && last == 0x1A)
                size--;
        rest = size % unit;
        s->n_records = size / unit + (rest == s->table->record_length);
        if (rest == 0 || rest == s->table->record_length)
                return 0;
        (void) error_set(error, ERROR_FILE_FORMAT,
                         "Wait until the file is whole, or export it anew; if it is, its records have another length than the layout says",
                         "The file has %llu bytes, which are no whole records of %u: %llu are left over",
                         (unsigned long long) size, s->table->record_length, (unsigned long long) rest);
        return error_at(error, s->path, (unsigned) (size / unit + 1), 0);
}

/* ---- the scan ---- */

static void fixed_scan_close(Reader *reader) {
        FixedScan *s = (FixedScan *) reader;

        closep(&s->fd);
        free(s->fields);
        free(s->buffer);
        free(s->text);
        free(s->path);
        free(s);
}

static void scanp(FixedScan **s) {
        if (*s)
                fixed_scan_close(&(*s)->base);
}

static int table_describe(const LayoutTable *t, Table **ret) {
        _cleanup_(table_freep) Table *described = calloc(1, sizeof(*described));

        if (!described || !(described->name = strdup(t->name)))
                return -ENOMEM;
        described->exact_names = true;
        for (size_t i = 0; i < t->n_fields; i++) {
                TableColumn *column = table_column_add(described, t->fields[i].name);

                if (!column)
                        return -ENOMEM;
                column->type = t->fields[i].has_decimals ? NULL : strdup(value_type_to_string(t->fields[i].type));
                if (t->fields[i].has_decimals &&
                    asprintf(&column->type, "decimal(%u,%u)", t->fields[i].to - t->fields[i].from, t->fields[i].decimals) < 0)
                        column->type = NULL;
                if (!column->type)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(described);
        return 0;
}

static int scan_new(const FixedConnection *c, const Mapping *m, FixedScan **ret, Error *error) {
        _cleanup_(scanp) FixedScan *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->base.connector = &fixed_connector;
        s->fd = -EBADF;
        s->layout = c->system->layout;
        s->n_columns = m->n_columns;
        r = table_open(c, m->from, &s->table, &s->path, &s->fd, error);
        if (r < 0)
                return r;
        r = file_identity_read(s->fd, &s->identity);
        if (r < 0)
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", s->path, strerror(-r));
        r = length_check(s, error);
        if (r < 0)
                return r;
        s->buffer_records = BUFFER_BYTES / unit_size(s) + 1;
        s->buffer = malloc(s->buffer_records * unit_size(s));
        s->text = malloc(3 * (size_t) s->table->record_length + 1);
        s->fields = calloc(m->n_columns + 1, sizeof(*s->fields));
        if (!s->buffer || !s->text || !s->fields)
                return -ENOMEM;
        *ret = TAKE_PTR(s);
        return 0;
}

static void fields_find(FixedScan *s, const Mapping *m) {
        for (size_t i = 0; i < m->n_columns; i++)
                for (size_t j = 0; j < s->table->n_fields; j++)
                        if (text_equal(s->table->fields[j].name, m->columns[i].name))
                                s->fields[i] = &s->table->fields[j];
}

static void position_write(const FixedScan *s, uint64_t next, char ret[static POSITION_TEXT_MAX]) {
        (void) snprintf(ret, POSITION_TEXT_MAX, "%llu/%llx/%lld/%lld/%llx/%llx", (unsigned long long) next,
                        (unsigned long long) s->layout->hash, (long long) s->identity.size,
                        (long long) s->identity.modified_nsec, (unsigned long long) s->identity.inode,
                        (unsigned long long) s->identity.hash);
}

static void position_take(FixedScan *s, const char *position) {
        char same[POSITION_TEXT_MAX];
        unsigned long long next;

        if (!position || sscanf(position, "%llu/", &next) != 1 || next > s->n_records)
                return;
        position_write(s, next, same);
        s->resumed = text_equal(position, same);
        if (s->resumed)
                s->next = next;
}

static int fixed_scan_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        const FixedConnection *c = (const FixedConnection *) connection;
        _cleanup_(table_freep) Table *described = NULL;
        _cleanup_(scanp) FixedScan *s = NULL;
        int r;

        r = table_file_mapping_refuse(plan->mapping, plan->pair, "a file of fixed-width records", error);
        if (r == 0)
                r = scan_new(c, plan->mapping, &s, error);
        if (r == 0)
                r = table_describe(s->table, &described);
        if (r == 0)
                r = table_check_source(described, NULL, plan->pair, plan->mapping, NULL, error);
        if (r < 0)
                return r;
        fields_find(s, plan->mapping);
        position_take(s, plan->position);
        *ret = &TAKE_PTR(s)->base;
        return 0;
}

static int buffer_fill(FixedScan *s, Error *error) {
        uint64_t left = s->n_records - s->next, n = left < s->buffer_records ? left : s->buffer_records;
        size_t unit = unit_size(s), size = (size_t) n * unit;
        ssize_t got;

        if (s->next + n == s->n_records) /* the last end of line may be missing */
                size -= layout_end_size(s->layout->end);
        got = file_read_at(s->fd, s->buffer, size, (off_t) (s->next * unit));
        if (got < 0)
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", s->path, strerror((int) -got));
        if ((size_t) got < size)
                return file_check_unchanged(s->fd, &s->identity, s->path, error);
        s->buffer_first = s->next;
        s->buffer_n = n;
        return 0;
}

/* A record that is whole has its end of line where the layout says, and nowhere else. */
static int record_check(const FixedScan *s, const char *record, Error *error) {
        const char *end = s->layout->end == LAYOUT_END_NONE ? NULL : memchr(record, '\n', s->table->record_length);
        const char *expected = s->layout->end == LAYOUT_END_CRLF ? "\r\n" : "\n";

        if (end)
                return length_fail(s, s->next + 1, (uint64_t) (end - record), error);
        if (s->layout->end == LAYOUT_END_NONE || s->next + 1 == s->n_records ||
            memcmp(record + s->table->record_length, expected, layout_end_size(s->layout->end)) == 0)
                return 0;
        (void) error_set(error, ERROR_FILE_FORMAT, "Correct eol: or record_length of the layout, or export the file anew",
                         "The record does not end with %s behind byte %u", layout_end_to_string(s->layout->end),
                         s->table->record_length);
        return error_at(error, s->path, (unsigned) (s->next + 1), s->table->record_length + 1);
}

static int field_fail(const FixedScan *s, const LayoutField *field, const char *bytes, FixedFault fault, Error *error) {
        if (fault == FIXED_POINT)
                (void) error_set(error, ERROR_FILE_FORMAT,
                                 "Take decimals: out of the layout where the file writes the point itself",
                                 "Field \"%s\": \"%.*s\" has a point, and the layout an implied one of %u digits", field->name,
                                 (int) (field->to - field->from), bytes, field->decimals);
        else
                (void) error_set(error, ERROR_FILE_FORMAT, "Correct encoding: of the layout",
                                 "Field \"%s\": a byte is no %s", field->name, text_encoding_to_string(s->layout->encoding));
        (void) error_field(error, field->name);
        return error_at(error, s->path, (unsigned) (s->next + 1), field->from + 1);
}

static int record_take(FixedScan *s, Value *values, Error *error) {
        const char *record;
        int r;

        if (s->next < s->buffer_first || s->next >= s->buffer_first + s->buffer_n) {
                r = buffer_fill(s, error);
                if (r < 0)
                        return r;
        }
        record = s->buffer + (s->next - s->buffer_first) * unit_size(s);
        r = record_check(s, record, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n_columns; i++) {
                const LayoutField *field = s->fields[i];
                FixedFault fault = fixed_value(field, s->layout->encoding, record + field->from, s->text + 3 * field->from,
                                               &values[i]);

                if (fault != FIXED_FINE)
                        return field_fail(s, field, record + field->from, fault, error);
        }
        s->next++;
        return 1;
}

static int fixed_scan_next(Reader *reader, Value *values, Error *error) {
        _cleanup_error_ Error failure = {};
        FixedScan *s = (FixedScan *) reader;
        int r = 0;

        if (s->at_end)
                return 0;
        if (s->next < s->n_records) {
                r = record_take(s, values, &failure);
                if (r > 0)
                        return 1;
        }
        /* A file that changes is told first: it explains the rest. */
        if (file_check_unchanged(s->fd, &s->identity, s->path, error) < 0)
                return error_errno(ERROR_SYSTEM_BUSY);
        s->at_end = r == 0;
        if (r < 0 && error)
                error_move(error, &failure);
        return r;
}

static const char *fixed_scan_position(Reader *reader) {
        FixedScan *s = (FixedScan *) reader;

        if (s->next == 0)
                return NULL;
        position_write(s, s->next, s->position);
        return s->position;
}

static bool fixed_scan_resumed(const Reader *reader) { return ((const FixedScan *) reader)->resumed; }

/* ---- checking ---- */

static size_t inferred_count(const FixedScan *s) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_columns; i++)
                n += s->fields[i]->inferred;
        return n;
}

static int fixed_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        const FixedConnection *c = (const FixedConnection *) connection;
        _cleanup_(table_freep) Table *described = NULL;
        _cleanup_free_ char *message = NULL;
        _cleanup_error_ Error failure = {};
        _cleanup_(scanp) FixedScan *s = NULL;
        size_t n_before = json_array_size(report), n_inferred;
        int r;

        if (target)
                return report_add(report, m->to, false, "Files of fixed-width records can only be read", "Use another target");
        r = table_file_mapping_refuse(m, pair, "a file of fixed-width records", &failure);
        if (r == 0)
                r = scan_new(c, m, &s, &failure);
        if (r == 0)
                r = table_describe(s->table, &described);
        if (r == 0)
                r = table_check_source(described, NULL, pair, m, report, &failure);
        if (r < 0)
                return file_check_report(r, report, m->from, &failure, error);
        if (json_array_size(report) > n_before)
                return 0;
        fields_find(s, m);
        n_inferred = inferred_count(s);
        if (asprintf(&message, "Can be read: %llu records of %u bytes in \"%s\", %zu of %zu fields are mapped%s",
                     (unsigned long long) s->n_records, s->table->record_length, s->path, m->n_columns, s->table->n_fields,
                     n_inferred > 0 ? ", some of which the layout only infers" : "") < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, m->from, true, message,
                          n_inferred > 0 ? "Compare the fields that are inferred: true in the layout with the export" : NULL);
}

static int fixed_describe(Connection *connection, const Mapping *m, const char *table, bool target, Table **ret, Error *error) {
        const LayoutTable *t;
        int r;

        r = table_find((const FixedConnection *) connection, table, &t, error);
        return r < 0 ? r : table_describe(t, ret);
}

static int fixed_content_digest(Connection *connection, const Mapping *m, Digest *ret, Error *error) {
        const FixedConnection *c = (const FixedConnection *) connection;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *path = NULL;
        const LayoutTable *table;
        struct { Digest file; uint64_t layout; } all = {.layout = c->system->layout->hash};
        int r;

        r = table_open(c, m->from, &table, &path, &fd, error);
        if (r < 0)
                return r;
        r = file_digest(fd, &all.file);
        if (r < 0)
                return r == -ENOMEM ? r : error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", path, strerror(-r));
        bytes_digest(&all, sizeof(all), ret);
        return 0;
}

const Connector fixed_connector = {
        .kind = "fixed",
        .summary = "Files of fixed-width records, described by a layout",
        .capabilities = CONNECTOR_READS | CONNECTOR_RESUMES,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FILE),
        .default_strategy = DETECT_FILE,
        .open = fixed_open,
        .close = fixed_close,
        .check = fixed_check,
        .reader_open = fixed_scan_open,
        .reader_next = fixed_scan_next,
        .reader_position = fixed_scan_position,
        .reader_resumed = fixed_scan_resumed,
        .reader_close = fixed_scan_close,
        .content_digest = fixed_content_digest,
        .describe = fixed_describe,
};
