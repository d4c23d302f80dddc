/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/csv.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "basic/csv.h"
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "connect/table.h"

#define HASHED_BYTES      4096U /* of a file's begin: tells it from a successor of its size and time */
#define POSITION_TEXT_MAX 128

typedef struct CsvConnection {
        Connection base;
        const System *system;
        char delimiter;
        bool latin1, is_folder;
        const char *null_text; /* of the options, or NULL */
} CsvConnection;

/* What a position rests on: the same file, not touched since. */
typedef struct FileIdentity {
        int64_t size, modified_nsec;
        uint64_t hash;
} FileIdentity;

typedef struct CsvScan {
        Reader base;
        const CsvConnection *connection;
        char *path;
        CsvReader *csv;
        int fd;          /* a second one to the same file, to look at it at the end */
        size_t *columns; /* place in the file of each column of the mapping */
        size_t n_columns, n_header;
        char **names; /* of the header, NULL-terminated */
        FileIdentity identity;
        bool resumed, at_end, any;
        char *text; /* the present record in UTF-8, where the file is in latin-1 */
        size_t text_capacity;
        char position[POSITION_TEXT_MAX];
} CsvScan;

/* ---- the connection ---- */

static int option_error(const System *system, const char *remedy, const char *name, Error *error) {
        int r;

        r = error_set(error, ERROR_CONFIGURATION, remedy, "System \"%s\": option %s is not valid",
                      system->name, name);
        (void) error_field(error, name);
        (void) error_at(error, system->file, system->line, 0);
        return r;
}

static int options_take(CsvConnection *c, Error *error) {
        const json_t *delimiter = json_object_get(c->system->options, "delimiter"),
                     *null = json_object_get(c->system->options, "null");
        const json_t *encoding = json_object_get(c->system->options, "encoding");
        const char *text;

        c->delimiter = ',';
        if (delimiter) {
                text = json_string_value(delimiter);
                if (text_equal(text, "tab"))
                        text = "\t";
                if (!text || strlen(text) != 1 || strchr("\"\r\n", text[0]))
                        return option_error(c->system, "Write one character, as in delimiter: \";\", or tab",
                                            "delimiter", error);
                c->delimiter = text[0];
        }
        if (null && !json_is_null(null)) {
                c->null_text = json_string_value(null);
                if (!c->null_text)
                        return option_error(c->system, "Write the text that means null, as in null: \"NA\"",
                                            "null", error);
        }
        if (encoding) {
                text = json_string_value(encoding);
                c->latin1 = text && (text_equal_ignoring_case(text, "latin1") ||
                                     text_equal_ignoring_case(text, "latin-1"));
                if (!c->latin1 && !(text && text_equal_ignoring_case(text, "utf-8")) &&
                    !(text && text_equal_ignoring_case(text, "utf8")))
                        return option_error(c->system, "Write encoding: utf-8 or encoding: latin1",
                                            "encoding", error);
        }
        return 0;
}

static void csv_close(Connection *connection) { free(connection); }

static int csv_open(const System *system, bool write, Connection **ret, Error *error) {
        _cleanup_free_ CsvConnection *c = calloc(1, sizeof(*c));
        struct stat st;
        int r;

        if (!c)
                return -ENOMEM;
        c->base.connector = &csv_connector;
        c->system = system;
        r = options_take(c, error);
        if (r < 0)
                return r;
        if (!system->path)
                return error_set(error, ERROR_CONFIGURATION, "Add path: to the system",
                                 "System \"%s\" has no path", system->name);
        if (stat(system->path, &st) < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE,
                                 "Check path: of the system, and that the service may read it",
                                 "System \"%s\": cannot find \"%s\": %m", system->name, system->path);
        c->is_folder = S_ISDIR(st.st_mode);
        *ret = &TAKE_PTR(c)->base;
        return 0;
}

/* ---- the file ---- */

static int folder_names(const char *path, char ***ret) {
        _cleanup_strings_ char **names = NULL;
        struct dirent *entry;
        DIR *folder;
        int r = 0;

        folder = opendir(path);
        if (!folder)
                return -errno;
        while (r == 0 && (entry = readdir(folder)))
                if (entry->d_name[0] != '.')
                        r = strings_append(&names, entry->d_name);
        (void) closedir(folder);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

static int file_open(const CsvConnection *c, const char *from, char **ret_path, int *ret_fd, Error *error) {
        _cleanup_strings_ char **names = NULL;
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (!c->is_folder)
                path = strdup(c->system->path);
        else if (asprintf(&path, "%s/%s", c->system->path, from) < 0)
                path = NULL;
        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT && c->is_folder) {
                int r;

                r = folder_names(c->system->path, &names);
                return r == -ENOMEM ? r : table_missing("file", from, c->system->name, names, error);
        }
        if (fd < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Let the service read the file",
                                 "Cannot open \"%s\": %m", path);
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return error_set(error, ERROR_FILE_FORMAT, "Name a CSV file in from:", "\"%s\" is no file",
                                 path);
        *ret_path = TAKE_PTR(path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* FNV-1a: it tells files apart, it does not guard against anyone. */
static int identity_read(int fd, FileIdentity *ret) {
        uint8_t bytes[HASHED_BYTES];
        uint64_t hash = 0xcbf29ce484222325ULL;
        size_t n = 0;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        while (n < sizeof(bytes)) {
                ssize_t got = pread(fd, bytes + n, sizeof(bytes) - n, (off_t) n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t) got;
        }
        for (size_t i = 0; i < n; i++)
                hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
        *ret = (FileIdentity){
                .size = st.st_size,
                .modified_nsec = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec,
                .hash = hash,
        };
        return 0;
}

static bool identity_equal(const FileIdentity *a, const FileIdentity *b) {
        return a->size == b->size && a->modified_nsec == b->modified_nsec && a->hash == b->hash;
}

/* Reads on at an offset of the same open file, whatever its name leads to by now. */
static int csv_at(CsvScan *s, uint64_t offset, uint64_t line, Error *error) {
        _cleanup_close_ int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
        FILE *file;
        int r;

        s->csv = csv_reader_free(s->csv);
        if (fd < 0 || lseek(fd, (off_t) offset, SEEK_SET) < 0)
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %m", s->path);
        file = fdopen(fd, "re");
        if (!file)
                return -ENOMEM;
        (void) TAKE_FD(fd);
        r = csv_reader_new(file, s->connection->delimiter, RECORD_BYTES_MAX, &s->csv);
        if (r < 0)
                return r;
        csv_reader_set_line(s->csv, line);
        return 0;
}

static int file_error(const CsvScan *s, Error *error) {
        return error_at(error, s->path, (unsigned) csv_reader_line(s->csv), 0);
}

static int record_read(CsvScan *s, const CsvField **ret_fields, size_t *ret_n, Error *error) {
        int r;

        r = csv_reader_next(s->csv, ret_fields, ret_n);
        if (r >= 0 || r == -ENOMEM)
                return r;
        if (r == -EBADMSG)
                (void) error_set(error, ERROR_FILE_FORMAT,
                                 "Close each quoted field with \", and double a \" inside it",
                                 "A quote is not closed, or text follows a closing quote");
        else if (r == -EFBIG)
                (void) error_set(error, ERROR_FILE_FORMAT, "Look for a quote that is not closed",
                                 "A record is longer than %u MiB or has too many fields",
                                 RECORD_BYTES_MAX / 1024 / 1024);
        else
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", s->path, strerror(-r));
        return file_error(s, error);
}

/* ---- text ---- */

static int utf8_error(const CsvScan *s, const char *column, const CsvField *field, Error *error) {
        size_t place = 0;

        /* The longest valid beginning ends before the byte at fault. */
        while (place < field->size &&
               ((unsigned char) field->bytes[place] < 0x80 || text_is_utf8(field->bytes, place + 1)))
                place++;
        while (place > 0 && !text_is_utf8(field->bytes, place))
                place--;
        (void) error_set(error, ERROR_FILE_FORMAT,
                         "Save the file as UTF-8, or say encoding: latin1 in the system's configuration",
                         "Byte 0x%02X at place %zu of column \"%s\" is not UTF-8",
                         (unsigned char) field->bytes[place], place + 1, column);
        (void) error_field(error, column);
        return file_error(s, error);
}

/* Each latin-1 byte above 0x7F is the character of that number: two bytes of UTF-8. */
static size_t latin1_write(const CsvField *field, char *text) {
        char *p = text;

        for (size_t i = 0; i < field->size; i++) {
                unsigned char byte = (unsigned char) field->bytes[i];

                if (byte >= 0x80) {
                        *p++ = (char) (0xC0 | byte >> 6);
                        *p++ = (char) (0x80 | (byte & 0x3F));
                } else
                        *p++ = (char) byte;
        }
        return (size_t) (p - text);
}

static bool field_is_null(const CsvConnection *c, const CsvField *field) {
        if (field->quoted)
                return false;
        if (!c->null_text)
                return field->size == 0;
        return strlen(c->null_text) == field->size && memcmp(c->null_text, field->bytes, field->size) == 0;
}

static int values_take(CsvScan *s, const CsvField *fields, Value *values, Error *error) {
        size_t used = 0, need = 0;
        int r;

        if (s->connection->latin1) {
                for (size_t i = 0; i < s->n_columns; i++)
                        need += 2 * fields[s->columns[i]].size;
                r = array_grow(&s->text, &s->text_capacity, need + 1, 1);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < s->n_columns; i++) {
                const CsvField *field = &fields[s->columns[i]];

                if (field_is_null(s->connection, field))
                        values[i] = value_null();
                else if (s->connection->latin1) {
                        values[i] = value_text(s->text + used, latin1_write(field, s->text + used));
                        used += values[i].size;
                } else if (text_is_utf8(field->bytes, field->size))
                        values[i] = value_text(field->bytes, field->size);
                else
                        return utf8_error(s, s->names[s->columns[i]], field, error);
        }
        return 0;
}

/* ---- the header ---- */

static int header_read(CsvScan *s, Table **ret, Error *error) {
        _cleanup_(table_freep) Table *t = calloc(1, sizeof(*t));
        const CsvField *fields;
        size_t n;
        int r;

        if (!t)
                return -ENOMEM;
        t->name = strdup(s->path);
        if (!t->name)
                return -ENOMEM;
        r = record_read(s, &fields, &n, error);
        if (r < 0)
                return r;
        if (r == 0 || (n == 1 && fields[0].size == 0)) {
                (void) error_set(error, ERROR_FILE_FORMAT, "Let its first line name the columns",
                                 "The file has no header row");
                return error_at(error, s->path, 1, 0);
        }
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *name = malloc(2 * fields[i].size + 1);
                size_t size;

                if (!name)
                        return -ENOMEM;
                if (!s->connection->latin1 && !text_is_utf8(fields[i].bytes, fields[i].size))
                        return utf8_error(s, "(header)", &fields[i], error);
                if (s->connection->latin1)
                        size = latin1_write(&fields[i], name);
                else
                        memcpy(name, fields[i].bytes, size = fields[i].size);
                name[size] = '\0';
                if (!table_column_add(t, name))
                        return -ENOMEM;
                r = strings_append(&s->names, name);
                if (r < 0)
                        return r;
        }
        s->n_header = n;
        *ret = TAKE_PTR(t);
        return 0;
}

/* The place of a column: exactly so named, else by the only one that differs in case. */
static int column_place(const CsvScan *s, const Table *t, const char *name, size_t *ret, Error *error) {
        size_t n_found = 0, n_exact = 0, place = 0;
        int r;

        r = table_column_require(t, name, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n_header; i++) {
                bool exact = text_equal(s->names[i], name);

                n_exact += exact;
                if (!text_equal_ignoring_case(s->names[i], name))
                        continue;
                if (exact || n_exact == 0)
                        place = i;
                n_found++;
        }
        if (n_exact > 1 || (n_exact == 0 && n_found > 1)) {
                (void) error_set(error, ERROR_FILE_FORMAT, "Give each column its own name",
                                 "The header names column \"%s\" twice", name);
                return error_at(error, s->path, 1, 0);
        }
        *ret = place;
        return 0;
}

/* ---- the scan ---- */

static void csv_scan_close(Reader *reader) {
        CsvScan *s = (CsvScan *) reader;

        csv_reader_free(s->csv);
        closep(&s->fd);
        strings_free(s->names);
        free(s->columns);
        free(s->path);
        free(s->text);
        free(s);
}

static void scanp(CsvScan **s) {
        if (*s)
                csv_scan_close(&(*s)->base);
}

/* What SQL would do is not there: it is refused rather than left out. */
static int mapping_refuse(const Mapping *m, const Pair *pair, Error *error) {
        const char *what = m->n_joins > 0                    ? "join:"
                           : m->where                        ? "where:"
                           : m->strategy == DETECT_WATERMARK ? "strategy: watermark"
                                                             : NULL;
        int r;

        if (!what)
                return 0;
        r = error_set(error, ERROR_MAPPING,
                      m->n_joins || m->where ? "Load the files into a database to join or filter them"
                                             : "Use strategy: full",
                      "Entity \"%s\" reads a CSV file, which knows no %s", m->entity, what);
        return pair ? error_at(error, pair->file, m->line, m->column) : r;
}

static int scan_new(const CsvConnection *c, const Mapping *m, CsvScan **ret, Table **ret_table,
                    Error *error) {
        _cleanup_(scanp) CsvScan *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->base.connector = &csv_connector;
        s->connection = c;
        s->fd = -EBADF;
        s->n_columns = m->n_columns;
        s->columns = calloc(m->n_columns + 1, sizeof(size_t));
        if (!s->columns)
                return -ENOMEM;
        r = file_open(c, m->from, &s->path, &s->fd, error);
        if (r < 0)
                return r;
        r = identity_read(s->fd, &s->identity);
        if (r < 0)
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", s->path, strerror(-r));
        r = csv_at(s, 0, 1, error);
        if (r == 0)
                r = header_read(s, ret_table, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

static int position_take(CsvScan *s, const char *position, Error *error) {
        unsigned long long offset, line, hash;
        long long size, modified;
        FileIdentity then;
        int end = 0, r;

        if (!position ||
            sscanf(position, "%llu/%llu/%lld/%lld/%llx%n", &offset, &line, &size, &modified, &hash, &end) !=
                    5 ||
            position[end] != '\0')
                return 0;
        then = (FileIdentity){.size = size, .modified_nsec = modified, .hash = hash};
        if (!identity_equal(&then, &s->identity) || offset > (unsigned long long) size)
                return 0;
        r = csv_at(s, offset, line, error);
        if (r < 0)
                return r;
        (void) snprintf(s->position, sizeof(s->position), "%s", position);
        s->resumed = true;
        return 0;
}

static int csv_scan_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        const CsvConnection *c = (const CsvConnection *) connection;
        const Mapping *m = plan->mapping;
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(scanp) CsvScan *s = NULL;
        int r;

        r = mapping_refuse(m, plan->pair, error);
        if (r == 0)
                r = scan_new(c, m, &s, &table, error);
        if (r < 0)
                return r;
        r = table_check_source(table, NULL, plan->pair, m, NULL, error);
        for (size_t i = 0; i < m->n_columns && r == 0; i++)
                r = column_place(s, table, m->columns[i].name, &s->columns[i], error);
        if (r == 0)
                r = position_take(s, plan->position, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(s)->base;
        return 0;
}

/* A file that is written while it is read may be half old and half new. */
static int end_check(CsvScan *s, Error *error) {
        FileIdentity now;

        if (identity_read(s->fd, &now) == 0 && identity_equal(&now, &s->identity)) {
                s->at_end = true;
                return 0;
        }
        return error_set(error, ERROR_SYSTEM_BUSY, "Write a new file beside it and rename it into place",
                         "\"%s\" changed while it was read", s->path);
}

static int csv_scan_next(Reader *reader, Value *values, Error *error) {
        CsvScan *s = (CsvScan *) reader;
        const CsvField *fields;
        size_t n;
        int r;

        if (s->at_end)
                return 0;
        do {
                r = record_read(s, &fields, &n, error);
                if (r < 0)
                        return r;
                if (r == 0)
                        return end_check(s, error);
        } while (n == 1 && s->n_header > 1 && fields[0].size == 0 &&
                 !fields[0].quoted); /* a blank line is no record */
        if (n != s->n_header) {
                (void) error_set(error, ERROR_FILE_FORMAT,
                                 "Quote fields that hold the delimiter, or set delimiter: of the system",
                                 "The record has %zu fields, the header %zu", n, s->n_header);
                return file_error(s, error);
        }
        r = values_take(s, fields, values, error);
        if (r < 0)
                return r;
        s->any = true;
        return 1;
}

static const char *csv_scan_position(Reader *reader) {
        CsvScan *s = (CsvScan *) reader;

        if (s->any)
                (void) snprintf(s->position, sizeof(s->position), "%llu/%llu/%lld/%lld/%llx",
                                (unsigned long long) csv_reader_offset(s->csv),
                                (unsigned long long) csv_reader_next_line(s->csv),
                                (long long) s->identity.size, (long long) s->identity.modified_nsec,
                                (unsigned long long) s->identity.hash);
        return s->position[0] != '\0' ? s->position : NULL;
}

static bool csv_scan_resumed(const Reader *reader) { return ((const CsvScan *) reader)->resumed; }

/* ---- checking ---- */

static int csv_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report,
                     Error *error) {
        const CsvConnection *c = (const CsvConnection *) connection;
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(scanp) CsvScan *s = NULL;
        _cleanup_error_ Error failure = {};
        _cleanup_free_ char *what = NULL, *message = NULL;
        size_t n_before = json_array_size(report), place;
        int r;

        if (asprintf(&what, "file %s", m->from) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (target)
                return report_add(report, what, false, "Writing CSV files is not there yet",
                                  "Use a system of kind: sqlite as the target");
        r = mapping_refuse(m, pair, &failure);
        if (r == 0)
                r = scan_new(c, m, &s, &table, &failure);
        if (r == 0)
                r = table_check_source(table, NULL, pair, m, report, &failure);
        if (r == 0 && json_array_size(report) > n_before)
                return 0;
        for (size_t i = 0; i < m->n_columns && r == 0; i++)
                r = column_place(s, table, m->columns[i].name, &place, &failure);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, what, &failure);
        if (asprintf(&message, "Can be read: %zu of %zu columns are mapped", m->n_columns, s->n_header) <
            0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, what, true, message, NULL);
}

const Connector csv_connector = {
        .kind = "csv",
        .summary = "A folder of CSV files with header rows, or one such file",
        .capabilities = CONNECTOR_READS | CONNECTOR_RESUMES,
        .strategies = DETECT_BIT(DETECT_FULL),
        .default_strategy = DETECT_FULL,
        .open = csv_open,
        .close = csv_close,
        .check = csv_check,
        .reader_open = csv_scan_open,
        .reader_next = csv_scan_next,
        .reader_position = csv_scan_position,
        .reader_resumed = csv_scan_resumed,
        .reader_close = csv_scan_close,
};
