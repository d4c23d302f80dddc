/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* API keys: who is it, by X-API-Key or Authorization: Bearer. Failures are limited per address. In both daemons. */
#include "basic/alloc.h"
#include "basic/error.h"

#define KEY_FAILURES_MAX 10U            /* wrong keys of one address within KEY_FAILURES_SEC before 429: guessing is pointless anyway */
#define KEY_FAILURES_SEC 60U

typedef struct Keys Keys;
/* Reads SYNC_SERVICE_API_KEY, else the credential "api-key", else takes "dev-api-key", valid from loopback only. */
_must_check_ int keys_new(Keys **ret, Error *error);
Keys *keys_free(Keys *keys);
DEFINE_CLEANUP(Keys, keys_free)
bool keys_is_default(const Keys *keys); /* warn at start (MESSAGE_DEFAULT_KEY) */
/* api_key, authorization: header values or NULL. address: of the peer, for the limit. ret_name: key's name, borrowed from keys.
 * ERROR_UNAUTHENTICATED ("Invalid API key"), ERROR_TOO_MANY. now_usec: CLOCK_MONOTONIC. */
_must_check_ int keys_check(Keys *keys, const char *api_key, const char *authorization, const char *address, bool loopback,
                            uint64_t now_usec, const char **ret_name, unsigned *ret_scopes, Error *error);
