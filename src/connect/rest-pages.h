/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The pages of a list, one after the other, until the service says that there are no more. A service that gives the same
 * page again and again is found out. In the worker. */
#include "connect/rest-http.h"
#include "model/record.h"

typedef struct RestPages {
        RestClient *client;
        const RestOptions *options;
        const RestTable *table;         /* json; NULL: odata */
        char *prefer;                   /* owned; NULL: none */
        char *url;                      /* of the page that is read next; NULL: there is none */
        char *asked;                    /* of the page at hand */
        bool by_key;                    /* odata: whoever reads says where the next page begins (pages_set) */
        bool has_more;                  /* odata: the page at hand had a link to another */
        char *delta_link;               /* odata: of the last page; NULL: none */
        int64_t total;                  /* of all records, as the first page told; -1: not told */
        int64_t number;                 /* json: of the page or offset that comes next */
        uint64_t n_pages, n_records;
        Digest mark;                    /* of an earlier page: that of page mark_at */
        uint64_t mark_at;
        bool numbers_are_texts;         /* the answer honoured IEEE754Compatible */
        int64_t date_usec;              /* the service's clock at the page */
        RestResponse response;
        Arena *arena;                   /* of the page at hand */
        const JsonItem *records;        /* its array */
} RestPages;

/* url: taken over, also on failure; json: NULL, the table says. */
_must_check_ int rest_pages_open(RestPages *p, RestClient *client, const RestOptions *options, const RestTable *table, char *url,
                                 Error *error);
void rest_pages_done(RestPages *p);
/* 1: p->records is the next page (perhaps empty), 0: there is none. What it gave before is gone.
 * *ret_status: where not NULL, a status of 404 or 410 is given there and -ENOENT without an error. */
_must_check_ int rest_pages_next(RestPages *p, long *ret_status, Error *error);
/* A name with or without "odata." (4.0, 4.01): "nextLink". NULL. */
const JsonItem *odata_annotation(const JsonItem *item, const char *name);
