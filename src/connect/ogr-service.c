/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/ogr-service.h"

#include <jansson.h>

#include "basic/json.h"
#include "connect/ogr-database.h"

int form_add(TextBuffer *b, const char *name, const char *value) {
        int r;

        r = text_buffer_printf(b, "%s%s=", b->size > 0 ? "&" : "", name);
        return r == 0 ? text_buffer_add_url(b, value, strlen(value)) : r;
}

bool service_has_more(const JsonItem *answer) { return json_item_is(json_item_member(answer, "exceededTransferLimit"), JSON_ITEM_TRUE); }

/* {"error": {"code": 498, "message": "Invalid token"}} comes with status 200. */
static int answer_check(const ServiceConnection *c, const JsonItem *answer, Error *error) {
        const JsonItem *failure = json_item_member(answer, "error"), *code = json_item_member(failure, "code"), *details = json_item_member(failure, "details");
        const char *message = json_item_text(json_item_member(failure, "message")), *more = details ? json_item_text(details->first) : NULL;
        int64_t number = 0;
        bool is_key;

        if (!failure)
                return 0;
        if (code && code->kind == JSON_ITEM_NUMBER) {
                _cleanup_free_ char *text = strndup(code->text, code->size);

                if (text && text_to_int64(text, 0, 100000, &number) < 0)
                        number = 0;
        }
        is_key = number == 498 || number == 499 || number == 401 || number == 403;
        return error_set(error, number >= 500 && number < 600 ? ERROR_SYSTEM_UNAVAILABLE : ERROR_SYSTEM_REFUSED,
                         is_key ? "Give the system a token or an API key that may do this (auth:)" : "Look at the service's own log, or correct the mapping",
                         "System \"%s\": the service answers with error %lld: %s%s%s", c->system->name, (long long) number,
                         message ? message : "no message", more ? ": " : "", more ? more : "");
}

int service_ask(ServiceConnection *c, const char *url, const TextBuffer *body, bool repeats, Arena *arena, const JsonItem **ret, Error *error) {
        _cleanup_response_ RestResponse response = {};
        char *kept;
        const RestRequest request = {
                .method = body ? "POST" : "GET",
                .url = url,
                .body = body ? body->bytes : NULL,
                .body_size = body ? body->size : 0,
                .content_type = body ? "application/x-www-form-urlencoded" : NULL,
                .repeats = repeats,
        };
        int r;

        r = rest_client_send(c->client, &request, &response, error);
        if (r < 0)
                return r;
        if (response.status < 200 || response.status >= 300)
                return rest_response_error(c->client, &request, &response, error);
        r = rest_response_json(c->client, &request, &response, arena, ret, error);
        if (r < 0)
                return r;
        kept = arena_copy(arena, response.body, response.size + 1); /* the tree borrows from the answer's bytes */
        if (!kept)
                return -ENOMEM;
        r = json_item_parse(kept, response.size, SERVICE_MEMORY_MAX, arena, ret, error);
        return r < 0 ? r : answer_check(c, *ret, error);
}

/* ---- layers ---- */

const ServiceField *service_field(const ServiceLayer *l, const char *name) {
        for (size_t i = 0; i < l->n_fields; i++)
                if (text_equal_ignoring_case(l->fields[i].name, name))
                        return l->fields + i;
        return NULL;
}

void service_layer_done(ServiceLayer *l) {
        table_free(l->table);
        arena_free(l->arena);
        free(l->url);
        *l = (ServiceLayer){};
}

static int64_t number_member(const JsonItem *item, const char *name) {
        const JsonItem *member = json_item_member(item, name);
        int64_t number = 0;
        Decimal decimal;

        if (json_item_is(member, JSON_ITEM_NUMBER) && decimal_parse(member->text, member->size, &decimal) == 0 &&
            decimal_to_integer(&decimal, &number) < 0)
                number = 0;
        return number;
}

static bool true_member(const JsonItem *item, const char *name) { return json_item_is(json_item_member(item, name), JSON_ITEM_TRUE); }

static uint32_t srid_of(const JsonItem *reference) {
        int64_t latest = number_member(reference, "latestWkid"), wkid = number_member(reference, "wkid");

        return (uint32_t) (latest > 0 && latest < 1000000 ? latest : wkid > 0 && wkid < 1000000 ? wkid : 0);
}

static int fields_take(ServiceLayer *l, const JsonItem *fields) {
        l->fields = arena_alloc_zero(l->arena, ((fields ? fields->n_children : 0) + 1) * sizeof(ServiceField));
        if (!l->fields)
                return -ENOMEM;
        for (const JsonItem *f = fields ? fields->first : NULL; f; f = f->next) {
                const char *name = json_item_text(json_item_member(f, "name")), *type = json_item_text(json_item_member(f, "type"));
                TableColumn *column;

                if (!name || !type || text_equal(type, "esriFieldTypeGeometry"))
                        continue;
                l->fields[l->n_fields++] = (ServiceField){
                        .name = name,
                        .type = type,
                        .length = number_member(f, "length"),
                        .editable = !json_item_is(json_item_member(f, "editable"), JSON_ITEM_FALSE),
                };
                if (text_equal(type, "esriFieldTypeOID") && !l->oid)
                        l->oid = name;
                if (text_equal(type, "esriFieldTypeGlobalID") && !l->global_id)
                        l->global_id = name;
                column = table_column_add(l->table, name);
                if (!column || !(column->type = strdup(type)))
                        return -ENOMEM;
        }
        return 0;
}

static int layer_take(ServiceConnection *c, ServiceLayer *l, const JsonItem *about, Error *error) {
        const char *capabilities = json_item_text(json_item_member(about, "capabilities")), *oid = json_item_text(json_item_member(about, "objectIdField"));
        uint32_t told = 0;
        int64_t most;
        int r;

        r = fields_take(l, json_item_member(about, "fields"));
        if (r < 0)
                return r;
        if (oid && *oid)
                l->oid = oid;
        l->has_geometry = json_item_text(json_item_member(about, "geometryType"));
        l->has_z = true_member(about, "hasZ");
        l->has_m = true_member(about, "hasM");
        l->rolls_back = true_member(about, "supportsRollbackOnFailureParameter");
        l->adds_with_global_ids = l->global_id && true_member(about, "supportsApplyEditsWithGlobalIds");
        l->can_edit = capabilities && (strstr(capabilities, "Editing") || strstr(capabilities, "Create"));
        most = number_member(about, "maxRecordCount");
        l->page = most > 0 && most < SERVICE_PAGE_MAX ? most : SERVICE_PAGE_MAX;
        r = ogr_system_srid(c->system, &told, error);
        if (r < 0)
                return r;
        l->srid = srid_of(json_item_member(about, "sourceSpatialReference"));
        if (l->srid == 0)
                l->srid = srid_of(json_item_at(about, "/extent/spatialReference"));
        if (l->srid == 0)
                l->srid = told;
        if (!l->oid)
                return error_set(error, ERROR_SYSTEM_REFUSED, "Publish the layer with an object id", "System \"%s\": \"%s\" has no field of object ids",
                                 c->system->name, l->url);
        if (l->has_geometry && l->srid == 0)
                return error_set(error, ERROR_CONFIGURATION, "Say what it is: srid: EPSG:2927 in the system's configuration",
                                 "System \"%s\": \"%s\" names no coordinate system by a number", c->system->name, l->url);
        return !l->has_geometry || table_column_add(l->table, OGR_GEOMETRY_NAME) ? 0 : -ENOMEM;
}

/* The number of a layer that is named. */
static int layer_number(ServiceConnection *c, const char *name, Arena *arena, int64_t *ret, Error *error) {
        _cleanup_strings_ char **names = NULL;
        _cleanup_free_ char *url = NULL;
        const JsonItem *about, *lists[2];
        int r;

        if (text_to_int64(name, 0, 100000, ret) == 0)
                return 0;
        if (asprintf(&url, "%s?f=json", c->options->url) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        r = service_ask(c, url, NULL, true, arena, &about, error);
        if (r < 0)
                return r;
        lists[0] = json_item_member(about, "layers");
        lists[1] = json_item_member(about, "tables");
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (const JsonItem *layer = lists[i] ? lists[i]->first : NULL; layer; layer = layer->next) {
                        const char *its = json_item_text(json_item_member(layer, "name"));

                        *ret = number_member(layer, "id");
                        if (text_equal(its, name))
                                return 0;
                        if (its && strings_append(&names, its) < 0)
                                return -ENOMEM;
                }
        return table_missing("layer", name, c->system->name, names, error);
}

int service_layer_open(ServiceConnection *c, const char *name, ServiceLayer *ret, Error *error) {
        _cleanup_free_ char *url = NULL;
        ServiceLayer l = {};
        const JsonItem *about;
        int64_t number;
        int r;

        r = arena_new(&l.arena);
        if (r < 0)
                return r;
        r = layer_number(c, name, l.arena, &number, error);
        if (r == 0 && (asprintf(&l.url, "%s/%lld", c->options->url, (long long) number) < 0 || asprintf(&url, "%s/%lld?f=json", c->options->url, (long long) number) < 0))
                r = -ENOMEM;
        if (r == 0)
                r = service_ask(c, url, NULL, true, l.arena, &about, error);
        if (r == 0) {
                l.table = calloc(1, sizeof(*l.table));
                r = l.table && (l.table->name = strdup(name)) ? layer_take(c, &l, about, error) : -ENOMEM;
        }
        if (r < 0) {
                service_layer_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}

int service_value(const ServiceLayer *l, const JsonItem *feature, const char *name, TextBuffer *wkb, Value *ret) {
        const ServiceField *field = service_field(l, name);
        const JsonItem *geometry;
        int r;

        if (field) {
                *ret = json_value(json_item_member(json_item_member(feature, "attributes"), field->name));
                if (text_equal(field->type, "esriFieldTypeDate") && ret->type == VALUE_INTEGER) {
                        ret->type = VALUE_TIMESTAMP;
                        ret->integer *= 1000;
                }
                return 0;
        }
        geometry = json_item_member(feature, "geometry");
        r = esri_geometry(geometry, l->srid, l->has_z, l->has_m, wkb);
        *ret = r == 0 ? (Value){.type = VALUE_GEOMETRY, .bytes = wkb->bytes, .size = wkb->size} : value_null();
        if (r == -EBADMSG) /* arcs, or something else: a finding of the field's type */
                *ret = value_text(geometry->text, geometry->size);
        return r == -ENOMEM ? r : 0;
}

/* ---- the connection ---- */

static void service_close(Connection *connection) {
        ServiceConnection *c = (ServiceConnection *) connection;

        rest_client_free(c->client);
        rest_options_free(c->options);
        free(c);
}

static int service_open(const System *system, bool write, Connection **ret, Error *error) {
        ServiceConnection *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->base.connector = &ogr_service_connector;
        c->system = system;
        r = rest_options_read(system, &c->options, error);
        if (r == 0)
                r = rest_client_new(c->options, &c->client, error);
        if (r < 0) {
                service_close(&c->base);
                return r;
        }
        *ret = &c->base;
        return 0;
}

static int service_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        _cleanup_free_ char *what = NULL;
        _cleanup_error_ Error failure = {};
        const ReadPlan plan = {.pair = pair, .mapping = m};
        Reader *reader = NULL;
        Writer *writer = NULL;
        int r;

        if (asprintf(&what, "layer %s", target ? m->to : m->from) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        r = target ? service_writer_open(connection, m, &writer, &failure) : service_reader_open(connection, &plan, &reader, &failure);
        if (reader)
                service_reader_close(reader);
        if (writer)
                service_writer_close(writer);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, what, &failure);
        return report_add(report, what, true, target ? "Can be edited" : "Can be read", NULL);
}

static int service_describe(Connection *connection, const Mapping *m, const char *table, bool target, Table **ret, Error *error) {
        ServiceLayer layer = {};
        int r;

        r = service_layer_open((ServiceConnection *) connection, table, &layer, error);
        if (r == 0)
                *ret = TAKE_PTR(layer.table);
        service_layer_done(&layer);
        return r;
}

const Connector ogr_service_connector = {
        .kind = "ogr",
        .summary = "An ArcGIS FeatureServer",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES,
        .strategies = DETECT_BIT(DETECT_FULL),
        .default_strategy = DETECT_FULL,
        .open = service_open,
        .close = service_close,
        .check = service_check,
        .describe = service_describe,
        .reader_open = service_reader_open,
        .reader_next = service_reader_next,
        .reader_close = service_reader_close,
        .writer_open = service_writer_open,
        .writer_close = service_writer_close,
        .count = service_count,
        .fetch = service_fetch,
        .write = service_write,
};
