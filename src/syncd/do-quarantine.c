/* SPDX-License-Identifier: Apache-2.0 */
/* Records that are held back. Each pair's file numbers its own, so that the id people see is PAIR:NUMBER. */
#include <inttypes.h>

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "store/quarantine.h"
#include "syncd/syncd.h"

#define LIST_LIMIT 100

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the answer");
}

static int held_name(json_t *held, const char *pair) {
        json_t *id = json_sprintf("%s:%" PRId64, pair, json_member_integer(held, "id", 0));

        return json_put(held, "id", id);
}

/* Pair after pair, as if they were one list. */
static int work_list(Database *state, void *job, Error *error) {
        Query *q = job;
        unsigned skip = q->offset;

        q->result = json_array();
        for (size_t i = 0; q->pairs && q->pairs[i]; i++) {
                unsigned left = q->limit - (unsigned) json_array_size(q->result);
                json_auto_t *page = NULL;
                uint64_t total = 0;
                json_t *held;
                size_t k;
                int r;

                r = quarantine_list(q->state_directory, q->pairs[i], q->entity, NULL, left > 0 ? left : 1,
                                    skip, &page, &total, error);
                if (r < 0)
                        return r;
                q->total += total;
                skip = skip > total ? skip - (unsigned) total : 0;
                json_array_foreach(page, k, held) if (k < left && (held_name(held, q->pairs[i]) < 0 ||
                                                                   json_array_append(q->result, held) <
                                                                           0)) return no_memory(error);
        }
        return 0;
}

static void finish_list(Query *q) {
        _cleanup_free_ char *total = NULL;

        if (asprintf(&total, "%" PRIu64, q->total) < 0)
                total = NULL;
        if (total)
                api_request_header(q->request, "X-Total-Count", total);
}

int do_quarantine_list(void *daemon, ApiRequest *request, Error *error) {
        const char *entity = api_request_text(request, "entity");
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        r = pairs_wanted(daemon, api_request_text(request, "sync_pair_id"), &q->pairs, error);
        if (r < 0)
                return r;
        q->entity = entity ? strdup(entity) : NULL;
        q->limit = (unsigned) api_request_integer(request, "limit", LIST_LIMIT);
        q->offset = (unsigned) api_request_integer(request, "offset", 0);
        q->finish = finish_list;
        return query_submit(&q, STORE_FILES, work_list, error);
}

static int work_show(Database *state, void *job, Error *error) {
        Query *q = job;
        int r;

        r = quarantine_show(q->state_directory, q->pair, q->number, &q->result, error);
        if (r < 0)
                return r;
        return held_name(q->result, q->pair) < 0 ? no_memory(error) : 0;
}

int do_quarantine_show(void *daemon, ApiRequest *request, Error *error) {
        const char *id = api_request_text(request, "id"), *colon = strrchr(id, ':');
        const PairSet *pairs = ((const Syncd *) daemon)->pairs;
        _cleanup_(query_freep) Query *q = NULL;
        const Pair *pair = NULL;
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        if (!colon || text_to_int64(colon + 1, 1, INT64_MAX, &q->number) < 0) {
                (void) error_set(error, ERROR_NOT_FOUND,
                                 "Take it from `terrafusionctl quarantine`, like pacs_to_cama:12",
                                 "There is no held record \"%s\"", id);
                return error_field(error, "id");
        }
        q->pair = strndup(id, (size_t) (colon - id));
        if (!q->pair)
                return no_memory(error);
        pair = pairs_find(pairs, q->pair);
        if (!pair && !pairs_find_broken(pairs, q->pair))
                return pairs_get(pairs, q->pair, &pair, error);
        if (pair && !text_equal(pair->name, q->pair)) {
                free(q->pair);
                q->pair = strdup(pair->name);
                if (!q->pair)
                        return no_memory(error);
        }
        return query_submit(&q, STORE_FILES, work_show, error);
}
