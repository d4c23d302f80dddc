/* SPDX-License-Identifier: Apache-2.0 */
/* What was synced last, per key. Look-ups read ahead in key order: a source that comes in that order costs
 * a comparison per record. How far is learned: it grows while what was read is used, and falls to single
 * rows for keys in any order. */
#include "store/progress-internal.h"

#define AHEAD_ROWS_MAX   2000U
#define AHEAD_ROWS_FIRST 16U /* when keys begin to come in order */
#define AHEAD_RUN        3U  /* misses in order until reading ahead is tried: by chance one in 24 */

int baseline_prepare(ProgressEntity *e, Error *error) {
        static const char find[] = "select key, number, batch, source_digest, target_digest from baseline"
                                   " where entity = ? and key >= ? order by key limit ?";
        static const char insert[] = "baseline (entity, key, number, batch, source_digest, target_digest)";
        static const char update[] = "update baseline set batch = ?3, source_digest = ?4, target_digest = ?5"
                                     " where entity = ?1 and key = ?2";
        static const char remove_row[] =
                "delete from baseline where entity = ? and key = ? returning number";
        Database *d = e->progress->database;
        int r;

        e->ahead.size = 1;
        r = database_prepare(d, find, &e->find, error);
        if (r < 0)
                return r;
        r = database_prepare_load(d, insert, &e->insert, error);
        if (r < 0)
                return r;
        r = database_prepare(d, update, &e->update, error);
        if (r < 0)
                return r;
        return database_prepare(d, remove_row, &e->remove, error);
}

/* The start stays: the next miss tells by it whether keys come in order. Rows that were not reached were
 * not read in vain. */
void baseline_forget_ahead(ProgressEntity *e) {
        if (!e->ahead.valid)
                return;
        e->ahead.valid = false;
        e->ahead.n_rows = e->ahead.at;
}

void baseline_done(ProgressEntity *e) {
        free(e->ahead.bytes);
        free(e->ahead.rows);
        e->ahead = (ReadAhead){};
}

uint64_t baseline_count(const ProgressEntity *e) { return e->n_rows; }

static Key ahead_key(const ReadAhead *a, size_t i) {
        return (Key){.bytes = a->bytes + a->rows[i].key_offset, .size = a->rows[i].key_size};
}

static bool ahead_covers(const ReadAhead *a, Key key) {
        if (!a->valid || key_compare(key, (Key){.bytes = a->bytes, .size = a->start_size}) < 0)
                return false;
        return a->to_end || (a->n_rows > 0 && key_compare(key, ahead_key(a, a->n_rows - 1)) <= 0);
}

/* Index of the first row whose key is not less; *ret_equal: it is this key's. */
static size_t ahead_search(const ReadAhead *a, Key key, bool *ret_equal) {
        size_t low = 0, high = a->n_rows;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c = key_compare(ahead_key(a, middle), key);

                if (c == 0) {
                        *ret_equal = true;
                        return middle;
                }
                if (c < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        *ret_equal = false;
        return low;
}

/* Decides how many rows the next query asks for, from how the last ones served. */
static void ahead_learn(ReadAhead *a, Key key) {
        bool served = (a->n_served + 1) * 2 >= a->n_rows;

        if (a->bytes && key_compare(key, (Key){.bytes = a->bytes, .size = a->start_size}) > 0)
                a->run++;
        else
                a->run = 0;
        if (!served)
                a->size = a->size > 4 ? a->size / 4 : 1;
        else if (a->run >= AHEAD_RUN)
                a->size = a->size < AHEAD_ROWS_FIRST     ? AHEAD_ROWS_FIRST
                          : a->size * 4 < AHEAD_ROWS_MAX ? a->size * 4
                                                         : AHEAD_ROWS_MAX;
}

static int ahead_append_key(ReadAhead *a, const void *bytes, size_t size) {
        int r = array_grow(&a->bytes, &a->bytes_capacity, a->bytes_size + size + 1, 1);

        if (r < 0)
                return r;
        memcpy(a->bytes + a->bytes_size, bytes, size);
        a->bytes_size += size;
        return 0;
}

static int digest_read(Statement *s, int column, Digest *ret) {
        size_t size;
        const void *bytes = statement_bytes(s, column, &size);

        if (size != DIGEST_SIZE)
                return -EBADMSG;
        memcpy(ret->bytes, bytes, DIGEST_SIZE);
        return 0;
}

static int ahead_append(ReadAhead *a, Statement *s) {
        size_t size, offset = a->bytes_size;
        const void *key = statement_bytes(s, 0, &size);
        struct ReadAheadRow *row;
        int r;

        r = array_grow(&a->rows, &a->rows_capacity, a->n_rows + 1, sizeof(*a->rows));
        if (r < 0)
                return r;
        r = ahead_append_key(a, key, size);
        if (r < 0)
                return r;
        row = &a->rows[a->n_rows];
        row->key_offset = offset;
        row->key_size = size;
        row->row.number = (uint64_t) statement_integer(s, 1);
        row->row.batch = (uint64_t) statement_integer(s, 2);
        r = digest_read(s, 3, &row->row.source_digest);
        if (r < 0)
                return r;
        r = digest_read(s, 4, &row->row.target_digest);
        if (r < 0)
                return r;
        a->n_rows++;
        return 0;
}

static int ahead_start(ReadAhead *a, Key key) {
        int r;

        ahead_learn(a, key);
        a->valid = false;
        a->n_rows = a->at = a->n_served = a->bytes_size = a->start_size = 0;
        r = ahead_append_key(a, key.bytes, key.size);
        if (r < 0)
                return r;
        a->start_size = key.size;
        return 0;
}

static int ahead_error(ProgressEntity *e, int r, Error *error) {
        if (r == -ENOMEM)
                return store_no_memory(error);
        return error_set(error, ERROR_FILE_FORMAT,
                         "Restore the file from a backup, or move it away and run a full sync.",
                         "Table baseline of \"%s\" is damaged", database_path(e->progress->database));
}

static int ahead_load(ProgressEntity *e, Key key, Error *error) {
        ReadAhead *a = &e->ahead;
        Statement *s = e->find;
        int r;

        r = ahead_start(a, key);
        if (r < 0)
                return ahead_error(e, r, error);
        statement_bind_integer(s, 1, e->id);
        statement_bind_bytes(s, 2, key.bytes, key.size);
        statement_bind_integer(s, 3, (int64_t) a->size);
        while ((r = statement_step(s, error)) > 0) {
                r = ahead_append(a, s);
                if (r < 0) {
                        statement_reset(s);
                        return ahead_error(e, r, error);
                }
        }
        if (r < 0)
                return r;
        a->to_end = a->n_rows < a->size;
        a->valid = true;
        return 0;
}

static int ahead_answer(ReadAhead *a, size_t i, BaselineRow *ret) {
        a->at = i + 1;
        if (a->rows[i].row.number == 0)
                return 0;
        *ret = a->rows[i].row;
        return 1;
}

int baseline_find(ProgressEntity *e, Key key, BaselineRow *ret, Error *error) {
        ReadAhead *a = &e->ahead;
        bool equal;
        size_t i;
        int r;

        if (a->valid && a->at < a->n_rows && key_equal(ahead_key(a, a->at), key)) {
                a->n_served++;
                return ahead_answer(a, a->at, ret);
        }
        if (ahead_covers(a, key))
                a->n_served++;
        else {
                r = ahead_load(e, key, error);
                if (r < 0)
                        return r;
        }
        i = ahead_search(a, key, &equal);
        if (equal)
                return ahead_answer(a, i, ret);
        a->at = i;
        return 0;
}

/* What was read ahead must tell what the table tells: a row that is there is corrected, one that is new
 * ends its use. */
static void ahead_patch(ProgressEntity *e, Key key, const BaselineRow *row) {
        ReadAhead *a = &e->ahead;
        bool equal;
        size_t i;

        if (!ahead_covers(a, key))
                return;
        i = ahead_search(a, key, &equal);
        if (equal)
                a->rows[i].row = *row;
        else if (row->number != 0)
                baseline_forget_ahead(e);
}

static int baseline_update(ProgressEntity *e, Key key, uint64_t batch, const Digest *source,
                           const Digest *target, Error *error) {
        Statement *s = e->update;

        statement_bind_integer(s, 1, e->id);
        statement_bind_bytes(s, 2, key.bytes, key.size);
        statement_bind_integer(s, 3, (int64_t) batch);
        statement_bind_bytes(s, 4, source->bytes, DIGEST_SIZE);
        statement_bind_bytes(s, 5, target->bytes, DIGEST_SIZE);
        return statement_run_one(s, error);
}

static int baseline_insert(ProgressEntity *e, Key key, uint64_t number, uint64_t batch, const Digest *source,
                           const Digest *target, Error *error) {
        Statement *s = e->insert;
        int r;

        statement_bind_integer(s, 1, e->id);
        statement_bind_bytes(s, 2, key.bytes, key.size);
        statement_bind_integer(s, 3, (int64_t) number);
        statement_bind_integer(s, 4, (int64_t) batch);
        statement_bind_bytes(s, 5, source->bytes, DIGEST_SIZE);
        statement_bind_bytes(s, 6, target->bytes, DIGEST_SIZE);
        r = statement_run(s, error);
        if (r < 0)
                return r;
        e->last_number = number;
        e->n_rows++;
        e->counts_dirty = true;
        return 0;
}

int baseline_put(ProgressEntity *e, Key key, uint64_t *number, uint64_t batch, const Digest *source,
                 const Digest *target, Error *error) {
        uint64_t known = *number > 0 ? *number : e->last_number + 1;
        int r;

        assert(e->progress->in_transaction);
        if (*number == 0)
                r = baseline_insert(e, key, known, batch, source, target, error);
        else
                r = baseline_update(e, key, batch, source, target, error);
        if (r < 0)
                return r;
        ahead_patch(e, key,
                    &(BaselineRow){.number = known,
                                   .batch = batch,
                                   .source_digest = *source,
                                   .target_digest = *target});
        *number = known;
        return 0;
}

int baseline_delete(ProgressEntity *e, Key key, Error *error) {
        Statement *s = e->remove;
        uint64_t number;
        int r;

        assert(e->progress->in_transaction);
        statement_bind_integer(s, 1, e->id);
        statement_bind_bytes(s, 2, key.bytes, key.size);
        r = statement_step(s, error);
        if (r <= 0)
                return r; /* 0: there is none */
        number = (uint64_t) statement_integer(s, 0);
        r = statement_run(s, error);
        if (r < 0)
                return r;
        seen_unmark(e, number);
        e->n_rows--;
        e->counts_dirty = true;
        ahead_patch(e, key, &(BaselineRow){});
        return 0;
}
