/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/csv-file.h"

#include "basic/json.h"
#include "basic/log.h"
#include "basic/text.h"

#define POSITION_TEXT_MAX 160

typedef struct CsvScan {
        Reader base;
        const CsvConnection *connection;
        char *path;
        int fd; /* a second one to the same file, to look at it at the end */
        CsvForm form;
        CsvReader *csv;
        size_t *columns; /* place in the file of each column of the mapping */
        size_t n_columns;
        FileIdentity identity;
        bool resumed, at_end, any;
        char position[POSITION_TEXT_MAX];
} CsvScan;

void csv_scan_close(Reader *reader) {
        CsvScan *s = (CsvScan *) reader;

        csv_reader_free(s->csv);
        closep(&s->fd);
        csv_form_done(&s->form);
        free(s->columns);
        free(s->path);
        free(s);
}

static void scanp(CsvScan **s) {
        if (*s)
                csv_scan_close(&(*s)->base);
}

/* The place of a column: exactly so named, else by the only one that differs in case. */
static int column_place(const CsvScan *s, const Table *t, const char *name, size_t *ret, Error *error) {
        size_t n_found = 0, n_exact = 0, place = 0;
        int r;

        r = table_column_require(t, name, error);
        if (r < 0)
                return r;
        for (size_t i = 0; s->form.names[i]; i++) {
                bool exact = text_equal(s->form.names[i], name);

                n_exact += exact;
                if (!text_equal_ignoring_case(s->form.names[i], name))
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

static int wanted_names(const Mapping *m, char ***ret) {
        int r = 0;

        for (size_t i = 0; i < m->n_columns && r == 0; i++)
                r = strings_append(ret, m->columns[i].name);
        return r;
}

static int scan_new(const CsvConnection *c, const Mapping *m, CsvScan **ret, Table **ret_table, Error *error) {
        _cleanup_(table_freep) Table *table = calloc(1, sizeof(*table));
        _cleanup_(scanp) CsvScan *s = calloc(1, sizeof(*s));
        _cleanup_strings_ char **wanted = NULL;
        int r;

        if (!s || !table)
                return -ENOMEM;
        s->base.connector = &csv_connector;
        s->connection = c;
        s->fd = -EBADF;
        s->n_columns = m->n_columns;
        s->columns = calloc(m->n_columns + 1, sizeof(size_t));
        if (!s->columns || wanted_names(m, &wanted) < 0)
                return -ENOMEM;
        r = file_table_open(c->system, c->is_folder, m->from, &s->path, &s->fd, error);
        if (r < 0)
                return r;
        r = file_identity_read(s->fd, &s->identity);
        if (r < 0)
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", s->path, strerror(-r));
        r = csv_form_detect(&c->options, s->fd, s->path, wanted, &s->form, error);
        if (r < 0)
                return r;
        table->name = strdup(s->path);
        for (size_t i = 0; table->name && s->form.names[i]; i++)
                if (!table_column_add(table, s->form.names[i]))
                        return -ENOMEM;
        if (!table->name)
                return -ENOMEM;
        *ret_table = TAKE_PTR(table);
        *ret = TAKE_PTR(s);
        return 0;
}

/* offset/line/encoding-delimiter-quote/size/time/inode/hash */
static void position_write(CsvScan *s, uint64_t offset, uint64_t line, char ret[static POSITION_TEXT_MAX]) {
        (void) snprintf(ret, POSITION_TEXT_MAX, "%llu/%llu/%d-%d-%d/%lld/%lld/%llx/%llx", (unsigned long long) offset,
                        (unsigned long long) line, (int) s->form.encoding, s->form.dialect.delimiter, s->form.dialect.quote,
                        (long long) s->identity.size, (long long) s->identity.modified_nsec,
                        (unsigned long long) s->identity.inode, (unsigned long long) s->identity.hash);
}

/* A place is this file's, read the same way, where it is what we would have written. */
static int position_take(CsvScan *s, const char *position, Error *error) {
        unsigned long long offset = s->form.records_at, line = s->form.records_line;
        char same[POSITION_TEXT_MAX];
        int r;

        if (position && sscanf(position, "%llu/%llu/", &offset, &line) == 2) {
                position_write(s, offset, line, same);
                s->resumed = text_equal(position, same);
        }
        if (!s->resumed) {
                offset = s->form.records_at;
                line = s->form.records_line;
        }
        r = csv_records_open(s->fd, &s->form, offset, line, &s->csv);
        if (r < 0)
                return r == -ENOMEM ? r : error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", s->path, strerror(-r));
        if (s->resumed)
                memcpy(s->position, same, sizeof(same));
        return 0;
}

static void form_log(const CsvScan *s) {
        _cleanup_free_ char *form = csv_form_text(&s->form);

        if (form)
                log_debug("\"%s\": %s", s->path, form);
}

int csv_scan_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        const CsvConnection *c = (const CsvConnection *) connection;
        const Mapping *m = plan->mapping;
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(scanp) CsvScan *s = NULL;
        int r;

        r = table_file_mapping_refuse(m, plan->pair, "a CSV file", error);
        if (r == 0)
                r = scan_new(c, m, &s, &table, error);
        if (r < 0)
                return r;
        form_log(s);
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

static int values_take(CsvScan *s, const CsvField *fields, Value *values, Error *error) {
        for (size_t i = 0; i < s->n_columns; i++) {
                const CsvField *field = &fields[s->columns[i]];

                if (csv_field_is_null(&s->connection->options, field))
                        values[i] = value_null();
                else if (text_is_utf8(field->bytes, field->size))
                        values[i] = value_text(field->bytes, field->size);
                else
                        return csv_encoding_fail(s->csv, &s->form, s->path, s->columns[i], field, error);
        }
        return 0;
}

static int record_take(CsvScan *s, Value *values, Error *error) {
        size_t n_columns = s->form.dialect.n_columns, n;
        const CsvField *fields;
        int r;

        do {
                r = csv_record_read(s->csv, s->path, &fields, &n, error);
                if (r <= 0)
                        return r;
        } while (n == 1 && n_columns > 1 && fields[0].size == 0 && !fields[0].quoted); /* a blank line is no record */
        if (n != n_columns)
                return csv_width_fail(s->csv, &s->form, s->path, fields, n, error);
        r = values_take(s, fields, values, error);
        return r < 0 ? r : 1;
}

int csv_scan_next(Reader *reader, Value *values, Error *error) {
        _cleanup_error_ Error failure = {};
        CsvScan *s = (CsvScan *) reader;
        int r;

        if (s->at_end)
                return 0;
        r = record_take(s, values, &failure);
        if (r > 0) {
                s->any = true;
                return 1;
        }
        /* A file that is written while it is read may be half old and half new: that is told first, since it explains the rest. */
        if (file_check_unchanged(s->fd, &s->identity, s->path, error) < 0)
                return error_errno(ERROR_SYSTEM_BUSY);
        s->at_end = r == 0;
        if (r < 0 && error)
                error_move(error, &failure);
        return r;
}

const char *csv_scan_position(Reader *reader) {
        CsvScan *s = (CsvScan *) reader;

        if (s->any)
                position_write(s, csv_reader_offset(s->csv), csv_reader_next_line(s->csv), s->position);
        return s->position[0] != '\0' ? s->position : NULL;
}

bool csv_scan_resumed(const Reader *reader) { return ((const CsvScan *) reader)->resumed; }

int csv_scan_check(CsvConnection *c, const Pair *pair, const Mapping *m, json_t *report, Error *error) {
        _cleanup_free_ char *what = NULL, *message = NULL, *form = NULL;
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(scanp) CsvScan *s = NULL;
        _cleanup_error_ Error failure = {};
        size_t n_before = json_array_size(report), place;
        int r;

        if (asprintf(&what, "file %s", m->from) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        r = table_file_mapping_refuse(m, pair, "a CSV file", &failure);
        if (r == 0)
                r = scan_new(c, m, &s, &table, &failure);
        if (r == 0)
                r = table_check_source(table, NULL, pair, m, report, &failure);
        if (r == 0 && json_array_size(report) > n_before)
                return 0;
        for (size_t i = 0; i < m->n_columns && r == 0; i++)
                r = column_place(s, table, m->columns[i].name, &place, &failure);
        if (r < 0)
                return file_check_report(r, report, what, &failure, error);
        form = csv_form_text(&s->form);
        if (!form || asprintf(&message, "Can be read: %zu of %zu columns are mapped; found: %s", m->n_columns,
                              s->form.dialect.n_columns, form) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, what, true, message, NULL);
}
