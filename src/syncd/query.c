/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/json.h"
#include "basic/text.h"
#include "store/operations.h"
#include "syncd/syncd.h"

int query_new(Syncd *s, ApiRequest *request, Query **ret, Error *error) {
        _cleanup_(query_freep) Query *q = calloc(1, sizeof(Query));

        if (!q)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query");
        q->syncd = s;
        q->request = api_request_ref(request);
        q->kind = q->status = -1;
        q->state_directory = strdup(s->settings->state_directory);
        if (!q->state_directory)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query");
        *ret = TAKE_PTR(q);
        return 0;
}

Query *query_free(Query *q) {
        if (!q)
                return NULL;
        api_request_unref(q->request);
        json_decref(q->result);
        free(q->state_directory);
        free(q->pair);
        free(q->id);
        free(q->entity);
        strings_free(q->pairs);
        free(q);
        return NULL;
}

int query_by_operation(Syncd *s, ApiRequest *request, Query **ret, Error *error) {
        const char *id = api_request_text(request, "id");
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        if (!uuid_is_valid(id)) {
                (void) error_set(error, ERROR_NOT_FOUND, "`terrafusionctl operations` lists what there is",
                                 "There is no operation \"%s\"", id);
                return error_field(error, "id");
        }
        r = query_new(s, request, &q, error);
        if (r < 0)
                return r;
        q->id = strdup(id);
        if (!q->id)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query");
        *ret = TAKE_PTR(q);
        return 0;
}

int query_of_pair(Query *q, Error *error) {
        const char *asked = api_request_text(q->request, "sync_pair_id");
        const Pair *pair = asked ? pairs_find(q->syncd->pairs, asked) : NULL;

        if (!asked)
                return 0;
        q->pair = strdup(pair ? pair->name : asked);
        return q->pair ? 0 : error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query");
}

int pairs_wanted(const Syncd *s, const char *asked, char ***ret, Error *error) {
        const Pair *pair = NULL;
        int r;

        if (asked) {
                const BrokenPair *broken = pairs_find_broken(s->pairs, asked);

                r = broken ? 0 : pairs_get(s->pairs, asked, &pair, error);
                if (r < 0) {
                        error_field(error, "sync_pair_id");
                        return r;
                }
                return strings_append(ret, broken ? broken->name : pair->name) < 0 ? error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query") : 0;
        }
        for (size_t i = 0; i < s->pairs->n_pairs; i++)
                if (strings_append(ret, s->pairs->pairs[i]->name) < 0)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query");
        for (size_t i = 0; i < s->pairs->n_broken; i++)
                if (strings_append(ret, s->pairs->broken[i].name) < 0)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query");
        return 0;
}

void query_refuse_unknown_pair(Query *q) {
        _cleanup_error_ Error error = {};
        const Pair *pair = NULL;
        const Syncd *s = q->syncd;

        if (!q->pair || pairs_find_broken(s->pairs, q->pair) ||
            (text_starts_with(q->pair, "system:") && settings_system(s->settings, q->pair + strlen("system:"))) ||
            pairs_get(s->pairs, q->pair, &pair, &error) >= 0)
                return;
        (void) error_field(&error, "sync_pair_id");
        api_request_fail(q->request, &error);
}

static void on_queried(void *job, int r, Error *error) {
        _cleanup_(query_freep) Query *q = job;

        if (r < 0) {
                if (error->id == ERROR_NONE)
                        (void) error_set(error, error_from_errno(r), NULL,
                                         "The state store could not answer: %s", strerror(-r));
                if (error_class(error->id) == ERROR_CLASS_TRANSIENT)
                        api_request_header(q->request, "Retry-After", "5");
                api_request_fail(q->request, error);
                return;
        }
        if (q->finish)
                q->finish(q);
        api_request_reply(q->request, TAKE_PTR(q->result));
}

int query_submit(Query **q, StoreNeed need, store_work_t work, Error *error) {
        int r;

        r = store_submit((*q)->syncd->store, need, work, on_queried, *q, error);
        if (r < 0)
                return r;
        *q = NULL;
        return 0;
}

#define NEWEST_LOOKED_AT 20U /* checks between two runs are few */

typedef struct Newest {
        json_t *found;
        bool checks;
} Newest;

static int on_newest(const Operation *o, void *userdata) {
        Newest *newest = userdata;

        if (newest->found || operation_kind_is_check(o->kind) != newest->checks)
                return 0;
        newest->found = json_pack(
                "{s:s, s:s, s:s, s:o, s:o, s:o}", "id", o->id, "kind", operation_kind_to_string(o->kind),
                "status", operation_status_to_string(o->status), "start_time", json_timestamp(o->start_time),
                "end_time", json_timestamp(o->end_time), "error", json_text(o->error.detail));
        return newest->found ? 0 : -ENOMEM;
}

json_t *operation_newest(Database *state, const char *pair, bool checks, int status, Error *error) {
        OperationFilter filter = {.sync_pair_id = pair,
                                  .kind = checks ? (int) OPERATION_CHECK : -1,
                                  .status = status,
                                  .limit = NEWEST_LOOKED_AT};
        Newest newest = {.checks = checks};

        if (operation_list(state, &filter, on_newest, &newest, NULL, error) < 0) {
                json_decref(newest.found);
                return NULL;
        }
        return newest.found ? newest.found : json_null();
}
