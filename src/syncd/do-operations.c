/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for operations: lists, one, active ones, cancelling, findings, totals. */
#include <inttypes.h>

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/log.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "store/operations.h"
#include "store/quarantine.h"
#include "syncd/syncd.h"

#define LIST_LIMIT     10 /* the original's */
#define FINDINGS_LIMIT 100
#define USEC_PER_DAY   (24LL * 3600 * USEC_PER_SEC)

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the answer");
}

static int time_argument(ApiRequest *request, const char *name, int64_t *ret, Error *error) {
        const char *text = api_request_text(request, name);
        bool has_zone;

        if (!text || timestamp_parse(text, strlen(text), ret, &has_zone) >= 0)
                return 0;
        (void) error_set(error, ERROR_ARGUMENT, "Write it like 2026-11-24T08:00:00+00:00",
                         "\"%s\" is no time", text);
        return error_field(error, name);
}

static int on_listed(const Operation *o, void *userdata) {
        return json_array_append_new(userdata, operation_with_progress(o)) < 0 ? -ENOMEM : 0;
}

static int work_list(Database *state, void *job, Error *error) {
        Query *q = job;
        OperationFilter filter = {.sync_pair_id = q->pair,
                                  .kind = q->kind,
                                  .status = q->status,
                                  .from = q->from,
                                  .to = q->to,
                                  .limit = q->limit,
                                  .offset = q->offset};

        q->result = json_array();
        if (!q->result)
                return no_memory(error);
        return operation_list(state, &filter, on_listed, q->result, &q->total, error);
}

/* What runs has moved on since it was last written. */
static void overlay_live(Query *q) {
        json_t *item;
        size_t i;

        json_array_foreach(q->result, i, item) {
                const Live *live = live_find(&q->syncd->live, json_member_text(item, "id"));
                json_t *fresh = live ? live_answer(q->syncd, live) : NULL;

                if (fresh)
                        (void) json_array_set_new(q->result, i, fresh);
        }
}

static void put_link(Query *q) {
        const char *path = api_request_path(q->request);
        _cleanup_free_ char *link = NULL, *rest = NULL;
        const json_t *args = api_request_args(q->request);
        static const char *const names[] = {"sync_pair_id", "status", "kind", "from", "to"};

        if (q->offset + q->limit >= q->total)
                return;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *value = json_member_text(args, names[i]);
                char *longer = NULL;

                /* a '+' of a time zone would be read as a space */
                if (!value || strchr(value, '+') || strchr(value, '&') || strchr(value, '%'))
                        continue;
                if (asprintf(&longer, "%s%s=%s&", rest ? rest : "", names[i], value) < 0)
                        return;
                free(rest);
                rest = longer;
        }
        if (asprintf(&link, "<%.*s?%slimit=%u&offset=%u>; rel=\"next\"", (int) strcspn(path, "?"), path,
                     rest ? rest : "", q->limit, q->offset + q->limit) < 0) {
                link = NULL;
                return;
        }
        api_request_header(q->request, "Link", link);
}

static void put_total(Query *q) {
        _cleanup_free_ char *total = NULL;

        if (asprintf(&total, "%" PRIu64, q->total) < 0)
                total = NULL;
        if (total)
                api_request_header(q->request, "X-Total-Count", total);
        put_link(q);
}

static void finish_list(Query *q) {
        if (q->total == 0)
                query_refuse_unknown_pair(q);
        overlay_live(q);
        put_total(q);
}

int do_operation_list(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        const char *kind = api_request_text(request, "kind"), *status = api_request_text(request, "status");
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        r = query_of_pair(q, error);
        if (r < 0)
                return r;
        r = time_argument(request, "from", &q->from, error);
        if (r < 0)
                return r;
        r = time_argument(request, "to", &q->to, error);
        if (r < 0)
                return r;
        q->kind = kind ? (int) operation_kind_from_string(kind) : -1;
        q->status = status ? (int) operation_status_from_string(status) : -1;
        q->limit = (unsigned) api_request_integer(request, "limit", LIST_LIMIT);
        q->offset = (unsigned) api_request_integer(request, "offset", 0);
        q->finish = finish_list;
        return query_submit(&q, STORE_STATE, work_list, error);
}

static int work_show(Database *state, void *job, Error *error) {
        Query *q = job;
        _cleanup_operation_ Operation *o = NULL;
        json_t *attempts = NULL;
        int r;

        r = operation_load(state, q->id, &o, error);
        if (r < 0)
                return r;
        r = operation_attempts(state, q->id, &attempts, error);
        if (r < 0)
                return r;
        q->result = operation_with_progress(o);
        return !q->result || json_put(q->result, "attempt_list", attempts) < 0 ? no_memory(error) : 0;
}

static void finish_show(Query *q) {
        const Live *live = live_find(&q->syncd->live, q->id);
        json_auto_t *fresh = live ? live_answer(q->syncd, live) : NULL;

        if (fresh)
                (void) json_object_update(q->result, fresh);
}

int do_operation_show(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_by_operation(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->finish = finish_show;
        return query_submit(&q, STORE_STATE, work_show, error);
}

int do_operation_active(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        json_auto_t *array = json_array();

        for (const Live *live = s->live.first; live; live = live->next)
                if (json_array_append_new(array, live_answer(s, live)) < 0)
                        return no_memory(error);
        api_request_reply(request, TAKE_PTR(array));
        return 0;
}

static int work_cancel(Database *state, void *job, Error *error) {
        Query *q = job;
        int r;

        r = operation_cancel(state, q->id, error);
        q->number = r;
        return r < 0 ? r : 0;
}

static void log_cancel(const Query *q) {
        const Live *live = live_find(&q->syncd->live, q->id);
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s asked to cancel it over %s.", api_request_caller(q->request),
                     api_request_via(q->request)) < 0)
                text = NULL;
        log_event(LOG_NOTICE, MESSAGE_WRITE_REQUEST, text ? text : "Someone asked to cancel it.",
                  "OPERATION_ID", q->id, "SYNC_PAIR", live ? live->operation->sync_pair_id : NULL,
                  "API_KEY_NAME", api_request_caller(q->request), "REQUEST_ID", api_request_id(q->request),
                  NULL);
}

static void on_cancelled(void *job, int r, Error *error) {
        _cleanup_(query_freep) Query *q = job;

        if (r < 0) {
                api_request_fail(q->request, error);
                return;
        }
        log_cancel(q);
        manager_cancelled(q->syncd, q->id, q->number == 1, q->request);
}

int do_operation_cancel(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_by_operation(daemon, request, &q, error);
        if (r < 0)
                return r;
        r = store_submit(q->syncd->store, STORE_STATE, work_cancel, on_cancelled, q, error);
        if (r < 0)
                return r;
        (void) TAKE_PTR(q);
        return 0;
}

/* One held record → one row per finding, with whose record it is. */
static int findings_flatten(json_t *rows, const json_t *held, Error *error) {
        const json_t *finding;
        size_t i;

        json_array_foreach(json_object_get(held, "findings"), i, finding) {
                json_auto_t *row = json_deep_copy(finding);

                if (!row || json_put(row, "entity", json_incref(json_object_get(held, "entity"))) < 0 ||
                    json_put(row, "key", json_incref(json_object_get(held, "key"))) < 0 ||
                    json_array_append(rows, row) < 0)
                        return no_memory(error);
        }
        return 0;
}

static int work_findings(Database *state, void *job, Error *error) {
        Query *q = job;
        _cleanup_operation_ Operation *o = NULL;
        json_auto_t *rows = json_array();
        uint64_t total = 1;
        int r;

        r = operation_load(state, q->id, &o, error);
        if (r < 0)
                return r;
        for (unsigned offset = 0; offset < total; offset += OPERATIONS_LISTED_MAX) {
                json_auto_t *page = NULL;
                const json_t *held;
                size_t i;

                r = quarantine_list(q->state_directory, o->sync_pair_id, NULL, NULL, OPERATIONS_LISTED_MAX,
                                    offset, &page, &total, error);
                if (r < 0)
                        return r;
                json_array_foreach(page, i, held) {
                        if (!text_equal(json_member_text(held, "operation_id"), q->id))
                                continue;
                        r = findings_flatten(rows, held, error);
                        if (r < 0)
                                return r;
                }
                if (json_array_size(rows) >= (size_t) q->offset + q->limit)
                        break;
        }
        q->result = json_array();
        for (size_t i = q->offset;
             q->result && i < json_array_size(rows) && i < (size_t) q->offset + q->limit; i++)
                (void) json_array_append(q->result, json_array_get(rows, i));
        return q->result ? 0 : no_memory(error);
}

int do_operation_findings(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_by_operation(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->limit = (unsigned) api_request_integer(request, "limit", FINDINGS_LIMIT);
        q->offset = (unsigned) api_request_integer(request, "offset", 0);
        return query_submit(&q, STORE_STATE, work_findings, error);
}

static int work_totals(Database *state, void *job, Error *error) {
        Query *q = job;

        return operation_totals(state, q->pair, q->from, q->to, &q->result, error);
}

static void finish_totals(Query *q) {
        if (json_member_integer(q->result, "total_operations", 0) == 0)
                query_refuse_unknown_pair(q);
}

int do_sync_metrics(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        r = query_of_pair(q, error);
        if (r < 0)
                return r;
        q->finish = finish_totals;
        q->to = timestamp_now();
        q->from = q->to - api_request_integer(request, "days", 7) * USEC_PER_DAY;
        return query_submit(&q, STORE_STATE, work_totals, error);
}
