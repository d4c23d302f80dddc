/* SPDX-License-Identifier: Apache-2.0 */
/* Reading on from the place after a record gives the same rest; records written with quotes read back the
 * same. */
#include "fuzz.h"

#include "basic/csv.h"

#define RECORD_MAX 4096U

typedef struct Totals {
        uint64_t n_records, hash;
        int result;
} Totals;

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t size) {
        for (size_t i = 0; i < size; i++)
                hash = (hash ^ (uint8_t) bytes[i]) * 1099511628211ULL;
        return (hash ^ 0x1F) * 1099511628211ULL; /* where a field ends matters */
}

static CsvReader *reader_at(const char *bytes, size_t size, uint64_t offset) {
        FILE *file = fmemopen((void *) bytes, size, "r");
        CsvReader *r = NULL;

        CHECK(file);
        CHECK(fseek(file, (long) offset, SEEK_SET) == 0);
        CHECK(csv_reader_new(file, ',', RECORD_MAX, &r) == 0);
        return r;
}

static void record_write(FILE *out, const CsvField *fields, size_t n_fields) {
        for (size_t i = 0; i < n_fields; i++) {
                fputs(i > 0 ? ",\"" : "\"", out);
                for (size_t j = 0; j < fields[i].size; j++) {
                        if (fields[i].bytes[j] == '"')
                                fputc('"', out);
                        fputc(fields[i].bytes[j], out);
                }
                fputc('"', out);
        }
        fputs("\r\n", out);
}

/* Reads all from offset; out, where given, gets the records with every field quoted; *ret_middle a place
 * between records. */
static Totals all_read(const char *bytes, size_t size, uint64_t offset, uint64_t skip, FILE *out,
                       uint64_t *ret_middle) {
        CsvReader *r = reader_at(bytes, size, offset);
        Totals totals = { .hash = 14695981039346656037ULL };
        const CsvField *fields;
        uint64_t before = offset, n = 0;
        size_t n_fields;

        while ((totals.result = csv_reader_next(r, &fields, &n_fields)) > 0) {
                CHECK(n_fields > 0 && csv_reader_line(r) > 0);
                CHECK(csv_reader_offset(r) > before && csv_reader_offset(r) <= size);
                before = csv_reader_offset(r);
                if (out)
                        record_write(out, fields, n_fields);
                if (ret_middle && n == 0)
                        *ret_middle = before;
                if (n++ < skip)
                        continue;
                totals.n_records++;
                for (size_t i = 0; i < n_fields; i++)
                        totals.hash = hash_bytes(totals.hash, fields[i].bytes, fields[i].size);
                totals.hash = hash_bytes(totals.hash, "\n", 1);
        }
        CHECK(totals.result == 0 || totals.result == -EBADMSG || totals.result == -EFBIG);
        CHECK(csv_reader_next(r, &fields, &n_fields) == totals.result);
        csv_reader_free(r);
        return totals;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        const char *text = (const char *) bytes;
        char *written = NULL;
        size_t n_written = 0;
        uint64_t middle = 0;
        Totals all, rest, again;
        FILE *out;

        if (size == 0)
                return 0;
        out = open_memstream(&written, &n_written);
        CHECK(out);
        all = all_read(text, size, 0, 0, out, &middle);
        CHECK(fclose(out) == 0);
        if (all.n_records > 0) {
                all = all_read(text, size, 0, 1, NULL, NULL);
                rest = all_read(text, size, middle, 0, NULL, NULL);
                CHECK(rest.n_records == all.n_records && rest.hash == all.hash && rest.result == all.result);
                /* Quotes may make a record too long; what is before is the same. */
                again = all_read(written, n_written, 0, 1, NULL, NULL);
                if (again.result == 0)
                        CHECK(again.n_records == all.n_records && again.hash == all.hash);
                else
                        CHECK(again.result == -EFBIG);
        }
        free(written);
        return 0;
}
