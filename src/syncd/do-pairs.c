/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs and systems: what is configured, how it stands, and checks of them. */
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "store/operations.h"
#include "store/quarantine.h"
#include "syncd/syncd.h"

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the answer");
}

static const char *pair_status(const Syncd *s, const char *name) {
        for (const Live *live = s->live.first; live; live = live->next)
                if (text_equal(live->operation->sync_pair_id, name) &&
                    !operation_kind_is_check(live->operation->kind))
                        return live->operation->status == OPERATION_RUNNING ? "RUNNING" : "WAITING";
        return "ACTIVE";
}

json_t *pair_document(const Syncd *s, const Pair *pair) {
        json_auto_t *object = pair_to_json(pair);

        if (!object || json_put(object, "status", json_string(pair_status(s, pair->name))) < 0 ||
            json_put(object, "error", json_null()) < 0)
                return NULL;
        return TAKE_PTR(object);
}

/* A pair whose file has mistakes is shown with the first of them: it would be missed if it were left out. */
json_t *broken_pair_document(const BrokenPair *broken) {
        json_auto_t *object = json_pack("{s:s, s:s, s:o}", "name", broken->name, "status", "BROKEN", "file",
                                        json_text(broken->file));
        json_t *error = NULL;

        if (!object || error_to_json(&broken->first, &error) < 0 || json_put(object, "error", error) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static int put_standing(Database *state, const char *state_directory, json_t *pair, Error *error) {
        const char *name = json_member_text(pair, "name");
        _cleanup_error_ Error unread = {};
        json_auto_t *held = NULL, *last = operation_newest(state, name, false, -1, error),
                    *completed = operation_newest(state, name, false, OPERATION_COMPLETED, error);
        const char *since = json_member_text(completed, "start_time");
        int64_t at = 0;
        uint64_t n_held = 0;
        bool has_zone, is_known;
        int r;

        if (error->id != ERROR_NONE)
                return error_errno(error->id);
        is_known = since && timestamp_parse(since, strlen(since), &at, &has_zone) >= 0;
        r = quarantine_list(state_directory, name, NULL, NULL, 1, 0, &held, &n_held, &unread);
        if (json_put(pair, "last_operation", json_incref(last)) < 0 ||
            json_put(pair, "last_completed", json_incref(completed)) < 0 ||
            json_put(pair, "lag_seconds",
                     is_known ? json_integer((timestamp_now() - at) / USEC_PER_SEC) : json_null()) < 0 ||
            json_put(pair, "quarantined", r < 0 ? json_null() : json_integer((json_int_t) n_held)) < 0)
                return no_memory(error);
        return 0;
}

static int work_standing(Database *state, void *job, Error *error) {
        Query *q = job;
        json_t *item;
        size_t i;
        int r;

        if (json_is_object(q->result))
                return json_member_text(q->result, "description") || json_object_get(q->result, "entities")
                               ? put_standing(state, q->state_directory, q->result, error)
                               : 0;
        json_array_foreach(q->result, i, item) {
                r = put_standing(state, q->state_directory, item, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int do_pair_list(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->result = json_array();
        for (size_t i = 0; i < s->pairs->n_pairs; i++)
                if (json_array_append_new(q->result, pair_document(s, s->pairs->pairs[i])) < 0)
                        return no_memory(error);
        for (size_t i = 0; i < s->pairs->n_broken; i++)
                if (json_array_append_new(q->result, broken_pair_document(&s->pairs->broken[i])) < 0)
                        return no_memory(error);
        return query_submit(&q, STORE_STATE, work_standing, error);
}

int do_pair_show(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        const char *name = api_request_text(request, "name");
        const BrokenPair *broken = pairs_find_broken(s->pairs, name);
        _cleanup_(query_freep) Query *q = NULL;
        const Pair *pair = pairs_find(s->pairs, name);
        int r;

        if (!pair && !broken)
                return pairs_get(s->pairs, name, &pair, error);
        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->result = pair ? pair_document(s, pair) : broken_pair_document(broken);
        if (!q->result)
                return no_memory(error);
        return query_submit(&q, STORE_STATE, work_standing, error);
}

/* An operation of that kind, which the worker reports of. */
static int report_start(Syncd *s, ApiRequest *request, OperationKind kind, Error *error) {
        _cleanup_operation_ Operation *o = NULL;
        const char *name = api_request_text(request, "name");
        const BrokenPair *broken = pairs_find_broken(s->pairs, name);
        const Pair *pair = NULL;
        int r;

        /* The worker reads the file as it is now: one that had mistakes may be mended, or it tells what it has. */
        r = broken ? 0 : pairs_get(s->pairs, name, &pair, error);
        if (r < 0)
                return r;
        r = operation_asked(request, broken ? broken->name : pair->name, kind, &o, error);
        if (r < 0)
                return r;
        if (json_member_true(api_request_args(request), "grants") && json_put(o->parameters, "grants", json_true()) < 0)
                return no_memory(error);
        return operation_start(s, request, TAKE_PTR(o), false, error);
}

int do_pair_check(void *daemon, ApiRequest *request, Error *error) { return report_start(daemon, request, OPERATION_CHECK, error); }

int do_pair_query_plan(void *daemon, ApiRequest *request, Error *error) {
        return report_start(daemon, request, OPERATION_QUERY_PLAN, error);
}
