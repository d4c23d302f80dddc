/* SPDX-License-Identifier: Apache-2.0 */
/* An entity's row in the pair's file: counts of its baseline and its checkpoint; and the counts of
 * operations. */
#include "store/operations-internal.h"
#include "store/progress-internal.h"

void checkpoint_done(Checkpoint *c) {
        free(c->position);
        free(c->low);
        free(c->high);
        free(c->mapping_hash);
        free(c->changes_from);
        free(c->content);
        *c = (Checkpoint){};
}
DEFINE_CLEANUP(Checkpoint, checkpoint_done)

const Checkpoint *checkpoint_get(const ProgressEntity *e) { return &e->checkpoint; }

static int text_copy(const char *text, char **ret) {
        if (!text)
                return 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int checkpoint_copy(const Checkpoint *c, Checkpoint *ret) {
        _cleanup_(checkpoint_donep) Checkpoint *undo = ret;

        *ret = *c;
        ret->position = ret->low = ret->high = ret->mapping_hash = ret->changes_from = ret->content = NULL;
        if (text_copy(c->position, &ret->position) < 0 || text_copy(c->low, &ret->low) < 0 ||
            text_copy(c->high, &ret->high) < 0 || text_copy(c->mapping_hash, &ret->mapping_hash) < 0 ||
            text_copy(c->changes_from, &ret->changes_from) < 0 || text_copy(c->content, &ret->content) < 0)
                return -ENOMEM;
        undo = NULL;
        return 0;
}

static int entity_add(ProgressEntity *e, Error *error) {
        static const char sql[] = "insert into entity (name) values (?) on conflict (name) do nothing";
        Statement *s;
        int r;

        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, e->name);
        return statement_run(s, error);
}

static int entity_read(ProgressEntity *e, Statement *s) {
        const char *scan_operation = statement_text(s, 3);
        Checkpoint row =
                           {
                                   .scan_full = statement_integer(s, 4) != 0,
                                   .position = (char *) statement_text(s, 5),
                                   .scan_end = statement_integer(s, 6) != 0,
                                   .low = (char *) statement_text(s, 7),
                                   .high = (char *) statement_text(s, 8),
                                   .full_at = statement_integer(s, 9),
                                   .mapping_hash = (char *) statement_text(s, 10),
                                   .settled_batch = (uint64_t) statement_integer(s, 11),
                                   .n_unkeyed = (uint64_t) statement_integer(s, 12),
                                   .scan_batch = (uint64_t) statement_integer(s, 13),
                                   .swept = statement_integer(s, 14) != 0,
                                   .keys_at = statement_integer(s, 15),
                                   .changes_from = (char *) statement_text(s, 16),
                                   .content = (char *) statement_text(s, 17),
                                   .scan_scope = (int) statement_integer(s, 18),
                           },
                   copy;
        int r;

        if (scan_operation && strlen(scan_operation) < UUID_TEXT_SIZE)
                memcpy(row.scan_operation, scan_operation, strlen(scan_operation) + 1);
        r = checkpoint_copy(&row, &copy);
        if (r < 0)
                return r;
        checkpoint_done(&e->checkpoint);
        e->checkpoint = copy;
        e->id = statement_integer(s, 0);
        e->n_rows = (uint64_t) statement_integer(s, 1);
        e->last_number = (uint64_t) statement_integer(s, 2);
        e->counts_dirty = false;
        return 0;
}

int entity_load(ProgressEntity *e, Error *error) {
        static const char sql[] = "select id, n_rows, last_number, scan_operation, scan_full, position, "
                                  "scan_end, low, high, full_at,"
                                  " mapping_hash, settled_batch, n_unkeyed, scan_batch, swept, keys_at, changes_from,"
                                  " content, scan_scope from entity where name = ?";
        Statement *s;
        int r;

        r = entity_add(e, error);
        if (r < 0)
                return r;
        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, e->name);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        assert(r == 1);
        r = entity_read(e, s);
        statement_reset(s);
        return r < 0 ? store_no_memory(error) : 0;
}

int entity_save_counts(ProgressEntity *e, Error *error) {
        static const char sql[] = "update entity set n_rows = ?, last_number = ? where id = ?";
        Statement *s;
        int r;

        if (!e->counts_dirty)
                return 0;
        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, (int64_t) e->n_rows);
        statement_bind_integer(s, 2, (int64_t) e->last_number);
        statement_bind_integer(s, 3, e->id);
        return statement_run(s, error);
}

static int checkpoint_write(ProgressEntity *e, const Checkpoint *c, Error *error) {
        static const char sql[] =
                "update entity set scan_operation = ?, scan_full = ?, position = ?, scan_end = ?, low = ?, "
                "high = ?,"
                " full_at = ?, mapping_hash = ?, settled_batch = ?, n_unkeyed = ?, scan_batch = ?,"
                " swept = ?, keys_at = ?, changes_from = ?, content = ?, scan_scope = ? where id = ?";
        Statement *s;
        int r;

        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, c->scan_operation[0] != 0 ? c->scan_operation : NULL);
        statement_bind_integer(s, 2, c->scan_full);
        statement_bind_text(s, 3, c->position);
        statement_bind_integer(s, 4, c->scan_end);
        statement_bind_text(s, 5, c->low);
        statement_bind_text(s, 6, c->high);
        statement_bind_integer(s, 7, c->full_at);
        statement_bind_text(s, 8, c->mapping_hash);
        statement_bind_integer(s, 9, (int64_t) c->settled_batch);
        statement_bind_integer(s, 10, (int64_t) c->n_unkeyed);
        statement_bind_integer(s, 11, (int64_t) c->scan_batch);
        statement_bind_integer(s, 12, c->swept);
        statement_bind_integer(s, 13, c->keys_at);
        statement_bind_text(s, 14, c->changes_from);
        statement_bind_text(s, 15, c->content);
        statement_bind_integer(s, 16, c->scan_scope);
        statement_bind_integer(s, 17, e->id);
        return statement_run(s, error);
}

/* c may hold texts of checkpoint_get(): the old ones go only when the copy is made. */
int checkpoint_save(ProgressEntity *e, const Checkpoint *c, Error *error) {
        Checkpoint copy;
        int r;

        assert(e->progress->in_transaction);
        r = checkpoint_write(e, c, error);
        if (r < 0)
                return r;
        if (checkpoint_copy(c, &copy) < 0)
                return store_no_memory(error);
        checkpoint_done(&e->checkpoint);
        e->checkpoint = copy;
        return 0;
}

int result_add(Progress *p, const char *operation_id, const EntityResult *delta, Error *error) {
        static const char sql[] =
                "insert into result (operation_id, entity, n_read, n_inserted, n_updated, n_deleted, "
                "n_unchanged, n_held,"
                " n_deletes_withheld, done, diverged) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " on conflict (operation_id, entity) do update set n_read = result.n_read + excluded.n_read,"
                " n_inserted = result.n_inserted + excluded.n_inserted,"
                " n_updated = result.n_updated + excluded.n_updated,"
                " n_deleted = result.n_deleted + excluded.n_deleted,"
                " n_unchanged = result.n_unchanged + excluded.n_unchanged,"
                " n_held = result.n_held + excluded.n_held,"
                " n_deletes_withheld = result.n_deletes_withheld + excluded.n_deletes_withheld,"
                " done = case when excluded.done > result.done then excluded.done else result.done end,"
                " diverged = case when excluded.diverged > result.diverged then excluded.diverged else result.diverged end";
        Statement *s;
        int r;

        assert(p->in_transaction);
        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, operation_id);
        statement_bind_text(s, 2, delta->entity);
        statement_bind_integer(s, 3, delta->n_read);
        statement_bind_integer(s, 4, delta->n_inserted);
        statement_bind_integer(s, 5, delta->n_updated);
        statement_bind_integer(s, 6, delta->n_deleted);
        statement_bind_integer(s, 7, delta->n_unchanged);
        statement_bind_integer(s, 8, delta->n_held);
        statement_bind_integer(s, 9, delta->n_deletes_withheld);
        statement_bind_integer(s, 10, delta->done);
        statement_bind_integer(s, 11, delta->diverged);
        return statement_run(s, error);
}

static void results_clear(Operation *o) {
        for (size_t i = 0; i < o->n_results; i++)
                free(o->results[i].entity);
        free(o->results);
        o->results = NULL;
        o->n_results = 0;
}

int result_load(Progress *p, const char *operation_id, Operation *o, Error *error) {
        static const char sql[] = "select entity, n_read, n_inserted, n_updated, n_deleted, n_unchanged, "
                                  "n_held, n_deletes_withheld, done, diverged"
                                  " from result where operation_id = ? order by id";
        Statement *s;
        int r;

        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        results_clear(o);
        statement_bind_text(s, 1, operation_id);
        return results_take(s, o, error);
}
