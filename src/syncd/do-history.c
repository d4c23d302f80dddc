/* SPDX-License-Identifier: Apache-2.0 */
/* What an operation did, and what was said of it: its changes from our journal of changes, its lines from the
 * system's. */
#include "basic/json.h"
#include "basic/log.h"
#include "monitor/event-log.h"
#include "store/journal.h"
#include "store/operations.h"
#include "syncd/syncd.h"

#define CHANGES_LIMIT 100
#define LINES_LIMIT   1000

static int work_changes(Database *state, void *job, Error *error) {
        Query *q = job;
        _cleanup_operation_ Operation *o = NULL;
        int r;

        r = operation_load(state, q->id, &o, error);
        if (r < 0)
                return r;
        return journal_changes(q->state_directory, o->sync_pair_id, q->id, q->limit, q->offset, &q->result,
                               error);
}

int do_operation_changes(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_by_operation(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->limit = (unsigned) api_request_integer(request, "limit", CHANGES_LIMIT);
        q->offset = (unsigned) api_request_integer(request, "offset", 0);
        return query_submit(&q, STORE_STATE, work_changes, error);
}

/* TERRAFUSION_JOURNAL names a folder of journal files: for tests, and for a journal that was brought from
 * another machine. */
static int work_log(Database *state, void *job, Error *error) {
        const char *directory = getenv("TERRAFUSION_JOURNAL");
        _cleanup_operation_ Operation *o = NULL;
        Query *q = job;
        bool more = false;
        int r;

        r = operation_load(state, q->id, &o, error);
        if (r < 0)
                return r;
        if (!directory && !log_is_journal())
                return error_set(
                        error, ERROR_NO_JOURNAL,
                        "Look at the output of terrafusion-gateway: each line of an operation carries its "
                        "OPERATION_ID",
                        "This service does not log to the journal but to its standard error");
        r = event_log_read(directory, q->id, api_request_text(q->request, "cursor"), q->limit, &q->result,
                           &more, error);
        q->number = more;
        return r;
}

static void finish_log(Query *q) {
        const json_t *last = json_array_get(q->result, json_array_size(q->result) - 1);
        const char *cursor = json_member_text(last, "cursor");
        _cleanup_free_ char *link = NULL;

        if (!q->number || !cursor)
                return;
        if (asprintf(&link, "</api/sync/operations/%s/log?limit=%u&cursor=%s>; rel=\"next\"", q->id,
                     q->limit, cursor) < 0)
                link = NULL;
        if (link)
                api_request_header(q->request, "Link", link);
}

int do_operation_log(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_by_operation(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->limit = (unsigned) api_request_integer(request, "limit", LINES_LIMIT);
        q->finish = finish_log;
        return query_submit(&q, STORE_STATE, work_log, error);
}
