/* SPDX-License-Identifier: Apache-2.0 */
/* A dialect that is found is one of the candidates and divides the sample as it says; what is fixed is not changed. */
#include "fuzz.h"

#include <errno.h>

#include "basic/csv-dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        CsvDialect wanted = {.quote = CSV_QUOTE_DETECT}, found, again;
        CsvDoubt doubt;
        char pair[2] = {};
        int r;

        r = csv_dialect_detect((const char *) bytes, size, size % 2 == 0, &wanted, &found, &doubt, pair);
        CHECK(r == 0 || r == -EILSEQ);
        if (r < 0) {
                CHECK(doubt != CSV_DOUBT_NONE);
                CHECK(doubt != CSV_DOUBT_DELIMITER || (pair[0] && pair[1] && pair[0] != pair[1]));
                return 0;
        }
        CHECK(strchr(",;\t|", found.delimiter) && (found.quote == '"' || found.quote == '\''));
        wanted = found;
        CHECK(csv_dialect_detect((const char *) bytes, size, size % 2 == 0, &wanted, &again, &doubt, pair) == 0);
        CHECK(again.delimiter == found.delimiter && again.quote == found.quote && again.n_columns == found.n_columns &&
              again.n_records == found.n_records);
        return 0;
}
