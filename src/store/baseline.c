/* SPDX-License-Identifier: Apache-2.0 */
/* What was synced last, per key. Look-ups read ahead in key order: a source that comes in that order costs
 * a comparison per record. How far is learned: it grows while what was read is used, and falls to single
 * pages for keys in any order. */
#include "store/baseline-page.h"
#include "store/progress-internal.h"

#define AHEAD_PAGES_MAX 32U
#define AHEAD_RUN       3U /* misses in order until reading further ahead is tried: by chance one in 24 */

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
        pending_done(e);
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

/* Decides how many pages the next query asks for, from how the last ones served. */
static void ahead_learn(ReadAhead *a, Key key) {
        bool served = (a->n_served + 1) * 2 >= a->n_rows;

        if (a->bytes && key_compare(key, (Key){.bytes = a->bytes, .size = a->start_size}) > 0)
                a->run++;
        else
                a->run = 0;
        if (!served)
                a->size = a->size > 4 ? a->size / 4 : 1;
        else if (a->run >= AHEAD_RUN)
                a->size = a->size * 4 < AHEAD_PAGES_MAX ? a->size * 4 : AHEAD_PAGES_MAX;
}

static int ahead_append_key(ReadAhead *a, const void *bytes, size_t size) {
        int r = array_grow(&a->bytes, &a->bytes_capacity, a->bytes_size + size + 1, 1);

        if (r < 0)
                return r;
        memcpy(a->bytes + a->bytes_size, bytes, size);
        a->bytes_size += size;
        return 0;
}

/* A row of the pages that are read. */
static int ahead_append(void *userdata, const PageRow *page_row) {
        ReadAhead *a = userdata;
        size_t offset = a->bytes_size;
        int r;

        if (a->n_rows == a->rows_capacity) {
                r = array_grow(&a->rows, &a->rows_capacity, a->n_rows + 1, sizeof(*a->rows));
                if (r < 0)
                        return r;
        }
        r = ahead_append_key(a, page_row->key.bytes, page_row->key.size);
        if (r < 0)
                return r;
        a->rows[a->n_rows++] = (struct ReadAheadRow){
                .key_offset = offset,
                .key_size = page_row->key.size,
                .row = page_row->row,
        };
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

int baseline_error(ProgressEntity *e, int r, Error *error) {
        if (r == -ENOMEM)
                return store_no_memory(error);
        return error_set(error, ERROR_FILE_FORMAT,
                         "Restore the file from a backup, or move it away and run a full sync.",
                         "The baseline of entity \"%s\" in \"%s\" is damaged", e->name,
                         database_path(e->progress->database));
}

static int page_visit(const void *body, size_t size, Key from, page_visitor_t visit, void *userdata) {
        Page page;
        int r;

        r = page_open(body, size, &page);
        for (size_t i = 0; r == 0 && i < page.n_rows; i++) {
                PageRow row;

                r = page_row(&page, i, &row);
                if (r == 0 && key_compare(row.key, from) >= 0)
                        r = visit(userdata, &row);
        }
        return r;
}

/* Where the page of a key begins; empty where there is none yet. */
static int page_find_low(ProgressEntity *e, Key key, Arena *arena, Key *ret, Error *error) {
        static const char sql[] =
                "select low from baseline_page where entity = ? and low <= ? order by low desc limit 1";
        Statement *s;
        int r;

        *ret = (Key){};
        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        statement_bind_bytes(s, 2, key.bytes, key.size);
        r = statement_step(s, error);
        if (r <= 0)
                return r;
        ret->bytes = statement_bytes(s, 0, &ret->size);
        ret->bytes = arena_copy(arena, ret->bytes, ret->size);
        statement_reset(s);
        return ret->bytes ? 0 : store_no_memory(error);
}

static int pages_visit(ProgressEntity *e, Key low, Key from, size_t n_pages, page_visitor_t visit,
                       void *userdata, bool *ret_end, Error *error) {
        static const char sql[] =
                "select body from baseline_page where entity = ? and low >= ? order by low limit ?";
        size_t n_read = 0, size;
        Statement *s;
        int r;

        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        statement_bind_bytes(s, 2, low.bytes, low.size);
        statement_bind_integer(s, 3, (int64_t) n_pages + 1); /* one more tells whether it was the last */
        while ((r = statement_step(s, error)) > 0 && n_read++ < n_pages) {
                const void *body = statement_bytes(s, 0, &size);

                r = page_visit(body, size, from, visit, userdata);
                if (r != 0)
                        break;
        }
        if (r != 0)
                statement_reset(s);
        if (r < 0)
                return error && error->id ? r : baseline_error(e, r, error);
        *ret_end = r == 0;
        return 0;
}

int baseline_visit(ProgressEntity *e, Key from, size_t n_pages, page_visitor_t visit, void *userdata,
                   bool *ret_end, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        Key low;
        int r;

        r = arena_new(&arena);
        if (r < 0)
                return store_no_memory(error);
        /* Its bytes may be what the visitor moves on. */
        from.bytes = arena_copy(arena, from.bytes, from.size);
        if (!from.bytes)
                return store_no_memory(error);
        r = page_find_low(e, from, arena, &low, error);
        if (r < 0)
                return r;
        return pages_visit(e, low, from, n_pages, visit, userdata, ret_end, error);
}

static int ahead_load(ProgressEntity *e, Key key, Error *error) {
        ReadAhead *a = &e->ahead;
        int r;

        r = ahead_start(a, key);
        if (r < 0)
                return baseline_error(e, r, error);
        r = baseline_visit(e, key, a->size, ahead_append, a, &a->to_end, error);
        if (r < 0)
                return r;
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

        r = pending_make_way(e, key, error);
        if (r < 0)
                return r;
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

int baseline_put(ProgressEntity *e, Key key, uint64_t *number, uint64_t batch, const Digest *source,
                 const Digest *target, Error *error) {
        BaselineRow row = {
                .number = *number > 0 ? *number : e->last_number + 1,
                .batch = batch,
                .source_digest = *source,
                .target_digest = *target,
        };
        int r;

        assert(e->progress->in_transaction);
        r = pending_add(e, key, *number > 0 ? PENDING_KNOWN : PENDING_NEW, &row);
        if (r < 0)
                return store_no_memory(error);
        if (*number == 0) {
                e->last_number = row.number;
                e->n_rows++;
                e->counts_dirty = true;
        }
        ahead_patch(e, key, &row);
        *number = row.number;
        return 0;
}

int baseline_delete(ProgressEntity *e, Key key, Error *error) {
        BaselineRow row;
        int r;

        assert(e->progress->in_transaction);
        r = baseline_find(e, key, &row, error);
        if (r <= 0)
                return r; /* 0: there is none */
        r = pending_add(e, key, PENDING_GONE, &row);
        if (r < 0)
                return store_no_memory(error);
        seen_unmark(e, row.number);
        e->n_rows--;
        e->counts_dirty = true;
        ahead_patch(e, key, &(BaselineRow){});
        return 0;
}
