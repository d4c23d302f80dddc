/* SPDX-License-Identifier: Apache-2.0 */
#include "store/operations-internal.h"
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"

int state_open(const char *state_directory, Database **ret, Error *error) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = store_folder_make(state_directory, NULL, error);
        if (r < 0)
                return r;
        r = store_database_path(state_directory, PART_STATE, NULL, NULL, &path, error);
        if (r < 0)
                return r;
        return database_open(path, state_migrations, ret, error);
}

int operation_not_found(const char *id, Error *error) {
        return error_set(error, ERROR_NOT_FOUND, "List operations with \"terrafusionctl operations\".",
                         "There is no operation \"%s\"", id);
}

static int operation_is_final(const char *id, OperationStatus status, Error *error) {
        return error_set(error, ERROR_CONFLICT, "Start a new operation.", "Operation %s is %s already", id,
                         operation_status_to_string(status));
}

/* Ends a transaction begun before r: commits what went well. */
static int transaction_end(Database *d, int r, Error *error) {
        int result = r < 0 ? r : database_commit(d, error);

        if (result < 0) {
                database_rollback(d);
                return result;
        }
        return r;
}

static int text_of_json(const json_t *value, char **ret) {
        if (!value)
                return 0;
        *ret = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        return *ret ? 0 : -ENOMEM;
}

static int text_of_error(const Error *cause, char **ret) {
        json_auto_t *object = NULL;

        if (!cause || cause->id == ERROR_NONE)
                return 0;
        if (error_to_json(cause, &object) < 0)
                return -ENOMEM;
        return text_of_json(object, ret);
}

static int text_of_texts(char *const *texts, char **ret) {
        json_auto_t *array = NULL;

        if (!texts)
                return 0;
        array = json_array();
        for (size_t i = 0; texts[i]; i++)
                if (json_array_append_new(array, json_text(texts[i])) < 0)
                        return -ENOMEM;
        return text_of_json(array, ret);
}

static int operation_insert_row(Database *d, const Operation *o, Error *error) {
        static const char sql[] =
                "insert into operation (id, sync_pair_id, kind, status, created_at, start_time, end_time, "
                "entity_types, parameters,"
                " n_attempts, next_attempt_at, cancel_requested, waiting_for, requested_by, via, "
                "request_id, idempotency_key,"
                " mapping_hash) values (?, ?, ?, 'PENDING', ?, 0, 0, ?, ?, 0, ?, 0, ?, ?, ?, ?, ?, ?)"
                " on conflict (idempotency_key) do nothing";
        _cleanup_free_ char *entity_types = NULL, *parameters = NULL;
        Statement *s;
        int r;

        if (text_of_texts(o->entity_types, &entity_types) < 0 ||
            text_of_json(o->parameters, &parameters) < 0)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, o->id);
        statement_bind_text(s, 2, o->sync_pair_id ? o->sync_pair_id : "");
        statement_bind_text(s, 3, operation_kind_to_string(o->kind));
        statement_bind_integer(s, 4, o->created_at);
        statement_bind_text(s, 5, entity_types);
        statement_bind_text(s, 6, parameters ? parameters : "{}");
        statement_bind_integer(s, 7, o->next_attempt_at);
        statement_bind_text(s, 8, o->waiting_for);
        statement_bind_text(s, 9, o->requested_by);
        statement_bind_text(s, 10, o->via);
        statement_bind_text(s, 11, o->request_id);
        statement_bind_text(s, 12, o->idempotency_key);
        statement_bind_text(s, 13, o->mapping_hash);
        r = statement_run(s, error);
        return r < 0 ? r : (int) database_changes(d);
}

static int operation_find_idempotent(Database *d, const char *idempotency_key, char *ret_existing,
                                     Error *error) {
        static const char sql[] = "select id from operation where idempotency_key = ?";
        const char *id;
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, idempotency_key);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        id = r > 0 ? statement_text(s, 0) : NULL;
        if (!id || strlen(id) >= UUID_TEXT_SIZE)
                return error_set(error, ERROR_FILE_FORMAT, "Restore the file from a backup.",
                                 "Table operation of \"%s\" is damaged", database_path(d));
        memcpy(ret_existing, id, strlen(id) + 1);
        statement_reset(s);
        return 0;
}

int operation_insert(Database *d, const Operation *o, char *ret_existing, Error *error) {
        int r;

        r = operation_insert_row(d, o, error);
        if (r != 0)
                return r < 0 ? r : 1;
        return operation_find_idempotent(d, o->idempotency_key, ret_existing, error);
}

/* Where the last worker died without a word, its attempt is still open. */
static int attempts_close(Database *d, const char *id, const Error *cause, Error *error) {
        static const char sql[] =
                "update attempt set end_time = ?, error = ? where operation_id = ? and end_time = 0";
        _cleanup_free_ char *text = NULL;
        Statement *s;
        int r;

        if (text_of_error(cause, &text) < 0)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, timestamp_now());
        statement_bind_text(s, 2, text);
        statement_bind_text(s, 3, id);
        return statement_run(s, error);
}

static int attempts_close_lost(Database *d, const char *id, Error *error) {
        _cleanup_error_ Error lost = {};

        (void) error_set(&lost, ERROR_WORKER_LOST, NULL, "The worker ended without saying why");
        return attempts_close(d, id, &lost, error);
}

static int attempt_insert(Database *d, const char *id, int64_t now, int64_t *ret_number, Error *error) {
        static const char sql[] = "insert into attempt (operation_id, number, start_time, end_time)"
                                  " select ?1, coalesce(max(number), 0) + 1, ?2, 0 from attempt where "
                                  "operation_id = ?1 returning number";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        statement_bind_integer(s, 2, now);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        assert(r == 1);
        *ret_number = statement_integer(s, 0);
        return statement_run(s, error);
}

static int operation_set_running(Database *d, const char *id, int64_t now, Error *error) {
        static const char sql[] = "update operation set status = 'RUNNING', start_time = case start_time "
                                  "when 0 then ?2 else start_time end,"
                                  " n_attempts = n_attempts + 1, next_attempt_at = 0, waiting_for = null where id = ?1";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        statement_bind_integer(s, 2, now);
        return statement_run(s, error);
}

static int attempt_begin(Database *d, const char *id, int64_t *ret_attempt, Error *error) {
        int64_t now = timestamp_now(), number;
        OperationStatus status;
        int r;

        r = operation_read_status(d, id, &status, error);
        if (r < 0)
                return r;
        if (operation_status_is_final(status))
                return operation_is_final(id, status, error);
        r = attempts_close_lost(d, id, error);
        if (r < 0)
                return r;
        r = attempt_insert(d, id, now, &number, error);
        if (r < 0)
                return r;
        r = operation_set_running(d, id, now, error);
        if (r < 0)
                return r;
        *ret_attempt = number;
        return 0;
}

int operation_attempt_begin(Database *d, const char *id, int64_t *ret_attempt, Error *error) {
        int64_t attempt = 0;
        int r;

        r = database_begin(d, error);
        if (r < 0)
                return r;
        r = transaction_end(d, attempt_begin(d, id, &attempt, error), error);
        if (r < 0)
                return r;
        *ret_attempt = attempt;
        return 0;
}

int operation_attempt_end(Database *d, const char *id, const Error *cause, Error *error) {
        return attempts_close(d, id, cause, error);
}

int operation_attempt_forgive(Database *d, const char *id, Error *error) {
        static const char sql[] = "update operation set n_attempts = n_attempts - 1 where id = ? and n_attempts > 0";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        return statement_run(s, error);
}

static int result_insert(Statement *s, const char *id, size_t position, const EntityResult *result,
                         Error *error) {
        statement_bind_text(s, 1, id);
        statement_bind_integer(s, 2, (int64_t) position);
        statement_bind_text(s, 3, result->entity);
        statement_bind_integer(s, 4, result->n_read);
        statement_bind_integer(s, 5, result->n_inserted);
        statement_bind_integer(s, 6, result->n_updated);
        statement_bind_integer(s, 7, result->n_deleted);
        statement_bind_integer(s, 8, result->n_unchanged);
        statement_bind_integer(s, 9, result->n_held);
        statement_bind_integer(s, 10, result->n_deletes_withheld);
        statement_bind_integer(s, 11, result->done);
        statement_bind_integer(s, 12, result->diverged);
        return statement_run(s, error);
}

static int results_save(Database *d, const Operation *o, Error *error) {
        static const char clear[] = "delete from operation_result where operation_id = ?";
        static const char sql[] =
                "insert into operation_result (operation_id, position, entity, n_read, n_inserted, "
                "n_updated, n_deleted, n_unchanged,"
                " n_held, n_deletes_withheld, done, diverged) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        Statement *s;
        int r;

        r = database_prepare(d, clear, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, o->id);
        r = statement_run(s, error);
        if (r < 0)
                return r;
        r = database_prepare(d, sql, &s, error);
        for (size_t i = 0; r == 0 && i < o->n_results; i++)
                r = result_insert(s, o->id, i, &o->results[i], error);
        return r;
}

static int operation_save(Database *d, const Operation *o, Error *error) {
        static const char sql[] = "update operation set mapping_hash = ?, report = ? where id = ?";
        _cleanup_free_ char *report = NULL;
        Statement *s;
        int r;

        if (text_of_json(o->report, &report) < 0)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, o->mapping_hash);
        statement_bind_text(s, 2, report);
        statement_bind_text(s, 3, o->id);
        r = statement_run(s, error);
        if (r < 0)
                return r;
        if (database_changes(d) == 0)
                return operation_not_found(o->id, error);
        return results_save(d, o, error);
}

int operation_save_results(Database *d, const Operation *o, Error *error) {
        int r;

        r = database_begin(d, error);
        if (r < 0)
                return r;
        return transaction_end(d, operation_save(d, o, error), error);
}

static int operation_set_final(Database *d, const char *id, OperationStatus status, const Error *cause,
                               Error *error) {
        static const char sql[] = "update operation set status = ?2, end_time = ?3, error = ?4, waiting_for "
                                  "= null, next_attempt_at = 0 where id = ?1";
        _cleanup_free_ char *text = NULL;
        Statement *s;
        int r;

        if (text_of_error(cause, &text) < 0)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        statement_bind_text(s, 2, operation_status_to_string(status));
        statement_bind_integer(s, 3, timestamp_now());
        statement_bind_text(s, 4, text);
        return statement_run(s, error);
}

static int finish(Database *d, const char *id, OperationStatus status, const Error *cause, Error *error) {
        OperationStatus present;
        int r;

        r = operation_read_status(d, id, &present, error);
        if (r < 0)
                return r;
        if (operation_status_is_final(present))
                return 0;
        r = attempts_close(d, id, cause, error);
        if (r < 0)
                return r;
        r = operation_set_final(d, id, status, cause, error);
        return r < 0 ? r : 1;
}

int operation_finish(Database *d, const char *id, OperationStatus status, const Error *cause, Error *error) {
        int r;

        assert(operation_status_is_final(status));
        r = database_begin(d, error);
        if (r < 0)
                return r;
        return transaction_end(d, finish(d, id, status, cause, error), error);
}

static int postpone(Database *d, const char *id, int64_t next_attempt_at, const char *waiting_for,
                    Error *error) {
        static const char sql[] = "update operation set status = 'PENDING', next_attempt_at = ?2, "
                                  "waiting_for = ?3 where id = ?1";
        OperationStatus status;
        Statement *s;
        int r;

        r = operation_read_status(d, id, &status, error);
        if (r < 0)
                return r;
        if (operation_status_is_final(status))
                return operation_is_final(id, status, error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        statement_bind_integer(s, 2, next_attempt_at);
        statement_bind_text(s, 3, waiting_for);
        return statement_run(s, error);
}

int operation_postpone(Database *d, const char *id, int64_t next_attempt_at, const char *waiting_for,
                       Error *error) {
        int r;

        r = database_begin(d, error);
        if (r < 0)
                return r;
        return transaction_end(d, postpone(d, id, next_attempt_at, waiting_for, error), error);
}

static int operation_request_cancel(Database *d, const char *id, Error *error) {
        static const char sql[] = "update operation set cancel_requested = 1 where id = ?";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        return statement_run(s, error);
}

static int cancel(Database *d, const char *id, Error *error) {
        OperationStatus status;
        int r;

        r = operation_read_status(d, id, &status, error);
        if (r < 0)
                return r;
        if (operation_status_is_final(status))
                return operation_is_final(id, status, error);
        r = operation_request_cancel(d, id, error);
        if (r < 0 || status == OPERATION_RUNNING)
                return r;
        r = operation_set_final(d, id, OPERATION_CANCELLED, NULL, error);
        return r < 0 ? r : 1;
}

int operation_cancel(Database *d, const char *id, Error *error) {
        int r;

        r = database_begin(d, error);
        if (r < 0)
                return r;
        return transaction_end(d, cancel(d, id, error), error);
}
