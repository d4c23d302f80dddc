/* SPDX-License-Identifier: Apache-2.0 */
#include "store/progress-internal.h"

StoredRange *stored_ranges_free(StoredRange *ranges, size_t n_ranges) {
        for (size_t i = 0; ranges && i < n_ranges; i++) {
                free(ranges[i].range.after);
                free(ranges[i].range.until);
        }
        free(ranges);
        return NULL;
}

/* A range begins where the one before it ends. */
static int range_take(Statement *s, const KeyRange *before, StoredRange *ret) {
        const char *until = statement_text(s, 0);

        *ret = (StoredRange){
                .range = {.n_records = (uint64_t) statement_integer(s, 1),
                          .sums = {(uint64_t) statement_integer(s, 2), (uint64_t) statement_integer(s, 3)}},
                .opened = statement_integer(s, 4) != 0,
        };
        if (before && before->until && !(ret->range.after = strdup(before->until)))
                return -ENOMEM;
        if (until && !(ret->range.until = strdup(until)))
                return -ENOMEM;
        return 0;
}

int ranges_load(ProgressEntity *e, bool pending, StoredRange **ret, size_t *ret_n, Error *error) {
        static const char sql[] = "select until, n_records, sum_1, sum_2, opened from key_range"
                                  " where entity = ? and pending = ? order by number";
        StoredRange *ranges = NULL;
        size_t n = 0, capacity = 0;
        Statement *s;
        int r;

        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        statement_bind_integer(s, 2, pending);
        while ((r = statement_step(s, error)) > 0) {
                r = array_grow(&ranges, &capacity, n + 1, sizeof(*ranges));
                if (r >= 0)
                        r = range_take(s, n > 0 ? &ranges[n - 1].range : NULL, ranges + n);
                if (r < 0) {
                        r = store_no_memory(error);
                        statement_reset(s);
                        break;
                }
                n++;
        }
        if (r < 0) {
                stored_ranges_free(ranges, n);
                return r;
        }
        *ret = ranges;
        *ret_n = n;
        return 0;
}

static int ranges_delete(ProgressEntity *e, bool pending, Error *error) {
        static const char sql[] = "delete from key_range where entity = ? and pending = ?";
        Statement *s;
        int r;

        assert(e->progress->in_transaction);
        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        statement_bind_integer(s, 2, pending);
        return statement_run(s, error);
}

int ranges_save_pending(ProgressEntity *e, const StoredRange *ranges, size_t n_ranges, Error *error) {
        static const char sql[] =
                "insert into key_range (entity, pending, number, until, n_records, sum_1, sum_2, opened)"
                " values (?, 1, ?, ?, ?, ?, ?, ?)";
        Statement *s;
        int r;

        r = ranges_delete(e, true, error);
        if (r >= 0)
                r = database_prepare(e->progress->database, sql, &s, error);
        for (size_t i = 0; r >= 0 && i < n_ranges; i++) {
                statement_bind_integer(s, 1, e->id);
                statement_bind_integer(s, 2, (int64_t) i);
                statement_bind_text(s, 3, ranges[i].range.until);
                statement_bind_integer(s, 4, (int64_t) ranges[i].range.n_records);
                statement_bind_integer(s, 5, (int64_t) ranges[i].range.sums[0]);
                statement_bind_integer(s, 6, (int64_t) ranges[i].range.sums[1]);
                statement_bind_integer(s, 7, ranges[i].opened);
                r = statement_run(s, error);
        }
        return r;
}

int ranges_doubt(ProgressEntity *e, Error *error) {
        static const char sql[] =
                "update key_range set n_records = -1 where entity = ? and pending = 1 and opened = 1";
        Statement *s;
        int r;

        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        return statement_run(s, error);
}

static int ranges_any_pending(ProgressEntity *e, Error *error) {
        static const char sql[] = "select 1 from key_range where entity = ? and pending = 1 limit 1";
        Statement *s;
        int r;

        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        r = statement_step(s, error);
        statement_reset(s);
        return r;
}

int ranges_prove(ProgressEntity *e, Error *error) {
        static const char sql[] = "update key_range set pending = 0, opened = 0 where entity = ? and pending = 1";
        Statement *s;
        int r;

        r = ranges_any_pending(e, error);
        if (r > 0)
                r = ranges_delete(e, false, error);
        if (r < 0)
                return r;
        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        return statement_run(s, error);
}

int ranges_forget(ProgressEntity *e, Error *error) {
        int r;

        r = ranges_delete(e, false, error);
        return r < 0 ? r : ranges_delete(e, true, error);
}
