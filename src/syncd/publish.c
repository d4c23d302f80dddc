/* SPDX-License-Identifier: Apache-2.0 */
/* What the bus shows: operations that are active and the last ones that are over, pairs, systems. */
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "build-config.h"
#include "store/operations.h"
#include "syncd/syncd.h"

#define PUBLISH_USEC (250U * 1000U) /* between two change signals of progress */

static BusObjects *objects(const Syncd *s) { return s->bus ? over_bus_objects(s->bus) : NULL; }

/* A change that there is no memory to tell is told with the next one. */
static void put(Syncd *s, ObjectKind kind, json_t *document) {
        (void) bus_objects_put(objects(s), kind, document);
}

static void publish_manager(Syncd *s) {
        put(s, OBJECT_MANAGER,
            json_pack("{s:s, s:s, s:I, s:I}", "version", PROJECT_VERSION, "instance", s->instance,
                      "operations_running", (json_int_t) queue_n_running(s->queue), "operations_waiting",
                      (json_int_t) queue_n_waiting(s->queue)));
}

void publish_pair(Syncd *s, const char *name) {
        const Pair *pair = pairs_find(s->pairs, name);

        if (s->bus && pair)
                put(s, OBJECT_PAIR, pair_document(s, pair));
}

/* The oldest makes room. */
static void finished_add(Syncd *s, const char *id) {
        for (size_t i = 0; i < s->n_finished; i++)
                if (text_equal(s->finished[i], id))
                        return;
        if (s->n_finished == OBJECTS_FINISHED_MAX) {
                bus_objects_drop(objects(s), OBJECT_OPERATION, s->finished[0]);
                memmove(s->finished[0], s->finished[1], sizeof(s->finished) - sizeof(s->finished[0]));
                s->n_finished--;
        }
        memcpy(s->finished[s->n_finished++], id, UUID_TEXT_SIZE);
}

static void operation_signal(Syncd *s, const Operation *o) {
        _cleanup_free_ char *path = bus_object_path(&bus_sync1, OBJECT_OPERATION, o->id);
        const char *kind = operation_kind_to_string(o->kind);

        if (!path)
                return;
        if (operation_status_is_final(o->status))
                bus_objects_signal(objects(s), "OperationFinished", "osss", path, o->sync_pair_id, kind,
                                   operation_status_to_string(o->status));
        else if (o->status == OPERATION_RUNNING && o->n_attempts == 1)
                bus_objects_signal(objects(s), "OperationStarted", "oss", path, o->sync_pair_id, kind);
}

void publish_operation(Syncd *s, const Operation *o) {
        Live *live = live_find(&s->live, o->id);

        if (!s->bus)
                return;
        put(s, OBJECT_OPERATION, live ? live_answer(s, live) : operation_with_progress(o));
        if (live)
                live->is_dirty = false;
        if (operation_status_is_final(o->status))
                finished_add(s, o->id);
        publish_pair(s, o->sync_pair_id);
        publish_manager(s);
        operation_signal(s, o);
}

static int on_publish(sd_event_source *source, uint64_t usec, void *userdata) {
        Syncd *s = userdata;

        event_source_drop(&s->publish);
        for (Live *live = s->live.first; live; live = live->next) {
                if (!live->is_dirty)
                        continue;
                live->is_dirty = false;
                put(s, OBJECT_OPERATION, live_answer(s, live));
        }
        return 0;
}

void publish_progress(Syncd *s) {
        if (s->bus && !s->publish &&
            event_timer_set(s->event, &s->publish, PUBLISH_USEC, "publish", on_publish, s) < 0)
                return; /* the next hint tries again */
}

void publish_finding(Syncd *s, const json_t *hint) {
        const char *id = json_member_text(hint, "operation_id"), *entity = json_member_text(hint, "entity");
        const json_t *finding = json_object_get(hint, "finding");
        const Live *live = id ? live_find(&s->live, id) : NULL;
        _cleanup_free_ char *path = live ? bus_object_path(&bus_sync1, OBJECT_OPERATION, live->operation->id)
                                         : NULL;

        if (s->bus && path && entity)
                bus_objects_signal(
                        objects(s), "FindingRaised", "osssss", path, live->operation->sync_pair_id, entity,
                        json_member_text(finding, "severity") ?: "error",
                        json_member_text(finding, "rule") ?: "", json_member_text(finding, "field") ?: "");
}

void publish_configuration(Syncd *s) {
        json_auto_t *names = json_array(), *systems = json_array();

        if (!s->bus || !names || !systems)
                return;
        for (size_t i = 0; i < s->pairs->n_pairs; i++)
                (void) json_array_append_new(names, json_string(s->pairs->pairs[i]->name));
        for (size_t i = 0; i < s->pairs->n_broken; i++)
                (void) json_array_append_new(names, json_string(s->pairs->broken[i].name));
        for (size_t i = 0; i < s->settings->n_systems; i++)
                (void) json_array_append_new(systems, json_string(s->settings->systems[i]->name));
        bus_objects_keep(objects(s), OBJECT_PAIR, names);
        bus_objects_keep(objects(s), OBJECT_SYSTEM, systems);
        for (size_t i = 0; i < s->pairs->n_pairs; i++)
                put(s, OBJECT_PAIR, pair_document(s, s->pairs->pairs[i]));
        for (size_t i = 0; i < s->pairs->n_broken; i++)
                put(s, OBJECT_PAIR, broken_pair_document(&s->pairs->broken[i]));
        for (size_t i = 0; i < s->settings->n_systems; i++)
                put(s, OBJECT_SYSTEM, system_document(s, s->settings->systems[i]));
        publish_manager(s);
}

/* ---- what was over before this start ---- */
typedef struct History {
        Syncd *syncd;
        json_t *operations; /* newest first */
} History;

static History *history_free(History *history) {
        if (!history)
                return NULL;
        json_decref(history->operations);
        free(history);
        return NULL;
}
DEFINE_CLEANUP(History, history_free)

static int on_old(const Operation *o, void *userdata) {
        if (!operation_status_is_final(o->status))
                return 0;
        return json_array_append_new(userdata, operation_with_progress(o)) < 0 ? -ENOMEM : 0;
}

static int work_history(Database *state, void *job, Error *error) {
        History *history = job;
        OperationFilter filter = {.kind = -1, .status = -1, .limit = OBJECTS_FINISHED_MAX};

        return operation_list(state, &filter, on_old, history->operations, NULL, error);
}

/* What has ended since then is newer than all of these. */
static void on_history(void *job, int r, Error *error) {
        _cleanup_(history_freep) History *history = job;
        Syncd *s = history->syncd;
        json_t *document;
        size_t i;

        if (r < 0 || s->is_stopping)
                return; /* the next start reads it again; lists have it meanwhile */
        json_array_foreach(history->operations, i, document) {
                const char *id = json_member_text(document, "id");
                bool is_shown = live_find(&s->live, id);

                for (size_t k = 0; k < s->n_finished; k++)
                        is_shown |= text_equal(s->finished[k], id);
                if (is_shown || s->n_finished == OBJECTS_FINISHED_MAX)
                        continue;
                memmove(s->finished[1], s->finished[0], s->n_finished * sizeof(s->finished[0]));
                memcpy(s->finished[0], id, UUID_TEXT_SIZE);
                s->n_finished++;
                put(s, OBJECT_OPERATION, json_incref(document));
        }
}

int publish_history(Syncd *s) {
        _cleanup_(history_freep) History *history = calloc(1, sizeof(History));
        _cleanup_error_ Error error = {};
        int r;

        if (!s->bus)
                return 0;
        if (!history)
                return -ENOMEM;
        history->syncd = s;
        history->operations = json_array();
        if (!history->operations)
                return -ENOMEM;
        r = store_submit(s->store, STORE_STATE, work_history, on_history, history, &error);
        if (r < 0)
                return r;
        (void) TAKE_PTR(history);
        return 0;
}
