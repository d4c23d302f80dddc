/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Layers of an ArcGIS FeatureServer: what asking, reading and writing share. In the worker. Source: ArcGIS REST API, "Query (Feature
 * Service/Layer)", "Apply Edits". */
#include "connect/ogr-esri.h"
#include "connect/ogr.h"
#include "connect/rest-http.h"

#define SERVICE_MEMORY_MAX (256U * 1024 * 1024) /* of one answer as a tree */
#define SERVICE_PAGE_MAX   2000                 /* features asked for at a time; a layer's maxRecordCount may be less */

typedef struct ServiceConnection {
        Connection base;
        const System *system;
        RestOptions *options;
        RestClient *client;
} ServiceConnection;

typedef struct ServiceField {
        const char *name, *type; /* "esriFieldTypeDate" */
        int64_t length;          /* characters; 0: not told */
        bool editable;
} ServiceField;

typedef struct ServiceLayer {
        char *url;
        Arena *arena; /* of names */
        const char *oid, *global_id; /* global_id NULL: none */
        ServiceField *fields;
        size_t n_fields;
        uint32_t srid;
        int64_t page;
        bool has_geometry, has_z, has_m, rolls_back, adds_with_global_ids, can_edit;
        Table *table;
} ServiceLayer;

/* Asks and gives the answer's document; what the service says with status 200 and {"error": …} is an error as well. body NULL: GET.
 * ERROR_SYSTEM_REFUSED, ERROR_SYSTEM_UNAVAILABLE, ERROR_FILE_FORMAT. */
_must_check_ int service_ask(ServiceConnection *c, const char *url, const TextBuffer *body, bool repeats, Arena *arena, const JsonItem **ret, Error *error);
/* A layer by number or name. ERROR_TABLE_MISSING with the nearest; ERROR_CONFIGURATION: no reference system. */
_must_check_ int service_layer_open(ServiceConnection *c, const char *name, ServiceLayer *ret, Error *error);
void service_layer_done(ServiceLayer *l);
const ServiceField *service_field(const ServiceLayer *l, const char *name);
/* The value of a column of one feature; dates are milliseconds since 1970 UTC there. wkb: for its geometry. -ENOMEM. */
_must_check_ int service_value(const ServiceLayer *l, const JsonItem *feature, const char *name, TextBuffer *wkb, Value *ret);
/* "name=value&" of a form. */
_must_check_ int form_add(TextBuffer *b, const char *name, const char *value);
/* Does the answer say that there is more than it holds? */
bool service_has_more(const JsonItem *answer);

int service_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error);
int service_reader_next(Reader *reader, Value *values, Error *error);
void service_reader_close(Reader *reader);
int service_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error);
void service_writer_close(Writer *writer);
int service_count(Writer *writer, uint64_t *ret, Error *error);
int service_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
int service_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error);
