/* SPDX-License-Identifier: Apache-2.0 */
/* The ceiling of copying between two PostgreSQL servers: what one sends in binary COPY is handed to the other as it is, in one
 * transaction. With "-" for the target: of reading alone.
 * pipe SOURCE QUERY TARGET|- [TABLE] */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 65536U /* handed to libpq at once: a call per record would cost more than the copying */

static void fail(const char *what, PGconn *connection) {
        (void) fprintf(stderr, "pipe: %s: %s\n", what, connection ? PQerrorMessage(connection) : "no memory");
        exit(1);
}

static PGconn *connect_to(const char *address) {
        PGconn *connection = PQconnectdb(address);

        if (PQstatus(connection) != CONNECTION_OK)
                fail("connect", connection);
        return connection;
}

static void execute(PGconn *connection, const char *sql, ExecStatusType expected) {
        PGresult *result = PQexec(connection, sql);

        if (PQresultStatus(result) != expected)
                fail(sql, connection);
        PQclear(result);
}

static void copy_begin(PGconn *connection, const char *format, const char *what, ExecStatusType expected) {
        char *sql = NULL;

        if (asprintf(&sql, format, what) < 0)
                fail("copy", NULL);
        execute(connection, sql, expected);
        free(sql);
}

static void copy_end(PGconn *connection) {
        PGresult *result;

        while ((result = PQgetResult(connection))) {
                if (PQresultStatus(result) != PGRES_COMMAND_OK)
                        fail("end of copy", connection);
                PQclear(result);
        }
}

int main(int argc, char **argv) {
        PGconn *source, *target = NULL;
        char *bytes, chunk[CHUNK_BYTES];
        size_t used = 0;
        long long n_bytes = 0;
        int size;

        if (argc < 4) {
                (void) fprintf(stderr, "usage: pipe SOURCE QUERY TARGET|- [TABLE]\n");
                return 2;
        }
        source = connect_to(argv[1]);
        if (strcmp(argv[3], "-") != 0 && argc > 4) {
                target = connect_to(argv[3]);
                execute(target, "begin", PGRES_COMMAND_OK);
                copy_begin(target, "copy %s from stdin (format binary)", argv[4], PGRES_COPY_IN);
        }
        copy_begin(source, "copy (%s) to stdout (format binary)", argv[2], PGRES_COPY_OUT);
        while ((size = PQgetCopyData(source, &bytes, 0)) > 0) {
                n_bytes += size;
                if (target && (used + (size_t) size > sizeof(chunk))) {
                        if (PQputCopyData(target, chunk, (int) used) != 1)
                                fail("copy in", target);
                        used = 0;
                }
                if (target && (size_t) size > sizeof(chunk)) {
                        if (PQputCopyData(target, bytes, size) != 1)
                                fail("copy in", target);
                } else if (target) {
                        (void) memcpy(chunk + used, bytes, (size_t) size);
                        used += (size_t) size;
                }
                PQfreemem(bytes);
        }
        if (size == -2)
                fail("copy out", source);
        copy_end(source);
        if (target) {
                if ((used > 0 && PQputCopyData(target, chunk, (int) used) != 1) || PQputCopyEnd(target, NULL) != 1)
                        fail("copy in", target);
                copy_end(target);
                execute(target, "commit", PGRES_COMMAND_OK);
                PQfinish(target);
        }
        PQfinish(source);
        (void) printf("%lld\n", n_bytes);
        return 0;
}
