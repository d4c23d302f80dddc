/* SPDX-License-Identifier: Apache-2.0 */
/* Rows find their pages in any order, beside a model that is an array. */
#include "fixture.h"
#include "store/baseline-page.h"

#define N_KEYS 3000U

typedef struct Model {
        uint64_t number[N_KEYS], batch[N_KEYS], next_number, n_rows;
} Model;

static unsigned random_next(unsigned *seed) {
        *seed = *seed * 1103515245 + 12345;
        return *seed >> 8;
}

/* Some keys are so long that a page holds few of them, or not even one. */
static Key long_key_of(unsigned number) {
        static uint8_t bytes[2][6000];
        static unsigned turn;
        uint8_t *key = bytes[turn++ % 2];
        size_t size = number % 97 == 0 ? 5000 : number % 13 == 0 ? 700 : 12;

        memset(key, 'x', size);
        (void) snprintf((char *) key, 12, "key-%07u", number);
        key[11] = '-';
        return (Key){.bytes = key, .size = size};
}

static void model_check(Fixture *f, const Model *m, unsigned key) {
        BaselineRow row;
        int r = baseline_find(f->entity, long_key_of(key), &row, &f->error);

        assert_int_equal(r, m->number[key] > 0);
        if (r > 0) {
                Digest source = digest_of((unsigned) row.batch);

                assert_int_equal(row.number, m->number[key]);
                assert_int_equal(row.batch, m->batch[key]);
                assert_true(digest_equal(&row.source_digest, &source));
        }
}

static void model_put(Fixture *f, Model *m, unsigned key, unsigned batch) {
        Digest digest = digest_of(batch);
        uint64_t number = m->number[key];

        assert_ok(f, baseline_put(f->entity, long_key_of(key), &number, batch, &digest, &digest, &f->error));
        if (m->number[key] == 0) {
                m->n_rows++;
                assert_int_equal(number, ++m->next_number);
        }
        m->number[key] = number;
        m->batch[key] = batch;
}

static void model_delete(Fixture *f, Model *m, unsigned key) {
        assert_ok(f, baseline_delete(f->entity, long_key_of(key), &f->error));
        m->n_rows -= m->number[key] > 0;
        m->number[key] = 0;
}

/* Pages are sorted, none is too large unless it holds one row, and no row lies outside its page. */
static size_t pages_check(Fixture *f, uint64_t n_expected) {
        static const char sql[] = "select low, n_rows, body from baseline_page order by low";
        uint64_t n_rows = 0, n_pages = 0;
        Key last = {};
        uint8_t kept[6000];
        Statement *s;
        Page page;
        int r;

        assert_ok(f, database_prepare(progress_database(f->progress), sql, &s, &f->error));
        while ((r = statement_step(s, &f->error)) > 0) {
                size_t size;
                const void *body = statement_bytes(s, 2, &size);
                Key low;
                PageRow row;

                low.bytes = statement_bytes(s, 0, &low.size);
                assert_int_equal(page_open(body, size, &page), 0);
                assert_int_equal(page.n_rows, statement_integer(s, 1));
                assert_true(page.n_rows <= 1 || size <= PAGE_BYTES);
                assert_true(n_pages == 0 ? low.size == 0 : key_compare(last, low) < 0);
                for (size_t i = 0; i < page.n_rows; i++) {
                        assert_int_equal(page_row(&page, i, &row), 0);
                        assert_true(key_compare(row.key, low) >= 0);
                        assert_true(n_rows + i == 0 || key_compare(last, row.key) < 0);
                        memcpy(kept, row.key.bytes, row.key.size);
                        last = (Key){.bytes = kept, .size = row.key.size};
                }
                n_rows += page.n_rows;
                n_pages++;
        }
        assert_int_equal(r, 0);
        assert_int_equal(n_rows, n_expected);
        return n_pages;
}

static void test_any_order_beside_a_model(void **state) {
        _cleanup_free_ Model *m = calloc(1, sizeof(*m)), *before = calloc(1, sizeof(*before));
        Fixture *f = *state;
        unsigned seed = 4711;

        for (unsigned batch = 1; batch <= 60; batch++) {
                unsigned n = random_next(&seed) % 200, place = random_next(&seed) % N_KEYS;
                bool in_order = batch % 3 == 0, undo = batch % 7 == 0;

                *before = *m;
                assert_ok(f, progress_begin(f->progress, &f->error));
                for (unsigned i = 0; i < n; i++) {
                        unsigned key = in_order ? (place + i) % N_KEYS : random_next(&seed) % N_KEYS;

                        if (random_next(&seed) % 4 == 0)
                                model_delete(f, m, key);
                        else
                                model_put(f, m, key, batch);
                        if (random_next(&seed) % 8 == 0)
                                model_check(f, m, random_next(&seed) % N_KEYS);
                }
                if (undo) {
                        progress_rollback(f->progress);
                        *m = *before;
                } else
                        assert_ok(f, progress_commit(f->progress, &f->error));
                if (batch % 10 == 0)
                        fixture_reopen(f);
                assert_int_equal(baseline_count(f->entity), m->n_rows);
                (void) pages_check(f, m->n_rows);
                for (unsigned i = 0; i < 100; i++)
                        model_check(f, m, random_next(&seed) % N_KEYS);
        }
        for (unsigned key = 0; key < N_KEYS; key++)
                model_check(f, m, key);
}

/* A first load in key order leaves full pages, whatever its batches. */
static void test_appending_fills_pages(void **state) {
        Fixture *f = *state;
        size_t n_pages;

        for (unsigned batch = 0; batch < 20; batch++)
                put_range(f, batch * 97, 1, 97, batch + 1);
        n_pages = pages_check(f, 20 * 97);
        assert_in_range(n_pages, 1, 20 * page_size(97, 97 * 12) / PAGE_BYTES + 2);
}

static void test_all_rows_deleted(void **state) {
        Fixture *f = *state;
        BaselineRow row;

        put_range(f, 0, 1, 500, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        for (unsigned i = 500; i-- > 0;)
                assert_ok(f, baseline_delete(f->entity, key_of(i), &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_true(pages_check(f, 0) <= 1);
        assert_int_equal(baseline_find(f->entity, key_of(7), &row, &f->error), 0);
        put_range(f, 7, 1, 1, 2);
        assert_int_equal(baseline_find(f->entity, key_of(7), &row, &f->error), 1);
        assert_int_equal(pages_check(f, 1), 1);
}

/* Rows before the first page that is left are not to swallow those behind its beginning. */
static void test_the_first_pages_deleted(void **state) {
        const unsigned again[] = {5, 1999, 2500};
        Fixture *f = *state;
        BaselineRow row;

        put_range(f, 0, 1, 2000, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        for (unsigned i = 0; i < 1000; i++)
                assert_ok(f, baseline_delete(f->entity, key_of(i), &f->error));
        assert_ok(f, progress_commit(f->progress, &f->error));
        assert_int_equal(baseline_find(f->entity, key_of(5), &row, &f->error), 0);
        assert_ok(f, progress_begin(f->progress, &f->error));
        for (size_t i = 0; i < ELEMENTSOF(again); i++) {
                Digest digest = digest_of(2);
                uint64_t number = 0;

                if (baseline_find(f->entity, key_of(again[i]), &row, &f->error) > 0)
                        number = row.number;
                assert_ok(f, baseline_put(f->entity, key_of(again[i]), &number, 2, &digest, &digest, &f->error));
        }
        assert_ok(f, progress_commit(f->progress, &f->error));
        (void) pages_check(f, 1002);
        for (size_t i = 0; i < ELEMENTSOF(again); i++) {
                assert_int_equal(baseline_find(f->entity, key_of(again[i]), &row, &f->error), 1);
                assert_int_equal(row.batch, 2);
        }
        assert_int_equal(baseline_find(f->entity, key_of(1500), &row, &f->error), 1);
}

static void test_a_row_that_is_there_is_not_added(void **state) {
        Fixture *f = *state;
        Digest digest = digest_of(1);
        uint64_t number = 0;

        put_range(f, 1, 1, 3, 1);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, baseline_put(f->entity, key_of(2), &number, 1, &digest, &digest, &f->error));
        assert_int_equal(progress_commit(f->progress, &f->error), -EIO);
        assert_int_equal(f->error.id, ERROR_INTERNAL);
        assert_int_equal(baseline_count(f->entity), 3); /* rolled back */
}

static void test_a_damaged_page(void **state) {
        Fixture *f = *state;
        Digest digest = digest_of(1);
        uint64_t number = 0;
        BaselineRow row;

        put_range(f, 1, 1, 3, 1);
        place_execute(progress_database(f->progress), "update baseline_page set body = x'00'");
        fixture_reopen(f);
        assert_int_equal(baseline_find(f->entity, key_of(2), &row, &f->error), -EBADMSG);
        assert_int_equal(f->error.id, ERROR_FILE_FORMAT);
        assert_non_null(strstr(f->error.detail, "parcel"));
        error_done(&f->error);
        assert_ok(f, progress_begin(f->progress, &f->error));
        assert_ok(f, baseline_put(f->entity, key_of(5), &number, 1, &digest, &digest, &f->error));
        assert_int_equal(progress_commit(f->progress, &f->error), -EBADMSG);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_any_order_beside_a_model), TEST(test_appending_fills_pages),
                TEST(test_all_rows_deleted),         TEST(test_the_first_pages_deleted),
                TEST(test_a_row_that_is_there_is_not_added), TEST(test_a_damaged_page),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
