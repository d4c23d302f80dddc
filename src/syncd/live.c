/* SPDX-License-Identifier: Apache-2.0 */
#include "syncd/live.h"

#include "basic/event.h"
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "basic/timestamp.h"

Live *live_add(LiveTable *table, Operation *operation, void *owner) {
        Live *live = calloc(1, sizeof(Live)), **place = &table->first;

        if (!live) {
                operation_free(operation);
                return NULL;
        }
        live->operation = operation;
        live->owner = owner;
        live->exit_status = -1;
        while (*place)
                place = &(*place)->next;
        *place = live;
        table->n++;
        return live;
}

static void live_free(Live *live) {
        event_source_drop(&live->retry);
        event_source_drop(&live->patience);
        for (size_t i = 0; i < live->n_cancellers; i++)
                api_request_unref(live->cancellers[i]);
        for (size_t i = 0; i < live->n_entities; i++)
                free(live->entities[i].entity);
        free(live->cancellers);
        free(live->entities);
        error_done(&live->cause);
        operation_free(live->operation);
        free(live);
}

void live_remove(LiveTable *table, Live *live) {
        for (Live **place = &table->first; *place; place = &(*place)->next)
                if (*place == live) {
                        *place = live->next;
                        table->n--;
                        live_free(live);
                        return;
                }
}

void live_done(LiveTable *table) {
        while (table->first)
                live_remove(table, table->first);
}

Live *live_find(const LiveTable *table, const char *id) {
        for (Live *live = table->first; live; live = live->next)
                if (text_equal_ignoring_case(live->operation->id, id))
                        return live;
        return NULL;
}

static LiveEntity *live_entity(Live *live, const char *entity) {
        LiveEntity *entities;

        for (size_t i = 0; i < live->n_entities; i++)
                if (text_equal(live->entities[i].entity, entity))
                        return &live->entities[i];
        if (live->n_entities >= MAPPING_ENTITIES_MAX)
                return NULL;
        entities = reallocarray(live->entities, live->n_entities + 1, sizeof(LiveEntity));
        if (!entities)
                return NULL;
        live->entities = entities;
        entities[live->n_entities] = (LiveEntity){strdup(entity), -1};
        return entities[live->n_entities].entity ? &entities[live->n_entities++] : NULL;
}

/* {"log": {"position", "lag_usec", "retained_bytes", "progress", …}} */
static void live_hint_log(Live *live, const json_t *log) {
        Operation *o = live->operation;
        const char *position = json_member_text(log, "position");

        if (!log)
                return;
        free(o->log_position);
        o->log_position = position ? strdup(position) : NULL;
        o->lag_usec = json_member_integer(log, "lag_usec", 0);
        o->source_retained_bytes = json_member_integer(log, "retained_bytes", -1);
        live->has_progress = live->has_progress || json_is_true(json_object_get(log, "progress"));
        live->is_dirty = true;
}

bool live_hint(const LiveTable *table, const json_t *hint) {
        const char *id = json_member_text(hint, "operation_id"), *entity = json_member_text(hint, "entity");
        Live *live = id ? live_find(table, id) : NULL;
        EntityResult *result;
        LiveEntity *known;

        if (live)
                live_hint_log(live, json_object_get(hint, "log"));
        if (!live || !entity)
                return live && json_object_get(hint, "log");
        known = live_entity(live, entity);
        result = known ? operation_result(live->operation, entity) : NULL;
        if (!result)
                return false;
        result->n_read = json_member_integer(hint, "n_read", result->n_read);
        result->n_inserted = json_member_integer(hint, "n_inserted", result->n_inserted);
        result->n_updated = json_member_integer(hint, "n_updated", result->n_updated);
        result->n_deleted = json_member_integer(hint, "n_deleted", result->n_deleted);
        result->n_unchanged = json_member_integer(hint, "n_unchanged", result->n_unchanged);
        result->n_held = json_member_integer(hint, "n_held", result->n_held);
        known->total = json_member_integer(hint, "total", 0);
        if (known->total <= 0)
                known->total = -1; /* not known (yet) */
        live->is_dirty = true;
        return true;
}

static int64_t count_read(const Live *live) {
        int64_t n = 0;

        for (size_t i = 0; i < live->operation->n_results; i++)
                n += live->operation->results[i].n_read;
        return n;
}

/* -1 where some entity's total is not known. */
static int64_t count_total(const Live *live) {
        int64_t n = 0;

        for (size_t i = 0; i < live->n_entities; i++) {
                if (live->entities[i].total < 0)
                        return -1;
                n += live->entities[i].total;
        }
        return live->n_entities > 0 ? n : -1;
}

/* Entities come one after the other, each telling its total when it begins: counted as equal shares, so that
 * the bar does not jump back. 99 at most while it runs: the end is told by the status. */
static int live_percent(const Live *live) {
        size_t n_asked = strings_count(live->operation->entity_types),
               n = live->n_entities > n_asked ? live->n_entities : n_asked;
        double shares = 0;
        int percent;

        for (size_t i = 0; i < live->n_entities; i++) {
                const EntityResult *result = operation_result(live->operation, live->entities[i].entity);
                int64_t total = live->entities[i].total;

                if (!result)
                        continue;
                if (result->done || (total >= 0 && result->n_read >= total))
                        shares += 1;
                else if (total > 0)
                        shares += (double) result->n_read / (double) total;
        }
        percent = n == 0 ? 0 : (int) (100.0 * shares / (double) n);
        return percent > 99 ? 99 : percent;
}

static const char *message_of(const Operation *o, const char *waiting_for) {
        if (o->status == OPERATION_COMPLETED)
                return "Sync operation completed";
        if (o->status == OPERATION_FAILED)
                return "Sync operation failed";
        if (o->status == OPERATION_CANCELLED)
                return "Operation cancelled";
        if (o->cancel_requested)
                return "Stops after its present batch";
        if (text_equal(waiting_for, "attempt"))
                return "Waits for its next attempt";
        if (text_equal(waiting_for, "pair"))
                return "Waits for an earlier operation of its pair";
        if (text_equal(waiting_for, "hours"))
                return "Waits until the hours of its systems begin";
        if (text_equal(waiting_for, "configuration"))
                return "Waits until the mistakes in terrafusion.yaml are mended and it is read again";
        if (text_equal(waiting_for, "connections"))
                return "Waits until a system has a connection to give (limits: connections)";
        if (text_equal(waiting_for, "worker"))
                return "Waits until fewer operations run";
        return o->status == OPERATION_RUNNING ? "Sync operation in progress" : "Sync operation starts";
}

static int put_log(json_t *object, const Operation *o) {
        if (json_put(object, "lag_seconds", o->log_position ? json_real((double) o->lag_usec / USEC_PER_SEC) : json_null()) < 0 ||
            json_put(object, "log_position", json_text(o->log_position)) < 0 ||
            json_put(object, "source_retained_bytes",
                     o->log_position && o->source_retained_bytes >= 0 ? json_integer(o->source_retained_bytes) : json_null()) < 0)
                return -ENOMEM;
        return 0;
}

static int put_progress(json_t *object, const Operation *o, int percent, const char *waiting_for) {
        int r;

        r = json_put(object, "progress", json_integer(percent));
        if (r >= 0)
                r = put_log(object, o);
        if (r < 0)
                return r;
        return json_put(object, "message", json_string(message_of(o, waiting_for)));
}

json_t *live_to_json(const Live *live, const char *waiting_for, uint64_t now_usec) {
        json_auto_t *object = operation_to_json(live->operation);
        int64_t n_read = count_read(live), total = count_total(live);
        double rate = 0;

        if (live->attempt_at_usec > 0 && now_usec > live->attempt_at_usec)
                rate = (double) (n_read - live->n_read_before) * USEC_PER_SEC /
                       (double) (now_usec - live->attempt_at_usec);
        if (rate < 0)
                rate = 0;
        if (!object || put_progress(object, live->operation, live_percent(live), waiting_for) < 0 ||
            json_put(object, "waiting_for", json_text(waiting_for)) < 0 ||
            json_put(object, "rate", json_real(rate)) < 0 ||
            json_put(object, "records_total", total < 0 ? json_null() : json_integer(total)) < 0 ||
            json_put(object, "remaining_seconds",
                     total < n_read || rate < 1 ? json_null()
                                                : json_real((double) (total - n_read) / rate)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

json_t *operation_with_progress(const Operation *o) {
        json_auto_t *object = operation_to_json(o);

        if (!object ||
            put_progress(object, o, o->status == OPERATION_COMPLETED ? 100 : 0, o->waiting_for) < 0)
                return NULL;
        return TAKE_PTR(object);
}
