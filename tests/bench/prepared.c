/* SPDX-License-Identifier: Apache-2.0 */
/* The peer of applying changes: what most programs do. One prepared INSERT … ON CONFLICT a record, its answer awaited, a commit per
 * 1,000 records. The query's first column is the table's primary key, the others are its other columns, in their order.
 * prepared SOURCE QUERY TARGET TABLE */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMIT_RECORDS 1000

static void fail(const char *what, PGconn *connection) {
        (void) fprintf(stderr, "prepared: %s: %s\n", what, connection ? PQerrorMessage(connection) : "no memory");
        exit(1);
}

static PGconn *connect_to(const char *address) {
        PGconn *connection = PQconnectdb(address);

        if (PQstatus(connection) != CONNECTION_OK)
                fail("connect", connection);
        return connection;
}

static PGresult *run(PGconn *connection, const char *sql, ExecStatusType expected) {
        PGresult *result = PQexec(connection, sql);

        if (PQresultStatus(result) != expected)
                fail(sql, connection);
        return result;
}

static void prepare(PGconn *target, const PGresult *rows, const char *table) {
        int n = PQnfields(rows);
        size_t size = 0;
        char *sql = NULL;
        FILE *f = open_memstream(&sql, &size);
        PGresult *result;

        if (!f)
                fail("prepare", NULL);
        (void) fprintf(f, "insert into %s values (", table);
        for (int i = 1; i <= n; i++)
                (void) fprintf(f, "%s$%d", i > 1 ? ", " : "", i);
        (void) fprintf(f, ") on conflict (%s) do update set ", PQfname(rows, 0));
        for (int i = 1; i < n; i++)
                (void) fprintf(f, "%s%s = excluded.%s", i > 1 ? ", " : "", PQfname(rows, i), PQfname(rows, i));
        if (fclose(f) != 0)
                fail("prepare", NULL);
        result = PQprepare(target, "upsert", sql, n, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
                fail(sql, target);
        PQclear(result);
        free(sql);
}

static void upsert(PGconn *target, const PGresult *rows, int row, const char **values) {
        int n = PQnfields(rows);
        PGresult *result;

        for (int i = 0; i < n; i++)
                values[i] = PQgetisnull(rows, row, i) ? NULL : PQgetvalue(rows, row, i);
        result = PQexecPrepared(target, "upsert", n, values, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
                fail("upsert", target);
        PQclear(result);
}

int main(int argc, char **argv) {
        PGconn *source, *target;
        const char **values;
        PGresult *rows;

        if (argc != 5) {
                (void) fprintf(stderr, "usage: prepared SOURCE QUERY TARGET TABLE\n");
                return 2;
        }
        source = connect_to(argv[1]);
        target = connect_to(argv[3]);
        rows = run(source, argv[2], PGRES_TUPLES_OK);
        values = calloc((size_t) PQnfields(rows), sizeof(*values));
        if (!values)
                fail("values", NULL);
        prepare(target, rows, argv[4]);
        for (int row = 0; row < PQntuples(rows); row++) {
                if (row % COMMIT_RECORDS == 0)
                        PQclear(run(target, "begin", PGRES_COMMAND_OK));
                upsert(target, rows, row, values);
                if (row % COMMIT_RECORDS == COMMIT_RECORDS - 1 || row + 1 == PQntuples(rows))
                        PQclear(run(target, "commit", PGRES_COMMAND_OK));
        }
        free(values);
        PQclear(rows);
        PQfinish(source);
        PQfinish(target);
        return 0;
}
