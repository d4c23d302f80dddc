/* SPDX-License-Identifier: Apache-2.0 */
/* One bit per baseline row, by its number. In memory while the worker runs; pieces that changed are
 * written with each commit, so a scan that a crash cut off goes on with the marks that belong to its saved
 * position. */
#include "store/baseline-page.h"
#include "store/progress-internal.h"

#define SEEN_PAGES \
        32U /* looked through at a time: an answer is held in memory whole where the store is a server */

static size_t seen_chunks(const SeenMarks *m) { return m->capacity / SEEN_CHUNK_BYTES; }

static int seen_make_room(SeenMarks *m, size_t chunk) {
        size_t n = chunk + 1, old = m->capacity;
        uint8_t *bits;
        int r;

        if (n <= seen_chunks(m))
                return 0;
        if (n < seen_chunks(m) * 2) /* numbers rise by one: growing by doubling keeps that cheap */
                n = seen_chunks(m) * 2;
        r = array_grow(&m->dirty, &m->dirty_capacity, n, 1);
        if (r < 0)
                return r;
        bits = realloc(m->bits, n * SEEN_CHUNK_BYTES);
        if (!bits)
                return -ENOMEM;
        memset(bits + old, 0, n * SEEN_CHUNK_BYTES - old);
        m->bits = bits;
        m->capacity = n * SEEN_CHUNK_BYTES;
        return 0;
}

void seen_done(ProgressEntity *e) {
        free(e->seen.bits);
        free(e->seen.dirty);
        e->seen = (SeenMarks){};
}

static void seen_clear(SeenMarks *m) {
        if (m->capacity > 0) {
                memset(m->bits, 0, m->capacity);
                memset(m->dirty, 0, m->dirty_capacity);
        }
        m->any_dirty = false;
}

static int seen_load_chunk(ProgressEntity *e, Statement *s, Error *error) {
        int64_t chunk = statement_integer(s, 0);
        size_t size;
        const void *bits = statement_bytes(s, 1, &size);
        int r;

        if (chunk < 0 || chunk > INT32_MAX || size != SEEN_CHUNK_BYTES)
                return error_set(error, ERROR_FILE_FORMAT,
                                 "Restore the file from a backup, or move it away and run a full sync.",
                                 "Table seen of \"%s\" is damaged", database_path(e->progress->database));
        r = seen_make_room(&e->seen, (size_t) chunk);
        if (r < 0)
                return store_no_memory(error);
        memcpy(e->seen.bits + (size_t) chunk * SEEN_CHUNK_BYTES, bits, size);
        return 0;
}

int seen_load(ProgressEntity *e, Error *error) {
        static const char sql[] = "select chunk, bits from seen where entity = ? order by chunk";
        Statement *s;
        int r;

        seen_clear(&e->seen);
        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        while ((r = statement_step(s, error)) > 0) {
                r = seen_load_chunk(e, s, error);
                if (r < 0) {
                        statement_reset(s);
                        return r;
                }
        }
        return r;
}

int seen_save(ProgressEntity *e, Error *error) {
        static const char sql[] = "insert into seen (entity, chunk, bits) values (?, ?, ?)"
                                  " on conflict (entity, chunk) do update set bits = excluded.bits";
        Statement *s;
        int r;

        if (!e->seen.any_dirty)
                return 0;
        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < seen_chunks(&e->seen); i++) {
                if (!e->seen.dirty[i])
                        continue;
                statement_bind_integer(s, 1, e->id);
                statement_bind_integer(s, 2, (int64_t) i);
                statement_bind_bytes(s, 3, e->seen.bits + i * SEEN_CHUNK_BYTES, SEEN_CHUNK_BYTES);
                r = statement_run(s, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

void seen_saved(ProgressEntity *e) {
        if (!e->seen.any_dirty)
                return;
        memset(e->seen.dirty, 0, e->seen.dirty_capacity);
        e->seen.any_dirty = false;
}

bool seen_test(const ProgressEntity *e, uint64_t number) {
        return number / 8 < e->seen.capacity && (e->seen.bits[number / 8] >> (number % 8) & 1) != 0;
}

static void seen_touch(SeenMarks *m, uint64_t number) {
        m->dirty[number / 8 / SEEN_CHUNK_BYTES] = 1;
        m->any_dirty = true;
}

int seen_mark(ProgressEntity *e, uint64_t number) {
        int r;

        assert(number > 0 && number <= e->last_number);
        if (seen_test(e, number))
                return 0;
        r = seen_make_room(&e->seen, number / 8 / SEEN_CHUNK_BYTES);
        if (r < 0)
                return r;
        e->seen.bits[number / 8] |= (uint8_t) (1U << (number % 8));
        seen_touch(&e->seen, number);
        return 0;
}

void seen_unmark(ProgressEntity *e, uint64_t number) {
        if (!seen_test(e, number))
                return;
        e->seen.bits[number / 8] &= (uint8_t) ~(1U << (number % 8));
        seen_touch(&e->seen, number);
}

int seen_reset(ProgressEntity *e, Error *error) {
        static const char sql[] = "delete from seen where entity = ?";
        Statement *s;
        int r;

        assert(e->progress->in_transaction);
        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        r = statement_run(s, error);
        if (r < 0)
                return r;
        seen_clear(&e->seen);
        return 0;
}

typedef struct Missing {
        const ProgressEntity *entity;
        Arena *arena;
        Key *keys;
        BaselineRow *rows;
        size_t n_max, n;
        uint8_t *after; /* the last key that was looked at */
        size_t after_size, after_capacity;
        Key until;
        bool marked;
} Missing;

static int missing_go_on_after(Missing *m, Key key) {
        if (key.size > m->after_capacity || !m->after) {
                int r = array_grow(&m->after, &m->after_capacity, key.size + 1, 1);

                if (r < 0)
                        return r;
        }
        if (key.size > 0)
                memcpy(m->after, key.bytes, key.size);
        m->after_size = key.size;
        return 0;
}

static int missing_visit(void *userdata, const PageRow *row) {
        Missing *m = userdata;
        uint8_t *copy;

        if (m->n == m->n_max)
                return 1;
        if (key_compare(row->key, (Key){.bytes = m->after, .size = m->after_size}) <= 0)
                return 0;
        if (m->until.size > 0 && key_compare(row->key, m->until) > 0) {
                m->n_max = m->n; /* enough, for good */
                return 1;
        }
        if (missing_go_on_after(m, row->key) < 0)
                return -ENOMEM;
        if (seen_test(m->entity, row->row.number) != m->marked)
                return 0;
        copy = arena_copy(m->arena, row->key.bytes, row->key.size);
        if (!copy)
                return -ENOMEM;
        m->keys[m->n] = (Key){.bytes = copy, .size = row->key.size};
        m->rows[m->n++] = row->row;
        return 0;
}

static int missing_find(ProgressEntity *e, Missing *m, Error *error) {
        bool end = false;
        int r;

        while (!end && m->n < m->n_max) {
                r = baseline_visit(e, (Key){.bytes = m->after, .size = m->after_size}, SEEN_PAGES,
                                   missing_visit, m, &end, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int seen_missing(ProgressEntity *e, const SeenWindow *window, Arena *arena, Key *ret_keys, BaselineRow *ret_rows,
                 size_t n, size_t *ret_n, Error *error) {
        Missing m = {
                .entity = e,
                .arena = arena,
                .keys = ret_keys,
                .rows = ret_rows,
                .n_max = n,
                .until = window->until,
                .marked = window->marked,
        };
        int r;

        r = missing_go_on_after(&m, window->after) < 0 ? store_no_memory(error) : missing_find(e, &m, error);
        free(m.after);
        if (r < 0)
                return r;
        *ret_n = m.n;
        return 0;
}

/* Only rows there are have a mark (baseline_delete() takes it away), so counting bits is enough. */
int seen_count_missing(ProgressEntity *e, uint64_t *ret, Error *error) {
        uint64_t n_seen = 0, word;

        for (size_t i = 0; i < e->seen.capacity; i += sizeof(word)) {
                memcpy(&word, e->seen.bits + i, sizeof(word));
                n_seen += (uint64_t) __builtin_popcountll(word);
        }
        if (n_seen > e->n_rows)
                return error_set(error, ERROR_FILE_FORMAT, "Move the file away and run a full sync.",
                                 "\"%s\" has more seen marks than rows",
                                 database_path(e->progress->database));
        *ret = e->n_rows - n_seen;
        return 0;
}
