/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The command table as an OpenAPI 3.1 document. In the gateway and `terrafusion-syncd --print=openapi`. */
#include "basic/alloc.h"
#include <jansson.h>
_must_check_ int openapi_new(const char *version, json_t **ret);
