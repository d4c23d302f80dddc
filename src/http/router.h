/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Paths with {name} segments → the number the caller gave the route, and the captured segments. In both daemons. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <jansson.h>

typedef struct Router Router;
_must_check_ int router_new(Router **ret);
Router *router_free(Router *router);
DEFINE_CLEANUP(Router, router_free)
/* path: "/api/pairs/{name}". Literal segments win over {…}. -EEXIST: that method and path are there already. Copies. */
_must_check_ int router_add(Router *router, const char *method, const char *path, unsigned route);
/* raw_path: as on the wire, without the query; segments are decoded after splitting (an encoded slash stays inside its segment).
 * HEAD finds GET's route. A trailing slash finds the path without it. ret_captures: new object of texts.
 * ERROR_NOT_FOUND; ERROR_METHOD_NOT_ALLOWED with *ret_allow ("GET, HEAD, OPTIONS", allocated) set; ERROR_BAD_REQUEST for broken escapes. */
_must_check_ int router_find(const Router *router, const char *method, const char *raw_path,
                             unsigned *ret_route, json_t **ret_captures, char **ret_allow, Error *error);
/* Methods of a path for OPTIONS and Allow, allocated; NULL where the path is unknown. */
char *router_allow(const Router *router, const char *raw_path);
