/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a batch.
 *   1 sort       changes by kind and by the fields that they carry: each such group is one statement
 *   2 apply      deletes, inserts, updates: an array of values for each parameter
 *   3 isolate    only after a refusal, or where rows are missing: begin anew and halve, with a savepoint each, until the
 *                records that are refused stand alone. What was refused is tried again after the others are in, as it may
 *                have needed them
 * Drivers tell of an array only how many rows it met. So each group must meet as many rows as it has records. */
#include "connect/odbc-writer.h"

typedef struct Item {
        RecordWrite *write;
        const bool *mask;
        bool accepted;
} Item;

typedef struct Writing {
        OdbcWriter *writer;
        Item *items;
        size_t n_items;
        bool *masks;
        bool isolating; /* then a refusal by us stops the group, as one by the database does */
        bool missed;    /* an array met fewer rows than it has records */
} Writing;

static void writing_done(Writing *g) {
        free(g->items);
        free(g->masks);
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

static int writing_init(Writing *g, OdbcWriter *w, RecordWrite *writes, size_t n_writes) {
        size_t n_fields = w->mapping->n_fields;

        *g = (Writing){.writer = w};
        g->items = calloc(n_writes + 1, sizeof(Item));
        g->masks = calloc(n_writes + 1, n_fields * sizeof(bool) + 1);
        if (!g->items || !g->masks)
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

/* A refusal by our own look at the value: kept with its record, and the group goes on without it to find the others; while
 * isolating it is the answer. 0: taken. */
static int refusal_take(const Writing *g, Error *refusal, int r, Error *error) {
        if (error_class(refusal->id) == ERROR_CLASS_RECORD && !g->isolating)
                return 0;
        if (error)
                error_move(error, refusal);
        return r;
}

static void columns_begin(Writing *g, const Item *item) {
        OdbcWriter *w = g->writer;
        const Mapping *m = w->mapping;

        odbc_arrays_reset(&w->arrays);
        for (size_t i = 0; i < m->n_fields; i++)
                if (item->mask[i])
                        odbc_arrays_column(&w->arrays, w->types[i], m->fields[i].name);
        for (size_t i = 0; item->write->change->kind != CHANGE_INSERT && i < m->n_key; i++)
                odbc_arrays_column(&w->arrays, w->types[i], m->fields[i].name);
}

static int record_put(Writing *g, const Item *item, Error *error) {
        const Change *change = item->write->change;
        OdbcWriter *w = g->writer;
        const Value *key;
        size_t column = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < w->mapping->n_fields; i++)
                if (item->mask[i])
                        r = odbc_arrays_put(&w->arrays, column++, &change->target[i], error);
        if (r < 0 || change->kind == CHANGE_INSERT)
                return r;
        r = odbc_change_key(w, change, &key);
        for (size_t i = 0; r >= 0 && i < w->mapping->n_key; i++)
                r = odbc_arrays_put(&w->arrays, column++, &key[i], error);
        return r;
}

static int records_put(Writing *g, const Item *items, size_t n_items, Error *error) {
        int r;

        columns_begin(g, &items[0]);
        arena_reset(g->writer->arena);
        for (size_t i = 0; i < n_items; i++) {
                Error *refusal = &items[i].write->refusal;

                r = record_put(g, &items[i], refusal);
                if (r >= 0)
                        g->writer->arrays.n_records++;
                else {
                        r = refusal_take(g, refusal, r, error);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* Whatever was met too little or too much: records are told apart one by one. */
static int met_rows(Writing *g, ChangeKind kind, uint64_t n_met, size_t n_records, Error *error) {
        const char *to = g->writer->mapping->to;

        if (n_met == n_records)
                return 0;
        g->missed = true;
        if (kind == CHANGE_INSERT)
                return error_set(
                        error, ERROR_RECORD_REFUSED,
                        "Let the trigger (or the view) take the record, or refuse it with a message",
                        "\"%s\" did not take the record: a trigger or a rule left it out", to);
        return error_set(error, ERROR_RECORD_REFUSED, "Run the pair again: it compares anew",
                         "\"%s\" has no row for this key to %s; it is gone since it was read", to,
                         kind == CHANGE_UPDATE ? "update" : "delete");
}

static int statement_prepare(Writing *g, const Item *item, SQLHSTMT *ret, Error *error) {
        OdbcWriter *w = g->writer;
        const OdbcStatement statement = {w->connection->dialect, w->mapping, w->types, item->mask};
        ChangeKind kind = item->write->change->kind;
        _cleanup_free_ char *sql = NULL;
        int r;

        r = kind == CHANGE_INSERT   ? odbc_sql_insert(&statement, &sql)
            : kind == CHANGE_UPDATE ? odbc_sql_update(&statement, &sql)
                                    : odbc_sql_delete(&statement, &sql);
        if (r >= 0)
                r = odbc_statement_new(w->connection, ret, error);
        if (r < 0)
                return r;
        return SQL_SUCCEEDED(SQLPrepare(*ret, (SQLCHAR *) sql, SQL_NTS))
                       ? 0
                       : odbc_fail(w->connection, SQL_HANDLE_STMT, *ret, "cannot write", false, error);
}

static int apply_group(Writing *g, const Item *items, size_t n_items, Error *error) {
        OdbcWriter *w = g->writer;
        _cleanup_odbc_statement_ SQLHSTMT statement = SQL_NULL_HSTMT;
        ChangeKind kind = items[0].write->change->kind;
        int r;

        r = statement_prepare(g, &items[0], &statement, error);
        for (size_t i = 0, n; r >= 0 && i < n_items; i += n) {
                uint64_t n_met = 0;

                n = n_items - i < ODBC_RECORDS_MAX ? n_items - i : ODBC_RECORDS_MAX;
                r = records_put(g, items + i, n, error);
                if (r >= 0 && w->arrays.n_records > 0)
                        r = odbc_arrays_run(&w->arrays, statement, w->mapping->to, &n_met, error);
                if (r >= 0)
                        r = met_rows(g, kind, n_met, w->arrays.n_records, error);
        }
        return r;
}

static int apply_items(Writing *g, const Item *items, size_t n_items, Error *error) {
        OdbcConnection *c = g->writer->connection;
        int r;

        for (size_t i = 0, n; i < n_items; i += n) {
                n = group_size(g, items + i, n_items - i);
                r = apply_group(g, items + i, n, error);
                if (r < 0)
                        return r;
        }
        /* Nothing that concerns a record is left for COMMIT to find. */
        return c->dialect->family == ODBC_POSTGRESQL
                       ? odbc_execute_of_record(c, "set constraints all immediate", error)
                       : 0;
}

/* ---- 3 isolate ---- */

/* Accepts a range of the items that are not in yet, or halves it; a single one keeps its refusal. */
static int range_try(Writing *g, Item *items, size_t n_items, size_t *n_accepted, Error *error) {
        OdbcConnection *c = g->writer->connection;
        _cleanup_error_ Error refusal = {};
        int r;

        r = odbc_execute(c, c->dialect->savepoint, error);
        if (r < 0)
                return r;
        r = apply_items(g, items, n_items, &refusal);
        if (r >= 0) {
                *n_accepted += n_items;
                for (size_t i = 0; i < n_items; i++)
                        items[i].accepted = true;
                return c->dialect->release ? odbc_execute(c, c->dialect->release, error) : 0;
        }
        if (error_class(refusal.id) != ERROR_CLASS_RECORD) {
                if (error)
                        error_move(error, &refusal);
                return r;
        }
        r = odbc_execute(c, c->dialect->rollback_to, error);
        if (r >= 0 && c->dialect->release)
                r = odbc_execute(c, c->dialect->release, error);
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
        OdbcConnection *c = g->writer->connection;
        size_t n_pending = g->n_items, n_accepted;
        bool missed = g->missed;
        int r;

        g->isolating = true;
        for (size_t i = 0; i < g->n_items; i++)
                error_done(&g->items[i].write->refusal);
        r = odbc_rollback(&c->base);
        if (r >= 0)
                r = odbc_begin(&c->base, error);
        do {
                n_accepted = 0;
                if (r >= 0)
                        r = range_try(g, g->items, n_pending, &n_accepted, error);
                if (r < 0)
                        return r;
                n_pending = pending_gather(g->items, n_pending);
        } while (n_pending > 0 && n_accepted > 0);
        if (missed && n_pending == 0)
                c->no_arrays = true; /* the driver counted wrongly: from here on one by one */
        for (size_t i = n_pending; i < g->n_items; i++)
                error_done(&g->items[i].write->refusal); /* of an earlier round */
        return (int) n_pending;
}

int odbc_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error) {
        OdbcWriter *w = (OdbcWriter *) writer;
        _cleanup_(writing_done) Writing g = {};
        _cleanup_error_ Error failure = {};
        int r;

        if (!w->connection->in_transaction)
                return error_set(error, ERROR_SYSTEM_REFUSED, NULL,
                                 "System \"%s\": no transaction is open any more",
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
        if (failure.id != ERROR_NONE && error_class(failure.id) == ERROR_CLASS_RECORD)
                return isolate(&g, error);
        if (error && failure.id != ERROR_NONE)
                error_move(error, &failure);
        else if (failure.id == ERROR_NONE)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to write records");
        return r;
}

/* ---- the transaction ---- */

/* A server goes on with what a killed worker sent, its COMMIT too. The lock of the pair is its session's, so that who holds it
 * sees what became of it. */
static int lock_take(OdbcConnection *c, Error *error) {
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        _cleanup_free_ char *sql = NULL;
        int r;

        if (c->locked || !c->dialect->lock)
                return 0;
        sql = odbc_dialect_fill(c->dialect, c->dialect->lock, NULL, connector_pair());
        if (!sql)
                return -ENOMEM;
        r = odbc_query(c, sql, &rows, error);
        if (r < 0)
                return r;
        c->locked = rows.n_rows > 0 && odbc_cell(&rows, 0, 0) && odbc_cell(&rows, 0, 0)[0] == '1';
        return c->locked ? 0
                         : error_set(error, ERROR_SYSTEM_BUSY, "Nothing: it is tried again",
                                     "System \"%s\": an earlier worker of the pair is still at work there",
                                     c->system->name);
}

int odbc_begin(Connection *connection, Error *error) {
        OdbcConnection *c = (OdbcConnection *) connection;
        int r;

        r = lock_take(c, error);
        if (r >= 0)
                r = odbc_execute(c, c->dialect->begin, error);
        c->in_transaction = r >= 0;
        return r;
}

int odbc_commit(Connection *connection, Error *error) {
        OdbcConnection *c = (OdbcConnection *) connection;
        int r;

        r = odbc_execute(c, "commit", error);
        if (r < 0)
                (void) odbc_rollback(connection);
        c->in_transaction = false;
        return r;
}

int odbc_rollback(Connection *connection) {
        OdbcConnection *c = (OdbcConnection *) connection;
        int r;

        if (!c->in_transaction)
                return 0;
        r = odbc_execute(c, "rollback", NULL);
        c->in_transaction = false;
        return r < 0 ? -EIO : 0;
}
