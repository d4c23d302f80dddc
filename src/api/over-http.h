/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The command table as HTTP. In syncd. */
#include "api/keys.h"
#include "api/request.h"
#include "http/server.h"

#define IDENTITY_HEADER "X-TerraFusion-Identity"        /* "NAME;scope,scope": the gateway always overwrites it */

typedef struct OverHttp OverHttp;
/* keys and api are borrowed and must outlive it. */
_must_check_ int over_http_new(const Api *api, Keys *keys, OverHttp **ret);
OverHttp *over_http_free(OverHttp *over);
DEFINE_CLEANUP(OverHttp, over_http_free)
/* Give to http_server_new() with the OverHttp as userdata. On a unix socket of root or our own user the identity header is
 * believed (none: open commands only); elsewhere the key decides. */
void over_http_handle(HttpRequest *request, void *userdata);
