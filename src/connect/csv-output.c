/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/csv-output.h"

#include "basic/text.h"

/* Whatever may be taken for a delimiter or a quote is quoted, so that what we write can never be in doubt when it is read. */
static bool needs_quotes(const CsvOutput *o, const char *bytes, size_t size) {
        const char *null_text = o->options->null_text;

        if (size == 0 || (null_text && strlen(null_text) == size && memcmp(null_text, bytes, size) == 0))
                return true;
        if (bytes[0] == ' ' || bytes[size - 1] == ' ')
                return true;
        for (size_t i = 0; i < size; i++)
                if (strchr(",;\t|\"'\r\n", bytes[i]) || bytes[i] == o->form->dialect.delimiter ||
                    (unsigned char) bytes[i] == o->form->dialect.quote)
                        return true;
        return false;
}

/* What stands in no field that has no quotes. */
static bool is_lost_without_quotes(const CsvOutput *o, const char *bytes, size_t size) {
        const char *null_text = o->options->null_text;

        return size == 0 || memchr(bytes, o->form->dialect.delimiter, size) || memchr(bytes, '\n', size) ||
               bytes[size - 1] == '\r' || (null_text && strlen(null_text) == size && memcmp(null_text, bytes, size) == 0);
}

int csv_output_check(const CsvOutput *o, const char *column, const char *bytes, size_t size, Error *error) {
        _cleanup_free_ char *encoded = NULL;
        size_t n, fault = 0;
        int r;

        if (o->form->dialect.quote < 0 && is_lost_without_quotes(o, bytes, size)) {
                r = error_set(error, ERROR_RECORD_REFUSED, "Take quote: none out of the system's configuration",
                              "Column \"%s\": a file without quotes cannot hold the text \"%.*s\"", column,
                              (int) (size > 80 ? 80 : size), bytes);
                (void) error_field(error, column);
                return r;
        }
        if (o->form->encoding == ENCODING_UTF8)
                return 0;
        encoded = malloc(2 * size + 4);
        if (!encoded)
                return -ENOMEM;
        r = encoding_write(o->form->encoding, bytes, size, encoded, &n, &fault);
        if (r == 0)
                return 0;
        n = fault + 1;
        while (n < size && ((unsigned char) bytes[n] & 0xC0) == 0x80)
                n++;
        r = error_set(error, ERROR_RECORD_REFUSED, "Let the target file be UTF-8, or correct the value at the source",
                      "Column \"%s\": the file's encoding %s has no character \"%.*s\"", column,
                      text_encoding_to_string(o->form->encoding), (int) (n - fault), bytes + fault);
        (void) error_field(error, column);
        return r;
}

static int delimiter_add(CsvOutput *o) {
        return o->n_fields++ > 0 ? text_buffer_add(&o->record, &o->form->dialect.delimiter, 1) : 0;
}

int csv_output_null(CsvOutput *o) {
        const char *null_text = o->options->null_text;
        int r;

        r = delimiter_add(o);
        return r < 0 || !null_text ? r : text_buffer_add(&o->record, null_text, strlen(null_text));
}

int csv_output_text(CsvOutput *o, const char *bytes, size_t size, bool quoted) {
        const char quote = (char) o->form->dialect.quote;
        int r;

        r = delimiter_add(o);
        if (r < 0)
                return r;
        if (o->form->dialect.quote < 0 || !(quoted || needs_quotes(o, bytes, size)))
                return size > 0 ? text_buffer_add(&o->record, bytes, size) : 0;
        r = text_buffer_add(&o->record, &quote, 1);
        while (r == 0 && size > 0) {
                const char *next = memchr(bytes, quote, size);
                size_t n = next ? (size_t) (next - bytes) + 1 : size;

                r = text_buffer_add(&o->record, bytes, n);
                if (r == 0 && next)
                        r = text_buffer_add(&o->record, &quote, 1);
                bytes += n;
                size -= n;
        }
        return r < 0 ? r : text_buffer_add(&o->record, &quote, 1);
}

static int record_write(CsvOutput *o) {
        const char *bytes = o->record.bytes;
        size_t size = o->record.size, fault;
        int r;

        if (o->form->encoding != ENCODING_UTF8) {
                r = array_grow(&o->encoded.bytes, &o->encoded.capacity, 2 * size + 4, 1);
                if (r < 0)
                        return r;
                r = encoding_write(o->form->encoding, bytes, size, o->encoded.bytes, &size, &fault);
                if (r < 0)
                        return r;
                bytes = o->encoded.bytes;
        }
        o->failed = o->failed || fwrite(bytes, 1, size, o->file) != size;
        text_buffer_reset(&o->record);
        o->n_fields = 0;
        return 0;
}

int csv_output_end(CsvOutput *o) {
        bool crlf = o->form->dialect.ends == CSV_ENDS_CRLF;
        int r;

        r = text_buffer_add(&o->record, crlf ? "\r\n" : "\n", crlf ? 2 : 1);
        return r < 0 ? r : record_write(o);
}

int csv_output_header(CsvOutput *o) {
        int r = 0;

        if (o->form->bom_size > 0) {
                r = text_buffer_add(&o->record, "\xEF\xBB\xBF", 3);
                if (r == 0)
                        r = record_write(o);
        }
        if (!o->form->has_header)
                return r;
        for (size_t i = 0; r == 0 && o->form->names[i]; i++)
                r = csv_output_text(o, o->form->names[i], strlen(o->form->names[i]), false);
        return r < 0 ? r : csv_output_end(o);
}

int csv_output_close(CsvOutput *o) {
        int r = 0;

        text_buffer_done(&o->record);
        text_buffer_done(&o->encoded);
        if (!o->file)
                return 0;
        if (o->failed || fflush(o->file) != 0 || fsync(fileno(o->file)) < 0)
                r = errno > 0 ? -errno : -EIO;
        if (fclose(TAKE_PTR(o->file)) != 0 && r == 0)
                r = errno > 0 ? -errno : -EIO;
        return r;
}
