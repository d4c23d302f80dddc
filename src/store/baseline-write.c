/* SPDX-License-Identifier: Apache-2.0 */
/* Baseline rows on their way into pages. They gather during a transaction, are sorted by key, and merged page
 * by page: what a page cannot hold goes on in new ones behind it. */
#include "store/baseline-page.h"
#include "store/progress-internal.h"

/* One page on its way: what is there, merged with what is pending. */
typedef struct Merge {
        ProgressEntity *entity;
        Arena *arena; /* of the page that is being worked on */
        int64_t id;   /* of its row; 0: there is none yet */
        Key low, high;
        bool has_high; /* a page begins at high */
        PageRow *rows;
        size_t rows_capacity, n_rows;
        size_t keys_size;
        bool append; /* nothing of the page comes after the pending rows, and it is the last one */
        uint8_t *body;
        size_t body_capacity;
} Merge;

void pending_done(ProgressEntity *e) {
        free(e->pending.bytes);
        free(e->pending.rows);
        e->pending = (PendingRows){};
}

void pending_forget(ProgressEntity *e) { e->pending.n_rows = e->pending.bytes_size = 0; }

static Key pending_key(const PendingRows *p, const struct PendingRow *row) {
        return (Key){.bytes = p->bytes + row->key_offset, .size = row->key_size};
}

int pending_add(ProgressEntity *e, Key key, PendingKind kind, const BaselineRow *row) {
        PendingRows *p = &e->pending;
        int r;

        if (p->n_rows == p->rows_capacity) {
                r = array_grow(&p->rows, &p->rows_capacity, p->n_rows + 1, sizeof(*p->rows));
                if (r < 0)
                        return r;
        }
        if (p->bytes_size + key.size > p->bytes_capacity || !p->bytes) {
                r = array_grow(&p->bytes, &p->bytes_capacity, p->bytes_size + key.size + 1, 1);
                if (r < 0)
                        return r;
        }
        p->in_order = p->n_rows == 0 ||
                      (p->in_order && key_compare(pending_key(p, &p->rows[p->n_rows - 1]), key) < 0);
        p->rows[p->n_rows++] = (struct PendingRow){
                .key_offset = p->bytes_size,
                .key_size = key.size,
                .kind = kind,
                .row = *row,
        };
        memcpy(p->bytes + p->bytes_size, key.bytes, key.size);
        p->bytes_size += key.size;
        return 0;
}

int pending_make_way(ProgressEntity *e, Key key, Error *error) {
        const PendingRows *p = &e->pending;

        if (p->n_rows == 0 || (p->in_order && key_compare(key, pending_key(p, &p->rows[p->n_rows - 1])) > 0))
                return 0;
        return pending_write(e, error);
}

/* Of one key the later comes after the earlier: rows lie in the order they came. */
static int pending_compare(const void *left, const void *right, void *userdata) {
        const struct PendingRow *a = *(const struct PendingRow *const *) left,
                                *b = *(const struct PendingRow *const *) right;
        int c = key_compare(pending_key(userdata, a), pending_key(userdata, b));

        return c != 0 ? c : a < b ? -1 : 1;
}

static const struct PendingRow **pending_sort(PendingRows *p) {
        const struct PendingRow **sorted = calloc(p->n_rows, sizeof(*sorted));

        for (size_t i = 0; sorted && i < p->n_rows; i++)
                sorted[i] = &p->rows[i];
        if (sorted && !p->in_order)
                qsort_r(sorted, p->n_rows, sizeof(*sorted), pending_compare, p);
        return sorted;
}

static int bytes_copy(Statement *s, int column, Arena *arena, Key *ret) {
        size_t size;
        const void *bytes = statement_bytes(s, column, &size), *copy = arena_copy(arena, bytes, size);

        *ret = (Key){.bytes = copy, .size = size};
        return copy ? 0 : -ENOMEM;
}

static int merge_page_open(Merge *m, Statement *s, Page *ret_page) {
        Key body;

        m->id = statement_integer(s, 0);
        m->has_high = !statement_is_null(s, 3);
        if (bytes_copy(s, 1, m->arena, &m->low) < 0 || bytes_copy(s, 2, m->arena, &body) < 0 ||
            bytes_copy(s, 3, m->arena, &m->high) < 0)
                return -ENOMEM;
        return page_open(body.bytes, body.size, ret_page);
}

/* The key lies before all pages that are left: a page of its own ends where the first of them begins. */
static int merge_load_before(Merge *m, Error *error) {
        static const char sql[] = "select low from baseline_page where entity = ? order by low limit 1";
        Statement *s;
        int r;

        r = database_prepare(m->entity->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, m->entity->id);
        r = statement_step(s, error);
        if (r <= 0)
                return r;
        m->has_high = true;
        r = bytes_copy(s, 0, m->arena, &m->high);
        statement_reset(s);
        return r < 0 ? store_no_memory(error) : 0;
}

/* The page that has the key, or would have it. */
static int merge_load(Merge *m, Key key, Page *ret_page, Error *error) {
        static const char sql[] =
                "select p.id, p.low, p.body, (select n.low from baseline_page n where n.entity = p.entity"
                " and n.low > p.low order by n.low limit 1)"
                " from baseline_page p where p.entity = ? and p.low <= ? order by p.low desc limit 1";
        Statement *s;
        int r;

        arena_reset(m->arena);
        m->id = 0;
        m->low = (Key){};
        m->has_high = false;
        *ret_page = (Page){};
        r = database_prepare(m->entity->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, m->entity->id);
        statement_bind_bytes(s, 2, key.bytes, key.size);
        r = statement_step(s, error);
        if (r <= 0)
                return r < 0 ? r : merge_load_before(m, error);
        r = merge_page_open(m, s, ret_page);
        statement_reset(s);
        return r < 0 ? baseline_error(m->entity, r, error) : 0;
}

static int merge_add(Merge *m, const PageRow *row) {
        int r;

        if (m->n_rows == m->rows_capacity) {
                r = array_grow(&m->rows, &m->rows_capacity, m->n_rows + 1, sizeof(*m->rows));
                if (r < 0)
                        return r;
        }
        m->rows[m->n_rows++] = *row;
        m->keys_size += row->key.size;
        return 0;
}

static int merge_wrong(const Merge *m, Error *error) {
        return error_set(error, ERROR_INTERNAL, "Please report this with the text of the message.",
                         "A baseline row of entity \"%s\" in \"%s\" is gone, or there twice",
                         m->entity->name, database_path(m->entity->progress->database));
}

/* What becomes of one key: the row that was there (or NULL), and all that is pending of it. */
static int merge_key(Merge *m, const PageRow *present, const struct PendingRow *const *pending, size_t n,
                     Error *error) {
        PageRow row = {.key = pending_key(&m->entity->pending, pending[0])};
        bool there = present;

        for (size_t i = 0; i < n; i++) {
                if (there != (pending[i]->kind != PENDING_NEW))
                        return merge_wrong(m, error);
                there = pending[i]->kind != PENDING_GONE;
                row.row = pending[i]->row;
        }
        return there && merge_add(m, &row) < 0 ? store_no_memory(error) : 0;
}

static size_t same_key(const PendingRows *p, const struct PendingRow *const *pending, size_t n) {
        size_t same = 1;

        while (same < n && key_equal(pending_key(p, pending[0]), pending_key(p, pending[same])))
                same++;
        return same;
}

static bool merge_has(const Merge *m, const struct PendingRow *const *pending, size_t taken, size_t n) {
        return taken < n &&
               (!m->has_high || key_compare(pending_key(&m->entity->pending, pending[taken]), m->high) < 0);
}

/* *ret_taken: how many of the pending rows belong to this page. */
static int merge_rows(Merge *m, const Page *page, const struct PendingRow *const *pending, size_t n,
                      size_t *ret_taken, Error *error) {
        const PendingRows *p = &m->entity->pending;
        size_t taken = 0, i = 0, same;
        PageRow row;
        int r, c;

        m->n_rows = m->keys_size = 0;
        m->append = !m->has_high;
        while (i < page->n_rows || merge_has(m, pending, taken, n)) {
                bool has_row = i < page->n_rows;

                if (has_row && page_row(page, i, &row) < 0)
                        return baseline_error(m->entity, -EBADMSG, error);
                c = !has_row ? -1
                    : !merge_has(m, pending, taken, n)
                            ? 1
                            : key_compare(pending_key(p, pending[taken]), row.key);
                if (c > 0) {
                        if (merge_add(m, &row) < 0)
                                return store_no_memory(error);
                        i++;
                        continue;
                }
                same = same_key(p, pending + taken, n - taken);
                r = merge_key(m, c == 0 ? &row : NULL, pending + taken, same, error);
                if (r < 0)
                        return r;
                taken += same;
                i += c == 0;
                m->append = m->append && !has_row;
        }
        *ret_taken = taken;
        return 0;
}

static int part_insert(Merge *m, Key low, size_t n_rows, size_t size, Error *error) {
        static const char sql[] =
                "insert into baseline_page (entity, low, n_rows, body) values (?, ?, ?, ?)";
        Statement *s;
        int r;

        r = database_prepare(m->entity->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, m->entity->id);
        statement_bind_bytes(s, 2, low.bytes, low.size);
        statement_bind_integer(s, 3, (int64_t) n_rows);
        statement_bind_bytes(s, 4, m->body, size);
        return statement_run(s, error);
}

static int page_update(Merge *m, size_t n_rows, size_t size, Error *error) {
        static const char sql[] = "update baseline_page set n_rows = ?2, body = ?3 where id = ?1";
        Statement *s;
        int r;

        r = database_prepare(m->entity->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, m->id);
        statement_bind_integer(s, 2, (int64_t) n_rows);
        statement_bind_bytes(s, 3, m->body, size);
        return statement_run_one(s, error);
}

static int page_delete(Merge *m, Error *error) {
        static const char sql[] = "delete from baseline_page where id = ?";
        Statement *s;
        int r;

        r = database_prepare(m->entity->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, m->id);
        return statement_run_one(s, error);
}

/* How many rows from `first` on make the next part. Appended ones fill pages; where rows came between others,
 * all parts get as much, so that each has room for more. */
static size_t part_rows(const Merge *m, size_t first, size_t target_bytes) {
        size_t n = 0, keys_size = 0;

        do
                keys_size += m->rows[first + n++].key.size;
        while (first + n < m->n_rows &&
               page_size(n + 1, keys_size + m->rows[first + n].key.size) <= target_bytes);
        return n;
}

/* The first part keeps the page's low key, whatever its first row is. */
static int merge_write(Merge *m, Error *error) {
        size_t all = page_size(m->n_rows, m->keys_size), n_parts = (all + PAGE_BYTES - 1) / PAGE_BYTES,
               even = all / n_parts + all / m->n_rows,
               target_bytes = m->append || even > PAGE_BYTES ? PAGE_BYTES : even, n, size;
        int r;

        for (size_t first = 0; first < m->n_rows; first += n) {
                n = n_parts == 1 ? m->n_rows : part_rows(m, first, target_bytes);
                r = page_write(m->rows + first, n, &m->body, &m->body_capacity, &size);
                if (r < 0)
                        return baseline_error(m->entity, r, error);
                if (first == 0 && m->id != 0)
                        r = page_update(m, n, size, error);
                else
                        r = part_insert(m, first == 0 ? m->low : m->rows[first].key, n, size, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int merge_all(Merge *m, const struct PendingRow *const *sorted, size_t n, Error *error) {
        size_t taken = 0;
        Page page;
        int r;

        for (size_t at = 0; at < n; at += taken) {
                r = merge_load(m, pending_key(&m->entity->pending, sorted[at]), &page, error);
                if (r < 0)
                        return r;
                r = merge_rows(m, &page, sorted + at, n - at, &taken, error);
                if (r < 0)
                        return r;
                if (m->n_rows > 0)
                        r = merge_write(m, error);
                else if (m->id != 0) /* its keys belong to the page before it from now on */
                        r = page_delete(m, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int pending_write(ProgressEntity *e, Error *error) {
        _cleanup_free_ const struct PendingRow **sorted = NULL;
        Merge m = {.entity = e};
        int r;

        if (e->pending.n_rows == 0)
                return 0;
        assert(e->progress->in_transaction);
        sorted = pending_sort(&e->pending);
        if (!sorted || arena_new(&m.arena) < 0)
                return store_no_memory(error);
        r = merge_all(&m, sorted, e->pending.n_rows, error);
        pending_forget(e);
        arena_free(m.arena);
        free(m.rows);
        free(m.body);
        return r;
}
