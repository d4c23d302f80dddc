/* SPDX-License-Identifier: Apache-2.0 */
/* Table baseline has a row per record, as an earlier version wrote them. When an entity is opened they become
 * pages, with their numbers, in one transaction. */
#include "store/progress-internal.h"

#define CONVERT_ROWS 10000U

static int digest_read(Statement *s, int column, Digest *ret) {
        size_t size;
        const void *bytes = statement_bytes(s, column, &size);

        if (size != DIGEST_SIZE)
                return -EBADMSG;
        memcpy(ret->bytes, bytes, DIGEST_SIZE);
        return 0;
}

static int row_convert(ProgressEntity *e, Statement *s) {
        BaselineRow row = {
                .number = (uint64_t) statement_integer(s, 1),
                .batch = (uint64_t) statement_integer(s, 2),
        };
        Key key;

        key.bytes = statement_bytes(s, 0, &key.size);
        if (digest_read(s, 3, &row.source_digest) < 0 || digest_read(s, 4, &row.target_digest) < 0)
                return -EBADMSG;
        return pending_add(e, key, PENDING_NEW, &row);
}

static int rows_convert(ProgressEntity *e, size_t *ret_n, Error *error) {
        static const char sql[] = "select key, number, batch, source_digest, target_digest from baseline"
                                  " where entity = ? order by key limit ?";
        Statement *s;
        size_t n = 0;
        int r;

        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        statement_bind_integer(s, 2, CONVERT_ROWS);
        while ((r = statement_step(s, error)) > 0) {
                r = row_convert(e, s);
                if (r < 0) {
                        statement_reset(s);
                        return baseline_error(e, r, error);
                }
                n++;
        }
        *ret_n = n;
        return r;
}

/* Those that are pending: up to and with the last key. */
static int rows_delete(ProgressEntity *e, Error *error) {
        static const char sql[] = "delete from baseline where entity = ? and key <= ?";
        const struct PendingRow *last = &e->pending.rows[e->pending.n_rows - 1];
        Statement *s;
        int r;

        r = database_prepare(e->progress->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, e->id);
        statement_bind_bytes(s, 2, e->pending.bytes + last->key_offset, last->key_size);
        return statement_run(s, error);
}

static int convert_all(ProgressEntity *e, Error *error) {
        size_t n;
        int r;

        for (;;) {
                r = rows_convert(e, &n, error);
                if (r < 0 || n == 0)
                        return r;
                r = rows_delete(e, error);
                if (r < 0)
                        return r;
                r = pending_write(e, error);
                if (r < 0)
                        return r;
        }
}

static int has_rows(ProgressEntity *e, Error *error) {
        static const char sql[] = "select number from baseline where entity = ? limit 1";
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

int baseline_convert(ProgressEntity *e, Error *error) {
        int r;

        r = has_rows(e, error);
        if (r <= 0 || e->progress->in_transaction)
                return r < 0 ? r : 0;
        r = progress_begin(e->progress, error);
        if (r < 0)
                return r;
        r = convert_all(e, error);
        if (r >= 0)
                return progress_commit(e->progress, error);
        progress_rollback(e->progress);
        return r;
}
