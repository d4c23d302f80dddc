/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a system of kind rest is told by the configuration, with defaults. In the worker. */
#include "basic/error.h"
#include "model/system.h"

typedef enum RestProtocol { REST_ODATA, REST_JSON } RestProtocol;

typedef enum RestPaging {
        REST_PAGING_KEY,        /* odata: go on behind the last key, as long as the service says that there is more */
        REST_PAGING_LINK,       /* odata: @odata.nextLink; json: Link: <…>; rel="next" */
        REST_PAGING_NONE, REST_PAGING_PAGE, REST_PAGING_OFFSET, REST_PAGING_CURSOR,
        _REST_PAGING_MAX, _REST_PAGING_INVALID = -EINVAL,
} RestPaging;

typedef enum RestAuth { REST_AUTH_NONE, REST_AUTH_API_KEY, REST_AUTH_BASIC, REST_AUTH_BEARER, REST_AUTH_OAUTH2 } RestAuth;

/* Of protocol json: how a table is asked for. All borrowed from the system's options. */
typedef struct RestTable {
        const char *name;
        const char *path;               /* below url; "/NAME" by default (then owned by RestOptions) */
        const char *records;            /* pointer to the array of records; "" is the answer itself */
        const char *record;             /* path of one record with {key field}, for writing and looking up; NULL */
        RestPaging paging;
        const char *page, *size;        /* names of the parameters: page, or offset, or cursor; and page size */
        int64_t first_page;
        const char *cursor;             /* pointer to the next cursor (or address) in the answer */
        const char *more;               /* pointer to a boolean: is there another page; NULL */
        const char *total;              /* pointer to the number of all records; NULL */
        const json_t *parameters;       /* {name: text}; NULL */
        const char *insert_method;      /* POST or PUT */
        const char *update_method;      /* PATCH or PUT */
        bool omits_nulls;               /* a record without the member means null */
} RestTable;

typedef struct RestOptions {
        const System *system;
        RestProtocol protocol;
        char *url;                      /* without a slash at its end */
        RestAuth auth;
        const char *header, *user, *credential, *token_url, *client_id, *scope;
        const json_t *headers;          /* {name: text}; NULL */
        const char *ca_file;
        int64_t page_size;              /* asked for; 0: the service's own */
        RestPaging paging;              /* of odata */
        int64_t batch_size;             /* odata: requests in one $batch; 1: no batches */
        uint64_t lag_usec;              /* of watermarks, behind the service's clock */
        RestTable *tables;
        size_t n_tables, tables_capacity;
        char **paths;                   /* made, not written */
} RestOptions;

/* ERROR_CONFIGURATION with place. */
_must_check_ int rest_options_read(const System *system, RestOptions **ret, Error *error);
RestOptions *rest_options_free(RestOptions *o);
DEFINE_CLEANUP(RestOptions, rest_options_free)
/* Of protocol json: how to ask for a table; one that is not described has the defaults. -ENOMEM. */
_must_check_ int rest_table(RestOptions *o, const char *name, const RestTable **ret);
/* Whether http (without TLS) may carry secrets to this address: only to this machine itself. */
bool rest_url_is_safe(const char *url);
RestPaging rest_paging_from_string(const char *name);
