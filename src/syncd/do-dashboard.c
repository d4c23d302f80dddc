/* SPDX-License-Identifier: Apache-2.0 */
/* The original's dashboard summaries, from true numbers. */
#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "store/operations.h"
#include "syncd/syncd.h"

#define USEC_PER_DAY      (24LL * 3600 * USEC_PER_SEC)
#define RECENT_OPERATIONS 5U

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the answer");
}

static int on_recent(const Operation *o, void *userdata) {
        return json_array_append_new(userdata, operation_to_json(o)) < 0 ? -ENOMEM : 0;
}

static int count_operations(Database *state, OperationFilter filter, json_t *rows, uint64_t *ret,
                            Error *error) {
        return operation_list(state, &filter, on_recent, rows, ret, error);
}

static int work_summary(Database *state, void *job, Error *error) {
        Query *q = job;
        json_auto_t *recent = json_array(), *today = json_array(), *rest = json_array();
        uint64_t n_all = 0, n_today = 0, n_completed = 0, n_failed = 0, n_ended;
        int r;

        r = count_operations(state, (OperationFilter){.kind = -1, .status = -1, .limit = RECENT_OPERATIONS},
                             recent, &n_all, error);
        if (r < 0)
                return r;
        r = count_operations(state, (OperationFilter){.kind = -1, .status = -1, .from = q->from, .limit = 1},
                             today, &n_today, error);
        if (r < 0)
                return r;
        r = count_operations(state, (OperationFilter){.kind = -1, .status = OPERATION_COMPLETED, .limit = 1},
                             rest, &n_completed, error);
        if (r < 0)
                return r;
        r = count_operations(state, (OperationFilter){.kind = -1, .status = OPERATION_FAILED, .limit = 1},
                             rest, &n_failed, error);
        if (r < 0)
                return r;
        n_ended = n_completed + n_failed;
        if (json_put(q->result, "operations_today", json_integer((json_int_t) n_today)) < 0 ||
            json_put(q->result, "operations_total", json_integer((json_int_t) n_all)) < 0 ||
            json_put(q->result, "success_rate",
                     json_real(n_ended == 0 ? 0.0 : 100.0 * (double) n_completed / (double) n_ended)) < 0 ||
            json_put(q->result, "recent_operations", TAKE_PTR(recent)) < 0)
                return no_memory(error);
        return 0;
}

int do_dashboard_summary(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        _cleanup_(query_freep) Query *q = NULL;
        int64_t now = timestamp_now();
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->from = now - now % USEC_PER_DAY;
        q->result = json_pack("{s:I, s:I}", "total_sync_pairs",
                              (json_int_t) (s->pairs->n_pairs + s->pairs->n_broken), "active_sync_pairs",
                              (json_int_t) s->pairs->n_pairs);
        if (!q->result)
                return no_memory(error);
        return query_submit(&q, STORE_STATE, work_summary, error);
}

static json_t *dashboard_pair(const Syncd *s, const Pair *pair) {
        const System *source = settings_system(s->settings, pair->source);
        const System *target = settings_system(s->settings, pair->target);

        return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:n}", "id", pair->name, "name",
                         json_text(pair->description ? pair->description : pair->name), "source_system",
                         pair->source, "target_system", pair->target, "source_connection",
                         json_text(source ? source->path : NULL), "target_connection",
                         json_text(target ? target->path : NULL), "status", "ACTIVE", "next_sync");
}

static int work_last_syncs(Database *state, void *job, Error *error) {
        Query *q = job;
        json_t *pair;
        size_t i;

        json_array_foreach(q->result, i, pair) {
                json_auto_t *last = operation_newest(state, json_member_text(pair, "id"), false,
                                                     OPERATION_COMPLETED, error);

                if (!last)
                        return error_errno(error->id);
                if (json_put(pair, "last_sync", json_text(json_member_text(last, "end_time"))) < 0)
                        return no_memory(error);
        }
        return 0;
}

int do_dashboard_pairs(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->result = json_array();
        for (size_t i = 0; i < s->pairs->n_pairs; i++)
                if (json_array_append_new(q->result, dashboard_pair(s, s->pairs->pairs[i])) < 0)
                        return no_memory(error);
        return query_submit(&q, STORE_STATE, work_last_syncs, error);
}

static int on_failed(const Operation *o, void *userdata) {
        _cleanup_free_ char *text = error_to_text(&o->error);
        json_t *row = json_pack("{s:o, s:s, s:s, s:o, s:o}", "timestamp", json_timestamp(o->end_time),
                                "operation_id", o->id, "sync_pair_id", o->sync_pair_id, "error_message",
                                json_text(text), "details", json_text(o->error.remedy));

        return json_array_append_new(userdata, row) < 0 ? -ENOMEM : 0;
}

static int work_errors(Database *state, void *job, Error *error) {
        Query *q = job;
        OperationFilter filter = {.kind = -1, .status = OPERATION_FAILED, .limit = q->limit};

        q->result = json_array();
        return q->result ? operation_list(state, &filter, on_failed, q->result, NULL, error)
                         : no_memory(error);
}

int do_dashboard_errors(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->limit = (unsigned) api_request_integer(request, "limit", 10);
        return query_submit(&q, STORE_STATE, work_errors, error);
}
