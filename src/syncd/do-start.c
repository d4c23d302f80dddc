/* SPDX-License-Identifier: Apache-2.0 */
/* Starting operations: arguments → operation → state store → queue → answer. */
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/log.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "model/guard.h"
#include "store/operations.h"
#include "syncd/syncd.h"

static const struct {
        const char *name;
        json_type type;
} options_known[] = {{"allow", JSON_ARRAY}, {"hours", JSON_INTEGER}};

typedef struct Start {
        Syncd *syncd;
        ApiRequest *request;
        Operation *operation, *earlier; /* earlier: what the Idempotency-Key has started before */
        bool is_original;
} Start;

static Start *start_free(Start *start) {
        api_request_unref(start->request);
        operation_free(start->operation);
        operation_free(start->earlier);
        free(start);
        return NULL;
}
DEFINE_CLEANUP(Start, start_free)

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to start an operation");
}

static int text_copy(const char *text, char **ret) {
        if (!text)
                return 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

int operation_asked(ApiRequest *request, const char *pair, OperationKind kind, Operation **ret,
                    Error *error) {
        _cleanup_operation_ Operation *o = operation_new();

        if (!o || uuid_new_v7(o->id) < 0)
                return no_memory(error);
        o->kind = kind;
        o->status = OPERATION_PENDING;
        o->created_at = timestamp_now();
        if (!o->parameters)
                o->parameters = json_object();
        if (!o->parameters || text_copy(pair, &o->sync_pair_id) < 0 ||
            text_copy(api_request_caller(request), &o->requested_by) < 0 ||
            text_copy(api_request_via(request), &o->via) < 0 ||
            text_copy(api_request_id(request), &o->request_id) < 0 ||
            text_copy(api_request_idempotency_key(request), &o->idempotency_key) < 0)
                return no_memory(error);
        *ret = TAKE_PTR(o);
        return 0;
}

static int allow_check(const json_t *allow, unsigned scopes, Error *error) {
        const json_t *item;
        size_t i;

        json_array_foreach(allow, i, item) {
                const char *name = json_string_value(item), *nearest = NULL;
                _cleanup_free_ char *remedy = NULL;

                if (guard_from_string(name) != _GUARD_INVALID)
                        continue;
                nearest = name ? guard_nearest(name) : NULL;
                if (asprintf(&remedy, "Guards are " GUARD_NAMES "%s%s%s",
                             nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                             nearest ? "\"?" : "") < 0)
                        remedy = NULL;
                (void) error_set(error, ERROR_ARGUMENT, remedy, "There is no guard \"%s\"",
                                 name ? name : "(no text)");
                return error_field(error, "allow");
        }
        if (json_array_size(allow) > 0 && !scopes_allow(scopes, SCOPE_ADMIN))
                return error_set(error, ERROR_FORBIDDEN,
                                 "Ask someone with an admin key, or raise the pair's limit under `guards:`",
                                 "To go on in spite of a guard needs the scope admin");
        return 0;
}

/* Known options are as arguments of their own; anything else is refused by name. */
static int options_merge(json_t *parameters, const json_t *options, Error *error) {
        const char *name;
        json_t *value;

        json_object_foreach((json_t *) options, name, value) {
                size_t k = 0;

                while (k < ELEMENTSOF(options_known) && !text_equal(options_known[k].name, name))
                        k++;
                if (k == ELEMENTSOF(options_known)) {
                        (void) error_set(error, ERROR_ARGUMENT,
                                         "Options are allow (an array of guards) and hours (an integer)",
                                         "There is no option \"%s\"", name);
                        return error_field(error, "options");
                }
                if (json_typeof(value) != options_known[k].type ||
                    (json_is_integer(value) && json_integer_value(value) < 1)) {
                        (void) error_set(
                                error, ERROR_ARGUMENT,
                                "Options are allow (an array of guards) and hours (an integer above 0)",
                                "The option \"%s\" has a value of the wrong type", name);
                        return error_field(error, "options");
                }
                if (json_object_set(parameters, name, value) < 0)
                        return no_memory(error);
        }
        return 0;
}

/* The caller's own params are kept with the operation, but may not pretend to be options: those are checked.
 */
static int params_merge(json_t *parameters, const json_t *params, Error *error) {
        for (size_t k = 0; k < ELEMENTSOF(options_known); k++)
                if (json_object_get(params, options_known[k].name)) {
                        (void) error_set(
                                error, ERROR_ARGUMENT, "Give it as a member of the body beside params",
                                "\"%s\" is an option and cannot be one of params", options_known[k].name);
                        return error_field(error, "params");
                }
        return params && json_object_update(parameters, (json_t *) params) < 0 ? no_memory(error) : 0;
}

static int parameters_fill(Operation *o, ApiRequest *request, Error *error) {
        const json_t *args = api_request_args(request);
        int r;

        r = params_merge(o->parameters, json_object_get(args, "params"), error);
        if (r < 0)
                return r;
        r = options_merge(o->parameters, json_object_get(args, "options"), error);
        if (r < 0)
                return r;
        for (size_t k = 0; k < ELEMENTSOF(options_known); k++) {
                json_t *value = json_object_get(args, options_known[k].name);

                if (value && json_object_set(o->parameters, options_known[k].name, value) < 0)
                        return no_memory(error);
        }
        return allow_check(json_object_get(o->parameters, "allow"), api_request_scopes(request), error);
}

static int entity_unknown(const Pair *pair, const char *name, Error *error) {
        _cleanup_free_ const char **names = calloc(pair->n_mappings + 1, sizeof(char *));
        _cleanup_free_ char *remedy = NULL;
        const char *nearest = NULL;

        for (size_t i = 0; names && i < pair->n_mappings; i++)
                names[i] = pair->mappings[i].entity;
        if (names)
                nearest = text_nearest(name, names, pair->n_mappings);
        if (asprintf(&remedy, "%s%s%s`terrafusionctl pairs` lists the entities",
                     nearest ? "Did you mean \"" : "", nearest ? nearest : "", nearest ? "\"? " : "") < 0)
                remedy = NULL;
        (void) error_set(error, ERROR_ARGUMENT, remedy, "The pair \"%s\" has no entity \"%s\"", pair->name,
                         name);
        return error_field(error, "entity_types");
}

/* Aliases become the entities' own names, each once. An empty list means all, as none does. */
static int entities_fill(Operation *o, const Pair *pair, const json_t *entities, Error *error) {
        const json_t *item;
        size_t i;

        json_array_foreach(entities, i, item) {
                const char *name = json_string_value(item);
                const Mapping *mapping = name ? pair_mapping(pair, name) : NULL;

                if (!mapping)
                        return entity_unknown(pair, name ? name : "", error);
                if (o->entity_types && strings_contain(o->entity_types, mapping->entity))
                        continue;
                if (strings_append(&o->entity_types, mapping->entity) < 0)
                        return no_memory(error);
        }
        return 0;
}

static json_t *entities_of(const Operation *o, const Pair *pair) {
        json_auto_t *array = json_array();

        for (size_t i = 0; o->entity_types && o->entity_types[i]; i++)
                (void) json_array_append_new(array, json_string(o->entity_types[i]));
        for (size_t i = 0; !o->entity_types && pair && i < pair->n_mappings; i++)
                (void) json_array_append_new(array, json_string(pair->mappings[i].entity));
        return TAKE_PTR(array);
}

/* The original's answer to /api/sync/full and /api/sync/incremental. RUNNING is what it says of one that was
 * just taken on; ours says truthfully when it waits. */
static json_t *original_answer(const Syncd *s, const Operation *o) {
        bool is_full = o->kind == OPERATION_FULL;
        json_auto_t *object = json_pack(
                "{s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "id", o->id, "sync_pair_id", o->sync_pair_id,
                "sync_type", is_full ? "FULL" : "INCREMENTAL", "status",
                operation_status_to_string(o->status), "start_time",
                json_timestamp(o->start_time ? o->start_time : o->created_at), "entity_types",
                entities_of(o, pairs_find(s->pairs, o->sync_pair_id)), "message", "Sync operation started");

        if (object && !is_full &&
            json_put(object, "hours", json_integer(json_member_integer(o->parameters, "hours", 24))) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static void answer(const Start *start, const Operation *o) {
        const Live *live = live_find(&start->syncd->live, o->id);
        _cleanup_free_ char *location = NULL;

        if (asprintf(&location, "/api/sync/operations/%s", o->id) < 0)
                location = NULL;
        if (location)
                api_request_header(start->request, "Location", location);
        if (start->is_original)
                api_request_reply(start->request, original_answer(start->syncd, live ? live->operation : o));
        else
                api_request_reply(start->request,
                                  live ? live_answer(start->syncd, live) : operation_with_progress(o));
}

static int work_insert(Database *state, void *job, Error *error) {
        Start *start = job;
        char existing[UUID_TEXT_SIZE] = "";
        int r;

        r = operation_insert(state, start->operation, existing, error);
        if (r != 0)
                return r < 0 ? r : 0;
        r = operation_load(state, existing, &start->earlier, error);
        if (r < 0)
                return r;
        if (!text_equal(start->earlier->sync_pair_id, start->operation->sync_pair_id) ||
            start->earlier->kind != start->operation->kind)
                return error_set(error, ERROR_CONFLICT, "Use a new Idempotency-Key for another request",
                                 "This Idempotency-Key has started operation \"%s\" with other arguments",
                                 existing);
        return 0;
}

static void log_start(const Start *start, const Operation *o) {
        const char *caller = api_request_caller(start->request);
        json_t *allow = json_object_get(o->parameters, "allow");
        _cleanup_free_ char *list = json_dumps(allow, JSON_COMPACT), *text = NULL, *guards = NULL;

        if (asprintf(&text, "%s asked for a run of %s (%s) over %s.", caller, o->sync_pair_id,
                     operation_kind_to_string(o->kind), api_request_via(start->request)) < 0)
                text = NULL;
        log_event(LOG_NOTICE, MESSAGE_WRITE_REQUEST, text ? text : "An operation was asked for.",
                  "OPERATION_ID", o->id, "SYNC_PAIR", o->sync_pair_id, "API_KEY_NAME", caller, "REQUEST_ID",
                  o->request_id, NULL);
        if (json_array_size(allow) == 0)
                return;
        if (asprintf(&guards, "%s lets an operation of %s go on in spite of guards %s.", caller,
                     o->sync_pair_id, list ? list : "") < 0)
                guards = NULL;
        log_event(LOG_WARNING, MESSAGE_GUARD_ALLOWED,
                  guards ? guards : "An administrator lets an operation go on in spite of guards.",
                  "OPERATION_ID", o->id, "SYNC_PAIR", o->sync_pair_id, "API_KEY_NAME", caller, "REQUEST_ID",
                  o->request_id, NULL);
}

static void on_inserted(void *job, int r, Error *error) {
        _cleanup_(start_freep) Start *start = job;
        char id[UUID_TEXT_SIZE];
        const Live *live;

        if (r >= 0 && start->earlier) {
                answer(start, start->earlier);
                return;
        }
        if (r >= 0) {
                memcpy(id, start->operation->id, sizeof(id));
                log_start(start, start->operation);
                r = manager_offer(start->syncd, TAKE_PTR(start->operation), false, error);
        }
        if (r < 0) {
                api_request_fail(start->request, error);
                return;
        }
        manager_dispatch(start->syncd);
        live = live_find(&start->syncd->live, id);
        if (live)
                answer(start, live->operation);
}

int operation_start(Syncd *s, ApiRequest *request, Operation *operation, bool is_original, Error *error) {
        _cleanup_(start_freep) Start *start = calloc(1, sizeof(Start));
        int r;

        if (!start) {
                operation_free(operation);
                return no_memory(error);
        }
        *start = (Start){.syncd = s,
                         .request = api_request_ref(request),
                         .operation = operation,
                         .is_original = is_original};
        if (s->is_stopping || !s->is_recovered) {
                api_request_header(request, "Retry-After", "2");
                return error_set(error, ERROR_UNAVAILABLE, "Ask again in a few seconds", "%s",
                                 s->is_stopping       ? "The service is stopping"
                                 : s->recover_failure ? s->recover_failure
                                                      : "The service reads its state store");
        }
        if (s->refused.id != ERROR_NONE) {
                _cleanup_free_ char *text = error_to_text(&s->refused); /* with its place: D-Bus has the text alone */

                return error_set(error, ERROR_CONFIGURATION, NULL, "No operation begins before this is mended and read again (terrafusionctl reload): %s",
                                 text ? text : "terrafusion.yaml has mistakes");
        }
        if (queue_n_waiting(s->queue) + store_thread_n_waiting(s->store) >= OPERATIONS_WAITING_MAX) {
                api_request_header(request, "Retry-After", "60");
                return error_set(error, ERROR_TOO_MANY, "Wait until some are done, or cancel some",
                                 "%u operations wait already (OPERATIONS_WAITING_MAX)",
                                 OPERATIONS_WAITING_MAX);
        }
        r = store_submit(s->store, STORE_STATE, work_insert, on_inserted, start, error);
        if (r < 0)
                return r;
        (void) TAKE_PTR(start);
        return 0;
}

static int sync_start(Syncd *s, ApiRequest *request, OperationKind kind, bool is_original, Error *error) {
        _cleanup_operation_ Operation *o = NULL;
        const Pair *pair = NULL;
        int r;

        r = pairs_get(s->pairs, api_request_text(request, "sync_pair_id"), &pair, error);
        if (r < 0) {
                error_field(error, "sync_pair_id");
                return r;
        }
        r = operation_asked(request, pair->name, kind, &o, error);
        if (r < 0)
                return r;
        r = entities_fill(o, pair, json_object_get(api_request_args(request), "entity_types"), error);
        if (r < 0)
                return r;
        r = parameters_fill(o, request, error);
        if (r < 0)
                return r;
        return operation_start(s, request, TAKE_PTR(o), is_original, error);
}

int do_operation_start(void *daemon, ApiRequest *request, Error *error) {
        const char *kind = api_request_text(request, "kind");

        return sync_start(daemon, request, kind ? operation_kind_from_string(kind) : OPERATION_INCREMENTAL,
                          false, error);
}

int do_sync_full(void *daemon, ApiRequest *request, Error *error) {
        return sync_start(daemon, request, OPERATION_FULL, true, error);
}

int do_sync_incremental(void *daemon, ApiRequest *request, Error *error) {
        return sync_start(daemon, request, OPERATION_INCREMENTAL, true, error);
}
