/* SPDX-License-Identifier: Apache-2.0 */
/* applyEdits: a service has no transaction that is seen from here, so each feature is written for itself (rollbackOnFailure=false) and
 * the service's word on each is its record's: refused, or written. What an interrupted request left is found by key (worker/settle.c); where
 * the layer takes global ids, an added feature's id is made of its key, so that the same feature is never added twice. */
#include "connect/ogr-service.h"

#include "basic/timestamp.h"
#include "basic/uuid.h"
#include "connect/ogr-database.h"

#define KEYS_ASKED   100U /* at a time: a where clause has to stay readable for the service */
#define EDITS_SENT   200U
#define ROLLED_BACK  1003 /* of another's failure: tried again for itself */

typedef struct ServiceWriter {
        Writer base;
        ServiceConnection *connection;
        const Mapping *mapping;
        ServiceLayer layer;
        Arena *arena; /* of one request */
        TextBuffer wkb, form, where, list;
} ServiceWriter;

void service_writer_close(Writer *writer) {
        ServiceWriter *w = (ServiceWriter *) writer;

        service_layer_done(&w->layer);
        arena_free(w->arena);
        text_buffer_done(&w->wkb);
        text_buffer_done(&w->form);
        text_buffer_done(&w->where);
        text_buffer_done(&w->list);
        free(w);
}

static void writerp(ServiceWriter **w) {
        if (*w)
                service_writer_close(&(*w)->base);
}

static int fields_check(const ServiceWriter *w, Error *error) {
        const Mapping *m = w->mapping;
        int r = 0;

        for (size_t i = 0; r == 0 && i < m->n_fields; i++) {
                const ServiceField *field = service_field(&w->layer, m->fields[i].name);

                r = table_column_require(w->layer.table, m->fields[i].name, error);
                if (r == 0 && field && (text_equal(field->name, w->layer.oid) || (!field->editable && i >= m->n_key)))
                        r = error_set(error, ERROR_MAPPING, "Map another field: a parcel number, say", "Layer \"%s\": the service gives \"%s\" itself",
                                      m->to, field->name);
                if (r == 0 && !field && m->fields[i].srid != 0 && m->fields[i].srid != w->layer.srid)
                        r = error_set(error, ERROR_MAPPING, "Give the field the layer's srid:", "Field \"%s\" is of another coordinate system than layer \"%s\"",
                                      m->fields[i].name, m->to);
        }
        return r;
}

int service_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error) {
        _cleanup_(writerp) ServiceWriter *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->base.connector = &ogr_service_connector;
        w->connection = (ServiceConnection *) connection;
        w->mapping = mapping;
        r = arena_new(&w->arena);
        if (r == 0)
                r = service_layer_open(w->connection, mapping->to, &w->layer, error);
        if (r == 0 && !w->layer.can_edit)
                r = error_set(error, ERROR_SYSTEM_READ_ONLY, "Let the layer's owner allow editing (capabilities Create, Update, Delete)",
                              "System \"%s\": layer \"%s\" cannot be edited", w->connection->system->name, mapping->to);
        if (r == 0)
                r = fields_check(w, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(w)->base;
        return 0;
}

/* ---- asking by key ---- */

static int literal_put(TextBuffer *b, const Value *v, Arena *arena) {
        const char *text = v->type == VALUE_TEXT ? v->bytes : value_to_text(v, arena, 0);
        bool is_number = v->type == VALUE_INTEGER || v->type == VALUE_DECIMAL;
        size_t size;
        int r;

        if (!text)
                return -ENOMEM;
        size = v->type == VALUE_TEXT ? v->size : strlen(text);
        if (is_number)
                return text_buffer_add(b, text, size);
        r = text_buffer_add(b, "'", 1);
        for (size_t i = 0; r == 0 && i < size; i++)
                r = text_buffer_add(b, text[i] == '\'' ? "''" : text + i, text[i] == '\'' ? 2 : 1);
        return r == 0 ? text_buffer_add(b, "'", 1) : r;
}

static int where_add(ServiceWriter *w, const Value *key) {
        int r;

        r = text_buffer_printf(&w->where, "%s(", w->where.size > 0 ? " OR " : "");
        for (size_t i = 0; r == 0 && i < w->mapping->n_key; i++) {
                r = text_buffer_printf(&w->where, "%s%s = ", i ? " AND " : "", service_field(&w->layer, w->mapping->fields[i].name)->name);
                if (r == 0)
                        r = literal_put(&w->where, key + i, w->arena);
        }
        return r == 0 ? text_buffer_add(&w->where, ")", 1) : r;
}

static int query_form(ServiceWriter *w, bool whole) {
        _cleanup_text_buffer_ TextBuffer fields = {};
        char number[32];
        bool geometry = false;
        int r;

        text_buffer_reset(&w->form);
        r = text_buffer_printf(&fields, "%s", w->layer.oid);
        for (size_t i = 0; r == 0 && i < (whole ? w->mapping->n_fields : w->mapping->n_key); i++) {
                const ServiceField *field = service_field(&w->layer, w->mapping->fields[i].name);

                geometry = geometry || !field;
                r = field ? text_buffer_printf(&fields, ",%s", field->name) : 0;
        }
        if (r == 0)
                r = form_add(&w->form, "where", w->where.bytes);
        if (r == 0)
                r = form_add(&w->form, "outFields", fields.bytes);
        if (r == 0)
                r = form_add(&w->form, "returnGeometry", geometry ? "true" : "false");
        (void) snprintf(number, sizeof(number), "%u", w->layer.srid);
        if (r == 0 && geometry)
                r = form_add(&w->form, "outSR", number);
        if (r == 0 && geometry && w->layer.has_z)
                r = form_add(&w->form, "returnZ", "true");
        if (r == 0 && geometry && w->layer.has_m)
                r = form_add(&w->form, "returnM", "true");
        return r == 0 ? form_add(&w->form, "f", "json") : r;
}

static int post(ServiceWriter *w, const char *what, bool repeats, const JsonItem **ret, Error *error) {
        _cleanup_free_ char *url = NULL;

        if (asprintf(&url, "%s/%s", w->layer.url, what) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        return service_ask(w->connection, url, &w->form, repeats, w->arena, ret, error);
}

int service_count(Writer *writer, uint64_t *ret, Error *error) {
        ServiceWriter *w = (ServiceWriter *) writer;
        const JsonItem *answer;
        Value count;
        int r;

        arena_reset(w->arena);
        text_buffer_reset(&w->form);
        r = form_add(&w->form, "where", "1=1");
        if (r == 0)
                r = form_add(&w->form, "returnCountOnly", "true");
        if (r == 0)
                r = form_add(&w->form, "f", "json");
        if (r == 0)
                r = post(w, "query", true, &answer, error);
        if (r < 0)
                return r;
        count = json_value(json_item_member(answer, "count"));
        *ret = count.type == VALUE_INTEGER && count.integer > 0 ? (uint64_t) count.integer : 0;
        return 0;
}

static bool is_of_key(ServiceWriter *w, const JsonItem *feature, const Value *key) {
        for (size_t i = 0; i < w->mapping->n_key; i++) {
                Value value, text;
                const char *as_text;

                if (service_value(&w->layer, feature, w->mapping->fields[i].name, &w->wkb, &value) < 0)
                        return false;
                if (value_equal(&value, key + i))
                        continue;
                /* a UUID's braces and capitals, a date: as the service was asked */
                as_text = value.type == VALUE_TEXT ? value_to_text(key + i, w->arena, 0) : NULL;
                text = as_text ? value_text(as_text, strlen(as_text)) : value_null();
                if (!as_text || !value_equal(&value, &text))
                        return false;
        }
        return true;
}

typedef int (*on_feature_t)(ServiceWriter *w, const JsonItem *feature, void *context, size_t i);

/* Asks for n keys at once; each feature found is given with the number of its key. */
static int keys_ask(ServiceWriter *w, const Value *const *keys, size_t n, bool whole, on_feature_t on_feature, void *context, Error *error) {
        const JsonItem *answer, *features;
        int r = 0;

        arena_reset(w->arena);
        text_buffer_reset(&w->where);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = where_add(w, keys[i]);
        if (r == 0)
                r = query_form(w, whole);
        if (r == 0)
                r = post(w, "query", true, &answer, error);
        if (r < 0)
                return r;
        features = json_item_member(answer, "features");
        if (!json_item_is(features, JSON_ITEM_ARRAY) || service_has_more(answer) || features->n_children > n)
                return error_set(error, ERROR_SYSTEM_REFUSED, "Map a key that tells the features apart, and let the layer have a unique index on it",
                                 "System \"%s\": layer \"%s\" has several features of one key", w->connection->system->name, w->mapping->to);
        for (const JsonItem *feature = features->first; r == 0 && feature; feature = feature->next)
                for (size_t i = 0; r == 0 && i < n; i++)
                        if (is_of_key(w, feature, keys[i]))
                                r = on_feature(w, feature, context, i);
        return r;
}

typedef struct Fetching { RecordFetch *fetches; Arena *arena; } Fetching;

static int on_fetched(ServiceWriter *w, const JsonItem *feature, void *context, size_t i) {
        Fetching *f = context;
        Value *values = arena_alloc(f->arena, w->mapping->n_fields * sizeof(Value)), value;
        int r = values ? 0 : -ENOMEM;

        for (size_t k = 0; r == 0 && k < w->mapping->n_fields; k++) {
                r = service_value(&w->layer, feature, w->mapping->fields[k].name, &w->wkb, &value);
                if (r == 0)
                        r = value_copy(&value, f->arena, values + k);
        }
        f->fetches[i].values = values;
        return r;
}

int service_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        ServiceWriter *w = (ServiceWriter *) writer;
        const Value *keys[KEYS_ASKED];
        int r = 0;

        for (size_t at = 0; r == 0 && at < n_fetches; at += KEYS_ASKED) {
                size_t n = n_fetches - at < KEYS_ASKED ? n_fetches - at : KEYS_ASKED;
                Fetching f = {.fetches = fetches + at, .arena = arena};

                for (size_t i = 0; i < n; i++) {
                        fetches[at + i].values = NULL;
                        keys[i] = fetches[at + i].key;
                }
                r = keys_ask(w, keys, n, true, on_fetched, &f, error);
        }
        return r;
}

/* ---- writing ---- */

static int refuse(const char *name, const char *why, const char *remedy, Error *error) {
        int r;

        r = error_set(error, ERROR_RECORD_REFUSED, remedy, "Field \"%s\": %s", name, why);
        (void) error_field(error, name);
        return r;
}

static int number_put(ServiceWriter *w, const ServiceField *field, const Value *v, Error *error) {
        bool is_real = text_equal(field->type, "esriFieldTypeDouble") || text_equal(field->type, "esriFieldTypeSingle");
        Decimal d = v->type == VALUE_DECIMAL ? v->decimal : decimal_from_integer(v->integer);
        char text[DECIMAL_TEXT_MAX], real_text[REAL_TEXT_MAX];
        int64_t integer;
        Value back;

        (void) decimal_format(&d, text);
        if (v->type != VALUE_DECIMAL && v->type != VALUE_INTEGER && v->type != VALUE_BOOLEAN)
                return refuse(field->name, "the layer's field is a number", "Give the field type: decimal or integer", error);
        if (!is_real && decimal_to_integer(&d, &integer) < 0)
                return refuse(field->name, "the layer's field holds whole numbers", "Give the field type: integer", error);
        if (is_real) {
                if (text_equal(field->type, "esriFieldTypeSingle"))
                        value_from_real4(strtof(text, NULL), real_text, &back);
                else
                        value_from_real(strtod(text, NULL), real_text, &back);
                if (back.type != VALUE_DECIMAL || decimal_compare(&back.decimal, &d) != 0)
                        return refuse(field->name, "a binary float does not hold all digits of the number", "Round it in the mapping (accept: rounds)", error);
        }
        return text_buffer_add(&w->list, text, strlen(text));
}

static int value_put(ServiceWriter *w, const ServiceField *field, const Value *v, Error *error) {
        const char *text;
        int64_t n = 0;

        if (value_is_null(v))
                return text_buffer_add(&w->list, "null", 4);
        if (text_equal(field->type, "esriFieldTypeDate")) {
                if (v->type == VALUE_DATE)
                        return text_buffer_printf(&w->list, "%lld", (long long) v->integer * 86400000LL);
                if (v->type != VALUE_TIMESTAMP || v->integer % 1000 != 0)
                        return refuse(field->name, "the layer's field is a time in thousandths of a second", "Give the field type: timestamp, and round it", error);
                return text_buffer_printf(&w->list, "%lld", (long long) v->integer / 1000);
        }
        if (text_starts_with(field->type, "esriFieldTypeDouble") || text_starts_with(field->type, "esriFieldTypeSingle") ||
            text_starts_with(field->type, "esriFieldTypeInteger") || text_starts_with(field->type, "esriFieldTypeSmallInteger") ||
            text_starts_with(field->type, "esriFieldTypeBigInteger"))
                return number_put(w, field, v, error);
        text = v->type == VALUE_TEXT || v->type == VALUE_JSON ? v->bytes : value_to_text(v, w->arena, 0);
        if (!text)
                return -ENOMEM;
        if (v->type != VALUE_TEXT && v->type != VALUE_JSON)
                return text_buffer_add_json(&w->list, text, strlen(text));
        for (size_t i = 0; i < v->size; i++)
                n += ((unsigned char) v->bytes[i] & 0xC0) != 0x80;
        if (field->length > 0 && n > field->length)
                return refuse(field->name, "the text is longer than the layer's field", "Shorten it, or let accept: truncates and max_length: do so", error);
        return text_buffer_add_json(&w->list, v->bytes, v->size);
}

/* The same key makes the same id, in this pair and layer only. */
static int global_id_put(ServiceWriter *w, const Change *change) {
        char text[UUID_TEXT_SIZE];
        uint8_t bytes[16];
        Digest parts[3], digest;

        bytes_digest(connector_pair(), strlen(connector_pair()), parts);
        bytes_digest(w->layer.url, strlen(w->layer.url), parts + 1);
        bytes_digest(change->key.bytes, change->key.size, parts + 2);
        bytes_digest(parts, sizeof(parts), &digest);
        memcpy(bytes, digest.bytes, sizeof(bytes));
        bytes[6] = (uint8_t) (0x80 | (bytes[6] & 0x0F)); /* version 8: of one's own making */
        bytes[8] = (uint8_t) (0x80 | (bytes[8] & 0x3F));
        uuid_format(bytes, text);
        return text_buffer_printf(&w->list, ",\"%s\":\"{%s}\"", w->layer.global_id, text);
}

/* oid: of an update. What cannot be written is the record's refusal, and the list as it was. */
static int feature_put(ServiceWriter *w, const Change *change, int64_t oid, Error *error) {
        bool is_add = change->kind == CHANGE_INSERT;
        const Value *geometry = NULL;
        const char *comma = "";
        int r;

        r = text_buffer_printf(&w->list, "%s{\"attributes\":{", w->list.size > 1 ? "," : "");
        if (r == 0 && !is_add) {
                r = text_buffer_printf(&w->list, "\"%s\":%lld", w->layer.oid, (long long) oid);
                comma = ",";
        }
        for (size_t i = is_add ? 0 : w->mapping->n_key; r == 0 && i < w->mapping->n_fields; i++) {
                const ServiceField *field = service_field(&w->layer, w->mapping->fields[i].name);

                if (change->target[i].type == VALUE_ABSENT || (!is_add && change->changed && !change->changed[i]))
                        continue;
                if (!field) {
                        geometry = change->target + i;
                        continue;
                }
                r = text_buffer_printf(&w->list, "%s\"%s\":", comma, field->name);
                comma = ",";
                if (r == 0)
                        r = value_put(w, field, change->target + i, error);
        }
        if (r == 0 && is_add && w->layer.adds_with_global_ids)
                r = global_id_put(w, change);
        if (r == 0)
                r = text_buffer_add(&w->list, "}", 1);
        if (r == 0 && geometry) {
                r = text_buffer_printf(&w->list, ",\"geometry\":");
                if (r == 0)
                        r = value_is_null(geometry) ? text_buffer_add(&w->list, "null", 4) : esri_geometry_put(geometry->bytes, geometry->size, &w->list);
                if (r == -EOPNOTSUPP)
                        r = refuse(OGR_GEOMETRY_NAME, "the service cannot hold the geometry", "Give the field a kind: without arcs, and no collection", error);
        }
        return r == 0 ? text_buffer_add(&w->list, "}", 1) : r;
}

static int result_take(ServiceWriter *w, const JsonItem *result, RecordWrite *write, bool *ret_again) {
        const JsonItem *failure = json_item_member(result, "error");
        const char *words = json_item_text(json_item_member(failure, "description"));
        const Value code = json_value(json_item_member(failure, "code"));

        if (json_item_is(json_item_member(result, "success"), JSON_ITEM_TRUE))
                return 0;
        *ret_again = code.type == VALUE_INTEGER && code.integer == ROLLED_BACK;
        if (!*ret_again)
                (void) error_set(&write->refusal, ERROR_RECORD_REFUSED, "Correct the record at the source, or the layer's rules",
                                 "Layer \"%s\" refused the feature: %s", w->mapping->to, words ? words : "the service does not say why");
        return 1;
}

/* One request of one kind of edit; list is its JSON array without the last bracket. writes[i] has its result under the same number. */
static int edits_send(ServiceWriter *w, ChangeKind kind, RecordWrite **writes, size_t n, bool *again, Error *error) {
        static const char *const names[][2] = {[CHANGE_INSERT] = {"adds", "addResults"}, [CHANGE_UPDATE] = {"updates", "updateResults"},
                                               [CHANGE_DELETE] = {"deletes", "deleteResults"}};
        const JsonItem *answer, *result;
        size_t i = 0;
        int n_refused = 0, r;

        text_buffer_reset(&w->form);
        r = text_buffer_add(&w->list, "]", 1);
        if (r == 0)
                r = form_add(&w->form, names[kind][0], w->list.bytes);
        if (r == 0)
                r = form_add(&w->form, "rollbackOnFailure", "false");
        if (r == 0 && kind == CHANGE_INSERT && w->layer.adds_with_global_ids)
                r = form_add(&w->form, "useGlobalIds", "true");
        if (r == 0)
                r = form_add(&w->form, "f", "json");
        if (r == 0)
                r = post(w, "applyEdits", false, &answer, error);
        if (r < 0)
                return r;
        result = json_item_member(answer, names[kind][1]);
        if (!json_item_is(result, JSON_ITEM_ARRAY) || result->n_children != n)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "It is tried again: what was written is found by key",
                                 "System \"%s\": the service does not say of each of %zu features whether it was written", w->connection->system->name, n);
        for (result = result->first; result; result = result->next, i++)
                n_refused += result_take(w, result, writes[i], again + i) && !again[i];
        return n_refused;
}

typedef struct Edits { RecordWrite **writes; int64_t *oids; } Edits;

static int on_found(ServiceWriter *w, const JsonItem *feature, void *context, size_t i) {
        const Value oid = json_value(json_item_member(json_item_member(feature, "attributes"), w->layer.oid));

        ((Edits *) context)->oids[i] = oid.type == VALUE_INTEGER ? oid.integer : -1;
        return 0;
}

static int change_key(ServiceWriter *w, const Change *change, Arena *arena, const Value **ret) {
        Value *key;

        *ret = change->before ? change->before : change->target;
        if (*ret)
                return 0;
        key = arena_alloc_zero(arena, w->mapping->n_key * sizeof(Value));
        *ret = key;
        return key ? key_decode(change->key, arena, key, w->mapping->n_key) : -ENOMEM;
}

static int oids_find(ServiceWriter *w, RecordWrite **writes, int64_t *oids, size_t n, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        Edits edits = {.writes = writes};
        const Value *keys[KEYS_ASKED];
        int r;

        r = arena_new(&arena);
        for (size_t at = 0; r == 0 && at < n; at += KEYS_ASKED) {
                size_t n_asked = n - at < KEYS_ASKED ? n - at : KEYS_ASKED;

                for (size_t i = 0; r == 0 && i < n_asked; i++) {
                        oids[at + i] = -1;
                        r = change_key(w, writes[at + i]->change, arena, keys + i);
                }
                edits.oids = oids + at;
                if (r == 0)
                        r = keys_ask(w, keys, n_asked, false, on_found, &edits, error);
        }
        return r;
}

/* At most EDITS_SENT changes of one kind. Gives how many were refused. */
static int edits_write(ServiceWriter *w, ChangeKind kind, RecordWrite **writes, size_t n, bool one_by_one, Error *error) {
        int64_t oids[EDITS_SENT] = {0};
        RecordWrite *sent[EDITS_SENT];
        bool again[EDITS_SENT] = {false};
        size_t n_sent = 0;
        int n_refused = 0, r = 0;

        if (kind != CHANGE_INSERT)
                r = oids_find(w, writes, oids, n, error);
        text_buffer_reset(&w->list);
        if (r == 0)
                r = text_buffer_add(&w->list, "[", 1);
        for (size_t i = 0; r == 0 && i < n; i++) {
                Error *refusal = &writes[i]->refusal;
                size_t before = w->list.size;

                if (oids[i] < 0)
                        r = error_set(refusal, ERROR_RECORD_REFUSED, "Run the pair again: it compares anew",
                                      "Layer \"%s\" has no feature of this key; it is gone since it was read", w->mapping->to);
                else if (kind == CHANGE_DELETE)
                        r = text_buffer_printf(&w->list, "%s%lld", w->list.size > 1 ? "," : "", (long long) oids[i]);
                else
                        r = feature_put(w, writes[i]->change, oids[i], refusal);
                if (r == 0)
                        sent[n_sent++] = writes[i];
                else if (refusal->id != ERROR_NONE) {
                        w->list.size = before;
                        n_refused++;
                        r = 0;
                }
        }
        if (r < 0 || n_sent == 0)
                return r < 0 ? r : n_refused;
        r = edits_send(w, kind, sent, n_sent, again, error);
        if (r < 0)
                return r;
        n_refused += r;
        for (size_t i = 0; i < n_sent; i++) {
                if (!again[i])
                        continue;
                if (one_by_one) {
                        (void) error_set(&sent[i]->refusal, ERROR_RECORD_REFUSED, "Look at the service's own log", "Layer \"%s\" rolled the feature back", w->mapping->to);
                        n_refused++;
                        continue;
                }
                r = edits_write(w, kind, sent + i, 1, true, error);
                if (r < 0)
                        return r;
                n_refused += r;
        }
        return n_refused;
}

int service_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error) {
        static const ChangeKind kinds[] = {CHANGE_DELETE, CHANGE_UPDATE, CHANGE_INSERT};
        ServiceWriter *w = (ServiceWriter *) writer;
        RecordWrite *some[EDITS_SENT];
        int n_refused = 0, r;

        for (size_t k = 0; k < ELEMENTSOF(kinds); k++)
                for (size_t i = 0; i < n_writes;) {
                        size_t n = 0;

                        for (; i < n_writes && n < EDITS_SENT; i++)
                                if (writes[i].change->kind == kinds[k])
                                        some[n++] = writes + i;
                        if (n == 0)
                                break;
                        arena_reset(w->arena);
                        r = edits_write(w, kinds[k], some, n, false, error);
                        if (r < 0)
                                return r;
                        n_refused += r;
                }
        return n_refused;
}
