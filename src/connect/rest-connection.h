/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A connection to a web service, and what the files of this connector share. In the worker. */
#include "basic/text-buffer.h"
#include "connect/connector.h"
#include "connect/odata-metadata.h"
#include "connect/rest-http.h"
#include "connect/rest-pages.h"

extern const Connector rest_connector;

typedef struct RestConnection {
        Connection base;
        RestOptions *options;
        RestClient *client;
        Arena *arena;                   /* of the service's description */
        const ODataService *service;    /* NULL until it is asked for */
        Arena *horizon;                 /* of the last horizon's text */
        bool numbers_are_texts;         /* the last answer honoured IEEE754Compatible */
} RestConnection;

#define REST_ACCEPT_ODATA "application/json;IEEE754Compatible=true;odata.metadata=minimal"
#define REST_TYPE_ODATA   "application/json;IEEE754Compatible=true"

/* The service's description, read once. */
_must_check_ int rest_service(RestConnection *c, const ODataService **ret, Error *error);
/* An entity set by its name; ERROR_TABLE_MISSING with the nearest. */
_must_check_ int rest_set(RestConnection *c, const char *name, const ODataSet **ret, Error *error);
/* Appends Set(key) of a record; key: n_key fields' values. -ERANGE. */
_must_check_ int odata_record_path(const ODataSet *set, const Mapping *m, const Value *key, Arena *arena, TextBuffer *b);

/* rest-select.c: the address of the first page of a scan. after: literals of the last record's key, one of each key
 * property, or NULL; navigations: of each join. */
typedef struct RestSelect {
        const ODataSet *set;
        const ReadPlan *plan;
        const bool *columns;                            /* which of the mapping's are read */
        const ODataNavigation *const *navigations;
        char *const *after;
        bool in_key_order, count;
} RestSelect;
_must_check_ int odata_select_url(const RestConnection *c, const RestSelect *select, char **ret, Error *error);
/* The navigation that gives what a mapping's join wants. ERROR_NOT_YET where there is no plain one. */
_must_check_ int odata_join(const ODataService *service, const ODataSet *set, const MappingJoin *join,
                            const ODataNavigation **ret, const ODataSet **ret_set, Error *error);

/* rest-reader.c, rest-writer.c, rest-check.c */
int rest_reader_open(Connection *c, const ReadPlan *plan, Reader **ret, Error *error);
int rest_reader_next(Reader *r, Value *values, Error *error);
const char *rest_reader_position(Reader *r);
bool rest_reader_resumed(const Reader *r);
bool rest_reader_is_gone(const Reader *r);
const char *rest_reader_changes_from(Reader *r);
bool rest_reader_keys_are_unique(const Reader *r);
void rest_reader_close(Reader *r);
int rest_writer_open(Connection *c, const Mapping *m, Writer **ret, Error *error);
void rest_writer_close(Writer *w);
int rest_count(Writer *w, uint64_t *ret, Error *error);
int rest_fetch(Writer *w, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
int rest_write(Writer *w, RecordWrite *writes, size_t n_writes, Error *error);
int rest_check(Connection *c, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error);
