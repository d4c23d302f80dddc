/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/project.h"

#include <dlfcn.h>
#include <math.h>
#include <proj.h>

#define PROJECTIONS_MAX 16U /* pairs of systems in one worker; a mapping has one or two */
#define LIBRARY         "libproj.so.25"

struct Projection {
        uint32_t from, to;
        PJ *way;
        double grid; /* units per step */
};

/* What is used of the library, by name: it is not linked. */
#define FUNCTIONS(X)                                                                                        \
        X(proj_context_create)                                                                              \
        X(proj_create)                                                                                      \
        X(proj_create_crs_to_crs_from_pj)                                                                   \
        X(proj_normalize_for_visualization)                                                                 \
        X(proj_trans)                                                                                       \
        X(proj_destroy)                                                                                     \
        X(proj_errno_reset)                                                                                 \
        X(proj_context_errno)                                                                               \
        X(proj_context_get_database_path)                                                                   \
        X(proj_log_level)                                                                                   \
        X(proj_get_type)

static struct {
        void *handle;
        PJ_CONTEXT *context;
#define X(name) typeof(&name) name;
        FUNCTIONS(X)
#undef X
} library;

static Projection projections[PROJECTIONS_MAX];
static size_t n_projections;

void srid_format(uint32_t srid, char ret[static SRID_TEXT_MAX]) {
        (void) snprintf(ret, SRID_TEXT_MAX, "%s:%u", srid <= SRID_EPSG_MAX ? "EPSG" : "ESRI", srid % 1000000000U);
}

static int library_fail(Error *error) {
        return error_set(error, ERROR_CONFIGURATION, "Install it: apt install libproj25 proj-data",
                         "Coordinates cannot be transformed: %s cannot be loaded", LIBRARY);
}

static int library_load(Error *error) {
        if (library.context)
                return 0;
        if (!library.handle)
                library.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!library.handle)
                return library_fail(error);
#define X(name)                                                                                             \
        library.name = (typeof(&name)) dlsym(library.handle, #name);                                        \
        if (!library.name)                                                                                  \
                return library_fail(error);
        FUNCTIONS(X)
#undef X
        library.context = library.proj_context_create();
        if (!library.context)
                return library_fail(error);
        (void) library.proj_log_level(library.context, PJ_LOG_NONE);
        if (!library.proj_context_get_database_path(library.context))
                return error_set(error, ERROR_CONFIGURATION, "Install it: apt install proj-data (or set PROJ_LIB to its folder)",
                                 "Coordinates cannot be transformed: PROJ does not find proj.db");
        return 0;
}

static int system_create(uint32_t srid, PJ **ret, Error *error) {
        char code[SRID_TEXT_MAX];

        srid_format(srid, code);
        *ret = library.proj_create(library.context, code);
        if (*ret)
                return 0;
        return error_set(error, ERROR_CONFIGURATION,
                         "Look the code up: projinfo --list-crs, or spatialreference.org",
                         "PROJ does not know the coordinate system %s", code);
}

static bool is_geographic(const PJ *system) {
        PJ_TYPE type = library.proj_get_type(system);

        return type == PJ_TYPE_GEOGRAPHIC_2D_CRS || type == PJ_TYPE_GEOGRAPHIC_3D_CRS;
}

static int way_create(uint32_t from, uint32_t to, Projection *ret, Error *error) {
        static const char *const options[] = {"ALLOW_BALLPARK=NO", NULL};
        PJ *source = NULL, *target = NULL, *plain = NULL;
        char left[SRID_TEXT_MAX], right[SRID_TEXT_MAX];
        int r;

        r = system_create(from, &source, error);
        if (r == 0)
                r = system_create(to, &target, error);
        if (r == 0) {
                plain = library.proj_create_crs_to_crs_from_pj(library.context, source, target, NULL, options);
                *ret = (Projection){.from = from, .to = to, .grid = is_geographic(target) ? 1e9 : 1e5};
                ret->way = plain ? library.proj_normalize_for_visualization(library.context, plain) : NULL;
        }
        if (r == 0 && !ret->way) {
                srid_format(from, left);
                srid_format(to, right);
                r = error_set(error, ERROR_CONFIGURATION,
                              "Install its grids (apt install proj-data, projsync), or transform at the source",
                              "PROJ has no transformation of known accuracy from %s to %s", left, right);
        }
        (void) library.proj_destroy(source);
        (void) library.proj_destroy(target);
        (void) library.proj_destroy(plain);
        return r;
}

int projection_find(uint32_t from, uint32_t to, const Projection **ret, Error *error) {
        int r;

        for (size_t i = 0; i < n_projections; i++)
                if (projections[i].from == from && projections[i].to == to) {
                        *ret = projections + i;
                        return 0;
                }
        if (n_projections == PROJECTIONS_MAX)
                return error_set(error, ERROR_CONFIGURATION, "Split the pair",
                                 "More than %u pairs of coordinate systems in one pair", PROJECTIONS_MAX);
        r = library_load(error);
        if (r == 0)
                r = way_create(from, to, projections + n_projections, error);
        if (r < 0)
                return r;
        *ret = projections + n_projections++;
        return 0;
}

int projection_apply(const Projection *p, double *x, double *y) {
        PJ_COORD c = {.xyzt = {.x = *x, .y = *y, .z = 0, .t = HUGE_VAL}};

        if (isnan(*x) && isnan(*y)) /* an empty point */
                return 0;
        (void) library.proj_errno_reset(p->way);
        c = library.proj_trans(p->way, PJ_FWD, c);
        if (!isfinite(c.xy.x) || !isfinite(c.xy.y))
                return -ERANGE;
        *x = round(c.xy.x * p->grid) / p->grid;
        *y = round(c.xy.y * p->grid) / p->grid;
        return 0;
}

int projection_check(uint32_t srid, Error *error) {
        PJ *system = NULL;
        int r;

        r = library_load(error);
        if (r == 0)
                r = system_create(srid, &system, error);
        if (r == 0)
                (void) library.proj_destroy(system);
        return r;
}
