/* SPDX-License-Identifier: Apache-2.0 */
#include "store/progress-internal.h"

static ProgressEntity *progress_entity_free(ProgressEntity *e) {
        if (!e)
                return NULL;
        baseline_done(e);
        seen_done(e);
        checkpoint_done(&e->checkpoint);
        free(e->name);
        free(e);
        return NULL;
}
DEFINE_CLEANUP(ProgressEntity, progress_entity_free)

Progress *progress_close(Progress *p) {
        if (!p)
                return NULL;
        if (p->in_transaction)
                database_rollback(p->database);
        for (size_t i = 0; i < p->n_entities; i++)
                progress_entity_free(p->entities[i]);
        free(p->entities);
        database_close(p->database);
        closep(&p->lock_fd); /* last: who gets the lock finds the file closed */
        free(p);
        return NULL;
}

static int progress_load(Progress *p, Error *error) {
        static const char sql[] = "select last_batch from pair where id = 1";
        Statement *s;
        int r;

        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        r = statement_step(s, error);
        if (r < 0)
                return r;
        if (r == 0)
                return error_set(error, ERROR_FILE_FORMAT,
                                 "Restore the file from a backup, or move it away and run a full sync.",
                                 "\"%s\" has no row in table pair", database_path(p->database));
        p->last_batch = (uint64_t) statement_integer(s, 0);
        statement_reset(s);
        return 0;
}

/* The lock file tells of this machine only. */
static int progress_hold(Progress *p, const char *pair, const char *operation_id, Error *error) {
        _cleanup_free_ char *what = NULL, *holder = NULL;

        if (asprintf(&what, "pair \"%s\"", pair) < 0)
                what = NULL;
        if (asprintf(&holder, "Operation %s", operation_id) < 0)
                holder = NULL;
        if (!what || !holder)
                return store_no_memory(error);
        return database_hold(p->database, what, holder, STORE_HOLD_MSEC, error);
}

int progress_open(const char *state_directory, const char *pair, const char *operation_id, Progress **ret,
                  Error *error) {
        _cleanup_(progress_closep) Progress *p = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = store_database_path(state_directory, PART_PAIR, pair, NULL, &path, error);
        if (r < 0)
                return r;
        r = store_folder_make(state_directory, "pairs", error);
        if (r < 0)
                return r;
        p = calloc(1, sizeof(*p));
        if (!p)
                return store_no_memory(error);
        p->lock_fd = -EBADF;
        r = pair_lock(state_directory, pair, operation_id, &p->lock_fd, error);
        if (r < 0)
                return r;
        r = database_open(path, pair_migrations, &p->database, error);
        if (r < 0)
                return r;
        r = progress_hold(p, pair, operation_id, error);
        if (r < 0)
                return r;
        r = progress_load(p, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

Database *progress_database(Progress *p) { return p->database; }

static int progress_entity_load(ProgressEntity *e, Error *error) {
        int r;

        r = entity_load(e, error);
        if (r < 0)
                return r;
        return seen_load(e, error);
}

int progress_entity(Progress *p, const char *entity, ProgressEntity **ret, Error *error) {
        _cleanup_(progress_entity_freep) ProgressEntity *e = NULL;
        int r;

        for (size_t i = 0; i < p->n_entities; i++)
                if (strcmp(p->entities[i]->name, entity) == 0) {
                        *ret = p->entities[i];
                        return 0;
                }
        e = calloc(1, sizeof(*e));
        if (!e || !(e->name = strdup(entity)))
                return store_no_memory(error);
        e->progress = p;
        r = array_grow(&p->entities, &p->entities_capacity, p->n_entities + 1, sizeof(*p->entities));
        if (r < 0)
                return store_no_memory(error);
        e->ahead.size = 1;
        r = progress_entity_load(e, error);
        if (r < 0)
                return r;
        r = baseline_convert(e, error);
        if (r < 0)
                return r;
        *ret = p->entities[p->n_entities++] = TAKE_PTR(e);
        return 0;
}

int progress_begin(Progress *p, Error *error) {
        int r;

        assert(!p->in_transaction);
        if (p->broken)
                return error_set(error, ERROR_IO, "Run the operation again: it goes on from its checkpoint.",
                                 "\"%s\" could not be read again after a failed transaction",
                                 database_path(p->database));
        r = database_begin(p->database, error);
        if (r < 0)
                return r;
        p->in_transaction = true;
        return 0;
}

static int progress_save(Progress *p, Error *error) {
        int r;

        for (size_t i = 0; i < p->n_entities; i++) {
                r = pending_write(p->entities[i], error);
                if (r < 0)
                        return r;
                r = seen_save(p->entities[i], error);
                if (r < 0)
                        return r;
                r = entity_save_counts(p->entities[i], error);
                if (r < 0)
                        return r;
        }
        return database_commit(p->database, error);
}

int progress_commit(Progress *p, Error *error) {
        int r;

        assert(p->in_transaction);
        r = progress_save(p, error);
        if (r < 0) {
                progress_rollback(p);
                return r;
        }
        p->in_transaction = false;
        for (size_t i = 0; i < p->n_entities; i++) {
                seen_saved(p->entities[i]);
                p->entities[i]->counts_dirty = false;
        }
        return 0;
}

/* What is in memory is read again, so that it agrees with the file: marks, counts and checkpoints stand at
 * the last commit. */
void progress_rollback(Progress *p) {
        int r;

        if (!p->in_transaction)
                return;
        database_rollback(p->database);
        p->in_transaction = false;
        r = progress_load(p, NULL);
        for (size_t i = 0; r == 0 && i < p->n_entities; i++) {
                baseline_forget_ahead(p->entities[i]);
                pending_forget(p->entities[i]);
                r = progress_entity_load(p->entities[i], NULL);
        }
        p->broken = r < 0;
}

int progress_end(Progress *p, int r, Error *error) {
        if (r >= 0)
                return progress_commit(p, error);
        progress_rollback(p);
        return r;
}

uint64_t progress_last_batch(const Progress *p) { return p->last_batch; }

int progress_set_last_batch(Progress *p, uint64_t batch, Error *error) {
        static const char sql[] = "update pair set last_batch = ? where id = 1";
        Statement *s;
        int r;

        assert(p->in_transaction);
        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, (int64_t) batch);
        r = statement_run(s, error);
        if (r < 0)
                return r;
        p->last_batch = batch;
        return 0;
}
