/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/limits.h"
#include "basic/text.h"
#include "config/entity.h"

#define LOOKUP_RECORD_BYTES_MAX (64U * 1024) /* a code and what it means */

typedef struct Table {
        Reading *reading;
        const char *path;
        Lookup *lookup;
        size_t capacity;
        uint64_t *lines; /* of each row, for mistakes */
        size_t lines_capacity;
} Table;

static void table_done(Table *t) {
        Lookup *l = t->lookup;

        for (size_t i = 0; l && i < l->n_rows; i++) {
                free(l->rows[i].code);
                free(l->rows[i].value);
        }
        if (l) {
                free(l->rows);
                free(l->path);
        }
        free(l);
        free(t->lines);
}

static int table_mistake(Table *t, uint64_t line, const char *remedy, const char *detail) {
        mistake_add(t->reading->mistakes, ERROR_MAPPING, t->path, (Mark){(unsigned) line, 0}, remedy, "%s",
                    detail);
        return -EINVAL;
}

static int table_add(Table *t, const CsvField *fields, uint64_t line) {
        Lookup *l = t->lookup;
        LookupRow *row;
        int r;

        r = array_grow(&l->rows, &t->capacity, l->n_rows + 1, sizeof *l->rows);
        if (r < 0)
                return r;
        r = array_grow(&t->lines, &t->lines_capacity, l->n_rows + 1, sizeof *t->lines);
        if (r < 0)
                return r;
        row = &l->rows[l->n_rows];
        t->lines[l->n_rows++] = line;
        *row = (LookupRow){strndup(fields[0].bytes, fields[0].size),
                           strndup(fields[1].bytes, fields[1].size)};
        return row->code && row->value ? 0 : -ENOMEM;
}

/* One record after the header. */
static int table_record(Table *t, const CsvField *fields, size_t n_fields, uint64_t line) {
        if (n_fields == 1 && fields[0].size == 0 && !fields[0].quoted)
                return 0; /* an empty line */
        if (n_fields < 2)
                return table_mistake(t, line, "Write code,value", "A line has one column only");
        if (t->lookup->n_rows >= LOOKUP_ROWS_MAX)
                return table_mistake(t, line, "Use a join instead",
                                     "The code table has more than 100000 lines");
        if (!text_is_utf8(fields[0].bytes, fields[0].size) || !text_is_utf8(fields[1].bytes, fields[1].size))
                return table_mistake(t, line, "Save the file as UTF-8", "A character is not valid UTF-8");
        return table_add(t, fields, line);
}

static int table_read(Table *t, CsvReader *csv) {
        const CsvField *fields;
        size_t n_fields;
        bool is_header = true;
        int r;

        while ((r = csv_reader_next(csv, &fields, &n_fields)) > 0) {
                if (!is_header) {
                        r = table_record(t, fields, n_fields, csv_reader_line(csv));
                        if (r < 0)
                                return r;
                }
                is_header = false;
        }
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return table_mistake(t, csv_reader_line(csv), "Check the quotes of this line",
                                     r == -EFBIG ? "A line is too long" : "This is not CSV");
        if (is_header)
                return table_mistake(t, 0, "Write a header line, then code,value on each line",
                                     "The code table is empty");
        return 0;
}

static int row_compare(const void *a, const void *b) {
        return strcmp(((const LookupRow *) a)->code, ((const LookupRow *) b)->code);
}

static int line_of_double(const Table *t, const char *code, const LookupRow *unsorted, uint64_t *ret) {
        bool seen = false;

        for (size_t i = 0; i < t->lookup->n_rows; i++) {
                if (!text_equal(unsorted[i].code, code))
                        continue;
                if (seen) {
                        *ret = t->lines[i];
                        return 0;
                }
                seen = true;
        }
        return -EINVAL;
}

/* Sorts the rows; a code that stands twice with two values is a mistake. */
static int table_sort(Table *t) {
        _cleanup_free_ LookupRow *unsorted = calloc(t->lookup->n_rows + 1, sizeof *unsorted);
        Lookup *l = t->lookup;
        int r = 0;

        if (!unsorted)
                return -ENOMEM;
        if (l->n_rows == 0)
                return 0;
        memcpy(unsorted, l->rows, l->n_rows * sizeof *unsorted);
        qsort(l->rows, l->n_rows, sizeof *l->rows, row_compare);
        for (size_t i = 1; i < l->n_rows; i++) {
                _cleanup_free_ char *detail = NULL;
                uint64_t line = 0;
                if (!text_equal(l->rows[i].code, l->rows[i - 1].code) ||
                    text_equal(l->rows[i].value, l->rows[i - 1].value))
                        continue;
                if (asprintf(&detail, "The code \"%.100s\" has two values", l->rows[i].code) < 0) {
                        detail = NULL;
                        return -ENOMEM;
                }
                (void) line_of_double(t, l->rows[i].code, unsorted, &line);
                r = table_mistake(t, line, "Keep one of them", detail);
                if (t->reading->mistakes->n_more > 0)
                        break;
        }
        return r;
}

/* Beside the mapping file, unless absolute. */
static char *path_beside(const char *file, const char *path) {
        const char *slash = strrchr(file, '/');
        char *text;

        if (*path == '/' || !slash)
                return strdup(path);
        return asprintf(&text, "%.*s/%s", (int) (slash - file), file, path) < 0 ? NULL : text;
}

static int table_parse(Table *t, char *bytes, size_t size) {
        CsvReader *csv = NULL;
        FILE *file;
        int r;

        if (size == 0) /* fmemopen() refuses it */
                return table_mistake(t, 0, "Write a header line, then code,value on each line",
                                     "The code table is empty");
        file = fmemopen(bytes, size, "r");
        if (!file)
                return -ENOMEM;
        r = csv_reader_new(file, ',', LOOKUP_RECORD_BYTES_MAX, &csv);
        if (r < 0)
                return r;
        r = table_read(t, csv);
        csv_reader_free(csv);
        return r < 0 ? r : table_sort(t);
}

int lookup_read(Reading *reading, const json_t *node, Lookup **ret) {
        const char *name = json_string_value(node);
        _cleanup_free_ char *path = path_beside(yaml_file(reading->document), name), *bytes = NULL;
        _cleanup_(table_done)
                Table t = {.reading = reading, .path = path, .lookup = calloc(1, sizeof(Lookup))};
        size_t size;
        int r;

        if (!path || !t.lookup || !(t.lookup->path = strdup(name)))
                return -ENOMEM;
        r = file_read(path, MAPPING_FILE_BYTES_MAX, &bytes, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                reading_mistake_value(reading, node, "Check the path; it is meant from the mapping file",
                                      "The code table %s cannot be read: %s", path, strerror(-r));
                return -EINVAL;
        }
        r = reading_hash(reading, bytes, size);
        if (r < 0)
                return r;
        r = table_parse(&t, bytes, size);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t.lookup);
        return 0;
}
