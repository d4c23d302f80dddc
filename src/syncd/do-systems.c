/* SPDX-License-Identifier: Apache-2.0 */
/* Systems: what is configured, and checks of them. */
#include "basic/json.h"
#include "basic/text.h"
#include "syncd/syncd.h"

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the answer");
}

static int system_get(const Syncd *s, const char *name, const System **ret, Error *error) {
        _cleanup_free_ const char **names = NULL;
        _cleanup_free_ char *remedy = NULL;
        const char *nearest;

        *ret = settings_system(s->settings, name);
        if (*ret)
                return 0;
        names = calloc(s->settings->n_systems + 1, sizeof(char *));
        if (!names)
                return no_memory(error);
        for (size_t i = 0; i < s->settings->n_systems; i++)
                names[i] = s->settings->systems[i]->name;
        nearest = text_nearest(name, names, s->settings->n_systems);
        if (asprintf(&remedy, "%s%s%s`terrafusionctl systems` lists them", nearest ? "Did you mean \"" : "",
                     nearest ? nearest : "", nearest ? "\"? " : "") < 0)
                remedy = NULL;
        return error_set(error, ERROR_NOT_FOUND, remedy, "There is no system \"%s\"", name);
}

static int put_pairs(const Syncd *s, const System *system, json_t *object) {
        json_t *reads = json_array(), *writes = json_array();

        for (size_t i = 0; i < s->pairs->n_pairs; i++) {
                const Pair *pair = s->pairs->pairs[i];

                if (text_equal(pair->source, system->name))
                        (void) json_array_append_new(reads, json_string(pair->name));
                if (text_equal(pair->target, system->name))
                        (void) json_array_append_new(writes, json_string(pair->name));
        }
        if (json_put(object, "source_of", reads) < 0) {
                json_decref(writes);
                return -ENOMEM;
        }
        return json_put(object, "target_of", writes);
}

json_t *system_document(const Syncd *s, const System *system) {
        json_auto_t *object = system_to_json(system);

        if (!object || put_pairs(s, system, object) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static int put_last_check(Database *state, json_t *system, Error *error) {
        _cleanup_free_ char *check = NULL;
        json_t *last;

        if (asprintf(&check, "system:%s", json_member_text(system, "name")) < 0) {
                check = NULL;
                return no_memory(error);
        }
        last = operation_newest(state, check, true, -1, error);
        if (!last)
                return error_errno(error->id);
        return json_put(system, "last_check", last) < 0 ? no_memory(error) : 0;
}

static int work_last_checks(Database *state, void *job, Error *error) {
        Query *q = job;
        json_t *system;
        size_t i;
        int r;

        if (json_is_object(q->result))
                return put_last_check(state, q->result, error);
        json_array_foreach(q->result, i, system) {
                r = put_last_check(state, system, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int do_system_list(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        _cleanup_(query_freep) Query *q = NULL;
        int r;

        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->result = json_array();
        for (size_t i = 0; i < s->settings->n_systems; i++)
                if (json_array_append_new(q->result, system_document(s, s->settings->systems[i])) < 0)
                        return no_memory(error);
        return query_submit(&q, STORE_STATE, work_last_checks, error);
}

int do_system_show(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(query_freep) Query *q = NULL;
        const System *system = NULL;
        int r;

        r = system_get(daemon, api_request_text(request, "name"), &system, error);
        if (r < 0)
                return r;
        r = query_new(daemon, request, &q, error);
        if (r < 0)
                return r;
        q->result = system_document(daemon, system);
        if (!q->result)
                return no_memory(error);
        return query_submit(&q, STORE_STATE, work_last_checks, error);
}

int do_system_check(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_free_ char *target = NULL;
        const System *system = NULL;
        Operation *o = NULL;
        int r;

        r = system_get(daemon, api_request_text(request, "name"), &system, error);
        if (r < 0)
                return r;
        if (asprintf(&target, "system:%s", system->name) < 0)
                return no_memory(error);
        r = operation_asked(request, target, OPERATION_CHECK, &o, error);
        if (r < 0)
                return r;
        return operation_start(daemon, request, o, false, error);
}
