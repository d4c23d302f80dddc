/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Requests to a web service: TLS always verified, keys and tokens added, tried again where that is safe, answers read
 * up to a limit. The only place that knows libcurl. In the worker; calls block. Nothing it says shows a secret or the
 * parameters of a URL. */
#include "basic/json-item.h"
#include "connect/rest-options.h"

typedef struct RestClient RestClient;

typedef struct RestRequest {
        const char *method;             /* "GET" */
        const char *url;                /* whole */
        const char *body;               /* NULL: none */
        size_t body_size;
        const char *content_type, *accept;      /* NULL: JSON */
        const char *if_match, *prefer;  /* NULL: none */
        bool repeats;                   /* doing it twice is the same as once: it may be sent again when the answer is lost */
} RestRequest;

typedef struct RestResponse {
        long status;
        char *body;                     /* NUL-terminated, never NULL after an answer */
        size_t size, capacity;
        char *content_type, *etag, *link, *location, *preference_applied;       /* headers; NULL where there was none */
        int64_t date_usec;              /* Date:, the service's clock; 0: not told */
        int64_t retry_after_usec;       /* -1: not told */
} RestResponse;
void rest_response_done(RestResponse *r);
#define _cleanup_response_ _cleanup_(rest_response_done)

_must_check_ int rest_client_new(const RestOptions *options, RestClient **ret, Error *error);
RestClient *rest_client_free(RestClient *c);
DEFINE_CLEANUP(RestClient, rest_client_free)

/* 0 where there was an answer, whatever its status: 429, and 503 with Retry-After, are waited for within the system's statement
 * timeout; what `repeats` is tried again for some seconds after lost connections and 5xx; 401 once with a new token.
 * ret is reused between calls. ERROR_SYSTEM_UNAVAILABLE (no connection, or lost: what does not repeat may have been done),
 * ERROR_SYSTEM_BUSY (429 beyond the timeout), ERROR_SYSTEM_REFUSED (TLS, the token), ERROR_FILE_FORMAT (larger than the limit). */
_must_check_ int rest_client_send(RestClient *c, const RestRequest *request, RestResponse *ret, Error *error);
/* What an answer without success means: always a negative errno and its error, by status, with the first words of the answer. */
int rest_response_error(const RestClient *c, const RestRequest *request, const RestResponse *response, Error *error);
/* The same of a part of a batch. method_path: "PATCH Accounts('A1')" without parameters. */
int rest_status_error(const RestClient *c, const char *method, const char *url, long status, const char *body, size_t size,
                      Error *error);
/* The answer's document; ERROR_SYSTEM_REFUSED where it is a web page, ERROR_FILE_FORMAT where it is no JSON. */
_must_check_ int rest_response_json(const RestClient *c, const RestRequest *request, const RestResponse *response, Arena *arena,
                                    const JsonItem **ret, Error *error);
/* An address in an answer (next page) as a whole one, seen from the address that was asked. ERROR_SYSTEM_REFUSED where it leads
 * to another scheme, host or port than url: there our key has no business. Allocated. */
_must_check_ int rest_url_follow(const RestClient *c, const char *from, const char *link, char **ret, Error *error);
