/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Many requests about single records: an OData service takes them together ($batch, JSON form), each with an answer of its
 * own; others one by one. In the worker. */
#include "connect/rest-connection.h"

typedef struct RestCall {
        const char *method, *path;      /* below url, without a slash before it: "Accounts('A1')?$select=…" */
        const char *body;               /* JSON, or NULL */
        const char *if_match;           /* or NULL */
        long status;                    /* out */
        const JsonItem *answer;         /* out: the document; NULL: none, or no JSON */
        const char *etag;               /* out: or NULL */
        const char *words;              /* out: the first words of an answer that is no document */
} RestCall;

/* Sends all and fills in what came of each. What is given lives in the arena. repeats: none of them changes anything.
 * A negative errno: nothing is known of those with status 0. */
_must_check_ int rest_calls(RestConnection *c, RestCall *calls, size_t n_calls, bool repeats, Arena *arena, Error *error);
/* The error that a call's answer means. */
int rest_call_error(const RestConnection *c, const RestCall *call, Error *error);
