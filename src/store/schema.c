/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include "basic/json.h"
#include "basic/timestamp.h"
#include "store/files.h"

static const char *const statuses[_DRIFT_STATUS_MAX] = {
        [DRIFT_STOPS] = "stops",
        [DRIFT_REPORTED] = "reported",
        [DRIFT_ACCEPTED] = "accepted",
};

const char *drift_status_to_string(DriftStatus status) {
        return status >= 0 && status < _DRIFT_STATUS_MAX ? statuses[status] : NULL;
}

void entity_schema_done(EntitySchema *s) {
        json_decref(s->columns);
        json_decref(s->mapping);
        json_decref(s->refill);
        *s = (EntitySchema){};
}

static int document_of(Statement *s, int column, json_t **ret, Error *error) {
        const char *text = statement_text(s, column);

        *ret = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
        if (text && !*ret)
                return error_set(error, ERROR_FILE_FORMAT, "Restore the pair's file from a backup.",
                                 "Table entity_schema is damaged");
        return 0;
}

int entity_schema_load(Database *d, const char *entity, EntitySchema *ret, Error *error) {
        static const char sql[] = "select columns, mapping, refill, n_filled from entity_schema where entity = ?";
        EntitySchema schema = {};
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        r = statement_step(s, error);
        if (r > 0) {
                schema.n_filled = (uint64_t) statement_integer(s, 3);
                r = document_of(s, 0, &schema.columns, error);
                if (r >= 0)
                        r = document_of(s, 1, &schema.mapping, error);
                if (r >= 0)
                        r = document_of(s, 2, &schema.refill, error);
                statement_reset(s);
        }
        if (r < 0)
                entity_schema_done(&schema);
        else
                *ret = schema;
        return r < 0 ? r : 0;
}

static int text_of(const json_t *document, char **ret) {
        *ret = document ? json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        return document && !*ret ? -ENOMEM : 0;
}

int entity_schema_save(Database *d, const char *entity, const EntitySchema *schema, Error *error) {
        static const char sql[] = "insert into entity_schema (entity, columns, mapping, refill, n_filled) values (?, ?, ?, ?, ?)"
                                  " on conflict (entity) do update set columns = excluded.columns, mapping = excluded.mapping,"
                                  " refill = excluded.refill, n_filled = excluded.n_filled";
        _cleanup_free_ char *columns = NULL, *mapping = NULL, *refill = NULL;
        Statement *s;
        int r;

        if (text_of(schema->columns, &columns) < 0 || text_of(schema->mapping, &mapping) < 0 ||
            text_of(schema->refill, &refill) < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the columns of entity \"%s\"", entity);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        statement_bind_text(s, 2, columns);
        statement_bind_text(s, 3, mapping);
        statement_bind_text(s, 4, refill);
        statement_bind_integer(s, 5, (int64_t) schema->n_filled);
        return statement_run(s, error);
}

/* ---- drift ---- */

int drift_put(Database *d, const Drift *drift, const char *operation_id, Error *error) {
        static const char sql[] =
                "insert into drift (entity, side, column_name, kind, old_type, new_type, mapped, status, operation_id, found_at,"
                " accepted_at, accepted_by) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " on conflict (entity, side, column_name) do update set kind = excluded.kind, old_type = excluded.old_type,"
                " new_type = excluded.new_type, mapped = excluded.mapped, status = excluded.status,"
                " operation_id = excluded.operation_id, found_at = excluded.found_at, accepted_at = excluded.accepted_at,"
                " accepted_by = excluded.accepted_by";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, drift->entity);
        statement_bind_text(s, 2, drift->is_target ? "target" : "source");
        statement_bind_text(s, 3, drift->column);
        statement_bind_text(s, 4, drift_kind_to_string(drift->kind));
        statement_bind_text(s, 5, drift->before);
        statement_bind_text(s, 6, drift->now);
        statement_bind_integer(s, 7, drift->is_mapped);
        statement_bind_text(s, 8, drift_status_to_string(drift->status));
        statement_bind_text(s, 9, operation_id);
        statement_bind_integer(s, 10, timestamp_now());
        statement_bind_integer(s, 11, drift->status == DRIFT_ACCEPTED ? timestamp_now() : 0);
        statement_bind_text(s, 12, drift->accepted_by);
        return statement_run(s, error);
}

int drift_forget(Database *d, const char *entity, DriftStatus status, const char *operation_id, Error *error) {
        static const char sql[] = "delete from drift where entity = ?1 and status = ?2 and operation_id = coalesce(?3, operation_id)";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        statement_bind_text(s, 2, drift_status_to_string(status));
        statement_bind_text(s, 3, operation_id);
        return statement_run(s, error);
}

static json_t *row_to_json(Statement *s, const char *pair) {
        json_auto_t *row = json_object();
        static const char *const names[] = {"entity", "side", "column", "kind", "old_type", "new_type"};

        if (json_put(row, "sync_pair_id", json_text(pair)) < 0)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (json_put(row, names[i], json_text(statement_text(s, (int) i))) < 0)
                        return NULL;
        if (json_put(row, "mapped", json_boolean(statement_integer(s, 6))) < 0 ||
            json_put(row, "status", json_text(statement_text(s, 7))) < 0 ||
            json_put(row, "operation_id", json_text(statement_text(s, 8))) < 0 ||
            json_put(row, "found_at", json_timestamp(statement_integer(s, 9))) < 0 ||
            json_put(row, "accepted_at", json_timestamp(statement_integer(s, 10))) < 0 ||
            json_put(row, "accepted_by", json_text(statement_text(s, 11))) < 0)
                return NULL;
        return TAKE_PTR(row);
}

int drift_list(const char *state_directory, const char *pair, json_t *array, Error *error) {
        static const char sql[] = "select entity, side, column_name, kind, old_type, new_type, mapped, status, operation_id,"
                                  " found_at, accepted_at, accepted_by from drift"
                                  " order by case status when 'stops' then 0 else 1 end, found_at desc, id";
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_free_ char *path = NULL;
        Statement *s;
        int r;

        r = store_database_path(state_directory, PART_PAIR, pair, NULL, &path, error);
        if (r >= 0)
                r = database_open_read_only(path, &d, error);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = database_prepare(d, sql, &s, error);
        while (r >= 0 && (r = statement_step(s, error)) > 0)
                if (json_array_append_new(array, row_to_json(s, pair)) < 0)
                        r = error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the drift of pair \"%s\"", pair);
        return r;
}
