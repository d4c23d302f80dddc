/* SPDX-License-Identifier: Apache-2.0 */
/* Pages by object id: each begins behind the last id of the one before, and only the service's own word ends the scan: an answer
 * without exceededTransferLimit, however few features it has. At the end what was read is compared with the service's own count. */
#include "connect/ogr-service.h"

#include "basic/text.h"
#include "connect/ogr-database.h"
#include "connect/sql.h"

#define EMPTY_PAGES_MAX 3U /* in a row, that say there is more */

typedef struct ServiceReader {
        Reader base;
        ServiceConnection *connection;
        const Mapping *mapping;
        ServiceLayer layer;
        char *where; /* the mapping's, or "1=1" */
        Arena *arena; /* of the page */
        TextBuffer wkb, form;
        const JsonItem *next;
        int64_t last_oid;
        uint64_t n_read, n_before;
        unsigned n_empty;
        bool any_page, has_more, at_end;
} ServiceReader;

void service_reader_close(Reader *reader) {
        ServiceReader *r = (ServiceReader *) reader;

        service_layer_done(&r->layer);
        arena_free(r->arena);
        text_buffer_done(&r->wkb);
        text_buffer_done(&r->form);
        free(r->where);
        free(r);
}

static void readerp(ServiceReader **r) {
        if (*r)
                service_reader_close(&(*r)->base);
}

static int url_of(const ServiceReader *r, char **ret) {
        if (asprintf(ret, "%s/query", r->layer.url) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

static int count_ask(ServiceReader *r, uint64_t *ret, Error *error) {
        _cleanup_free_ char *url = NULL;
        const JsonItem *answer, *count;
        Decimal decimal;
        int64_t n = -1;
        int q;

        arena_reset(r->arena);
        text_buffer_reset(&r->form);
        q = url_of(r, &url);
        if (q == 0)
                q = form_add(&r->form, "where", r->where);
        if (q == 0)
                q = form_add(&r->form, "returnCountOnly", "true");
        if (q == 0)
                q = form_add(&r->form, "f", "json");
        if (q == 0)
                q = service_ask(r->connection, url, &r->form, true, r->arena, &answer, error);
        if (q < 0)
                return q;
        count = json_item_member(answer, "count");
        if (!json_item_is(count, JSON_ITEM_NUMBER) || decimal_parse(count->text, count->size, &decimal) < 0 || decimal_to_integer(&decimal, &n) < 0 || n < 0)
                return error_set(error, ERROR_FILE_FORMAT, "Look at the service with a browser: …/query?where=1=1&returnCountOnly=true&f=json",
                                 "System \"%s\": the service does not say how many features layer \"%s\" has", r->connection->system->name, r->layer.table->name);
        *ret = (uint64_t) n;
        return 0;
}

static const Value *variable_find(const void *context, const char *name, size_t size) {
        const Variable *variable = context ? pair_variable(context, name, size) : NULL;

        return variable ? &variable->value : NULL;
}

static int fields_list(const ServiceReader *r, TextBuffer *ret) {
        int q;

        q = text_buffer_printf(ret, "%s", r->layer.oid);
        for (size_t i = 0; q == 0 && i < r->mapping->n_columns; i++) {
                const ServiceField *field = service_field(&r->layer, r->mapping->columns[i].name);

                if (field && !text_equal(field->name, r->layer.oid))
                        q = text_buffer_printf(ret, ",%s", field->name);
        }
        return q;
}

static bool wants_geometry(const ServiceReader *r) {
        for (size_t i = 0; i < r->mapping->n_columns; i++)
                if (!service_field(&r->layer, r->mapping->columns[i].name))
                        return true;
        return false;
}

static int page_form(ServiceReader *r) {
        _cleanup_text_buffer_ TextBuffer where = {}, fields = {};
        bool geometry = wants_geometry(r);
        char number[32];
        int q;

        text_buffer_reset(&r->form);
        q = r->any_page ? text_buffer_printf(&where, "(%s) AND %s > %lld", r->where, r->layer.oid, (long long) r->last_oid)
                        : text_buffer_printf(&where, "%s", r->where);
        if (q == 0)
                q = fields_list(r, &fields);
        if (q == 0)
                q = form_add(&r->form, "where", where.bytes);
        if (q == 0)
                q = form_add(&r->form, "outFields", fields.bytes);
        if (q == 0)
                q = form_add(&r->form, "orderByFields", r->layer.oid);
        (void) snprintf(number, sizeof(number), "%lld", (long long) r->layer.page);
        if (q == 0)
                q = form_add(&r->form, "resultRecordCount", number);
        if (q == 0)
                q = form_add(&r->form, "returnGeometry", geometry ? "true" : "false");
        (void) snprintf(number, sizeof(number), "%u", r->layer.srid);
        if (q == 0 && geometry)
                q = form_add(&r->form, "outSR", number);
        if (q == 0 && geometry && r->layer.has_z)
                q = form_add(&r->form, "returnZ", "true");
        if (q == 0 && geometry && r->layer.has_m)
                q = form_add(&r->form, "returnM", "true");
        return q == 0 ? form_add(&r->form, "f", "json") : q;
}

static int page_read(ServiceReader *r, Error *error) {
        _cleanup_free_ char *url = NULL;
        const JsonItem *answer, *features;
        int q;

        arena_reset(r->arena);
        r->next = NULL;
        q = url_of(r, &url);
        if (q == 0)
                q = page_form(r);
        if (q == 0)
                q = service_ask(r->connection, url, &r->form, true, r->arena, &answer, error);
        if (q < 0)
                return q;
        features = json_item_member(answer, "features");
        if (!json_item_is(features, JSON_ITEM_ARRAY))
                return error_set(error, ERROR_FILE_FORMAT, "Look at the service with a browser", "System \"%s\": the answer of layer \"%s\" has no features",
                                 r->connection->system->name, r->layer.table->name);
        r->next = features->first;
        r->has_more = service_has_more(answer);
        r->any_page = true;
        r->n_empty = features->first ? 0 : r->n_empty + 1;
        if (r->has_more && r->n_empty >= EMPTY_PAGES_MAX)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "It is tried again; else let the layer's maxRecordCount be raised",
                                 "System \"%s\": layer \"%s\" says that there is more, and gives nothing", r->connection->system->name, r->layer.table->name);
        return 0;
}

int service_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        _cleanup_(readerp) ServiceReader *r = calloc(1, sizeof(*r));
        int q;

        if (!r)
                return -ENOMEM;
        r->base.connector = &ogr_service_connector;
        r->connection = (ServiceConnection *) connection;
        r->mapping = plan->mapping;
        r->last_oid = INT64_MIN;
        q = ogr_mapping_refuse(plan->mapping, plan->pair, error);
        if (q == 0)
                q = arena_new(&r->arena);
        if (q == 0)
                q = service_layer_open(r->connection, plan->mapping->from, &r->layer, error);
        if (q == 0)
                q = table_check_source(r->layer.table, NULL, plan->pair, plan->mapping, NULL, error);
        if (q == 0)
                q = plan->mapping->where ? sql_fill(plan->mapping->where, variable_find, plan->pair, &r->where, error)
                                         : (r->where = strdup("1=1")) ? 0 : -ENOMEM;
        if (q == 0)
                q = count_ask(r, &r->n_before, error);
        if (q < 0)
                return q;
        r->has_more = true;
        *ret = &TAKE_PTR(r)->base;
        return 0;
}

/* A layer that is edited meanwhile may have had any number between its two counts. */
static int end_check(ServiceReader *r, Error *error) {
        uint64_t n_after;
        int q;

        q = count_ask(r, &n_after, error);
        if (q < 0)
                return q;
        if ((r->n_read >= r->n_before && r->n_read <= n_after) || (r->n_read <= r->n_before && r->n_read >= n_after))
                return 0;
        return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "It is tried again; if it stays so, the service leaves out features: look at its log",
                         "System \"%s\": layer \"%s\" gave %llu features, and says that it has %llu", r->connection->system->name, r->layer.table->name,
                         (unsigned long long) r->n_read, (unsigned long long) n_after);
}

/* Ids have to grow: a service that gives page one again would be read for ever. */
static int oid_take(ServiceReader *r, Error *error) {
        const Value oid = json_value(json_item_member(json_item_member(r->next, "attributes"), r->layer.oid));

        if (oid.type != VALUE_INTEGER || (r->n_read > 0 && oid.integer <= r->last_oid))
                return error_set(error, ERROR_FILE_FORMAT, "Publish the layer with integer object ids and support for orderByFields",
                                 "System \"%s\": layer \"%s\" does not give its features in the order of %s", r->connection->system->name,
                                 r->layer.table->name, r->layer.oid);
        r->last_oid = oid.integer;
        return 0;
}

int service_reader_next(Reader *reader, Value *values, Error *error) {
        ServiceReader *r = (ServiceReader *) reader;
        int q = 0;

        if (r->at_end)
                return 0;
        while (q == 0 && !r->next && r->has_more)
                q = page_read(r, error);
        if (q < 0)
                return q;
        if (!r->next) {
                r->at_end = true;
                return end_check(r, error);
        }
        q = oid_take(r, error);
        for (size_t i = 0; q == 0 && i < r->mapping->n_columns; i++)
                q = service_value(&r->layer, r->next, r->mapping->columns[i].name, &r->wkb, values + i);
        if (q < 0)
                return q;
        r->next = r->next->next;
        r->n_read++;
        return 1;
}
