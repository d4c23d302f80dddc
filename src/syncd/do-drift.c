/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that changed under the mappings: what the workers found, and the word that lets a pair go on. */
#include "basic/log.h"
#include "store/schema.h"
#include "syncd/syncd.h"

static int work_list(Database *state, void *job, Error *error) {
        Query *q = job;

        q->result = json_array();
        if (!q->result)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the answer");
        for (char *const *pair = q->pairs; pair && *pair; pair++) {
                int r = drift_list(q->state_directory, *pair, q->result, error);

                if (r < 0)
                        return r;
        }
        return 0;
}

int do_drift_list(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_new(daemon, request, &q, error);
        if (r >= 0)
                r = pairs_wanted(daemon, api_request_text(request, "sync_pair_id"), &q->pairs, error);
        return r < 0 ? r : query_submit(&q, STORE_FILES, work_list, error);
}

/* The worker does it: it alone writes the pair's file, and sees the columns as they are then. */
int do_drift_accept(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_free_ char *text = NULL;
        const Syncd *s = daemon;
        const Pair *pair = NULL;
        Operation *o = NULL;
        int r;

        r = pairs_get(s->pairs, api_request_text(request, "name"), &pair, error);
        if (r < 0)
                return r;
        r = operation_asked(request, pair->name, OPERATION_DRIFT_ACCEPT, &o, error);
        if (r < 0)
                return r;
        if (asprintf(&text, "%s accepts the columns of %s as they are.", api_request_caller(request), pair->name) < 0)
                text = NULL;
        log_event(LOG_NOTICE, MESSAGE_WRITE_REQUEST, text ? text : "Somebody accepts the columns of a pair as they are.", "OPERATION_ID", o->id,
                  "SYNC_PAIR", pair->name, "API_KEY_NAME", api_request_caller(request), "REQUEST_ID", api_request_id(request), NULL);
        return operation_start(daemon, request, o, false, error);
}
