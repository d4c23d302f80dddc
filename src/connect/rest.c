/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/limits.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "build-config.h"
#include "connect/module.h"
#include "connect/rest-connection.h"

static void rest_close(Connection *connection) {
        RestConnection *c = (RestConnection *) connection;

        rest_client_free(c->client);
        rest_options_free(c->options);
        arena_free(c->arena);
        free(c);
}

static void connectionp(RestConnection **c) {
        if (*c)
                rest_close(&(*c)->base);
}

/* An OData service is asked for its description at once: a wrong address or key shows before anything is read. */
static int rest_open(const System *system, bool write, Connection **ret, Error *error) {
        _cleanup_(connectionp) RestConnection *c = calloc(1, sizeof(*c));
        const ODataService *service;
        int r;

        if (!c)
                return -ENOMEM;
        c->base.connector = &rest_connector;
        r = arena_new(&c->arena);
        if (r == 0)
                r = rest_options_read(system, &c->options, error);
        if (r == 0)
                r = rest_client_new(c->options, &c->client, error);
        if (r == 0 && c->options->protocol == REST_ODATA)
                r = rest_service(c, &service, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(c)->base;
        return 0;
}

int rest_service(RestConnection *c, const ODataService **ret, Error *error) {
        _cleanup_response_ RestResponse response = {};
        _cleanup_free_ char *url = NULL;
        RestRequest q = {.method = "GET", .accept = "application/xml", .repeats = true};
        int r;

        if (c->service) {
                *ret = c->service;
                return 0;
        }
        if (asprintf(&url, "%s/$metadata", c->options->url) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        q.url = url;
        r = rest_client_send(c->client, &q, &response, error);
        if (r < 0)
                return r;
        if (response.status / 100 != 2)
                return rest_response_error(c->client, &q, &response, error);
        r = odata_metadata_parse(response.body, response.size, c->arena, &c->service, error);
        if (r < 0 && r != -ENOMEM && error) {
                error_prefix(error, "System \"%s\": $metadata", c->options->system->name);
                if (!error->remedy)
                        error->remedy = strdup("Check url: it has to lead to an OData v4 service, and auth: to get through a login page");
        }
        *ret = c->service;
        return r;
}

int rest_set(RestConnection *c, const char *name, const ODataSet **ret, Error *error) {
        const ODataService *service;
        int r;

        r = rest_service(c, &service, error);
        if (r < 0)
                return r;
        *ret = odata_set(service, name);
        return *ret ? 0 : odata_set_missing(service, name, c->options->system->name, error);
}

/* The service's own clock, less its lag: its stamps are made by it. Nothing proves that no request takes longer. */
static int rest_horizon(Connection *connection, const Mapping *m, Value *ret, Error *error) {
        RestConnection *c = (RestConnection *) connection;
        _cleanup_response_ RestResponse response = {};
        _cleanup_free_ char *url = NULL;
        RestRequest q = {.method = "GET", .accept = "text/plain", .repeats = true};
        const ODataProperty *p;
        const ODataSet *set;
        int r;

        if (c->options->protocol != REST_ODATA)
                return error_set(error, ERROR_WATERMARK, "Use strategy: full", "A service of protocol json has no watermark");
        r = rest_set(c, m->from, &set, error);
        if (r < 0)
                return r;
        p = odata_property(set, m->watermark);
        if (!p || p->type != EDM_DATE_TIME_OFFSET)
                return error_set(error, ERROR_WATERMARK, "Name a property of type Edm.DateTimeOffset that the service itself sets",
                                 "\"%s\" of \"%s\" is no time of last change", m->watermark, m->from);
        if (asprintf(&url, "%s/%s/$count", c->options->url, set->name) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        q.url = url;
        r = rest_client_send(c->client, &q, &response, error);
        if (r < 0)
                return r;
        if (response.date_usec == 0)
                return error_set(error, ERROR_WATERMARK, "Use strategy: full", "System \"%s\": the service does not tell its time (Date:)",
                                 c->options->system->name);
        *ret = (Value){.type = VALUE_TIMESTAMP, .integer = response.date_usec - (int64_t) c->options->lag_usec};
        return 0;
}

static bool rest_horizon_is_exact(const Connection *c, const Mapping *m) { return false; }

static int rest_describe(Connection *connection, const Mapping *m, const char *name, bool target, Table **ret, Error *error) {
        RestConnection *c = (RestConnection *) connection;
        const ODataSet *set;
        int r;

        if (c->options->protocol != REST_ODATA)
                return error_set(error, ERROR_NOT_YET, NULL, "System \"%s\": a service of protocol json does not say what its columns are",
                                 c->options->system->name);
        r = rest_set(c, name, &set, error);
        return r < 0 ? r : odata_set_table(set, ret);
}

const Connector rest_connector = {
        .kind = "rest",
        .summary = "A web service: OData v4, or JSON over HTTP",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES | CONNECTOR_RESUMES,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_FEED),
        .default_strategy = DETECT_FULL,
        .open = rest_open,
        .close = rest_close,
        .check = rest_check,
        .horizon = rest_horizon,
        .horizon_is_exact = rest_horizon_is_exact,
        .describe = rest_describe,
        .reader_open = rest_reader_open,
        .reader_next = rest_reader_next,
        .reader_position = rest_reader_position,
        .reader_resumed = rest_reader_resumed,
        .reader_is_gone = rest_reader_is_gone,
        .reader_changes_from = rest_reader_changes_from,
        .reader_keys_are_unique = rest_reader_keys_are_unique,
        .reader_close = rest_reader_close,
        .writer_open = rest_writer_open,
        .writer_close = rest_writer_close,
        .count = rest_count,
        .fetch = rest_fetch,
        .write = rest_write,
};

CONNECTOR_MODULE(rest);
