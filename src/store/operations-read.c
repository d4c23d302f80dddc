/* SPDX-License-Identifier: Apache-2.0 */
/* Reading operations back: one, a page, the unfinished, totals. */
#include "store/operations-internal.h"
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"

#define OPERATION_COLUMNS                                                                                \
        "id, sync_pair_id, kind, status, created_at, start_time, end_time, entity_types, parameters, "   \
        "n_attempts, next_attempt_at,"                                                                   \
        " cancel_requested, waiting_for, requested_by, via, request_id, idempotency_key, mapping_hash, " \
        "error, report"

static int operation_damaged(Database *d, int r, Error *error) {
        if (r == -ENOMEM)
                return store_no_memory(error);
        return error_set(error, ERROR_FILE_FORMAT, "Restore the file from a backup.",
                         "Table operation of \"%s\" is damaged", database_path(d));
}

int operation_read_status(Database *d, const char *id, OperationStatus *ret, Error *error) {
        static const char sql[] = "select status from operation where id = ?";
        OperationStatus status;
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        if (r == 0)
                return operation_not_found(id, error);
        status = operation_status_from_string(statement_text(s, 0));
        statement_reset(s);
        if (status < 0)
                return operation_damaged(d, -EBADMSG, error);
        *ret = status;
        return 0;
}

static int text_read(Statement *s, int column, char **ret) {
        const char *text = statement_text(s, column);

        if (!text)
                return 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int json_read(Statement *s, int column, json_t **ret) {
        const char *text = statement_text(s, column);

        return text ? json_parse(text, strlen(text), ret, NULL) : 0;
}

static int texts_read(Statement *s, int column, char ***ret) {
        _cleanup_strings_ char **texts = NULL;
        json_auto_t *array = NULL;
        size_t i;
        json_t *text;
        int r;

        r = json_read(s, column, &array);
        if (r < 0 || !array)
                return r;
        texts = calloc(1, sizeof(*texts)); /* an empty list is not "all" */
        if (!texts)
                return -ENOMEM;
        json_array_foreach(array, i, text) {
                if (!json_is_string(text))
                        return -EBADMSG;
                r = strings_append(&texts, json_string_value(text));
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(texts);
        return 0;
}

static int error_read(Statement *s, int column, Error *ret) {
        json_auto_t *object = NULL;
        int r;

        r = json_read(s, column, &object);
        if (r < 0 || !object)
                return r;
        return error_from_json(object, ret);
}

static int owned_read(Statement *s, Operation *o) {
        json_t *parameters = NULL;

        if (text_read(s, 1, &o->sync_pair_id) < 0 || text_read(s, 12, &o->waiting_for) < 0 ||
            text_read(s, 13, &o->requested_by) < 0 || text_read(s, 14, &o->via) < 0 ||
            text_read(s, 15, &o->request_id) < 0 || text_read(s, 16, &o->idempotency_key) < 0 ||
            text_read(s, 17, &o->mapping_hash) < 0)
                return -ENOMEM;
        if (texts_read(s, 7, &o->entity_types) < 0 || json_read(s, 8, &parameters) < 0 ||
            json_read(s, 19, &o->report) < 0 || error_read(s, 18, &o->error) < 0)
                return -EBADMSG;
        if (parameters) {
                json_decref(o->parameters);
                o->parameters = parameters;
        }
        return 0;
}

static int operation_read(Statement *s, Operation *o) {
        const char *id = statement_text(s, 0);

        o->kind = operation_kind_from_string(statement_text(s, 2));
        o->status = operation_status_from_string(statement_text(s, 3));
        if (!id || strlen(id) >= UUID_TEXT_SIZE || o->kind < 0 || o->status < 0)
                return -EBADMSG;
        memcpy(o->id, id, strlen(id) + 1);
        o->created_at = statement_integer(s, 4);
        o->start_time = statement_integer(s, 5);
        o->end_time = statement_integer(s, 6);
        o->n_attempts = statement_integer(s, 9);
        o->next_attempt_at = statement_integer(s, 10);
        o->cancel_requested = statement_integer(s, 11) != 0;
        return owned_read(s, o);
}

static int result_read(Statement *s, Operation *o) {
        EntityResult *result = operation_result(o, statement_text(s, 0));

        if (!result)
                return -ENOMEM;
        result->n_read = statement_integer(s, 1);
        result->n_inserted = statement_integer(s, 2);
        result->n_updated = statement_integer(s, 3);
        result->n_deleted = statement_integer(s, 4);
        result->n_unchanged = statement_integer(s, 5);
        result->n_held = statement_integer(s, 6);
        result->n_deletes_withheld = statement_integer(s, 7);
        result->done = statement_integer(s, 8) != 0;
        result->diverged = statement_integer(s, 9) != 0;
        return 0;
}

int results_take(Statement *s, Operation *o, Error *error) {
        int r;

        while ((r = statement_step(s, error)) > 0)
                if (result_read(s, o) < 0) {
                        statement_reset(s);
                        return store_no_memory(error);
                }
        return r;
}

static int results_read(Database *d, Operation *o, Error *error) {
        static const char sql[] = "select entity, n_read, n_inserted, n_updated, n_deleted, n_unchanged, "
                                  "n_held, n_deletes_withheld, done, diverged"
                                  " from operation_result where operation_id = ? order by position";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, o->id);
        return results_take(s, o, error);
}

/* The operation of the row at which s stands. */
static int operation_take(Database *d, Statement *s, Operation **ret, Error *error) {
        _cleanup_operation_ Operation *o = operation_new();
        int r;

        if (!o)
                return store_no_memory(error);
        r = operation_read(s, o);
        if (r < 0)
                return operation_damaged(d, r, error);
        r = results_read(d, o, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

int operation_load(Database *d, const char *id, Operation **ret, Error *error) {
        static const char sql[] = "select " OPERATION_COLUMNS " from operation where id = ?";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        if (r == 0)
                return operation_not_found(id, error);
        r = operation_take(d, s, ret, error);
        statement_reset(s);
        return r;
}

static int operations_hand_over(Database *d, Statement *s, operation_handler_t handler, void *userdata,
                                Error *error) {
        int r;

        while ((r = statement_step(s, error)) > 0) {
                _cleanup_operation_ Operation *o = NULL;

                r = operation_take(d, s, &o, error);
                if (r == 0)
                        r = handler(o, userdata);
                if (r < 0) {
                        statement_reset(s);
                        return r;
                }
        }
        return r;
}

#define OPERATION_MATCHES                                                                                   \
        " where (?1 is null or sync_pair_id = ?1) and (?2 is null or kind = ?2) and (?3 is null or status " \
        "= ?3)"                                                                                             \
        " and (?4 = 0 or created_at >= ?4) and (?5 = 0 or created_at <= ?5)"

static void filter_bind(Statement *s, const OperationFilter *filter) {
        statement_bind_text(s, 1, filter->sync_pair_id);
        statement_bind_text(
                s, 2, filter->kind < 0 ? NULL : operation_kind_to_string((OperationKind) filter->kind));
        statement_bind_text(
                s, 3,
                filter->status < 0 ? NULL : operation_status_to_string((OperationStatus) filter->status));
        statement_bind_integer(s, 4, filter->from);
        statement_bind_integer(s, 5, filter->to);
}

static int filter_count(Database *d, const OperationFilter *filter, uint64_t *ret, Error *error) {
        static const char sql[] = "select count(*) from operation" OPERATION_MATCHES;
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        filter_bind(s, filter);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        *ret = (uint64_t) statement_integer(s, 0);
        statement_reset(s);
        return 0;
}

/* Ids are UUIDv7: their order is that of creation. */
int operation_list(Database *d, const OperationFilter *filter, operation_handler_t handler, void *userdata,
                   uint64_t *ret_total, Error *error) {
        static const char sql[] = "select " OPERATION_COLUMNS " from operation" OPERATION_MATCHES
                                  " and (?6 is null or id < ?6) order by id desc limit ?7 offset ?8";
        uint64_t total = 0;
        Statement *s;
        int r;

        if (ret_total) {
                r = filter_count(d, filter, &total, error);
                if (r < 0)
                        return r;
        }
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        filter_bind(s, filter);
        statement_bind_text(s, 6, filter->before_id);
        statement_bind_integer(s, 7, filter->limit);
        statement_bind_integer(s, 8, filter->offset);
        r = operations_hand_over(d, s, handler, userdata, error);
        if (r < 0)
                return r;
        if (ret_total)
                *ret_total = total;
        return 0;
}

int operation_list_unfinished(Database *d, operation_handler_t handler, void *userdata, Error *error) {
        static const char sql[] = "select " OPERATION_COLUMNS
                                  " from operation where status in ('PENDING', 'RUNNING') order by id";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        return operations_hand_over(d, s, handler, userdata, error);
}

int operation_is_cancel_requested(Database *d, const char *id, bool *ret, Error *error) {
        static const char sql[] = "select cancel_requested from operation where id = ?";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        if (r == 0)
                return operation_not_found(id, error);
        *ret = statement_integer(s, 0) != 0;
        statement_reset(s);
        return 0;
}

static int attempt_to_json(Statement *s, json_t **ret) {
        json_auto_t *object = json_object(), *cause = NULL;
        int r;

        r = json_read(s, 3, &cause);
        if (r < 0)
                return r;
        if (json_put(object, "number", json_integer(statement_integer(s, 0))) < 0 ||
            json_put(object, "start_time", json_timestamp(statement_integer(s, 1))) < 0 ||
            json_put(object, "end_time", json_timestamp(statement_integer(s, 2))) < 0 ||
            json_put(object, "error", cause ? TAKE_PTR(cause) : json_null()) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

int operation_attempts(Database *d, const char *id, json_t **ret, Error *error) {
        static const char sql[] = "select number, start_time, end_time, error from attempt where "
                                  "operation_id = ? order by number";
        json_auto_t *array = json_array();
        Statement *s;
        int r;

        if (!array)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, id);
        while ((r = statement_step(s, error)) > 0) {
                json_t *attempt = NULL;

                r = attempt_to_json(s, &attempt);
                if (r == 0 && json_array_append_new(array, attempt) < 0)
                        r = -ENOMEM;
                if (r < 0) {
                        statement_reset(s);
                        return operation_damaged(d, r, error);
                }
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(array);
        return 0;
}
