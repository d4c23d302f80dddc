/* SPDX-License-Identifier: Apache-2.0 */
/* The ceiling of reading: steps a query over a database and looks at every column, as a program that does nothing else would.
 * read DATABASE QUERY */
#include <sqlite3.h>
#include <stdio.h>

static long long row_size(sqlite3_stmt *query, int n_columns) {
        long long size = 0;

        for (int i = 0; i < n_columns; i++)
                switch (sqlite3_column_type(query, i)) {
                case SQLITE_INTEGER:
                        size += sqlite3_column_int64(query, i) ? 8 : 1;
                        break;
                case SQLITE_TEXT:
                        size += sqlite3_column_text(query, i) ? sqlite3_column_bytes(query, i) : 0;
                        break;
                default:
                        size += 1;
                }
        return size;
}

int main(int argc, char **argv) {
        sqlite3 *db = NULL;
        sqlite3_stmt *query = NULL;
        long long size = 0;
        int r;

        if (argc != 3 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
            sqlite3_prepare_v2(db, argv[2], -1, &query, NULL) != SQLITE_OK) {
                (void) fprintf(stderr, "read: %s\n", db ? sqlite3_errmsg(db) : "usage: read DATABASE QUERY");
                return 1;
        }
        while ((r = sqlite3_step(query)) == SQLITE_ROW)
                size += row_size(query, sqlite3_column_count(query));
        (void) printf("%lld\n", size);
        (void) sqlite3_finalize(query);
        (void) sqlite3_close(db);
        return r == SQLITE_DONE ? 0 : 1;
}
