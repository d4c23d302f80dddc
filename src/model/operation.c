/* SPDX-License-Identifier: Apache-2.0 */
#include "model/operation.h"
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"

static const char *const kinds[_OPERATION_KIND_MAX] = {
        [OPERATION_FULL] = "full",
        [OPERATION_INCREMENTAL] = "incremental",
        [OPERATION_CONTINUOUS] = "continuous",
        [OPERATION_CHECK] = "check",
        [OPERATION_QUERY_PLAN] = "query-plan",
        [OPERATION_DRIFT_ACCEPT] = "drift-accept",
};

/* The original's members have them in capitals. */
static const char *const sync_types[_OPERATION_KIND_MAX] = {
        [OPERATION_FULL] = "FULL",
        [OPERATION_INCREMENTAL] = "INCREMENTAL",
        [OPERATION_CONTINUOUS] = "CONTINUOUS",
        [OPERATION_CHECK] = "CHECK",
        [OPERATION_QUERY_PLAN] = "QUERY-PLAN",
        [OPERATION_DRIFT_ACCEPT] = "DRIFT-ACCEPT",
};

static const char *const statuses[_OPERATION_STATUS_MAX] = {
        [OPERATION_PENDING] = "PENDING",     [OPERATION_RUNNING] = "RUNNING",
        [OPERATION_COMPLETED] = "COMPLETED", [OPERATION_FAILED] = "FAILED",
        [OPERATION_CANCELLED] = "CANCELLED",
};

const Field operation_document_fields[] = {
        {"id", FIELD_TEXT, .summary = "UUIDv7."},
        {"sync_pair_id", FIELD_TEXT, .summary = "The pair's name; of a system's check \"system:NAME\"."},
        {"kind", FIELD_TEXT, .choices = kinds, .summary = "full, incremental, continuous, check, query-plan or drift-accept."},
        {"sync_type", FIELD_TEXT, .choices = sync_types, .summary = "The kind in capitals, as the original has it."},
        {"status", FIELD_TEXT, .choices = statuses, .summary = "PENDING, RUNNING, COMPLETED, FAILED or CANCELLED."},
        {"waiting_for", FIELD_TEXT, .summary = "What a PENDING one waits for: worker, pair, attempt, systemd, hours, connections or configuration."},
        {"created_at", FIELD_TIMESTAMP, .summary = "When it was asked for."},
        {"start_time", FIELD_TIMESTAMP, .summary = "When its first attempt began."},
        {"end_time", FIELD_TIMESTAMP, .summary = "When it was over."},
        {"duration_seconds", FIELD_NUMBER, .summary = "From start to end, in seconds."},
        {"entity_types", FIELD_TEXTS, .summary = "Entities asked for; empty: all."},
        {"attempts", FIELD_INTEGER, .summary = "Attempts begun so far."},
        {"next_attempt_at", FIELD_TIMESTAMP, .summary = "When the next attempt is planned."},
        {"progress", FIELD_INTEGER, .summary = "Percent, 0 to 100."},
        {"message", FIELD_TEXT, .summary = "How it stands, in a sentence."},
        {"rate", FIELD_NUMBER, .summary = "Records per second of this attempt."},
        {"records_total", FIELD_INTEGER, .summary = "Records the source has, where known."},
        {"remaining_seconds", FIELD_NUMBER, .summary = "At this rate, in seconds, where known."},
        {"lag_seconds", FIELD_NUMBER, .summary = "Of one that follows a log: from commit at the source to commit at the target, lately."},
        {"log_position", FIELD_TEXT, .summary = "Of one that follows a log: up to where it is applied."},
        {"source_retained_bytes", FIELD_INTEGER, .summary = "Of one that follows a log: how much of it the source keeps for us."},
        {"records_processed", FIELD_INTEGER, .summary = "Records read and decided."},
        {"records_succeeded", FIELD_INTEGER, .summary = "Of them, those not held."},
        {"records_failed", FIELD_INTEGER, .summary = "Of them, those held in quarantine."},
        {"results", FIELD_OBJECT, .summary = "Counts by entity."},
        {"cancel_requested", FIELD_BOOLEAN, .summary = "Whether someone asked to cancel it."},
        {"error", FIELD_OBJECT, .summary = "Of a FAILED one: code, title, detail, remedy and place."},
        {"error_message", FIELD_TEXT, .summary = "The error in one line."},
        {"parameters", FIELD_OBJECT, .summary = "What it was started with."},
        {"requested_by", FIELD_TEXT, .summary = "Name of the key, or user, that asked."},
        {"via", FIELD_TEXT, .summary = "http or dbus."},
        {"request_id", FIELD_TEXT, .summary = "Of the request that started it."},
        {"mapping_hash", FIELD_TEXT, .summary = "Of the mapping it ran with."},
        {"report", FIELD_ARRAY, .summary = "Of a check: what was looked at, and what was found."},
        {},
};

const char *operation_kind_to_string(OperationKind kind) {
        return kind >= 0 && kind < _OPERATION_KIND_MAX ? kinds[kind] : "unknown";
}

OperationKind operation_kind_from_string(const char *name) {
        for (int i = 0; i < _OPERATION_KIND_MAX; i++)
                if (name && text_equal_ignoring_case(name, kinds[i]))
                        return (OperationKind) i;
        return _OPERATION_KIND_INVALID;
}

const char *operation_status_to_string(OperationStatus status) {
        return status >= 0 && status < _OPERATION_STATUS_MAX ? statuses[status] : "UNKNOWN";
}

OperationStatus operation_status_from_string(const char *name) {
        if (!name)
                return _OPERATION_STATUS_INVALID;
        for (int i = 0; i < _OPERATION_STATUS_MAX; i++)
                if (text_equal_ignoring_case(name, statuses[i]))
                        return (OperationStatus) i;
        /* Spellings of the original's other versions. */
        if (text_equal_ignoring_case(name, "in_progress"))
                return OPERATION_RUNNING;
        return text_equal_ignoring_case(name, "canceled") ? OPERATION_CANCELLED : _OPERATION_STATUS_INVALID;
}

Operation *operation_new(void) {
        Operation *o = calloc(1, sizeof *o);

        if (!o)
                return NULL;
        o->parameters = json_object();
        return o->parameters ? o : operation_free(o);
}

Operation *operation_free(Operation *o) {
        if (!o)
                return NULL;
        for (size_t i = 0; i < o->n_results; i++)
                free(o->results[i].entity);
        free(o->results);
        free(o->sync_pair_id);
        strings_free(o->entity_types);
        json_decref(o->parameters);
        json_decref(o->report);
        free(o->waiting_for);
        free(o->requested_by);
        free(o->via);
        free(o->request_id);
        free(o->idempotency_key);
        free(o->mapping_hash);
        free(o->log_position);
        error_done(&o->error);
        free(o);
        return NULL;
}

EntityResult *operation_result(Operation *o, const char *entity) {
        EntityResult *results;
        char *name;

        for (size_t i = 0; i < o->n_results; i++)
                if (text_equal(o->results[i].entity, entity))
                        return &o->results[i];
        results = reallocarray(o->results, o->n_results + 1, sizeof *results);
        if (!results)
                return NULL;
        o->results = results;
        name = strdup(entity);
        if (!name)
                return NULL;
        results[o->n_results] = (EntityResult){.entity = name};
        return &results[o->n_results++];
}

static int counts_to_json(const EntityResult *result, json_t **ret) {
        const struct {
                const char *name;
                int64_t number;
        } counts[] = {
                {"processed", result->n_read},
                {"succeeded", result->n_read - result->n_held},
                {"failed", result->n_held},
                {"inserted", result->n_inserted},
                {"updated", result->n_updated},
                {"deleted", result->n_deleted},
                {"unchanged", result->n_unchanged},
                {"quarantined", result->n_held},
                {"deletes_withheld", result->n_deletes_withheld},
        };
        json_auto_t *object = json_object();

        for (size_t i = 0; i < ELEMENTSOF(counts); i++)
                if (json_put(object, counts[i].name, json_integer(counts[i].number)) < 0)
                        return -ENOMEM;
        if (json_put(object, "done", json_boolean(result->done)) < 0 ||
            json_put(object, "diverged", json_boolean(result->diverged)) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

static json_t *results_to_json(const Operation *o) {
        json_auto_t *object = json_object();

        for (size_t i = 0; i < o->n_results; i++) {
                json_t *counts = NULL;
                if (counts_to_json(&o->results[i], &counts) < 0 ||
                    json_put(object, o->results[i].entity, counts) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static json_t *entities_to_json(char *const *entities) {
        json_auto_t *array = json_array();

        for (size_t i = 0; entities && entities[i]; i++)
                if (json_array_append_new(array, json_text(entities[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *duration_to_json(const Operation *o) {
        if (o->start_time == 0 || o->end_time == 0)
                return json_null();
        return json_real((double) (o->end_time - o->start_time) / USEC_PER_SEC);
}

static int totals_to_json(const Operation *o, json_t *object) {
        int64_t n_read = 0, n_held = 0;

        for (size_t i = 0; i < o->n_results; i++) {
                n_read += o->results[i].n_read;
                n_held += o->results[i].n_held;
        }
        if (json_put(object, "records_processed", json_integer(n_read)) < 0 ||
            json_put(object, "records_succeeded", json_integer(n_read - n_held)) < 0 ||
            json_put(object, "records_failed", json_integer(n_held)) < 0)
                return -ENOMEM;
        return 0;
}

static int operation_error_to_json(const Operation *o, json_t *object) {
        _cleanup_free_ char *text = NULL;
        json_t *error = NULL;

        if (o->error.id == ERROR_NONE)
                return json_put(object, "error_message", json_null()) < 0 ||
                                       json_put(object, "error", json_null()) < 0
                               ? -ENOMEM
                               : 0;
        text = error_to_text(&o->error);
        if (!text || error_to_json(&o->error, &error) < 0)
                return -ENOMEM;
        return json_put(object, "error", error) < 0 || json_put(object, "error_message", json_text(text)) < 0
                       ? -ENOMEM
                       : 0;
}

/* What the original's clients read, in its names. */
static int original_to_json(const Operation *o, json_t *object) {
        OperationKind kind = o->kind;

        if (json_put(object, "id", json_string(o->id)) < 0 ||
            json_put(object, "sync_pair_id", json_text(o->sync_pair_id ? o->sync_pair_id : "")) < 0 ||
            json_put(object, "sync_type",
                     json_string(kind >= 0 && kind < _OPERATION_KIND_MAX ? sync_types[kind] : "")) < 0 ||
            json_put(object, "status", json_string(operation_status_to_string(o->status))) < 0 ||
            json_put(object, "start_time", json_timestamp(o->start_time)) < 0 ||
            json_put(object, "end_time", json_timestamp(o->end_time)) < 0 ||
            json_put(object, "duration_seconds", duration_to_json(o)) < 0 ||
            json_put(object, "entity_types", entities_to_json(o->entity_types)) < 0 ||
            totals_to_json(o, object) < 0 || operation_error_to_json(o, object) < 0 ||
            json_put(object, "parameters", o->parameters ? json_deep_copy(o->parameters) : json_object()) <
                    0 ||
            json_put(object, "results", results_to_json(o)) < 0)
                return -ENOMEM;
        return 0;
}

json_t *operation_to_json(const Operation *o) {
        json_auto_t *object = json_object();

        if (original_to_json(o, object) < 0 ||
            json_put(object, "kind", json_string(operation_kind_to_string(o->kind))) < 0 ||
            json_put(object, "created_at", json_timestamp(o->created_at)) < 0 ||
            json_put(object, "attempts", json_integer(o->n_attempts)) < 0 ||
            json_put(object, "next_attempt_at", json_timestamp(o->next_attempt_at)) < 0 ||
            json_put(object, "cancel_requested", json_boolean(o->cancel_requested)) < 0 ||
            json_put(object, "waiting_for", json_text(o->waiting_for)) < 0 ||
            json_put(object, "requested_by", json_text(o->requested_by)) < 0 ||
            json_put(object, "via", json_text(o->via)) < 0 ||
            json_put(object, "request_id", json_text(o->request_id)) < 0 ||
            json_put(object, "mapping_hash", json_text(o->mapping_hash)) < 0 ||
            json_put(object, "report", o->report ? json_deep_copy(o->report) : json_null()) < 0)
                return NULL;
        return TAKE_PTR(object);
}
