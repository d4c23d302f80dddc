/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal-internal.h"
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"

Journal *journal_close(Journal *j) {
        if (!j)
                return NULL;
        database_close(j->database);
        free(j->path);
        free(j->state_directory);
        free(j->pair);
        journal_pack_done(&j->pack);
        free(j);
        return NULL;
}

static int journal_path(Journal *j, Error *error) {
        unsigned month, day;
        char name[16];
        int year;

        civil_from_days((int32_t) (timestamp_now() / (86400 * USEC_PER_SEC)), &year, &month, &day);
        (void) snprintf(name, sizeof(name), "%04d-%02u", year, month);
        return store_database_path(j->state_directory, PART_JOURNAL, j->pair, name, &j->path, error);
}

/* A clock that was set back makes no journal before those that are there: the last one is where the newest batch is. */
static int journal_path_not_before(Journal *j, Error *error) {
        _cleanup_strings_ char **paths = NULL;
        size_t n;
        int r;

        r = journal_files(j->state_directory, j->pair, &paths, error);
        if (r < 0)
                return r;
        n = strings_count(paths);
        if (n == 0 || strcmp(paths[n - 1], j->path) <= 0)
                return 0;
        free(j->path);
        j->path = strdup(paths[n - 1]);
        return j->path ? 0 : store_no_memory(error);
}

/* With a server, what a worker that was just killed had sent is still being committed: its session has to be
 * over before anyone reads which batch is the newest. */
static int journal_hold(Journal *j, Error *error) {
        _cleanup_free_ char *what = NULL, *holder = NULL;

        if (asprintf(&what, "journal of pair \"%s\"", j->pair) < 0)
                what = NULL;
        if (asprintf(&holder, "%s (process %d)", program_invocation_short_name, (int) getpid()) < 0)
                holder = NULL;
        if (!what || !holder)
                return store_no_memory(error);
        return database_hold(j->database, what, holder, STORE_HOLD_MSEC, error);
}

int journal_open(const char *state_directory, const char *pair, Journal **ret, Error *error) {
        _cleanup_(journal_closep) Journal *j = calloc(1, sizeof(*j));
        int r;

        if (!j || !(j->state_directory = strdup(state_directory)) || !(j->pair = strdup(pair)))
                return store_no_memory(error);
        r = journal_path(j, error);
        if (r < 0)
                return r;
        r = store_folder_make(state_directory, "journals", error);
        if (r < 0)
                return r;
        r = journal_path_not_before(j, error);
        if (r < 0)
                return r;
        r = database_open(j->path, journal_migrations, &j->database, error);
        if (r < 0)
                return r;
        r = journal_hold(j, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

int journal_newest(Database *d, uint64_t *ret_number, int64_t *ret_id, Error *error) {
        static const char sql[] = "select number, id from batch order by id desc limit 1";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        r = statement_step(s, error);
        if (r <= 0)
                return r;
        *ret_number = (uint64_t) statement_integer(s, 0);
        *ret_id = statement_integer(s, 1);
        statement_reset(s);
        return 1;
}

/* A file of an older format is brought up to date, one that is just being made is left to its worker. */
int journal_file_open(const char *path, Database **ret, Error *error) {
        Database *made = NULL;
        int r;

        r = database_open_read_only(path, &made, error);
        if (r < 0)
                return r;
        database_close(made);
        return database_open(path, journal_migrations, ret, error);
}

/* The service may have been down for months: the newest file that has a batch counts, not only last
 * month's. */
int journal_find_newest(Journal *j, Database **ret_older, uint64_t *ret_number, int64_t *ret_id,
                        Error *error) {
        _cleanup_strings_ char **paths = NULL;
        int r;

        r = journal_newest(j->database, ret_number, ret_id, error);
        if (r != 0)
                return r;
        r = journal_files(j->state_directory, j->pair, &paths, error);
        if (r < 0)
                return r;
        for (size_t i = strings_count(paths); i > 0; i--) {
                _cleanup_(database_closep) Database *older = NULL;

                if (strcmp(paths[i - 1], j->path) >= 0)
                        continue;
                r = journal_file_open(paths[i - 1], &older, error);
                if (r == -ENOENT)
                        continue;
                if (r == 0)
                        r = journal_newest(older, ret_number, ret_id, error);
                if (r > 0)
                        *ret_older = TAKE_PTR(older);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int journal_entity(Journal *j, const char *name, int64_t *ret_id, Error *error) {
        static const char add[] = "insert into entity (name) values (?) on conflict (name) do nothing";
        static const char find[] = "select id from entity where name = ?";
        Statement *s;
        int r;

        r = database_prepare(j->database, add, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, name);
        r = statement_run(s, error);
        if (r < 0)
                return r;
        r = database_prepare(j->database, find, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, name);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        assert(r == 1);
        *ret_id = statement_integer(s, 0);
        statement_reset(s);
        return 0;
}

static int fields_to_text(const Mapping *m, char **ret) {
        json_auto_t *array = json_array();

        for (size_t i = 0; i < m->n_fields; i++)
                if (json_array_append_new(array, json_text(m->fields[i].name)) < 0)
                        return -ENOMEM;
        *ret = json_dumps(array, JSON_COMPACT);
        return *ret ? 0 : -ENOMEM;
}

static int batch_insert(Journal *j, uint64_t number, const char *operation_id, int64_t entity,
                        const char *fields, LogPosition log_until, Error *error) {
        static const char sql[] = "insert into batch (number, operation_id, entity, written_at, "
                                  "first_entry, last_entry, fields, n_entries, key_filter, entries, log_lsn, log_n)"
                                  " values (?, ?, ?, ?, 0, -1, ?, ?, ?, ?, ?, ?)";
        Statement *s;
        int r;

        r = database_prepare(j->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, (int64_t) number);
        statement_bind_text(s, 2, operation_id);
        statement_bind_integer(s, 3, entity);
        statement_bind_integer(s, 4, timestamp_now());
        statement_bind_text(s, 5, fields);
        statement_bind_integer(s, 6, (int64_t) j->pack.n_entries);
        statement_bind_bytes(s, 7, j->pack.filter, j->pack.filter_size);
        statement_bind_bytes(s, 8, j->pack.bytes, j->pack.size);
        statement_bind_integer(s, 9, (int64_t) log_until.lsn);
        statement_bind_integer(s, 10, (int64_t) log_until.n);
        return statement_run(s, error);
}

static int journal_write(Journal *j, uint64_t batch, const char *operation_id, const Mapping *m,
                         LogPosition log_until, Error *error) {
        _cleanup_free_ char *fields = NULL;
        int64_t entity;
        int r;

        if (fields_to_text(m, &fields) < 0)
                return store_no_memory(error);
        r = journal_entity(j, m->entity, &entity, error);
        if (r < 0)
                return r;
        return batch_insert(j, batch, operation_id, entity, fields, log_until, error);
}

static int journal_pack_error(const Mapping *m, int r, Error *error) {
        if (r == -ENOMEM)
                return store_no_memory(error);
        return error_set(error, ERROR_INTERNAL, "Please report this with the text of the message.",
                         "A batch of entity \"%s\" is too large for the journal", m->entity);
}

int journal_append(Journal *j, uint64_t batch, const char *operation_id, const Mapping *m,
                   const Batch *changes, Error *error) {
        int r;

        r = journal_pack(&j->pack, m, changes);
        if (r < 0)
                return journal_pack_error(m, r, error);
        if (j->pack.n_entries == 0)
                return 0;
        r = database_begin(j->database, error);
        if (r < 0)
                return r;
        r = journal_write(j, batch, operation_id, m, changes->log_until, error);
        if (r == 0)
                r = database_commit(j->database, error); /* durable: synchronous = full */
        if (r < 0)
                database_rollback(j->database);
        return r;
}

static int batch_delete(Database *d, int64_t id, Error *error) {
        static const char entries[] = /* of a batch that is not packed */
                "delete from entry where id >= (select first_entry from batch where id = ?1)"
                " and id <= (select last_entry from batch where id = ?1)";
        static const char row[] = "delete from batch where id = ?1";
        static const char *const both[] = {entries, row};
        Statement *s;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(both); i++) {
                r = database_prepare(d, both[i], &s, error);
                if (r < 0)
                        return r;
                statement_bind_integer(s, 1, id);
                r = statement_run(s, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Only the newest batch can be one that never reached its target: 1 and where it is, 0: it is another one. */
static int batch_find(Journal *j, uint64_t batch, Database **ret_older, int64_t *ret_id, Error *error) {
        uint64_t number;
        int r;

        r = journal_find_newest(j, ret_older, &number, ret_id, error);
        return r <= 0 ? r : number == batch;
}

int journal_forget(Journal *j, uint64_t batch, Error *error) {
        _cleanup_(database_closep) Database *older = NULL;
        Database *d;
        int64_t id;
        int r;

        r = batch_find(j, batch, &older, &id, error);
        if (r <= 0)
                return r;
        d = older ? older : j->database;
        r = database_begin(d, error);
        if (r < 0)
                return r;
        r = batch_delete(d, id, error);
        if (r == 0)
                r = database_commit(d, error);
        if (r < 0)
                database_rollback(d);
        return r;
}

int journal_replace(Journal *j, uint64_t batch, const char *operation_id, const Mapping *m,
                    const Batch *changes, Error *error) {
        _cleanup_(database_closep) Database *older = NULL;
        int64_t id;
        int r;

        r = journal_pack(&j->pack, m, changes);
        if (r < 0)
                return journal_pack_error(m, r, error);
        r = batch_find(j, batch, &older, &id, error);
        if (r < 0)
                return r;
        if (r == 0 || older)
                return error_set(error, ERROR_INTERNAL, NULL, "The journal's newest batch is not %llu",
                                 (unsigned long long) batch);
        r = database_begin(j->database, error);
        if (r < 0)
                return r;
        r = batch_delete(j->database, id, error);
        if (r == 0 && j->pack.n_entries > 0)
                r = journal_write(j, batch, operation_id, m, changes->log_until, error);
        if (r == 0)
                r = database_commit(j->database, error);
        if (r < 0)
                database_rollback(j->database);
        return r;
}

static int batch_update(Journal *j, Database *d, int64_t id, Error *error) {
        static const char sql[] = "update batch set n_entries = ?, key_filter = ?, entries = ? where id = ?";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, (int64_t) j->pack.n_entries);
        statement_bind_bytes(s, 2, j->pack.filter, j->pack.filter_size);
        statement_bind_bytes(s, 3, j->pack.bytes, j->pack.size);
        statement_bind_integer(s, 4, id);
        return statement_run(s, error);
}

static int batch_pack_kept(Journal *j, Database *d, int64_t id, const bool *keep, size_t n_entries,
                           Error *error) {
        static const char sql[] = "select entries from batch where id = ?";
        JournalPacked packed;
        const void *bytes;
        Statement *s;
        size_t size;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, id);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        bytes = r > 0 ? statement_bytes(s, 0, &size) : NULL;
        r = bytes ? journal_unpack(bytes, size, &packed) : -EBADMSG;
        if (r == 0 && packed.n_entries != n_entries)
                r = -EBADMSG;
        if (r == 0)
                r = journal_pack_kept(&j->pack, &packed, keep);
        statement_reset(s);
        return r == -ENOMEM ? store_no_memory(error) : r < 0 ? journal_damaged(d, error) : 0;
}

int journal_keep(Journal *j, uint64_t batch, const bool *keep, size_t n_entries, Error *error) {
        _cleanup_(database_closep) Database *older = NULL;
        Database *d;
        int64_t id;
        int r;

        r = batch_find(j, batch, &older, &id, error);
        if (r <= 0)
                return r;
        d = older ? older : j->database;
        r = batch_pack_kept(j, d, id, keep, n_entries, error);
        if (r == 0)
                r = database_begin(d, error);
        if (r < 0)
                return r;
        r = j->pack.n_entries > 0 ? batch_update(j, d, id, error) : batch_delete(d, id, error);
        if (r == 0)
                r = database_commit(d, error);
        if (r < 0)
                database_rollback(d);
        return r;
}
