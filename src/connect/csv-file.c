/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/csv-file.h"

#include <fcntl.h>

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"

#define SAMPLE_BYTES (256U * 1024) /* what encoding and dialect are told from */

/* ---- options ---- */

static int option_error(const System *system, const char *remedy, const char *name, Error *error) {
        int r;

        r = error_set(error, ERROR_CONFIGURATION, remedy, "System \"%s\": option %s is not valid", system->name, name);
        (void) error_field(error, name);
        (void) error_at(error, system->file, system->line, 0);
        return r;
}

static int delimiter_take(const System *system, CsvOptions *o, Error *error) {
        const json_t *node = json_object_get(system->options, "delimiter");
        const char *text = json_string_value(node);

        if (!node)
                return 0;
        if (text_equal(text, "tab"))
                text = "\t";
        if (!text || strlen(text) != 1 || strchr("\"'\r\n", text[0]) || (unsigned char) text[0] >= 0x80)
                return option_error(system, "Write one character, as in delimiter: \";\", or tab", "delimiter", error);
        o->dialect.delimiter = text[0];
        return 0;
}

static int quote_take(const System *system, CsvOptions *o, Error *error) {
        const json_t *node = json_object_get(system->options, "quote");
        const char *text = json_string_value(node);

        if (!node)
                return 0;
        if (text_equal(text, "none"))
                o->dialect.quote = CSV_QUOTE_NONE;
        else if (text && strlen(text) == 1 && !strchr("\r\n", text[0]) && text[0] != o->dialect.delimiter &&
                 (unsigned char) text[0] < 0x80)
                o->dialect.quote = (unsigned char) text[0];
        else
                return option_error(system, "Write one character, as in quote: \"'\", or none", "quote", error);
        return 0;
}

static int header_take(const System *system, CsvOptions *o, Error *error) {
        const json_t *node = json_object_get(system->options, "header"),
                     *columns = json_object_get(system->options, "columns");
        const char *text = json_string_value(node);
        const json_t *item;
        size_t i;
        int r;

        if (node && !text_equal(text, "true") && !text_equal(text, "false"))
                return option_error(system, "Write header: true or header: false", "header", error);
        if (node)
                o->header = text_equal(text, "true") ? CSV_HEADER_YES : CSV_HEADER_NO;
        json_array_foreach(columns, i, item) {
                if (!json_string_value(item) || !*json_string_value(item))
                        return option_error(system, "Write a list of names, as in columns: [id, owner]", "columns", error);
                r = strings_append(&o->columns, json_string_value(item));
                if (r < 0)
                        return r;
        }
        if (columns && !o->columns)
                return option_error(system, "Write a list of names, as in columns: [id, owner]", "columns", error);
        if (o->columns && o->header == CSV_HEADER_DETECT)
                return option_error(system, "Say header: false, or header: true where a header row is to be passed over",
                                    "columns", error);
        return 0;
}

int csv_options_take(const System *system, CsvOptions *ret, Error *error) {
        CsvOptions o = {.encoding = _TEXT_ENCODING_INVALID, .dialect.quote = CSV_QUOTE_DETECT};
        const json_t *null = json_object_get(system->options, "null"),
                     *encoding = json_object_get(system->options, "encoding");
        int r;

        if (null && !json_is_null(null)) {
                o.null_text = json_string_value(null);
                if (!o.null_text)
                        return option_error(system, "Write the text that means null, as in null: \"NA\"", "null", error);
        }
        if (encoding && !text_equal(json_string_value(encoding), "detect")) {
                o.encoding = text_encoding_from_string(json_string_value(encoding));
                if (o.encoding < 0)
                        return option_error(system,
                                            "Write encoding: utf-8, utf-16, utf-16le, utf-16be, latin1 or windows-1252",
                                            "encoding", error);
        }
        r = delimiter_take(system, &o, error);
        if (r == 0)
                r = quote_take(system, &o, error);
        if (r == 0)
                r = header_take(system, &o, error);
        if (r < 0) {
                csv_options_done(&o);
                return r;
        }
        *ret = o;
        return 0;
}

void csv_options_done(CsvOptions *o) { o->columns = strings_free(o->columns); }

void csv_form_done(CsvForm *f) { f->names = strings_free(f->names); }

/* ---- finding out ---- */

static unsigned line_of(const char *bytes, size_t at) {
        unsigned line = 1;

        for (size_t i = 0; i < at; i++)
                line += bytes[i] == '\n';
        return line;
}

static int encoding_find(const CsvOptions *o, const char *sample, size_t size, bool whole, const char *path, CsvForm *f,
                         Error *error) {
        EncodingGuess guess = {};
        int r;

        r = encoding_detect(sample, size, whole, &guess);
        f->bom_size = guess.bom_size;
        f->is_ascii = guess.is_ascii;
        f->encoding = o->encoding;
        if (o->encoding >= 0) {
                /* "utf-16" leaves the order of bytes to the mark. */
                if ((o->encoding == ENCODING_UTF16LE || o->encoding == ENCODING_UTF16BE) && guess.bom_size == 2)
                        f->encoding = guess.encoding;
                return 0;
        }
        f->encoding = guess.encoding;
        if (r == 0)
                return 0;
        (void) error_set(error, ERROR_FILE_FORMAT,
                         "Say encoding: of the system (utf-8, latin1, windows-1252, utf-16), or export the file as UTF-8",
                         "The file's encoding cannot be told: it is neither UTF-8 nor Windows-1252, by byte 0x%02X at "
                         "offset %zu",
                         (unsigned char) sample[guess.fault], guess.fault);
        return error_at(error, path, line_of(sample, guess.fault), 0);
}

static int sample_decode(const char *sample, size_t size, TextEncoding encoding, char **ret, size_t *ret_size) {
        _cleanup_fclose_ FILE *decoded = NULL;
        _cleanup_free_ char *text = malloc(3 * size + 4); /* a byte or half a unit gives at most three */
        FILE *file;
        size_t n;

        if (!text)
                return -ENOMEM;
        file = fmemopen((void *) sample, size, "r");
        if (!file)
                return -ENOMEM;
        decoded = encoding_open(file, encoding);
        if (!decoded)
                return -ENOMEM;
        n = fread(text, 1, 3 * size, decoded);
        *ret = TAKE_PTR(text);
        *ret_size = n;
        return 0;
}

static const char *delimiter_name(char delimiter, char buffer[static 4]) {
        if (delimiter == '\t')
                return "tab";
        (void) snprintf(buffer, 4, "\"%c\"", delimiter);
        return buffer;
}

static int doubt_fail(CsvDoubt doubt, const char delimiters[static 2], const char *path, Error *error) {
        char one[4], other[4];

        switch (doubt) {
        case CSV_DOUBT_DELIMITER:
                (void) error_set(error, ERROR_FILE_FORMAT, "Say delimiter: of the system",
                                 "The delimiter cannot be told: it may be %s or %s", delimiter_name(delimiters[0], one),
                                 delimiter_name(delimiters[1], other));
                break;
        case CSV_DOUBT_QUOTE:
                (void) error_set(error, ERROR_FILE_FORMAT, "Say quote: \"'\" of the system, or quote: '\"' where they are",
                                 "Fields stand in single quotes: whether these are part of the text cannot be told");
                break;
        default:
                (void) error_set(error, ERROR_FILE_FORMAT, "Export the file with lines that end with LF or CRLF",
                                 "Lines end with a carriage return alone");
        }
        return error_at(error, path, 1, 0);
}

static int dialect_find(const CsvOptions *o, const char *sample, size_t size, bool whole, const char *path, CsvForm *f,
                        Error *error) {
        _cleanup_free_ char *decoded = NULL;
        const char *text = sample;
        char delimiters[2];
        CsvDoubt doubt;
        int r;

        if (f->encoding != ENCODING_UTF8 && size > 0) {
                r = sample_decode(sample, size, f->encoding, &decoded, &size);
                if (r < 0)
                        return r;
                text = decoded;
        }
        r = csv_dialect_detect(text, size, whole, &o->dialect, &f->dialect, &doubt, delimiters);
        return r == -EILSEQ ? doubt_fail(doubt, delimiters, path, error) : r;
}

/* ---- the header ---- */

static int names_number(size_t n, char ***ret) {
        for (size_t i = 1; i <= n; i++) {
                _cleanup_free_ char *name = NULL;
                int r;

                if (asprintf(&name, "column_%zu", i) < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                r = strings_append(ret, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int names_read(const CsvReader *csv, const CsvForm *f, const char *path, const CsvField *fields, size_t n, char ***ret,
                      Error *error) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *name = strndup(fields[i].bytes, fields[i].size);
                int r;

                if (!name)
                        return -ENOMEM;
                if (!text_is_utf8(fields[i].bytes, fields[i].size) || memchr(fields[i].bytes, '\0', fields[i].size))
                        return csv_encoding_fail(csv, f, path, i, &fields[i], error);
                r = strings_append(ret, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* No header: the mapping names none of the first record's fields, and all it names are column_1 and so on. */
static bool names_are_numbers(char *const *wanted, char *const *first, size_t n) {
        if (!wanted || !wanted[0])
                return false;
        for (; *wanted; wanted++) {
                int64_t number;

                if (!text_starts_with(*wanted, "column_") || strings_contain(first, *wanted) ||
                    text_to_int64(*wanted + strlen("column_"), 1, (int64_t) n, &number) < 0)
                        return false;
        }
        return true;
}

static int columns_fit(const CsvOptions *o, size_t n, const char *path, Error *error) {
        if (!o->columns || strings_count(o->columns) == n)
                return 0;
        (void) error_set(error, ERROR_FILE_FORMAT, "Name each column of the file, or leave columns: out",
                         "columns: of the system names %zu columns, the file has %zu", strings_count(o->columns), n);
        return error_at(error, path, 1, 0);
}

static int header_find(const CsvOptions *o, int fd, const char *path, char *const *wanted, CsvForm *f, Error *error) {
        _cleanup_(csv_reader_freep) CsvReader *csv = NULL;
        _cleanup_strings_ char **first = NULL;
        const CsvField *fields;
        size_t n;
        int r;

        r = csv_records_open(fd, f, 0, 1, &csv);
        if (r == 0)
                r = csv_record_read(csv, path, &fields, &n, error);
        if (r < 0)
                return r;
        if (r == 0 || (n == 1 && fields[0].size == 0)) {
                (void) error_set(error, ERROR_FILE_FORMAT, "Let its first line name the columns", "The file has no header row");
                return error_at(error, path, 1, 0);
        }
        if (o->header == CSV_HEADER_DETECT || (o->header == CSV_HEADER_YES && !o->columns)) {
                r = names_read(csv, f, path, fields, n, &first, error);
                if (r < 0)
                        return r;
        }
        f->has_header = o->header == CSV_HEADER_YES || (first && !names_are_numbers(wanted, first, n));
        if (f->has_header) {
                f->records_at = csv_reader_offset(csv);
                f->records_line = csv_reader_next_line(csv);
        }
        f->dialect.n_columns = n;
        r = columns_fit(o, n, path, error);
        if (r < 0)
                return r;
        if (f->has_header && !o->columns)
                f->names = TAKE_PTR(first);
        else if (!o->columns)
                return names_number(n, &f->names);
        for (size_t i = 0; o->columns && i < n && r == 0; i++)
                r = strings_append(&f->names, o->columns[i]);
        return r;
}

int csv_form_detect(const CsvOptions *o, int fd, const char *path, char *const *wanted, CsvForm *ret, Error *error) {
        _cleanup_free_ char *sample = malloc(SAMPLE_BYTES);
        CsvForm f = {.records_line = 1};
        ssize_t n;
        int r;

        if (!sample)
                return -ENOMEM;
        n = file_read_at(fd, sample, SAMPLE_BYTES, 0);
        if (n < 0)
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", path, strerror((int) -n));
        r = encoding_find(o, sample, (size_t) n, n < (ssize_t) SAMPLE_BYTES, path, &f, error);
        if (r == 0)
                r = dialect_find(o, sample, (size_t) n, n < (ssize_t) SAMPLE_BYTES, path, &f, error);
        if (r == 0)
                r = header_find(o, fd, path, wanted, &f, error);
        if (r < 0) {
                csv_form_done(&f);
                return r;
        }
        *ret = f;
        return 0;
}

char *csv_form_text(const CsvForm *f) {
        char delimiter[4], quote[16] = "no quotes", *text;

        if (f->dialect.quote >= 0)
                (void) snprintf(quote, sizeof(quote), "quote %c", f->dialect.quote);
        if (asprintf(&text, "%s%s, delimiter %s, %s, lines end with %s, %s",
                     f->is_ascii && f->encoding == ENCODING_UTF8 ? "ascii" : text_encoding_to_string(f->encoding),
                     f->bom_size > 0 ? " with byte order mark" : "", delimiter_name(f->dialect.delimiter, delimiter), quote,
                     csv_ends_to_string(f->dialect.ends), f->has_header ? "header row" : "no header row") < 0)
                return NULL;
        return text;
}

/* ---- records ---- */

/* Text that was decoded has no place of its own in the file: what is before is decoded again. */
static int text_skip(FILE *file, uint64_t n) {
        char bytes[16384];

        while (n > 0) {
                size_t want = n < sizeof(bytes) ? (size_t) n : sizeof(bytes);

                if (fread(bytes, 1, want, file) != want)
                        return -EIO;
                n -= want;
        }
        return 0;
}

int csv_records_open(int fd, const CsvForm *f, uint64_t offset, uint64_t line, CsvReader **ret) {
        _cleanup_close_ int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        _cleanup_fclose_ FILE *file = NULL;
        bool plain = f->encoding == ENCODING_UTF8;
        int r;

        if (own < 0 || lseek(own, plain ? (off_t) offset : 0, SEEK_SET) < 0)
                return -errno;
        file = fdopen(own, "re");
        if (!file)
                return -ENOMEM;
        (void) TAKE_FD(own);
        file = encoding_open(TAKE_PTR(file), f->encoding);
        if (!file)
                return -ENOMEM;
        if (!plain) {
                r = text_skip(file, offset);
                if (r < 0)
                        return r;
        }
        r = csv_reader_new(TAKE_PTR(file), f->dialect.delimiter, RECORD_BYTES_MAX, ret);
        if (r < 0)
                return r;
        csv_reader_set_quote(*ret, f->dialect.quote);
        csv_reader_set_place(*ret, line, offset);
        return 0;
}

int csv_record_read(CsvReader *csv, const char *path, const CsvField **ret_fields, size_t *ret_n, Error *error) {
        int r;

        r = csv_reader_next(csv, ret_fields, ret_n);
        if (r >= 0 || r == -ENOMEM)
                return r;
        if (r == -EBADMSG && csv_reader_is_cut(csv))
                (void) error_set(error, ERROR_FILE_FORMAT,
                                 "Close each quoted field with a quote, and double a quote inside it; or the file is not whole yet",
                                 "A quote is not closed: the field goes on to the file's end");
        else if (r == -EBADMSG)
                (void) error_set(error, ERROR_FILE_FORMAT,
                                 "Close each quoted field with a quote, and double a quote inside it",
                                 "Text follows a closing quote");
        else if (r == -EFBIG)
                (void) error_set(error, ERROR_FILE_FORMAT, "Look for a quote that is not closed",
                                 "A record is longer than %u MiB or has too many fields", RECORD_BYTES_MAX / 1024 / 1024);
        else
                return error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", path, strerror(-r));
        return error_at(error, path, (unsigned) csv_reader_line(csv), 0);
}

int csv_width_fail(const CsvReader *csv, const CsvForm *f, const char *path, const CsvField *fields, size_t n, Error *error) {
        const char *remedy = "Quote fields that hold the delimiter, or set delimiter: of the system";

        if (fields[0].size > 0 && fields[0].bytes[0] == '\0')
                remedy = "Export the file anew: a part of it was never written";
        else if (csv_reader_is_cut(csv) && n < f->dialect.n_columns)
                remedy = "Wait until the file is whole, or export it anew: it ends in the middle of a line";
        (void) error_set(error, ERROR_FILE_FORMAT, remedy, "The record has %zu fields, %s %zu", n, f->has_header ? "the header" : "the first one",
                         f->dialect.n_columns);
        return error_at(error, path, (unsigned) csv_reader_line(csv),
                        csv_reader_column(csv, n > f->dialect.n_columns ? f->dialect.n_columns : n));
}

bool csv_field_is_null(const CsvOptions *o, const CsvField *field) {
        if (field->quoted)
                return false;
        if (!o->null_text)
                return field->size == 0;
        return strlen(o->null_text) == field->size && memcmp(o->null_text, field->bytes, field->size) == 0;
}

int csv_encoding_fail(const CsvReader *csv, const CsvForm *f, const char *path, size_t field, const CsvField *at, Error *error) {
        const char *column = f->names && f->names[field] ? f->names[field] : "(header)",
                   *encoding = text_encoding_to_string(f->encoding);
        size_t place = 0;

        if (text_is_utf8(at->bytes, at->size)) { /* of a header */
                (void) error_set(error, ERROR_FILE_FORMAT, "Export the file anew", "A column's name has a NUL byte");
                return error_at(error, path, (unsigned) csv_reader_line(csv), csv_reader_column(csv, field));
        }
        /* The longest valid beginning ends before the byte at fault. */
        while (place < at->size && ((unsigned char) at->bytes[place] < 0x80 || text_is_utf8(at->bytes, place + 1)))
                place++;
        while (place > 0 && !text_is_utf8(at->bytes, place))
                place--;
        (void) error_set(error, ERROR_FILE_FORMAT,
                         f->encoding == ENCODING_UTF8
                                 ? "Save the file as UTF-8, or say encoding: latin1 (or windows-1252) in the system's configuration"
                                 : "Correct the file, or say another encoding: in the system's configuration",
                         "Byte 0x%02X at place %zu of column \"%s\" is not %s", (unsigned char) at->bytes[place], place + 1,
                         column, f->encoding == ENCODING_UTF8 ? "UTF-8" : encoding);
        (void) error_field(error, column);
        return error_at(error, path, (unsigned) csv_reader_line(csv), csv_reader_column(csv, field));
}
