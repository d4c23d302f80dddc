/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/csv-dialect.h"

#include <errno.h>

static const char delimiters[] = ",;\t|";
#define N_DELIMITERS (sizeof(delimiters) - 1)

/* The sample, read with one delimiter and one quote. */
typedef struct Trial {
        size_t n_records, n_columns, n_quoted, n_uneven;
        bool is_whole; /* to the end, without a quote out of place */
} Trial;

const char *csv_ends_to_string(CsvEnds ends) {
        static const char *const texts[] = {
                [CSV_ENDS_LF] = "LF",
                [CSV_ENDS_CRLF] = "CRLF",
                [CSV_ENDS_MIXED] = "CRLF and LF",
                [CSV_ENDS_NONE] = "none",
        };

        return texts[ends];
}

static bool is_blank(const CsvField *fields, size_t n) { return n == 1 && fields[0].size == 0 && !fields[0].quoted; }

static int trial_run(const char *sample, size_t size, bool whole, char delimiter, int quote, Trial *ret) {
        FILE *file = size > 0 ? fmemopen((void *) sample, size, "r") : NULL;
        _cleanup_(csv_reader_freep) CsvReader *reader = NULL;
        const CsvField *fields;
        Trial trial = {.is_whole = true};
        size_t n;
        int r;

        if (size == 0) {
                *ret = trial;
                return 0;
        }
        if (!file)
                return -ENOMEM;
        r = csv_reader_new(file, delimiter, size + 1, &reader);
        if (r < 0)
                return r;
        csv_reader_set_quote(reader, quote);
        while ((r = csv_reader_next(reader, &fields, &n)) > 0) {
                if (!whole && csv_reader_is_cut(reader))
                        break;
                if (is_blank(fields, n))
                        continue;
                if (trial.n_records++ == 0)
                        trial.n_columns = n;
                trial.n_uneven += n != trial.n_columns;
                for (size_t i = 0; i < n; i++)
                        trial.n_quoted += fields[i].quoted;
        }
        if (r == -ENOMEM)
                return r;
        trial.is_whole = r >= 0 || (!whole && csv_reader_is_cut(reader));
        *ret = trial;
        return 0;
}

static bool trial_fits(const Trial *t) { return t->is_whole && t->n_columns >= 2 && t->n_uneven == 0; }

/* Gives the delimiter, or -EILSEQ with the two in doubt. */
static int delimiter_choose(const Trial *trials, char *ret, char doubt[static 2]) {
        size_t n_fit = 0, n_dividing = 0, fit[N_DELIMITERS], dividing[N_DELIMITERS];

        for (size_t i = 0; i < N_DELIMITERS; i++) {
                if (trial_fits(&trials[i]))
                        fit[n_fit++] = i;
                if (trials[i].n_columns >= 2)
                        dividing[n_dividing++] = i;
        }
        if (n_fit == 1 || (n_fit == 0 && n_dividing == 1)) {
                *ret = delimiters[n_fit == 1 ? fit[0] : dividing[0]];
                return 0;
        }
        if (n_fit == 0 && n_dividing == 0) {
                *ret = ',';
                return 0;
        }
        doubt[0] = delimiters[n_fit > 1 ? fit[0] : dividing[0]];
        doubt[1] = delimiters[n_fit > 1 ? fit[1] : dividing[1]];
        return -EILSEQ;
}

static int delimiter_detect(const char *sample, size_t size, bool whole, int quote, char *ret, char doubt[static 2]) {
        Trial trials[N_DELIMITERS];
        int r;

        for (size_t i = 0; i < N_DELIMITERS; i++) {
                r = trial_run(sample, size, whole, delimiters[i], quote, &trials[i]);
                if (r < 0)
                        return r;
        }
        return delimiter_choose(trials, ret, doubt);
}

/* Double quotes, unless the file is whole only with single ones. Both: a text may really stand in apostrophes. */
static int quote_detect(const char *sample, size_t size, bool whole, char delimiter, int *ret) {
        Trial with_double, with_single;
        int r;

        r = trial_run(sample, size, whole, delimiter, '"', &with_double);
        if (r == 0)
                r = trial_run(sample, size, whole, delimiter, '\'', &with_single);
        if (r < 0)
                return r;
        *ret = '"';
        if (with_double.n_quoted > 0 || with_single.n_quoted == 0 || !with_single.is_whole || with_single.n_uneven > 0)
                return 0;
        if (with_double.is_whole && with_double.n_uneven == 0)
                return -EILSEQ;
        *ret = '\'';
        return 0;
}

static CsvEnds ends_find(const char *sample, size_t size, bool *ret_cr_alone) {
        size_t n_lf = 0, n_crlf = 0, n_cr = 0;

        for (size_t i = 0; i < size; i++) {
                bool after_cr = i > 0 && sample[i - 1] == '\r';

                n_cr += sample[i] == '\r' && i + 1 < size;
                n_lf += sample[i] == '\n' && !after_cr;
                n_crlf += sample[i] == '\n' && after_cr;
        }
        *ret_cr_alone = n_cr > 0 && n_lf + n_crlf == 0;
        if (n_lf + n_crlf == 0)
                return CSV_ENDS_NONE;
        return n_lf == 0 ? CSV_ENDS_CRLF : n_crlf == 0 ? CSV_ENDS_LF : CSV_ENDS_MIXED;
}

int csv_dialect_detect(const char *sample, size_t size, bool whole, const CsvDialect *wanted, CsvDialect *ret,
                       CsvDoubt *ret_doubt, char ret_delimiters[static 2]) {
        CsvDialect d = *wanted;
        bool cr_alone;
        Trial trial;
        int r;

        d.ends = ends_find(sample, size, &cr_alone);
        if (cr_alone) {
                *ret_doubt = CSV_DOUBT_ENDS;
                return -EILSEQ;
        }
        if (d.delimiter == '\0') {
                r = delimiter_detect(sample, size, whole, d.quote == CSV_QUOTE_DETECT ? '"' : d.quote, &d.delimiter,
                                     ret_delimiters);
                if (r == -EILSEQ)
                        *ret_doubt = CSV_DOUBT_DELIMITER;
                if (r < 0)
                        return r;
        }
        if (d.quote == CSV_QUOTE_DETECT) {
                r = quote_detect(sample, size, whole, d.delimiter, &d.quote);
                if (r == -EILSEQ)
                        *ret_doubt = CSV_DOUBT_QUOTE;
                if (r < 0)
                        return r;
        }
        r = trial_run(sample, size, whole, d.delimiter, d.quote, &trial);
        if (r < 0)
                return r;
        d.n_columns = trial.n_columns;
        d.n_records = trial.n_records;
        *ret = d;
        *ret_doubt = CSV_DOUBT_NONE;
        return 0;
}
