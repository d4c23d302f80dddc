/* SPDX-License-Identifier: Apache-2.0 */
/* Writing without transactions: each record by itself, told apart by its key.
 *   fetch   the present record, and its ETag
 *   write   POST, PATCH or PUT, DELETE; with If-Match what another hand changed meanwhile is refused (412)
 * An insert that is refused is looked at: where the record is there as we wanted it, an earlier try had got through. A lost
 * answer fails the batch; worker/settle.c then reads the records. */
#include "basic/text.h"
#include "connect/rest-calls.h"
#include "connect/rest-value.h"

#include <uthash.h>

typedef struct ETag {
        UT_hash_handle hh;
        const char *path;       /* of the record; both in the writer's arena */
        const char *etag;
} ETag;

typedef struct RestWriter {
        Writer base;
        RestConnection *connection;
        const Mapping *mapping;
        const ODataSet *set;                    /* odata; NULL: protocol json */
        const RestTable *table;
        const ODataProperty **properties;       /* of each field; NULLs: protocol json */
        char *select;                           /* "?$select=…" */
        ETag *etags;                            /* of the records fetched last */
        Arena *arena;                           /* theirs */
        bool etags_used;                        /* there was a write since: the next fetch begins anew */
} RestWriter;

void rest_writer_close(Writer *writer) {
        RestWriter *w = (RestWriter *) writer;

        HASH_CLEAR(hh, w->etags);
        arena_free(w->arena);
        free(w->properties);
        free(w->select);
        free(w);
}

static void writerp(RestWriter **w) {
        if (*w)
                rest_writer_close(&(*w)->base);
}

/* ---- opening ---- */

static int fields_find(RestWriter *w, Error *error) {
        const Mapping *m = w->mapping;
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_text_buffer_ TextBuffer b = {};
        int r;

        r = odata_set_table(w->set, &table);
        for (size_t i = 0; i < m->n_fields && r == 0; i++) {
                r = table_column_require(table, m->fields[i].name, error);
                w->properties[i] = odata_property(w->set, m->fields[i].name);
                if (r == 0)
                        r = text_buffer_printf(&b, "%s%s", i == 0 ? "?$select=" : ",", m->fields[i].name);
        }
        for (unsigned place = 1; place <= w->set->n_key && r == 0; place++) {
                const ODataProperty *p = odata_key(w->set, place);
                ssize_t field = mapping_field_index(m, p->name);

                if (field < 0 || (size_t) field >= m->n_key)
                        return error_set(error, ERROR_MAPPING, "Make the mapping's key of the entity's key",
                                         "The key of entity \"%s\" has no field \"%s\", which is of the key of \"%s\"", m->entity, p->name,
                                         w->set->name);
        }
        if (r == 0 && w->set->n_key != m->n_key)
                return error_set(error, ERROR_MAPPING, "Make the mapping's key of the entity's key",
                                 "The key of entity \"%s\" has %zu fields, that of \"%s\" %zu", m->entity, m->n_key, w->set->name, w->set->n_key);
        w->select = TAKE_PTR(b.bytes);
        return r;
}

static int table_find(RestWriter *w, Error *error) {
        RestOptions *o = w->connection->options;
        int r;

        r = rest_table(o, w->mapping->to, &w->table);
        if (r < 0 || w->table->record)
                return r;
        r = error_set(error, ERROR_CONFIGURATION, "Add record: with the path of one record, as in /accounts/{account_no}",
                      "System \"%s\": table \"%s\" does not say where one record is", o->system->name, w->mapping->to);
        (void) error_at(error, o->system->file, o->system->line, 0);
        return r;
}

int rest_writer_open(Connection *connection, const Mapping *m, Writer **ret, Error *error) {
        RestConnection *c = (RestConnection *) connection;
        _cleanup_(writerp) RestWriter *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->base.connector = &rest_connector;
        w->connection = c;
        w->mapping = m;
        w->properties = calloc(m->n_fields + 1, sizeof(*w->properties));
        r = arena_new(&w->arena);
        if (r < 0 || !w->properties)
                return -ENOMEM;
        if (c->options->protocol == REST_ODATA) {
                r = rest_set(c, m->to, &w->set, error);
                if (r == 0)
                        r = fields_find(w, error);
        } else
                r = table_find(w, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(w)->base;
        return 0;
}

static int count_pages(RestWriter *w, uint64_t *ret, Error *error) {
        RestPages pages;
        int r;

        r = rest_pages_open(&pages, w->connection->client, w->connection->options, w->table, NULL, error);
        while (r >= 0 && (r = rest_pages_next(&pages, NULL, error)) > 0)
                if (pages.total >= 0)
                        break;
        if (r >= 0)
                *ret = pages.total >= 0 ? (uint64_t) pages.total : pages.n_records;
        rest_pages_done(&pages);
        return r < 0 ? r : 0;
}

int rest_count(Writer *writer, uint64_t *ret, Error *error) {
        RestWriter *w = (RestWriter *) writer;
        _cleanup_response_ RestResponse response = {};
        _cleanup_text_buffer_ TextBuffer url = {};
        RestRequest q = {.method = "GET", .accept = "text/plain", .repeats = true};
        int64_t n;
        int r;

        if (!w->set)
                return count_pages(w, ret, error);
        r = text_buffer_printf(&url, "%s/%s/$count", w->connection->options->url, w->set->name);
        q.url = url.bytes;
        if (r == 0)
                r = rest_client_send(w->connection->client, &q, &response, error);
        if (r < 0)
                return r;
        if (response.status / 100 != 2)
                return rest_response_error(w->connection->client, &q, &response, error);
        if (text_to_int64(response.body + (text_starts_with(response.body, "\xEF\xBB\xBF") ? 3 : 0), 0, INT64_MAX, &n) < 0)
                return error_set(error, ERROR_FILE_FORMAT, "Check url: it has to lead to an OData v4 service",
                                 "System \"%s\": $count of \"%s\" is no number", w->connection->options->system->name, w->set->name);
        *ret = (uint64_t) n;
        return 0;
}

/* ---- where a record is ---- */

/* "/accounts/{account_no}" with the key's fields filled in. */
static int template_fill(const RestWriter *w, const Value *key, Arena *arena, TextBuffer *b) {
        const char *at = w->table->record + (*w->table->record == '/');
        int r = text_buffer_add(b, "", 0);

        while (*at && r == 0) {
                size_t size = strcspn(at, "{");
                const char *end;
                const char *text;

                r = text_buffer_add(b, at, size);
                at += size;
                if (!*at || r < 0)
                        break;
                end = strchr(at, '}');
                for (size_t i = 0; end && i < w->mapping->n_key && r == 0; i++) {
                        const char *name = w->mapping->fields[i].name;

                        if (strlen(name) != (size_t) (end - at - 1) || strncmp(name, at + 1, strlen(name)) != 0)
                                continue;
                        text = value_to_text(key + i, arena, 0);
                        if (text && !*text)
                                return -ERANGE; /* the list itself would answer */
                        r = text ? text_buffer_add_url(b, text, strlen(text)) : -ENOMEM;
                }
                at = end ? end + 1 : at + strlen(at);
        }
        return r;
}

static int record_path(const RestWriter *w, const Value *key, Arena *arena, const char **ret) {
        _cleanup_text_buffer_ TextBuffer b = {};
        int r;

        r = w->set ? odata_record_path(w->set, w->mapping, key, arena, &b) : template_fill(w, key, arena, &b);
        if (r < 0)
                return r;
        *ret = arena_copy(arena, b.bytes, b.size + 1);
        return *ret ? 0 : -ENOMEM;
}

static int refuse_key(Error *refusal) {
        (void) error_set(refusal, ERROR_RECORD_REFUSED, "Correct the key at the source", "The service's key cannot hold this record's key");
        return 0;
}

/* ---- looking up ---- */

static void etags_reset(RestWriter *w) {
        HASH_CLEAR(hh, w->etags);
        arena_reset(w->arena);
        w->etags_used = false;
}

static int etag_keep(RestWriter *w, const RestCall *call) {
        const char *etag = json_item_text(odata_annotation(call->answer, "etag"));
        size_t size = strcspn(call->path, "?");
        ETag *known = NULL;

        if (!etag)
                etag = call->etag;
        if (!etag)
                return 0;
        HASH_FIND(hh, w->etags, call->path, size, known);
        if (known) {
                known->etag = arena_printf(w->arena, "%s", etag);
                return known->etag ? 0 : -ENOMEM;
        }
        known = arena_alloc_zero(w->arena, sizeof(*known));
        if (!known)
                return -ENOMEM;
        known->path = arena_copy(w->arena, call->path, size + 1);
        known->etag = arena_printf(w->arena, "%s", etag);
        if (!known->path || !known->etag)
                return -ENOMEM;
        HASH_ADD_KEYPTR(hh, w->etags, known->path, size, known);
        return 0;
}

static const JsonItem *member_of(const RestWriter *w, const JsonItem *record, size_t field) {
        const char *name = w->mapping->fields[field].name;

        return w->set ? json_item_member(record, name) : json_item_at(record, name);
}

static int record_take(RestWriter *w, const RestCall *call, Arena *arena, RecordFetch *fetch, Error *error) {
        const Mapping *m = w->mapping;
        int r;

        if (!json_item_is(call->answer, JSON_ITEM_OBJECT))
                return error_set(error, ERROR_FILE_FORMAT, "Look at the service", "System \"%s\": GET %.*s gives no record",
                                 w->connection->options->system->name, (int) strcspn(call->path, "?"), call->path);
        fetch->values = arena_alloc_zero(arena, m->n_fields * sizeof(Value));
        r = fetch->values ? etag_keep(w, call) : -ENOMEM;
        for (size_t i = 0; i < m->n_fields && r == 0; i++) {
                const JsonItem *item = member_of(w, call->answer, i);

                fetch->values[i] = value_null();
                if (item)
                        r = rest_value_read(item, w->properties[i], arena, &fetch->values[i]);
        }
        return r;
}

static int calls_take(RestWriter *w, RestCall *calls, size_t n, Arena *arena, RecordFetch **fetches, Error *error) {
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++) {
                if (calls[i].status / 100 == 2)
                        r = record_take(w, &calls[i], arena, fetches[i], error);
                else if (calls[i].status == 400 || calls[i].status == 422)
                        r = rest_call_error(w->connection, &calls[i], &fetches[i]->refusal) == -ENOMEM ? -ENOMEM : 0;
                else if (calls[i].status != 404 && calls[i].status != 410)
                        r = rest_call_error(w->connection, &calls[i], error);
        }
        return r;
}

int rest_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        RestWriter *w = (RestWriter *) writer;
        _cleanup_free_ RestCall *calls = calloc(n_fetches + 1, sizeof(*calls));
        _cleanup_free_ RecordFetch **of = calloc(n_fetches + 1, sizeof(*of));
        size_t n = 0;
        int r = 0;

        if (!calls || !of)
                return -ENOMEM;
        if (w->etags_used)
                etags_reset(w);
        for (size_t i = 0; i < n_fetches && r == 0; i++) {
                const char *path;

                r = record_path(w, fetches[i].key, arena, &path);
                if (r == -ERANGE) {
                        r = refuse_key(&fetches[i].refusal);
                        continue;
                }
                if (r < 0)
                        break;
                calls[n] = (RestCall){.method = "GET", .path = arena_printf(arena, "%s%s", path, w->select ? w->select : "")};
                of[n] = &fetches[i];
                if (!calls[n++].path)
                        return -ENOMEM;
        }
        if (r == 0)
                r = rest_calls(w->connection, calls, n, true, arena, error);
        return r < 0 ? r : calls_take(w, calls, n, arena, of, error);
}

/* ---- writing ---- */

static bool field_is_written(const RestWriter *w, const Change *change, size_t field) {
        if (change->target[field].type == VALUE_ABSENT)
                return false;
        if (change->kind == CHANGE_INSERT)
                return true;
        /* PUT replaces the record: what it does not name is gone. */
        return w->table && text_equal(w->table->update_method, "PUT") ? true : field >= w->mapping->n_key && change->changed[field];
}

static int body_make(const RestWriter *w, RecordWrite *write, Arena *arena, const char **ret) {
        const Mapping *m = w->mapping;
        _cleanup_text_buffer_ TextBuffer b = {};
        int r;

        r = text_buffer_add(&b, "{", 1);
        for (size_t i = 0; i < m->n_fields && r == 0; i++) {
                if (!field_is_written(w, write->change, i))
                        continue;
                r = text_buffer_printf(&b, "%s", b.size > 1 ? "," : "");
                if (r == 0)
                        r = text_buffer_add_json(&b, m->fields[i].name, strlen(m->fields[i].name));
                if (r == 0)
                        r = text_buffer_add(&b, ":", 1);
                if (r == 0)
                        r = rest_value_write(&write->change->target[i], w->properties[i], arena, &b);
                if (r != -ERANGE)
                        continue;
                (void) error_set(&write->refusal, ERROR_RECORD_REFUSED, "Give the field the type of the service's property, or round it in the mapping",
                                 "Property \"%s\"%s%s cannot hold the value exactly", m->fields[i].name, w->properties[i] ? " of type " : "",
                                 w->properties[i] ? w->properties[i]->type_name : "");
                (void) error_field(&write->refusal, m->fields[i].name);
                return 0;
        }
        if (r == 0)
                r = text_buffer_add(&b, "}", 1);
        if (r < 0)
                return r;
        *ret = arena_copy(arena, b.bytes, b.size + 1);
        return *ret ? 0 : -ENOMEM;
}

static const char *etag_of(RestWriter *w, const char *path) {
        ETag *known = NULL;

        HASH_FIND(hh, w->etags, path, strlen(path), known);
        /* An OData service takes a PATCH of what is not there for an insert, unless it is told that it must be there. */
        return known ? known->etag : w->set ? "*" : NULL;
}

static int call_make(RestWriter *w, RecordWrite *write, Arena *arena, RestCall *ret) {
        const Change *change = write->change;
        Value *key = arena_alloc_zero(arena, w->mapping->n_key * sizeof(Value));
        const char *path;
        int r;

        if (!key || key_decode(change->key, arena, key, w->mapping->n_key) < 0)
                return -ENOMEM;
        /* The record's own values are of the field's type; a key that was decoded may not be. */
        r = record_path(w, change->target ? change->target : key, arena, &path);
        if (r == -ERANGE)
                return refuse_key(&write->refusal);
        if (r < 0)
                return r;
        *ret = (RestCall){.path = path};
        if (change->kind == CHANGE_DELETE)
                ret->method = "DELETE";
        else if (change->kind == CHANGE_UPDATE)
                ret->method = w->table ? w->table->update_method : "PATCH";
        else {
                ret->method = w->table ? w->table->insert_method : "POST";
                if (text_equal(ret->method, "POST"))
                        ret->path = w->set ? w->set->name : w->table->path + (*w->table->path == '/');
        }
        if (change->kind != CHANGE_INSERT)
                ret->if_match = etag_of(w, path);
        return change->kind == CHANGE_DELETE ? 0 : body_make(w, write, arena, &ret->body);
}

/* Is the record there just as it was to be inserted? Then an earlier try got through, and only its answer was lost. */
static int insert_look(RestWriter *w, RecordWrite *write, Arena *arena, bool *ret, Error *error) {
        RestCall call = {.method = "GET"};
        const char *path;
        int r;

        *ret = false;
        r = record_path(w, write->change->target, arena, &path);
        if (r < 0)
                return r == -ERANGE ? 0 : r;
        call.path = arena_printf(arena, "%s%s", path, w->select ? w->select : "");
        r = call.path ? rest_calls(w->connection, &call, 1, true, arena, error) : -ENOMEM;
        if (r < 0 || call.status / 100 != 2 || !call.answer)
                return r;
        for (size_t i = 0; i < w->mapping->n_fields; i++)
                if (write->change->target[i].type != VALUE_ABSENT &&
                    !rest_value_same(&write->change->target[i], member_of(w, call.answer, i), w->properties[i], arena))
                        return 0;
        *ret = true;
        return 0;
}

/* The service's own word on the record, not a fault on the way to it. */
static bool is_of_record(const RestCall *call) {
        return (call->status >= 400 && call->status < 500 && call->status != 401 && call->status != 408 && call->status != 429) ||
               ((call->status == 500 || call->status == 501) && json_item_member(call->answer, "error"));
}

static int refusal_set(const RestWriter *w, const RestCall *call, RecordWrite *write) {
        _cleanup_error_ Error said = {};

        if (call->status == 412)
                return error_set(&write->refusal, ERROR_RECORD_REFUSED, "Nothing: the next run reads the record anew and compares it again",
                                 "Another hand changed or deleted the record since it was read (412)") == -ENOMEM ? -ENOMEM : 0;
        if (rest_call_error(w->connection, call, &said) == -ENOMEM)
                return -ENOMEM;
        return error_set(&write->refusal, ERROR_RECORD_REFUSED, "Correct the record at the source, or the rule of the service", "%s",
                         said.detail ? said.detail : "The service refuses the record") == -ENOMEM ? -ENOMEM : 0;
}

static int result_take(RestWriter *w, const RestCall *call, RecordWrite *write, Arena *arena, Error *error) {
        bool is_there = false;
        int r;

        if (call->status / 100 == 2)
                return 0;
        if (!is_of_record(call))
                return rest_call_error(w->connection, call, error);
        if (write->change->kind == CHANGE_INSERT) {
                r = insert_look(w, write, arena, &is_there, error);
                if (r < 0 || is_there)
                        return r;
        }
        return refusal_set(w, call, write);
}

int rest_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error) {
        RestWriter *w = (RestWriter *) writer;
        _cleanup_free_ RestCall *calls = calloc(n_writes + 1, sizeof(*calls));
        _cleanup_free_ RecordWrite **of = calloc(n_writes + 1, sizeof(*of));
        _cleanup_arena_ Arena *arena = NULL;
        size_t n = 0;
        int n_refused = 0, r;

        r = arena_new(&arena);
        if (r < 0 || !calls || !of)
                return -ENOMEM;
        for (size_t i = 0; i < n_writes && r == 0; i++) {
                r = call_make(w, &writes[i], arena, &calls[n]);
                if (r == 0 && writes[i].refusal.id == ERROR_NONE)
                        of[n++] = &writes[i];
        }
        if (r == 0)
                r = rest_calls(w->connection, calls, n, false, arena, error);
        for (size_t i = 0; i < n && r == 0; i++)
                r = result_take(w, &calls[i], of[i], arena, error);
        w->etags_used = true;
        for (size_t i = 0; i < n_writes && r == 0; i++)
                n_refused += writes[i].refusal.id != ERROR_NONE;
        return r < 0 ? r : n_refused;
}
