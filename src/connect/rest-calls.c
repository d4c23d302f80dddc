/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-calls.h"

#include "basic/limits.h"
#include "basic/text.h"
#include "connect/rest-answer.h"

#define BATCH_BODY_BYTES_MAX (256U * 1024) /* of one $batch, unless one request alone is larger */
#define CALL_MEMORY_MAX      (4U << 20)

/* ---- one by one ---- */

static int call_take(RestCall *call, const RestResponse *response, Arena *arena) {
        _cleanup_free_ char *words = NULL;
        const char *body = arena_copy(arena, response->body, response->size + 1);

        if (!body)
                return -ENOMEM;
        if (response->etag && !(call->etag = arena_printf(arena, "%s", response->etag)))
                return -ENOMEM;
        if (response->size > 0 && json_item_parse(body, response->size, CALL_MEMORY_MAX + response->size * 8, arena, &call->answer, NULL) < 0) {
                call->answer = NULL;
                words = rest_words(body, response->size);
                call->words = words ? arena_printf(arena, "%s", words) : NULL;
                if (!call->words)
                        return -ENOMEM;
        }
        call->status = response->status;
        return 0;
}

static int call_single(RestConnection *c, RestCall *call, bool repeats, Arena *arena, RestResponse *response, Error *error) {
        bool is_odata = c->options->protocol == REST_ODATA;
        _cleanup_free_ char *url = NULL;
        RestRequest q = {.method = call->method, .body = call->body, .body_size = call->body ? strlen(call->body) : 0,
                         .accept = is_odata ? REST_ACCEPT_ODATA : NULL, .content_type = is_odata ? REST_TYPE_ODATA : NULL,
                         .if_match = call->if_match, .prefer = is_odata && call->body ? "return=minimal" : NULL, .repeats = repeats};
        int r;

        if (asprintf(&url, "%s/%s", c->options->url, call->path) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        q.url = url;
        r = rest_client_send(c->client, &q, response, error);
        if (r < 0)
                return r;
        /* A login page answers 200 to anything. */
        if (response->status / 100 == 3)
                return rest_response_error(c->client, &q, response, error);
        r = call_take(call, response, arena);
        if (r == 0 && call->status / 100 == 2 && call->words)
                return rest_response_json(c->client, &q, response, arena, &call->answer, error);
        return r;
}

/* ---- together ---- */

static int header_add(TextBuffer *b, const char *name, const char *value) {
        int r;

        r = text_buffer_printf(b, "%s\"%s\":", b->bytes[b->size - 1] == '{' ? "" : ",", name);
        return r < 0 ? r : text_buffer_add_json(b, value, strlen(value));
}

static int request_add(TextBuffer *b, const RestCall *call, size_t id) {
        int r;

        r = text_buffer_printf(b, "%s{\"id\":\"%zu\",\"method\":\"%s\",\"url\":", b->bytes[b->size - 1] == '[' ? "" : ",", id, call->method);
        if (r == 0)
                r = text_buffer_add_json(b, call->path, strlen(call->path));
        if (r == 0)
                r = text_buffer_add(b, ",\"headers\":{", 12);
        if (r == 0)
                r = header_add(b, "accept", REST_ACCEPT_ODATA);
        if (r == 0 && call->body)
                r = header_add(b, "content-type", REST_TYPE_ODATA);
        if (r == 0 && call->body)
                r = header_add(b, "prefer", "return=minimal");
        if (r == 0 && call->if_match)
                r = header_add(b, "if-match", call->if_match);
        if (r == 0)
                r = text_buffer_add(b, "}", 1);
        if (r == 0 && call->body)
                r = text_buffer_printf(b, ",\"body\":%s", call->body);
        return r < 0 ? r : text_buffer_add(b, "}", 1);
}

/* As many of the calls without an answer as fit; *ret_n of them. */
static int batch_body(const RestConnection *c, const RestCall *calls, size_t n_calls, TextBuffer *b, size_t *ret_n) {
        size_t n = 0;
        int r;

        r = text_buffer_add(b, "{\"requests\":[", 13);
        for (size_t i = 0; i < n_calls && r == 0 && n < (size_t) c->options->batch_size; i++) {
                if (calls[i].status != 0)
                        continue;
                if (n > 0 && b->size + (calls[i].body ? strlen(calls[i].body) : 0) > BATCH_BODY_BYTES_MAX)
                        break;
                r = request_add(b, &calls[i], i);
                n++;
        }
        *ret_n = n;
        return r < 0 ? r : text_buffer_add(b, "]}", 2);
}

static const char *header_find(const JsonItem *part, const char *name) {
        const JsonItem *headers = json_item_member(part, "headers");

        for (const JsonItem *item = headers ? headers->first : NULL; item; item = item->next)
                if (text_equal_ignoring_case(item->name, name))
                        return json_item_text(item);
        return NULL;
}

static void part_take(const JsonItem *part, RestCall *calls, size_t n_calls, size_t *ret_n) {
        const char *id = json_item_text(json_item_member(part, "id"));
        const JsonItem *status = json_item_member(part, "status");
        int64_t index, number;
        Decimal d;

        if (!id || text_to_int64(id, 0, (int64_t) n_calls - 1, &index) < 0 || calls[index].status != 0 ||
            !json_item_is(status, JSON_ITEM_NUMBER) || decimal_parse(status->text, status->size, &d) < 0 ||
            decimal_to_integer(&d, &number) < 0 || number < 100 || number > 599)
                return;
        if (number == 424) /* not done because of another one */
                return;
        calls[index].status = (long) number;
        calls[index].answer = json_item_member(part, "body");
        calls[index].etag = header_find(part, "etag");
        (*ret_n)++;
}

/* The service takes no batches, or no such large ones: nothing of it was done. */
static bool batch_refused(RestConnection *c, long status, size_t n) {
        if (status == 413) {
                c->options->batch_size = n > 1 ? (int64_t) n / 2 : 1;
                return true;
        }
        if (status != 404 && status != 405 && status != 415 && status != 501)
                return false;
        c->options->batch_size = 1;
        return true;
}

static int batch_send(RestConnection *c, RestCall *calls, size_t n_calls, bool repeats, Arena *arena, RestResponse *response,
                      Error *error) {
        _cleanup_text_buffer_ TextBuffer body = {};
        _cleanup_free_ char *url = NULL;
        RestRequest q = {.method = "POST", .accept = REST_ACCEPT_ODATA, .content_type = REST_TYPE_ODATA, .repeats = repeats,
                         .prefer = "odata.continue-on-error,continue-on-error"};
        const JsonItem *document, *parts;
        size_t n_sent, n_answered = 0;
        char *bytes;
        int r;

        r = batch_body(c, calls, n_calls, &body, &n_sent);
        if (r < 0)
                return r;
        if (asprintf(&url, "%s/$batch", c->options->url) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        q.url = url;
        q.body = body.bytes;
        q.body_size = body.size;
        r = rest_client_send(c->client, &q, response, error);
        if (r < 0 || batch_refused(c, response->status, n_sent))
                return r;
        if (response->status / 100 != 2)
                return rest_response_error(c->client, &q, response, error);
        bytes = arena_copy(arena, response->body, response->size + 1); /* the tree borrows from it */
        if (!bytes)
                return -ENOMEM;
        r = rest_response_json(c->client, &q, &(RestResponse){.body = bytes, .size = response->size, .content_type = response->content_type},
                               arena, &document, error);
        if (r < 0)
                return r;
        parts = json_item_member(document, "responses");
        for (const JsonItem *part = parts ? parts->first : NULL; part; part = part->next)
                part_take(part, calls, n_calls, &n_answered);
        if (n_answered == 0)
                return error_set(error, ERROR_SYSTEM_REFUSED, "Say batch_size: 1 of the system",
                                 "System \"%s\": the service answers a $batch without a word on its parts", c->options->system->name);
        return 0;
}

static size_t n_unanswered(const RestCall *calls, size_t n_calls) {
        size_t n = 0;

        for (size_t i = 0; i < n_calls; i++)
                n += calls[i].status == 0;
        return n;
}

int rest_calls(RestConnection *c, RestCall *calls, size_t n_calls, bool repeats, Arena *arena, Error *error) {
        _cleanup_response_ RestResponse response = {};
        int r = 0;

        /* A service that stops at the first part that fails leaves the rest unanswered: it is sent again. */
        while (r == 0 && c->options->protocol == REST_ODATA && c->options->batch_size > 1 && n_unanswered(calls, n_calls) > 1)
                r = batch_send(c, calls, n_calls, repeats, arena, &response, error);
        for (size_t i = 0; i < n_calls && r == 0; i++)
                if (calls[i].status == 0)
                        r = call_single(c, &calls[i], repeats, arena, &response, error);
        return r;
}

int rest_call_error(const RestConnection *c, const RestCall *call, Error *error) {
        _cleanup_free_ char *path = strndup(call->path, strcspn(call->path, "?"));
        const char *body = call->answer ? call->answer->text : call->words;

        if (!path)
                return -ENOMEM;
        return rest_status_error(c->client, call->method, path, call->status, body ? body : "",
                                 call->answer ? call->answer->size : body ? strlen(body) : 0, error);
}
