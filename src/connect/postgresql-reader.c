/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-reader.h"

#include "basic/limits.h"
#include "basic/text.h"
#include "connect/position.h"

/* A COPY that is not read to its end is called off, so that the session can be used again. */
static void copy_stop(PgReader *r) {
        PGcancel *cancel = r->copying ? PQgetCancel(r->db) : NULL;
        char message[256], *bytes;

        if (!r->copying)
                return;
        if (cancel)
                (void) PQcancel(cancel, message, sizeof(message));
        PQfreeCancel(cancel);
        while (PQgetCopyData(r->db, &bytes, 0) > 0)
                PQfreemem(bytes);
        for (PGresult *result; (result = PQgetResult(r->db));) {
                ExecStatusType status = PQresultStatus(result);

                PQclear(result);
                if (status == PGRES_COPY_OUT || PQstatus(r->db) == CONNECTION_BAD)
                        break;
        }
        r->copying = false;
}

void pg_reader_close(Reader *reader) {
        PgReader *r = (PgReader *) reader;

        PQfreemem(r->record);
        if (r->db) {
                copy_stop(r);
                if (PQtransactionStatus(r->db) != PQTRANS_IDLE)
                        PQclear(PQexec(r->db, "rollback"));
        }
        if (!r->own && r->db)
                r->connection->scanning = false;
        PQfinish(r->own);
        pg_scan_done(&r->scan);
        pg_sources_done(&r->sources);
        arena_free(r->arena);
        free(r->fields);
        free(r->last);
        free(r->position);
        free(r);
}

static void readerp(PgReader **r) {
        if (*r)
                pg_reader_close(&(*r)->base);
}

/* The snapshot that begins where the log does. */
static int snapshot_join(PgReader *r, Error *error) {
        _cleanup_free_ char *sql = NULL;

        if (asprintf(&sql, "set transaction snapshot '%s'", r->connection->snapshot) < 0) {
                sql = NULL;
                return -ENOMEM;
        }
        return pg_execute(r->db, r->connection->system, sql, error);
}

/* The connection's own session where nobody reads with it: servers have few to give. */
static int session_take(PgReader *r, Error *error) {
        PgConnection *c = r->connection;
        int q = 0;

        if (c->scanning || PQtransactionStatus(c->db) != PQTRANS_IDLE) {
                q = pg_session_open(c->system, false, &r->own, error);
                r->db = r->own;
        } else {
                r->db = c->db;
                c->scanning = true;
        }
        if (q < 0)
                return q;
        q = pg_execute(r->db, c->system, "begin transaction isolation level repeatable read, read only", error);
        return q < 0 || !c->snapshot ? q : snapshot_join(r, error);
}

/* Which table it is: another database or a table made anew has other numbers, and no place in it is known. */
static int64_t table_number(const PgReader *r) {
        return (int64_t) r->sources.own->oid << 8 ^ (int64_t) PQserverVersion(r->db) / 10000;
}

/* Where the plan's position fits this table, its values are put into after and kept as the last row's. */
static int position_take(PgReader *r, const char *position, Value *after) {
        size_t n = strings_count(r->sources.own->table->identity);
        int64_t number;
        int q;

        if (!position || n == 0 || n > POSITION_KEY_MAX)
                return 0;
        q = position_parse(position, &number, &r->last, &r->last_size);
        if (q < 0)
                return q == -EBADMSG ? 0 : q;
        r->last_capacity = r->last_size;
        r->resumed = number == table_number(r) &&
                     position_values(r->last, r->last_size, after, n) == 0;
        if (!r->resumed)
                r->last_size = 0;
        return 0;
}

int pg_reader_copy(PgReader *r, Error *error) {
        _cleanup_free_ char *sql = NULL;
        _cleanup_result_ PGresult *result = NULL;
        int q;

        r->begun = r->at_end = false;
        r->fields = calloc(r->scan.n_columns + r->scan.n_identity + 1, sizeof(CopyField));
        if (!r->fields)
                return -ENOMEM;
        /* It lasts as long as its records are worked on. */
        q = pg_execute(r->db, r->connection->system, "set local statement_timeout = 0", error);
        if (q < 0)
                return q;
        if (asprintf(&sql, "copy (%s) to stdout (format binary)", r->scan.sql) < 0) {
                sql = NULL;
                return -ENOMEM;
        }
        /* With parameters (none) it is one statement, whatever a where: has in it. */
        result = PQexecParams(r->db, sql, 0, NULL, NULL, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_COPY_OUT)
                return pg_fail(r->db, result, r->connection->system, "cannot begin to read", false, error);
        r->copying = true;
        return 0;
}

static int ranges_check(PgReader *r, Error *error) {
        size_t n = strings_count(r->sources.own->table->identity);

        if (n > 0 && n <= POSITION_KEY_MAX)
                return 0;
        return error_set(error, ERROR_NOT_YET, "Give the table a primary key, or use strategy: full",
                         "\"%s\" has no primary key that ranges could be cut by", r->plan.mapping->from);
}

static int scan_begin(PgReader *r, const ReadPlan *plan, Error *error) {
        Value after[POSITION_KEY_MAX] = {};
        PgBounds bounds = {};
        int q;

        r->plan = *plan;
        q = pg_sources_load(r->db, r->connection->system, plan->pair, plan->mapping, NULL, &r->sources, error);
        if (q >= 0 && plan->scope == READ_RANGES) {
                r->at_end = true;
                return ranges_check(r, error);
        }
        if (q >= 0)
                q = position_take(r, plan->position, after);
        bounds.after = r->resumed ? after : NULL;
        if (q >= 0)
                q = pg_scan_make(r->db, r->connection->system, plan, &r->sources, &bounds, &r->scan, error);
        if (q < 0)
                return q;
        if (r->scan.n_identity == 0)
                r->resumed = false; /* in no order there is no place */
        return pg_reader_copy(r, error);
}

int pg_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        _cleanup_(readerp) PgReader *r = calloc(1, sizeof(*r));
        int q;

        if (!r)
                return -ENOMEM;
        r->base.connector = &postgresql_connector;
        r->connection = (PgConnection *) connection;
        q = arena_new(&r->arena);
        if (q >= 0)
                q = session_take(r, error);
        if (q >= 0)
                q = scan_begin(r, plan, error);
        if (q < 0)
                return q;
        *ret = &TAKE_PTR(r)->base;
        return 0;
}

static int identity_note(PgReader *r) {
        r->last_size = 0;
        for (size_t i = r->scan.n_columns; i < r->scan.n_columns + r->scan.n_identity; i++) {
                Value value;
                int q;

                q = pg_decode(r->scan.types[i], r->fields[i].bytes, (size_t) r->fields[i].size, false,
                              r->arena, &value);
                if (q == 0)
                        q = value_encode(&value, &r->last, &r->last_size, &r->last_capacity);
                if (q < 0)
                        return q;
        }
        return 0;
}

static int not_understood(PgReader *r, const char *what, Error *error) {
        return error_set(error, ERROR_INTERNAL, "Report it, with the version of the server",
                         "System \"%s\": %s cannot be understood", r->connection->system->name, what);
}

static int values_decode(PgReader *r, Value *values, Error *error) {
        bool check_utf8 = r->connection->check_utf8;

        for (size_t i = 0; r->scan.places && i < r->plan.mapping->n_columns; i++)
                values[i] = VALUE_NONE;
        for (size_t i = 0; i < r->scan.n_columns; i++) {
                Value *value = values + (r->scan.places ? r->scan.places[i] : i);
                int q;

                if (r->fields[i].size < 0) {
                        *value = value_null();
                        continue;
                }
                q = pg_decode(r->scan.types[i], r->fields[i].bytes, (size_t) r->fields[i].size,
                              check_utf8 || pg_cast_of(r->scan.types[i]), r->arena, value);
                if (q == -ENOMEM)
                        return q;
                if (q < 0)
                        return not_understood(r, r->scan.types[i]->name, error);
        }
        return r->scan.n_identity > 0 ? identity_note(r) : 0;
}

static int copy_end(PgReader *r, int size, Error *error) {
        PGresult *result;
        int q = 0;

        r->copying = false;
        r->at_end = true;
        if (size == -2)
                return pg_fail(r->db, NULL, r->connection->system, "cannot read on", false, error);
        while ((result = PQgetResult(r->db))) {
                if (q == 0 && PQresultStatus(result) != PGRES_COMMAND_OK)
                        q = pg_fail(r->db, result, r->connection->system, "cannot read on", false, error);
                PQclear(result);
                if (PQstatus(r->db) == CONNECTION_BAD)
                        break;
        }
        return q;
}

/* Which record it is cannot be told, only the one before. */
static int too_large(PgReader *r, int size, Error *error) {
        _cleanup_free_ char *place = NULL;
        Value key;
        size_t used;
        int q;

        if (r->scan.n_identity > 0 && r->last_size > 0 && value_decode(r->last, r->last_size, &key, &used) == 0) {
                const char *text = value_to_text(&key, r->arena, 60);

                if (!text || asprintf(&place, ", behind the one with the key %s%s,", text, r->scan.n_identity > 1 ? ", …" : "") < 0)
                        place = NULL;
        }
        q = error_set(error, ERROR_SYSTEM_REFUSED, "Leave its largest column out of the mapping, or the record with where:",
                      "System \"%s\": a record of %s%s has %d bytes, the limit is %u", r->connection->system->name, r->sources.own->name,
                      place ? place : "", size, RECORD_BYTES_MAX);
        return q;
}

/* 1: record is one; 0: it was the header or the trailer alone. */
static int record_take(PgReader *r, int size, Error *error) {
        size_t used = 0, n_fields = r->scan.n_columns + r->scan.n_identity;
        int q;

        if ((unsigned) size > RECORD_BYTES_MAX)
                return too_large(r, size, error);
        if (!r->begun) {
                if (copy_header_skip(r->record, (size_t) size, &used) < 0)
                        return not_understood(r, "the beginning of its COPY", error);
                r->begun = true;
                if (used == (size_t) size)
                        return 0;
        }
        q = copy_record_split(r->record + used, (size_t) size - used, r->fields,
                              n_fields > 0 ? n_fields : 1);
        return q < 0 ? not_understood(r, "a record", error) : q;
}

int pg_reader_next(Reader *reader, Value *values, Error *error) {
        PgReader *r = (PgReader *) reader;
        int q = 0;

        if (arena_size_bytes(r->arena) > 0)
                arena_reset(r->arena);
        while (q == 0) {
                int size;

                if (r->at_end)
                        return 0;
                PQfreemem(TAKE_PTR(r->record));
                size = PQgetCopyData(r->db, &r->record, 0);
                q = size < 0 ? copy_end(r, size, error) : record_take(r, size, error);
        }
        if (q > 0)
                q = values_decode(r, values, error);
        return q < 0 ? q : 1;
}

const char *pg_reader_position(Reader *reader) {
        PgReader *r = (PgReader *) reader;

        if (r->last_size == 0 || r->scan.n_identity == 0)
                return NULL;
        free(r->position);
        r->position = position_format(table_number(r), r->last, r->last_size);
        return r->position;
}

bool pg_reader_resumed(const Reader *reader) { return ((const PgReader *) reader)->resumed; }
