/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a batch.
 *   1 sort       changes by kind and by the fields that they carry: each such group is one statement
 *   2 apply      deletes, inserts (COPY), updates: the whole group at once
 *   3 deferred   constraints are looked at now, so that none is left for COMMIT
 *   4 isolate    only after a refusal: begin anew and halve, with a savepoint each, until the records that are
 *                refused stand alone. What was refused is tried again after the others are in, as it may have
 *                needed them
 * Where isolating finds an order in which nothing is refused, the transaction has just that. */
#include "connect/postgresql-writer.h"

#define ARRAY_RECORDS_MAX 2000U /* of one update: the index stays cheaper than the whole table */
#define OUT_BYTES         65536U

typedef struct Item {
        RecordWrite *write;
        const bool *mask;
        bool accepted;
} Item;

typedef struct Writing {
        PgWriter *writer;
        Item *items;
        size_t n_items;
        bool *masks;
        size_t *marks; /* room for pg_arrays_mark() */
        PgArrays arrays;
        bool isolating; /* then a refusal by us stops the group, as one by the server does */
} Writing;

static void writing_done(Writing *g) {
        pg_arrays_done(&g->arrays);
        free(g->items);
        free(g->masks);
        free(g->marks);
}

/* ---- 1 sort ---- */

static bool mask_make(const Mapping *m, const Change *change, bool *mask) {
        bool any = false;

        for (size_t i = 0; i < m->n_fields; i++) {
                bool told = change->target && change->target[i].type != VALUE_ABSENT;

                mask[i] = change->kind == CHANGE_INSERT ? told
                          : change->kind == CHANGE_UPDATE
                                  ? told && i >= m->n_key && (!change->changed || change->changed[i])
                                  : false;
                any = any || mask[i];
        }
        return any;
}

static int kind_order(ChangeKind kind) { return kind == CHANGE_DELETE ? 0 : kind == CHANGE_INSERT ? 1 : 2; }

static int item_compare(const void *a, const void *b, void *n_fields) {
        const Item *left = a, *right = b;
        int order = kind_order(left->write->change->kind) - kind_order(right->write->change->kind);

        if (order == 0)
                order = memcmp(left->mask, right->mask, *(size_t *) n_fields);
        /* Where they stand in the batch, so that the same batch is always written in the same way. */
        return order != 0 ? order : left->write < right->write ? -1 : left->write > right->write;
}

static int writing_init(Writing *g, PgWriter *w, RecordWrite *writes, size_t n_writes) {
        size_t n_fields = w->mapping->n_fields;

        *g = (Writing){.writer = w};
        g->items = calloc(n_writes + 1, sizeof(Item));
        g->masks = calloc(n_writes + 1, n_fields * sizeof(bool) + 1);
        g->marks = calloc(2 * n_fields + 1, sizeof(size_t));
        if (!g->items || !g->masks || !g->marks || pg_arrays_init(&g->arrays, w, 2 * n_fields) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < n_writes; i++) {
                ChangeKind kind = writes[i].change->kind;
                bool *mask = g->masks + g->n_items * n_fields;

                if (kind != CHANGE_INSERT && kind != CHANGE_UPDATE && kind != CHANGE_DELETE)
                        continue;
                if (!mask_make(w->mapping, writes[i].change, mask) && kind == CHANGE_UPDATE)
                        continue; /* nothing to tell */
                g->items[g->n_items++] = (Item){.write = &writes[i], .mask = mask};
        }
        qsort_r(g->items, g->n_items, sizeof(Item), item_compare, &n_fields);
        return 0;
}

/* How many items from the first on make one statement. */
static size_t group_size(const Writing *g, const Item *items, size_t n_items) {
        size_t n = 1;

        while (n < n_items && items[n].write->change->kind == items[0].write->change->kind &&
               memcmp(items[n].mask, items[0].mask, g->writer->mapping->n_fields) == 0)
                n++;
        return n;
}

/* ---- 2 apply ---- */

/* A refusal by our own look at the value: kept with its record, and the group goes on without it to find the
 * others; while isolating it is the answer. 0: taken. */
static int refusal_take(const Writing *g, Error *refusal, int r, Error *error) {
        if (error_class(refusal->id) == ERROR_CLASS_RECORD && !g->isolating)
                return 0;
        if (error)
                error_move(error, refusal);
        return r;
}

static int server_fail(Writing *g, const PGresult *result, Error *error) {
        PgConnection *c = g->writer->connection;
        const char *what = PQresultErrorField(result, PG_DIAG_SQLSTATE) ? g->writer->table->name : "cannot write";
        int r;

        r = pg_fail(c->db, result, c->system, what, true, error);
        return r;
}

static int out_send(Writing *g, Error *error) {
        PgWriter *w = g->writer;
        int sent = w->out.size > 0 ? PQputCopyData(w->connection->db, w->out.bytes, (int) w->out.size) : 1;

        w->out.size = 0;
        return sent == 1 ? 0 : pg_fail(w->connection->db, NULL, w->connection->system, "cannot write", false, error);
}

static int row_put(Writing *g, const Item *item, size_t n_masked, Error *error) {
        PgWriter *w = g->writer;
        size_t start = w->out.size;
        int r;

        r = copy_put_count(&w->out, n_masked);
        for (size_t i = 0; r >= 0 && i < w->mapping->n_fields; i++)
                if (item->mask[i])
                        r = pg_encode(w->types[i], w->mapping->fields[i].name, &item->write->change->target[i],
                                      &w->out, error);
        if (r < 0)
                w->out.size = start; /* rows are sent whole */
        return r;
}

static int rows_put(Writing *g, const Item *items, size_t n_items, size_t *ret_sent, Error *error) {
        PgWriter *w = g->writer;
        size_t n_masked = 0;
        int r;

        for (size_t i = 0; i < w->mapping->n_fields; i++)
                n_masked += items[0].mask[i];
        w->out.size = 0;
        r = copy_put_header(&w->out);
        for (size_t i = 0; r >= 0 && i < n_items; i++) {
                Error *refusal = &items[i].write->refusal;

                r = row_put(g, &items[i], n_masked, refusal);
                if (r < 0)
                        r = refusal_take(g, refusal, r, error);
                else
                        (*ret_sent)++;
                if (r >= 0 && w->out.size >= OUT_BYTES)
                        r = out_send(g, error);
        }
        if (r >= 0)
                r = copy_put_trailer(&w->out);
        return r < 0 ? r : out_send(g, error);
}

/* Each record must have met its row: one key, one row. */
static int met_rows(const Writing *g, const PGresult *result, ChangeKind kind, size_t n_records, Error *error) {
        const char *text = PQcmdTuples((PGresult *) result);

        if (strtoul(text, NULL, 10) >= n_records)
                return 0;
        return error_set(error, ERROR_RECORD_REFUSED,
                         kind == CHANGE_INSERT ? "Let the trigger or the rule take the record, or raise an error that "
                                                 "says why not"
                                               : "Run the pair again: it compares anew",
                         kind == CHANGE_INSERT ? "%s did not take the record: a trigger or a rule left it out"
                         : kind == CHANGE_UPDATE
                                 ? "%s has no row for this key to update; it is gone since it was read"
                                 : "%s has no row for this key to delete; it is gone since it was read",
                         g->writer->table->name);
}

/* Ends the COPY, or breaks it off where what we had to send failed. A trigger may have left out a row of it. */
static int copy_finish(Writing *g, int r, size_t n_sent, Error *error) {
        PGconn *db = g->writer->connection->db;
        PGresult *result;

        if (PQputCopyEnd(db, r < 0 ? "broken off" : NULL) != 1 && r >= 0)
                r = pg_fail(db, NULL, g->writer->connection->system, "cannot write", false, error);
        while ((result = PQgetResult(db))) {
                if (r >= 0)
                        r = PQresultStatus(result) == PGRES_COMMAND_OK
                                    ? met_rows(g, result, CHANGE_INSERT, n_sent, error)
                                    : server_fail(g, result, error);
                PQclear(result);
                if (PQstatus(db) == CONNECTION_BAD)
                        break;
        }
        return r;
}

static int insert_by_copy(Writing *g, const Item *items, size_t n_items, Error *error) {
        PgWriter *w = g->writer;
        const PgStatement statement = {w->mapping, w->table->name, w->types, items[0].mask};
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *sql = NULL;
        size_t n_sent = 0;
        int r;

        r = pg_sql_copy(&statement, &sql);
        if (r < 0)
                return r;
        result = PQexec(w->connection->db, sql);
        if (PQresultStatus(result) != PGRES_COPY_IN)
                return server_fail(g, result, error);
        r = rows_put(g, items, n_items, &n_sent, error);
        return copy_finish(g, r, n_sent, error);
}

static int columns_begin(Writing *g, const Item *item) {
        PgWriter *w = g->writer;
        int r = 0;

        pg_arrays_reset(&g->arrays);
        for (size_t i = 0; r >= 0 && item->write->change->kind != CHANGE_INSERT && i < w->mapping->n_key; i++)
                r = pg_arrays_column(&g->arrays, w->types[i]);
        for (size_t i = 0; r >= 0 && i < w->mapping->n_fields; i++)
                if (item->mask[i])
                        r = pg_arrays_column(&g->arrays, w->types[i]);
        return r;
}

static int always_identity_refuse(const Writing *g, size_t field, Error *error) {
        int r = error_set(error, ERROR_RECORD_REFUSED,
                          "Leave the field out of the mapping, or let the DBA run: alter table … alter column … set generated by default",
                          "Column \"%s\" of %s is generated always as identity: no update may give it a value",
                          g->writer->mapping->fields[field].name, g->writer->table->name);

        (void) error_field(error, g->writer->mapping->fields[field].name);
        return r;
}

static int record_put(Writing *g, const Item *item, Error *error) {
        const Change *change = item->write->change;
        const Mapping *m = g->writer->mapping;
        const Value *key;
        size_t column = 0;
        int r = 0;

        if (change->kind != CHANGE_INSERT) {
                r = pg_change_key(g->writer, change, &key);
                for (; r >= 0 && column < m->n_key; column++)
                        r = pg_arrays_add(&g->arrays, column, m->fields[column].name, &key[column], error);
        }
        for (size_t i = 0; r >= 0 && i < m->n_fields; i++) {
                if (!item->mask[i])
                        continue;
                if (change->kind == CHANGE_UPDATE && g->writer->types[i]->always_identity)
                        return always_identity_refuse(g, i, error);
                r = pg_arrays_add(&g->arrays, column++, m->fields[i].name, &change->target[i], error);
        }
        return r;
}

static int records_put(Writing *g, const Item *items, size_t n_items, Error *error) {
        int r;

        r = columns_begin(g, &items[0]);
        for (size_t i = 0; r >= 0 && i < n_items; i++) {
                Error *refusal = &items[i].write->refusal;

                pg_arrays_mark(&g->arrays, g->marks);
                r = record_put(g, &items[i], refusal);
                if (r >= 0) {
                        g->arrays.n_records++;
                        continue;
                }
                pg_arrays_rewind(&g->arrays, g->marks);
                r = refusal_take(g, refusal, r, error);
        }
        arena_reset(g->writer->arena);
        return r;
}

static int apply_arrays(Writing *g, const Item *items, size_t n_items, Error *error) {
        PgWriter *w = g->writer;
        const PgStatement statement = {w->mapping, w->table->name, w->types, items[0].mask};
        ChangeKind kind = items[0].write->change->kind;
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *sql = NULL;
        int r;

        r = records_put(g, items, n_items, error);
        if (r < 0 || g->arrays.n_records == 0)
                return r;
        r = kind == CHANGE_INSERT   ? pg_sql_insert(&statement, &sql)
            : kind == CHANGE_UPDATE ? pg_sql_update(&statement, &sql)
                                    : pg_sql_delete(&statement, &sql);
        if (r >= 0)
                r = pg_arrays_run(&g->arrays, sql, &result);
        if (r < 0)
                return r;
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
                return server_fail(g, result, error);
        return met_rows(g, result, kind, g->arrays.n_records, error);
}

/* COPY cannot write views and the like, and sends binary forms only. */
static bool can_copy(const Writing *g, const Item *item) {
        if (item->write->change->kind != CHANGE_INSERT || !g->writer->table->plain)
                return false;
        for (size_t i = 0; i < g->writer->mapping->n_fields; i++)
                if (item->mask[i] && pg_cast_of(g->writer->types[i]))
                        return false;
        return true;
}

static int apply_group(Writing *g, const Item *items, size_t n_items, Error *error) {
        int r = 0;

        if (can_copy(g, items))
                return insert_by_copy(g, items, n_items, error);
        for (size_t i = 0; r >= 0 && i < n_items; i += ARRAY_RECORDS_MAX)
                r = apply_arrays(g, items + i, n_items - i < ARRAY_RECORDS_MAX ? n_items - i : ARRAY_RECORDS_MAX,
                                 error);
        return r;
}

/* ---- 3 deferred ---- */

static int constraints_check(Writing *g, Error *error) {
        _cleanup_result_ PGresult *result = PQexec(g->writer->connection->db, "set constraints all immediate");

        return PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : server_fail(g, result, error);
}

static int apply_items(Writing *g, const Item *items, size_t n_items, Error *error) {
        int r;

        for (size_t i = 0, n; i < n_items; i += n) {
                n = group_size(g, items + i, n_items - i);
                r = apply_group(g, items + i, n, error);
                if (r < 0)
                        return r;
        }
        return constraints_check(g, error);
}

/* ---- 4 isolate ---- */

/* Accepts a range of the items that are not in yet, or halves it; a single one keeps its refusal. */
static int range_try(Writing *g, Item *items, size_t n_items, size_t *n_accepted, Error *error) {
        PgConnection *c = g->writer->connection;
        _cleanup_error_ Error refusal = {};
        int r;

        r = pg_execute(c->db, c->system, "savepoint tf_range", error);
        if (r < 0)
                return r;
        r = apply_items(g, items, n_items, &refusal);
        if (r >= 0) {
                *n_accepted += n_items;
                for (size_t i = 0; i < n_items; i++)
                        items[i].accepted = true;
                return pg_execute(c->db, c->system, "release savepoint tf_range", error);
        }
        if (error_class(refusal.id) != ERROR_CLASS_RECORD) {
                if (error)
                        error_move(error, &refusal);
                return r;
        }
        r = pg_execute(c->db, c->system, "rollback to savepoint tf_range; release savepoint tf_range", error);
        if (r < 0)
                return r;
        if (n_items == 1) {
                error_done(&items[0].write->refusal);
                error_move(&items[0].write->refusal, &refusal);
                return 0;
        }
        r = range_try(g, items, n_items / 2, n_accepted, error);
        return r < 0 ? r : range_try(g, items + n_items / 2, n_items - n_items / 2, n_accepted, error);
}

/* Moves what is not accepted to the front, in its order, and gives how many these are. */
static size_t pending_gather(Item *items, size_t n_items) {
        size_t n = 0;

        for (size_t i = 0; i < n_items; i++)
                if (!items[i].accepted) {
                        Item pending = items[i];

                        items[i] = items[n];
                        items[n++] = pending;
                }
        return n;
}

static int isolate(Writing *g, Error *error) {
        PgConnection *c = g->writer->connection;
        size_t n_pending = g->n_items, n_accepted;
        int r;

        g->isolating = true;
        for (size_t i = 0; i < g->n_items; i++)
                error_done(&g->items[i].write->refusal);
        r = pg_execute(c->db, c->system, "rollback", error);
        if (r >= 0)
                r = pg_begin(&c->base, error);
        do {
                n_accepted = 0;
                if (r >= 0)
                        r = range_try(g, g->items, n_pending, &n_accepted, error);
                if (r < 0)
                        return r;
                n_pending = pending_gather(g->items, n_pending);
        } while (n_pending > 0 && n_accepted > 0);
        for (size_t i = n_pending; i < g->n_items; i++)
                error_done(&g->items[i].write->refusal); /* of an earlier round */
        return (int) n_pending;
}

int pg_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error) {
        PgWriter *w = (PgWriter *) writer;
        _cleanup_(writing_done) Writing g = {};
        _cleanup_error_ Error failure = {};
        int r;

        if (PQtransactionStatus(w->connection->db) != PQTRANS_INTRANS)
                return error_set(error, PQstatus(w->connection->db) == CONNECTION_BAD ? ERROR_SYSTEM_UNAVAILABLE
                                                                                      : ERROR_SYSTEM_REFUSED,
                                 NULL, "System \"%s\": no transaction is open any more",
                                 w->connection->system->name);
        r = writing_init(&g, w, writes, n_writes);
        if (r < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to write records");
        r = apply_items(&g, g.items, g.n_items, &failure);
        if (r >= 0) {
                int n_refused = 0; /* by ourselves */

                for (size_t i = 0; i < g.n_items; i++)
                        n_refused += g.items[i].write->refusal.id != ERROR_NONE;
                return n_refused;
        }
        if (error_class(failure.id) == ERROR_CLASS_RECORD)
                return isolate(&g, error);
        if (error && failure.id != ERROR_NONE)
                error_move(error, &failure);
        else if (failure.id == ERROR_NONE)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to write records");
        return r;
}
