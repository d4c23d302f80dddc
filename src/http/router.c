/* SPDX-License-Identifier: Apache-2.0 */
#include "http/router.h"

#include <errno.h>

#include "basic/json.h"
#include "basic/text.h"
#include "http/message.h"

typedef struct Route {
        char *method, *path;
        unsigned route, n_captures;
} Route;

struct Router {
        Route *routes;
        size_t n_routes, capacity;
};

int router_new(Router **ret) {
        Router *router = calloc(1, sizeof(Router));

        if (!router)
                return -ENOMEM;
        *ret = router;
        return 0;
}

Router *router_free(Router *router) {
        if (!router)
                return NULL;
        for (size_t i = 0; i < router->n_routes; i++) {
                free(router->routes[i].method);
                free(router->routes[i].path);
        }
        free(router->routes);
        free(router);
        return NULL;
}

int router_add(Router *router, const char *method, const char *path, unsigned route) {
        _cleanup_free_ char *method_copy = NULL, *path_copy = NULL;
        unsigned n_captures = 0;
        int r;

        for (size_t i = 0; i < router->n_routes; i++)
                if (text_equal(router->routes[i].method, method) && text_equal(router->routes[i].path, path))
                        return -EEXIST;
        method_copy = strdup(method);
        path_copy = strdup(path);
        if (!method_copy || !path_copy)
                return -ENOMEM;
        r = array_grow(&router->routes, &router->capacity, router->n_routes + 1, sizeof(Route));
        if (r < 0)
                return r;
        for (const char *p = path; *p; p++)
                n_captures += *p == '{';
        router->routes[router->n_routes++] = (Route) { TAKE_PTR(method_copy), TAKE_PTR(path_copy), route, n_captures };
        return 0;
}

/* One segment of both; the captured one goes to captures (may be NULL). 0: differs, 1: matches. */
static int segment_match(const char *pattern, size_t pattern_size, const char *segment, size_t size, json_t *captures) {
        _cleanup_free_ char *decoded = NULL, *name = NULL;
        int r;

        r = http_percent_decode(segment, size, false, &decoded);
        if (r < 0)
                return r;
        if (pattern_size < 2 || pattern[0] != '{')
                return strlen(decoded) == pattern_size && memcmp(decoded, pattern, pattern_size) == 0;
        if (decoded[0] == '\0')
                return 0;
        if (!captures)
                return 1;
        name = strndup(pattern + 1, pattern_size - 2);
        if (!name)
                return -ENOMEM;
        r = json_put(captures, name, json_text(decoded));
        return r < 0 ? r : 1;
}

static int path_match(const char *pattern, const char *path, json_t *captures) {
        int r;

        for (;;) {
                size_t n_pattern, n_path;

                if (*pattern != '/' || *path != '/')
                        return *pattern == '\0' && (*path == '\0' || (path[0] == '/' && path[1] == '\0'));
                pattern++;
                path++;
                n_pattern = strcspn(pattern, "/");
                n_path = strcspn(path, "/");
                r = segment_match(pattern, n_pattern, path, n_path, captures);
                if (r <= 0)
                        return r;
                pattern += n_pattern;
                path += n_path;
        }
}

static bool method_match(const char *asked, const char *method) {
        return text_equal(asked, method) || (text_equal(asked, "HEAD") && text_equal(method, "GET"));
}

char *router_allow(const Router *router, const char *raw_path) {
        _cleanup_free_ char *allow = NULL;
        size_t size;
        bool any = false;
        FILE *f = open_memstream(&allow, &size);

        if (!f)
                return NULL;
        for (size_t i = 0; i < router->n_routes; i++)
                if (path_match(router->routes[i].path, raw_path, NULL) > 0) {
                        bool get = text_equal(router->routes[i].method, "GET");

                        (void) fprintf(f, "%s%s", router->routes[i].method, get ? ", HEAD, " : ", ");
                        any = true;
                }
        (void) fputs("OPTIONS", f);
        if (fclose(f) != 0 || !any)
                return NULL;
        return TAKE_PTR(allow);
}

static int path_bad(Error *error, const char *raw_path) {
        return error_set(error, ERROR_BAD_REQUEST, "Encode the path as UTF-8 with %XX escapes.",
                         "Path \"%.200s\" is not validly encoded", raw_path);
}

/* The matching route with the fewest captures: "/api/pairs/check" before "/api/pairs/{name}". NULL: none. */
static int route_choose(const Router *router, const char *method, const char *raw_path, const Route **ret) {
        const Route *best = NULL;
        int r;

        for (size_t i = 0; i < router->n_routes; i++) {
                const Route *route = router->routes + i;

                if (!method_match(method, route->method) || (best && best->n_captures <= route->n_captures))
                        continue;
                r = path_match(route->path, raw_path, NULL);
                if (r < 0)
                        return r;
                if (r > 0)
                        best = route;
        }
        *ret = best;
        return 0;
}

int router_find(const Router *router, const char *method, const char *raw_path,
                unsigned *ret_route, json_t **ret_captures, char **ret_allow, Error *error) {
        json_auto_t *captures = json_object();
        _cleanup_free_ char *allow = NULL;
        const Route *route = NULL;
        int r;

        if (!captures)
                return -ENOMEM;
        r = route_choose(router, method, raw_path, &route);
        if (r == -EINVAL)
                return path_bad(error, raw_path);
        if (r < 0)
                return r;
        if (!route) {
                allow = router_allow(router, raw_path);
                if (!allow)
                        return error_set(error, ERROR_NOT_FOUND, "GET / and /openapi.json list what there is.",
                                         "There is nothing at \"%.200s\"", raw_path);
                *ret_allow = TAKE_PTR(allow);
                return error_set(error, ERROR_METHOD_NOT_ALLOWED, "Use one of the methods in the Allow header.",
                                 "%.16s is not allowed at \"%.200s\"", method, raw_path);
        }
        r = path_match(route->path, raw_path, captures);
        if (r < 0)
                return r;
        *ret_route = route->route;
        *ret_captures = TAKE_PTR(captures);
        return 0;
}
